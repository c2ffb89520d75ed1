package sqlite

import (
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
)

// patterns keeps compiled regular expressions. The one used last is found without a lock: a
// statement asks for the same one at each row.
type patterns struct {
	last     atomic.Pointer[pattern]
	mu       sync.Mutex
	compiled map[string]*pattern // guarded by mu
}

type pattern struct {
	text string
	*regexp.Regexp
}

// patternsKept bounds the cache; when it is full it starts anew.
const patternsKept = 512

func (ps *patterns) get(text string) (*pattern, error) {
	if p := ps.last.Load(); p != nil && p.text == text {
		return p, nil
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	p, ok := ps.compiled[text]
	if !ok {
		own := strings.Clone(text) // SQLite's memory
		re, err := regexp.Compile(own)
		if err != nil {
			return nil, err
		}
		if ps.compiled == nil || len(ps.compiled) >= patternsKept {
			ps.compiled = make(map[string]*pattern)
		}
		p = &pattern{own, re}
		ps.compiled[own] = p
	}
	ps.last.Store(p)
	return p, nil
}

package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"spacecloud/fault"
)

// Missing is the error of an answer that is there but for what links lead to in databases that are
// down: each of the faults has the path of a null in the answer of the field.
type Missing struct{ Faults []*fault.Error }

func (m *Missing) Error() string {
	all := make([]error, len(m.Faults))
	for i, f := range m.Faults {
		all[i] = f
	}
	return errors.Join(all...).Error()
}

// maxMissing is how many nulls of one answer have an error of their own.
const maxMissing = 100

// apart is what a run over several databases knows besides: which are not there, and what stays
// empty therefore.
type apart struct {
	strict bool         // without a database there is no answer: of a write
	read   bool         // all is read
	busy   []sync.Mutex // by plan.databases: one reader answers one level at a time
	down   []error      // by plan.databases: why there is no reader
	failed []error      // by level: why its rows are not there
	nulls  []null
}

// null is one place of the answer where a level's rows should stand.
type null struct {
	at    int // in the answer
	level *level
}

func newApart(p *plan) *apart {
	return &apart{busy: make([]sync.Mutex, len(p.databases)), down: make([]error, len(p.databases)), failed: make([]error, len(p.levels))}
}

func (a *apart) reset() {
	a.strict, a.read = false, false
	clear(a.down)
	clear(a.failed)
	a.nulls = a.nulls[:0]
}

// isDown is whether an error says that a database is not there, and not that the request is over.
func isDown(ctx context.Context, err error) bool {
	kind := fault.KindOf(err)
	return (kind == fault.Unavailable || kind == fault.Timeout) && ctx.Err() == nil
}

// without is whether a run goes on when one of its databases lends no reader. Without that of the root
// there is nothing to go on with.
func (run *run) without(ctx context.Context, database int, err error) bool {
	if run.apart.strict || run.plan.levels[0].reader == database || !isDown(ctx, err) {
		return false
	}
	run.apart.down[database] = err
	return true
}

// spared is whether a run goes on without the rows of a level that failed: those of a link into
// another database than its parent's. Any other failure is one of the parent.
func (run *run) spared(ctx context.Context, l *level, err error) bool {
	if run.apart == nil || run.apart.strict || !l.isApart || !isDown(ctx, err) {
		return false
	}
	run.apart.failed[l.n] = err
	return true
}

// missing writes null for the rows of a level that failed, and notes where.
func (run *run) missing(dst []byte, l *level) []byte {
	if len(run.apart.nulls) < maxMissing {
		run.apart.nulls = append(run.apart.nulls, null{len(dst), l})
	}
	return append(dst, "null"...)
}

// missed is the Missing of an answer, which begins at start; nil when nothing is.
func (a *apart) missed(dst []byte, start int) error {
	if len(a.nulls) == 0 {
		return nil
	}
	m := &Missing{}
	paths := pathsOf(dst[start:], a.nulls, start)
	for i, n := range a.nulls {
		for _, f := range fault.All(a.failed[n.level.n]) {
			m.Faults = append(m.Faults, f.At(paths[i]...))
		}
	}
	return m
}

// pathsOf are the ways from the root of an answer to its values at places that ascend, counted from start
// bytes before it: response keys, and ordinals in lists.
func pathsOf(answer []byte, places []null, start int) [][]any {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	var paths [][]any
	var path []any   // to the next value: a string, or an ordinal
	var lists []bool // for each step whether it is one of a list
	key := false     // whether the next token is a key
	next := func() { // a value has ended
		if n := len(path) - 1; n >= 0 {
			if lists[n] {
				path[n] = path[n].(int) + 1
			}
			key = !lists[n]
		}
	}
	for len(paths) < len(places) {
		token, err := d.Token()
		if err != nil {
			return append(paths, make([][]any, len(places)-len(paths))...) // it is ours, and has no such place
		}
		end := int(d.InputOffset())
		switch delim, isDelim := token.(json.Delim); {
		case isDelim && (delim == '{' || delim == '['):
			path, lists = append(path, any(0)), append(lists, delim == '[')
			key = delim == '{'
		case isDelim:
			path, lists = path[:len(path)-1], lists[:len(lists)-1]
			next()
		case key:
			path[len(path)-1], key = token, false
		default:
			if token == nil && start+end-len("null") == places[len(paths)].at {
				paths = append(paths, slices.Clone(path))
			}
			next()
		}
	}
	return paths
}

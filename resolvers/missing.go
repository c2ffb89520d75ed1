package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

	asking  sync.Mutex
	answers answers // of questions to other databases; guarded by asking
}

// null is one place of the answer where a level's rows should stand.
type null struct {
	at    int // in the answer
	level *level
}

func newApart(p *plan) *apart {
	return &apart{busy: make([]sync.Mutex, len(p.databases)), down: make([]error, len(p.databases)), failed: make([]error, len(p.levels)), answers: answers{}}
}

func (a *apart) reset() {
	a.strict, a.read = false, false
	clear(a.down)
	clear(a.failed)
	clear(a.answers)
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

// wayStep is one step into an answer: a response key, or an ordinal in a list.
type wayStep struct {
	key    string
	isList bool
	n      int
}

// pathsOf are the ways from the root of an answer to its nulls, which ascend. Their places count from
// start bytes before it.
func pathsOf(answer []byte, nulls []null, start int) [][]any {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	paths := make([][]any, 0, len(nulls))
	var at []wayStep // where the next value is
	isKey := false
	for len(paths) < len(nulls) {
		token, err := d.Token()
		if err != nil {
			return append(paths, make([][]any, len(nulls)-len(paths))...) // cannot be: we wrote the answer
		}
		switch t := token.(type) {
		case json.Delim:
			if t == '{' || t == '[' {
				at, isKey = append(at, wayStep{isList: t == '['}), t == '{'
				continue
			}
			at = at[:len(at)-1]
		case string:
			if isKey {
				at[len(at)-1].key, isKey = t, false
				continue
			}
		case nil:
			if start+int(d.InputOffset())-len("null") == nulls[len(paths)].at {
				paths = append(paths, path(at))
			}
		}
		if len(at) > 0 { // a value has ended
			last := &at[len(at)-1]
			last.n++
			isKey = !last.isList
		}
	}
	return paths
}

func path(at []wayStep) []any {
	out := make([]any, len(at))
	for i, s := range at {
		if out[i] = s.key; s.isList {
			out[i] = s.n
		}
	}
	return out
}

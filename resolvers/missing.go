package resolvers

import (
	"context"
	"sync"

	"spacecloud/fault"
)

// apart is what a run over several databases knows besides: which are not there, and what stays
// empty therefore.
type apart struct {
	strict bool         // without a database there is no answer: of a write
	read   bool         // all is read
	busy   []sync.Mutex // by plan.databases: one reader answers one level at a time
	down   []error      // by plan.databases: why there is no reader
	failed []error      // by level: why its rows are not there

	asking  sync.Mutex
	answers answers // of questions to other databases; guarded by asking
}

func newApart(p *plan) *apart {
	return &apart{busy: make([]sync.Mutex, len(p.databases)), down: make([]error, len(p.databases)), failed: make([]error, len(p.levels)), answers: answers{}}
}

func (a *apart) reset() {
	a.strict, a.read = false, false
	clear(a.down)
	clear(a.failed)
	clear(a.answers)
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

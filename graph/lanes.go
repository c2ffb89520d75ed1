package graph

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// split finds the parts that are answered at the same time: those whose rows are in different
// databases. Fields that are handed on go with the first.
func (p *opPlan) split() {
	var lanes [][]int
	var databases []string
	for i, part := range p.parts {
		lane := 0
		if part.handOn == nil {
			if lane = slices.Index(databases, part.root.Type.DB); lane < 0 {
				lane, databases = len(databases), append(databases, part.root.Type.DB)
			}
		}
		for len(lanes) <= lane {
			lanes = append(lanes, nil)
		}
		lanes[lane] = append(lanes[lane], i)
	}
	if len(lanes) > 1 {
		p.lanes = lanes
	}
}

// atOnce answers the lanes at the same time. The first part that may not be null, and is, ends the
// others.
func (e *executable) atOnce(ctx context.Context, p *opPlan, args []schema.Value) ([]byte, gqlerror.List) {
	within, end := context.WithCancel(ctx)
	defer end()
	caller := auth.From(ctx)
	answers := make([][]byte, len(p.parts))
	errs := make([]gqlerror.List, len(p.parts))
	var over atomic.Bool
	resolvers.AtOnce(len(p.lanes), func(lane int) {
		for _, i := range p.lanes[lane] {
			answer, failed, ok := e.answer(within, caller, &p.parts[i], args, nil)
			if ok {
				answers[i], errs[i] = answer, failed
				continue
			}
			if over.CompareAndSwap(false, true) { // what fails from now on may fail for that only
				errs[i] = failed
				end()
			}
			return
		}
	})
	if over.Load() {
		return null(), slices.Concat(errs...)
	}
	dst := bufferOf(ctx)
	for _, answer := range answers {
		dst = append(dst, answer...)
	}
	return append(dst, p.tail...), slices.Concat(errs...)
}

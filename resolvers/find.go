package resolvers

import (
	"context"
	"sync"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// maxPlans is how many plans of one find are kept: callers differ in few ways.
const maxPlans = 32

// Found is a find made ready to be asked many times, by many callers. What a caller's
// claims decide picks one of its plans; everything else is a parameter.
type Found struct {
	r    *Resolvers
	find *query.Find
	uses []rules.Use

	mu    sync.RWMutex
	plans map[string]*plan // by rules.Shape; guarded by mu
}

// Find makes a find ready. The answer of Run is a list, or with One an object or null.
func (r *Resolvers) Find(f *query.Find) *Found {
	return &Found{r: r, find: f, uses: r.uses(nil, f), plans: map[string]*plan{}}
}

// uses lists the rules that the levels of f ask for.
func (r *Resolvers) uses(uses []rules.Use, f *query.Find) []rules.Use {
	items := shown(f)
	uses = r.Rules.Uses(uses, query.Level{Type: f.Type, Columns: cells(items), Where: f.Where, OrderBy: complete(f), Distinct: f.Distinct, Groups: f.Groups}, query.Read)
	for _, item := range items {
		if item.Find != nil {
			uses = r.uses(uses, item.Find)
		}
	}
	return uses
}

// cells are the fields of which the rules decide what the items show: columns, links and the
// keys of links.
func cells(items []query.Item) []query.Cell {
	var out []query.Cell
	for _, item := range items {
		if item.Field != nil {
			out = append(out, query.Cell{Field: item.Field})
		}
		if item.Link != nil {
			out = append(out, query.Cell{Field: item.Link})
			for _, key := range item.Link.Link.From {
				out = append(out, query.Cell{Field: key})
			}
		}
	}
	return out
}

// Run appends the answer for the caller; args are the values of the find's query.Arg
// operands. Where values are not to be had, because links lead into databases that are down or rows hold what
// they cannot be, the answer is there with nulls, and the error is a Missing.
func (f *Found) Run(ctx context.Context, c *auth.Caller, args []schema.Value, dst []byte) ([]byte, error) {
	p, err := f.plan(c, strict)
	if err != nil {
		return dst, err
	}
	run := p.start(f.r, c, args)
	defer p.finish(run)
	start := len(dst)
	err = p.view(ctx, 0, run, func() error {
		dst, err = run.answer(ctx, dst)
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, run.holes.fill(f.r, c, dst[start:]).err()
}

// Explain is the plan for callers like c, printed: its levels as they nest, each with its
// statement.
func (f *Found) Explain(c *auth.Caller) (string, error) {
	p, err := f.plan(c, strict)
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// byKeys appends the rows of the given primary keys, within the transactions of w: what a
// write returns. Rows that the caller may not read are left out or null.
func (f *Found) byKeys(ctx context.Context, w *writing, args, keys []schema.Value, dst []byte) ([]byte, error) {
	p, err := f.plan(w.caller, lenient)
	if err != nil {
		return dst, err
	}
	run := p.start(f.r, w.caller, args)
	defer p.finish(run)
	run.holes = &w.holes
	if run.apart != nil {
		run.apart.strict = true
	}
	for i, db := range p.databases {
		if r := w.held(db); r != nil {
			run.readers[i] = r
		} else if err := w.inOrder(db); err != nil {
			return dst, err
		}
	}
	run.keys = keys
	err = p.view(ctx, 0, run, func() error {
		dst, err = run.answer(ctx, dst)
		return err
	})
	return dst, err
}

// refusal says what a flat no at the root does.
type refusal uint8

const (
	strict  refusal = iota // is an error
	lenient                // is no row
)

// plan is the plan for callers like c.
func (f *Found) plan(c *auth.Caller, no refusal) (*plan, error) {
	var room [128]byte
	shape := f.r.Rules.Shape(room[:0], c, f.uses)
	f.mu.RLock()
	p := f.plans[string(shape)]
	f.mu.RUnlock()
	if p != nil {
		return p, nil
	}
	p, err := f.r.compile(c, f.find, no)
	if err != nil {
		return nil, err
	}
	f.keep(string(shape), p)
	return p, nil
}

// keep keeps a plan for the next caller of a shape. When there are too many, all go: those
// that are needed come back.
func (f *Found) keep(shape string, p *plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.plans) >= maxPlans {
		clear(f.plans)
	}
	f.plans[shape] = p
}

// view opens a reader on each database of the plan that has none yet, one inside the other,
// and then does it. All are opened before the first is asked, in one order for all requests: who took
// one while holding another in the order of need would wait for those who do it the other way.
func (p *plan) view(ctx context.Context, i int, run *run, do func() error) error {
	if i == len(p.order) {
		err := do()
		if run.apart != nil {
			run.apart.read = err == nil && !run.apart.strict
		}
		return err
	}
	n := p.order[i]
	if run.readers[n] != nil {
		return p.view(ctx, i+1, run, do)
	}
	view := p.databases[n].View
	if len(p.levels) == 1 && p.levels[0].page == nil && len(p.databases) == 1 {
		view = p.databases[n].Once
	}
	err := view(ctx, func(r driver.Reader) error {
		run.readers[n] = r
		return p.view(ctx, i+1, run, do)
	})
	switch {
	case err == nil || run.apart == nil:
		return err
	case run.readers[n] == nil && run.without(ctx, n, err):
		return p.view(ctx, i+1, run, do)
	case run.apart.read && isDown(ctx, err):
		return nil // it was lost when all had been read that was to be
	}
	return err
}

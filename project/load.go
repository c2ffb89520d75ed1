package project

import (
	"context"
	"slices"
	"strings"
	"time"

	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/migrate"
	"spacecloud/schema"
)

// Loaded is what a Load did.
type Loaded struct {
	Changes  []schema.Change // since what was served before; nil for the first
	Plans    []migrate.Plan  // that were applied
	Warnings schema.Problems // of what is right and yet wants a look, which what was served before had not
	Took     time.Duration
}

// Load serves what the folder says now. With an error everything is as it was before, and
// what was served still is.
func (p *Project) Load(ctx context.Context) (Loaded, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.load(ctx)
}

func (p *Project) load(ctx context.Context) (Loaded, error) {
	began := time.Now()
	p.seen = p.snapshot()
	next, err := p.compile()
	if err != nil {
		return Loaded{}, err
	}
	var done Loaded
	if done.Plans, err = p.migrate(ctx, next); err != nil {
		if kind := fault.KindOf(err); kind == fault.Unavailable || kind == fault.Timeout {
			p.seen = "" // nothing is wrong with the folder: look again
		}
		return Loaded{}, err
	}
	done.Warnings = next.warnings
	if before := p.now.Swap(next); before != nil {
		done.Changes = schema.Diff(before.schema, next.schema)
		done.Warnings = unsaid(before.warnings, next.warnings)
		p.leaving.Go(func() { p.replaced(context.WithoutCancel(ctx), before) })
	}
	done.Took = time.Since(began)
	return done, nil
}

// replaced lets those go who hold a socket of a backend that is served no longer. What they asked for has as
// long to finish as any request.
func (p *Project) replaced(ctx context.Context, b *backend) {
	ctx, cancel := context.WithTimeout(ctx, p.Settings.Limits.Timeout)
	defer cancel()
	b.graph.Close(ctx)
	b.rows.Live.End(live.Swapped) // who waits without a door that can say so itself
}

// unsaid are the warnings that were not there before. Where they were said to be does not matter:
// an edit moves the lines below it.
func unsaid(before, now schema.Problems) schema.Problems {
	return slices.DeleteFunc(slices.Clone(now), func(w schema.Problem) bool {
		return slices.ContainsFunc(before, func(b schema.Problem) bool { return b.Message == w.Message })
	})
}

// migrate brings the databases up to b, in development, or says what they lack.
func (p *Project) migrate(ctx context.Context, b *backend) ([]migrate.Plan, error) {
	targets, err := p.behind(b)
	if err != nil {
		return nil, err
	}
	o := migrate.Options{Policy: migrate.Tidy, Version: p.Version}
	if p.Settings.Production {
		o.Policy = migrate.Keep
	}
	// With several databases, all are asked before the first is changed: there is no
	// transaction over two. One is asked by Apply itself, under its lock.
	if p.Settings.Production || len(targets) > 1 {
		if err := p.ask(ctx, targets, b.schema, o); err != nil {
			return nil, err
		}
	}
	if p.Settings.Production {
		return nil, nil
	}
	var plans []migrate.Plan
	for _, db := range targets {
		plan, err := migrate.Apply(ctx, db, b.schema, o)
		if err != nil {
			return nil, located(p.Settings.Schema, err)
		}
		plans = append(plans, plan)
	}
	return plans, nil
}

// behind are the databases of which b wants something else than what is served now. Planning
// costs some queries a table, which an edit of rules need not wait for.
func (p *Project) behind(b *backend) ([]migrate.Database, error) {
	all, err := p.Databases()
	if err != nil {
		return nil, err
	}
	now := p.now.Load()
	var targets []migrate.Database
	for _, db := range all {
		if b.finger[db.Name], err = migrate.Fingerprint(db, b.schema); err != nil {
			return nil, located(p.Settings.Schema, err)
		}
		if now == nil || now.finger[db.Name] != b.finger[db.Name] {
			targets = append(targets, db)
		}
	}
	return targets, nil
}

func (p *Project) ask(ctx context.Context, targets []migrate.Database, s *schema.Schema, o migrate.Options) error {
	for _, db := range targets {
		plan, err := migrate.Make(ctx, db, s, o)
		if err != nil {
			return located(p.Settings.Schema, err)
		}
		if p.Settings.Production {
			err = lacking(plan)
		} else {
			err = plan.Refused(false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lacking says what the schema needs and a database has not.
func lacking(p migrate.Plan) error {
	lacks := p.Lacks()
	if len(lacks) == 0 {
		return nil
	}
	var b strings.Builder
	for _, c := range lacks {
		b.WriteString("\n  " + c.Comment)
	}
	for _, d := range p.Drift {
		if !d.Extra {
			b.WriteString("\n  (changed outside: " + d.What + ")")
		}
	}
	return fault.New(fault.Conflict, "database %s is not what the schema needs; run: spacecloud migrate apply%s", p.Database, b.String())
}

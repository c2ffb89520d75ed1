package drivertest

import (
	"slices"

	"spacecloud/query"
)

// smallest is the least that a level can be taken apart to and still differ.
func (r *random) smallest(l query.Level) query.Level {
	for _, less := range simpler(l) {
		if r.differs(less) {
			return r.smallest(less)
		}
	}
	return l
}

// simpler are levels with one thing less.
func simpler(l query.Level) (all []query.Level) {
	with := func(change func(*query.Level)) {
		less := l
		change(&less)
		all = append(all, less)
	}
	for _, w := range simplerWhere(l.Where) {
		with(func(l *query.Level) { l.Where = w })
	}
	if l.Limit.Kind != query.NoOperand {
		with(func(l *query.Level) { l.Limit = query.Operand{} })
	}
	if l.Offset.Kind != query.NoOperand {
		with(func(l *query.Level) { l.Offset = query.Operand{} })
	}
	if l.Distinct != nil {
		with(func(l *query.Level) { l.Distinct = nil })
	}
	if l.Via != nil && l.Via.Through != nil {
		for _, w := range append(simplerWhere(l.Via.Through), nil) {
			with(func(l *query.Level) { l.Via = &query.Via{Link: l.Via.Link, Single: l.Via.Single, Through: w} })
		}
	}
	for i, o := range l.OrderBy {
		if !o.Ours {
			with(func(l *query.Level) {
				l.OrderBy = query.Complete(l.Type, slices.Delete(slices.Clone(l.OrderBy), i, i+1))
			})
		}
	}
	for i, c := range l.Columns {
		if len(l.Columns) > 1 {
			with(func(l *query.Level) { l.Columns = slices.Delete(slices.Clone(l.Columns), i, i+1) })
		}
		if c.When != nil {
			with(func(l *query.Level) {
				l.Columns = slices.Clone(l.Columns)
				l.Columns[i].When = nil
			})
		}
	}
	return slices.DeleteFunc(all, func(less query.Level) bool { return len(less.OrderBy) > len(l.OrderBy) })
}

// simplerWhere are conditions with one thing less, of the same rows.
func simplerWhere(w query.Where) (all []query.Where) {
	inner := func(w query.Where, with func(query.Where) query.Where) {
		for _, less := range simplerWhere(w) {
			all = append(all, with(less))
		}
	}
	switch w := w.(type) {
	case query.Truth:
		return nil
	case query.And:
		all = simplerParts(w, func(ws []query.Where) query.Where { return query.And(ws) })
	case query.Or:
		all = simplerParts(w, func(ws []query.Where) query.Where { return query.Or(ws) })
	case query.Not:
		all = append(all, w.Where)
		inner(w.Where, func(less query.Where) query.Where { return query.Not{Where: less} })
	case query.Untrue:
		all = append(all, w.Where)
		inner(w.Where, func(less query.Where) query.Where { return query.Untrue{Where: less} })
	case query.Some:
		inner(w.Where, func(less query.Where) query.Where { return query.Some{Link: w.Link, Through: w.Through, Where: less} })
		inner(w.Through, func(less query.Where) query.Where { return query.Some{Link: w.Link, Through: less, Where: w.Where} })
	case query.One:
		inner(w.Where, func(less query.Where) query.Where { return query.One{Link: w.Link, If: w.If, Where: less} })
		inner(w.If, func(less query.Where) query.Where { return query.One{Link: w.Link, If: less, Where: w.Where} })
	case query.Count:
		inner(w.Where, func(less query.Where) query.Where {
			w := w
			w.Where = less
			return w
		})
	case query.Exists:
		inner(w.Where, func(less query.Where) query.Where { return query.Exists{Type: w.Type, Where: less} })
	case nil:
		return nil
	}
	return append([]query.Where{query.True, query.False}, all...)
}

// simplerParts are each of some conditions, all but each, and all with each simpler.
func simplerParts(ws []query.Where, join func([]query.Where) query.Where) (all []query.Where) {
	all = append(all, ws...)
	for i, w := range ws {
		all = append(all, join(slices.Delete(slices.Clone(ws), i, i+1)))
		for _, less := range simplerWhere(w) {
			parts := slices.Clone(ws)
			parts[i] = less
			all = append(all, join(parts))
		}
	}
	return all
}

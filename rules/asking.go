package rules

import (
	"slices"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// asking narrows what a client asks: every hop is AND-ed with the read rule of the type it
// leads to, and a column that may not be read may not be asked about.
type asking struct {
	set    *Set
	caller *auth.Caller
	err    error // the first refusal
}

// where is w with the rules of its hops. Under a Not a row behind an unreadable hop has to be
// unknown, as if it were null; elsewhere false is as good.
func (a *asking) where(w query.Where, negated bool) query.Where {
	switch w := w.(type) {
	case query.And:
		return and(a.each(w, negated)...)
	case query.Or:
		return or(a.each(w, negated)...)
	case query.Not:
		return not(a.where(w.Where, true))
	case query.Untrue:
		return untrue(a.where(w.Where, false))
	case query.Compare:
		return a.about(w, negated, w.Left, w.Right)
	case query.Among:
		return a.about(w, negated, w.Columns...)
	case query.IsNull:
		return or(w, not(a.readable(w.Operand)))
	case query.Empty:
		return a.about(w, negated, w.Operand)
	case query.JSON:
		return a.document(w, negated)
	case query.Search:
		return a.search(w)
	case query.Some:
		return a.some(w)
	case query.One:
		return a.one(w, negated)
	case query.Count:
		return a.count(w)
	case query.Exists:
		return query.Exists{Type: w.Type, Where: and(a.where(w.Where, false), a.row(w.Type))}
	}
	return w
}

// via refuses a link that the claims alone close. What depends on the row that it begins at is
// for Visible, in the level of that row. The rule of a join type goes into the Via; it is said
// besides when it leaves no row at all.
func (a *asking) via(v *query.Via) (_ *query.Via, rows query.Where) {
	if v == nil || v.Link == nil {
		return v, query.True
	}
	if a.set.field(a.caller, v.Link, query.Read) == query.False {
		a.refuse(deny(a.caller, query.Read, v.Link.Owner.Name+"."+v.Link.Name))
	}
	rows = a.found(v.Link)
	through := a.through(v.Link)
	if through == nil {
		return v, rows
	}
	narrowed := *v
	narrowed.Through = through
	if through == query.False {
		return &narrowed, query.False
	}
	return &narrowed, rows
}

func (a *asking) each(ws []query.Where, negated bool) []query.Where {
	out := make([]query.Where, len(ws))
	for i, w := range ws {
		out[i] = a.where(w, negated)
	}
	return out
}

func (a *asking) row(t *schema.Type) query.Where {
	return a.set.row(a.caller, t, query.Read)
}

// about is a condition on operands: unknown where one of them is behind an unreadable hop.
func (a *asking) about(w query.Where, negated bool, operands ...query.Operand) query.Where {
	readable := query.Where(query.True)
	for _, o := range operands {
		readable = and(readable, a.readable(o))
	}
	if !negated {
		return and(w, readable)
	}
	return or(and(w, readable), and(query.Unknown, not(readable)))
}

// readable is where the caller may read the rows that an operand goes through; never
// unknown.
func (a *asking) readable(o query.Operand) query.Where {
	if o.Kind != query.Column {
		return query.True
	}
	a.mayAsk(o.Field)
	for _, f := range o.Inside {
		a.mayAsk(f)
	}
	out := query.Where(query.True)
	for _, link := range slices.Backward(o.Via) {
		a.mayTake(link)
		out = and(a.landing(link), out)
		if out != query.True {
			out = someOf(link, out)
		}
	}
	return a.fromHere(o, out)
}

// fromHere refuses a path that begins at an outer row and has to be checked there: queries of
// clients have none.
func (a *asking) fromHere(o query.Operand, w query.Where) query.Where {
	if _, plain := w.(query.Truth); !plain && o.Up > 0 {
		a.refuse(fault.New(fault.Invalid, "a filter cannot follow %s from an outer row", o))
	}
	return w
}

// order are sort keys that tell nothing of rows that the caller may not read: what is read from one is
// null, as if the row were not there.
func (a *asking) order(keys []query.Order) []query.Order {
	out := slices.Clone(keys)
	for i, k := range keys {
		if !k.Ours {
			out[i].When = filter(a.readable(query.Operand{Kind: query.Column, Field: k.Field, Via: k.Via}))
		}
	}
	return telling(out)
}

// telling are the sort keys but for those that are null in every row.
func telling(keys []query.Order) []query.Order {
	return slices.DeleteFunc(keys, func(k query.Order) bool { return k.When == query.False })
}

// chosen is which rows of a type a change may be about that were chosen by what they hold.
func (a *asking) chosen(is bool, t *schema.Type) query.Where {
	if !is {
		return query.True
	}
	rule := a.row(t)
	if rule == query.False {
		a.refuse(misasked{deny(a.caller, query.Read, t.Name)})
	}
	return rule
}

// mayAsk refuses a field whose value the claims alone do not allow to read.
func (a *asking) mayAsk(f *schema.Field) {
	if f.Hidden && !a.caller.IsSystem() || a.set.field(a.caller, f, query.Read) != query.True {
		a.refuse(misasked{deny(a.caller, query.Read, f.Owner.Name+"."+f.Name)})
	}
}

func (a *asking) refuse(err error) {
	if a.err == nil {
		a.err = err
	}
}

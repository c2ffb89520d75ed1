package rules

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// The hops that a client takes.

// through is what the rows of a link's join type must meet: nil for all, query.False for none.
// A join table that we own has no rules.
func (a *asking) through(link *schema.Field) query.Where {
	t := link.Link.Through
	if t == nil || t.Owned {
		return nil
	}
	out := a.row(t)
	for _, keys := range [][]*schema.Field{link.Link.ThroughFrom, link.Link.ThroughTo} {
		for _, key := range keys {
			out = and(out, a.set.field(a.caller, key, query.Read))
		}
	}
	return filter(out)
}

// landing is what the rows that a link leads to must meet: their type's rule, and those of the
// columns that they are found by. Who wrote a post is not told by a list of posts either.
func (a *asking) landing(link *schema.Field) query.Where {
	return and(a.row(link.Link.Target), a.found(link))
}

// found is where the columns that a link finds its rows by may be read.
func (a *asking) found(link *schema.Field) query.Where {
	out := query.Where(query.True)
	for _, f := range link.Link.To {
		out = and(out, a.set.field(a.caller, f, query.Read))
	}
	return out
}

// mayTake refuses a link whose values the claims alone do not allow to read, nor those of the
// columns that it begins at.
func (a *asking) mayTake(link *schema.Field) {
	a.mayAsk(link)
	for _, f := range link.Link.From {
		if a.set.field(a.caller, f, query.Read) != query.True {
			a.mayAsk(f)
		}
	}
}

func (a *asking) some(w query.Some) query.Where {
	a.mayTake(w.Link)
	return someThrough(w.Link, a.through(w.Link), and(a.where(w.Where, false), a.landing(w.Link)))
}

// one is a Some where unknown is as good as false: that a database can turn into a join.
func (a *asking) one(w query.One, negated bool) query.Where {
	a.mayTake(w.Link)
	rule := filter(w.If, a.landing(w.Link))
	if !negated {
		return someOf(w.Link, and(a.where(w.Where, false), rule))
	}
	inner := a.where(w.Where, true)
	if rule == query.False || inner == query.Unknown {
		return query.Unknown
	}
	return query.One{Link: w.Link, If: rule, Where: inner}
}

func (a *asking) count(w query.Count) query.Where {
	a.mayTake(w.Link)
	w.Through = a.through(w.Link)
	w.Where = filter(a.where(w.Where, false), a.landing(w.Link))
	return w
}

// document is as about; JSONIsNull is true where the document cannot be read.
func (a *asking) document(w query.JSON, negated bool) query.Where {
	if w.Op == query.JSONIsNull {
		return or(w, not(a.readable(w.Doc)))
	}
	return a.about(w, negated, w.Doc)
}

// search refuses a type of which a searched column may not be read.
func (a *asking) search(w query.Search) query.Where {
	for _, f := range query.SearchFields(w.Type) {
		a.mayAsk(f)
	}
	return w
}

// hopUses appends the rules of a field: those of a link's join type as well.
func (s *Set) hopUses(uses []Use, f *schema.Field) []Use {
	uses = s.use(uses, Use{Type: f.Owner, Field: f, Verb: query.Read})
	if !f.IsLink() {
		return uses
	}
	for _, keys := range [][]*schema.Field{f.Link.From, f.Link.To, f.Link.ThroughFrom, f.Link.ThroughTo} {
		for _, key := range keys {
			uses = s.use(uses, Use{Type: key.Owner, Field: key, Verb: query.Read})
		}
	}
	if f.Link.Through != nil {
		uses = s.use(uses, Use{Type: f.Link.Through, Verb: query.Read})
	}
	return uses
}

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
	return filter(a.row(t))
}

func (a *asking) some(w query.Some) query.Where {
	a.mayAsk(w.Link)
	return someThrough(w.Link, a.through(w.Link), and(a.where(w.Where, false), a.row(w.Link.Link.Target)))
}

// one is a Some where unknown is as good as false: that a database can turn into a join.
func (a *asking) one(w query.One, negated bool) query.Where {
	a.mayAsk(w.Link)
	rule := filter(w.If, a.row(w.Link.Link.Target))
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
	a.mayAsk(w.Link)
	w.Through = a.through(w.Link)
	w.Where = filter(a.where(w.Where, false), a.row(w.Link.Link.Target))
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
	if f.IsLink() && f.Link.Through != nil {
		uses = s.use(uses, Use{Type: f.Link.Through, Verb: query.Read})
	}
	return uses
}

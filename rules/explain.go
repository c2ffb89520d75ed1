package rules

import (
	"slices"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Explained is what a rule says to a caller.
type Explained struct {
	Use    Use
	Rule   fault.Rule  // where it is written; Line 0 for no rule
	Clause Clause      // all of it
	Left   query.Where // what a row must meet: true, false, or a condition
	Claims []Bound     // what Left and the clauses compare columns with
}

// Clause is a part of a rule, and what is left of it for the caller, three-valued: unknown is kept.
type Clause struct {
	Text  string // nearly as it was written
	Left  query.Where
	Joint Joint
	Parts []Clause
	Is    query.Truth // of one row, when it was judged
}

// Bound is a value of the caller.
type Bound struct {
	Operand query.Operand // as conditions show it: @0
	Of      string        // auth["id"]
	Value   schema.Value
}

// Explain is what a rule says to a caller. A type without one is closed, a field open.
func (s *Set) Explain(c *auth.Caller, u Use) Explained {
	e := Explained{Use: u, Rule: s.Named(u)[0], Left: s.row(c, u.Type, u.Verb)}
	if u.Field != nil {
		e.Left = s.field(c, u.Field, u.Verb)
	}
	r := s.rules[u]
	if r == nil || c.IsSystem() {
		e.Clause.Left = e.Left
		return e
	}
	e.Clause = r.clause.explain(c)
	query.Walk(&query.Level{Where: e.Clause.whole()}, func(o query.Operand) {
		if o.Kind == query.Claim && !slices.ContainsFunc(e.Claims, func(b Bound) bool { return b.Operand.Index == o.Index }) {
			of := s.operands[o.Index]
			e.Claims = append(e.Claims, Bound{o, of.String(), of.bind(c)})
		}
	})
	return e
}

func (c clause) explain(who *auth.Caller) Clause {
	out := Clause{Text: c.text, Left: c.decide(who), Joint: c.joint}
	for _, part := range c.parts {
		out.Parts = append(out.Parts, part.explain(who))
	}
	return out
}

// whole is all conditions that are left of a clause and its parts.
func (c Clause) whole() query.Where {
	all := query.And{c.Left}
	for _, part := range c.Parts {
		all = append(all, part.whole())
	}
	return all
}

// Leaves are the clauses without parts, in the order of the text.
func (c *Clause) Leaves() []*Clause {
	if c.Joint == Whole {
		return []*Clause{c}
	}
	var out []*Clause
	for i := range c.Parts {
		out = append(out, c.Parts[i].Leaves()...)
	}
	return out
}

// Join makes of what its leaves are of a row what the clause is.
func (c *Clause) Join() query.Truth {
	if c.Joint == Whole {
		return c.Is
	}
	parts := make([]query.Where, len(c.Parts))
	for i := range c.Parts {
		parts[i] = c.Parts[i].Join()
	}
	c.Is = query.Holds(query.Or(parts), nil, query.Binding{})
	if c.Joint == All {
		c.Is = query.Holds(query.And(parts), nil, query.Binding{})
	}
	return c.Is
}

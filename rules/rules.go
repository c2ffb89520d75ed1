package rules

import (
	"slices"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Set is the compiled rules of a schema. It is immutable.
type Set struct {
	rules    map[Use]*rule
	operands []operand
	checks   map[*schema.Type][]Check
	defaults map[*schema.Type][]fallback

	unindexed schema.Problems
}

func newSet() *Set {
	return &Set{
		rules:    map[Use]*rule{},
		checks:   map[*schema.Type][]Check{},
		defaults: map[*schema.Type][]fallback{},
	}
}

// rule is one compiled rule and all that the claims decide in it.
type rule struct {
	node
	parts  []slot
	timely bool         // whether it speaks of now
	named  []fault.Rule // itself, for refusals
	clause clause       // for explanations
}

func newRule(u Use, e schema.Expr, c clause) *rule {
	return &rule{node: c.node, parts: c.slots(nil), named: []fault.Rule{{Of: u.String(), File: e.Pos.File, Line: e.Pos.Line}}, clause: c}
}

// Use is one rule that a query depends on: of a type, or of a field.
type Use struct {
	Type  *schema.Type
	Field *schema.Field // nil for the type's own rule
	Verb  query.Verb
}

// String is read of Post, or read of Post.title.
func (u Use) String() string { return u.Verb.String() + " of " + u.what() }

func (u Use) what() string {
	if u.Field == nil {
		return u.Type.Name
	}
	return u.Type.Name + "." + u.Field.Name
}

// Shape appends what the caller's claims decide about the rules: callers of equal shapes get
// equal answers from Level, Write and After for the same query.
func (s *Set) Shape(dst []byte, c *auth.Caller, uses []Use) []byte {
	dst = append(dst, standing(c))
	if c.IsSystem() {
		return dst
	}
	for _, u := range uses {
		if r := s.rules[u]; r != nil {
			for _, part := range r.parts {
				dst = append(dst, byte(part.truth(c)))
			}
		}
	}
	return dst
}

// Timely is whether what one of the rules says changes with the time alone.
func (s *Set) Timely(uses []Use) bool {
	return slices.ContainsFunc(uses, func(u Use) bool { return s.rules[u] != nil && s.rules[u].timely })
}

// standing tells apart whom a refusal is worded for, and who is refused nothing.
func standing(c *auth.Caller) byte {
	switch {
	case c.IsSystem():
		return 's'
	case c.SignedIn:
		return 'c'
	}
	return 'n'
}

// Claims evaluates the caller's operands: dst[i] is the value of query.ClaimAt(i), for the
// indexes used.
func (s *Set) Claims(c *auth.Caller, used []int, dst []schema.Value) {
	for _, i := range used {
		dst[i] = s.operands[i].bind(c)
	}
}

// Operands is how many claim operands there are: the length of dst in Claims.
func (s *Set) Operands() int { return len(s.operands) }

// row is what is left of a type's rule for the caller: true, false, or what a row must meet.
// No rule is closed.
func (s *Set) row(c *auth.Caller, t *schema.Type, v query.Verb) query.Where {
	return s.left(c, Use{Type: t, Verb: v}, query.False)
}

// field is the same for a field's rule. No rule is open.
func (s *Set) field(c *auth.Caller, f *schema.Field, v query.Verb) query.Where {
	return s.left(c, Use{Type: f.Owner, Field: f, Verb: v}, query.True)
}

func (s *Set) left(c *auth.Caller, u Use, none query.Truth) query.Where {
	if c.IsSystem() {
		return query.True
	}
	if r := s.rules[u]; r != nil {
		return admitting(r.decide(c))
	}
	return none
}

// use appends a rule that exists, once.
func (s *Set) use(uses []Use, u Use) []Use {
	if s.rules[u] == nil || slices.Contains(uses, u) {
		return uses
	}
	return append(uses, u)
}

package rules

import (
	"errors"
	"slices"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// deny is a flat no: to somebody who may not, or to nobody.
func (s *Set) deny(c *auth.Caller, u Use) error {
	f := fault.New(fault.Denied, "%s is not allowed", u)
	if !c.SignedIn {
		f = fault.New(fault.Unauthenticated, "%s needs a token", u)
	}
	f.Rules = s.Named(u)
	return f
}

// Named is a rule for refusals.
func (s *Set) Named(u Use) []fault.Rule {
	if r := s.rules[u]; r != nil {
		return r.named
	}
	return []fault.Rule{{Of: u.String()}}
}

// Refusal is the fault of a row for which the rule of a type, or that of a written field, is
// not true.
func (s *Set) Refusal(c *auth.Caller, t *schema.Type, v query.Verb, written ...*schema.Field) *fault.Error {
	f := fault.New(fault.Denied, "%s of this %s is not allowed", v, t.Name)
	f.Rules = s.Named(Use{Type: t, Verb: v})
	for _, field := range written {
		if s.field(c, field, v) != query.True {
			f.Rules = slices.Concat(f.Rules, s.Named(Use{Type: t, Field: field, Verb: v}))
		}
	}
	return f
}

// misasked is a question about a field that the caller may not read.
type misasked struct{ no error }

func (e misasked) Error() string { return e.no.Error() }
func (e misasked) Unwrap() error { return e.no }

// Misasked is whether a refusal is of a question that was asked of rows, and not of the rows. Rows that a
// caller may not read are just not there, below others; a question about a field is an error wherever it
// is asked.
func Misasked(err error) bool {
	_, is := errors.AsType[misasked](err)
	return is
}

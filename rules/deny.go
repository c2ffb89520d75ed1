package rules

import (
	"errors"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
)

// deny is a flat no: to somebody who may not, or to nobody.
func deny(c *auth.Caller, v query.Verb, what string) error {
	if !c.SignedIn {
		return fault.New(fault.Unauthenticated, "%s of %s needs a token", v, what)
	}
	return fault.New(fault.Denied, "%s of %s is not allowed", v, what)
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

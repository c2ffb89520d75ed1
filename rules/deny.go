package rules

import (
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

// Package auth says who is asking. What they may do is for package rules.
package auth

import (
	"context"
	"net/http"
	"time"
)

// Caller is who is asking, and from where. It is made once per request and not changed.
type Caller struct {
	// Claims are the verified claims after mapping (claims["id"] is "sub" unless mapped);
	// empty for a request without a token. Values are as encoding/json decodes them:
	// string, float64, bool, nil, []any, map[string]any.
	Claims map[string]any
	// Expires is when the token does; zero without one.
	Expires time.Time
	// SignedIn is whether a valid token came.
	SignedIn bool
	// Request is the request as rules see it.
	Request Request
	// Now is when the request began, for "now" in rules.
	Now time.Time

	system bool
}

// Request is what rules may ask about a request.
type Request struct {
	IP     string
	Method string
	Header http.Header
}

type callerKey struct{}

// With is ctx with the caller.
func With(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// From is the caller of ctx; nobody where there is none.
func From(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// System is the server itself, for its seed and its own bookkeeping: rules narrow nothing for
// it. No token and no request can make one.
func System(now time.Time) *Caller { return &Caller{Now: now, system: true} }

// IsSystem is whether the caller is the server itself.
func (c *Caller) IsSystem() bool { return c.system }

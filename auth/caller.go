// Package auth says who is asking. What they may do is for package rules.
package auth

import (
	"context"
	"net/http"
	"strconv"
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

// Until is when the token is believed no longer, for what outlives a request; zero without an end.
func (c *Caller) Until() time.Time {
	if c.Expires.IsZero() {
		return time.Time{}
	}
	return c.Expires.Add(skew)
}

// Identity is who a caller is over many requests: issuer and subject. There is none without a token that
// has a subject.
func (c *Caller) Identity() (identity string, known bool) {
	subject, _ := c.Claims["sub"].(string)
	if !c.SignedIn || subject == "" {
		return "", false
	}
	issuer, _ := c.Claims["iss"].(string)
	return strconv.Itoa(len(issuer)) + ":" + issuer + subject, true
}

// IsSystem is whether the caller is the server itself.
func (c *Caller) IsSystem() bool { return c.system }

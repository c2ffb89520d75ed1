package rules

import (
	"strconv"
	"strings"

	"spacecloud/auth"
)

// value is an expression that no row takes part in. Its String tells equal ones.
type value interface {
	// of is the value for a caller: as encoding/json decodes it, a time.Time or a CEL
	// value. It is nil for null, for what is absent and for what cannot be computed.
	of(c *auth.Caller) any
	String() string
}

// constant is a literal or what was computed when the rule was compiled.
type constant struct{ native any }

func (v constant) of(*auth.Caller) any { return v.native }
func (v constant) String() string      { return literalText(v.native) }

// claim is a path into the claims: auth.org.id.
type claim []string

func (v claim) of(c *auth.Caller) any {
	found, ok := c.Claims[v[0]]
	for _, key := range v[1:] {
		if !ok {
			return nil
		}
		object, isObject := found.(map[string]any)
		if !isObject {
			return nil
		}
		found, ok = object[key]
	}
	return found
}

func (v claim) String() string {
	var b strings.Builder
	b.WriteString("auth")
	for _, key := range v {
		b.WriteString("[" + strconv.Quote(key) + "]")
	}
	return b.String()
}

// now is when the request began.
type now struct{}

func (now) of(c *auth.Caller) any { return c.Now }
func (now) String() string        { return "now" }

// requestText is request.ip or request.method.
type requestText string

func (v requestText) of(c *auth.Caller) any {
	text := c.Request.IP
	if v == "method" {
		text = c.Request.Method
	}
	if text == "" {
		return nil
	}
	return text
}

func (v requestText) String() string { return "request." + string(v) }

// header is a header of the request, its name in any case.
type header string

func (v header) of(c *auth.Caller) any {
	if text := c.Request.Header.Get(string(v)); text != "" {
		return text
	}
	return nil
}

func (v header) String() string { return "request.headers." + strings.ToLower(string(v)) }

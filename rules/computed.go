package rules

import (
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"spacecloud/auth"
)

// costLimit is how much one expression over the claims may cost, in CEL's units: some
// thousand comparisons.
const costLimit = 100_000

// computed is an expression that only CEL can evaluate.
type computed struct {
	program cel.Program
	text    string
}

func (v computed) of(c *auth.Caller) any {
	out, _, err := v.program.Eval(activation{c})
	if err != nil {
		return nil
	}
	return native(out)
}

func (v computed) String() string { return v.text }

// activation gives CEL the variables of a caller.
type activation struct{ caller *auth.Caller }

func (a activation) ResolveName(name string) (any, bool) {
	switch name {
	case "auth":
		if a.caller.Claims == nil {
			return map[string]any{}, true
		}
		return a.caller.Claims, true
	case "now":
		return a.caller.Now, true
	case "request":
		return map[string]any{
			"ip":      a.caller.Request.IP,
			"method":  a.caller.Request.Method,
			"headers": headers(a.caller),
		}, true
	}
	return nil, false
}

func (activation) Parent() cel.Activation { return nil }

// headerMap finds headers in any case.
type headerMap struct{ traits.Mapper }

func headers(c *auth.Caller) headerMap {
	lower := make(map[string]string, len(c.Request.Header))
	for name, values := range c.Request.Header {
		if len(values) > 0 {
			lower[strings.ToLower(name)] = values[0]
		}
	}
	return headerMap{types.NewStringStringMap(types.DefaultTypeAdapter, lower)}
}

func (m headerMap) Find(key ref.Val) (ref.Val, bool) {
	if name, ok := key.(types.String); ok {
		key = types.String(strings.ToLower(string(name)))
	}
	return m.Mapper.Find(key)
}

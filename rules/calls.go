package rules

import (
	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
)

// callFunction is call("service", "function", {…}), which asks a function.
func callFunction() cel.EnvOption {
	return cel.Function("call", cel.Overload("call_function",
		[]*cel.Type{cel.StringType, cel.StringType, cel.MapType(cel.StringType, cel.DynType)}, cel.DynType))
}

// refuseCalls refuses what no call may say, and every other one because functions are not served
// yet. It is whether there was any.
func (t *translator) refuseCalls(e celast.Expr) (found bool) {
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() == celast.CallKind && e.AsCall().FunctionName() == "call" {
			found = true
			t.refuseCall(e, e.AsCall().Args())
		}
	}))
	return found
}

func (t *translator) refuseCall(e celast.Expr, args []celast.Expr) {
	before := len(t.problems)
	for _, name := range args[:2] {
		if name.Kind() != celast.LiteralKind {
			t.refuse(name, "the service and the function of call are literals, so that they can be looked up when the schema is loaded")
		}
	}
	known := map[string]bool{"auth": true, "now": true, "request": true}
	celast.PreOrderVisit(args[2], celast.NewExprVisitor(func(e celast.Expr) {
		switch {
		case e.Kind() == celast.ComprehensionKind:
			known[e.AsComprehension().IterVar()] = true
		case e.Kind() == celast.IdentKind && !known[e.AsIdent()] && !bound(e.AsIdent()):
			t.refuse(e, "a call is asked once a request, before any row is known, so that its arguments are made of auth, now and request; %s is none of them", e.AsIdent())
		}
	}))
	if len(t.problems) == before {
		t.refuse(e, "%s asks a function, and functions are not served yet; remove it to serve this schema", t.text(e))
	}
}

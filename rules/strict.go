package rules

import (
	"cel.dev/cel-go/cel"
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"spacecloud/query"
)

// CEL's own ==, != and in take null for a value like any other; in our rules it makes them
// unknown. Inside of an expression that CEL evaluates, unknown is an error, which CEL's && and
// || absorb as Kleene's do.
var strict = map[string]struct {
	name string
	op   query.Op
}{
	operators.Equals:    {"@strict_eq", query.Eq},
	operators.NotEquals: {"@strict_ne", query.Ne},
	operators.In:        {"@strict_in", query.In},
}

func strictFunctions() cel.EnvOption {
	var options []cel.EnvOption
	for _, f := range strict {
		options = append(options, cel.Function(f.name,
			cel.Overload(f.name, []*cel.Type{cel.DynType, cel.DynType}, cel.BoolType,
				cel.BinaryBinding(func(l, r ref.Val) ref.Val {
					switch compare(native(l), f.op, native(r)) {
					case query.True:
						return types.True
					case query.False:
						return types.False
					}
					return types.NewErr("unknown")
				}))))
	}
	return func(e *cel.Env) (*cel.Env, error) {
		for _, o := range options {
			var err error
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// makeStrict replaces the operators below e, except where null is asked for.
func makeStrict(a *celast.AST, e celast.Expr) {
	celast.PostOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.CallKind {
			return
		}
		call := e.AsCall()
		f, ok := strict[call.FunctionName()]
		if !ok || isNull(call.Args()[0]) || isNull(call.Args()[1]) {
			return
		}
		e.SetKindCase(celast.NewExprFactory().NewCall(e.ID(), f.name, call.Args()...))
		a.SetReference(e.ID(), celast.NewFunctionReference(f.name))
	}))
}

func isNull(e celast.Expr) bool {
	return e.Kind() == celast.LiteralKind && e.AsLiteral() == types.NullValue
}

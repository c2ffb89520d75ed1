package rules

import (
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/parser"

	"spacecloud/query"
)

// claimsCondition is the node of a boolean that no row takes part in.
func (t *translator) claimsCondition(e celast.Expr) node {
	if e.Kind() == celast.SelectKind && e.AsSelect().IsTestOnly() {
		return opposite(decided{absent{t.value(asked(e))}})
	}
	if e.Kind() == celast.CallKind {
		if n := t.claimsComparison(e, e.AsCall()); n != nil {
			return n
		}
	}
	return decided{flag{t.value(e)}}
}

// claimsComparison is a comparison whose sides are taken apart, because null makes it
// unknown; nil for other calls.
func (t *translator) claimsComparison(e celast.Expr, call celast.CallExpr) node {
	args := call.Args()
	if op, ok := textOps[call.FunctionName()]; ok && call.IsMemberFunction() && op != query.Regex {
		return decided{comparison{t.value(call.Target()), op, t.value(args[0])}}
	}
	if call.FunctionName() == operators.In {
		if args[1].Kind() == celast.ListKind && !t.closed(args[1]) {
			return t.anyElement(e, args[0], args[1].AsList().Elements())
		}
		return decided{comparison{t.value(args[0]), query.In, t.value(args[1])}}
	}
	op, ok := comparisons[call.FunctionName()]
	if !ok {
		return nil
	}
	left, right := args[0], args[1]
	if isNull(left) {
		left, right = right, left
	}
	switch {
	case isNull(right) && op == query.Eq:
		return decided{absent{t.value(left)}}
	case isNull(right) && op == query.Ne:
		return opposite(decided{absent{t.value(left)}})
	}
	return decided{comparison{t.value(left), op, t.value(right)}}
}

// value is an expression that no row takes part in.
func (t *translator) value(e celast.Expr) value {
	if t.closed(e) {
		return t.evaluated(e)
	}
	if e.Kind() == celast.IdentKind && e.AsIdent() == "now" {
		return now{}
	}
	if root, keys := keyPath(e); len(keys) > 0 {
		switch {
		case root == "auth":
			return claim(keys)
		case root == "request" && len(keys) == 2:
			return header(keys[1])
		case root == "request" && keys[0] != "headers":
			return requestText(keys[0])
		}
	}
	return t.compute(e)
}

// keyPath takes auth.a["b"].c apart; no keys for any other expression.
func keyPath(e celast.Expr) (root string, keys []string) {
	switch e.Kind() {
	case celast.IdentKind:
		return e.AsIdent(), nil
	case celast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return "", nil
		}
		root, keys = keyPath(e.AsSelect().Operand())
		return root, append(keys, e.AsSelect().FieldName())
	case celast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[1].Kind() != celast.LiteralKind {
			return "", nil
		}
		key, ok := call.Args()[1].AsLiteral().(types.String)
		if !ok {
			return "", nil
		}
		root, keys = keyPath(call.Args()[0])
		return root, append(keys, string(key))
	}
	return "", nil
}

// closed is whether e depends on nothing at all.
func (t *translator) closed(e celast.Expr) bool {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() == celast.IdentKind && !bound(e.AsIdent()) {
			found = true
		}
	}))
	return !found
}

// bound is whether a name is the accumulator of a macro, which closes over itself.
func bound(name string) bool {
	return name == parser.HiddenAccumulatorName || name == parser.AccumulatorName
}

// evaluated is a closed expression, computed now.
func (t *translator) evaluated(e celast.Expr) value {
	if e.Kind() == celast.LiteralKind {
		return constant{native(e.AsLiteral())}
	}
	v, ok := t.compute(e).(computed)
	if !ok {
		return constant{}
	}
	out, _, err := v.program.Eval(map[string]any{})
	if err != nil {
		t.refuse(e, "%s: %s", t.text(e), err)
		return constant{}
	}
	return constant{listed(out)}
}

// listed is native, with lists taken apart.
func listed(v ref.Val) any {
	if v.Type() == types.ListType {
		elements, _ := nativeList(v)
		return elements
	}
	return native(v)
}

// compute plans an expression for CEL's interpreter.
func (t *translator) compute(e celast.Expr) value {
	text := t.text(e)
	makeStrict(t.ast, e)
	program, err := t.plan(t.ast, e)
	if err != nil {
		t.refuse(e, "%s: %s", text, err)
		return constant{}
	}
	return computed{program, text}
}

// text is the expression as it was written, or nearly.
func (t *translator) text(e celast.Expr) string {
	text, err := parser.Unparse(e, t.ast.SourceInfo())
	if err != nil {
		return "this"
	}
	return text
}

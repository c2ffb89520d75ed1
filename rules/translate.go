package rules

import (
	"fmt"

	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"spacecloud/query"
	"spacecloud/schema"
)

// translator makes a node of one checked expression. It goes on after a problem, to find all
// of them; the node is worth nothing then.
type translator struct {
	*compiler
	ast      *celast.AST
	rows     map[string]scope // the row variables that are in scope
	depth    int              // scopes between the row of the rule and where we are
	problems []refusal
}

// scope is a row variable: the row of its type, at its depth.
type scope struct {
	of    *schema.Type
	depth int
}

// refusal is what is wrong with the expression of an id.
type refusal struct {
	id   int64
	text string
}

func (t *translator) refuse(e celast.Expr, format string, args ...any) node {
	t.problems = append(t.problems, refusal{e.ID(), fmt.Sprintf(format, args...)})
	return fixed(query.Unknown)
}

// rule is the node of a whole rule.
func (t *translator) rule(e celast.Expr) node { return t.bounded(e, t.condition(e)) }

// condition is the node of an expression that is a boolean.
func (t *translator) condition(e celast.Expr) node {
	if n := t.logical(e); n != nil {
		return n
	}
	if !t.touchesRow(e) {
		return t.claimsCondition(e)
	}
	n := t.rowCondition(e)
	if t.depth == 0 {
		return t.answerable(e, n)
	}
	return n
}

// rowCondition is the node of a condition that a row takes part in.
func (t *translator) rowCondition(e celast.Expr) node {
	switch e.Kind() {
	case celast.CallKind:
		return t.call(e, e.AsCall())
	case celast.ComprehensionKind:
		return t.quantifier(e, e.AsComprehension())
	case celast.SelectKind:
		if e.AsSelect().IsTestOnly() {
			return opposite(t.isNull(e))
		}
	}
	return t.booleanColumn(e)
}

// logical is the node of &&, ||, !, ?: and constants, or nil. Both sides are translated by
// themselves, so that claims decide as much as they can.
func (t *translator) logical(e celast.Expr) node {
	if e.Kind() == celast.LiteralKind {
		if b, ok := e.AsLiteral().(types.Bool); ok {
			return fixed(truth(bool(b)))
		}
	}
	if e.Kind() != celast.CallKind {
		return nil
	}
	args := e.AsCall().Args()
	switch e.AsCall().FunctionName() {
	case operators.LogicalAnd:
		return conjunction(t.condition(args[0]), t.condition(args[1]))
	case operators.LogicalOr:
		return disjunction(t.condition(args[0]), t.condition(args[1]))
	case operators.LogicalNot:
		return opposite(t.condition(args[0]))
	case operators.Conditional:
		return t.bounded(e, t.choice(args))
	}
	return nil
}

// choice is c ? a : b.
func (t *translator) choice(args []celast.Expr) node {
	c := t.condition(args[0])
	return disjunction(
		conjunction(c, t.condition(args[1])),
		conjunction(opposite(c), t.condition(args[2])))
}

var comparisons = map[string]query.Op{
	operators.Equals:        query.Eq,
	operators.NotEquals:     query.Ne,
	operators.Greater:       query.Gt,
	operators.GreaterEquals: query.Gte,
	operators.Less:          query.Lt,
	operators.LessEquals:    query.Lte,
}

var textOps = map[string]query.Op{
	"startsWith": query.StartsWith,
	"endsWith":   query.EndsWith,
	"contains":   query.Contains,
	"matches":    query.Regex,
}

// call is the node of a call that a row takes part in.
func (t *translator) call(e celast.Expr, call celast.CallExpr) node {
	name, args := call.FunctionName(), call.Args()
	if call.IsMemberFunction() {
		args = append([]celast.Expr{call.Target()}, args...)
	}
	if op, ok := comparisons[name]; ok {
		return t.comparison(e, args[0], op, args[1])
	}
	if op, ok := textOps[name]; ok && len(args) == 2 {
		return t.textComparison(e, args[0], op, args[1])
	}
	if name == operators.In {
		return t.membership(e, args[0], args[1])
	}
	return t.notFilterable(e)
}

func (t *translator) notFilterable(e celast.Expr) node {
	return t.refuse(e, "not every database can filter by %s: a column may only be compared (== != < <= > >= in startsWith endsWith contains matches) with a value, a claim or another column; compute on the side without the column", t.text(e))
}

func (t *translator) booleanColumn(e celast.Expr) node {
	p, ok := t.path(e)
	if !ok {
		return t.notFilterable(e)
	}
	if !p.isColumn() || p.last.Scalar != schema.Boolean || p.last.List {
		return t.refuse(e, "%s is not a condition; compare it with something", t.text(e))
	}
	return row{where: query.Compare{Left: p.operand(), Op: query.Eq, Right: query.Const(schema.Bool(true))}}
}

// touchesRow is whether a row takes part in e.
func (t *translator) touchesRow(e celast.Expr) bool {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() != celast.IdentKind {
			return
		}
		_, isRow := t.rows[e.AsIdent()]
		found = found || isRow || rowsType(e.AsIdent()) != ""
	}))
	return found
}

package rules

import (
	"slices"

	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"spacecloud/query"
	"spacecloud/schema"
)

// quantifier is the node of exists and all over rows.
func (t *translator) quantifier(e celast.Expr, c celast.ComprehensionExpr) node {
	body, all := quantified(c)
	if body == nil {
		return t.refuse(e, "of lists of rows a rule can ask exists and all")
	}
	inner := func(of *schema.Type) node {
		n := t.within(c.IterVar(), of, body)
		if all {
			return failing{n}
		}
		return n
	}
	n := t.over(e, c.IterRange(), inner)
	if all {
		return opposite(n)
	}
	return n
}

// quantified is the body of an expanded exists or all macro, and whether it is all.
func quantified(c celast.ComprehensionExpr) (body celast.Expr, all bool) {
	step := c.LoopStep()
	if step.Kind() != celast.CallKind || c.HasIterVar2() || c.AccuInit().Kind() != celast.LiteralKind {
		return nil, false
	}
	switch step.AsCall().FunctionName() {
	case operators.LogicalOr:
		return step.AsCall().Args()[1], false
	case operators.LogicalAnd:
		return step.AsCall().Args()[1], c.AccuInit().AsLiteral() == types.True
	}
	return nil, false
}

// over is whether a row of the range meets what inner says of it.
func (t *translator) over(e, rows celast.Expr, inner func(*schema.Type) node) node {
	if rows.Kind() == celast.IdentKind && rowsType(rows.AsIdent()) != "" {
		of := t.schema.Type(rowsType(rows.AsIdent()))
		return t.deeper(1, func() node { return exists{of: of, node: inner(of)} })
	}
	p, ok := t.path(rows)
	switch {
	case !ok && !t.touchesRow(rows):
		return t.refuse(e, "a list of claims cannot be searched by a column like that; write doc.column in %s", t.text(rows))
	case !ok:
		return t.notFilterable(rows)
	case !p.isMany():
		return t.refuse(rows, "%s is no list of rows", t.text(rows))
	}
	return t.reach(p, inner)
}

// within is the body with its row variable.
func (t *translator) within(name string, of *schema.Type, body celast.Expr) node {
	if _, taken := t.rows[name]; taken || name == "auth" || name == "now" || name == "request" {
		return t.refuse(body, "%s already means something else here; take another name", name)
	}
	t.rows[name] = scope{of, t.depth}
	defer delete(t.rows, name)
	return t.condition(body)
}

func (t *translator) deeper(scopes int, do func() node) node {
	t.depth += scopes
	defer func() { t.depth -= scopes }()
	return do()
}

// reach is whether a row at the end of a path of links meets what inner says of it.
func (t *translator) reach(p path, inner func(*schema.Type) node) node {
	hops := p.hops()
	target := p.last.Link.Target
	if p.up == 0 {
		return t.deeper(len(hops), func() node { return throughLinks(hops, inner(target)) })
	}
	first := hops[0].Link
	scopes := len(hops)
	if first.Through != nil {
		scopes++
	}
	return t.deeper(scopes, func() node {
		return fromOuter(first, p.up, throughLinks(hops[1:], inner(target)))
	})
}

func throughLinks(hops []*schema.Field, n node) node {
	for _, link := range slices.Backward(hops) {
		n = some{link, n}
	}
	return n
}

// fromOuter is a link that begins not at this row but at one further out, which query.Some
// cannot say: its join is written out.
func fromOuter(l *schema.Link, up int, n node) node {
	if l.Through == nil {
		return exists{l.Target, equal(l.To, l.From, up+1), n}
	}
	target := exists{l.Target, equal(l.To, l.ThroughTo, 1), n}
	return exists{l.Through, equal(l.ThroughFrom, l.From, up+1), target}
}

func equal(here, there []*schema.Field, up int) query.And {
	out := make(query.And, len(here))
	for i := range here {
		out[i] = query.Compare{
			Left:  query.Col(here[i]),
			Op:    query.Eq,
			Right: query.Operand{Kind: query.Column, Field: there[i], Up: up},
		}
	}
	return out
}

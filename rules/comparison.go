package rules

import (
	"regexp"

	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"spacecloud/query"
	"spacecloud/schema"
)

// comparison is the node of a comparison that a row takes part in.
func (t *translator) comparison(e, left celast.Expr, op query.Op, right celast.Expr) node {
	if isNull(left) {
		left, right = right, left
	}
	if isNull(right) {
		return t.nullComparison(e, left, op)
	}
	if n := t.sizeComparison(left, op, right); n != nil {
		return n
	}
	if !t.touchesRow(left) {
		left, op, right = right, mirrored(op), left
	}
	column, ok := t.column(left)
	if !ok {
		return fixed(query.Unknown)
	}
	if refusal := cannotCompare(column.Field, op); refusal != "" {
		return t.refuse(left, "%s %s", t.text(left), refusal)
	}
	if t.touchesRow(right) {
		return t.twoColumns(e, column, op, right)
	}
	return t.compareWith(column, op, right)
}

func (t *translator) twoColumns(e celast.Expr, left query.Operand, op query.Op, right celast.Expr) node {
	other, ok := t.column(right)
	if !ok {
		return fixed(query.Unknown)
	}
	if !alike(left.Field, other.Field) {
		return t.refuse(e, "%s compares %s with %s, which not every database can; both have to be of one type",
			t.text(e), typeName(left.Field), typeName(other.Field))
	}
	return row{where: query.Compare{Left: left, Op: op, Right: other}}
}

// compareWith compares a column with what no row takes part in.
func (t *translator) compareWith(column query.Operand, op query.Op, e celast.Expr) node {
	v := t.value(e)
	if c, ok := v.(constant); ok {
		return t.compareConstant(column, op, e, c.native)
	}
	o := t.claimOperand(v, column.Field, false)
	return row{where: query.Compare{Left: column, Op: op, Right: o}, needs: cheap(v)}
}

func (t *translator) compareConstant(column query.Operand, op query.Op, e celast.Expr, native any) node {
	v, err := coerce(column.Field, native)
	if err != nil || v.IsNull() {
		return t.refuse(e, "%s is %s, and %s is none", column.Field.Name, typeName(column.Field), literalText(native))
	}
	return row{where: query.Compare{Left: column, Op: op, Right: query.Const(v)}}
}

// nullComparison is == null or != null.
func (t *translator) nullComparison(e, of celast.Expr, op query.Op) node {
	switch op {
	case query.Eq:
		return t.isNull(of)
	case query.Ne:
		return opposite(t.isNull(of))
	}
	return t.refuse(e, "null can only be asked for with == and !=")
}

// isNull is whether there is nothing at the end of a path: no value in a column, no row
// behind a link.
func (t *translator) isNull(e celast.Expr) node {
	e = asked(e)
	p, ok := t.path(e)
	switch {
	case !ok:
		return t.notFilterable(e)
	case p.last == nil:
		return fixed(query.False)
	case p.isMany():
		list := t.text(e.AsSelect().Operand()) + "." + p.last.Name
		return t.refuse(e, "%s is a list of rows and never null; ask %s.exists(x, true)", list, list)
	case p.isColumn():
		return row{where: query.IsNull{Operand: p.operand()}}
	}
	return opposite(t.reach(p, func(*schema.Type) node { return fixed(query.True) }))
}

// asked is the selection that has(…) asks about, or e itself.
func asked(e celast.Expr) celast.Expr {
	if e.Kind() != celast.SelectKind || !e.AsSelect().IsTestOnly() {
		return e
	}
	return celast.NewExprFactory().NewSelect(e.ID(), e.AsSelect().Operand(), e.AsSelect().FieldName())
}

// textComparison is startsWith, endsWith, contains and matches.
func (t *translator) textComparison(e, left celast.Expr, op query.Op, right celast.Expr) node {
	if !t.touchesRow(left) || t.touchesRow(right) {
		return t.refuse(e, "not every database can filter by %s: it has to be asked of a column, with a value or a claim", t.text(e))
	}
	column, ok := t.column(left)
	if !ok {
		return fixed(query.Unknown)
	}
	if f := column.Field; f.List || family(held(f)) != schema.String {
		return t.refuse(left, "%s is %s; %s is for String and ID", t.text(left), typeName(f), op)
	}
	if op == query.Regex {
		return t.pattern(column, right)
	}
	return t.compareWith(column, op, right)
}

// pattern is matches. A claim is no pattern: what a regular expression costs should not be
// for a caller to say.
func (t *translator) pattern(column query.Operand, e celast.Expr) node {
	c, ok := t.value(e).(constant)
	text, isText := c.native.(string)
	if !ok || !isText {
		return t.refuse(e, "the pattern of matches on a column has to be a literal")
	}
	if _, err := regexp.Compile(text); err != nil {
		return t.refuse(e, "%s", err)
	}
	return row{where: query.Compare{Left: column, Op: query.Regex, Right: query.Const(schema.Text(text))}}
}

// column is the column that a path leads to; false after a refusal.
func (t *translator) column(e celast.Expr) (query.Operand, bool) {
	p, ok := t.path(e)
	switch {
	case !ok:
		if below := t.belowColumn(e); below != nil {
			t.refuse(e, "%s looks into the column %s, which a rule cannot; give it a column of its own", t.text(e), below.Name)
		} else {
			t.notFilterable(e)
		}
		return query.Operand{}, false
	case p.last == nil:
		t.refuse(e, "%s is a row; compare its key: %s.id", t.text(e), t.text(e))
		return query.Operand{}, false
	case p.last.IsLink():
		t.refuse(e, "%s is a link; compare a column of the row it leads to, or its key", t.text(e))
		return query.Operand{}, false
	}
	return p.operand(), true
}

// belowColumn is the column that e looks into, as doc.address.city does, or nil.
func (t *translator) belowColumn(e celast.Expr) *schema.Field {
	for {
		switch {
		case e.Kind() == celast.SelectKind:
			e = e.AsSelect().Operand()
		case e.Kind() == celast.CallKind && e.AsCall().FunctionName() == "_[_]":
			e = e.AsCall().Args()[0]
		default:
			return nil
		}
		if p, ok := t.path(e); ok && p.isColumn() {
			return p.last
		}
	}
}

// mirrored is the operator with its sides changed.
func mirrored(op query.Op) query.Op {
	switch op {
	case query.Gt:
		return query.Lt
	case query.Gte:
		return query.Lte
	case query.Lt:
		return query.Gt
	case query.Lte:
		return query.Gte
	}
	return op
}

// sizeComparison is size(doc.members) > 0 and the like: whether there are any. It is nil for
// other comparisons.
func (t *translator) sizeComparison(left celast.Expr, op query.Op, right celast.Expr) node {
	if left.Kind() == celast.LiteralKind {
		left, op, right = right, mirrored(op), left
	}
	list := sized(left)
	if list == nil || right.Kind() != celast.LiteralKind {
		return nil
	}
	p, ok := t.path(list)
	n, isInt := right.AsLiteral().(types.Int)
	if !ok || !isInt || !p.isMany() {
		return nil
	}
	there := t.reach(p, func(*schema.Type) node { return fixed(query.True) })
	switch {
	case n == 0 && (op == query.Gt || op == query.Ne), n == 1 && op == query.Gte:
		return there
	case n == 0 && (op == query.Eq || op == query.Lte), n == 1 && op == query.Lt:
		return opposite(there)
	}
	return t.refuse(left, "a rule can only ask whether there are any (size > 0) or none (size == 0)")
}

// sized is the argument of size(…) or ….size(), or nil.
func sized(e celast.Expr) celast.Expr {
	if e.Kind() != celast.CallKind || e.AsCall().FunctionName() != "size" {
		return nil
	}
	if e.AsCall().IsMemberFunction() {
		return e.AsCall().Target()
	}
	return e.AsCall().Args()[0]
}

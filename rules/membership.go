package rules

import (
	celast "cel.dev/cel-go/common/ast"

	"spacecloud/query"
	"spacecloud/schema"
)

// membership is the node of "in" that a row takes part in.
func (t *translator) membership(e, element, list celast.Expr) node {
	if list.Kind() == celast.ListKind && !t.closed(list) {
		return t.anyElement(e, element, list.AsList().Elements())
	}
	if t.touchesRow(list) {
		return t.rowList(list)
	}
	column, ok := t.column(element)
	if !ok {
		return fixed(query.Unknown)
	}
	if refusal := cannotCompare(column.Field, query.Eq); refusal != "" {
		return t.refuse(element, "%s %s", t.text(element), refusal)
	}
	if list.Kind() == celast.ListKind {
		return t.inConstants(column, list.AsList().Elements())
	}
	v := t.value(list)
	o := t.claimOperand(v, column.Field, true)
	return row{where: query.Compare{Left: column, Op: query.In, Right: o}, needs: cheap(v)}
}

// anyElement is x in [a, b], where a or b is not known before a request: x == a || x == b.
func (t *translator) anyElement(e, element celast.Expr, list []celast.Expr) node {
	parts := make([]node, len(list))
	for i, each := range list {
		parts[i] = t.elementIs(e, element, each)
	}
	return disjunction(parts...)
}

func (t *translator) elementIs(e, element, each celast.Expr) node {
	switch {
	case isNull(each):
		return t.refuse(each, "nothing equals null; ask with == null beside it")
	case !t.touchesRow(element) && !t.touchesRow(each):
		return decided{comparison{t.value(element), query.Eq, t.value(each)}}
	}
	return t.comparison(e, element, query.Eq, each)
}

func (t *translator) inConstants(column query.Operand, elements []celast.Expr) node {
	values := make([]schema.Value, len(elements))
	for i, e := range elements {
		c, _ := t.value(e).(constant) // a list of constants holds nothing else
		v, err := coerce(column.Field, c.native)
		if err != nil || v.IsNull() {
			return t.refuse(e, "%s is %s, and %s is none", column.Field.Name, typeName(column.Field), literalText(c.native))
		}
		values[i] = v
	}
	return row{where: query.Compare{Left: column, Op: query.In, Right: query.Const(schema.List(values))}}
}

// rowList refuses "in" over what a row holds.
func (t *translator) rowList(list celast.Expr) node {
	p, ok := t.path(list)
	if ok && p.isMany() {
		return t.refuse(list, "%s is a list of rows; ask %s.exists(x, x.id == …)", t.text(list), t.text(list))
	}
	if ok && p.isColumn() {
		return t.refuse(list, "%s is %s in a column, which a rule cannot search; make it a link", t.text(list), typeName(p.last))
	}
	return t.notFilterable(list)
}

package sqlite

import (
	"strconv"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// dialect is SQL as SQLite says it.
type dialect struct{}

var _ sqlgen.Dialect = dialect{}

func (dialect) Quote(dst []byte, name string) []byte {
	dst = append(dst, '"')
	for i := range len(name) {
		if name[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, name[i])
	}
	return append(dst, '"')
}

func (dialect) Placeholder(dst []byte, n int) []byte {
	return strconv.AppendInt(append(dst, '?'), int64(n), 10)
}

// Side says the collation of decimals where SQLite does not know it from a column.
func (dialect) Side(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	b.Operand(o, s)
	if s == schema.Decimal && (o.Kind != query.Column || len(o.Via) > 0 || len(o.Inside) > 0) {
		b.Text(" COLLATE " + decimalCollation)
	}
}

func (dialect) Elements(b *sqlgen.Builder, s schema.Scalar, list func()) {
	value := "value"
	if s == schema.Bytes {
		value = "sc_base64(value)"
	}
	b.Text("SELECT " + value + " FROM json_each(")
	list()
	b.Text(")")
}

// functions are the text operators as functions of the text and the pattern.
var functions = map[query.Op]string{
	query.Like: "sc_like", query.ILike: "sc_ilike", query.StartsWith: "sc_starts", query.EndsWith: "sc_ends",
	query.IContains: "sc_icontains", query.Regex: "sc_regexp",
}

func (d dialect) Match(b *sqlgen.Builder, c query.Compare) {
	known := c.Right.Kind != query.Column
	switch {
	case c.Op == query.Contains:
		b.Text("(")
		d.call(b, "instr", c)
		b.Text(" > 0)")
	case c.Op == query.StartsWith && known:
		b.Text("(")
		d.between(b, c, sqlgen.Value, sqlgen.TextEnd)
		b.Text(")")
	case c.Op == query.Like && known:
		// The range lets an index of the column serve the pattern's beginning.
		b.Text("(")
		d.between(b, c, sqlgen.Prefix, sqlgen.PrefixEnd)
		b.Text(" AND ")
		d.call(b, "sc_like", c)
		b.Text(")")
	default:
		d.call(b, functions[c.Op], c)
	}
}

func (dialect) between(b *sqlgen.Builder, c query.Compare, least, end sqlgen.Bind) {
	b.Operand(c.Left, schema.String)
	b.Text(" >= ")
	b.Bind(sqlgen.Param{Bind: least, From: c.Right, Scalar: schema.String})
	b.Text(" AND ")
	b.Operand(c.Left, schema.String)
	b.Text(" < ")
	b.Bind(sqlgen.Param{Bind: end, From: c.Right, Scalar: schema.String})
}

func (dialect) call(b *sqlgen.Builder, function string, c query.Compare) {
	b.Text(function + "(")
	b.Operand(c.Left, schema.String)
	b.Text(", ")
	b.Operand(c.Right, schema.String)
	b.Text(")")
}

// SortKey says nothing of nulls for what cannot be null, so that an index gives the order. By itself
// SQLite has nulls first in ascending order.
func (dialect) SortKey(b *sqlgen.Builder, value func(), desc, nullable bool, n query.Nulls) {
	value()
	if desc {
		b.Text(" DESC")
	}
	if !nullable {
		return
	}
	if n == query.NullsFirst || n == query.NullsDefault && desc {
		b.Text(" NULLS FIRST")
		return
	}
	b.Text(" NULLS LAST")
}

func (dialect) Page(b *sqlgen.Builder, limit, offset query.Operand) {
	if limit.IsZero() && offset.IsZero() {
		return
	}
	b.Text(" LIMIT ")
	bindBound(b, sqlgen.Limit, limit, "-1")
	if !offset.IsZero() {
		b.Text(" OFFSET ")
		bindBound(b, sqlgen.Offset, offset, "0")
	}
}

func bindBound(b *sqlgen.Builder, bind sqlgen.Bind, o query.Operand, absent string) {
	if o.IsZero() {
		b.Text(absent)
		return
	}
	b.Bind(sqlgen.Param{Bind: bind, From: o, Scalar: schema.Int})
}

// Change calls our own functions for Inc and Mul, because SQLite turns an overflow into a
// float, and has no decimals.
func (d dialect) Change(b *sqlgen.Builder, row string, a query.Assign) {
	switch a.Op {
	case query.Inc:
		d.arithmetic(b, "add", row, a)
	case query.Mul:
		d.arithmetic(b, "mul", row, a)
	case query.Max:
		d.replaceIf(b, " < ", row, a)
	case query.Min:
		d.replaceIf(b, " > ", row, a)
	case query.Push:
		d.list(b, "sc_push", row, a)
	case query.Pull:
		d.list(b, "sc_pull", row, a)
	}
}

func (dialect) list(b *sqlgen.Builder, function, row string, a query.Assign) {
	b.Text(function + "(")
	b.Column(row, a.Field)
	b.Text(", ")
	b.Operand(a.Value, a.Field.Scalar)
	b.Text(")")
}

func (dialect) arithmetic(b *sqlgen.Builder, operation, row string, a query.Assign) {
	decimal := a.Field.Scalar == schema.Decimal
	if decimal {
		operation = "decimal_" + operation
	}
	b.Text("sc_" + operation + "(")
	b.Column(row, a.Field)
	b.Text(", ")
	b.Operand(a.Value, a.Field.Scalar)
	b.Text(", ")
	switch {
	case decimal:
		precision, scale := a.Field.DecimalSize()
		b.Int(precision)
		b.Text(", ")
		b.Int(scale)
	case a.Field.Scalar == schema.Float:
		b.Int(0)
	case a.Field.Scalar == schema.Int:
		b.Int(32)
	default:
		b.Int(64)
	}
	b.Text(")")
}

func (d dialect) replaceIf(b *sqlgen.Builder, compare, row string, a query.Assign) {
	b.Text("CASE WHEN ")
	b.Column(row, a.Field)
	b.Text(" IS NULL OR ")
	b.Column(row, a.Field)
	b.Text(compare)
	b.Operand(a.Value, a.Field.Scalar)
	b.Text(" THEN ")
	b.Operand(a.Value, a.Field.Scalar)
	b.Text(" ELSE ")
	b.Column(row, a.Field)
	b.Text(" END")
}

func (dialect) ByKeys(b *sqlgen.Builder, row string, t *schema.Type) {
	k := b.Alias()
	if len(t.Primary) > 1 {
		b.Text("(")
	}
	b.Columns(row, t.Primary)
	if len(t.Primary) > 1 {
		b.Text(")")
	}
	amongKeys(b, k, t.Primary, sqlgen.Param{Bind: sqlgen.Keys, Columns: t.Primary})
}

func (d dialect) Among(b *sqlgen.Builder, w query.Among, fields []*schema.Field) {
	b.Text("(")
	for i, o := range w.Columns {
		if i > 0 {
			b.Text(", ")
		}
		d.Side(b, o, o.Field.Scalar)
	}
	b.Text(")")
	amongKeys(b, b.Alias(), fields, sqlgen.Param{Bind: sqlgen.Among, From: w.Keys, Columns: fields})
}

// amongKeys appends " IN (<keys>)".
func amongKeys(b *sqlgen.Builder, keys string, fields []*schema.Field, p sqlgen.Param) {
	b.Text(" IN (SELECT ")
	for i, f := range fields {
		if i > 0 {
			b.Text(", ")
		}
		keyValue(b, keys, i, len(fields), f)
	}
	b.Text(" FROM ")
	each(b, keys, p)
	b.Text(")")
}

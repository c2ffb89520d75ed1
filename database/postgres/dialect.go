package postgres

import (
	"strconv"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// dialect is SQL as PostgreSQL says it.
type dialect struct{}

var (
	_ sqlgen.Strict = dialect{}
	_ sqlgen.Arrays = dialect{}
)

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
	return strconv.AppendInt(append(dst, '$'), int64(n), 10)
}

// Typed says the type of what is bound, but where PostgreSQL infers it from the one column that
// it is compared with or stored in.
func (d dialect) Typed(dst []byte, n int, p sqlgen.Param) []byte {
	dst = d.Placeholder(dst, n)
	switch p.Bind {
	case sqlgen.Key:
		return dst
	case sqlgen.Value:
		if p.From.Kind == query.NoOperand || p.From.Field != nil {
			return dst // stored
		}
		return append(append(dst, "::"...), typeOf(boundScalar(p))...)
	case sqlgen.List, sqlgen.Keys, sqlgen.Among:
		dst = appendListType(dst, boundScalar(p))
		if f := elementOf(p); f != nil && ownType(f) != "" {
			dst = append(append(append(dst, "::"...), ownType(f)...), "[]"...)
		}
		return dst
	case sqlgen.Limit, sqlgen.Offset:
		return append(dst, "::bigint"...)
	case oddSteps:
		return append(dst, "::int[]"...)
	case wordRegexps:
		return append(dst, "::text[]"...)
	case jsonRight:
		return append(dst, "::jsonb"...)
	}
	return append(dst, "::text"...)
}

// elementOf is the column that the elements of a list are compared with, nil where none is known.
func elementOf(p sqlgen.Param) *schema.Field {
	if p.Bind == sqlgen.Keys || p.Bind == sqlgen.Among {
		return p.Columns[p.Key]
	}
	return p.From.Field
}

// appendListType appends the cast of a list, which is bound as bigints or as texts.
func appendListType(dst []byte, s schema.Scalar) []byte {
	dst = append(dst, "::"...)
	if isInteger(s) {
		return append(dst, "bigint[]"...)
	}
	if dst = append(dst, "text[]"...); !isText(s) {
		dst = append(append(append(dst, "::"...), typeOf(s)...), "[]"...)
	}
	return dst
}

// boundScalar is what a parameter is bound as, also where nothing but its value says so.
func boundScalar(p sqlgen.Param) schema.Scalar {
	if p.Scalar != schema.NoScalar || p.From.Kind != query.Constant {
		return p.Scalar
	}
	v := p.From.Value
	for _, e := range v.List() {
		if !e.IsNull() {
			v = e
			break
		}
	}
	switch v.Kind() {
	case schema.BoolValue:
		return schema.Boolean
	case schema.IntValue:
		return schema.BigInt
	case schema.FloatValue:
		return schema.Float
	case schema.BytesValue:
		return schema.Bytes
	}
	return schema.String
}

// types are the types of columns by scalar, as values are compared with them: an Int fits into
// less, and compares with more.
var types = [...]string{
	schema.NoScalar:  "text",
	schema.ID:        "text",
	schema.String:    "text",
	schema.Int:       "bigint",
	schema.BigInt:    "bigint",
	schema.Float:     "double precision",
	schema.Decimal:   "numeric",
	schema.Boolean:   "boolean",
	schema.DateTime:  "timestamptz",
	schema.Date:      "date",
	schema.Time:      "time",
	schema.UUID:      "uuid",
	schema.JSON:      "jsonb",
	schema.Bytes:     "bytea",
	schema.EnumValue: "text",
	schema.Embedded:  "jsonb",
}

func typeOf(s schema.Scalar) string { return types[s] }

func isInteger(s schema.Scalar) bool { return s == schema.Int || s == schema.BigInt }

func isText(s schema.Scalar) bool { return typeOf(s) == "text" }

func isDocument(s schema.Scalar) bool { return s == schema.JSON || s == schema.Embedded }

// stored is the scalar whose type a column has.
func stored(f *schema.Field) schema.Scalar {
	if f.HoldsInteger() {
		return schema.BigInt
	}
	if s, ok := natives[baseType(f.Native)]; ok {
		return s
	}
	return f.Scalar
}

// compared is the scalar that the sides of a comparison are compared as: that of a column, of a
// measure, of what is bound, and else of a constant.
func compared(c query.Compare) schema.Scalar {
	sides := []query.Operand{c.Left, c.Right}
	for _, o := range sides {
		if o.Kind == query.Column {
			return stored(o.Field)
		}
	}
	for _, o := range sides {
		if o.Kind == query.Measured {
			return measured(o)
		}
	}
	for _, o := range sides {
		if o.Scalar != schema.NoScalar {
			return o.Scalar
		}
	}
	for _, o := range sides {
		if o.Kind == query.Constant && !o.Value.IsNull() {
			return boundScalar(sqlgen.Param{From: o})
		}
	}
	return schema.String
}

func measured(o query.Operand) schema.Scalar {
	m := query.Measure{Fn: o.Fn, Field: o.Field}
	if m.Column() == m.Field {
		return stored(m.Field)
	}
	return m.Scalar()
}

// bytewise has texts compared by their bytes. It costs nothing where the column is declared so,
// as it ought to be: an index serves it then.
const bytewise = ` COLLATE "C"`

// Side is a sort key.
func (d dialect) Side(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	switch o.Kind {
	case query.Column:
		s = stored(o.Field)
	case query.Measured:
		s = measured(o)
	}
	if isDocument(s) {
		b.Fail("JSON documents have no order on PostgreSQL")
	}
	d.shown(b, o, s)
	if isText(s) {
		b.Text(bytewise)
	}
}

// shown appends an operand as the API shows it, where that is not what the column holds: an
// enum as a text, and a real by its digits, for the bits of 0.1 are another number in it.
func (dialect) shown(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	b.Operand(o, s)
	if o.Kind != query.Column && o.Kind != query.Measured || o.Field == nil {
		return
	}
	switch {
	case isOpaque(o.Field):
		b.Text("::text")
	case isReal(o.Field) && s == schema.Float:
		b.Text("::text::double precision")
	}
}

// meeting gives what is compared with a column of a type of its own that type, and is whether
// there is such a column.
func meeting(c query.Compare) (query.Compare, bool) {
	for _, sides := range [][2]*query.Operand{{&c.Left, &c.Right}, {&c.Right, &c.Left}} {
		column, value := sides[0], sides[1]
		if column.Kind == query.Column && ownType(column.Field) != "" && (value.Kind == query.Constant || value.Kind == query.Arg || value.Kind == query.Claim) {
			value.Field = column.Field
			return c, true
		}
	}
	return c, false
}

// Compare says = ANY of a list, which an index serves whatever its length.
func (d dialect) Compare(b *sqlgen.Builder, c query.Compare) {
	s := compared(c)
	if isDocument(s) {
		b.Fail("JSON documents are not compared as texts on PostgreSQL")
		return
	}
	side := d.shown
	if isText(s) && (c.Op == query.Eq || c.Op == query.Ne || c.Op == query.In || c.Op == query.Nin) {
		met, own := meeting(c)
		if c = met; own {
			side = (*sqlgen.Builder).Operand
		}
	}
	switch c.Op {
	case query.In, query.Nin:
		b.Text("(")
		side(b, c.Left, s)
		if c.Op == query.In {
			b.Text(" = ANY(")
		} else {
			b.Text(" <> ALL(")
		}
		d.listOf(b, c.Right, s)
		b.Text("))")
	case query.HasAny, query.HasAll:
		d.has(b, c, s)
	default:
		b.Text("(")
		side(b, c.Left, s)
		if isText(s) && c.Op != query.Eq && c.Op != query.Ne {
			b.Text(bytewise)
		}
		b.Text(comparisons[c.Op])
		side(b, c.Right, s)
		b.Text(")")
	}
}

var comparisons = [...]string{
	query.Eq: " = ", query.Ne: " <> ", query.Gt: " > ", query.Gte: " >= ", query.Lt: " < ", query.Lte: " <= ",
}

// listOf appends a list as an array.
func (dialect) listOf(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	if o.Kind != query.Column {
		b.Bind(sqlgen.Param{Bind: sqlgen.List, From: o, Scalar: s})
		return
	}
	if len(o.Via) == 0 && len(o.Inside) == 0 {
		b.Operand(o, s)
		return
	}
	// Without the cast ANY would take the sub-query for the rows to compare with.
	b.Text("(")
	b.Operand(o, s)
	b.Text(")::" + typeOf(s) + "[]")
}

// has appends HasAny or HasAll: what both sets have, or what only the wanted one has. Null is an
// element as any other.
func (d dialect) has(b *sqlgen.Builder, c query.Compare, s schema.Scalar) {
	b.Text("CASE WHEN ")
	b.Operand(c.Left, s)
	b.Text(" IS NOT NULL THEN ")
	between := " INTERSECT "
	if c.Op == query.HasAll {
		b.Text("NOT ")
		between = " EXCEPT "
	}
	b.Text("EXISTS (SELECT unnest(")
	d.listOf(b, c.Right, s)
	b.Text(")" + between + "SELECT unnest(")
	d.listOf(b, c.Left, s)
	b.Text(")) END")
}

func (dialect) Elements(b *sqlgen.Builder, s schema.Scalar, list func()) {
	if s == schema.Embedded {
		b.Text("SELECT jsonb_array_elements(")
	} else {
		b.Text("SELECT unnest(")
	}
	list()
	b.Text(")")
}

// Lock leaves those alone who only link to the rows.
func (dialect) Lock(b *sqlgen.Builder, row string) { b.Text(" FOR NO KEY UPDATE OF " + row) }

func (dialect) Unknown() string { return "NULL::boolean" }

// SortKey says nothing of nulls for what PostgreSQL does by itself, so that an index gives the order.
func (dialect) SortKey(b *sqlgen.Builder, value func(), desc, nullable bool, n query.Nulls) {
	value()
	if desc {
		b.Text(" DESC")
	}
	switch {
	case !nullable || n == query.NullsDefault || desc == (n == query.NullsFirst):
	case desc:
		b.Text(" NULLS LAST")
	default:
		b.Text(" NULLS FIRST")
	}
}

// Page says a number that stands in the plan as it is: for a parameter PostgreSQL takes a tenth of the
// table, finds that worse than the number it is given each time, and so plans on every run.
func (dialect) Page(b *sqlgen.Builder, limit, offset query.Operand) {
	number := func(word string, bind sqlgen.Bind, o query.Operand) {
		if o.IsZero() {
			return
		}
		b.Text(word)
		if o.Kind == query.Constant && o.Value.Kind() == schema.IntValue {
			b.Text(strconv.FormatInt(o.Value.Int(), 10))
			return
		}
		b.Bind(sqlgen.Param{Bind: bind, From: o, Scalar: schema.Int})
	}
	number(" LIMIT ", sqlgen.Limit, limit)
	number(" OFFSET ", sqlgen.Offset, offset)
}

// Change relies on PostgreSQL for overflows, which are errors, and for the scale of decimals:
// what is stored is rounded half away from zero.
func (d dialect) Change(b *sqlgen.Builder, row string, a query.Assign) {
	column := func() { b.Column(row, a.Field) }
	number := func(operator string) {
		b.Text("COALESCE(")
		column()
		b.Text(", 0) " + operator + " ")
		b.Operand(a.Value, stored(a.Field))
		if a.Field.Scalar == schema.Float {
			b.Text(" + 0") // -0 becomes 0
		}
	}
	pick := func(function string) {
		b.Text(function + "(")
		column()
		b.Text(", ")
		b.Operand(a.Value, stored(a.Field))
		if isText(stored(a.Field)) {
			b.Text(bytewise)
		}
		b.Text(")")
	}
	switch a.Op {
	case query.Inc:
		number("+")
	case query.Mul:
		number("*")
	case query.Max:
		pick("GREATEST")
	case query.Min:
		pick("LEAST")
	case query.Push:
		b.Text("COALESCE(")
		column()
		b.Text(", '" + emptyList(a.Field) + "') || ")
		d.added(b, a)
	case query.Pull:
		d.pull(b, column, a)
	}
}

// pull appends the elements that equal none of those that go, in their order.
func (d dialect) pull(b *sqlgen.Builder, column func(), a query.Assign) {
	element, gone := b.Alias(), b.Alias()
	elements := "unnest("
	b.Text("CASE WHEN ")
	column()
	if a.Field.Scalar == schema.Embedded {
		elements = "jsonb_array_elements("
		b.Text(" IS NOT NULL THEN COALESCE((SELECT jsonb_agg(" + element + ".e ORDER BY " + element + ".n) FROM ")
	} else {
		b.Text(" IS NOT NULL THEN ARRAY(SELECT " + element + ".e FROM ")
	}
	b.Text(elements)
	column()
	b.Text(") WITH ORDINALITY AS " + element + "(e, n) WHERE NOT EXISTS (SELECT 1 FROM " + elements)
	d.added(b, a)
	b.Text(") AS " + gone + "(e) WHERE " + gone + ".e IS NOT DISTINCT FROM " + element + ".e)")
	if a.Field.Scalar == schema.Embedded {
		b.Text("), '[]') END")
	} else {
		b.Text(" ORDER BY " + element + ".n) END")
	}
}

// added appends the elements of a push or a pull.
func (d dialect) added(b *sqlgen.Builder, a query.Assign) {
	if a.Field.Scalar == schema.Embedded {
		b.Operand(a.Value, schema.Embedded)
		return
	}
	d.listOf(b, a.Value, stored(a.Field))
}

func emptyList(f *schema.Field) string {
	if f.Scalar == schema.Embedded {
		return "[]"
	}
	return "{}"
}

func (dialect) ByKeys(b *sqlgen.Builder, row string, t *schema.Type) {
	if len(t.Primary) == 1 {
		b.Column(row, t.Primary[0])
		b.Text(" = ANY(")
		bindKeys(b, t.Primary, 0)
		b.Text(")")
		return
	}
	b.Text("(")
	b.Columns(row, t.Primary)
	b.Text(") IN (SELECT * FROM ")
	unnestKeys(b, t.Primary)
	b.Text(")")
}

package mysql

import (
	"strings"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// dialect is SQL as MariaDB and MySQL say it.
type dialect struct {
	server *server
	keys   int // how many keys ByKeys is of
}

var (
	_ sqlgen.Strict = dialect{}
	_ sqlgen.Joins  = dialect{}
)

func (dialect) Quote(dst []byte, name string) []byte {
	dst = append(dst, '`')
	for i := range len(name) {
		if name[i] == '`' {
			dst = append(dst, '`')
		}
		dst = append(dst, name[i])
	}
	return append(dst, '`')
}

func (dialect) Placeholder(dst []byte, _ int) []byte { return append(dst, '?') }

// casts are what is said of what is bound as a text and is none: it would be compared as a float,
// or as a text.
var casts = map[schema.Scalar]string{
	schema.Decimal:  "DECIMAL(65,30)",
	schema.DateTime: "DATETIME(6)",
	schema.Date:     "DATE",
	schema.Time:     "TIME(6)",
}

// Typed says the type of what is bound, but for what is stored.
func (dialect) Typed(dst []byte, _ int, p sqlgen.Param) []byte {
	isStored := p.From.Kind == query.NoOperand || p.From.Field != nil
	if p.Bind == sqlgen.Key || p.Bind == sqlgen.Value && !isStored {
		if as := casts[boundScalar(p)]; as != "" {
			return append(append(append(dst, "CAST(? AS "...), as...), ')')
		}
	}
	return append(dst, '?')
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

func isText(s schema.Scalar) bool {
	switch s {
	case schema.NoScalar, schema.ID, schema.String, schema.UUID, schema.EnumValue, schema.JSON, schema.Embedded:
		return true
	}
	return false
}

func isDocument(s schema.Scalar) bool { return s == schema.JSON || s == schema.Embedded }

// stored is the scalar whose type a column has.
func stored(f *schema.Field) schema.Scalar {
	if f.HoldsInteger() {
		return schema.BigInt
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
			return stored(query.Measure{Fn: o.Fn, Field: o.Field}.Column())
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

// Side is a sort key.
func (d dialect) Side(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	d.ordered(b, s)
	d.sorted(b, o, s)
}

func (d dialect) ordered(b *sqlgen.Builder, s schema.Scalar) {
	if isDocument(s) && !d.server.mariadb {
		b.Fail("JSON documents have no order on MySQL, and are not compared as texts")
	}
}

func (d dialect) Compare(b *sqlgen.Builder, c query.Compare) {
	s := compared(c)
	d.ordered(b, s)
	switch c.Op {
	case query.In, query.Nin:
		d.in(b, c, s)
	case query.HasAny, query.HasAll:
		d.has(b, c, s)
	case query.Eq, query.Ne:
		say(b, "(", func() { b.Operand(c.Left, s) }, comparisons[c.Op], func() { b.Operand(c.Right, s) }, ")")
	default:
		say(b, "(", func() { d.sorted(b, c.Left, s) }, comparisons[c.Op], func() { d.sorted(b, c.Right, s) }, ")")
	}
}

var comparisons = [...]string{
	query.Eq: " = ", query.Ne: " <> ", query.Gt: " > ", query.Gte: " >= ", query.Lt: " < ", query.Lte: " <= ",
}

// in takes the elements of a list as rows. A null list is unknown, and has none.
func (d dialect) in(b *sqlgen.Builder, c query.Compare, s schema.Scalar) {
	if c.Left.Kind == query.Measured && c.Right.Kind != query.Column {
		inFew(b, c, s)
		return
	}
	if c.Right.Kind == query.Column {
		b.Text("CASE WHEN ")
		b.Operand(c.Right, s)
		b.Text(" IS NOT NULL THEN ")
		defer b.Text(" END")
	}
	left, list := func() { b.Operand(c.Left, s) }, func() { listOf(b, c.Right, s) }
	packed := d.packedBeside(c.Left, s)
	if c.Right.Kind != query.Column {
		packed = short(packed)
	}
	among := func() { d.elements(b, s, packed, list) }
	some := func() { say(b, "EXISTS (SELECT 1 FROM ", func() { elements(b, b.Alias(), packed, list) }, ")") }
	isNull := c.Left.Kind != query.Column || !c.Left.Field.NonNull || len(c.Left.Via) > 0 || len(c.Left.Inside) > 0
	// MariaDB is not to be asked whether null is in a list: it is not in one without elements, and
	// else that is unknown. An index serves IN beside AND, but not in a CASE.
	switch {
	case c.Op == query.In && isNull:
		say(b, "(", left, " IN (", among, ") AND (", left, " IS NOT NULL OR ", some, "))")
	case c.Op == query.In:
		say(b, "(", left, " IN (", among, "))")
	case isNull:
		say(b, "CASE WHEN ", left, " IS NOT NULL THEN ", left, " NOT IN (", among, ") WHEN ", some, " THEN NULL ELSE TRUE END")
	default:
		say(b, "(", left, " NOT IN (", among, "))")
	}
}

func listOf(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	if o.Kind == query.Column {
		b.Operand(o, s)
		return
	}
	b.Bind(sqlgen.Param{Bind: sqlgen.List, From: o, Scalar: s})
}

// has takes both lists as sets, in which null is an element as any other.
func (d dialect) has(b *sqlgen.Builder, c query.Compare, s schema.Scalar) {
	have, want := b.Alias(), b.Alias()
	b.Text("CASE WHEN ")
	b.Operand(c.Left, s)
	b.Text(" IS NOT NULL THEN ")
	if c.Op == query.HasAll {
		b.Text("NOT ")
	}
	b.Text("EXISTS (SELECT 1 FROM ")
	elements(b, want, d.packed(s), func() { listOf(b, c.Right, s) })
	b.Text(" WHERE ")
	if c.Op == query.HasAll {
		b.Text("NOT ")
	}
	b.Text("EXISTS (SELECT 1 FROM ")
	elements(b, have, d.packed(s), func() { listOf(b, c.Left, s) })
	b.Text(" WHERE " + d.unpacked(have+".v", s) + " <=> " + d.unpacked(want+".v", s) + ")) END")
}

func (d dialect) Elements(b *sqlgen.Builder, s schema.Scalar, list func()) {
	d.elements(b, s, d.packed(s), list)
}

func (d dialect) elements(b *sqlgen.Builder, s schema.Scalar, packed string, list func()) {
	e := b.Alias()
	b.Text("SELECT " + d.unpacked(e+".v", s) + " FROM ")
	elements(b, e, packed, list)
}

// measures are how many elements a list has at most that a measure is looked for in.
const measures = 64

// inFew takes the elements of a list one by one, and the last one for those that it has not: MariaDB
// does not find a measure in a sub-query.
func inFew(b *sqlgen.Builder, c query.Compare, s schema.Scalar) {
	bind := func(as sqlgen.Bind, i int) { b.Bind(sqlgen.Param{Bind: as, From: c.Right, Scalar: s, Key: i}) }
	if c.Op == query.Nin {
		b.Text("NOT ")
	}
	b.Text("(")
	bind(listSome, 0)
	b.Text(" AND ")
	b.Operand(c.Left, s)
	b.Text(" IN (")
	for i := range measures {
		if i > 0 {
			b.Text(", ")
		}
		if as := casts[s]; as != "" {
			say(b, "CAST(", func() { bind(listElement, i) }, " AS "+as+")")
		} else {
			bind(listElement, i)
		}
	}
	b.Text("))")
}

// elements appends a list as a table with the column v.
func elements(b *sqlgen.Builder, alias, as string, list func()) {
	say(b, "JSON_TABLE(", list, ", '$[*]' COLUMNS (v "+as+" PATH '$')) AS "+alias)
}

// packed is the type that a value is taken out of JSON as, and unpacked what it is then.
func (d dialect) packed(s schema.Scalar) string {
	switch s {
	case schema.Int, schema.BigInt:
		return "BIGINT"
	case schema.Float:
		return "DOUBLE"
	case schema.Boolean:
		return "TINYINT"
	case schema.Decimal, schema.Date, schema.Time:
		return casts[s]
	}
	return longTexts + "utf8mb4 COLLATE " + d.server.collation
}

// What comes out of JSON as a longtext the server looks through for each row that it compares with a list, and
// what comes as a varchar it finds. So a list is taken for one of short texts, and a statement
// is told otherwise when it gets a longer one.
const (
	shortText  = 255
	shortTexts = "VARCHAR(255) CHARACTER SET "
	longTexts  = "LONGTEXT CHARACTER SET "
)

func short(packed string) string { return strings.Replace(packed, longTexts, shortTexts, 1) }

func withLongTexts(statement string) string {
	return strings.ReplaceAll(statement, shortTexts, longTexts)
}

func (d dialect) unpacked(text string, s schema.Scalar) string {
	switch s {
	case schema.DateTime:
		return "CAST(REPLACE(REPLACE(" + text + ", 'T', ' '), 'Z', '') AS DATETIME(6))"
	case schema.Bytes:
		return "FROM_BASE64(" + text + ")"
	case schema.JSON, schema.Embedded:
		return text + " COLLATE " + d.server.collation
	}
	return text
}

func (dialect) Lock(b *sqlgen.Builder, _ string) { b.Text(" FOR UPDATE") }

func (dialect) Unknown() string { return "NULL" }

// Extreme has no types to go round.
func (dialect) Extreme(b *sqlgen.Builder, row string, m query.Measure) {
	if m.Fn == query.Least {
		b.Text("MIN(")
	} else {
		b.Text("MAX(")
	}
	b.Column(row, m.Field)
	b.Text(")")
}

// SortKey sorts by whether there is a value first, where nulls are to be elsewhere than before all
// values: there an index gives the order.
func (dialect) SortKey(b *sqlgen.Builder, value func(), desc, nullable bool, n query.Nulls) {
	first := n == query.NullsFirst || n == query.NullsDefault && desc
	if nullable && first == desc {
		value()
		b.Text(" IS NULL")
		if first {
			b.Text(" DESC")
		}
		b.Text(", ")
	}
	value()
	if desc {
		b.Text(" DESC")
	}
}

func (dialect) Page(b *sqlgen.Builder, limit, offset query.Operand) {
	switch {
	case !limit.IsZero():
		b.Text(" LIMIT ")
		b.Bind(sqlgen.Param{Bind: sqlgen.Limit, From: limit, Scalar: schema.Int})
	case !offset.IsZero():
		b.Text(" LIMIT 9223372036854775807")
	}
	if !offset.IsZero() {
		b.Text(" OFFSET ")
		b.Bind(sqlgen.Param{Bind: sqlgen.Offset, From: offset, Scalar: schema.Int})
	}
}

// Change relies on the database for overflows, which are errors, and for the scale of decimals:
// what is stored is rounded half away from zero.
func (d dialect) Change(b *sqlgen.Builder, row string, a query.Assign) {
	switch a.Op {
	case query.Inc:
		d.number(b, row, a, " + ")
	case query.Mul:
		d.number(b, row, a, " * ")
	case query.Max:
		d.replaceIf(b, row, a, " < ")
	case query.Min:
		d.replaceIf(b, row, a, " > ")
	case query.Push:
		b.Text(d.server.compact() + "JSON_MERGE_PRESERVE(COALESCE(")
		b.Column(row, a.Field)
		b.Text(", '[]'), ")
		b.Bind(sqlgen.Param{Bind: storedList, From: a.Value, Scalar: a.Field.Scalar})
		b.Text("))")
	case query.Pull:
		d.pull(b, row, a)
	}
}

func (dialect) number(b *sqlgen.Builder, row string, a query.Assign, operator string) {
	b.Text("COALESCE(")
	b.Column(row, a.Field)
	b.Text(", 0)" + operator)
	b.Operand(a.Value, stored(a.Field))
	if a.Field.Scalar == schema.Float {
		b.Text(" + 0") // -0 becomes 0
	}
}

func (dialect) replaceIf(b *sqlgen.Builder, row string, a query.Assign, compare string) {
	b.Text("CASE WHEN ")
	b.Column(row, a.Field)
	b.Text(" IS NULL OR ")
	b.Column(row, a.Field)
	b.Text(compare)
	b.Operand(a.Value, stored(a.Field))
	b.Text(" THEN ")
	b.Operand(a.Value, stored(a.Field))
	b.Text(" ELSE ")
	b.Column(row, a.Field)
	b.Text(" END")
}

// pull puts the elements together again that equal none of those that go.
func (d dialect) pull(b *sqlgen.Builder, row string, a query.Assign) {
	old, gone, s := b.Alias(), b.Alias(), a.Field.Scalar
	if s == schema.DateTime || s == schema.Bytes {
		s = schema.String // each value is written in one way
	}
	b.Text("CASE WHEN ")
	b.Column(row, a.Field)
	b.Text(" IS NOT NULL THEN COALESCE((SELECT " + d.server.compact() + "CONCAT('[', GROUP_CONCAT(" + old + ".raw ORDER BY " + old + ".n SEPARATOR ','), ']')) FROM JSON_TABLE(")
	b.Column(row, a.Field)
	b.Text(", '$[*]' COLUMNS (n FOR ORDINALITY, raw JSON PATH '$', v " + d.packed(s) + " PATH '$')) AS " + old + " WHERE NOT EXISTS (SELECT 1 FROM ")
	elements(b, gone, d.packed(s), func() { b.Bind(sqlgen.Param{Bind: storedList, From: a.Value, Scalar: a.Field.Scalar}) })
	b.Text(" WHERE " + gone + ".v <=> " + old + ".v)), '[]') END")
}

// ByKeys says each key, so that an index finds it.
func (d dialect) ByKeys(b *sqlgen.Builder, row string, t *schema.Type) {
	key := func(i int) {
		at := i % len(t.Primary)
		b.Bind(sqlgen.Param{Bind: sqlgen.Key, Key: i, Scalar: stored(t.Primary[at])})
	}
	if len(t.Primary) == 1 {
		b.Column(row, t.Primary[0])
		b.Text(" IN (")
		for i := range d.keys {
			if i > 0 {
				b.Text(", ")
			}
			key(i)
		}
		b.Text(")")
		return
	}
	b.Text("(")
	for i := range d.keys {
		if i > 0 {
			b.Text(" OR ")
		}
		for j, f := range t.Primary {
			b.Text([]string{"(", " AND "}[min(j, 1)])
			b.Column(row, f)
			b.Text(" = ")
			key(i*len(t.Primary) + j)
		}
		b.Text(")")
	}
	b.Text(")")
}

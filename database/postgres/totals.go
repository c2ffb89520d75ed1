package postgres

import (
	"strings"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// columnsOf are the columns that what a level reads is encoded as.
func columnsOf(l *query.Level) []*schema.Field {
	if l.Count {
		return countColumns
	}
	if l.Groups == nil {
		columns := make([]*schema.Field, len(l.Columns))
		for i, c := range l.Columns {
			columns[i] = c.Field
		}
		return columns
	}
	columns := make([]*schema.Field, len(l.Groups.Measures))
	for i, m := range l.Groups.Measures {
		columns[i] = m.Column()
	}
	return columns
}

// countColumns are those of the answer of a level that counts.
var countColumns = []*schema.Field{{Name: "count", Scalar: schema.Int, NonNull: true}}

// total is a measure that may be beyond its type.
type total struct {
	column int
	query.Measure
}

// totalsOf are the sums of BigInt, which come as numeric, and those of Float, which fail.
func totalsOf(l *query.Level) []total {
	var totals []total
	if l.Groups == nil {
		return nil
	}
	for i, m := range l.Groups.Measures {
		if (m.Fn == query.Sum || m.Fn == query.Avg) && (m.Field.Scalar == schema.Float || m.Fn == query.Sum && m.Field.Scalar == schema.BigInt) {
			totals = append(totals, total{i, m})
		}
	}
	return totals
}

// Total has PostgreSQL add up, which is exact but for floats.
func (d dialect) Total(b *sqlgen.Builder, row string, m query.Measure) {
	of := func(function string) {
		b.Text(function + "(")
		b.Column(row, m.Field)
		b.Text(")")
	}
	switch {
	case m.Fn == query.Sum:
		of("sum")
	case m.Field.Scalar == schema.Decimal:
		_, scale := m.Field.DecimalSize()
		d.average(b, of, scale+query.AvgScale)
	case m.Field.Scalar == schema.Float:
		// avg would fail where the squares of the values are no floats any more.
		b.Text("(")
		of("sum")
		b.Text(" / NULLIF(")
		of("count")
		b.Text(", 0))")
	default:
		of("avg")
		b.Text("::double precision")
	}
}

// average is exact to the scale, rounded once, half away from zero. A quotient of numerics has
// about 16 digits, so it is one of whole numbers.
func (dialect) average(b *sqlgen.Builder, of func(string), scale int) {
	b.Text("(sign(")
	of("sum")
	b.Text(") * div(abs(")
	of("sum")
	b.Text(") * 2" + strings.Repeat("0", scale) + " + ")
	of("count")
	b.Text(", 2 * ")
	of("count")
	b.Text("::numeric) * 0." + strings.Repeat("0", scale-1) + "1)")
}

// Extreme goes round the types that have no min and max.
func (dialect) Extreme(b *sqlgen.Builder, row string, m query.Measure) {
	function, truths := "min(", "bool_and("
	if m.Fn == query.Greatest {
		function, truths = "max(", "bool_or("
	}
	before, after := "", ""
	switch s := stored(m.Field); {
	case s == schema.Boolean:
		function = truths
	case s == schema.UUID:
		function, after = "("+function, "::text"+bytewise
	case s == schema.Bytes:
		function, before, after = "decode("+function, "encode(", ", 'hex')"+bytewise
	case isText(s):
		after = bytewise
	}
	b.Text(function + before)
	b.Column(row, m.Field)
	b.Text(after + ")")
	switch stored(m.Field) {
	case schema.UUID:
		b.Text(")::uuid")
	case schema.Bytes:
		b.Text(", 'hex')")
	}
}

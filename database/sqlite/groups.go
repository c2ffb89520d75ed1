package sqlite

import (
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// columnsOf are the columns that what a level reads is encoded as.
func columnsOf(l *query.Level) []*schema.Field {
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

// Total has SQLite add up what it adds up exactly. It has no decimals, and fails when a sum of
// integers leaves 64 bits on the way, even where it comes back: so integers of 64 bits are
// summed in two halves, which do not overflow, and put together.
func (dialect) Total(b *sqlgen.Builder, row string, m query.Measure) {
	function := "sum"
	if m.Fn == query.Avg {
		function = "avg"
	}
	switch {
	case m.Field.Scalar == schema.Decimal:
		b.Text("sc_decimal_" + function + "(")
		b.Column(row, m.Field)
		if m.Fn == query.Avg {
			_, scale := m.Field.DecimalSize()
			b.Text(", ")
			b.Int(scale + query.AvgScale)
		}
	case m.Field.Scalar == schema.BigInt && m.Fn == query.Sum:
		b.Text("sc_whole(sum(")
		b.Column(row, m.Field)
		b.Text(" >> 32), sum(")
		b.Column(row, m.Field)
		b.Text(" & 4294967295), ")
		complaint(b, m)
	case m.Field.Scalar == schema.Float:
		b.Text("sc_finite(" + function + "(")
		b.Column(row, m.Field)
		b.Text("), ")
		complaint(b, m)
	default:
		b.Text(function + "(")
		b.Column(row, m.Field)
	}
	b.Text(")")
}

// complaint appends what a function is to say when the measure has no value.
func complaint(b *sqlgen.Builder, m query.Measure) {
	b.Bind(sqlgen.Param{Bind: sqlgen.Value, From: query.Const(schema.Text(m.Beyond())), Scalar: schema.String})
}

// grouped is the groups of each key. They come by json_each's own order, so that nothing is
// sorted; a key without rows has none.
func (d dialect) grouped(b *sqlgen.Builder, l *query.Level) {
	if len(l.Groups.By) > 0 || !l.Limit.IsZero() || !l.Offset.IsZero() {
		b.Fail("groups of the rows behind a link are one for each parent")
	}
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT " + keys + ".key, ")
	b.Measures(l.Groups, row)
	b.Text(" FROM ")
	eachKey(b, keys, sqlgen.ViaKey(l))
	b.Text(" CROSS JOIN ")
	b.Table(l.Type, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, keyOf(b, l, keys))
	b.Text(" GROUP BY " + keys + ".rowid")
	b.Having(l.Groups, row)
	b.Text(" ORDER BY " + keys + ".rowid")
}

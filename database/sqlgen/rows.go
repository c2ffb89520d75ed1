package sqlgen

import (
	"strconv"

	"spacecloud/query"
	"spacecloud/schema"
)

// UpdateRows renders an update of n rows, each with values of its own. Its first placeholders
// but those of w.Set are the values of w.Columns, row by row, or as Arrays has them.
func UpdateRows(d Dialect, w *query.Write, n int, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		row, values := b.Alias(), b.Alias()
		keys := len(w.Type.Primary)
		b.Text("WITH " + values + "(")
		for i := range w.Columns {
			if i > 0 {
				b.Text(", ")
			}
			b.Text(valueName(i))
		}
		b.Text(") AS (")
		b.table(w.Columns, n)
		b.Text(") UPDATE ")
		b.Table(w.Type, row)
		b.Text(" SET ")
		for i, f := range w.Columns[keys:] {
			if i > 0 {
				b.Text(", ")
			}
			b.Name(f.Column)
			b.Text(" = " + values + "." + valueName(i+keys))
		}
		b.Of(row, func() {
			for i, a := range w.Set {
				if i > 0 || len(w.Columns) > keys {
					b.Text(", ")
				}
				b.assign(row, a)
			}
		})
		b.Text(" FROM " + values + " WHERE ")
		for i, f := range w.Type.Primary {
			if i > 0 {
				b.Text(" AND ")
			}
			b.Column(row, f)
			b.Text(" = " + values + "." + valueName(i))
		}
		b.and(row, w.Where)
		b.returning(returning)
	})
}

// UpdateJoined is UpdateRows of any number of rows for a dialect that Joins.
func UpdateJoined(d Joins, w *query.Write) (Statement, error) {
	return build(d, func(b *Builder) {
		row, values := b.Alias(), b.Alias()
		value := func(i int) { d.ValueOf(b, values, i, w.Columns[i]) }
		b.Text("UPDATE ")
		d.Values(b, w.Columns, values)
		b.Text(" STRAIGHT_JOIN ")
		b.Table(w.Type, row)
		keys := len(w.Type.Primary)
		for i, f := range w.Type.Primary {
			b.Text([]string{" ON ", " AND "}[min(i, 1)])
			b.Column(row, f)
			b.Text(" = ")
			value(i)
		}
		for i, f := range w.Columns[keys:] {
			b.Text([]string{" SET ", ", "}[min(i, 1)])
			b.Column(row, f)
			b.Text(" = ")
			value(i + keys)
		}
		b.Of(row, func() {
			for i, a := range w.Set {
				b.Text([]string{" SET ", ", "}[min(i+len(w.Columns)-keys, 1)] + row + ".")
				b.assign(row, a)
			}
		})
		b.Filter(row, w.Where)
	})
}

func valueName(i int) string { return "sc_" + strconv.Itoa(i) }

// table appends n rows of values as a query.
func (b *Builder) table(columns []*schema.Field, n int) {
	if arrays, ok := b.dialect.(Arrays); ok {
		arrays.Rows(b, columns)
		return
	}
	b.Text("VALUES ")
	b.tuples(columns, n)
}

// tuples appends n rows of placeholders.
func (b *Builder) tuples(columns []*schema.Field, n int) {
	for i := range n {
		if i > 0 {
			b.Text(", ")
		}
		b.Text("(")
		list(b, columns, ", ", func(f *schema.Field) { b.Bind(Param{Scalar: f.Scalar}) })
		b.Text(")")
	}
}

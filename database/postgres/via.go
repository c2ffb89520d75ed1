package postgres

import (
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Via asks for each key in turn, by LATERAL over the keys. The keys come by their ordinal, which
// is the order of unnest itself, and the rows of each in the order of the sub-query, so that
// nothing is sorted above it.
func (d dialect) Via(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	columns := sqlgen.ViaKey(l)
	b.Text("SELECT " + keys + ".n, " + row + ".* FROM ")
	unnestKeys(b, columns)
	b.Text(" WITH ORDINALITY AS " + keys + "(")
	for i := range columns {
		b.Text("k")
		b.Int(i)
		b.Text(", ")
	}
	b.Text("n) CROSS JOIN LATERAL (")
	d.ofKey(b, l, keys)
	b.Text(") AS " + row + " ORDER BY " + keys + ".n")
}

// ofKey is what answers the current key.
func (d dialect) ofKey(b *sqlgen.Builder, l *query.Level, keys string) {
	row := b.Alias()
	value := func(i int, _ *schema.Field) {
		b.Text(keys + ".k")
		b.Int(i)
	}
	from := func() {
		b.Text(" FROM ")
		b.Table(l.Type, row)
		b.Text(" WHERE ")
		b.ReachedWhere(l, row, value)
	}
	b.Text("SELECT ")
	switch {
	case l.Groups != nil:
		if len(l.Groups.By) > 0 || !l.Limit.IsZero() || !l.Offset.IsZero() {
			b.Fail("groups of the rows behind a link are one for each parent")
		}
		b.Measures(l.Groups, row)
		from()
		b.Text(" GROUP BY " + keys + ".n") // a key without rows has no group
		b.Having(l.Groups, row)
		return
	case l.Count:
		b.Text("count(*)")
		from()
		b.Text(" HAVING count(*) > 0")
		return
	case len(l.Distinct) > 0:
		d.distinct(b, l, row, value)
	default:
		b.Cells(l, row)
		from()
	}
	if !l.Via.Single {
		b.OrderBy(row, l.OrderBy, "")
		d.Page(b, l.Limit, l.Offset)
	}
	b.Lock(l, row)
}

// distinct is of the rows that agree in the columns of Distinct the first.
func (dialect) distinct(b *sqlgen.Builder, l *query.Level, row string, value func(int, *schema.Field)) {
	all := b.Alias()
	b.Cells(l, row)
	b.Text(" FROM (SELECT " + all + ".*")
	b.First(l, all, "")
	b.Text(" FROM ")
	b.Table(l.Type, all)
	b.Text(" WHERE ")
	b.ReachedWhere(l, all, value)
	b.Text(") AS " + row + " WHERE " + row + ".sc_first = 1")
}

// unnestKeys appends the keys of the binding as a table.
func unnestKeys(b *sqlgen.Builder, columns []*schema.Field) {
	unnest(b, len(columns), func(i int) { bindKeys(b, columns, i) })
}

// unnest appends arrays as the columns of a table. Each array is a query of its own: PostgreSQL
// would else count it, find a plan for so many keys cheaper, and plan on every run.
func unnest(b *sqlgen.Builder, n int, array func(int)) {
	b.Text("unnest(")
	for i := range n {
		comma(b, i)
		b.Text("(SELECT ")
		array(i)
		b.Text(")")
	}
	b.Text(")")
}

// bindKeys appends the array of one column of all keys.
func bindKeys(b *sqlgen.Builder, columns []*schema.Field, i int) {
	b.Bind(sqlgen.Param{Bind: sqlgen.Keys, Columns: columns, Key: i, Scalar: stored(columns[i])})
}

// Among gives a column of a type of its own values of that type, as Compare does.
func (d dialect) Among(b *sqlgen.Builder, w query.Among, fields []*schema.Field) {
	b.Text("(")
	for i, f := range fields {
		comma(b, i)
		if ownType(f) != "" {
			b.Operand(w.Columns[i], stored(f))
		} else {
			d.shown(b, w.Columns[i], stored(f))
		}
	}
	b.Text(") IN (SELECT * FROM ")
	unnest(b, len(fields), func(i int) {
		b.Bind(sqlgen.Param{Bind: sqlgen.Among, From: w.Keys, Columns: fields, Key: i, Scalar: stored(fields[i])})
	})
	b.Text(")")
}

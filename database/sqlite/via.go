package sqlite

import (
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Via asks for each key in turn: CROSS JOIN keeps SQLite from turning that around.
func (d dialect) Via(b *sqlgen.Builder, l *query.Level) {
	paged := !l.Via.Single && (!l.Limit.IsZero() || !l.Offset.IsZero())
	switch {
	case l.Groups != nil:
		d.grouped(b, l)
	case len(l.Distinct) > 0:
		d.distinct(b, l)
	case l.Count:
		d.counted(b, l)
	case paged && l.Type.Kind == schema.View:
		d.ranked(b, l)
	case paged:
		d.paged(b, l)
	default:
		d.joined(b, l)
	}
}

// joined is all rows of each key.
func (d dialect) joined(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	d.selectFrom(b, l, keys, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, keyOf(b, l, keys))
	d.order(b, l, keys, row)
}

// counted is the number of rows of each key that has any.
func (d dialect) counted(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT " + keys + ".key, count(*) FROM ")
	eachKey(b, keys, sqlgen.ViaKey(l))
	b.Text(" CROSS JOIN ")
	b.Table(l.Type, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, keyOf(b, l, keys))
	b.Text(" GROUP BY " + keys + ".key ORDER BY " + keys + ".key")
}

// paged is some rows of each key: a correlated sub-query picks them by SQLite's own row key.
func (d dialect) paged(b *sqlgen.Builder, l *query.Level) {
	keys, row, picked := b.Alias(), b.Alias(), b.Alias()
	d.selectFrom(b, l, keys, row)
	rowID := rowIDOf(l.Type)
	b.Text(" WHERE " + row + "." + rowID + " IN (SELECT " + picked + "." + rowID + " FROM ")
	b.Table(l.Type, picked)
	b.Text(" WHERE ")
	b.ReachedWhere(l, picked, keyOf(b, l, keys))
	b.OrderBy(picked, l.OrderBy, "")
	d.Page(b, l.Limit, l.Offset)
	b.Text(")")
	d.order(b, l, keys, row)
}

// ranked is the same for views, which have no row key: it numbers the rows of each key.
func (d dialect) ranked(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT * FROM (SELECT " + keys + ".key AS sc_key, ")
	b.Cells(l, row)
	b.Text(", row_number() OVER (PARTITION BY " + keys + ".key")
	b.OrderBy(row, l.OrderBy, "")
	b.Text(") AS sc_rank FROM ")
	eachKey(b, keys, sqlgen.ViaKey(l))
	b.Text(" CROSS JOIN ")
	b.Table(l.Type, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, keyOf(b, l, keys))
	b.Text(")")
	page(b, l)
}

// page appends the rest of a statement whose rows are numbered, as sc_rank, for each sc_key.
func page(b *sqlgen.Builder, l *query.Level) {
	b.Text(" WHERE sc_rank > ")
	bindBound(b, sqlgen.Offset, l.Offset, "0")
	if !l.Limit.IsZero() {
		b.Text(" AND (sc_rank <= ")
		bindBound(b, sqlgen.Offset, l.Offset, "0")
		b.Text(" + ")
		bindBound(b, sqlgen.Limit, l.Limit, "")
		b.Text(" OR ")
		bindBound(b, sqlgen.Limit, l.Limit, "")
		b.Text(" < 0)")
	}
	b.Text(" ORDER BY sc_key, sc_rank")
}

func (dialect) selectFrom(b *sqlgen.Builder, l *query.Level, keys, row string) {
	b.Text("SELECT " + keys + ".key, ")
	b.Cells(l, row)
	b.Text(" FROM ")
	eachKey(b, keys, sqlgen.ViaKey(l))
	b.Text(" CROSS JOIN ")
	b.Table(l.Type, row)
}

// order is by the key's ordinal first. A single row of each key needs no more, and the
// rowid of json_each, which is the ordinal's order, is one it comes in without sorting.
func (dialect) order(b *sqlgen.Builder, l *query.Level, keys, row string) {
	if l.Via.Single {
		b.Text(" ORDER BY " + keys + ".rowid")
		return
	}
	b.OrderBy(row, l.OrderBy, keys+".key")
}

// eachKey appends the keys of the binding as a table.
func eachKey(b *sqlgen.Builder, alias string, columns []*schema.Field) {
	each(b, alias, sqlgen.Param{Bind: sqlgen.Keys, Columns: columns})
}

func each(b *sqlgen.Builder, alias string, keys sqlgen.Param) {
	b.Text("json_each(")
	b.Bind(keys)
	b.Text(") AS " + alias)
}

// keyOf is how the values of the current key are said.
func keyOf(b *sqlgen.Builder, l *query.Level, keys string) func(int, *schema.Field) {
	n := len(sqlgen.ViaKey(l))
	return func(i int, f *schema.Field) { keyValue(b, keys, i, n, f) }
}

func keyValue(b *sqlgen.Builder, keys string, i, n int, f *schema.Field) {
	if f.Scalar == schema.Bytes {
		b.Text("sc_base64(")
		defer b.Text(")")
	}
	if n == 1 {
		b.Text(keys + ".value")
		return
	}
	b.Text("json_extract(" + keys + ".value, '$[")
	b.Int(i)
	b.Text("]')")
}

// rowIDOf is a name of SQLite's row key that no column of the type has taken.
func rowIDOf(t *schema.Type) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !hasColumn(t, name) {
			return name
		}
	}
	return "rowid"
}

package mysql

import (
	"slices"
	"strconv"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Via takes the keys as a table, and asks for each in turn: STRAIGHT_JOIN keeps the database from
// turning that around.
func (d dialect) Via(b *sqlgen.Builder, l *query.Level) {
	switch {
	case l.Groups != nil:
		d.grouped(b, l)
	case l.Count:
		d.counted(b, l)
	case len(l.Distinct) > 0:
		d.distinct(b, l)
	case !l.Via.Single && (!l.Limit.IsZero() || !l.Offset.IsZero()):
		d.ranked(b, l)
	default:
		d.joined(b, l)
	}
}

// joined is all rows of each key.
func (d dialect) joined(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT " + keys + ".n, ")
	b.Cells(l, row)
	d.of(b, l, keys, row)
	if l.Via.Single {
		b.Text(" ORDER BY " + keys + ".n")
	} else {
		b.OrderBy(row, l.OrderBy, keys+".n")
	}
	b.Lock(l, row)
}

// of appends the rows of each key.
func (d dialect) of(b *sqlgen.Builder, l *query.Level, keys, row string) {
	columns := sqlgen.ViaKey(l)
	b.Text(" FROM JSON_TABLE(")
	b.Bind(sqlgen.Param{Bind: sqlgen.Keys, Columns: columns})
	b.Text(", '$[*]' COLUMNS (n FOR ORDINALITY")
	for i, f := range columns {
		b.Text(", ")
		part(b, i, d.packedFor(f))
	}
	b.Text(")) AS " + keys + " STRAIGHT_JOIN ")
	b.Table(l.Type, row)
	b.Text(" WHERE ")
	b.ReachedWhere(l, row, func(i int, _ *schema.Field) {
		b.Text(d.unpacked(partOf(keys, i), stored(columns[i])))
	})
}

// part appends a column of the table that JSON_TABLE makes of keys, by its type.
func part(b *sqlgen.Builder, i int, as string) {
	say(b, "k", func() { b.Int(i) }, " "+as+" PATH '$[", func() { b.Int(i) }, "]'")
}

func partOf(keys string, i int) string { return keys + ".k" + strconv.Itoa(i) }

// Among has the server keep the keys by their values, as it does with a list. What MariaDB does not do
// with a column behind a link, which is a sub-query.
func (d dialect) Among(b *sqlgen.Builder, w query.Among, fields []*schema.Field) {
	keys := b.Alias()
	column := func(i int) { b.Operand(w.Columns[i], stored(fields[i])) }
	value := func(i int) { b.Text(d.unpacked(partOf(keys, i), stored(fields[i]))) }
	if slices.ContainsFunc(w.Columns, func(o query.Operand) bool { return len(o.Via) > 0 }) {
		b.Text("EXISTS (SELECT 1 FROM ")
		d.table(b, w, fields, keys)
		for i := range fields {
			say(b, []string{" WHERE ", " AND "}[min(i, 1)], func() { value(i) }, " = ", func() { column(i) })
		}
		b.Text(")")
		return
	}
	b.Text("(")
	each(b, len(fields), column)
	b.Text(") IN (SELECT ")
	each(b, len(fields), value)
	b.Text(" FROM ")
	d.table(b, w, fields, keys)
	b.Text(")")
}

// table appends the keys of a list as a table.
func (d dialect) table(b *sqlgen.Builder, w query.Among, fields []*schema.Field, alias string) {
	b.Text("JSON_TABLE(")
	b.Bind(sqlgen.Param{Bind: sqlgen.Among, From: w.Keys, Columns: fields})
	b.Text(", '$[*]' COLUMNS (")
	each(b, len(fields), func(i int) { part(b, i, short(d.packedBeside(w.Columns[i], stored(fields[i])))) })
	b.Text(")) AS " + alias)
}

// each appends n things, with commas.
func each(b *sqlgen.Builder, n int, do func(i int)) {
	for i := range n {
		if i > 0 {
			b.Text(", ")
		}
		do(i)
	}
}

// counted is the number of rows of each key that has any.
func (d dialect) counted(b *sqlgen.Builder, l *query.Level) {
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT " + keys + ".n, COUNT(*)")
	d.of(b, l, keys, row)
	b.Text(" GROUP BY " + keys + ".n ORDER BY " + keys + ".n")
}

// grouped is the groups of each key; a key without rows has none.
func (d dialect) grouped(b *sqlgen.Builder, l *query.Level) {
	if len(l.Groups.By) > 0 || !l.Limit.IsZero() || !l.Offset.IsZero() {
		b.Fail("groups of the rows behind a link are one for each parent")
	}
	keys, row := b.Alias(), b.Alias()
	b.Text("SELECT " + keys + ".n, ")
	b.Measures(l.Groups, row)
	d.of(b, l, keys, row)
	b.Text(" GROUP BY " + keys + ".n")
	b.Having(l.Groups, row)
	b.Text(" ORDER BY " + keys + ".n")
}

// ranked is some rows of each key: of all that it has, the primary keys are numbered, which an index
// often holds, and the rows are looked up that are among the first.
func (d dialect) ranked(b *sqlgen.Builder, l *query.Level) {
	if len(l.Type.Primary) == 0 || l.Type.Kind == schema.View {
		d.rankedWhole(b, l)
		return
	}
	keys, all, few, row := b.Alias(), b.Alias(), b.Alias(), b.Alias()
	name := func(i int) string { return "sc_p" + strconv.Itoa(i) }
	b.Text("SELECT " + few + ".sc_key, ")
	b.Cells(l, row)
	b.Text(" FROM (SELECT " + keys + ".n AS sc_key")
	for i, f := range l.Type.Primary {
		b.Text(", ")
		b.Column(all, f)
		b.Text(" AS " + name(i))
	}
	d.rank(b, l, all, keys+".n")
	d.of(b, l, keys, all)
	b.Text(") AS " + few + " STRAIGHT_JOIN ")
	b.Table(l.Type, row)
	for i, f := range l.Type.Primary {
		b.Text([]string{" ON ", " AND "}[min(i, 1)])
		b.Column(row, f)
		b.Text(" = " + few + "." + name(i))
	}
	page(b, l, few)
}

// rankedWhole is the same where rows cannot be looked up: they are numbered with all their columns, so
// that what is read of them is said as of the table itself.
func (d dialect) rankedWhole(b *sqlgen.Builder, l *query.Level) {
	keys, all, row := b.Alias(), b.Alias(), b.Alias()
	b.Text("SELECT " + row + ".sc_key, ")
	b.Cells(l, row)
	b.Text(" FROM (SELECT " + keys + ".n AS sc_key, " + all + ".*")
	d.rank(b, l, all, keys+".n")
	d.of(b, l, keys, all)
	b.Text(") AS " + row)
	page(b, l, row)
}

// rank appends the number of a row among those of its key.
func (dialect) rank(b *sqlgen.Builder, l *query.Level, row, key string) {
	b.Text(", CAST(ROW_NUMBER() OVER (PARTITION BY " + key)
	b.OrderBy(row, l.OrderBy, "")
	b.Text(") AS SIGNED) AS sc_rank")
}

// distinct is some rows of each key, of those that agree in the columns of Distinct the first.
func (d dialect) distinct(b *sqlgen.Builder, l *query.Level) {
	keys, all, first, row := b.Alias(), b.Alias(), b.Alias(), b.Alias()
	b.Text("SELECT " + row + ".sc_key, ")
	b.Cells(l, row)
	b.Text(" FROM (SELECT " + first + ".*")
	d.rank(b, l, first, first+".sc_key")
	b.Text(" FROM (SELECT " + keys + ".n AS sc_key, " + all + ".*")
	b.First(l, all, keys+".n")
	d.of(b, l, keys, all)
	b.Text(") AS " + first + " WHERE " + first + ".sc_first = 1) AS " + row)
	page(b, l, row)
}

// page appends the rest of a statement whose rows are numbered for each key.
func page(b *sqlgen.Builder, l *query.Level, row string) {
	offset := func() { b.Bind(sqlgen.Param{Bind: sqlgen.Offset, From: l.Offset, Scalar: schema.Int}) }
	b.Text(" WHERE TRUE")
	if !l.Offset.IsZero() {
		b.Text(" AND " + row + ".sc_rank > ")
		offset()
	}
	if !l.Limit.IsZero() {
		b.Text(" AND " + row + ".sc_rank")
		if !l.Offset.IsZero() {
			b.Text(" - ")
			offset()
		}
		b.Text(" <= ")
		b.Bind(sqlgen.Param{Bind: sqlgen.Limit, From: l.Limit, Scalar: schema.Int})
	}
	b.Text(" ORDER BY " + row + ".sc_key, " + row + ".sc_rank")
}

package sqlgen

import (
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// Level renders a level. One that is reached by keys answers any number of them, and its
// first column is the ordinal of the key.
func Level(d Dialect, l *query.Level) (Statement, error) {
	return build(d, func(b *Builder) {
		if l.Via != nil {
			d.Via(b, l)
			return
		}
		b.rows(l, nil)
	})
}

// OneKey renders a level that is reached by keys for a binding of exactly one key; there is
// no column for its ordinal.
func OneKey(d Dialect, l *query.Level) (Statement, error) {
	return build(d, func(b *Builder) {
		b.rows(l, func(row string) {
			b.Reached(l, row, func(i int, f *schema.Field) {
				b.Bind(Param{Bind: Key, Key: i, Scalar: f.Scalar})
			})
		})
	})
}

// rows appends the plain form of a level, for the rows that meet reached as well.
func (b *Builder) rows(l *query.Level, reached func(row string)) {
	row := b.Alias()
	b.Text("SELECT ")
	if l.Count {
		b.Text("count(*)")
	} else {
		b.read(l, row)
	}
	b.Text(" FROM ")
	if len(l.Distinct) > 0 {
		b.firsts(l, row, reached)
		return
	}
	if l.Given != nil {
		b.given(l, row)
	} else {
		b.Table(l.Type, row)
	}
	if reached == nil {
		b.Filter(row, l.Where)
	} else {
		b.Text(" WHERE ")
		reached(row)
		b.and(row, l.Where)
	}
	if l.Groups != nil {
		b.groups(l.Groups, row)
	} else {
		b.OrderBy(row, l.OrderBy, "")
	}
	b.dialect.Page(b, l.Limit, l.Offset)
	b.Lock(l, row)
}

// Lock appends the lock of the rows of an alias, if the level wants it and the dialect has it.
func (b *Builder) Lock(l *query.Level, row string) {
	if strict, ok := b.dialect.(Strict); ok && l.Lock {
		strict.Lock(b, row)
	}
}

// given appends the row that is not stored in the place of the table.
func (b *Builder) given(l *query.Level, row string) {
	b.Text("(SELECT ")
	list(b, l.Type.Columns, ", ", func(f *schema.Field) {
		if i := slices.Index(l.Given, f); i >= 0 {
			b.Bind(Param{Bind: Key, Key: i, Scalar: f.Scalar})
		} else {
			b.Text("NULL")
		}
		b.Text(" AS ")
		b.Name(f.Column)
	})
	if _, ok := b.dialect.(Strict); ok { // the types of the values are those of the table's columns
		of := b.Alias()
		b.Text(" UNION ALL SELECT ")
		list(b, l.Type.Columns, ", ", func(f *schema.Field) { b.Column(of, f) })
		b.Text(" FROM ")
		b.Table(l.Type, of)
		b.Text(" WHERE false")
	}
	b.Text(") AS ")
	b.Text(row)
}

// read appends what a level reads: cells of rows or measures of groups.
func (b *Builder) read(l *query.Level, row string) {
	if l.Groups != nil {
		b.Measures(l.Groups, row)
		return
	}
	b.Cells(l, row)
}

// Cells appends what a level reads of a row.
func (b *Builder) Cells(l *query.Level, row string) {
	if len(l.Columns) == 0 {
		b.Text("1")
		return
	}
	b.Of(row, func() {
		list(b, l.Columns, ", ", func(c query.Cell) { b.cell(c, row) })
	})
}

func (b *Builder) cell(c query.Cell, row string) {
	b.shown(c.When, func() { b.cellColumn(c, row) })
}

// shown appends a value, which is null where a condition is not true.
func (b *Builder) shown(when query.Where, value func()) {
	switch {
	case Always(when):
		value()
	case when == query.False || when == query.Unknown:
		b.Text("NULL")
	default:
		b.Text("CASE WHEN ")
		b.Where(when)
		b.Text(" THEN ")
		value()
		b.Text(" END")
	}
}

func (b *Builder) cellColumn(c query.Cell, row string) {
	if len(c.Via) == 0 {
		b.Column(row, c.Field)
		return
	}
	b.Operand(query.Operand{Kind: query.Column, Field: c.Field, Via: c.Via}, c.Field.Scalar)
}

// OrderBy appends " ORDER BY …", first by what is given, or nothing.
func (b *Builder) OrderBy(row string, orders []query.Order, first string) {
	if len(orders) == 0 && first == "" {
		return
	}
	b.Text(" ORDER BY ")
	b.Text(first)
	if first != "" && len(orders) > 0 {
		b.Text(", ")
	}
	b.Orders(row, orders)
}

// Orders appends the sort keys.
func (b *Builder) Orders(row string, orders []query.Order) {
	b.Of(row, func() {
		list(b, orders, ", ", func(o query.Order) {
			operand := query.Operand{Kind: query.Column, Field: o.Field, Via: o.Via}
			value := func() { b.shown(o.When, func() { b.dialect.Side(b, operand, o.Field.Scalar) }) }
			b.dialect.SortKey(b, value, o.Desc, o.Nullable(), o.Nulls)
		})
	})
}

// ViaKey are the columns that a key of the level is made of: of the parents' type where a
// link leads here, and else the primary key.
func ViaKey(l *query.Level) []*schema.Field {
	if l.Via.Link == nil {
		return l.Type.Primary
	}
	return l.Via.Link.Link.From
}

// Reached appends the condition that a row answers a key; value appends the key's ith value,
// which is compared with f.
func (b *Builder) Reached(l *query.Level, row string, value func(i int, f *schema.Field)) {
	equal := func(alias string, fs []*schema.Field) {
		for i, f := range fs {
			if i > 0 {
				b.Text(" AND ")
			}
			b.Column(alias, f)
			b.Text(" = ")
			value(i, f)
		}
	}
	switch {
	case l.Via.Link == nil:
		equal(row, l.Type.Primary)
	case l.Via.Link.Link.Through == nil:
		equal(row, l.Via.Link.Link.To)
	default:
		link := l.Via.Link.Link
		b.among(row, link, l.Via.Through, func(join string) { equal(join, link.ThroughFrom) })
	}
}

// ReachedWhere appends Reached and the level's own condition.
func (b *Builder) ReachedWhere(l *query.Level, row string, value func(i int, f *schema.Field)) {
	b.Reached(l, row, value)
	b.and(row, l.Where)
}

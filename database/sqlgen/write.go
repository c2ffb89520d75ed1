package sqlgen

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// Insert renders an insert of n rows. Its placeholders are the values of the columns, row by
// row.
func Insert(d Dialect, t *schema.Type, columns []*schema.Field, n int, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		b.Text("INSERT INTO ")
		b.Name(t.Table)
		if len(columns) == 0 {
			b.Text(" DEFAULT VALUES")
		} else {
			b.values(columns, n)
		}
		b.returning(returning)
	})
}

// InsertRows renders an insert of any number of rows, for a dialect of Arrays: its placeholders are
// those of Arrays.Rows.
func InsertRows(d Arrays, w *query.Write, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		b.Text("INSERT INTO ")
		b.Name(w.Type.Table)
		b.names(w.Columns)
		b.Text(" ")
		d.Rows(b, w.Columns)
		b.returning(returning)
	})
}

// names appends the names of columns in parentheses.
func (b *Builder) names(columns []*schema.Field) {
	b.Text(" (")
	list(b, columns, ", ", func(f *schema.Field) { b.Name(f.Column) })
	b.Text(")")
}

func (b *Builder) values(columns []*schema.Field, n int) {
	b.names(columns)
	b.Text(" VALUES ")
	b.tuples(columns, n)
}

// Update renders an update.
func Update(d Dialect, w *query.Write, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		row := b.Alias()
		b.Text("UPDATE ")
		b.Table(w.Type, row)
		b.Text(" SET ")
		b.Of(row, func() {
			list(b, w.Set, ", ", func(a query.Assign) { b.assign(row, a) })
		})
		b.chosen(row, w)
		b.returning(returning)
	})
}

func (b *Builder) assign(row string, a query.Assign) {
	b.Name(a.Field.Column)
	b.Text(" = ")
	if a.Op == query.Set {
		if a.Value.Kind != query.Column {
			a.Value.Field = a.Field // it is stored as the column's type, whatever it may seem to be
		}
		b.Operand(a.Value, a.Field.Scalar)
		return
	}
	b.dialect.Change(b, row, a)
}

// Delete renders a delete.
func Delete(d Dialect, w *query.Write, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		row := b.Alias()
		b.Text("DELETE FROM ")
		b.Table(w.Type, row)
		b.chosen(row, w)
		b.returning(returning)
	})
}

// DeleteFrom renders a delete for a database that wants to be told the alias twice.
func DeleteFrom(d Dialect, w *query.Write, returning []*schema.Field) (Statement, error) {
	return build(d, func(b *Builder) {
		row := b.Alias()
		b.Text("DELETE " + row + " FROM ")
		b.Table(w.Type, row)
		b.chosen(row, w)
		b.returning(returning)
	})
}

// Chosen renders the primary keys of the rows that an update or delete changes, and locks them.
func Chosen(d Strict, w *query.Write) (Statement, error) {
	return build(d, func(b *Builder) {
		row := b.Alias()
		b.Text("SELECT ")
		b.Columns(row, w.Type.Primary)
		b.Text(" FROM ")
		b.Table(w.Type, row)
		b.chosen(row, w)
		d.Lock(b, row)
	})
}

// chosen appends the condition of an update or delete.
func (b *Builder) chosen(row string, w *query.Write) {
	if !w.ByKeys {
		b.Filter(row, w.Where)
		return
	}
	b.Text(" WHERE ")
	b.dialect.ByKeys(b, row, w.Type)
	b.and(row, w.Where)
}

func (b *Builder) returning(fs []*schema.Field) {
	if len(fs) == 0 {
		return
	}
	b.Text(" RETURNING ")
	list(b, fs, ", ", func(f *schema.Field) { b.Name(f.Column) })
}

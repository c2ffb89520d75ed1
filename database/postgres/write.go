package postgres

import (
	"context"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

func (c *conn) write(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	switch w.Verb {
	case query.Create:
		return c.insert(ctx, w)
	case query.Update:
		if len(w.Rows) > 0 {
			return c.alterRows(ctx, w, b)
		}
		return c.alter(ctx, w, b, sqlgen.Update)
	case query.Delete:
		return c.alter(ctx, w, b, sqlgen.Delete)
	}
	return driver.Written{}, fault.New(fault.Internal, "a write that does not write: %s", w.Verb)
}

type renderWrite func(sqlgen.Dialect, *query.Write, []*schema.Field) (sqlgen.Statement, error)

func (c *conn) alter(ctx context.Context, w *query.Write, b *query.Binding, render renderWrite) (driver.Written, error) {
	if w.ByKeys && len(b.Keys) == 0 || w.Verb == query.Update && len(w.Set) == 0 {
		return driver.Written{}, nil
	}
	returning := returned(w)
	text, err := render(dialect{}, w, returning)
	if err != nil {
		return driver.Written{}, err
	}
	p, err := c.bound(ctx, &text, b)
	if err != nil {
		return driver.Written{}, err
	}
	done := driver.Written{}
	done.Affected, err = c.change(ctx, p, collect(w, &done))
	return done, err
}

// returned are the columns that a write gives of each row.
func returned(w *query.Write) []*schema.Field {
	if w.WantKeys {
		return slices.Concat(w.Type.Primary, w.Returning)
	}
	return w.Returning
}

// collect adds what is returned of each row.
func collect(w *query.Write, done *driver.Written) func([][]byte, []kind) {
	return func(row [][]byte, kinds []kind) {
		if w.WantKeys {
			done.Keys = appendValues(done.Keys, row, kinds, w.Type.Primary)
			row, kinds = row[len(w.Type.Primary):], kinds[len(w.Type.Primary):]
		}
		done.Values = appendValues(done.Values, row, kinds, w.Returning)
	}
}

func appendValues(dst []schema.Value, row [][]byte, kinds []kind, columns []*schema.Field) []schema.Value {
	for i, f := range columns {
		v := schema.Null
		if row[i] != nil {
			v = valueOf(kinds[i], row[i], f)
		}
		dst = append(dst, v)
	}
	return dst
}

// alterRows is one statement, whatever the number of rows.
func (c *conn) alterRows(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	done := driver.Written{}
	if len(w.SetColumns()) == 0 && len(w.Set) == 0 {
		return done, nil
	}
	returning := returned(w)
	text, err := sqlgen.UpdateRows(dialect{}, w, len(w.Rows), returning)
	if err != nil {
		return done, err
	}
	p, err := c.cache.get(ctx, text.Text)
	if err != nil {
		return done, err
	}
	c.args.reset(p)
	c.args.columns(w)
	for i := len(w.Columns); i < len(text.Params); i++ {
		if err := c.args.param(&text.Params[i], b); err != nil {
			return done, err
		}
	}
	done.Affected, err = c.change(ctx, p, collect(w, &done))
	return done, err
}

// columns adds the values of the rows of a write, a list for each column.
func (a *args) columns(w *query.Write) {
	column := make([]schema.Value, len(w.Rows))
	for i, f := range w.Columns {
		for n, row := range w.Rows {
			column[n] = row[i]
		}
		a.list(column, 1, insertedAs(f))
	}
}

// insert is one statement, whatever the number of rows: the columns are arrays.
func (c *conn) insert(ctx context.Context, w *query.Write) (driver.Written, error) {
	done := driver.Written{}
	if len(w.Rows) == 0 {
		return done, nil
	}
	returning := returned(w)
	if len(w.Rows) > 1 && len(w.Columns) > 0 {
		err := c.insertMany(ctx, w, returning, &done)
		return done, err
	}
	text, err := c.inserts.Text(w.Type, w.Columns, 1, returning, func() (sqlgen.Statement, error) {
		return sqlgen.Insert(dialect{}, w.Type, w.Columns, 1, returning)
	})
	if err != nil {
		return done, err
	}
	p, err := c.cache.get(ctx, text)
	if err != nil {
		return done, err
	}
	for _, row := range w.Rows {
		c.args.reset(p)
		for _, v := range row {
			c.args.value(v)
		}
		affected, err := c.change(ctx, p, collect(w, &done))
		if err != nil {
			return done, err
		}
		done.Affected += affected
	}
	return done, nil
}

func (c *conn) insertMany(ctx context.Context, w *query.Write, returning []*schema.Field, done *driver.Written) error {
	text, err := c.inserts.Text(w.Type, w.Columns, 0, returning, func() (sqlgen.Statement, error) {
		return sqlgen.InsertRows(dialect{}, w, returning)
	})
	if err != nil {
		return err
	}
	p, err := c.cache.get(ctx, text)
	if err != nil {
		return err
	}
	c.args.reset(p)
	c.args.columns(w)
	done.Affected, err = c.change(ctx, p, collect(w, done))
	return err
}

// insertedAs is what the values of a column are sent as: integers as they are, and all else as
// texts, also lists.
func insertedAs(f *schema.Field) schema.Scalar {
	if !f.List && isInteger(stored(f)) && f.Scalar != schema.Float {
		return schema.BigInt
	}
	return schema.String
}

// Rows takes the columns out of arrays, in their order, so that keys that the database makes, and
// what is returned, have it too.
func (dialect) Rows(b *sqlgen.Builder, columns []*schema.Field) {
	row := b.Alias()
	name := func(i int) {
		b.Text("v")
		b.Int(i)
	}
	b.Text("SELECT ")
	for i, f := range columns {
		comma(b, i)
		b.Text(row + ".")
		name(i)
		b.Text("::" + columnType(f))
	}
	b.Text(" FROM unnest(")
	for i, f := range columns {
		comma(b, i)
		b.Bind(sqlgen.Param{Bind: sqlgen.List, From: query.Const(schema.List(nil)), Scalar: insertedAs(f)})
	}
	b.Text(") WITH ORDINALITY AS " + row + "(")
	for i := range columns {
		name(i)
		b.Text(", ")
	}
	b.Text("n) ORDER BY " + row + ".n")
}

func comma(b *sqlgen.Builder, i int) {
	if i > 0 {
		b.Text(", ")
	}
}

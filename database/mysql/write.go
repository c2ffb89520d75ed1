package mysql

import (
	"context"
	sqldriver "database/sql/driver"
	"errors"
	"io"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

func (c *conn) write(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	switch {
	case w.Verb == query.Create:
		return c.insert(ctx, w)
	case w.Verb == query.Update && len(w.Rows) > 0:
		return c.changeRows(ctx, w, b)
	case w.Verb == query.Update && len(w.Set) == 0:
		return driver.Written{}, nil
	case w.Verb == query.Update || w.Verb == query.Delete:
		return c.change(ctx, w, b)
	}
	return driver.Written{}, fault.New(fault.Internal, "a write that does not write: %s", w.Verb)
}

const (
	// batch is how many rows or keys one statement has at most.
	batch = 256
	// parameters are the most that a statement takes.
	parameters = 65_535
)

// pieces calls do with powers of two that add up to n, so that there are few different statements;
// width is how many parameters each takes, besides some that are of all.
func pieces(n, width int, do func(from, to int) error) error {
	most := 1
	for most*2 <= batch && (most*2+1)*width <= parameters {
		most *= 2
	}
	for from := 0; from < n; {
		size := most
		for size > n-from {
			size /= 2
		}
		if err := do(from, from+size); err != nil {
			return err
		}
		from += size
	}
	return nil
}

// change does an update or delete. A statement that changes a table cannot look at it otherwise, nor
// tell what it changed: then the keys of the rows are read and locked first.
func (c *conn) change(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	done := driver.Written{}
	keys := b.Keys
	own := ownLinks(w)
	if w.WantKeys || len(own) > 0 && !w.ByKeys || query.LooksElsewhere(w.Where) {
		var err error
		if keys, err = c.lock(ctx, w, b); err != nil {
			return done, err
		}
		chosen := *w
		chosen.Where, chosen.ByKeys = nil, true
		w = &chosen
	}
	if w.WantKeys {
		done.Keys = keys
	}
	if !w.ByKeys {
		return done, c.alter(ctx, w, b, 0, &done)
	}
	if len(own) > 0 {
		free := query.Write{Verb: query.Update, Type: w.Type, Where: w.Where, ByKeys: true, Set: own}
		if err := c.alterKeys(ctx, &free, b, keys, &driver.Written{}); err != nil {
			return done, err
		}
	}
	return done, c.alterKeys(ctx, w, b, keys, &done)
}

func (c *conn) alterKeys(ctx context.Context, w *query.Write, b *query.Binding, keys []schema.Value, done *driver.Written) error {
	width := len(w.Type.Primary)
	return pieces(len(keys)/width, width, func(from, to int) error {
		some := *b
		some.Keys = keys[from*width : to*width]
		return c.alter(ctx, w, &some, to-from, done)
	})
}

// ownLinks take the keys out of rows that are to go, by which they link to rows of their table: of
// rows that go together, too, the server wants those that link to go first, and one that links to itself never goes.
func ownLinks(w *query.Write) (set []query.Assign) {
	if w.Verb != query.Delete {
		return nil
	}
	for _, f := range w.Type.Fields {
		if !f.IsLink() || !f.Link.Owns || !f.Link.Enforced || f.Link.Target != w.Type {
			continue
		}
		for _, key := range f.Link.From {
			if !key.NonNull && !slices.Contains(w.Type.Primary, key) {
				set = append(set, query.Assign{Field: key, Value: query.Const(schema.Null)})
			}
		}
	}
	return set
}

// lock is the keys of the rows that a write changes, which nobody else changes from then on.
func (c *conn) lock(ctx context.Context, w *query.Write, b *query.Binding) ([]schema.Value, error) {
	var keys []schema.Value
	some := func(b *query.Binding, n int) error {
		text, err := sqlgen.Chosen(dialect{server: c.server, keys: n}, w)
		if err != nil {
			return err
		}
		p, err := c.bound(ctx, &text, b)
		if err != nil {
			return err
		}
		keys, err = c.collect(ctx, p, keys, w.Type.Primary)
		return err
	}
	if !w.ByKeys {
		err := some(b, 0)
		return keys, err
	}
	width := len(w.Type.Primary)
	err := pieces(len(b.Keys)/width, width, func(from, to int) error {
		part := *b
		part.Keys = b.Keys[from*width : to*width]
		return some(&part, to-from)
	})
	return keys, err
}

// collect runs a statement, and appends the columns of its rows.
func (c *conn) collect(ctx context.Context, p *prepared, dst []schema.Value, columns []*schema.Field) ([]schema.Value, error) {
	a, err := c.query(ctx, p)
	if err != nil {
		return dst, err
	}
	row := make([]sqldriver.Value, len(columns))
	for {
		if err = a.Next(row); err != nil {
			break
		}
		for i, f := range columns {
			dst = append(dst, value(row[i], f, c.server))
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if closed := a.Close(); err == nil {
		err = closed
	}
	return dst, c.checked(a.done(err))
}

// alter runs an update or delete of n keys, or one that says by itself of which rows it is.
func (c *conn) alter(ctx context.Context, w *query.Write, b *query.Binding, n int, done *driver.Written) error {
	render := sqlgen.DeleteFrom
	if w.Verb == query.Update {
		render = sqlgen.Update
	}
	text, err := render(dialect{server: c.server, keys: n}, w, nil)
	if err != nil {
		return err
	}
	p, err := c.bound(ctx, &text, b)
	if err != nil {
		return err
	}
	affected, _, err := c.exec(ctx, p)
	done.Affected += affected
	return err
}

// most is how many bytes of rows one statement takes, beside the last of them.
const most = 1 << 20

// changeRows runs an update of all rows that are as long as a statement may be. Which rows there are
// is asked before, and they are locked, where somebody wants to know or the condition looks elsewhere.
func (c *conn) changeRows(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	done := driver.Written{}
	if len(w.SetColumns()) == 0 && len(w.Set) == 0 {
		return done, nil
	}
	all := *w
	if w.WantKeys || query.LooksElsewhere(w.Where) {
		if err := c.those(ctx, &all, b, &done); err != nil {
			return done, err
		}
	}
	text, err := sqlgen.UpdateJoined(dialect{server: c.server}, &all)
	if err != nil {
		return done, err
	}
	for rows := all.Rows; len(rows) > 0; {
		c.args.reset()
		rows = rows[c.args.rows(all.Columns, rows):]
		if err := c.args.more(text.Params[1:], b); err != nil {
			return done, err
		}
		p, err := c.ready(ctx, text.Text)
		if err != nil {
			return done, err
		}
		affected, _, err := c.exec(ctx, p)
		if err != nil {
			return done, err
		}
		done.Affected += affected
	}
	return done, nil
}

// those leaves of an update by rows the rows that meet its condition.
func (c *conn) those(ctx context.Context, w *query.Write, b *query.Binding, done *driver.Written) error {
	width := len(w.Type.Primary)
	all := *b
	all.Keys = nil
	for _, row := range w.Rows {
		all.Keys = append(all.Keys, row[:width]...)
	}
	keys, err := c.lock(ctx, &query.Write{Verb: query.Update, Type: w.Type, Where: w.Where, ByKeys: true}, &all)
	there := make(map[string]bool, len(keys)/width)
	for key := range slices.Chunk(keys, width) {
		there[nameOf(key)] = true
	}
	w.Rows = slices.DeleteFunc(slices.Clone(w.Rows), func(row []schema.Value) bool { return !there[nameOf(row[:width])] })
	w.Where = nil
	if w.WantKeys {
		for _, row := range w.Rows {
			done.Keys = append(done.Keys, row[:width]...)
		}
	}
	return err
}

// asWritten is what the values of a column are written to JSON as: integers and floats as they are, lists
// and documents as texts.
func asWritten(f *schema.Field) schema.Scalar {
	if f.List || isDocument(f.Scalar) {
		return schema.String
	}
	return stored(f)
}

// Values are a parameter that args.rows gives.
func (d dialect) Values(b *sqlgen.Builder, columns []*schema.Field, alias string) {
	b.Text("JSON_TABLE(")
	b.Bind(sqlgen.Param{Bind: sqlgen.Keys, Columns: columns})
	b.Text(", '$[*]' COLUMNS (")
	each(b, len(columns), func(i int) { part(b, i, d.packedAs(columns[i])) })
	b.Text(")) AS " + alias)
}

// packedAs is packedFor of what is written.
func (d dialect) packedAs(f *schema.Field) string {
	if f.List {
		return d.packed(schema.String)
	}
	return d.packedFor(f)
}

// ValueOf takes what the table of a write holds for what is stored.
func (d dialect) ValueOf(b *sqlgen.Builder, alias string, i int, f *schema.Field) {
	b.Text(d.unpacked(partOf(alias, i), asWritten(f)))
}

// nameOf tells keys apart.
func nameOf(key []schema.Value) string { return schema.List(key).String() }

// insert runs statements of several rows. Keys that the database makes are told by MariaDB, in the
// order of the rows, and by MySQL for one row at a time.
func (c *conn) insert(ctx context.Context, w *query.Write) (driver.Written, error) {
	done := driver.Written{}
	wanted := w.WantKeys && !knowsKeys(w)
	var returning []*schema.Field
	if wanted && c.server.mariadb {
		returning = w.Type.Primary
	}
	width := len(w.Columns)
	if width == 0 || wanted && !c.server.mariadb {
		width = parameters // one row at a time
	}
	err := pieces(len(w.Rows), width, func(from, to int) error {
		id, err := c.insertSome(ctx, w, w.Rows[from:to], returning, &done)
		if wanted && returning == nil && err == nil {
			done.Keys = append(done.Keys, madeKey(w, w.Rows[from], id)...)
		}
		return err
	})
	if w.WantKeys && !wanted {
		done.Keys = givenKeys(w)
	}
	return done, err
}

func (c *conn) insertSome(ctx context.Context, w *query.Write, rows [][]schema.Value, returning []*schema.Field, done *driver.Written) (id int64, err error) {
	text, err := c.insertText(w, len(rows), returning)
	if err != nil {
		return 0, err
	}
	p, err := c.ready(ctx, text)
	if err != nil {
		return 0, err
	}
	c.args.reset()
	for _, row := range rows {
		for i, v := range row {
			c.args.value(v, w.Columns[i].Scalar)
		}
	}
	if returning != nil {
		done.Keys, err = c.collect(ctx, p, done.Keys, returning)
	} else {
		_, id, err = c.exec(ctx, p)
	}
	if err == nil {
		done.Affected += len(rows)
	}
	return id, err
}

// insertText is an insert of n rows, or of one that is all defaults.
func (c *conn) insertText(w *query.Write, n int, returning []*schema.Field) (string, error) {
	d := dialect{server: c.server}
	if len(w.Columns) > 0 {
		return c.inserts.Text(w.Type, w.Columns, n, returning, func() (sqlgen.Statement, error) {
			return sqlgen.Insert(d, w.Type, w.Columns, n, returning)
		})
	}
	text := append(d.Quote([]byte("INSERT INTO "), w.Type.Table), " () VALUES ()"...)
	for i, f := range returning {
		text = append(text, []string{" RETURNING ", ", "}[min(i, 1)]...)
		text = d.Quote(text, f.Column)
	}
	return string(text), nil
}

// madeKey is the key of a row of which the database made one column.
func madeKey(w *query.Write, row []schema.Value, id int64) []schema.Value {
	key := make([]schema.Value, len(w.Type.Primary))
	for i, f := range w.Type.Primary {
		key[i] = schema.Integer(id)
		if at := slices.Index(w.Columns, f); at >= 0 && !row[at].IsNull() {
			key[i] = row[at]
		}
	}
	return key
}

func givenKeys(w *query.Write) []schema.Value {
	keys := make([]schema.Value, 0, len(w.Rows)*len(w.Type.Primary))
	for _, row := range w.Rows {
		for _, f := range w.Type.Primary {
			keys = append(keys, row[slices.Index(w.Columns, f)])
		}
	}
	return keys
}

// knowsKeys is whether every row that is inserted has its whole key.
func knowsKeys(w *query.Write) bool {
	for _, f := range w.Type.Primary {
		at := slices.Index(w.Columns, f)
		if at < 0 || slices.ContainsFunc(w.Rows, func(row []schema.Value) bool { return row[at].IsNull() }) {
			return false
		}
	}
	return true
}

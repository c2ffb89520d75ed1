// Package sqlite answers the questions of package query from an SQLite file: pure Go, WAL,
// one writer and many readers.
//
// It expects the columns of sdl.md's table: TEXT, INTEGER, REAL and BLOB; Decimal as
// TEXT COLLATE DECIMAL (a collation this package registers); lists and embedded values as
// JSON in TEXT. Tables keep SQLite's row key: they are not WITHOUT ROWID.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Driver is one open SQLite database.
type Driver struct {
	file    file
	product string
	library library
	readers *pool
	writer  *pool // of one connection

	mu    sync.Mutex
	plain *sql.DB // guarded by mu; opened when Conn asks
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.SQL    = (*Driver)(nil)
)

// Open opens the file of a URL such as sqlite:data/app.db, relative to the working directory
// or absolute, and makes it when it is not there; its folder must be. sqlite::memory: is a
// temporary file that lives as long as the driver. An error is a fault that says what is wrong
// with the file, in one line.
func Open(ctx context.Context, url string) (*Driver, error) {
	f, err := locate(url)
	if err != nil {
		return nil, err
	}
	d := &Driver{file: f}
	d.writer = newPool(1, d.connect)
	d.readers = newPool(readers(), d.connect)
	err = d.Ping(ctx)
	if err == nil {
		err = d.writable(ctx)
	}
	if err != nil {
		return nil, errors.Join(f.describe(err), d.Close())
	}
	tls := libc.NewTLS()
	defer tls.Close()
	d.product = "SQLite " + libc.GoString(sqlite3.Xsqlite3_libversion(tls))
	return d, nil
}

// writable is an error where the file is one that SQLite opened only to read.
func (d *Driver) writable(ctx context.Context) error {
	c, err := d.writer.take(ctx)
	if err != nil {
		return err
	}
	defer d.writer.give(c)
	if sqlite3.Xsqlite3_db_readonly(c.tls, c.db, 0) == 0 {
		return nil
	}
	return explain(&failure{code: sqlite3.SQLITE_READONLY, message: "attempt to write a readonly database"}, nil)
}

func (d *Driver) connect() (*conn, error) { return open(d.file.dsn(), &d.library) }

// Product is the version of SQLite.
func (d *Driver) Product() string { return d.product }

// Features are all there are.
func (d *Driver) Features() driver.Features {
	return driver.Features{Transactions: true, ForeignKeys: true, Search: true, DocumentOrder: true, Microseconds: true, BytesOrder: true}
}

// Ping reads the file's schema: with a reader, because a long write does not mean that the
// database is not there.
func (d *Driver) Ping(ctx context.Context) error {
	c, err := d.readers.take(ctx)
	if err != nil {
		return err
	}
	defer d.readers.give(c)
	return explain(c.exec("SELECT count(*) FROM sqlite_schema"), nil)
}

// Close waits for the connections that are lent, and closes all.
func (d *Driver) Close() error {
	d.writer.close()
	d.readers.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	var err error
	if d.plain != nil {
		err = d.plain.Close()
	}
	return errors.Join(err, d.file.remove())
}

// statement is a rendered level.
type statement struct {
	sqlgen.Statement
	columns []*schema.Field
	width   int               // values of one key; 0 without keys
	one     *sqlgen.Statement // for exactly one key
}

// countColumns are those of the answer of a level that counts.
var countColumns = []*schema.Field{{Name: "count", Scalar: schema.Int, NonNull: true}}

// Prepare renders a level.
func (d *Driver) Prepare(n rules.Narrowed) (driver.Statement, error) {
	l := n.Level()
	s := &statement{columns: columnsOf(l)}
	if l.Count {
		s.columns = countColumns
	}
	var err error
	if s.Statement, err = sqlgen.Level(dialect{}, l); err != nil {
		return nil, err
	}
	if l.Via != nil {
		one, err := sqlgen.OneKey(dialect{}, l)
		if err != nil {
			return nil, err
		}
		s.one, s.width = &one, len(sqlgen.ViaKey(l))
	}
	return s, nil
}

// View lends a reader. Its transaction costs no more than the first statement's own would.
func (d *Driver) View(ctx context.Context, do func(driver.Reader) error) (err error) {
	c, err := d.readers.take(ctx)
	if err != nil {
		return err
	}
	// The reader is clean again whatever do does, and if it panics.
	defer d.readers.give(c)
	if err := c.begin.run(); err != nil {
		return explain(err, nil)
	}
	c.ctx = ctx
	return do(reader{c})
}

// reader runs statements on a connection.
type reader struct{ *conn }

// Find runs a statement that this driver prepared.
func (r reader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	prepared, ok := s.(*statement)
	if !ok {
		return nil, fault.New(fault.Internal, "a statement of another driver")
	}
	r.rows.stop()
	r.ctx = ctx
	text, skip := &prepared.Statement, 0
	if prepared.width > 0 {
		if len(b.Keys) == prepared.width {
			text = prepared.one
		} else {
			skip = 1
		}
	}
	if err := r.find(text, &b, prepared.columns, skip); err != nil {
		return nil, explain(err, nil)
	}
	return &r.rows, nil
}

func (c *conn) find(text *sqlgen.Statement, b *query.Binding, columns []*schema.Field, skip int) error {
	s, err := c.bound(text, b)
	if err != nil {
		return err
	}
	return c.rows.start(s, columns, skip)
}

// bound is a statement, ready to step.
func (c *conn) bound(text *sqlgen.Statement, b *query.Binding) (*stmt, error) {
	if c.ctx != nil {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
	}
	s, err := c.cache.get(text.Text)
	if err != nil {
		return nil, err
	}
	if err := c.args.params(text.Params, b); err != nil {
		return nil, err
	}
	return s, s.bind()
}

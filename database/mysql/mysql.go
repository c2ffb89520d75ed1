// Package mysql answers the questions of package query from MariaDB and MySQL, by prepared
// statements: values are parameters only, and cells are encoded from what the connection has read.
//
// It expects the columns of sdl.md's table: varchar and longtext in a collation that compares bytes
// and does not pad, int, bigint, double, decimal(p, s), tinyint(1), datetime(6) in UTC, date,
// time(6), char(36), json and longblob; enums as varchar, lists and embedded values as json.
//
// What differs from the other databases:
//   - Texts sort by their first 1024 bytes, unless the server's max_sort_length says otherwise.
//   - A condition on a JSON document reaches 15 levels into it, and takes numbers that are written
//     with an exponent for equal only where they are written alike.
//   - Whether a text is like that of another column, whatever the case, goes by the server's own
//     table of letters, which lacks those of scripts that Unicode took in later.
//   - A condition on groups takes lists of at most 64 elements.
//   - MySQL itself, where it differs from MariaDB, follows its manual and was not run (see server).
package mysql

import (
	"context"
	"database/sql"
	"sync"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Driver is one open database.
type Driver struct {
	connect *connector
	server  *server
	pool    *pool

	mu    sync.Mutex
	plain *sql.DB // guarded by mu; opened when Conn asks
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.SQL    = (*Driver)(nil)
	_ driver.Single = (*Driver)(nil)
	_ driver.Alone  = (*Driver)(nil)
)

// Open connects to the database of a URL such as mysql://user:password@host:3306/name. The URL may
// say pool_max_conns, tls and socket. An error is a fault that says what is wrong, and tells no
// password.
func Open(ctx context.Context, url string) (*Driver, error) {
	config, size, err := configure(url)
	if err != nil {
		return nil, err
	}
	connect, err := newConnector(config)
	if err != nil {
		return nil, err
	}
	d := &Driver{connect: connect}
	d.pool = newPool(size, connect.open)
	c, err := d.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	defer d.pool.give(c)
	d.server = c.server
	return d, nil
}

// Product is the kind and version of the server.
func (d *Driver) Product() string { return d.server.product }

// Features are all there are, but that MySQL does not keep how a document is written.
func (d *Driver) Features() driver.Features {
	return driver.Features{Transactions: true, ForeignKeys: true, Search: true, DocumentOrder: d.server.mariadb, Microseconds: true, BytesOrder: true}
}

// Ping asks the server.
func (d *Driver) Ping(ctx context.Context) error {
	c, err := d.pool.take(ctx)
	if err != nil {
		return err
	}
	defer d.pool.give(c)
	return explain(c.say(ctx, "DO 1"), nil)
}

// Close waits for the connections that are lent, and closes all.
func (d *Driver) Close() error {
	d.pool.close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.plain != nil {
		return d.plain.Close()
	}
	return nil
}

// statement is a rendered level.
type statement struct {
	sqlgen.Statement

	columns []*schema.Field
	totals  []total
	width   int               // values of one key; 0 without keys
	one     *sqlgen.Statement // for exactly one key
}

// Prepare renders a level.
func (d *Driver) Prepare(n rules.Narrowed) (driver.Statement, error) {
	l := n.Level()
	s := &statement{columns: columnsOf(l), totals: totalsOf(l)}
	var err error
	if s.Statement, err = sqlgen.Level(dialect{server: d.server}, l); err != nil {
		return nil, err
	}
	if l.Via != nil {
		one, err := sqlgen.OneKey(dialect{server: d.server}, l)
		if err != nil {
			return nil, err
		}
		s.one, s.width = &one, len(sqlgen.ViaKey(l))
	}
	return s, nil
}

// View lends a connection. Its transaction begins before its first statement.
func (d *Driver) View(ctx context.Context, do func(driver.Reader) error) error {
	return d.lend(ctx, view, do)
}

// Once lends a connection for one statement, which sees one state without a transaction.
func (d *Driver) Once(ctx context.Context, do func(driver.Reader) error) error {
	return d.lend(ctx, nil, do)
}

func (d *Driver) lend(ctx context.Context, begin *transaction, do func(driver.Reader) error) error {
	c, err := d.pool.take(ctx)
	if err != nil {
		return err
	}
	// The connection is clean again whatever do does, and if it panics.
	defer d.pool.give(c)
	c.pending = begin
	return do(reader{c})
}

// reader runs statements on a connection.
type reader struct{ *conn }

// Find runs a statement that this driver prepared.
func (r reader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	of, ok := s.(*statement)
	if !ok {
		return nil, fault.New(fault.Internal, "a statement of another driver")
	}
	r.rows.stop()
	text, skip := &of.Statement, 0
	if of.width > 0 {
		if len(b.Keys) == of.width {
			text = of.one
		} else {
			skip = 1
		}
	}
	if err := r.find(ctx, of, text, &b, skip); err != nil {
		return nil, of.explain(err)
	}
	return &r.rows, nil
}

func (c *conn) find(ctx context.Context, of *statement, text *sqlgen.Statement, b *query.Binding, skip int) error {
	p, err := c.bound(ctx, text, b)
	if err != nil {
		return err
	}
	a, err := c.query(ctx, p)
	if err != nil {
		return err
	}
	return c.rows.start(a, of, skip)
}

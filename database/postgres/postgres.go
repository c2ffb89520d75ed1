// Package postgres answers the questions of package query from PostgreSQL, by the protocol
// itself: statements are prepared once a connection, and cells are encoded from what the server
// sends.
//
// It expects the columns of sdl.md's table: text, integer, bigint, double precision,
// numeric(p, s), boolean, timestamptz(6), date, time(6), uuid, jsonb and bytea; enums as text,
// lists of scalars as native arrays, embedded values and lists of them as jsonb. Columns of text,
// and arrays of it, are declared COLLATE "C": what is compared by order is compared so in any
// case, but only then an index serves it.
//
// What differs from the other databases:
//   - JSON documents have no order, and are not compared as texts (Features.DocumentOrder):
//     jsonb does not keep how a document is written. So a number in one, too, comes back as
//     PostgreSQL writes it: 1e3 as 1000.
//   - Full-text search reads every row that the other conditions leave: it has no index.
//   - A regular expression repeats at most 255 times.
//   - The sum and the average of Floats fail where they leave the range of floats on the way.
//   - A condition on a field inside an embedded value fails where another writer stored there what
//     is no value of the field.
//   - A key that the database makes does not go on after one that was given: its sequence does not
//     see those.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Driver is one open PostgreSQL database.
type Driver struct {
	config  *pgconn.Config
	product string
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

// Open connects to the database of a URL such as postgres://user:password@host/name. The URL may
// say pool_max_conns, and whatever PostgreSQL's own library takes. An error is a fault that says
// what is wrong, and tells no password.
func Open(ctx context.Context, url string) (*Driver, error) {
	config, size, err := configure(url)
	if err != nil {
		return nil, err
	}
	d := &Driver{config: config}
	d.pool = newPool(size, func(ctx context.Context) (*conn, error) { return open(ctx, config) })
	c, err := d.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	defer d.pool.give(c)
	version, _, _ := strings.Cut(c.pg.ParameterStatus("server_version"), " ")
	if err := tooOld(version); err != nil {
		return nil, err
	}
	d.product = "PostgreSQL " + version
	return d, nil
}

// oldest is the oldest version that is served.
const oldest = 13

// tooOld is what to say of a version such as 15.18 that is not served, or nil.
func tooOld(version string) error {
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < oldest {
		return driver.TooOld("PostgreSQL "+version, strconv.Itoa(oldest))
	}
	return nil
}

const (
	maxConnections = "pool_max_conns"
	like           = "postgres://user:password@host:5432/name" //nolint:gosec // an example
)

func configure(url string) (*pgconn.Config, int, error) {
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		// The cause may hold the password.
		return nil, 0, driver.UnreadableURL(like)
	}
	if config.Database == "" {
		return nil, 0, driver.UnnamedURL(like)
	}
	size := defaultSize()
	if text, ok := config.RuntimeParams[maxConnections]; ok {
		if size, err = strconv.Atoi(text); err != nil || size < 1 {
			return nil, 0, driver.BadOption(maxConnections, "a number from 1 on", text)
		}
		delete(config.RuntimeParams, maxConnections)
	}
	defaults := map[string]string{
		"application_name": "spacecloud",
		"timezone":         "UTC",
		"jit":              "off", // it costs more than a request's statement does

		"default_transaction_isolation": "read committed", // of statements that are a transaction by themselves
	}
	for name, value := range defaults {
		if _, ok := config.RuntimeParams[name]; !ok {
			config.RuntimeParams[name] = value
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	// The end of a context ends the statement, not the connection.
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: 2 * time.Second}
	}
	return config, size, nil
}

// Product is the version of the server.
func (d *Driver) Product() string { return d.product }

// Features are all but the order of documents.
func (d *Driver) Features() driver.Features {
	return driver.Features{Transactions: true, ForeignKeys: true, Search: true, Microseconds: true, BytesOrder: true, Returning: true}
}

// Ping asks the server.
func (d *Driver) Ping(ctx context.Context) error {
	c, err := d.pool.take(ctx)
	if err != nil {
		return err
	}
	defer d.pool.give(c)
	return explain(c.pg.Ping(ctx), nil)
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

// explain says of an error what the statement knows of it.
func (s *statement) explain(err error) error {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == outOfRange {
		for _, t := range s.totals {
			if t.Field.Scalar == schema.Float {
				return fault.Wrap(fault.Invalid, err, "%s", t.Beyond())
			}
		}
	}
	return explain(err, nil)
}

// Prepare renders a level.
func (d *Driver) Prepare(n rules.Narrowed) (driver.Statement, error) {
	l := n.Level()
	s := &statement{columns: columnsOf(l), totals: totalsOf(l)}
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

// View lends a connection. Its transaction begins with the first statement, in the same message.
func (d *Driver) View(ctx context.Context, do func(driver.Reader) error) error {
	return d.lend(ctx, beginView, do)
}

// Once lends a connection for one statement, which sees one state without a transaction.
func (d *Driver) Once(ctx context.Context, do func(driver.Reader) error) error {
	return d.lend(ctx, "", do)
}

func (d *Driver) lend(ctx context.Context, begin string, do func(driver.Reader) error) error {
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
	begin := r.pending
	err := r.find(ctx, of, text, &b, skip)
	if isStale(err) && r.again(ctx, begin) {
		err = r.find(ctx, of, text, &b, skip)
	}
	if err != nil {
		return nil, of.explain(err)
	}
	return &r.rows, nil
}

func (c *conn) find(ctx context.Context, of *statement, text *sqlgen.Statement, b *query.Binding, skip int) error {
	p, err := c.bound(ctx, text, b)
	if err != nil {
		return err
	}
	a, err := c.run(ctx, p)
	if err != nil {
		return err
	}
	return c.rows.start(a, p, of, skip)
}

// again is whether what failed can be tried again with fresh statements, because nothing was done
// before it; begin is how its transaction was to begin.
func (c *conn) again(ctx context.Context, begin string) bool {
	c.stale = true
	if !c.idle() && (begin == "" || c.say(ctx, rollback) != nil) {
		return false
	}
	if c.cache.clear(ctx) != nil {
		return false
	}
	c.stale, c.pending = false, begin
	return true
}

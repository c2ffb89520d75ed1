package mysql

import (
	"context"
	"database/sql/driver"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
)

// connector opens connections to one server.
type connector struct {
	config *mysql.Config
	driver.Connector
}

// dialed carries the connection of the network out of the driver.
type dialed struct{}

func newConnector(config *mysql.Config) (*connector, error) {
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := (&net.Dialer{KeepAlive: time.Minute}).DialContext(ctx, network, address)
		if to, ok := ctx.Value(dialed{}).(*net.Conn); ok {
			*to = c
		}
		return c, err
	}
	inner, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "its URL cannot be used")
	}
	return &connector{config: config, Connector: inner}, nil
}

// conn is one connection, used by one goroutine at a time. It uses the driver beneath database/sql,
// which would copy every cell of every row, and start a goroutine for each statement.
type conn struct {
	connector *connector
	raw       rawConn
	net       net.Conn
	id        int64 // by which another connection can kill what runs on this one
	server    *server
	cache     cache
	inserts   sqlgen.Inserts
	args      args
	rows      rows
	since     time.Time    // when it became idle
	pending   *transaction // that is to begin before the next statement
	open      bool         // a transaction is open
	isolation string       // of its transactions
	lost      bool         // the server is gone, or the protocol out of step
	spent     bool         // it must not be used again
}

// rawConn is what the driver's connections are.
type rawConn interface {
	driver.Conn
	driver.Pinger
	driver.ExecerContext
	driver.QueryerContext
}

// transaction is how one begins; without a word, with the statement that is all of it.
type transaction struct{ isolation, begin string }

var (
	alone = &transaction{"READ COMMITTED", ""}
	view  = &transaction{"REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"}
	work  = &transaction{"READ COMMITTED", "START TRANSACTION"}
)

// patience is how long what has to be said without a request's context may take.
const patience = 5 * time.Second

func (k *connector) open(ctx context.Context) (*conn, error) {
	c := &conn{connector: k}
	c.cache.conn = c
	inner, err := k.Connect(context.WithValue(ctx, dialed{}, &c.net))
	if err != nil {
		return nil, err
	}
	raw, ok := inner.(rawConn)
	if !ok {
		return nil, fmt.Errorf("a connection of type %T", inner)
	}
	c.raw = raw
	if err := c.greet(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// greet finds out what the server is, and says how the connection is to be.
func (c *conn) greet(ctx context.Context) error {
	rows, err := c.raw.QueryContext(ctx, "SELECT VERSION(), CONNECTION_ID()", nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	var row [2]driver.Value
	if err := rows.Next(row[:]); err != nil {
		return err
	}
	version, _ := row[0].([]byte)
	c.id, _ = row[1].(int64)
	if c.server, err = serverOf(string(version)); err != nil {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	return c.say(ctx, c.server.settings())
}

func (c *conn) close() { _ = c.raw.Close() }

// good is whether the server is still there: after a while it is asked.
func (c *conn) good(ctx context.Context) bool {
	return time.Since(c.since) < doubtful || c.raw.Ping(ctx) == nil
}

// clean ends whatever was left open, and is whether the connection can be used again.
func (c *conn) clean() bool {
	c.rows.stop()
	c.pending = nil
	if c.spent || c.lost {
		return false
	}
	if !c.open {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c.open = false
	return c.say(ctx, "ROLLBACK") == nil
}

// say runs a statement without parameters and rows.
func (c *conn) say(ctx context.Context, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	done := c.watch(ctx)
	_, err := c.raw.ExecContext(context.Background(), text, nil)
	return c.checked(done(err))
}

// begin begins the transaction that is pending.
func (c *conn) begin(ctx context.Context) error {
	t := c.pending
	if t == nil {
		return nil
	}
	if c.isolation != t.isolation {
		if err := c.say(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL "+t.isolation); err != nil {
			return err
		}
		c.isolation = t.isolation
	}
	if t.begin != "" {
		if err := c.say(ctx, t.begin); err != nil {
			return err
		}
		c.open = true
	}
	c.pending = nil
	return nil
}

// bound is a statement with its parameters taken from a binding.
func (c *conn) bound(ctx context.Context, text *sqlgen.Statement, b *query.Binding) (*prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := c.args.params(text.Params, b); err != nil {
		return nil, err
	}
	if c.args.long {
		return c.ready(ctx, withLongTexts(text.Text))
	}
	return c.ready(ctx, text.Text)
}

// ready is a statement in the transaction that it belongs to.
func (c *conn) ready(ctx context.Context, text string) (*prepared, error) {
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	done := c.watch(ctx)
	p, err := c.cache.get(text)
	return p, c.checked(done(err))
}

// answer is what the server says to a statement, on its way.
type answer struct {
	driver.Rows

	conn *conn
	done func(error) error
}

// query runs a statement that reads.
func (c *conn) query(ctx context.Context, p *prepared) (answer, error) {
	done := c.watch(ctx)
	rows, err := p.stmt.Query(c.args.values) //nolint:staticcheck // with a context the driver would close the connection at its end
	if err != nil {
		return answer{}, c.checked(done(err))
	}
	return answer{rows, c, done}, nil
}

// exec runs a statement that writes.
func (c *conn) exec(ctx context.Context, p *prepared) (affected int, lastID int64, err error) {
	done := c.watch(ctx)
	result, err := p.stmt.Exec(c.args.values) //nolint:staticcheck // as above
	if err = c.checked(done(err)); err != nil {
		return 0, 0, err
	}
	rows, err := result.RowsAffected()
	if err != nil {
		return 0, 0, err
	}
	lastID, err = result.LastInsertId()
	return int(rows), lastID, err
}

// checked notes what an error means for the connection.
func (c *conn) checked(err error) error {
	if isLost(err) {
		c.lost = true
	}
	return err
}

// watch has what runs killed when a context ends, until done is called, which says why. The
// connection is not used again then: the kill may come late.
func (c *conn) watch(ctx context.Context) (done func(error) error) {
	if ctx.Done() == nil {
		return func(err error) error { return err }
	}
	var killed sync.WaitGroup
	killed.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer killed.Done()
		c.kill()
	})
	return func(err error) error {
		if stop() {
			return err
		}
		killed.Wait()
		c.spent = true
		if err != nil {
			return context.Cause(ctx)
		}
		return nil
	}
}

// kill ends what runs, by another connection; where there can be none, by ending this one.
func (c *conn) kill() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	other, err := c.connector.Connect(ctx)
	if err == nil {
		defer other.Close()
		if raw, ok := other.(rawConn); ok {
			_, err = raw.ExecContext(ctx, fmt.Sprintf("KILL QUERY %d", c.id), nil)
		}
	}
	if err != nil {
		_ = c.net.Close()
	}
}

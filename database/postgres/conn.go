package postgres

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
)

// conn is one connection, used by one goroutine at a time. It speaks the protocol by pgconn and
// not through pgx or database/sql, which would box every cell of every row.
type conn struct {
	pg      *pgconn.PgConn
	cache   cache
	inserts sqlgen.Inserts
	args    args
	rows    rows
	batch   pgconn.Batch
	named   int       // statements that were prepared so far
	since   time.Time // when it became idle
	stale   bool      // its statements are not those of the tables as they are now
	pending string    // how a transaction begins that its first statement is to begin
	point   point
}

// prepared is one statement of a connection.
type prepared struct {
	description *pgconn.StatementDescription
	formats     []int16 // of the columns
	kinds       []kind  // of the columns
	text        string

	newer, older *prepared // in the cache
}

const (
	beginView = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginTx   = "BEGIN ISOLATION LEVEL READ COMMITTED"
	commit    = "COMMIT"
	rollback  = "ROLLBACK"

	setPoint     = "SAVEPOINT sc"
	releasePoint = "RELEASE SAVEPOINT sc"
	returnTo     = "ROLLBACK TO SAVEPOINT sc"
)

// point is what is to be said of a savepoint with the next statement, in the same message.
type point uint8

const (
	noPoint point = iota
	newPoint
	oldPoint // release it
	oldAndNewPoint
)

// before are the statements that are sent with one in one message, before it.
func (c *conn) before(texts []string) []string {
	if c.pending != "" {
		texts = append(texts, c.pending)
	}
	if c.point == oldPoint || c.point == oldAndNewPoint {
		texts = append(texts, releasePoint)
	}
	if c.point == newPoint || c.point == oldAndNewPoint {
		texts = append(texts, setPoint)
	}
	return texts
}

// patience is how long what has to be said without a request's context may take.
const patience = 5 * time.Second

func open(ctx context.Context, config *pgconn.Config) (*conn, error) {
	pg, err := pgconn.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	c := &conn{pg: pg}
	c.cache.conn = c
	return c, nil
}

func (c *conn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = c.pg.Close(ctx)
}

// good is whether the server is still there: after a while it is asked.
func (c *conn) good(ctx context.Context) bool {
	return !c.pg.IsClosed() && (time.Since(c.since) < doubtful || c.pg.Ping(ctx) == nil)
}

// idle is whether no transaction is open.
func (c *conn) idle() bool { return c.pg.TxStatus() == 'I' }

// clean ends whatever was left open, and is whether the connection can be used again.
func (c *conn) clean() bool {
	c.rows.stop()
	c.pending, c.point = "", noPoint
	if c.stale || c.pg.IsClosed() || c.pg.IsBusy() {
		return false
	}
	if c.idle() {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.say(ctx, rollback) == nil && c.idle()
}

// say runs a statement without parameters and rows.
func (c *conn) say(ctx context.Context, text string) error {
	p, err := c.cache.get(ctx, text)
	if err != nil {
		return err
	}
	_, err = c.pg.ExecStatement(ctx, p.description, nil, nil, nil).Close()
	return err
}

func (c *conn) prepare(ctx context.Context, text string) (*prepared, error) {
	c.named++
	d, err := c.pg.Prepare(ctx, "sc_"+strconv.Itoa(c.named), text, nil)
	if err != nil {
		return nil, err
	}
	p := &prepared{description: d, text: text, formats: make([]int16, len(d.Fields)), kinds: make([]kind, len(d.Fields))}
	for i, f := range d.Fields {
		if p.kinds[i] = kindOf(f.DataTypeOID); p.kinds[i] != asText {
			p.formats[i] = binaryFormat
		}
	}
	return p, nil
}

// answer is what the server says to a statement.
type answer struct {
	*pgconn.ResultReader

	all *pgconn.MultiResultReader // of which it is the last; nil when there is but one
}

// close reads what is left.
func (a answer) close() (affected int, err error) {
	tag, err := a.Close()
	if a.all != nil {
		err = errors.Join(err, a.all.Close())
	}
	return int(tag.RowsAffected()), err
}

// bound is a statement with its parameters taken from a binding.
func (c *conn) bound(ctx context.Context, text *sqlgen.Statement, b *query.Binding) (*prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := c.cache.get(ctx, text.Text)
	if err != nil {
		return nil, err
	}
	return p, c.args.params(p, text.Params, b)
}

// run sends a statement, in one piece with the one that begins its transaction.
func (c *conn) run(ctx context.Context, p *prepared) (answer, error) {
	var room [3]string
	before := c.before(room[:0])
	if len(before) == 0 {
		return answer{ResultReader: c.pg.ExecStatement(ctx, p.description, c.args.all(), c.args.formats, p.formats)}, nil
	}
	c.batch = pgconn.Batch{}
	for _, text := range before {
		first, err := c.cache.get(ctx, text)
		if err != nil {
			return answer{}, err
		}
		c.batch.ExecStatement(first.description, nil, nil, nil)
	}
	c.pending, c.point = "", noPoint
	c.batch.ExecStatement(p.description, c.args.all(), c.args.formats, p.formats)
	all := c.pg.ExecBatch(ctx, &c.batch)
	for n := 0; all.NextResult(); n++ {
		if n == len(before) {
			return answer{all.ResultReader(), all}, nil
		}
	}
	return answer{}, all.Close()
}

// change runs a statement that writes, and adds the values of what it returns.
func (c *conn) change(ctx context.Context, p *prepared, do func(row [][]byte, kinds []kind)) (affected int, err error) {
	a, err := c.run(ctx, p)
	if err != nil {
		return 0, err
	}
	for a.NextRow() {
		do(a.Values(), p.kinds)
	}
	affected, err = a.close()
	c.stale = c.stale || isStale(err)
	return affected, err
}

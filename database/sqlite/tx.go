package sqlite

import (
	"context"
	"errors"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
)

// tx is a transaction on the writer's connection.
type tx struct {
	reader
	driver *Driver
	over   bool
}

var _ driver.Tx = (*tx)(nil)

// Begin waits for the writer, and then for writers of other processes.
func (d *Driver) Begin(ctx context.Context) (driver.Tx, error) {
	c, err := d.writer.take(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.beginImmediate(ctx); err != nil {
		d.writer.give(c)
		return nil, explain(err, nil)
	}
	c.ctx = ctx
	return &tx{reader: reader{c}, driver: d}, nil
}

// beginImmediate asks in turns, so that the end of the context ends the wait too.
func (c *conn) beginImmediate(ctx context.Context) error {
	const turn = 50 * time.Millisecond
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(turn/time.Millisecond))
	defer sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(busyTimeout/time.Millisecond))
	for waited := time.Duration(0); ; waited += turn {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := c.immediate.run()
		var f *failure
		if err == nil || !errors.As(err, &f) || f.code&0xff != sqlite3.SQLITE_BUSY || waited >= busyTimeout {
			return err
		}
	}
}

// Find sees what the transaction wrote.
func (t *tx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if t.over {
		return nil, ended()
	}
	return t.reader.Find(ctx, s, b)
}

// Write does a write.
func (t *tx) Write(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	if t.over {
		return driver.Written{}, ended()
	}
	t.rows.stop()
	t.ctx = ctx
	w := n.Write()
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	done, err := t.write(w, &b)
	return done, explain(err, w)
}

// Commit ends the transaction; when it fails nothing is written.
func (t *tx) Commit(ctx context.Context) error {
	if t.over {
		return ended()
	}
	t.rows.stop()
	t.ctx = ctx
	err := ctx.Err()
	if err == nil {
		err = t.commit.run()
	}
	t.end()
	return explain(err, nil)
}

// Rollback ends the transaction; one that is over already stays so.
func (t *tx) Rollback(context.Context) error {
	t.end()
	return nil
}

// end gives the connection back, which rolls back what is not committed.
func (t *tx) end() {
	if !t.over {
		t.over = true
		t.driver.writer.give(t.conn)
	}
}

func ended() error { return fault.New(fault.Internal, "the transaction has ended") }

package postgres

import (
	"context"
	"errors"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
)

// tx is a transaction.
type tx struct {
	reader

	driver *Driver
	broken bool // a write failed
	over   bool
}

var _ driver.Tx = (*tx)(nil)

// Begin lends a connection. The transaction begins with the first statement, in the same message;
// its updates and deletes lock the rows that they change.
func (d *Driver) Begin(ctx context.Context) (driver.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain(err, nil)
	}
	c, err := d.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	c.pending = beginTx
	return &tx{reader: reader{c}, driver: d}, nil
}

// WriteAlone sends the write without a transaction around it: a statement is one by itself.
func (d *Driver) WriteAlone(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	w := n.Write()
	if w.Verb == query.Create && len(w.Columns) == 0 && len(w.Rows) > 1 { // a statement for each row
		return d.writeWhole(ctx, n, b)
	}
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	c, err := d.pool.take(ctx)
	if err != nil {
		return driver.Written{}, err
	}
	defer d.pool.give(c)
	done, err := c.write(ctx, w, &b)
	return done, explain(err, w)
}

// writeWhole does a write of several statements.
func (d *Driver) writeWhole(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (done driver.Written, err error) {
	tx, err := d.Begin(ctx)
	if err != nil {
		return done, err
	}
	if done, err = tx.Write(ctx, n, b); err != nil {
		return done, errors.Join(err, tx.Rollback(ctx))
	}
	return done, tx.Commit(ctx)
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
	w := n.Write()
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	if !w.Readable {
		done, err := t.write(ctx, w, &b)
		return done, explain(err, w)
	}
	return t.writeReadable(ctx, w, &b)
}

// writeReadable goes back to before the write when it fails: PostgreSQL answers nothing in a
// transaction that has failed.
func (t *tx) writeReadable(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	if t.point == oldPoint {
		t.point = oldAndNewPoint
	} else {
		t.point = newPoint
	}
	done, err := t.write(ctx, w, b)
	if err == nil {
		t.point = oldPoint
		return done, nil
	}
	t.broken = true
	if t.pg.TxStatus() == 'E' {
		_ = t.say(ctx, returnTo) // without it nothing can be asked, which says the next error
	}
	return done, explain(err, w)
}

// Commit ends the transaction; when it fails nothing is written, unless the error is
// driver.Unknown.
func (t *tx) Commit(ctx context.Context) error {
	if t.over {
		return ended()
	}
	t.rows.stop()
	err := ctx.Err()
	if err == nil && t.pg.TxStatus() == 'E' {
		err = fault.New(fault.Internal, "the transaction had failed before it was to be committed")
	}
	if err == nil && t.broken {
		err = fault.New(fault.Internal, "a write of the transaction had failed before it was to be committed")
	}
	asked := err == nil && !t.idle()
	if asked {
		err = t.say(ctx, commit)
	}
	t.end()
	if asked && err != nil && !isRefusal(err) {
		return driver.Unknown(explain(err, nil))
	}
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
		t.driver.pool.give(t.conn)
	}
}

func ended() error { return fault.New(fault.Internal, "the transaction has ended") }

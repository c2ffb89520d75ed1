package mysql

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
	failed bool // a write failed, some of which may be done
	over   bool
}

var _ driver.Tx = (*tx)(nil)

// Begin lends a connection. The transaction begins before its first statement.
func (d *Driver) Begin(ctx context.Context) (driver.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain(err, nil)
	}
	c, err := d.pool.take(ctx)
	if err != nil {
		return nil, err
	}
	c.pending = work
	return &tx{reader: reader{c}, driver: d}, nil
}

// WriteAlone does a write of one statement without a transaction around it: that is one by itself.
func (d *Driver) WriteAlone(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	w := n.Write()
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	if !isOneStatement(w) {
		return d.writeWhole(ctx, n, b)
	}
	c, err := d.pool.take(ctx)
	if err != nil {
		return driver.Written{}, err
	}
	defer d.pool.give(c)
	c.pending = alone
	done, err := c.write(ctx, w, &b)
	return done, explain(err, w)
}

// isOneStatement is whether write sends one statement, at most.
func isOneStatement(w *query.Write) bool {
	if w.Verb == query.Create {
		return len(w.Rows) < 2
	}
	return len(w.Rows) == 0 && !w.WantKeys && !w.ByKeys && !query.LooksElsewhere(w.Where) && len(ownLinks(w)) == 0
}

// writeWhole does a write of several statements.
func (d *Driver) writeWhole(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (done driver.Written, err error) {
	t, err := d.Begin(ctx)
	if err != nil {
		return done, err
	}
	if done, err = t.Write(ctx, n, b); err != nil {
		return done, errors.Join(err, t.Rollback(ctx))
	}
	return done, t.Commit(ctx)
}

// Find sees what the transaction wrote.
func (t *tx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	rows, err := t.reader.Find(ctx, s, b)
	t.note(err)
	return rows, err
}

// Write does a write.
func (t *tx) Write(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	if err := t.usable(); err != nil {
		return driver.Written{}, err
	}
	t.rows.stop()
	w := n.Write()
	if err := ctx.Err(); err != nil {
		return driver.Written{}, explain(err, w)
	}
	do := t.write
	if w.Readable && len(w.Rows) != 1 && !isOneStatement(w) {
		do = t.writeWhole
	}
	done, err := do(ctx, w, &b)
	t.failed = t.failed || err != nil
	t.note(err)
	return done, explain(err, w)
}

// writeWhole does all or nothing of a write of several statements. One statement does so by itself.
func (t *tx) writeWhole(ctx context.Context, w *query.Write, b *query.Binding) (driver.Written, error) {
	if err := t.begin(ctx); err != nil {
		return driver.Written{}, err
	}
	if err := t.say(ctx, "SAVEPOINT sc"); err != nil {
		return driver.Written{}, err
	}
	done, err := t.write(ctx, w, b)
	if err != nil && !t.lost && !t.spent && !rollsBack(err) {
		err = errors.Join(err, t.say(ctx, "ROLLBACK TO SAVEPOINT sc"))
	}
	return done, err
}

// usable is an error where statements would no longer be of the transaction.
func (t *tx) usable() error {
	if t.over {
		return fault.New(fault.Internal, "the transaction has ended")
	}
	if t.lost || t.spent {
		return fault.New(fault.Unavailable, "the transaction was rolled back")
	}
	return nil
}

// note has nothing more be said on the connection once the server rolled the transaction back:
// it would be committed at once.
func (t *tx) note(err error) { t.spent = t.spent || rollsBack(err) }

// Commit ends the transaction; when it fails nothing is written, unless the error is
// driver.Unknown.
func (t *tx) Commit(ctx context.Context) error {
	err := t.usable()
	if t.over {
		return err
	}
	t.rows.stop()
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && t.failed {
		err = fault.New(fault.Internal, "the transaction had failed before it was to be committed")
	}
	asked := err == nil && t.open
	if asked {
		err = t.say(ctx, "COMMIT")
		t.open = err != nil
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

package mongodb

import (
	"context"
	"math/rand/v2"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
)

// tx is a transaction; on a server without them, one write.
type tx struct {
	reader
	driver *Driver
	used   bool // by a statement
	failed bool // in a write, which ended it on the server
	over   bool
}

var _ driver.Tx = (*tx)(nil)

// Begin starts a transaction of one state of the data. The server hears of it with the first
// statement.
func (d *Driver) Begin(ctx context.Context) (driver.Tx, error) {
	if err := ctx.Err(); err != nil {
		return nil, explain(err, nil)
	}
	t := &tx{reader: reader{db: d.db}, driver: d}
	if !d.transactions {
		return t, nil
	}
	session, err := d.client.StartSession()
	if err != nil {
		return nil, explain(err, nil)
	}
	t.session = session
	if err := t.start(); err != nil {
		session.EndSession(context.WithoutCancel(ctx))
		return nil, explain(err, nil)
	}
	return t, nil
}

func (t *tx) start() error {
	return t.session.StartTransaction(options.Transaction().SetReadConcern(readconcern.Snapshot()).SetWriteConcern(writeconcern.Majority()))
}

// Find sees what the transaction wrote. After a write that failed there is no transaction any
// more, and it sees what others have: that is asked only of what could not be written.
func (t *tx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if t.over {
		return nil, ended()
	}
	if t.failed {
		return (&reader{db: t.db}).Find(ctx, s, b)
	}
	t.used = t.used || t.session != nil
	return t.reader.Find(ctx, s, b)
}

// Write does a write. One that others are in the way of, and before which nothing was done, waits
// for them: MongoDB refuses it instead.
func (t *tx) Write(ctx context.Context, n rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	w := n.Write()
	switch {
	case t.over, t.failed:
		return driver.Written{}, ended()
	case ctx.Err() != nil:
		return driver.Written{}, explain(ctx.Err(), w)
	case t.session == nil && t.used:
		return driver.Written{}, fault.New(fault.Invalid, "this MongoDB is no replica set, so it has no transactions, and a request can make one write; this one makes more")
	}
	first := !t.used
	t.used = true
	done, err := t.write(ctx, w, &b)
	for wait := time.Millisecond; first && isTransient(err) && t.session != nil && wait <= patience; wait *= 2 {
		if err := t.again(ctx, wait); err != nil {
			return driver.Written{}, explain(err, w)
		}
		done, err = t.write(ctx, w, &b)
	}
	t.failed = err != nil && t.session != nil
	return done, explain(err, w)
}

// again starts anew after a while, of up to a fiftieth of a second.
func (t *tx) again(ctx context.Context, wait time.Duration) error {
	if err := t.session.AbortTransaction(ctx); err != nil {
		return err
	}
	const longest = 20 * time.Millisecond
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(time.Duration(1 + rand.Int64N(int64(min(wait, longest))))): //nolint:gosec // no secret
	}
	return t.start()
}

// Commit ends the transaction; when it fails nothing is written, unless the error is
// driver.Unknown.
func (t *tx) Commit(ctx context.Context) error {
	if t.over {
		return ended()
	}
	if t.session == nil {
		t.over = true
		return explain(ctx.Err(), nil)
	}
	defer t.end()
	if t.failed {
		return ended()
	}
	if err := ctx.Err(); err != nil {
		return explain(err, nil)
	}
	err := t.session.CommitTransaction(ctx)
	if err != nil && !isRefusal(err) {
		return driver.Unknown(explain(err, nil))
	}
	return explain(err, nil)
}

// Rollback ends the transaction; one that is over already stays so.
func (t *tx) Rollback(context.Context) error {
	t.end()
	return nil
}

// end ends the session, which rolls back what is not committed.
func (t *tx) end() {
	if t.over {
		return
	}
	t.over = true
	if t.session != nil {
		t.session.EndSession(context.Background())
	}
}

func ended() error { return fault.New(fault.Internal, "the transaction has ended") }

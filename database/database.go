// Package database is an open database under its name: what is the same for all of them,
// over a small driver for each.
package database

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
)

// DB is one open database.
type DB struct {
	name   string
	driver driver.Driver
	claims claims
	gate   gate
}

// Opener opens a database by its URL.
type Opener func(ctx context.Context, url string) (driver.Driver, error)

// Drivers are the openers by the scheme of the URL.
type Drivers map[string]Opener

// Open opens the database that @table(db: name) means, with the driver for the scheme of its
// URL. Errors name the database, and no more of the URL than its scheme: it may hold a password.
func (ds Drivers) Open(ctx context.Context, name, url string) (*DB, error) {
	scheme, _, ok := strings.Cut(url, ":")
	open := ds[scheme]
	switch {
	case !ok:
		return nil, fault.New(fault.Invalid, "database %s: its URL has no scheme, such as %s", name, ds.known())
	case open == nil:
		return nil, fault.New(fault.Invalid, "database %s: %s: is no known scheme; known are %s", name, scheme, ds.known())
	}
	d, err := open(ctx, url)
	if closed, ok := errors.AsType[*driver.Closed](err); ok {
		return nil, fault.New(fault.Unavailable, "database %s: %s", name, closed.Why) // the rest may be many lines
	}
	if err != nil {
		return nil, named(name, err)
	}
	return New(name, d), nil
}

func (ds Drivers) known() string {
	schemes := slices.Sorted(maps.Keys(ds))
	for i := range schemes {
		schemes[i] += ":"
	}
	return strings.Join(schemes, ", ")
}

// New is a database over an open driver.
func New(name string, d driver.Driver) *DB { return NewAt(name, d, time.Now) }

// NewAt is New with a clock, for tests.
func NewAt(name string, d driver.Driver, now func() time.Time) *DB {
	return &DB{name: name, driver: d, gate: gate{now: now}}
}

// Name is what @table calls it.
func (db *DB) Name() string { return db.name }

// Driver is the driver, for its optional powers.
func (db *DB) Driver() driver.Driver { return db.driver }

// Prepare renders a level, once for all its runs.
func (db *DB) Prepare(l rules.Narrowed) (driver.Statement, error) {
	s, err := db.driver.Prepare(l)
	if err != nil {
		return nil, named(db.name, err)
	}
	return s, nil
}

// View lends one state of the data until do returns. While the database is known to be down it
// fails at once.
func (db *DB) View(ctx context.Context, do func(driver.Reader) error) error {
	return db.lend(ctx, db.driver.View, do)
}

func (db *DB) lend(ctx context.Context, view func(context.Context, func(driver.Reader) error) error, do func(driver.Reader) error) error {
	if err := db.ready(ctx); err != nil {
		return err
	}
	lent := false
	err := view(ctx, func(r driver.Reader) error {
		lent = true
		return do(r)
	})
	if err == nil {
		return nil
	}
	db.suspect(ctx, err)
	if !lent {
		return db.unreached(err)
	}
	return err
}

// unreached is the error of a database that lends nothing. Why, and where it is, is not for clients.
func (db *DB) unreached(err error) error {
	if fault.KindOf(err) != fault.Unavailable {
		return err
	}
	return fault.Wrap(fault.Unavailable, fmt.Errorf("database %s: %w", db.name, err), "the database does not answer")
}

// begin starts a transaction, or fails at once while the database is known to be down.
func (db *DB) begin(ctx context.Context) (driver.Tx, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	tx, err := db.driver.Begin(ctx)
	if err != nil {
		db.suspect(ctx, err)
		return nil, db.unreached(err)
	}
	return tx, nil
}

// Once is View for do that runs one statement, which sees one state by itself.
func (db *DB) Once(ctx context.Context, do func(driver.Reader) error) error {
	once, ok := db.driver.(driver.Single)
	if !ok {
		return db.View(ctx, do)
	}
	return db.lend(ctx, once.Once, do)
}

// Tx runs do in one transaction: it commits when do returns nil, and rolls back when do
// returns an error or panics. The context ends the transaction, but not its rollback. Like
// Together it may run do more than once.
func (db *DB) Tx(ctx context.Context, do func(driver.Tx) error) error {
	return Together(ctx, []*DB{db}, nil, func(txs map[*DB]driver.Tx, _ map[*DB]driver.Reader) error { return do(txs[db]) })
}

// WriteAlone does one write in a transaction of its own, more than once if need be as Tx does.
func (db *DB) WriteAlone(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (done driver.Written, err error) {
	alone, ok := db.driver.(driver.Alone)
	if !ok {
		err = db.Tx(ctx, func(tx driver.Tx) error {
			done, err = tx.Write(ctx, w, b)
			return err
		})
		return done, err
	}
	err = again(ctx, []*DB{db}, func() (int, error) {
		if err := db.ready(ctx); err != nil {
			return 0, err
		}
		if done, err = alone.WriteAlone(ctx, w, b); err != nil {
			db.suspect(ctx, err)
		}
		return 0, err
	})
	return done, err
}

// tries is how often a transaction is begun that others keep getting in the way of, and hasty how often
// where a database fails fast: nobody has waited for the others then.
const (
	tries = 4
	hasty = 16
)

// Together runs do in a transaction on each of dbs, and with a view of each of beside. They are begun in the order
// of their names, so that no two requests wait for each other, and those of dbs commit in the order of dbs when
// do returns nil. When do returns an error or panics, or a commit fails, those that have not committed roll back. The
// view of a database that is down answers everything with why.
//
// Where a driver says by driver.Retry that others got in the way, and nothing has been committed,
// all of it is done again, a few times: do has to start over with all that it made. Then the error is a
// fault.Conflict. It is done again at once, for the others are through when the driver says so, unless
// a database fails fast.
func Together(ctx context.Context, dbs, beside []*DB, do func(map[*DB]driver.Tx, map[*DB]driver.Reader) error) error {
	order := slices.SortedFunc(slices.Values(slices.Concat(dbs, beside)), func(a, b *DB) int { return strings.Compare(a.name, b.name) })
	return again(ctx, dbs, func() (int, error) {
		t := &together{dbs: dbs, order: order, txs: map[*DB]driver.Tx{}, views: map[*DB]driver.Reader{}, do: do}
		err := t.run(ctx)
		return t.committed, err
	})
}

// again runs do until nobody gets in its way; it returns how many databases have committed.
func again(ctx context.Context, dbs []*DB, do func() (committed int, err error)) error {
	most := tries
	failsFast := slices.ContainsFunc(dbs, func(db *DB) bool { return db.driver.Features().FailsFast })
	if failsFast {
		most = hasty
	}
	for try := 1; ; try++ {
		committed, err := do()
		switch {
		case committed > 0 || !driver.MayRetry(err):
			return err
		case ctx.Err() != nil:
			return late(err)
		case try == most:
			return crowded(err, most)
		case failsFast && !pause(ctx, try):
			return late(err)
		}
	}
}

// pause waits by chance, the longer the more tries have failed: up to a sixteenth of a second. False when the
// context ends first.
func pause(ctx context.Context, try int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(rand.N(time.Millisecond << min(try, 6))): //nolint:gosec // no secret
		return true
	}
}

// late is the error of a transaction whose time was over while others were in its way, with the path of the last try.
func late(err error) error {
	if fault.KindOf(err) != fault.Unavailable {
		return err // it was said in other words on the way, for a reason
	}
	f := fault.Wrap(fault.Timeout, err, "the request ended before the database answered")
	f.Path = fault.All(err)[0].Path
	return f
}

// crowded is the error of a transaction that was tried often enough, with the path of the last.
func crowded(err error, tries int) error {
	if fault.KindOf(err) != fault.Unavailable {
		return err // it was said in other words on the way, for a reason
	}
	f := fault.Wrap(fault.Conflict, err, "other changes to the same rows got in the way %d times; nothing was changed, ask again", tries)
	f.Path = fault.All(err)[0].Path
	return f
}

// together is one try.
type together struct {
	dbs       []*DB // that are written
	order     []*DB // all, by name
	txs       map[*DB]driver.Tx
	views     map[*DB]driver.Reader
	do        func(map[*DB]driver.Tx, map[*DB]driver.Reader) error
	committed int
	done      bool
}

func (t *together) run(ctx context.Context) (err error) {
	defer func() {
		for _, tx := range t.txs {
			err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
		}
	}()
	return t.open(ctx, t.order)
}

// open begins what is left to begin, and then does it all.
func (t *together) open(ctx context.Context, left []*DB) error {
	if len(left) == 0 {
		return t.commit(ctx)
	}
	db, left := left[0], left[1:]
	if slices.Contains(t.dbs, db) {
		tx, err := db.begin(ctx)
		if err != nil {
			return err
		}
		t.txs[db] = tx
		return t.open(ctx, left)
	}
	err := db.View(ctx, func(r driver.Reader) error {
		t.views[db] = r
		return t.open(ctx, left)
	})
	switch {
	case t.done:
		return nil // a view that was lost meanwhile is not needed any more
	case err != nil && t.views[db] == nil && isDown(ctx, err):
		t.views[db] = absent{err}
		return t.open(ctx, left)
	}
	return err
}

// commit does it, and ends the transactions.
func (t *together) commit(ctx context.Context) error {
	if err := t.do(maps.Clone(t.txs), t.views); err != nil {
		return err
	}
	for _, db := range t.dbs {
		tx := t.txs[db]
		delete(t.txs, db) // a commit ends the transaction even when it fails
		if err := tx.Commit(ctx); err != nil {
			return err
		}
		t.committed++
	}
	t.done = true
	return nil
}

// absent is the view of a database that is down.
type absent struct{ err error }

func (a absent) Find(context.Context, driver.Statement, query.Binding) (driver.Rows, error) {
	return nil, a.err
}

// Ping is whether the database answers: it is asked, also while it is known to be down.
func (db *DB) Ping(ctx context.Context) error { return db.ask(ctx) }

// Close waits for what is under way, and closes.
func (db *DB) Close() error { return named(db.name, db.driver.Close()) }

// named is an error with the database's name before its message.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return fault.Wrap(f.Kind, err, "database %s: %s", name, f.Message)
	}
	return fault.Wrap(fault.Internal, err, "database %s", name)
}

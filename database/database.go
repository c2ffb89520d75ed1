// Package database is an open database under its name: what is the same for all of them,
// over a small driver for each.
package database

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"spacecloud/database/driver"
	"spacecloud/fault"
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
	err := view(ctx, do)
	if err != nil {
		db.suspect(ctx, err)
	}
	return err
}

// begin starts a transaction, or fails at once while the database is known to be down.
func (db *DB) begin(ctx context.Context) (driver.Tx, error) {
	if err := db.ready(ctx); err != nil {
		return nil, err
	}
	tx, err := db.driver.Begin(ctx)
	if err != nil {
		db.suspect(ctx, err)
	}
	return tx, err
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
	return Together(ctx, []*DB{db}, func(txs map[*DB]driver.Tx) error { return do(txs[db]) })
}

// tries is how often a transaction is begun that others keep getting in the way of.
const tries = 4

// Together runs do in a transaction on each of dbs. They begin in the order of their names, so that no two
// requests wait for each other, and commit in the order of dbs when do returns nil. When do returns an
// error or panics, or a commit fails, those that have not committed roll back.
//
// Where a driver says by driver.Retry that others got in the way, and nothing has been committed,
// all of it is done again, a few times and at once: do has to start over with all that it made. Then
// the error is a fault.Conflict.
func Together(ctx context.Context, dbs []*DB, do func(map[*DB]driver.Tx) error) error {
	for try := 1; ; try++ {
		committed, err := together(ctx, dbs, do)
		switch {
		case committed > 0 || !driver.MayRetry(err) || ctx.Err() != nil:
			return err
		case try == tries:
			return crowded(err)
		}
	}
}

// crowded is the error of a transaction that was tried often enough, with the path of the last.
func crowded(err error) error {
	if fault.KindOf(err) != fault.Unavailable {
		return err // it was said in other words on the way, for a reason
	}
	f := fault.Wrap(fault.Conflict, err, "other changes to the same rows got in the way %d times; nothing was changed, ask again", tries)
	f.Path = fault.All(err)[0].Path
	return f
}

// together is one try. It returns how many databases have committed.
func together(ctx context.Context, dbs []*DB, do func(map[*DB]driver.Tx) error) (committed int, err error) {
	open := make(map[*DB]driver.Tx, len(dbs))
	defer func() {
		for _, tx := range open {
			err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
		}
	}()
	byName := slices.SortedFunc(slices.Values(dbs), func(a, b *DB) int { return strings.Compare(a.name, b.name) })
	for _, db := range byName {
		if open[db], err = db.begin(ctx); err != nil {
			delete(open, db)
			return 0, err
		}
	}
	if err := do(maps.Clone(open)); err != nil {
		return 0, err
	}
	for _, db := range dbs {
		tx := open[db]
		delete(open, db) // a commit ends the transaction even when it fails
		if err := tx.Commit(ctx); err != nil {
			return committed, err
		}
		committed++
	}
	return committed, nil
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

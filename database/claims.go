package database

import (
	"context"
	"sync"

	"spacecloud/database/driver"
	"spacecloud/fault"
)

// claims are what is under way, by name, and which tables of ours are known to be there.
type claims struct {
	held sync.Map // of string
	mu   sync.Mutex
	made map[string]bool // guarded by mu
}

// Claim takes a name until release is called; false while somebody else in this process has it.
func (db *DB) Claim(name string) (release func(), ok bool) {
	if _, taken := db.claims.held.LoadOrStore(name, struct{}{}); taken {
		return nil, false
	}
	return func() { db.claims.held.Delete(name) }, true
}

// Ensure makes a table of the server's own, once for as long as the database is open. Create
// is by dialect, and does nothing where the table is there.
func (db *DB) Ensure(ctx context.Context, table string, create map[string][]string) error {
	db.claims.mu.Lock()
	defer db.claims.mu.Unlock()
	if db.claims.made[table] {
		return nil
	}
	sql, ok := speaksSQL(db.driver)
	if !ok {
		return fault.New(fault.Invalid, "database %s cannot keep %s", db.name, table)
	}
	if err := db.ready(ctx); err != nil {
		return err
	}
	conn, err := sql.Conn(ctx)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "the database does not answer")
	}
	defer conn.Close()
	for _, text := range create[sql.Dialect()] {
		if _, err := conn.ExecContext(ctx, text); err != nil {
			return fault.Wrap(fault.Unavailable, err, "database %s: the table %s could not be made", db.name, table)
		}
	}
	if db.claims.made == nil {
		db.claims.made = map[string]bool{}
	}
	db.claims.made[table] = true
	return nil
}

// speaksSQL looks below the decorators of a driver.
func speaksSQL(d driver.Driver) (driver.SQL, bool) {
	for {
		if s, ok := d.(driver.SQL); ok {
			return s, true
		}
		w, ok := d.(interface{ Unwrap() driver.Driver })
		if !ok {
			return nil, false
		}
		d = w.Unwrap()
	}
}

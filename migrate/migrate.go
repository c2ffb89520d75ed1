// Package migrate answers what must change in a database so that it can hold the rows of a
// schema, what of that would lose data, and does it once.
//
// A database is inspected, compared with the state that package generator wants, and the
// difference becomes a Plan: a value that prints itself and knows what it destroys, from
// checks on the data that is there. Apply makes the plan again under the database's lock, so
// that of two servers that start at once one migrates and the other finds nothing to do, and
// writes it into a ledger beside the data. Only what the ledger says we made is ever dropped.
package migrate

import (
	"context"
	"database/sql"
	"fmt"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/schema"
)

// Database is an open database as a migration needs it.
type Database struct {
	Name    string // as the configuration calls it
	Product string // for people: SQLite 3.54.1
	SQL     driver.SQL
}

// Policy says what happens to data that the schema no longer has.
type Policy uint8

const (
	// Exact makes the database as the schema says: what we made and the schema no longer has
	// is dropped, which destroys.
	Exact Policy = iota
	// Keep leaves it where it is. A table stays without its foreign keys, a column becomes
	// nullable and leaves its indexes, so that no row of the schema that is served now is
	// refused for the sake of one that was served before. It is for the first half of a
	// rolling deploy, while older servers still ask for what is to go.
	Keep
	// Tidy is Keep, but drops what holds no data. It is for development: an edit never waits
	// for a decision about data (that a required field was taken out would, if its column
	// stayed NOT NULL and refused every insert), and a name that was mistyped for a
	// moment leaves nothing behind.
	Tidy
)

// Options are how a plan is made and applied.
type Options struct {
	Policy Policy
	// AllowDestroy lets Apply do what loses data.
	AllowDestroy bool
	// Version is that of this program, for the ledger.
	Version string
}

// Make plans what brings the tables of want that live in db to what want says. It changes
// nothing.
func Make(ctx context.Context, db Database, want *schema.Schema, o Options) (Plan, error) {
	var plan Plan
	err := borrow(ctx, db, func(conn *sql.Conn) error {
		g, err := newGoal(want, db)
		if err != nil {
			return err
		}
		return g.look(ctx, conn, false, func() error {
			plan, err = draftPlan(ctx, conn, db, g, o)
			return err
		})
	})
	return plan, err
}

// Fingerprint tells the wanted states of a database apart: nothing that Make asks of the
// schema differs between two of the same fingerprint.
func Fingerprint(db Database, want *schema.Schema) (string, error) {
	g, err := newGoal(want, db)
	if err != nil {
		return "", err
	}
	return g.fingerprint(), nil
}

// borrow lends a connection to do.
func borrow(ctx context.Context, db Database, do func(*sql.Conn) error) error {
	conn, err := db.SQL.Conn(ctx)
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "database %s cannot be reached for a migration", db.Name)
	}
	err = do(conn)
	if closing := conn.Close(); err == nil && closing != nil {
		return fmt.Errorf("give back the connection of %s: %w", db.Name, closing)
	}
	return err
}

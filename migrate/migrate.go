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

	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/schema"
)

// Database is an open database as a migration needs it: one that speaks SQL, or one of documents.
type Database struct {
	Name    string // as the configuration calls it
	Product string // for people: SQLite 3.54.1
	SQL     driver.SQL
	Mongo   *mongo.Database
}

// Documents is a driver of a MongoDB, for migrations.
type Documents interface{ Database() *mongo.Database }

// Target is the database of a driver.
func Target(name string, d driver.Driver) (Database, error) {
	db := Database{Name: name, Product: d.Product()}
	switch d := d.(type) {
	case driver.SQL:
		db.SQL = d
	case Documents:
		db.Mongo = d.Database()
	default:
		return db, fault.New(fault.Invalid, "database %s: %s cannot be migrated yet", name, db.Product)
	}
	return db, nil
}

// engine is how databases of one family are migrated. Plans, records, the meaning of a Policy
// and what the ledger says are common to all.
type engine interface {
	make(ctx context.Context, want *schema.Schema, o Options) (Plan, error)
	apply(ctx context.Context, want *schema.Schema, o Options) (Plan, error)
	fingerprint(want *schema.Schema) (string, error)
	status(ctx context.Context) ([]Entry, error)
	// recall is what an entry of the ledger says of the database and of what is ours in it.
	recall(ctx context.Context, id int64) (memory, record, error)
	untouched(ctx context.Context, s *schema.Schema) (bool, error)
	seeded(ctx context.Context, version string) error
}

func (db Database) engine() engine {
	if db.Mongo != nil {
		return documents{db}
	}
	return relational{db}
}

// relational migrates databases that speak SQL.
type relational struct{ Database }

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
	// back leaves what was there before the migration that is undone.
	back
)

// Options are how a plan is made and applied.
type Options struct {
	Policy Policy
	// AllowDestroy lets Apply do what loses data.
	AllowDestroy bool
	// StructureOnly lets ApplyDown undo a migration that lost data, without the data.
	StructureOnly bool
	// Version is that of this program, for the ledger.
	Version string

	undo *undoing // nil for what leads to a schema
}

// Make plans what brings the tables of want that live in db to what want says. It changes
// nothing.
func Make(ctx context.Context, db Database, want *schema.Schema, o Options) (Plan, error) {
	return db.engine().make(ctx, want, o)
}

// Apply brings the tables of want that live in db to what want says, once: all of it or,
// with an error, nothing, where the database has transactions for that. MongoDB has not: there
// an error may leave a part, and the next Apply does the rest. It returns the plan that was
// done, or that was refused.
func Apply(ctx context.Context, db Database, want *schema.Schema, o Options) (Plan, error) {
	return db.engine().apply(ctx, want, o)
}

// Fingerprint tells the wanted states of a database apart: nothing that Make asks of the
// schema differs between two of the same fingerprint.
func Fingerprint(db Database, want *schema.Schema) (string, error) {
	return db.engine().fingerprint(want)
}

// Status are the entries of the ledger, the oldest first; none where nothing was ever done.
func Status(ctx context.Context, db Database) ([]Entry, error) { return db.engine().status(ctx) }

// Untouched is whether the database was never seeded and holds no row of the schema.
func Untouched(ctx context.Context, db Database, s *schema.Schema) (bool, error) {
	return db.engine().untouched(ctx, s)
}

// Seeded notes that the seed was run, so that it is not run again when all rows are gone.
func Seeded(ctx context.Context, db Database, version string) error {
	return db.engine().seeded(ctx, version)
}

func (r relational) make(ctx context.Context, want *schema.Schema, o Options) (Plan, error) {
	var plan Plan
	err := borrow(ctx, r.Database, func(conn *sql.Conn) error {
		g, err := newGoal(want, r.Database)
		if err != nil {
			return err
		}
		return g.look(ctx, conn, false, func() error {
			plan, err = draftPlan(ctx, conn, r.Database, g, o)
			return err
		})
	})
	return plan, err
}

func (r relational) fingerprint(want *schema.Schema) (string, error) {
	g, err := newGoal(want, r.Database)
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

package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/fault"
	"spacecloud/schema"
)

// dialect is what differs between kinds of databases. What a plan is, how changes are judged
// and what the ledger says is common to all.
type dialect interface {
	access
	planner
	language
}

// access is how a database is read, and changed by one at a time.
type access interface {
	inspect(ctx context.Context, conn *sql.Conn, g *goal) (*state, error)
	hasTable(ctx context.Context, conn *sql.Conn, name string) (bool, error)
	// look runs do, which only reads but may need things to read with, and leaves nothing of
	// them behind. It is called outside of locked, or inside.
	look(ctx context.Context, conn *sql.Conn, inside bool, do func() error) error
	// equip makes what a condition of ours needs, within look.
	equip(ctx context.Context, conn *sql.Conn, condition string) error
	// locked runs do in a transaction, of which there is one at a time.
	locked(ctx context.Context, db Database, conn *sql.Conn, do func() error) error
	// orphans counts the rows whose foreign key leads nowhere, as far as the database lets
	// that come about within locked.
	orphans(ctx context.Context, conn *sql.Conn) (int, error)
	// readers are the views that would not let a column go, or with "" its table.
	readers(ctx context.Context, conn *sql.Conn, table, column string) ([]string, error)
	// note writes down what a step of the plan is about to do, in a database that cannot take
	// back what was done before a failure.
	note(ctx context.Context, conn *sql.Conn, p Plan, step int, version string) error
	// explain is what an error of the database says beside its message, or "".
	explain(err error) string
}

// planner is how a table or view becomes as it is wanted.
type planner interface {
	// diff is what makes have, with the names of want already, as want.
	diff(ctx context.Context, d *draft, have, want *atlas.Table) ([]atlas.Change, error)
	// create is the step that makes a table.
	create(d *draft, want *atlas.Table) Step
	// aside takes a change out of the step of its table, into one of its own.
	aside(d *draft, have, want *atlas.Table, c atlas.Change, said Change) bool
	// alter gives the step of a table its statements.
	alter(ctx context.Context, d *draft, step *Step, have, want *atlas.Table, sources []source, changes []atlas.Change) error
	// arrange puts steps into an order in which the database can do them.
	arrange(d *draft, steps []Step) []Step
	// arrangeViews says which views of ours have to be out of the way, and orders all of them.
	arrangeViews(d *draft)
	// arrangeDrops orders the steps that drop views.
	arrangeDrops(steps []Step) []Step
}

// language is how the database spells what is said to it.
type language interface {
	// createTable are the statements that make a table with all that belongs to it.
	createTable(t *atlas.Table) []string
	createLedger() string
	// bind writes the parameters of a statement as the database knows them.
	bind(statement string) string
	// quote is an identifier in a statement.
	quote(name string) string
	typeName(t atlas.Type) string
	// kindOf is what a column holds of which only the type is known.
	kindOf(t atlas.Type) string
	// convert is how values of a source become those of its column, from an SQL expression of
	// the old one; false where there is no way.
	convert(s source, value string) (conversion, bool)
	// image is the value that a source will have, in a query that never fails.
	image(s source) string
	// shown is the columns of a key as one text: a/b.
	shown(keys []string) string
	// instant is a time as a literal.
	instant(t time.Time) string
	// predicate is the condition of a partial index, or "".
	predicate(i *atlas.Index) string
}

var dialects = map[string]dialect{"sqlite": sqliteDialect{}, "postgres": postgresDialect{}, "mysql": mysqlDialect{}}

func dialectOf(db Database) (dialect, error) {
	name := db.SQL.Dialect()
	if d, ok := dialects[name]; ok {
		return d, nil
	}
	return nil, fault.New(fault.Invalid, "database %s: tables of %s cannot be migrated yet; only those of SQLite, PostgreSQL and MySQL can", db.Name, name)
}

// shownTexts is a key where || joins texts.
func shownTexts(keys []string) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = "CAST(" + k + " AS TEXT)"
	}
	return strings.Join(parts, " || '/' || ")
}

func rfc3339(t time.Time) string { return text(t.UTC().Format("2006-01-02T15:04:05.000000Z")) }

// conversion is how values of one kind become values of another, as SQL on an expression.
type conversion struct {
	expr  string // the new value
	fails string // true for a value that has none; "" if each has one
	loses string // true for a value that cannot be told from the new one; "" if none is lost
}

// on is a conversion whose parts are formats, of a value.
func (c conversion) on(value string) conversion {
	fill := func(format string) string {
		if format == "" {
			return ""
		}
		return fmt.Sprintf(format, value)
	}
	return conversion{fill(c.expr), fill(c.fails), fill(c.loses)}
}

// kindOf is what a column holds, as the ledger notes it. The column's own type tells less: in
// SQLite a date and a name are both TEXT.
func kindOf(f *schema.Field) string {
	kind := f.Scalar.String()
	if f.AutoIncrement {
		kind = "BigInt"
	}
	if f.List {
		return "[" + kind + "]"
	}
	return kind
}

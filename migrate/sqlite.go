package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"spacecloud/fault"
)

// lockWait is how long Apply waits for another migration or writer.
const lockWait = 30 * time.Second

// sqliteDialect makes tables anew for what it cannot alter, with foreign keys off.
type sqliteDialect struct{}

func (sqliteDialect) inspect(ctx context.Context, conn *sql.Conn, g *goal) (*state, error) {
	objects, err := sqliteObjects(ctx, conn)
	if err != nil {
		return nil, err
	}
	s := newState()
	if slices.ContainsFunc(objects, func(o object) bool { return o.name == ledger }) {
		if s.record, err = lastRecord(ctx, conn, g); err != nil {
			return nil, err
		}
	}
	names, err := s.setServed(ctx, conn, g, s.sort(objects, g))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		s.tables = atlas.New("main") // no name would ask Atlas for every table
		return s, nil
	}
	engine, err := sqlite.Open(sqliteSpelled{conn})
	if err != nil {
		return nil, err
	}
	s.tables, err = engine.InspectSchema(ctx, "main", &atlas.InspectOptions{Mode: atlas.InspectTables, Tables: names})
	if err != nil {
		return nil, fmt.Errorf("inspect the database: %w", err)
	}
	sqliteSetApart(s)
	return s, nil
}

func sqliteObjects(ctx context.Context, conn *sql.Conn) ([]object, error) {
	return objects(ctx, conn, "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")
}

// sqliteSetApart takes indexes that we did not make out of the comparison: whoever made them
// wants them. What Atlas does not read, the collation of a column, is added.
func sqliteSetApart(s *state) {
	for _, t := range s.tables.Tables {
		t.Indexes = slices.DeleteFunc(t.Indexes, func(i *atlas.Index) bool {
			var made sqlite.CreateStmt
			return slices.ContainsFunc(s.others[t.Name], func(o object) bool {
				return has(i.Attrs, &made) && made.S == o.text && o.text != ""
			})
		})
		var made sqlite.CreateStmt
		if !has(t.Attrs, &made) {
			continue
		}
		for _, c := range t.Columns {
			if typ, ok := c.Type.Type.(*atlas.StringType); ok {
				if collation := collationOf(made.S, c.Name); collation != "" {
					typ.T += " COLLATE " + collation
				}
			}
		}
	}
}

func collationOf(create, column string) string {
	re, err := regexp.Compile(`(?is)[(,]\s*["` + "`" + `\[]?` + regexp.QuoteMeta(column) + `["` + "`" + `\]]?\s[^,]*?\bCOLLATE\s+["` + "`" + `]?(\w+)`)
	if err != nil {
		return ""
	}
	if m := re.FindStringSubmatch(create); m != nil {
		return m[1]
	}
	return ""
}

func (sqliteDialect) hasTable(ctx context.Context, conn *sql.Conn, name string) (bool, error) {
	var n int
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?", name).Scan(&n)
	return n > 0, err
}

func (sqliteDialect) look(_ context.Context, _ *sql.Conn, _ bool, do func() error) error { return do() }

func (sqliteDialect) equip(context.Context, *sql.Conn, string) error { return nil }

// locked runs do in a transaction that holds the write lock from its beginning. Foreign
// keys are off: SQLite can only say so outside of a transaction, and a rebuild drops tables
// that others point to. What they would have refused is looked for before the commit.
func (sqliteDialect) locked(ctx context.Context, db Database, conn *sql.Conn, do func() error) (err error) {
	restore, err := sqlitePrepare(ctx, conn)
	if err != nil {
		return err
	}
	ending := context.WithoutCancel(ctx)
	defer func() {
		if failed := restore(ending); err == nil && failed != nil {
			err = failed
		}
	}()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fault.Wrap(fault.Unavailable, err, "database %s is locked by another program, or cannot be written; close what has it open and try again", db.Name)
	}
	return commit(ending, db, conn, do)
}

// sqlitePrepare sets what the connection needs and returns what sets it back.
func sqlitePrepare(ctx context.Context, conn *sql.Conn) (restore func(context.Context) error, err error) {
	var keys, busy int
	if err := conn.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&keys); err != nil {
		return nil, err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&busy); err != nil {
		return nil, err
	}
	set := func(ctx context.Context, keys, busy int) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA foreign_keys = %d; PRAGMA busy_timeout = %d", keys, busy))
		return err
	}
	restore = func(ctx context.Context) error {
		// A rebuild that was interrupted leaves this on, and no rollback turns it off.
		_, err := conn.ExecContext(ctx, "PRAGMA legacy_alter_table = OFF")
		return errors.Join(err, set(ctx, keys, busy))
	}
	return restore, set(ctx, 0, int(lockWait.Milliseconds()))
}

func (sqliteDialect) orphans(ctx context.Context, conn *sql.Conn) (n int, err error) {
	rows, err := conn.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return 0, fmt.Errorf("check the foreign keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}

func (sqliteDialect) diff(_ context.Context, _ *draft, have, want *atlas.Table) ([]atlas.Change, error) {
	sqliteAdoptUniques(have, want)
	return sqlite.DefaultDiff.TableDiff(have, want, atlas.DiffNormalized())
}

// sqliteAdoptUniques gives the indexes behind UNIQUE in a table's own definition, which have no
// name that one could write, the name of the wanted index of the same columns.
func sqliteAdoptUniques(have, want *atlas.Table) {
	for _, i := range have.Indexes {
		if !i.Unique || !strings.HasPrefix(i.Name, "sqlite_autoindex_") {
			continue
		}
		for _, w := range want.Indexes {
			if _, taken := have.Index(w.Name); !taken && w.Unique && slices.EqualFunc(i.Parts, w.Parts, samePart) {
				i.Name = w.Name
			}
		}
	}
}

func (l sqliteDialect) create(_ *draft, want *atlas.Table) Step {
	return Step{
		Object: want.Name, Changes: []Change{{Comment: "create table " + want.Name, lacks: true}},
		Statements: l.createTable(want), Reverse: []string{"DROP TABLE " + l.quote(want.Name)}, phase: created,
	}
}

func (sqliteDialect) aside(*draft, *atlas.Table, *atlas.Table, atlas.Change, Change) bool {
	return false
}

// arrange leaves the order: a foreign key may lead to a table that is not there yet.
func (sqliteDialect) arrange(_ *draft, steps []Step) []Step { return steps }

func (sqliteDialect) arrangeViews(*draft) {}

func (sqliteDialect) arrangeDrops(steps []Step) []Step { return steps }

func (sqliteDialect) readers(context.Context, *sql.Conn, string, string) ([]string, error) {
	return nil, nil
}

func (sqliteDialect) explain(error) string { return "" }

func (sqliteDialect) createTable(t *atlas.Table) []string {
	plan, err := sqlite.DefaultPlan.PlanChanges(context.Background(), t.Name, []atlas.Change{&atlas.AddTable{T: t}})
	if err != nil {
		panic("migrate: " + err.Error()) // a type that generator.Tables would not have made
	}
	statements := make([]string, len(plan.Changes))
	for i, c := range plan.Changes {
		statements[i] = c.Cmd
	}
	return statements
}

func (sqliteDialect) createLedger() string {
	return "CREATE TABLE IF NOT EXISTS `" + ledger + "` (" +
		"`id` INTEGER PRIMARY KEY, `at` TEXT NOT NULL, `kind` TEXT NOT NULL, `host` TEXT NOT NULL, `version` TEXT NOT NULL, " +
		"`fingerprint` TEXT NOT NULL, `plan` TEXT NOT NULL, `statements` TEXT NOT NULL, `undoes` INTEGER NOT NULL, `state` TEXT NOT NULL, `made` TEXT)"
}

func (sqliteDialect) bind(statement string) string { return statement }

func (sqliteDialect) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (sqliteDialect) typeName(t atlas.Type) string {
	if name, err := sqlite.FormatType(t); err == nil {
		return name
	}
	return "an unknown type"
}

func (sqliteDialect) shown(keys []string) string { return shownTexts(keys) }

func (sqliteDialect) instant(t time.Time) string { return rfc3339(t) }

func (sqliteDialect) note(context.Context, *sql.Conn, Plan, int, bool, string) error { return nil }

func (l sqliteDialect) image(s source) string { return exprOf(l, s, s.was) }

func (sqliteDialect) predicate(i *atlas.Index) string {
	p := new(sqlite.IndexPredicate)
	has(i.Attrs, p)
	return p.P
}

package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/fault"
)

// mysqlDialect alters tables in place, in MySQL and MariaDB. Each change of a table is one
// ALTER TABLE, which is done or not, and commits: there is no way back from the steps before
// a failure. So each step is written into the ledger before its turn comes, and the next
// plan knows from the ledger and the tables what was done.
type mysqlDialect struct{}

func (l mysqlDialect) inspect(ctx context.Context, conn *sql.Conn, g *goal) (*state, error) {
	var name sql.NullString
	if err := conn.QueryRowContext(ctx, "SELECT DATABASE()").Scan(&name); err != nil {
		return nil, fmt.Errorf("find the database: %w", err)
	}
	if !name.Valid {
		return nil, fault.New(fault.Invalid, "the connection is in no database; name one in its URL: mysql://host/name")
	}
	objects, err := mysqlObjects(ctx, conn)
	if err != nil {
		return nil, err
	}
	s := newState()
	if slices.ContainsFunc(objects, func(o object) bool { return o.name == ledger }) {
		if s.record, s.unfinished, err = mysqlRecord(ctx, conn, l); err != nil {
			return nil, err
		}
		if s.unfinished {
			if s.carried, _, err = readMemory(ctx, conn, "SELECT state FROM "+l.quote(ledger)+" WHERE kind = '"+unfinished+"' ORDER BY id DESC LIMIT 1"); err != nil {
				return nil, err
			}
		}
	}
	names, err := s.setServed(ctx, conn, g, s.sort(objects, g))
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		s.tables = atlas.New("")
		return s, nil
	}
	engine, err := mysql.Open(conn)
	if err != nil {
		return nil, err
	}
	s.tables, err = engine.InspectSchema(ctx, name.String, &atlas.InspectOptions{Mode: atlas.InspectTables, Tables: names})
	if err != nil {
		return nil, fmt.Errorf("inspect the database: %w", err)
	}
	s.tables.Name = "" // the connection says it
	for _, t := range s.tables.Tables {
		mysqlJSON(t)
		s.setLeftAside(t)
	}
	return s, nil
}

func mysqlObjects(ctx context.Context, conn *sql.Conn) ([]object, error) {
	return objects(ctx, conn, "SELECT CASE t.table_type WHEN 'BASE TABLE' THEN 'table' WHEN 'VIEW' THEN 'view' ELSE 'other' END, t.table_name, t.table_name, "+
		"COALESCE(v.view_definition, '') FROM information_schema.tables t LEFT JOIN information_schema.views v "+
		"ON v.table_schema = t.table_schema AND v.table_name = t.table_name WHERE t.table_schema = DATABASE() ORDER BY t.table_name")
}

// mysqlJSON finds the columns that MariaDB holds as longtext with a check, whose name stays
// when the column gets another one.
func mysqlJSON(t *atlas.Table) {
	t.Attrs = slices.DeleteFunc(t.Attrs, func(a atlas.Attr) bool {
		check, ok := a.(*atlas.Check)
		if !ok {
			return false
		}
		for _, c := range t.Columns {
			if c.Type.Raw == mysql.TypeLongText && check.Expr == "json_valid(`"+c.Name+"`)" {
				c.Type.Raw, c.Type.Type = mysql.TypeJSON, &atlas.JSONType{T: mysql.TypeJSON}
				c.UnsetCharset().UnsetCollation()
				return true
			}
		}
		return false
	})
}

// setLeftAside takes columns that a failed migration prepared out of the comparison.
func (s *state) setLeftAside(t *atlas.Table) {
	t.Columns = slices.DeleteFunc(t.Columns, func(c *atlas.Column) bool {
		if !strings.HasPrefix(c.Name, mysqlStaged) {
			return false
		}
		s.left[t.Name] = append(s.left[t.Name], c.Name)
		return true
	})
}

func (mysqlDialect) hasTable(ctx context.Context, conn *sql.Conn, name string) (bool, error) {
	var n int
	err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?", name).Scan(&n)
	return n > 0, err
}

// look reads under the rules that Apply changes under: what a value is depends on them.
func (l mysqlDialect) look(ctx context.Context, conn *sql.Conn, inside bool, do func() error) error {
	if inside {
		return do()
	}
	return l.session(ctx, conn, do)
}

func (mysqlDialect) equip(context.Context, *sql.Conn, string) error { return nil }

// session runs do with the settings that statements of ours are written for: an error for a
// value that does not fit, backslashes and quotes as usual, times in UTC, and no waiting for
// ever for a table that somebody holds.
func (mysqlDialect) session(ctx context.Context, conn *sql.Conn, do func() error) (err error) {
	var mode, zone string
	var wait int
	if err := conn.QueryRowContext(ctx, "SELECT @@sql_mode, @@time_zone, @@lock_wait_timeout").Scan(&mode, &zone, &wait); err != nil {
		return err
	}
	set := func(ctx context.Context, mode, zone string, wait int) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("SET SESSION sql_mode = %s, time_zone = %s, lock_wait_timeout = %d", text(mode), text(zone), wait))
		return err
	}
	if err := set(ctx, "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION", "+00:00", int(lockWait.Seconds())); err != nil {
		return err
	}
	defer func() {
		if failed := set(context.WithoutCancel(ctx), mode, zone, wait); err == nil && failed != nil {
			err = failed
		}
	}()
	return do()
}

// mysqlLock is the name of the lock, which is the whole server's.
const mysqlLock = "CONCAT('spacecloud.migrate.', LEFT(SHA2(DATABASE(), 256), 32))"

// locked waits for its turn, which other servers wait for as well.
func (l mysqlDialect) locked(ctx context.Context, db Database, conn *sql.Conn, do func() error) (err error) {
	var got sql.NullBool
	err = conn.QueryRowContext(ctx, fmt.Sprintf("SELECT GET_LOCK(%s, %d)", mysqlLock, int(lockWait.Seconds()))).Scan(&got)
	if err == nil && !got.Bool {
		err = errors.New("another migration has the lock")
	}
	if err != nil {
		return fault.Wrap(fault.Unavailable, err, "database %s is being migrated by another program, or cannot be reached; try again when that has ended", db.Name)
	}
	defer func() {
		_, failed := conn.ExecContext(context.WithoutCancel(ctx), "DO RELEASE_LOCK("+mysqlLock+")")
		err = errors.Join(err, failed)
	}()
	return l.session(ctx, conn, func() error {
		if err := do(); err != nil {
			return err
		}
		return l.finish(ctx, conn)
	})
}

// orphans are none: foreign keys hold at every moment.
func (mysqlDialect) orphans(context.Context, *sql.Conn) (int, error) { return 0, nil }

// readers are none: MySQL lets go of what a view reads, and the view fails from then on.
func (mysqlDialect) readers(context.Context, *sql.Conn, string, string) ([]string, error) {
	return nil, nil
}

func (mysqlDialect) explain(error) string {
	return " (MySQL cannot take back what was done before; the ledger says what that is, and the next migration goes on from there)"
}

func (l mysqlDialect) ties() ties { return ties{l.statements, "while %s copied and checked"} }

func (l mysqlDialect) create(d *draft, want *atlas.Table) Step { return l.ties().create(d, want) }

func (l mysqlDialect) aside(d *draft, have, want *atlas.Table, c atlas.Change, said Change) bool {
	return l.ties().aside(d, have, want, c, said)
}

// arrange begins with taking away what a failed migration left.
func (l mysqlDialect) arrange(d *draft, steps []Step) []Step {
	var first []Step
	for _, t := range d.have.tables.Tables {
		name := d.have.table(t.Name)
		var drops []string
		for _, column := range d.have.left[name] {
			drops = append(drops, "DROP COLUMN "+l.quote(column))
		}
		if len(drops) > 0 {
			first = append(first, Step{
				Object: name, Changes: []Change{{Comment: "take away what a failed migration prepared in " + name}}, phase: cleared,
				Statements: []string{"ALTER TABLE " + l.quote(name) + " " + strings.Join(drops, ", ")},
			})
		}
	}
	return l.ties().arrange(d, append(first, steps...))
}

// arrangeViews puts a view after those that it reads.
func (mysqlDialect) arrangeViews(d *draft) { d.want.views = orderViews(d.want.views) }

func (mysqlDialect) arrangeDrops(steps []Step) []Step { return steps }

func (mysqlDialect) createTable(t *atlas.Table) []string {
	return mysqlPlanned(t.Name, &atlas.AddTable{T: t})
}

// statements are those of changes that Atlas cannot fail to write.
func (mysqlDialect) statements(t *atlas.Table, changes ...atlas.Change) []string {
	return mysqlPlanned(t.Name, &atlas.ModifyTable{T: t, Changes: changes})
}

func mysqlPlanned(name string, change atlas.Change) []string {
	plan, err := mysql.DefaultPlan.PlanChanges(context.Background(), name, []atlas.Change{change})
	if err != nil {
		panic("migrate: " + err.Error()) // a type that generator.Tables would not have made
	}
	statements := make([]string, len(plan.Changes))
	for i, c := range plan.Changes {
		statements[i] = c.Cmd
	}
	return statements
}

func (l mysqlDialect) createLedger() string {
	return "CREATE TABLE IF NOT EXISTS " + l.quote(ledger) + " (" +
		"id bigint AUTO_INCREMENT PRIMARY KEY, at varchar(64) NOT NULL, kind varchar(64) NOT NULL, host varchar(255) NOT NULL, version varchar(255) NOT NULL, " +
		"fingerprint varchar(255) NOT NULL, plan longtext NOT NULL, statements longtext NOT NULL, undoes bigint NOT NULL, state longtext NOT NULL, made longtext) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
}

func (mysqlDialect) bind(statement string) string { return statement }

func (mysqlDialect) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (mysqlDialect) typeName(t atlas.Type) string {
	if name, err := mysql.FormatType(t); err == nil {
		return name
	}
	return "an unknown type"
}

func (mysqlDialect) shown(keys []string) string {
	return "CONCAT_WS('/', " + strings.Join(keys, ", ") + ")"
}

func (mysqlDialect) instant(t time.Time) string {
	return text(t.UTC().Format("2006-01-02 15:04:05.000000"))
}

func (mysqlDialect) predicate(*atlas.Index) string { return "" }

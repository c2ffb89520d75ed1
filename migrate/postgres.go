package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
	"github.com/jackc/pgx/v5/pgconn"

	"spacecloud/fault"
	"spacecloud/generator"
)

// postgresDialect alters tables in place, within one transaction. Tables are those of the
// schema that the connection's search path names first.
type postgresDialect struct{}

func (l postgresDialect) inspect(ctx context.Context, conn *sql.Conn, g *goal) (*state, error) {
	var name sql.NullString
	if err := conn.QueryRowContext(ctx, "SELECT current_schema()").Scan(&name); err != nil {
		return nil, fmt.Errorf("find the schema: %w", err)
	}
	if !name.Valid {
		return nil, fault.New(fault.Invalid, "the search path of the connection names no schema that is there; create one, or name another in the URL of the database (search_path=…)")
	}
	objects, err := postgresObjects(ctx, conn)
	if err != nil {
		return nil, err
	}
	s := newState()
	if slices.ContainsFunc(objects, func(o object) bool { return o.name == ledger }) {
		if s.record, err = lastRecord(ctx, conn, l); err != nil {
			return nil, err
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
	engine, err := postgres.Open(conn)
	if err != nil {
		return nil, err
	}
	s.tables, err = engine.InspectSchema(ctx, name.String, &atlas.InspectOptions{Mode: atlas.InspectTables, Tables: names})
	if err != nil {
		return nil, fmt.Errorf("inspect the database: %w", err)
	}
	s.tables.Name = "" // the search path says it
	return s, nil
}

// here is the schema as a condition needs it.
const here = "quote_ident(current_schema())::regnamespace"

func postgresObjects(ctx context.Context, conn *sql.Conn) ([]object, error) {
	return objects(ctx, conn, "SELECT CASE WHEN relkind IN ('r', 'p') THEN 'table' WHEN relkind = 'v' THEN 'view' ELSE 'other' END, relname, relname, "+
		"CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) ELSE '' END FROM pg_catalog.pg_class "+
		"WHERE relnamespace = "+here+" AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition ORDER BY oid")
}

func (postgresDialect) hasTable(ctx context.Context, conn *sql.Conn, name string) (bool, error) {
	var n int
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = "+here+" AND relname = $1", name).Scan(&n)
	return n > 0, err
}

// look does all that it does in a part of a transaction that is taken back.
func (postgresDialect) look(ctx context.Context, conn *sql.Conn, inside bool, do func() error) error {
	begin, end := "BEGIN", "ROLLBACK"
	if inside {
		begin, end = "SAVEPOINT looking", "ROLLBACK TO SAVEPOINT looking"
	}
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return err
	}
	err := do()
	if _, failed := conn.ExecContext(context.WithoutCancel(ctx), end); failed != nil {
		return errors.Join(err, fmt.Errorf("end looking: %w", failed))
	}
	return err
}

// locked waits for its turn, which other servers wait for as well, and for those who hold a
// table for so long only. All of it is one transaction.
func (postgresDialect) locked(ctx context.Context, db Database, conn *sql.Conn, do func() error) error {
	ending := context.WithoutCancel(ctx)
	exec := func(ctx context.Context, statement string) error {
		_, err := conn.ExecContext(ctx, statement)
		return err
	}
	err := exec(ctx, "BEGIN")
	if err == nil {
		err = exec(ctx, "SET LOCAL lock_timeout = "+strconv.FormatInt(lockWait.Milliseconds(), 10))
	}
	if err == nil {
		err = exec(ctx, "SELECT pg_advisory_xact_lock(hashtext('spacecloud.migrate'), hashtext(current_schema()))")
	}
	if err != nil {
		_ = exec(ending, "ROLLBACK")
		return fault.Wrap(fault.Unavailable, err, "database %s is being migrated by another program, or cannot be written; try again when that has ended", db.Name)
	}
	return commit(ending, db, conn, do)
}

// orphans are none: foreign keys hold at every moment.
func (postgresDialect) orphans(context.Context, *sql.Conn) (int, error) { return 0, nil }

func (l postgresDialect) ties() ties {
	return ties{l.statements, "until the migration ends; %s checked"}
}

func (l postgresDialect) create(d *draft, want *atlas.Table) Step { return l.ties().create(d, want) }

func (l postgresDialect) aside(d *draft, have, want *atlas.Table, c atlas.Change, said Change) bool {
	return l.ties().aside(d, have, want, c, said)
}

func (l postgresDialect) arrange(d *draft, steps []Step) []Step { return l.ties().arrange(d, steps) }

// arrangeViews sets all views of ours aside when one is: they may read each other, and the
// database would not let go of one that is read. Each stands after those that it names.
func (postgresDialect) arrangeViews(d *draft) {
	wanted := map[string]bool{}
	for _, v := range d.want.views {
		wanted[v.Name] = true
		made, ours := d.have.record.Views[v.Name]
		d.rewrite = d.rewrite || ours && made != d.want.createView(v.Name, v.SQL)
	}
	for _, name := range d.have.ourViews() {
		d.rewrite = d.rewrite || !wanted[name]
	}
	d.want.views = orderViews(d.want.views)
}

// arrangeDrops drops a view before those that it reads.
func (postgresDialect) arrangeDrops(steps []Step) []Step {
	byName := map[string]Step{}
	var views []generator.View
	for _, s := range steps {
		name := strings.TrimPrefix(s.Object, "view ")
		byName[name] = s
		views = append(views, generator.View{Name: name, SQL: s.Reverse[0]})
	}
	var ordered []Step
	for _, v := range slices.Backward(orderViews(views)) {
		ordered = append(ordered, byName[v.Name])
	}
	return ordered
}

func (l postgresDialect) readers(ctx context.Context, conn *sql.Conn, table, column string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT DISTINCT v.relname FROM pg_catalog.pg_depend d "+
		"JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass JOIN pg_catalog.pg_class v ON v.oid = r.ev_class "+
		"WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1::regclass AND v.oid <> d.refobjid AND ($2 = '' OR d.refobjsubid = "+
		"(SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = d.refobjid AND attname = $2)) ORDER BY 1", l.quote(table), column)
	if err != nil {
		return nil, fmt.Errorf("find the views that read %s: %w", table, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// explain names what stands in the way: a view that somebody else made, a row.
func (postgresDialect) explain(err error) string {
	var failed *pgconn.PgError
	if !errors.As(err, &failed) || failed.Detail == "" {
		return ""
	}
	return " (" + strings.ReplaceAll(failed.Detail, "\n", "; ") + ")"
}

func (postgresDialect) createTable(t *atlas.Table) []string {
	plan, err := postgres.DefaultPlan.PlanChanges(context.Background(), t.Name, []atlas.Change{&atlas.AddTable{T: t}})
	if err != nil {
		panic("migrate: " + err.Error()) // a type that generator.Tables would not have made
	}
	statements := make([]string, len(plan.Changes))
	for i, c := range plan.Changes {
		statements[i] = c.Cmd
	}
	return statements
}

// statements are those of changes that Atlas cannot fail to write.
func (postgresDialect) statements(t *atlas.Table, changes ...atlas.Change) []string {
	plan, err := postgres.DefaultPlan.PlanChanges(context.Background(), t.Name, []atlas.Change{&atlas.ModifyTable{T: t, Changes: changes}})
	if err != nil {
		panic("migrate: " + err.Error())
	}
	var statements []string
	for _, c := range plan.Changes {
		statements = append(statements, c.Cmd)
	}
	return statements
}

func (l postgresDialect) createLedger() string {
	return "CREATE TABLE IF NOT EXISTS " + l.quote(ledger) + " (" +
		"id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, at text NOT NULL, kind text NOT NULL, host text NOT NULL, version text NOT NULL, " +
		"fingerprint text NOT NULL, plan text NOT NULL, statements text NOT NULL, undoes bigint NOT NULL, state text NOT NULL, made text)"
}

// bind numbers the parameters. Statements of ours hold no ? in a text.
func (postgresDialect) bind(statement string) string {
	for n := 1; strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", "$"+strconv.Itoa(n), 1)
	}
	return statement
}

func (postgresDialect) quote(name string) string {
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func (postgresDialect) typeName(t atlas.Type) string {
	if u, ok := t.(*postgres.UserDefinedType); ok {
		return u.T
	}
	if name, err := postgres.FormatType(t); err == nil {
		return name
	}
	return "an unknown type"
}

func (postgresDialect) shown(keys []string) string { return shownTexts(keys) }

func (postgresDialect) instant(t time.Time) string { return rfc3339(t) }

func (postgresDialect) note(context.Context, *sql.Conn, Plan, int, bool, string) error { return nil }

func (postgresDialect) predicate(i *atlas.Index) string {
	p := new(postgres.IndexPredicate)
	has(i.Attrs, p)
	return p.P
}

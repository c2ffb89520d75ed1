// Package writes holds the laws of changes: all or nothing, and what operators compute.
package writes

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/mysql"
	"spacecloud/database/postgres"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
	private "spacecloud/tests/postgres"
)

// world is a whole server on a new database, whose statements can be counted and made to fail.
type world struct {
	*testing.T
	server http.Handler
	driver *faulty
	now    time.Time
}

// address is the URL of a database that nobody else has.
type address func(testing.TB) string

func TestMain(m *testing.M) { os.Exit(mariadb.Run(servers{m})) }

// servers are those that the tests need besides.
type servers struct{ tests *testing.M }

func (s servers) Run() int { return private.Run(s.tests) }

// onEach runs a test on each kind of database.
func onEach(t *testing.T, do func(*testing.T, address)) {
	t.Run("SQLite", func(t *testing.T) {
		do(t, func(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") })
	})
	t.Run("PostgreSQL", func(t *testing.T) { do(t, private.URL) })
	t.Run("MariaDB", func(t *testing.T) { do(t, mariadb.URL) })
}

// opened is a driver of a database that speaks SQL.
type opened interface {
	driver.Driver
	driver.SQL
}

func open(t *testing.T, url string) opened {
	t.Helper()
	var d opened
	var err error
	switch scheme, _, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		d, err = sqlite.Open(t.Context(), url)
	case "mysql":
		d, err = mysql.Open(t.Context(), url)
	default:
		d, err = postgres.Open(t.Context(), url)
	}
	check(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func newWorld(t *testing.T, url address, sdl string) *world {
	t.Helper()
	return newWorldOf(t, url, sdl, resolvers.Config{})
}

func newWorldOf(t *testing.T, url address, sdl string, c resolvers.Config) *world {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
	check(t, err)
	dbs := map[string]*database.DB{}
	w := &world{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, name := range s.Databases() {
		d := open(t, url(t))
		_, err := migrate.Apply(t.Context(), migrate.Database{Name: name, Product: d.Product(), SQL: d}, s, migrate.Options{})
		check(t, err)
		f := &faulty{Driver: d, sql: d}
		dbs[name] = database.New(name, f)
		if name == "main" {
			w.driver = f
		}
	}
	set, err := rules.Compile(s)
	check(t, err)
	c.Schema, c.Rules, c.Databases = s, set, dbs
	res, err := resolvers.New(c)
	check(t, err)
	api, err := generator.New(s)
	check(t, err)
	w.server, err = graph.New(graph.Options{API: api, Resolvers: res, Log: slog.New(slog.DiscardHandler)})
	check(t, err)
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as ann; headers are name, value, ….
func (w *world) ask(text string, variables any, headers ...string) string {
	w.Helper()
	caller := &auth.Caller{Now: w.now, SignedIn: true, Claims: map[string]any{"sub": "ann", "id": "ann"}}
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	check(w.T, err)
	r := httptest.NewRequestWithContext(auth.With(w.Context(), caller), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.server.ServeHTTP(answer, r)
	return answer.Body.String()
}

// dump is all that the database holds.
func (w *world) dump() string {
	w.Helper()
	conn, err := w.driver.sql.Conn(w.Context())
	check(w.T, err)
	defer conn.Close()
	var out strings.Builder
	tables, place := "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", "rowid"
	quote := `"`
	switch w.driver.sql.Dialect() {
	case "postgres":
		tables, place = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1", "ctid"
	case "mysql":
		tables, place, quote = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1", "1", "`"
	}
	for _, table := range column(w, conn, tables) {
		fmt.Fprintln(&out, table)
		rows, err := conn.QueryContext(w.Context(), "SELECT * FROM "+quote+table+quote+" ORDER BY 1, "+place)
		check(w.T, err)
		names, _ := rows.Columns()
		cells := make([]any, len(names))
		for i := range cells {
			cells[i] = new(any)
		}
		for rows.Next() {
			check(w.T, rows.Scan(cells...))
			for _, c := range cells {
				if text, ok := (*c.(*any)).([]byte); ok {
					fmt.Fprintf(&out, "%s|", text)
				} else {
					fmt.Fprintf(&out, "%v|", *c.(*any))
				}
			}
			fmt.Fprintln(&out)
		}
		check(w.T, rows.Err())
		rows.Close()
	}
	return out.String()
}

func column(w *world, conn *sql.Conn, text string) []string {
	rows, err := conn.QueryContext(w.Context(), text)
	check(w.T, err)
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		check(w.T, rows.Scan(&s))
		out = append(out, s)
	}
	return out
}

// faulty is a driver of which the nth statement in transactions fails.
type faulty struct {
	driver.Driver
	sql        driver.SQL
	mu         sync.Mutex
	statements int
	failAt     int // 0 for never
	before     func()
}

func (f *faulty) Unwrap() driver.Driver { return f.Driver }

func (f *faulty) Begin(ctx context.Context) (driver.Tx, error) {
	tx, err := f.Driver.Begin(ctx)
	return faultyTx{tx, f}, err
}

type errFault struct{}

func (errFault) Error() string { return "fault" }

func (f *faulty) step() error {
	f.mu.Lock()
	f.statements++
	n := f.statements
	f.mu.Unlock()
	if f.before != nil {
		f.before()
	}
	if n == f.failAt {
		return errFault{}
	}
	return nil
}

type faultyTx struct {
	driver.Tx
	f *faulty
}

func (t faultyTx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if err := t.f.step(); err != nil {
		return nil, err
	}
	return t.Tx.Find(ctx, s, b)
}

func (t faultyTx) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	done, err := t.Tx.Write(ctx, w, b)
	if fault := t.f.step(); fault != nil {
		return driver.Written{}, fault // after it was done: worse than before
	}
	return done, err
}

func (t faultyTx) Commit(ctx context.Context) error {
	if err := t.f.step(); err != nil {
		_ = t.Rollback(ctx)
		return err
	}
	return t.Tx.Commit(ctx)
}

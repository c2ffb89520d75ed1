// Package operations asks whatever an API says it can be asked. It knows the API by
// introspection only, so it asks for what was added last as well.
package operations

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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/postgres"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	private "spacecloud/tests/postgres"
)

func TestMain(m *testing.M) { os.Exit(private.Run(m)) }

// now is when every request is made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is one server with its database.
type world struct {
	t      testing.TB
	server http.Handler
	sdl    string // of the API
	conn   *sql.Conn
	tables []string
	log    *journal

	postgres bool
}

// journal keeps what the server logs, to show with a failure.
type journal struct {
	mu   sync.Mutex
	text []byte // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, p...)
	return len(p), nil
}

// last is what was logged since it was asked for, without most of the stacks.
func (j *journal) last() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := string(j.text)
	j.text = nil
	return text[:min(len(text), 3000)]
}

// Database is the environment variable that has these tests run on PostgreSQL, when it is postgres.
const Database = "SPACECLOUD_TEST_OPERATIONS"

var drivers = database.Drivers{
	"sqlite":   func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) },
	"postgres": func(ctx context.Context, url string) (driver.Driver, error) { return postgres.Open(ctx, url) },
}

// address is where a new database is.
func address(t testing.TB) string {
	if os.Getenv(Database) == "postgres" {
		return private.URL(t)
	}
	return "sqlite:" + filepath.Join(t.TempDir(), "main.db")
}

// open serves a schema on a new database.
func open(t testing.TB, sources ...schema.Source) *world {
	t.Helper()
	s := must(schema.Parse(sources...))(t)
	db := must(drivers.Open(t.Context(), "main", address(t)))(t)
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, log: &journal{}}
	target := migrate.Database{Name: "main", Product: db.Driver().Product(), SQL: db.Driver().(driver.SQL)}
	must(migrate.Apply(t.Context(), target, s, migrate.Options{}))(t)
	if again := must(migrate.Apply(t.Context(), target, s, migrate.Options{}))(t); len(again.Steps) > 0 {
		t.Fatalf("a second migration is not empty: %v", again)
	}
	set := must(rules.Compile(s))(t)
	res := must(resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: map[string]*database.DB{"main": db}}))(t)
	api := must(generator.New(s))(t)
	w.sdl = api.SDL
	w.server = must(graph.New(graph.Options{
		API: api, Resolvers: res, Introspection: true, Suggestions: true, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	}))(t)
	w.conn = must(target.SQL.Conn(t.Context()))(t)
	t.Cleanup(func() { _ = w.conn.Close() })
	w.postgres = target.SQL.Dialect() == "postgres"
	tables := "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name"
	if w.postgres {
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE '\\_%' ORDER BY 1"
	}
	w.tables = w.column(tables)
	return w
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// read is the files of a schema.
func read(t testing.TB, files ...string) []schema.Source {
	t.Helper()
	var sources []schema.Source
	for _, file := range files {
		text := must(os.ReadFile(file))(t)
		sources = append(sources, schema.Source{Name: filepath.Base(file), Text: string(text)})
	}
	return sources
}

func (w *world) column(query string) []string {
	w.t.Helper()
	rows, err := w.conn.QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			w.t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return out
}

// version changes when somebody else writes to the database.
func (w *world) version() string {
	if w.postgres {
		var tables []string
		for _, table := range w.tables {
			tables = append(tables, fmt.Sprintf("SELECT count(*) || ':' || COALESCE(max(xmin::text::bigint), 0) AS of FROM %q", table))
		}
		return w.column("SELECT string_agg(of, ',') FROM (" + strings.Join(tables, " UNION ALL ") + ") AS t")[0]
	}
	return w.column("PRAGMA data_version")[0]
}

// dump is all rows of all tables, each a line.
func (w *world) dump() string {
	w.t.Helper()
	var lines []string
	for _, table := range w.tables {
		rows, err := w.conn.QueryContext(w.t.Context(), fmt.Sprintf("SELECT * FROM %q", table))
		if err != nil {
			w.t.Fatal(err)
		}
		columns := must(rows.Columns())(w.t)
		for rows.Next() {
			cells, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range cells {
				into[i] = &cells[i]
			}
			if err := rows.Scan(into...); err != nil {
				w.t.Fatal(err)
			}
			lines = append(lines, fmt.Sprintf("%s %q", table, cells))
		}
		if err := rows.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// answer is what a server says.
type answer struct {
	status int
	body   []byte
}

func (w *world) ask(c *auth.Caller, query string, variables map[string]any) answer {
	w.t.Helper()
	body := map[string]any{"query": query}
	if variables != nil {
		body["variables"] = variables
	}
	var encoded bytes.Buffer
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		w.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(w.t.Context(), c), http.MethodPost, "/graphql", &encoded)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	out := httptest.NewRecorder()
	w.server.ServeHTTP(out, r)
	return answer{out.Code, out.Body.Bytes()}
}

func nobody() *auth.Caller { return &auth.Caller{Now: now, Claims: map[string]any{}} }

func caller(id, role string) *auth.Caller {
	claims := map[string]any{"sub": id, "id": id}
	if role != "" {
		claims["role"] = role
	}
	return &auth.Caller{Now: now, SignedIn: true, Claims: claims}
}

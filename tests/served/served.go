// Package served serves a schema for tests: the whole server, on new and empty databases of
// whatever kinds there are. A test runs once on each kind, and is told on which it is.
package served

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/mongodb"
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
	"spacecloud/tests/mongo"
	privatepostgres "spacecloud/tests/postgres"
)

// Env may name the kinds to run on, by commas; all without it.
const Env = "TEST_SPACECLOUD_ON"

// Kind is a kind of database, or a mixture of kinds for schemas of several.
type Kind struct {
	Name string
	// url is the address of a new and empty one, or skips the test where there is no such server.
	url         func(testing.TB) string
	open        func(testing.TB, string) (driver.Driver, error)
	pool        string // the option of the address that says how many connections; "" for none
	connections int    // 0 for as many as usual
	among       []Kind // of a mixture
}

var kinds = []Kind{
	SQLite,
	{Name: "postgres", url: privatepostgres.URL, open: openPostgres, pool: "pool_max_conns"},
	{Name: "mysql", url: mariadb.URL, open: openMySQL, pool: "pool_max_conns"},
	{Name: "mongodb", url: mongo.URL, open: openMongoDB, pool: "maxPoolSize"},
}

// Lacks is whether databases of the kind do without a part of the schema language.
func (k Kind) Lacks(part Part) bool { return k.Name == "mongodb" && part == ViewsBySQL }

// Part is a part of the schema language that not every kind of database has.
type Part int

// ViewsBySQL are types with @view(sql:).
const ViewsBySQL Part = iota

var viewBySQL = regexp.MustCompile(`(?m)^type \w+ @view\(sql: "[^"]*"\)[^{]*\{[^}]*\}\n?`)

// fit leaves out of a schema what the kind lacks.
func (k Kind) fit(sources []schema.Source) []schema.Source {
	if !k.Lacks(ViewsBySQL) {
		return sources
	}
	sources = slices.Clone(sources)
	for i := range sources {
		sources[i].Text = viewBySQL.ReplaceAllString(sources[i].Text, "")
	}
	return sources
}

// Names are those of all kinds.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// Run runs the tests of a program and stops the servers of databases after them, for TestMain.
func Run(m *testing.M) int { return privatepostgres.Run(with{with{m, mongo.Run}, mariadb.Run}) }

// with are tests that need another server.
type with struct {
	tests  interface{ Run() int }
	server func(interface{ Run() int }) int
}

func (w with) Run() int { return w.server(w.tests) }

// SQLite is the kind that is always there.
var SQLite = Kind{Name: "sqlite", url: newFile, open: openSQLite}

func newFile(tb testing.TB) string {
	tb.Helper()
	return "sqlite:" + filepath.Join(tb.TempDir(), "main.db")
}

func openSQLite(tb testing.TB, url string) (driver.Driver, error) {
	tb.Helper()
	return sqlite.Open(tb.Context(), url)
}

// Given is the kind of a database that is open already.
func Given(d driver.Driver) Kind {
	return Kind{Name: d.Product(), url: func(testing.TB) string { return "" }, open: func(testing.TB, string) (driver.Driver, error) { return d, nil }}
}

func openPostgres(tb testing.TB, url string) (driver.Driver, error) {
	tb.Helper()
	return postgres.Open(tb.Context(), url)
}

func openMySQL(tb testing.TB, url string) (driver.Driver, error) {
	tb.Helper()
	return mysql.Open(tb.Context(), url)
}

// Pooled is the kind with pools of so many connections. SQLite has one for writing and a few for reading
// in any case.
func (k Kind) Pooled(connections int) Kind {
	k.connections = connections
	k.among = slices.Clone(k.among)
	for i := range k.among {
		k.among[i].connections = connections
	}
	return k
}

// IsMixed is whether databases of one schema are of several kinds.
func (k Kind) IsMixed() bool { return len(k.among) > 0 }

// Of is the kind of one of the databases of a schema.
func (k Kind) Of(s *schema.Schema, name string) Kind {
	if !k.IsMixed() {
		return k
	}
	return k.among[slices.Index(s.Databases(), name)%len(k.among)]
}

// Mix is the mixture in which the databases of a schema, by name, are of these kinds in turn.
func Mix(among ...Kind) Kind {
	var names []string
	for _, k := range among {
		names = append(names, k.Name)
	}
	return Kind{Name: strings.Join(names, "+"), among: among}
}

// Mixed runs a test on mixtures: in each, the databases of a schema by name are on one kind after the other, and
// each kind has the first of them once.
func Mixed(t *testing.T, run func(*testing.T, Kind)) {
	t.Helper()
	var among []Kind
	for _, k := range kinds {
		if k.wanted() {
			among = append(among, k)
		}
	}
	if len(among) < 2 {
		t.Skip(Env + " names one kind, which is no mixture")
	}
	for i := range among {
		mixed := Mix(slices.Concat(among[i:], among[:i])...)
		t.Run(mixed.Name, func(t *testing.T) { run(t, mixed) })
	}
}

// EachAndMixed is Each and Mixed.
func EachAndMixed(t *testing.T, run func(*testing.T, Kind)) {
	t.Helper()
	Each(t, run)
	t.Run("mixed", func(t *testing.T) { Mixed(t, run) })
}

func openMongoDB(tb testing.TB, url string) (driver.Driver, error) {
	tb.Helper()
	return mongodb.Open(tb.Context(), url)
}

// Each runs a test on each kind of database. One that is not there is skipped, and says so.
func Each(t *testing.T, run func(*testing.T, Kind)) {
	t.Helper()
	for _, k := range kinds {
		if k.wanted() {
			t.Run(k.Name, func(t *testing.T) { run(t, k) })
		}
	}
}

// There are the kinds of which there is a server, for a test that needs several at once. One that is
// not there is skipped, and says so.
func There(t *testing.T) (there []Kind) {
	t.Helper()
	Each(t, func(t *testing.T, k Kind) {
		t.Helper()
		k.Open(t)
		there = append(there, k)
	})
	return there
}

func (k Kind) wanted() bool {
	names := os.Getenv(Env)
	return names == "" || slices.Contains(strings.Split(names, ","), k.Name)
}

// URL is the address of a new and empty database of the kind.
func (k Kind) URL(tb testing.TB) string {
	tb.Helper()
	address := k.url(tb)
	if k.connections == 0 || k.pool == "" {
		return address
	}
	u := Must(url.Parse(address))(tb)
	options := u.Query()
	options.Set(k.pool, strconv.Itoa(k.connections))
	u.RawQuery = options.Encode()
	return u.String()
}

// Open opens a new and empty database of the kind, which is closed when the test ends.
func (k Kind) Open(tb testing.TB) driver.Driver {
	tb.Helper()
	d := Must(k.open(tb, k.URL(tb)))(tb)
	tb.Cleanup(func() { _ = d.Close() })
	return d
}

// Server is a schema that is served, and what it stands on.
type Server struct {
	http.Handler
	Schema  *schema.Schema
	API     *generator.API
	Drivers map[string]driver.Driver // undecorated, by the names of the databases

	tb testing.TB
}

// Options are what a test may want otherwise.
type Options struct {
	// Limits are those of resolvers; the rest of it is made here.
	Limits resolvers.Config
	// Decorate puts something around a driver; nil for nothing.
	Decorate func(name string, d driver.Driver) driver.Driver
	// Log gets what the server logs; nil for the test's own log.
	Log io.Writer
	// HTTP are the limits of requests.
	HTTP graph.Limits
	// On says which database of the schema is of which kind, where it is not the one kind.
	On map[string]Kind
	// Dangling are links that may lead to rows that are not there: no foreign keys.
	Dangling bool
}

// Text serves the text of a schema.
func Text(tb testing.TB, k Kind, sdl string, o Options) *Server {
	tb.Helper()
	return Sources(tb, k, o, schema.Source{Name: "schema.graphql", Text: sdl})
}

// Sources serves the files of a schema.
func Sources(tb testing.TB, k Kind, o Options, sources ...schema.Source) *Server {
	tb.Helper()
	s := &Server{Schema: Must(schema.Parse(k.fit(sources)...))(tb), Drivers: map[string]driver.Driver{}, tb: tb}
	c := o.Limits
	c.Schema, c.Databases = s.Schema, map[string]*database.DB{}
	for _, name := range s.Schema.Databases() {
		if o.Dangling {
			s.Schema.WithoutForeignKeys(name)
		}
		kind, ok := o.On[name]
		if !ok {
			kind = k.Of(s.Schema, name)
		}
		c.Databases[name] = s.open(kind, name, o)
		if !c.Databases[name].Driver().Features().ForeignKeys {
			s.Schema.WithoutForeignKeys(name)
		}
	}
	c.Rules = Must(rules.Compile(s.Schema))(tb)
	s.API = Must(generator.New(s.Schema))(tb)
	if o.Log == nil {
		o.Log = testLog{tb}
	}
	s.Handler = Must(graph.New(graph.Options{
		API: s.API, Resolvers: Must(resolvers.New(c))(tb), Introspection: true, Suggestions: true, Limits: o.HTTP,
		Log: slog.New(slog.NewTextHandler(o.Log, nil)),
	}))(tb)
	return s
}

// open opens a database of the schema and migrates it, which has to be done the first time.
func (s *Server) open(k Kind, name string, o Options) *database.DB {
	s.tb.Helper()
	d := k.Open(s.tb)
	s.Drivers[name] = d
	target := Must(migrate.Target(name, d))(s.tb)
	Must(migrate.Apply(s.tb.Context(), target, s.Schema, migrate.Options{}))(s.tb)
	if again := Must(migrate.Apply(s.tb.Context(), target, s.Schema, migrate.Options{}))(s.tb); len(again.Steps) > 0 {
		s.tb.Fatalf("a second migration is not empty: %v", again)
	}
	if o.Decorate != nil {
		d = o.Decorate(name, d)
	}
	return database.New(name, d)
}

// Answer is what the server says.
type Answer struct {
	Status int
	Body   []byte
}

// Ask sends a request of a caller. The header may be nil.
func (s *Server) Ask(c *auth.Caller, query string, variables any, header http.Header) Answer {
	s.tb.Helper()
	body := map[string]any{"query": query}
	if variables != nil {
		body["variables"] = variables
	}
	var encoded bytes.Buffer
	e := json.NewEncoder(&encoded)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		s.tb.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(s.tb.Context(), c), http.MethodPost, "/graphql", &encoded)
	if header != nil {
		r.Header = header.Clone()
	}
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return Answer{w.Code, w.Body.Bytes()}
}

// Dump is every row of every table of the schema, a line each, sorted: for what must not
// change, or must become the same.
func (s *Server) Dump() string {
	s.tb.Helper()
	var lines []string
	for _, t := range s.Tables() {
		lines = append(lines, Rows(s.tb, s.Drivers[t.DB], t)...)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// Tables are those of the schema, with the join tables that it owns.
func (s *Server) Tables() []*schema.Type {
	var tables []*schema.Type
	for _, t := range s.Schema.Types {
		if t.Kind == schema.Table {
			tables = append(tables, t)
		}
	}
	return tables
}

// Rows are all rows of a table, a line each.
func Rows(tb testing.TB, d driver.Driver, t *schema.Type) (lines []string) {
	tb.Helper()
	each(tb, d, t, t.Columns, func(rows driver.Rows) {
		line := []byte(t.Table)
		for i := range t.Columns {
			line = rows.AppendJSON(append(line, '|'), i)
		}
		lines = append(lines, string(line))
	})
	return lines
}

// Values are these columns of all rows of a table.
func Values(tb testing.TB, d driver.Driver, t *schema.Type, columns []*schema.Field) (values [][]schema.Value) {
	tb.Helper()
	each(tb, d, t, columns, func(rows driver.Rows) {
		row := make([]schema.Value, len(columns))
		for i := range columns {
			row[i] = rows.Value(i)
		}
		values = append(values, row)
	})
	return values
}

// each calls do with every row of a table, in the order of its key.
func each(tb testing.TB, d driver.Driver, t *schema.Type, columns []*schema.Field, do func(driver.Rows)) {
	tb.Helper()
	l := query.Level{Type: t, OrderBy: query.Complete(t, nil)}
	for _, f := range columns {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	statement := Must(d.Prepare(rules.System(l)))(tb)
	err := d.View(tb.Context(), func(r driver.Reader) error {
		rows, err := r.Find(tb.Context(), statement, query.Binding{})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			do(rows)
		}
		return rows.Err()
	})
	if err != nil {
		tb.Fatal(err)
	}
}

// Must is a value that has to be there: Must(f())(t).
func Must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

// testLog sends the server's log to the test's.
type testLog struct{ tb testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.tb.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Package apart holds the laws of requests over several databases: they are asked at the same
// time, and one that is down takes no more along than what is in it.
package apart

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

// town is a schema of three databases, each linked to the others.
const town = `
type User @table(db: "people") @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary  name: String!
  boss: User @link
  orders: [Order!]! @link(to: "buyerId")
  notes: [Note!]! @link(to: "userId")
}
type Order @table(db: "shop") @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary  total: Int!
  buyer: User @link
  items: [Item!]! @link(to: "orderId")
  notes: [Note!]! @link(to: "orderId")
}
type Item @table(db: "shop") @auth(read: "true", create: "true") {
  id: ID! @primary  sku: String!
  order: Order @link
  note: Note @link
}
type Note @table(db: "docs") @auth(read: "true", create: "true") {
  id: ID! @primary  text: String
  user: User @link
  order: Order @link
}
`

const people = `mutation {
  insertUsers(docs: [{id: "u1", name: "Ann"}, {id: "u2", name: "Bo", bossId: "u1"}, {id: "u3", name: "Cy", bossId: "u2"}, {id: "u4", name: "Di"}]) { affected }
  insertOrders(docs: [{id: "o1", total: 1, buyerId: "u1"}, {id: "o2", total: 2, buyerId: "u1"}, {id: "o3", total: 3, buyerId: "u2"}, {id: "o4", total: 4}]) { affected }
  insertItems(docs: [{id: "i1", sku: "a", orderId: "o1", noteId: "n1"}, {id: "i2", sku: "b", orderId: "o1"}, {id: "i3", sku: "c", orderId: "o3", noteId: "n2"}]) { affected }
  insertNotes(docs: [{id: "n1", text: "x", userId: "u1"}, {id: "n2", text: "y", userId: "u1", orderId: "o1"}, {id: "n3", orderId: "o4"}]) { affected }
}`

// world is a whole server over databases that can be switched off.
type world struct {
	*testing.T
	server    http.Handler
	databases map[string]*switched
}

func newWorld(t *testing.T, on served.Kind, sdl string, limits graph.Limits) *world {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
	check(t, err)
	w := &world{T: t, databases: map[string]*switched{}}
	dbs := map[string]*database.DB{}
	// Time stands still: a database that is asked and is down is asked again by the next request.
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, name := range s.Databases() {
		d := on.Of(s, name).Open(t)
		_, err = migrate.Apply(t.Context(), served.Must(migrate.Target(name, d))(t), s, migrate.Options{})
		check(t, err)
		w.databases[name] = &switched{Driver: d, name: name}
		dbs[name] = database.NewAt(name, w.databases[name], func() time.Time { return now })
	}
	set, err := rules.Compile(s)
	check(t, err)
	res, err := resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: dbs})
	check(t, err)
	api, err := generator.New(s)
	check(t, err)
	w.server, err = graph.New(graph.Options{API: api, Resolvers: res, Limits: limits, Log: slog.New(slog.DiscardHandler)})
	check(t, err)
	return w
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// down switches off the databases of these names, and all others on.
func (w *world) down(names ...string) {
	for _, d := range w.databases {
		d.down.Store(false)
	}
	for _, name := range names {
		w.databases[name].down.Store(true)
	}
}

// answer is what the server says.
type answer struct {
	Data   json.RawMessage `json:"data"`
	Errors []answerError   `json:"errors"`
}

type answerError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

func (w *world) ask(text string) answer {
	w.Helper()
	body, err := json.Marshal(map[string]any{"query": text})
	check(w.T, err)
	caller := &auth.Caller{Now: time.Now(), SignedIn: true, Claims: map[string]any{"sub": "ann", "id": "ann"}}
	r := httptest.NewRequestWithContext(auth.With(w.Context(), caller), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	out := httptest.NewRecorder()
	w.server.ServeHTTP(out, r)
	var a answer
	if err := json.Unmarshal(out.Body.Bytes(), &a); err != nil {
		w.Fatalf("%v in %s", err, out.Body)
	}
	return a
}

// well is an answer without errors.
func (w *world) well(text string) answer {
	w.Helper()
	a := w.ask(text)
	if len(a.Errors) > 0 {
		w.Fatalf("%s\n%+v", text, a.Errors)
	}
	return a
}

// switched is a database that can be down, or be lost on the way.
type switched struct {
	driver.Driver
	name   string
	down   atomic.Bool
	lostAt atomic.Int64 // the find at which it is lost, counting down; 0 for never
	find   func(ctx context.Context) error
}

func (s *switched) Unwrap() driver.Driver { return s.Driver }

func (s *switched) gone() error {
	if s.down.Load() {
		return fault.New(fault.Unavailable, "the database does not answer")
	}
	return nil
}

func (s *switched) Ping(ctx context.Context) error {
	if err := s.gone(); err != nil {
		return err
	}
	return s.Driver.Ping(ctx)
}

// View also ends with an error when the database was lost meanwhile, as one of a server would.
func (s *switched) View(ctx context.Context, do func(driver.Reader) error) error {
	if err := s.gone(); err != nil {
		return err
	}
	err := s.Driver.View(ctx, func(r driver.Reader) error { return do(switchedReader{r, s}) })
	if err == nil {
		err = s.gone()
	}
	return err
}

func (s *switched) Begin(ctx context.Context) (driver.Tx, error) {
	if err := s.gone(); err != nil {
		return nil, err
	}
	return s.Driver.Begin(ctx)
}

type switchedReader struct {
	driver.Reader
	of *switched
}

func (r switchedReader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if r.of.lostAt.Load() > 0 && r.of.lostAt.Add(-1) == 0 {
		r.of.down.Store(true)
	}
	if err := r.of.gone(); err != nil {
		return nil, err
	}
	if r.of.find != nil {
		if err := r.of.find(ctx); err != nil {
			return nil, err
		}
	}
	return r.Reader.Find(ctx, s, b)
}

// meeting lets nobody go on before all have come.
type meeting struct {
	mu   sync.Mutex
	want int // guarded by mu
	all  chan struct{}
}

func meet(n int) *meeting { return &meeting{want: n, all: make(chan struct{})} }

func (m *meeting) come(ctx context.Context) error {
	m.mu.Lock()
	if m.want--; m.want == 0 {
		close(m.all)
	}
	m.mu.Unlock()
	select {
	case <-m.all:
		return nil
	case <-ctx.Done():
		return fault.Wrap(fault.Internal, ctx.Err(), "the others did not come")
	}
}

// onSQLiteAndMixed runs a test on SQLite and on mixtures: what is one kind and what are several is all that
// matters here.
func onSQLiteAndMixed(t *testing.T, run func(*testing.T, served.Kind)) {
	t.Helper()
	t.Run(served.SQLite.Name, func(t *testing.T) { run(t, served.SQLite) })
	t.Run("mixed", func(t *testing.T) { served.Mixed(t, run) })
}

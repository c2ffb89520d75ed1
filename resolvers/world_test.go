package resolvers_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

const worldSDL = `
type User @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  name: String! @unique
  age: Int
  mail: String @auth(read: "doc.id == auth.id")
  city: String
  bio: String
  posts: [Post!]! @link
}
type Post @auth(read: "doc.public || doc.authorId == auth.id || auth.role == 'admin'", create: "true") {
  id: ID! @primary
  title: String!
  public: Boolean!
  author: User! @link(onDelete: CASCADE)
  comments: [Comment!]! @link
}
type Comment @auth(read: "auth.id != ''", create: "true") {
  id: ID! @primary
  body: String!
  post: Post! @link(onDelete: CASCADE)
  author: User @link
}
`

// world is the resolvers over a new database.
type world struct {
	*resolvers.Resolvers
	t      testing.TB
	schema *schema.Schema
	rules  *rules.Set
	count  *database.Counting
}

// open makes a world; wrap may stand between the counting and the driver.
func open(t testing.TB, wrap func(driver.Driver) driver.Driver) *world {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: worldSDL})
	check(t, err)
	d, err := sqlite.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "main.db"))
	check(t, err)
	t.Cleanup(func() { _ = d.Close() })
	_, err = migrate.Apply(t.Context(), migrate.Database{Name: "main", Product: d.Product(), SQL: d}, s, migrate.Options{})
	check(t, err)
	set, err := rules.Compile(s)
	check(t, err)
	var below driver.Driver = d
	if wrap != nil {
		below = wrap(d)
	}
	count := database.Count(below)
	r, err := resolvers.New(resolvers.Config{
		Schema: s, Rules: set, Databases: map[string]*database.DB{"main": database.New("main", count)},
	})
	check(t, err)
	return &world{r, t, s, set, count}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func caller(id, role string) *auth.Caller {
	if id == "" {
		return &auth.Caller{Now: now, Claims: map[string]any{}}
	}
	return &auth.Caller{Now: now, SignedIn: true, Claims: map[string]any{"id": id, "role": role}}
}

// find asks for all rows of a type, ending with a limit where it is not 0.
func (w *world) find(typ string, limit int64, items ...query.Item) *query.Find {
	f := &query.Find{Type: w.schema.Type(typ), Items: items}
	if limit > 0 {
		f.Limit = query.Const(schema.Integer(limit))
	}
	return f
}

// columns are items of a type.
func (w *world) columns(typ string, names ...string) []query.Item {
	var items []query.Item
	for _, name := range names {
		items = append(items, query.Item{Name: name, Field: w.schema.Type(typ).Field(name)})
	}
	return items
}

// link is an item that follows a link.
func (w *world) link(typ, name string, limit int64, items ...query.Item) query.Item {
	f := w.schema.Type(typ).Field(name)
	find := w.find(f.Link.Target.Name, limit, items...)
	find.One = !f.Link.Many
	return query.Item{Name: name, Link: f, Find: find}
}

// insert writes rows of one type: maps of plain values.
func (w *world) insert(typ string, rows ...map[string]any) {
	w.t.Helper()
	_, err := w.Write(w.t.Context(), caller("ann", "admin"), []resolvers.Change{w.inserts("insert", typ, rows...)}, nil)
	check(w.t, err)
}

func (w *world) inserts(name, typ string, rows ...map[string]any) resolvers.Change {
	w.t.Helper()
	c := resolvers.Change{
		Name: name, Verb: query.Create, Type: w.schema.Type(typ),
		Answer: resolvers.Answer{Members: []resolvers.Member{{Before: "{", Affected: true}}, Tail: "}"},
	}
	for _, row := range rows {
		var doc resolvers.Doc
		for _, f := range c.Type.Columns {
			if v, ok := row[f.Name]; ok {
				value, err := f.Coerce(v)
				check(w.t, err)
				doc = append(doc, resolvers.FieldValue{Field: f, Value: value})
			}
		}
		c.Docs = append(c.Docs, doc)
	}
	return c
}

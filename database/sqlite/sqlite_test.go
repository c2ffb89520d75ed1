package sqlite

import (
	"path/filepath"
	"testing"

	atlas "ariga.io/atlas/sql/schema"
	atlassqlite "ariga.io/atlas/sql/sqlite"

	"spacecloud/database/driver"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// openFile is a driver on a new file with the tables of types.
func openFile(t testing.TB, types []*schema.Type) *Driver {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	createTables(t, d, types)
	return d
}

func createTables(t testing.TB, d driver.SQL, types []*schema.Type) {
	t.Helper()
	want, err := generator.Tables(types, d.Dialect())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	migrator, err := atlassqlite.Open(conn)
	if err != nil {
		t.Fatal(err)
	}
	var changes []atlas.Change
	for _, table := range want.Tables {
		changes = append(changes, &atlas.AddTable{T: table})
	}
	if err := migrator.ApplyChanges(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	for _, v := range generator.Views(types) {
		if _, err := conn.ExecContext(t.Context(), `CREATE VIEW "`+v.Name+`" AS `+v.SQL); err != nil {
			t.Fatal(err)
		}
	}
	for _, search := range generator.Searches(types, d.Dialect()) {
		for _, part := range search.Parts {
			if _, err := conn.ExecContext(t.Context(), part.SQL); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// parse is the schema of one source.
func parse(t testing.TB, sdl string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "test.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const blog = `
type User { id: ID! @primary  name: String!  email: String @unique  posts: [Post!]! @link  age: Int }
type Post { id: ID! @primary  title: String!  views: Int!  score: Float  author: User! @link  tags: [Tag!]! @link  at: DateTime @index }
type Tag { id: ID! @primary  name: String! @unique  posts: [Post!]! @link }
`

// write does one write in a transaction of its own.
func write(t testing.TB, d driver.Driver, w query.Write, b query.Binding) driver.Written {
	t.Helper()
	tx, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	done, err := tx.Write(t.Context(), rules.SystemWrite(w), b)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return done
}

// read is what a level answers, as JSON, and the statement's text.
func read(t testing.TB, d driver.Driver, l query.Level, b query.Binding) string {
	t.Helper()
	s, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	err = d.View(t.Context(), func(r driver.Reader) error {
		rows, err := r.Find(t.Context(), s, b)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			out = schema.AppendInt(out, int64(rows.Parent()))
			out = append(out, ':')
			for i := range l.Columns {
				out = rows.AppendJSON(append(out, ' '), i)
			}
			out = append(out, '\n')
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return string(out)
}

func cells(ty *schema.Type, names ...string) []query.Cell {
	var cs []query.Cell
	for _, n := range names {
		cs = append(cs, query.Cell{Field: ty.Field(n)})
	}
	return cs
}

func fields(ty *schema.Type, names ...string) []*schema.Field {
	var fs []*schema.Field
	for _, n := range names {
		fs = append(fs, ty.Field(n))
	}
	return fs
}

func TestFirst(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	user, post := s.Type("User"), s.Type("Post")
	write(t, d, query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name", "age"), Rows: [][]schema.Value{
		{schema.Text("a"), schema.Text("Ann"), schema.Integer(3)},
		{schema.Text("b"), schema.Text("Bob"), schema.Null},
	}}, query.Binding{})
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "title", "views", "authorId"), Rows: [][]schema.Value{
		{schema.Text("1"), schema.Text("One"), schema.Integer(1), schema.Text("a")},
		{schema.Text("2"), schema.Text("Two"), schema.Integer(2), schema.Text("a")},
		{schema.Text("3"), schema.Text("Three"), schema.Integer(3), schema.Text("b")},
	}}, query.Binding{})
	t.Log("\n" + read(t, d, query.Level{Type: user, Columns: cells(user, "id", "name", "age"), OrderBy: []query.Order{{Field: user.Field("age")}}}, query.Binding{}))
	l := query.Level{Type: post, Columns: cells(post, "id", "title", "views"), OrderBy: []query.Order{{Field: post.Field("id"), Desc: true}},
		Limit: query.Const(schema.Integer(1)), Via: &query.Via{Link: user.Field("posts")}}
	t.Log("\n" + read(t, d, l, query.Binding{Keys: []schema.Value{schema.Text("b"), schema.Text("a")}}))
	t.Log("\n" + read(t, d, l, query.Binding{Keys: []schema.Value{schema.Text("a")}}))
}

package resolvers_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

const library = `
type Author @auth(read: "doc.public") { id: ID! @primary  name: String!  public: Boolean!  mentor: Author @link }
type Book @auth(read: "true") { id: ID! @primary  author: Author @link }
`

func openLibrary(t *testing.T, sdl string) (*resolvers.Resolvers, *schema.Schema, *database.DB) {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	d, err := sqlite.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "main.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if _, err := migrate.Apply(t.Context(), migrate.Database{Name: "main", Product: d.Product(), SQL: d}, s, migrate.Options{}); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	db := database.New("main", d)
	r, err := resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: map[string]*database.DB{"main": db}})
	if err != nil {
		t.Fatal(err)
	}
	return r, s, db
}

func insert(t *testing.T, db *database.DB, typ *schema.Type, rows ...[]schema.Value) {
	t.Helper()
	err := db.Tx(t.Context(), func(tx driver.Tx) error {
		_, err := tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Create, Type: typ, Columns: typ.Columns, Rows: rows}), query.Binding{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A sort key may lie behind links: the cursor holds it, and that of a row that may not be read is null.
func TestPagesByWhatLinksLeadTo(t *testing.T) {
	r, s, db := openLibrary(t, library)
	author, book := s.Type("Author"), s.Type("Book")
	text := schema.Text
	insert(t, db, author,
		[]schema.Value{text("a1"), text("Ann"), schema.Bool(true), schema.Null},
		[]schema.Value{text("a2"), text("Bob"), schema.Bool(true), text("a1")},
		[]schema.Value{text("a3"), text("Cid"), schema.Bool(false), text("a2")},
	)
	insert(t, db, book,
		[]schema.Value{text("b1"), text("a2")}, []schema.Value{text("b2"), text("a1")}, []schema.Value{text("b3"), schema.Null},
		[]schema.Value{text("b4"), text("a3")}, []schema.Value{text("b5"), text("a2")}, []schema.Value{text("b6"), schema.Null},
	)
	byName := query.Order{Field: author.Field("name"), Via: []*schema.Field{book.Field("author")}}
	byMentor := query.Order{Field: author.Field("name"), Via: []*schema.Field{book.Field("author"), author.Field("mentor")}, Desc: true}
	for name, test := range map[string]struct {
		order query.Order
		want  string
	}{
		"name of author": {byName, "b2 b1 b5 b3 b4 b6"},
		"name of mentor": {byMentor, "b2 b3 b4 b6 b1 b5"},
	} {
		cursor := query.NewCursor("", book, query.Complete(book, []query.Order{test.order}))
		for _, backward := range []bool{false, true} {
			if got := strings.Join(walk(t, r, cursor, test.order, backward), " "); got != test.want {
				t.Errorf("%s, backward %t: %s, want %s", name, backward, got, test.want)
			}
		}
	}
}

// walk is the ids of all books, by pages of one.
func walk(t *testing.T, r *resolvers.Resolvers, cursor *query.Cursor, order query.Order, backward bool) []string {
	t.Helper()
	book := r.Schema.Type("Book")
	var ids []string
	var position []schema.Value
	for range 10 {
		p := &query.Page{
			Limit: query.Const(schema.Integer(2)), Backward: backward, Cursor: cursor,
			Members: []query.PageMember{{Name: "edges", Kind: query.PageEdges, Items: []query.Item{
				{Name: "cursor", Cursor: true}, {Name: "node", Node: []query.Item{{Name: "id", Field: book.Field("id")}}},
			}}},
		}
		if position != nil {
			at := []query.Operand{query.ArgAt(0), query.ArgAt(1)}
			p.After = at
			if backward {
				p.After, p.Before = nil, at
			}
		}
		find := r.Find(&query.Find{Type: book, OrderBy: []query.Order{order}, Page: p})
		answer, err := find.Run(t.Context(), &auth.Caller{}, position, nil)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Edges []struct {
				Cursor string
				Node   struct{ ID string }
			}
		}
		if err := json.Unmarshal(answer, &page); err != nil {
			t.Fatalf("%v in %s", err, answer)
		}
		if len(page.Edges) == 0 {
			return ids
		}
		if id := page.Edges[0].Node.ID; backward {
			ids = append([]string{id}, ids...)
		} else {
			ids = append(ids, id)
		}
		if position, err = cursor.Read(page.Edges[0].Cursor); err != nil {
			t.Fatal(err)
		}
	}
	t.Fatal("pages without end")
	return nil
}

package sqlite

import (
	"flag"
	"os"
	"strings"
	"testing"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

var update = flag.Bool("update", false, "rewrite testdata")

// Texts are made once, of names from the schema; a text changes on purpose or not at all.
func TestStatements(t *testing.T) {
	s := parse(t, blog)
	user, post, tag := s.Type("User"), s.Type("Post"), s.Type("Tag")
	col := func(f *schema.Field) query.Operand { return query.Col(f) }
	arg := query.ArgAt(0)
	three := query.Const(schema.Integer(3))
	byID := []query.Order{{Field: post.Field("id")}}
	mine := query.Compare{Left: col(post.Field("authorId")), Right: query.ClaimAt(0)}
	author := query.Operand{Kind: query.Column, Field: user.Field("name"), Via: []*schema.Field{post.Field("author")}}
	var got strings.Builder
	for _, l := range []query.Level{
		{Type: post, Columns: cells(post, "id", "title")},
		{Type: post},
		{Type: post, Columns: []query.Cell{{Field: post.Field("id")}, {Field: post.Field("title"), When: mine}, {Field: post.Field("views"), When: query.False}}},
		{Type: post, Columns: cells(post, "id"), Where: query.And{mine, query.Or{}, query.Not{Where: query.Untrue{Where: query.Unknown}}}, OrderBy: byID, Limit: arg, Offset: three},
		{Type: post, Columns: cells(post, "id"), OrderBy: []query.Order{{Field: post.Field("score"), Desc: true}, {Field: user.Field("name"), Via: []*schema.Field{post.Field("author")}, Nulls: query.NullsFirst}, byID[0]}, Offset: three},
		{Type: post, Columns: cells(post, "id"), Where: query.Compare{Left: author, Op: query.IContains, Right: arg}},
		{Type: post, Columns: cells(post, "id"), Where: query.Compare{Left: col(post.Field("title")), Op: query.Nin, Right: arg}},
		{Type: post, Columns: cells(post, "id"), Where: query.Some{Link: post.Field("tags"), Where: query.Compare{Left: col(tag.Field("name")), Op: query.Eq, Right: query.Operand{Kind: query.Column, Field: post.Field("title"), Up: 1}}}},
		{Type: post, Columns: cells(post, "id"), Where: query.Exists{Type: tag, Where: query.IsNull{Operand: col(tag.Field("name"))}}},
		{Type: post, Columns: cells(post, "id"), Where: mine, OrderBy: byID, Via: &query.Via{Link: user.Field("posts")}},
		{Type: post, Columns: cells(post, "id"), Where: mine, OrderBy: byID, Limit: three, Via: &query.Via{Link: user.Field("posts")}},
		{Type: tag, Columns: cells(tag, "id"), Via: &query.Via{Link: post.Field("tags")}, OrderBy: []query.Order{{Field: tag.Field("id")}}},
		{Type: user, Columns: cells(user, "id"), Via: &query.Via{Link: post.Field("author"), Single: true}},
	} {
		st, err := (&Driver{}).Prepare(rules.System(l))
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(st.String() + "\n")
		if one := st.(*statement).one; one != nil {
			got.WriteString("  one key: " + one.Text + "\n")
		}
	}
	id := []*schema.Field{post.Field("id")}
	change := &query.Write{Type: post, Where: mine, ByKeys: true, Set: []query.Assign{
		{Field: post.Field("title"), Value: arg}, {Field: post.Field("views"), Op: query.Inc, Value: three}, {Field: post.Field("score"), Op: query.Max, Value: arg},
	}}
	for _, render := range []func() (sqlgen.Statement, error){
		func() (sqlgen.Statement, error) {
			return sqlgen.Insert(dialect{}, post, fields(post, "id", "title"), 2, id)
		},
		func() (sqlgen.Statement, error) { return sqlgen.Insert(dialect{}, post, nil, 1, nil) },
		func() (sqlgen.Statement, error) { return sqlgen.Update(dialect{}, change, id) },
		func() (sqlgen.Statement, error) {
			return sqlgen.Delete(dialect{}, &query.Write{Type: post, Where: query.And{}}, nil)
		},
	} {
		st, err := render()
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(st.Text + "\n")
	}
	golden(t, "testdata/statements.sql", got.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; see what changed and run with -update\n%s", name, got)
	}
}

// A name is one name, whatever it holds; a value is never text.
func TestNamesAreQuoted(t *testing.T) {
	evil := &schema.Type{Name: "Evil", Table: `x" ; DROP TABLE users; --`}
	f := &schema.Field{Name: "evil", Column: `a"b`, Scalar: schema.String, Owner: evil}
	evil.Columns = []*schema.Field{f}
	st, err := (&Driver{}).Prepare(rules.System(query.Level{
		Type: evil, Columns: []query.Cell{{Field: f}}, Where: query.Compare{Left: query.Col(f), Right: query.Const(schema.Text("'; DROP TABLE users; --"))},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `SELECT t0."a""b" FROM "x"" ; DROP TABLE users; --" AS t0 WHERE (t0."a""b" = ?1)`; st.String() != want {
		t.Errorf("got %s", st)
	}
}

func TestWhatCannotBeSaid(t *testing.T) {
	s := parse(t, blog)
	user := s.Type("User")
	for _, w := range []query.Where{
		query.IsNull{},
		query.IsNull{Operand: query.Operand{Kind: query.Column, Field: user.Field("id"), Up: 1}},
	} {
		if _, err := (&Driver{}).Prepare(rules.System(query.Level{Type: user, Where: w})); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
	}
}

// A column may be called as SQLite calls its row key.
func TestRowKeyNames(t *testing.T) {
	s := parse(t, `
		type Author { id: ID! @primary  rows: [Row!]! @link }
		type Row { id: ID! @primary  rowid: String  oid: String  author: Author @link }`)
	d := openFile(t, s.Types)
	author, row := s.Type("Author"), s.Type("Row")
	write(t, d, query.Write{Verb: query.Create, Type: author, Columns: fields(author, "id"), Rows: [][]schema.Value{{schema.Text("a")}, {schema.Text("b")}}}, query.Binding{})
	insert := query.Write{Verb: query.Create, Type: row, Columns: fields(row, "id", "rowid", "authorId")}
	for _, id := range []string{"1", "2", "3"} {
		insert.Rows = append(insert.Rows, []schema.Value{schema.Text(id), schema.Text("same"), schema.Text("a")})
	}
	write(t, d, insert, query.Binding{})
	got := read(t, d, query.Level{
		Type: row, Columns: cells(row, "id"), OrderBy: []query.Order{{Field: row.Field("id")}}, Limit: query.Const(schema.Integer(2)), Via: &query.Via{Link: author.Field("rows")},
	}, query.Binding{Keys: []schema.Value{schema.Text("b"), schema.Text("a")}})
	if got != "1: \"1\"\n1: \"2\"\n" {
		t.Error(got)
	}
}

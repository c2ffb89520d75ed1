// Package pull tests that a database that is there becomes a schema that loads, changes
// nothing in it, and serves it.
package pull

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"golang.org/x/tools/txtar"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

var update = flag.Bool("update", false, "rewrite the schemas in testdata")

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

// story is a dump and the schema that is pulled from it.
type story struct {
	path    string
	archive *txtar.Archive
}

func read(t *testing.T, name string) story {
	t.Helper()
	path := filepath.Join("testdata", name)
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return story{path, archive}
}

// dump is what makes the database: SQL, or the commands of MongoDB.
func (s story) dump() string { return string(s.archive.Files[0].Data) }

func (s story) file(name string) *txtar.File {
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			return &s.archive.Files[i]
		}
	}
	panic("there is no " + name)
}

func (s story) check(t *testing.T, name, text string) {
	t.Helper()
	want := s.file(name)
	if string(want.Data) == text {
		return
	}
	if !*update {
		t.Errorf("%s: %s is\n%s", s.path, name, text)
		return
	}
	want.Data = []byte(text)
	if err := os.WriteFile(s.path, txtar.Format(s.archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, sdl string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
	if err != nil {
		t.Fatalf("%v\n%s", err, sdl)
	}
	return s
}

// pullTwice is the schema of a database, which is the same once it was served.
func pullTwice(t *testing.T, db migrate.Database) string {
	t.Helper()
	text, err := migrate.Pull(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, sdl := range []string{text, opened(text)} {
		s := parse(t, sdl)
		for _, policy := range []migrate.Policy{migrate.Exact, migrate.Keep, migrate.Tidy} {
			plan, err := migrate.Make(t.Context(), db, s, migrate.Options{Policy: policy})
			if err != nil {
				t.Fatalf("%v\n%s", err, sdl)
			}
			if strings.Contains(sdl, "no row can be inserted") && sdl != text {
				continue // a create rule is refused, and says why
			}
			if !plan.Empty() || len(plan.Kept) > 0 {
				t.Errorf("serving would change it:\n%s\n%s", plan, sdl)
			}
			if _, err := migrate.Apply(t.Context(), db, s, migrate.Options{Policy: policy}); err != nil {
				t.Error(err)
			}
		}
	}
	again, err := migrate.Pull(t.Context(), db)
	if err != nil || again != text {
		t.Errorf("another time it is, %v,\n%s", err, again)
	}
	return text
}

// opened is a schema that everybody may do everything with.
func opened(sdl string) string {
	return types.ReplaceAllStringFunc(sdl, func(text string) string {
		rules := ""
		switch {
		case strings.Contains(text, "@view"):
			rules = ` @auth(read: "true")`
		case strings.Contains(text, "@primary"):
			rules = ` @auth(read: "true", create: "true", update: "true", delete: "true")`
		}
		return types.ReplaceAllString(text, "type $1"+rules+"$2")
	})
}

var types = regexp.MustCompile(`(?ms)^type (\w+)(.*?^\}$)`)

// Whatever somebody else made of it, a database is served as it is.
func TestWhatIsThereIsServed(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		story := read(t, on.Name+".txtar")
		d := on.Open(t)
		target := served.Must(migrate.Target("main", d))(t)
		fill(t, target, story.dump())
		text := pullTwice(t, target)
		story.check(t, "schema.graphql", text)
		s := parse(t, opened(text))
		server := serve(t, database.New("main", d), s)
		askAll(t, server, s)
		probe(t, on, server, s)
		for _, f := range story.archive.Files {
			if query, is := strings.CutPrefix(f.Name, "query "); is {
				story.check(t, f.Name, ask(t, server, query)+"\n")
			}
		}
	})
}

// A database that is not the main one says so at every type.
func TestAnotherDatabase(t *testing.T) {
	db := served.Must(migrate.Target("shop", served.SQLite.Open(t)))(t)
	fill(t, db, "CREATE TABLE posts (id INTEGER PRIMARY KEY); CREATE VIEW tops AS SELECT id FROM posts")
	text := pullTwice(t, db)
	for _, want := range []string{"# The schema of database shop (SQLite)", `type Post @table(db: "shop") {`, `type Top @view(db: "shop") {`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}

// fill runs the statements of a dump, each of which ends a line; of MongoDB its commands, one a
// line.
func fill(t *testing.T, db migrate.Database, dump string) {
	t.Helper()
	if db.Mongo != nil {
		for line := range strings.Lines(dump) {
			var command bson.D
			if err := bson.UnmarshalExtJSON([]byte(line), false, &command); err != nil {
				t.Fatalf("%v\n%s", err, line)
			}
			if err := db.Mongo.RunCommand(t.Context(), command).Err(); err != nil {
				t.Fatalf("%v\n%s", err, line)
			}
		}
		return
	}
	conn, err := db.SQL.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for statement := range strings.SplitSeq(strings.TrimSuffix(dump, ";\n"), ";\n") {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v\n%s", err, statement)
		}
	}
}

func serve(t *testing.T, db *database.DB, s *schema.Schema) http.Handler {
	t.Helper()
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	res, err := resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: map[string]*database.DB{"main": db}})
	if err != nil {
		t.Fatal(err)
	}
	api, err := generator.New(s)
	if err != nil {
		t.Fatal(err)
	}
	server, err := graph.New(graph.Options{API: api, Resolvers: res, Introspection: true, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// askAll asks every list for all that a row holds, and its aggregate.
func askAll(t *testing.T, server http.Handler, s *schema.Schema) {
	t.Helper()
	for _, x := range s.Types {
		var b strings.Builder
		for _, f := range x.Fields {
			b.WriteString(" " + f.Name)
			if f.IsLink() || f.Value != nil {
				b.WriteString(" { __typename }")
			}
		}
		query := "{ " + x.Plural + " {" + b.String() + " } " + x.Plural + "Aggregate { count }"
		if x.Kind == schema.Table {
			query += " " + x.Plural + "Connection(first: 1) { totalCount nodes { __typename } }"
		}
		query += " }"
		if got := ask(t, server, query); strings.Contains(got, `"errors"`) {
			t.Errorf("%s\n%s", query, got)
		}
	}
}

func ask(t *testing.T, server http.Handler, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(t.Context(), &auth.Caller{Claims: map[string]any{}}), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return strings.TrimSpace(w.Body.String())
}

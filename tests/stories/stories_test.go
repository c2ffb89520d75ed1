// Package stories tells what the whole server does, one behaviour a file: a schema, requests
// and their answers.
package stories

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

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

var update = flag.Bool("update", false, "rewrite the answers of the stories")

// TestStories runs testdata/*.txtar. A file begins with a sentence of intent and holds
// schema.graphql and then pairs of NAME.graphql, a request, and NAME.json, its answer. Comments at the top of
// a request say who asks and with what: "# as {claims}", "# variables {…}", "# header Name: value".
//
// An answer that is another one on PostgreSQL is told a second time, as NAME.postgres.json.
func TestStories(t *testing.T) { tellAll(t, "", inFile) }

// TestStoriesOnPostgres tells the same stories: what a server does is the same on every database.
func TestStoriesOnPostgres(t *testing.T) { tellAll(t, onPostgres, private.URL) }

// onPostgres is in the names of answers that are others there.
const onPostgres = ".postgres"

func inFile(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "main.db") }

func tellAll(t *testing.T, suffix string, url func(testing.TB) string) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { tell(t, file, suffix, url(t)) })
	}
}

func tell(t *testing.T, file, suffix, url string) {
	story, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if story.Files[0].Name != "schema.graphql" {
		t.Fatal("a story begins with schema.graphql")
	}
	server := serveOn(t, url, string(story.Files[0].Data))
	told := &txtar.Archive{Comment: story.Comment, Files: slices.Clip(story.Files[:1])}
	want := map[string]string{}
	for _, f := range story.Files[1:] {
		want[f.Name] = string(f.Data)
	}
	for _, f := range story.Files[1:] {
		name, isRequest := strings.CutSuffix(f.Name, ".graphql")
		if !isRequest {
			continue
		}
		got := ask(t, server, string(f.Data))
		common, own := name+".json", name+suffix+".json"
		if want[own] == "" {
			own = common
		}
		if !*update && want[own] != got {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want[own])
		}
		if own = name + suffix + ".json"; *update {
			delete(want, own)
			if got != want[common] {
				want[own] = got
			}
		}
		told.Files = append(told.Files, f, txtar.File{Name: common, Data: []byte(want[common])})
		if special := want[name+onPostgres+".json"]; special != "" {
			told.Files = append(told.Files, txtar.File{Name: name + onPostgres + ".json", Data: []byte(special)})
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(told), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// now is when every request of a story is made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ask sends a request and returns its answer, indented. The comments are not sent, so that
// requests that differ in them only are one document with one cache of plans.
func ask(t *testing.T, server http.Handler, text string) string {
	t.Helper()
	caller := &auth.Caller{Now: now, Claims: map[string]any{}}
	body := map[string]any{}
	var query strings.Builder
	header := http.Header{}
	for line := range strings.Lines(text) {
		if h, ok := strings.CutPrefix(line, "# header "); ok {
			name, value, _ := strings.Cut(strings.TrimSpace(h), ": ")
			header.Add(name, value)
		}
		if claims, ok := strings.CutPrefix(line, "# as "); ok {
			caller = signedIn(t, claims)
		}
		if vars, ok := strings.CutPrefix(line, "# variables "); ok {
			body["variables"] = json.RawMessage(vars)
		}
		if !strings.HasPrefix(line, "# ") {
			query.WriteString(line)
		}
	}
	body["query"] = query.String()
	var out bytes.Buffer
	if err := json.Indent(&out, postWith(t, server, caller, body, header), "", "  "); err != nil {
		t.Fatal(err)
	}
	return out.String() + "\n"
}

func signedIn(t testing.TB, claims string) *auth.Caller {
	t.Helper()
	c := &auth.Caller{Now: now, SignedIn: true}
	if err := json.Unmarshal([]byte(claims), &c.Claims); err != nil {
		t.Fatalf("%v in %s", err, claims)
	}
	c.Claims["id"] = c.Claims["sub"]
	return c
}

// post is the answer to a request of a caller.
func post(t testing.TB, server http.Handler, c *auth.Caller, body map[string]any) []byte {
	t.Helper()
	return postWith(t, server, c, body, http.Header{})
}

func postWith(t testing.TB, server http.Handler, c *auth.Caller, body map[string]any, header http.Header) []byte {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(t.Context(), c), http.MethodPost, "/graphql", bytes.NewReader(encoded))
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return w.Body.Bytes()
}

// serve is the whole backend of a schema on a new database.
func serve(t testing.TB, sdl string) http.Handler {
	t.Helper()
	return serveOn(t, inFile(t), sdl)
}

func serveOn(t testing.TB, url, sdl string) http.Handler {
	t.Helper()
	s := must(schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl}))(t)
	db := must(drivers().Open(t.Context(), "main", url))(t)
	t.Cleanup(func() { _ = db.Close() })
	target := migrate.Database{Name: "main", Product: db.Driver().Product(), SQL: db.Driver().(driver.SQL)}
	must(migrate.Apply(t.Context(), target, s, migrate.Options{}))(t)
	set := must(rules.Compile(s))(t)
	res := must(resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: map[string]*database.DB{"main": db}}))(t)
	api := must(generator.New(s))(t)
	return must(graph.New(graph.Options{
		API: api, Resolvers: res, Introspection: true, Suggestions: true,
		Log: slog.New(slog.NewTextHandler(testWriter{t}, nil)),
	}))(t)
}

func drivers() database.Drivers {
	return database.Drivers{
		"sqlite":   func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) },
		"postgres": func(ctx context.Context, url string) (driver.Driver, error) { return postgres.Open(ctx, url) },
	}
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

// testWriter sends the server's log to the test's.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

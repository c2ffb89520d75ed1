// Package docs runs what the pages of docs say.
package docs

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
	"regexp"
	"strings"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

var update = flag.Bool("update", false, "rewrite the answers in the pages")

// block is a fenced block of a page.
type block struct {
	info, text string
	start, end int // of the text in the page
}

var fence = regexp.MustCompile("(?ms)^```([^\n`]*)\n(.*?)^```[ \t]*$")

func blocks(page string) []block {
	var found []block
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		found = append(found, block{
			info: strings.TrimSpace(page[at[2]:at[3]]), text: page[at[4]:at[5]], start: at[4], end: at[5],
		})
	}
	return found
}

// TestPages runs every page of docs with a block of "graphql schema": its blocks of "graphql",
// in their order, on a new database of that schema. A block of "json" right after a request is
// its answer, whatever the white space; a request without one must have no errors. A block of
// "sql sqlite" is a database that is there, one of "graphql pulled" what is pulled from it, and
// requests then are asked of that with everything open. Comments at
// the top of a request say who asks and with what: "# as {claims}", "# variables {…}".
func TestPages(t *testing.T) {
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no pages: %v", err)
	}
	ran := 0
	for _, file := range files {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(page, []byte("```graphql schema")) || bytes.Contains(page, []byte("```graphql pulled")) {
			ran++
			t.Run(filepath.Base(file), func(t *testing.T) { run(t, file, string(page)) })
		}
	}
	if ran == 0 {
		t.Fatal("no page has a schema, so nothing was run")
	}
}

func run(t *testing.T, file, page string) {
	all := blocks(page)
	var server http.Handler
	var out strings.Builder
	var db *database.DB
	var pulled string
	copied := 0
	for i, b := range all {
		switch b.info {
		case "sql sqlite":
			db = filled(t, b.text)
			continue
		case "graphql pulled":
			pulled, server = pull(t, db)
			if want := strings.TrimSpace(b.text); pulled != want && !*update {
				t.Errorf("what is pulled is\n%s", pulled)
			} else if pulled != want {
				out.WriteString(page[copied:b.start] + pulled + "\n")
				copied = b.end
			}
			continue
		case "graphql schema":
			server = serve(t, open(t), b.text)
			continue
		case "graphql":
		default:
			continue
		}
		if server == nil {
			t.Fatalf("%s asks before it has a schema", file)
		}
		got := ask(t, server, b.text)
		if i+1 == len(all) || all[i+1].info != "json" {
			if strings.Contains(got, `"errors"`) {
				t.Errorf("%s\n%s", b.text, got)
			}
			continue
		}
		want := all[i+1]
		if compact(t, want.text) != got && !*update {
			t.Errorf("%s\ngot\n%s\nwant\n%s", b.text, shown(got), want.text)
		}
		if compact(t, want.text) != got {
			out.WriteString(page[copied:want.start] + shown(got) + "\n")
			copied = want.end
		}
	}
	if *update && copied > 0 {
		if err := os.WriteFile(file, []byte(out.String()+page[copied:]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return b.String()
}

// shown is an answer as a page shows it: each member of data on a line.
func shown(answer string) string {
	var parts struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	if json.Unmarshal([]byte(answer), &parts) != nil || parts.Data == nil || strings.Contains(answer, `"errors"`) {
		var b bytes.Buffer
		_ = json.Indent(&b, []byte(answer), "", "  ")
		return b.String()
	}
	var b strings.Builder
	b.WriteString("{\"data\": {\n")
	d := json.NewDecoder(strings.NewReader(answer[len(`{"data":`):]))
	_, _ = d.Token()
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		comma := ","
		if !d.More() {
			comma = ""
		}
		b.WriteString("  \"" + name.(string) + "\": " + string(value) + comma + "\n")
	}
	b.WriteString("}}")
	return b.String()
}

// now is when every request is made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func ask(t *testing.T, server http.Handler, text string) string {
	t.Helper()
	caller := &auth.Caller{Now: now, Claims: map[string]any{}}
	body := map[string]any{"query": text}
	for line := range strings.Lines(text) {
		if claims, ok := strings.CutPrefix(line, "# as "); ok {
			decode(t, claims, &caller.Claims)
			caller.Claims["id"], caller.SignedIn = caller.Claims["sub"], true
		}
		if vars, ok := strings.CutPrefix(line, "# variables "); ok {
			var v map[string]any
			decode(t, vars, &v)
			body["variables"] = v
		}
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(auth.With(t.Context(), caller), http.MethodPost, "/graphql", bytes.NewReader(encoded))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	return compact(t, w.Body.String())
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// open opens a new database.
func open(t *testing.T) *database.DB {
	t.Helper()
	drivers := database.Drivers{"sqlite": func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) }}
	db := must(drivers.Open(t.Context(), "main", "sqlite:"+filepath.Join(t.TempDir(), "main.db")))(t)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func target(db *database.DB) migrate.Database {
	return migrate.Database{Name: "main", Product: db.Driver().Product(), SQL: db.Driver().(driver.SQL)}
}

// filled is a new database in which somebody else ran statements.
func filled(t *testing.T, statements string) *database.DB {
	t.Helper()
	db := open(t)
	conn := must(db.Driver().(driver.SQL).Conn(t.Context()))(t)
	defer conn.Close()
	must(conn.ExecContext(t.Context(), statements))(t)
	return db
}

// pull is what is pulled from a database, without the first comment, and the backend of it
// with everything open.
func pull(t *testing.T, db *database.DB) (string, http.Handler) {
	t.Helper()
	text := must(migrate.Pull(t.Context(), target(db)))(t)
	opened := regexp.MustCompile(`(?m)^type \w+`).ReplaceAllString(text, `$0 @auth(read: "true", create: "true")`)
	opened = regexp.MustCompile(`(, create: "true")(\) @view)`).ReplaceAllString(opened, "$2")
	_, shown, _ := strings.Cut(text, "\n\n")
	return strings.TrimSpace(shown), serve(t, db, opened)
}

// serve is the whole backend of a schema on a database.
func serve(t *testing.T, db *database.DB, sdl string) http.Handler {
	t.Helper()
	s := must(schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl}))(t)
	must(migrate.Apply(t.Context(), target(db), s, migrate.Options{}))(t)
	set := must(rules.Compile(s))(t)
	res := must(resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: map[string]*database.DB{"main": db}}))(t)
	api := must(generator.New(s))(t)
	return must(graph.New(graph.Options{
		API: api, Resolvers: res, Introspection: true, Suggestions: true, Log: slog.New(slog.DiscardHandler),
	}))(t)
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Package stories tells what the whole server does, one behaviour a file: a schema, requests
// and their answers.
package stories

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
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
	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

var update = flag.Bool("update", false, "rewrite the answers of the stories")

// TestStories runs testdata/*.txtar on each kind of database. A file begins with a sentence of intent and
// holds schema.graphql and then pairs of NAME.graphql, a request, and NAME.json, its answer. Where a kind
// answers otherwise, for a reason that docs/databases.md gives, NAME.KIND.json is beside it. Comments at
// the top of a request say who asks and with what: "# as {claims}", "# variables {…}", "# header Name: value".
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			served.Each(t, func(t *testing.T, on served.Kind) { tell(t, on, file) })
		})
	}
}

func tell(t *testing.T, on served.Kind, file string) {
	story, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if story.Files[0].Name != "schema.graphql" {
		t.Fatal("a story begins with schema.graphql")
	}
	if on.Lacks(served.ViewsBySQL) && bytes.Contains(story.Files[0].Data, []byte("@view(sql:")) {
		t.Skipf("the story is about a view by SQL, which %s has not", on.Name)
	}
	server := serve(t, on, string(story.Files[0].Data))
	told := &txtar.Archive{Comment: story.Comment, Files: slices.Clip(story.Files[:1])}
	answers := map[string]string{}
	for _, f := range story.Files[1:] {
		answers[f.Name] = string(f.Data)
	}
	for _, f := range story.Files[1:] {
		name, isRequest := strings.CutSuffix(f.Name, ".graphql")
		if !isRequest {
			continue
		}
		hear(t, on, answers, name, ask(t, server, string(f.Data)))
		told.Files = append(told.Files, f)
		for _, kind := range append([]string{""}, served.Names()...) {
			if answer := name + dotted(kind) + ".json"; answers[answer] != "" {
				told.Files = append(told.Files, txtar.File{Name: answer, Data: []byte(answers[answer])})
			}
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(told), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func dotted(kind string) string {
	if kind == "" {
		return ""
	}
	return "." + kind
}

// hear compares an answer with the one that is expected on a kind, or puts it among the answers:
// what SQLite says is what all should say.
func hear(t *testing.T, on served.Kind, answers map[string]string, name, got string) {
	t.Helper()
	common, own := name+".json", name+dotted(on.Name)+".json"
	want := answers[own]
	if want == "" {
		want = answers[common]
	}
	switch {
	case !*update && want != got:
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	case !*update:
	case on.Name == served.SQLite.Name:
		answers[common] = got
	case got == answers[common]:
		delete(answers, own)
	default:
		answers[own] = got
	}
}

// now is when every request of a story is made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ask sends a request and returns its answer, indented. The comments are not sent, so that
// requests that differ in them only are one document with one cache of plans.
func ask(t *testing.T, server *served.Server, text string) string {
	t.Helper()
	caller := &auth.Caller{Now: now, Claims: map[string]any{}}
	var variables any
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
			variables = json.RawMessage(vars)
		}
		if !strings.HasPrefix(line, "# ") {
			query.WriteString(line)
		}
	}
	var out bytes.Buffer
	if err := json.Indent(&out, server.Ask(caller, query.String(), variables, header).Body, "", "  "); err != nil {
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
func post(t testing.TB, server *served.Server, c *auth.Caller, body map[string]any) []byte {
	t.Helper()
	return server.Ask(c, body["query"].(string), body["variables"], nil).Body
}

// serve is the whole backend of a schema on new databases.
func serve(t testing.TB, on served.Kind, sdl string) *served.Server {
	t.Helper()
	return served.Text(t, on, sdl, served.Options{})
}

// counted is serve with limits; the databases count what they are asked.
func counted(t testing.TB, on served.Kind, sdl string, limits resolvers.Config) (*served.Server, map[string]*database.Counting) {
	t.Helper()
	counts := map[string]*database.Counting{}
	return served.Text(t, on, sdl, served.Options{Limits: limits, Decorate: func(name string, d driver.Driver) driver.Driver {
		counts[name] = database.Count(d)
		return counts[name]
	}}), counts
}

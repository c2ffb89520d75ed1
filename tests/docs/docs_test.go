// Package docs runs what the pages of docs say.
package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/migrate"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

// update rewrites by what SQLite answers; what others answer has to be the same.
var update = flag.Bool("update", false, "rewrite the answers in the pages")

func rewrites(on served.Kind) bool { return *update && on.Name == served.SQLite.Name }

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
// the top of a request say who asks and with what: "# as {claims}", "# variables {…}",
// "# header Name: value".
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
			t.Run(filepath.Base(file), func(t *testing.T) {
				served.Each(t, func(t *testing.T, on served.Kind) { run(t, on, file, string(page)) })
			})
		}
	}
	if ran == 0 {
		t.Fatal("no page has a schema, so nothing was run")
	}
}

func run(t *testing.T, on served.Kind, file, page string) {
	all := blocks(page)
	var server *served.Server
	var out strings.Builder
	var db driver.Driver
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
			server = served.Text(t, on, b.text, served.Options{})
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
		if compact(t, want.text) != got && !rewrites(on) {
			t.Errorf("%s\ngot\n%s\nwant\n%s", b.text, shown(got), want.text)
		}
		if compact(t, want.text) != got {
			out.WriteString(page[copied:want.start] + shown(got) + "\n")
			copied = want.end
		}
	}
	if rewrites(on) && copied > 0 {
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

func ask(t *testing.T, server *served.Server, text string) string {
	t.Helper()
	caller := &auth.Caller{Now: now, Claims: map[string]any{}}
	var variables any
	header := http.Header{}
	for line := range strings.Lines(text) {
		if h, ok := strings.CutPrefix(line, "# header "); ok {
			name, value, _ := strings.Cut(strings.TrimSpace(h), ": ")
			header.Add(name, value)
		}
		if claims, ok := strings.CutPrefix(line, "# as "); ok {
			decode(t, claims, &caller.Claims)
			caller.Claims["id"], caller.SignedIn = caller.Claims["sub"], true
		}
		if vars, ok := strings.CutPrefix(line, "# variables "); ok {
			variables = json.RawMessage(vars)
		}
	}
	return compact(t, string(server.Ask(caller, text, variables, header).Body))
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// filled is a new database in which somebody else ran statements.
func filled(t *testing.T, statements string) driver.Driver {
	t.Helper()
	d := served.SQLite.Open(t)
	speaks, ok := d.(driver.SQL)
	if !ok {
		t.Fatal("SQLite speaks no SQL")
	}
	conn := served.Must(speaks.Conn(t.Context()))(t)
	defer conn.Close()
	served.Must(conn.ExecContext(t.Context(), statements))(t)
	return d
}

// pull is what is pulled from a database, without the first comment, and the server of it
// with everything open.
func pull(t *testing.T, d driver.Driver) (string, *served.Server) {
	t.Helper()
	text := served.Must(migrate.Pull(t.Context(), served.Must(migrate.Target("main", d))(t)))(t)
	opened := regexp.MustCompile(`(?m)^type \w+`).ReplaceAllString(text, `$0 @auth(read: "true", create: "true")`)
	opened = regexp.MustCompile(`(, create: "true")(\) @view)`).ReplaceAllString(opened, "$2")
	_, shown, _ := strings.Cut(text, "\n\n")
	return strings.TrimSpace(shown), served.Text(t, served.Given(d), opened, served.Options{})
}

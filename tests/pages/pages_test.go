// Package pages runs the requests of the pages that walk through the sample schema: what they
// show is what the server says.
package pages

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
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
	"spacecloud/config"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/project"
)

var update = flag.Bool("update", false, "rewrite the answers on the pages")

const root = "../.."

// TestPages runs every request of a page in order, on a server of the sample schema
// with its seed.
func TestPages(t *testing.T) {
	for _, page := range []string{"README.md", "docs/sample.md"} {
		t.Run(page, func(t *testing.T) { run(t, filepath.Join(root, page)) })
	}
}

// block is a fenced block whose info string says what it is: "graphql name=X as=ann",
// "json variables=X" or "json answer=X".
var block = regexp.MustCompile("(?ms)^```(graphql name=|json variables=|json answer=)(\\S+)( as=(\\S+))?\n(.*?)^```$")

func run(t *testing.T, file string) {
	file, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := block.FindAllSubmatchIndex(text, -1)
	part := func(m []int, group int) string {
		if m[2*group] < 0 {
			return ""
		}
		return string(text[m[2*group]:m[2*group+1]])
	}
	variables := map[string]string{}
	for _, m := range found {
		if part(m, 1) == "json variables=" {
			variables[part(m, 2)] = part(m, 5)
		}
	}
	ask := serve(t)
	answers := map[string]string{}
	var out bytes.Buffer
	at, asked := 0, 0
	for _, m := range found {
		name, body := part(m, 2), part(m, 5)
		switch part(m, 1) {
		case "graphql name=":
			answers[name] = ask(part(m, 4), body, variables[name])
			asked++
		case "json answer=":
			if !same(t, body, answers[name]) {
				if !*update {
					t.Errorf("%s: the answer is\n%s", name, answers[name])
				}
				out.Write(text[at:m[10]])
				out.WriteString(indented(t, answers[name]))
				at = m[11]
			}
		}
	}
	if asked == 0 {
		t.Error("the page asks nothing")
	}
	if *update && at > 0 {
		out.Write(text[at:])
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// serve is a server of the sample schema, asked as a user.
func serve(t *testing.T) func(user, query, variables string) string {
	t.Helper()
	data := t.TempDir()
	t.Chdir(root) // as whoever follows a page, who is told of files from there
	p, err := project.Open(t.Context(), project.Config{
		Settings: config.Config{
			Schema: "schema", Data: data,
			Databases: map[string]config.Database{"main": {URL: config.URL("sqlite:" + filepath.Join(data, "main.db"))}},
		},
		Log: slog.New(slog.DiscardHandler),
		Drivers: database.Drivers{"sqlite": func(ctx context.Context, url string) (driver.Driver, error) {
			return sqlite.Open(ctx, url)
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if _, err := p.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Seed(t.Context()); err != nil {
		t.Fatal(err)
	}
	key, err := project.SigningKey(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	return func(user, query, variables string) string {
		return post(t, p.Handler(), token(t, key, user), query, variables)
	}
}

func token(t *testing.T, key auth.Key, user string) string {
	t.Helper()
	if user == "" {
		return ""
	}
	token, err := auth.Mint(key, map[string]any{"sub": user}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func post(t *testing.T, h http.Handler, token, query, variables string) string {
	t.Helper()
	if variables == "" {
		variables = "{}"
	}
	body, err := json.Marshal(map[string]any{"query": query, "variables": json.RawMessage(variables)})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Body.String()
}

// same is whether two answers are equal but for white space.
func same(t *testing.T, a, b string) bool {
	t.Helper()
	return indented(t, a) == indented(t, b)
}

func indented(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, []byte(strings.TrimSpace(text)), "", "  "); err != nil {
		t.Fatal(fmt.Errorf("%w in %s", err, text))
	}
	return out.String() + "\n"
}

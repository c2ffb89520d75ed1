package docs

import (
	"bytes"
	"context"
	"encoding/json"
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
	"spacecloud/graph"
	"spacecloud/project"
	"spacecloud/project/cases"
)

// Every file of cases in docs is as it should be.
func TestCases(t *testing.T) {
	files, err := cases.Find("../../docs")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			if told := runCases(t, file); strings.Contains(told, "FAIL") {
				t.Error(told)
			}
		})
	}
}

// runCases is what is told of the cases of a file.
func runCases(t *testing.T, file string) string {
	t.Helper()
	f, err := cases.Read(file)
	if err != nil {
		t.Fatal(project.Explain(err))
	}
	results, err := f.Run(t.Context(), cases.Options{})
	if err != nil {
		t.Fatal(project.Explain(err))
	}
	var told strings.Builder
	for _, r := range results {
		told.WriteString(r.String())
	}
	return told.String()
}

// TestRulesTools runs docs/rules-tools.md: its "yaml rules" has to be as it should be, and the block after
// any other that is run is what is told.
func TestRulesTools(t *testing.T) {
	file, err := filepath.Abs("../../docs/rules-tools.md")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := blocks(string(page))
	of := func(info string) string {
		for _, b := range all {
			if b.info == info {
				return b.text
			}
		}
		t.Fatalf("the page has no block of %q", info)
		return ""
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"schema/posts.graphql": of("graphql rules"), "posts.rules.yaml": of("yaml rules"), "wrong.rules.yaml": of("yaml wrong"), "schema/seed.graphql": of("graphql seed"),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if told := runCases(t, "posts.rules.yaml"); strings.Contains(told, "FAIL") {
		t.Error(told)
	}
	p := seeded(t)
	var out strings.Builder
	copied := 0
	for i, b := range all {
		var told string
		switch b.info {
		case "yaml wrong":
			told = runCases(t, "wrong.rules.yaml")
		case "sh explain":
			told = explained(t, p, b.text)
		case "graphql refused":
			told = refused(t, p, b.text)
		default:
			continue
		}
		if want := all[i+1]; want.text != told {
			if !*update {
				t.Errorf("%s\ntells\n%s", b.text, told)
			}
			out.WriteString(string(page[copied:want.start]) + told)
			copied = want.end
		}
	}
	if *update && copied > 0 {
		if err := os.WriteFile(file, []byte(out.String()+string(page[copied:])), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// seeded is the page's project, with its rows.
func seeded(t *testing.T) *project.Project {
	t.Helper()
	c := config.Config{Schema: "schema", Data: "data", Databases: map[string]config.Database{"main": {URL: "sqlite:data/main.db"}}}
	p, err := project.Open(t.Context(), project.Config{
		Settings: c, Log: slog.New(slog.DiscardHandler),
		Drivers: database.Drivers{"sqlite": func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) }},
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
	return p
}

// word is an argument of a command, in quotes or without.
var word = regexp.MustCompile(`'[^']*'|\S+`)

// explained is what the command line tells.
func explained(t *testing.T, p *project.Project, line string) string {
	t.Helper()
	words := word.FindAllString(strings.TrimSpace(line), -1)[3:]
	var claims map[string]any
	var row string
	var rest []string
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "--as":
			i++
			decode(t, strings.Trim(words[i], "'"), &claims)
		case "--row":
			i++
			row = words[i]
		default:
			rest = append(rest, strings.Trim(words[i], "'"))
		}
	}
	var told string
	var err error
	if row != "" {
		told, err = p.ExplainRow(t.Context(), p.Claimed(claims), row, strings.Join(rest, ""))
	} else {
		told, err = p.ExplainRequest(p.Claimed(claims), graph.Request{Query: rest[0]})
	}
	if err != nil {
		t.Fatal(err)
	}
	return told
}

// refused is the answer to a request that a rule refuses.
func refused(t *testing.T, p *project.Project, request string) string {
	t.Helper()
	first, _, _ := strings.Cut(request, "\n")
	var claims map[string]any
	decode(t, strings.TrimPrefix(first, "# as "), &claims)
	key, err := project.SigningKey(p.Settings)
	if err != nil {
		t.Fatal(err)
	}
	token, err := auth.Mint(key, claims, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"query": request})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return shown(compact(t, w.Body.String())) + "\n"
}

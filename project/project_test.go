package project

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
)

// world is a project in a temporary folder, and what it said.
type world struct {
	testing.TB
	*Project
	folder string
	lines  chan string
	change func(*config.Config) // of the settings, before open
}

func newWorld(t testing.TB, files map[string]string) *world {
	t.Helper()
	w := &world{TB: t, folder: t.TempDir(), lines: make(chan string, 100)}
	for name, text := range files {
		w.write(name, text)
	}
	w.open(false)
	return w
}

// open opens the project of the folder, as a start of the process would.
func (w *world) open(production bool) {
	w.Helper()
	c := config.Config{
		Schema: filepath.Join(w.folder, "schema"), Data: filepath.Join(w.folder, "data"),
		Production: production, Introspection: !production,
		Databases: map[string]config.Database{"main": {URL: config.URL("sqlite:" + filepath.Join(w.folder, "data", "main.db"))}},
	}
	if w.change != nil {
		w.change(&c)
	}
	p, err := Open(w.Context(), Config{
		Settings: c, Out: told(w.lines), Log: slog.New(slog.DiscardHandler),
		Drivers: database.Drivers{"sqlite": func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) }},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = p.Close() })
	w.Project = p
}

// told hands on what is printed.
type told chan string

func (t told) Write(b []byte) (int, error) { t <- string(b); return len(b), nil }

// write replaces a file of the schema as editors do: another file, renamed.
func (w *world) write(name, text string) {
	w.Helper()
	file := filepath.Join(w.folder, "schema", name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(file+".tmp", []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		w.Fatal(err)
	}
}

func (w *world) load() Loaded {
	w.Helper()
	l, err := w.Load(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	return l
}

// watch starts to watch; the test's end stops it and waits.
func (w *world) watch() {
	w.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Watch(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
}

// hear waits for the next thing said.
func (w *world) hear(want ...string) string {
	w.Helper()
	select {
	case said := <-w.lines:
		for _, part := range want {
			if !strings.Contains(said, part) {
				w.Errorf("heard\n%s\nwhich does not say\n%s", said, part)
			}
		}
		return said
	case <-time.After(10 * time.Second):
		w.Fatalf("nothing was said, want %q", want)
	}
	return ""
}

// ask sends a query and returns the answer.
func (w *world) ask(query, token string) string {
	w.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		w.Fatal(err)
	}
	r := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "http://localhost/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	return strings.TrimSpace(answer.Body.String())
}

func (w *world) get(path string) (int, string) {
	w.Helper()
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, httptest.NewRequestWithContext(w.Context(), http.MethodGet, path, nil))
	return answer.Code, answer.Body.String()
}

func (w *world) equal(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s is\n%s\nwant\n%s", what, got, want)
	}
}

const posts = `type Post @auth(read: "true", create: "true") { id: ID! @primary  title: String! }
`

func TestAFolderIsServed(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	if code, _ := w.get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("it is ready before a schema is served: %d", code)
	}
	if got := w.ask("{ posts { id } }", ""); !strings.Contains(got, "UNAVAILABLE") {
		t.Errorf("before the first load it answers %s", got)
	}
	w.load()
	w.equal("the answer", w.ask(`mutation { insertPost(doc: {id: "a", title: "One"}) { title } }`, ""), `{"data":{"insertPost":{"title":"One"}}}`)
	w.equal("the answer", w.ask("{ posts { title } }", ""), `{"data":{"posts":[{"title":"One"}]}}`)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/playground": 200, "/": 302, "/nothing": 404} {
		if code, body := w.get(path); code != want {
			t.Errorf("%s answers %d %s, want %d", path, code, body, want)
		}
	}
}

func TestABadTokenIsRefusedAndAGoodOneIsNot(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": strings.Replace(posts, `read: "true"`, `read: "auth.id == 'ann'"`, 1)})
	w.load()
	if got := w.ask("{ __typename }", "nonsense"); !strings.Contains(got, "UNAUTHENTICATED") {
		t.Errorf("a bad token is answered with %s", got)
	}
	key, err := SigningKey(w.Settings)
	if err != nil {
		t.Fatal(err)
	}
	token, err := auth.Mint(key, map[string]any{"sub": "ann"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	w.equal("the answer to Ann", w.ask("{ posts { title } }", token), `{"data":{"posts":[]}}`)
	if info, err := os.Stat(filepath.Join(w.Settings.Data, "signing.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v, %v", info, err)
	}
}

func TestEditsAreServed(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	w.watch()
	w.write("a.graphql", strings.Replace(posts, "title: String!", "title: String!  subtitle: String", 1))
	w.hear("posts: + subtitle · served in")
	w.equal("the answer", w.ask("{ posts { subtitle } }", ""), `{"data":{"posts":[]}}`)
	w.write("deep/er/b.graphql", `type Tag @auth(read: "true") { id: ID! @primary }`)
	w.hear("+ tags · served in")
	w.write("deep/er/b.graphql", `type Tag @auth(read: "auth.id != ''") { id: ID! @primary }`)
	w.hear("tags: ~ rules · served in")
	if err := os.Remove(filepath.Join(w.folder, "schema", "deep", "er", "b.graphql")); err != nil {
		t.Fatal(err)
	}
	w.hear("− tags")
}

func TestAWarningIsSaidOnce(t *testing.T) {
	const slow = `type Post @auth(read: "doc.ownerId == auth.id") { id: ID! @primary  ownerId: ID }`
	w := newWorld(t, map[string]string{"a.graphql": slow})
	if got := w.load().Warnings; len(got) != 1 || !strings.HasSuffix(got[0].File, "schema/a.graphql") || got[0].Line != 1 {
		t.Errorf("the warnings of the first load are %v", got)
	}
	w.watch()
	w.write("a.graphql", "\n"+strings.Replace(slow, "ID }", "ID  editorId: ID }", 1))
	if said := w.hear("posts: + editorId · served in"); strings.Contains(said, "warning") {
		t.Errorf("it was said again: %s", said)
	}
	w.write("a.graphql", strings.Replace(slow, "ownerId", "editorId", 2))
	w.hear("\nwarning: ", "a.graphql:1:24: the read rule of Post finds rows of Post by editorId, with which no index begins; add @index to Post.editorId\n")
}

func TestABadEditLeavesTheOldOneServingAndIsSaidOnce(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	w.watch()
	bad := strings.Replace(posts, "String!", "Sting!", 1)
	w.write("a.graphql", bad)
	w.hear("schema/a.graphql:1:", "did you mean String?", "what was served before still is")
	w.equal("the answer", w.ask("{ posts { title } }", ""), `{"data":{"posts":[]}}`)
	w.write("a.graphql", bad+"\n# the same problem\n")
	w.write("a.graphql", posts)
	w.hear("no change of meaning · served in")
}

func TestAnEditThatTheDataDoesNotAllowIsRefused(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	w.ask(`mutation { insertPost(doc: {id: "a", title: "One"}) { title } }`, "")
	w.watch()
	w.write("a.graphql", strings.Replace(posts, "title: String!", "title: Int!", 1))
	w.hear("1 row of posts.title (with key a) is no Int", "what was served before still is")
	w.write("a.graphql", strings.Replace(posts, "title: String!", "", 1))
	w.hear("posts: − title", "stays: column posts.title with 1 value")
	w.write("a.graphql", posts)
	w.hear("posts: + title")
	w.equal("the answer", w.ask("{ posts { title } }", ""), `{"data":{"posts":[{"title":"One"}]}}`)
}

func TestAFolderThatIsReplacedIsStillWatched(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	w.watch()
	w.write("a.graphql", posts+"# it is watched by now\n")
	w.hear("no change of meaning")
	folder := filepath.Join(w.folder, "schema")
	if err := os.Rename(folder, folder+".old"); err != nil {
		t.Fatal(err)
	}
	w.hear("there is no schema folder")
	w.write("a.graphql", posts+`type Tag @auth(read: "true") { id: ID! @primary }`)
	w.hear("+ tags")
	w.write("a.graphql", posts)
	w.hear("− tags")
}

func TestProductionServesOnlyWhatIsMigrated(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	w.open(true)
	w.load()
	w.write("a.graphql", strings.Replace(posts, "title: String!", "title: String!  subtitle: String", 1))
	w.open(true)
	_, err := w.Load(t.Context())
	if err == nil || !strings.Contains(err.Error(), "add column posts.subtitle") || !strings.Contains(err.Error(), "spacecloud migrate apply") {
		t.Errorf("production serves with %v", err)
	}
}

func TestTheSeedRunsOnce(t *testing.T) {
	w := newWorld(t, map[string]string{
		"a.graphql":    strings.Replace(posts, `create: "true"`, `create: "auth.id == 'nobody'"`, 1),
		"seed.graphql": "mutation {\n  insertPosts(docs: [{id: \"a\", title: \"One\"}, {id: \"b\", title: \"Two\"}]) { affected }\n}",
	})
	w.load()
	for i, want := range []int{1, 0} {
		if n, err := w.Seed(t.Context()); err != nil || n != want {
			t.Errorf("seeding time %d did %d changes, %v", i, n, err)
		}
	}
	w.equal("the answer", w.ask("{ posts { title } }", ""), `{"data":{"posts":[{"title":"One"},{"title":"Two"}]}}`)
}

func TestABadSeedSaysWhereAndWhy(t *testing.T) {
	for text, want := range map[string]string{
		"mutation {\n  insertPost(doc: {id: \"a\"}) { id }\n}":                                                                         "schema/seed.graphql:2:",
		"mutation {\n  a: insertPost(doc: {id: \"a\", title: \"x\"}) { id }\n b: insertPost(doc: {id: \"a\", title: \"x\"}) { id }\n}": "schema/seed.graphql:",
		"{ posts { id } }": "has to be one mutation",
		"mutation {":       "syntax: ",
	} {
		w := newWorld(t, map[string]string{"a.graphql": posts, "seed.graphql": text})
		w.load()
		if _, err := w.Seed(t.Context()); err == nil || !strings.Contains(Explain(err), want) {
			t.Errorf("the seed\n%s\nis refused with\n%v\nwhich does not say %s", text, err, want)
		}
		w.equal("what a failed seed leaves", w.ask("{ posts { title } }", ""), `{"data":{"posts":[]}}`)
	}
}

// many is a schema of n tables that are linked.
func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `type Thing%[1]d @auth(read: "true", create: "auth.id != ''", update: "doc.ownerId == auth.id") {
  id: ID! @primary
  name: String! @size(max: 80)
  code: String @unique
  count: Int! @default(value: 0)
  price: Decimal
  at: DateTime! @createdAt
  ownerId: ID @index
  next: Thing%[2]d @link
}
`, i, (i+1)%n)
	}
	return b.String()
}

// BenchmarkEdit measures from the save of a file to the line that says it is served.
func BenchmarkEdit(b *testing.B) {
	text := many(50)
	for name, edit := range map[string]func(int) string{
		"rules": func(i int) string {
			return strings.Replace(text, `update: "doc.ownerId == auth.id"`, fmt.Sprintf(`update: "doc.ownerId == '%d'"`, i), 1)
		},
		"column": func(i int) string {
			return strings.Replace(text, "name: String!", fmt.Sprintf("extra%d: String  name: String!", i), 1)
		},
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, map[string]string{"a.graphql": text})
			w.load()
			w.watch()
			i := 0
			for b.Loop() {
				i++
				w.write("a.graphql", edit(i))
				w.hear("served in")
			}
		})
	}
}

func BenchmarkFirstLoad(b *testing.B) {
	text := many(50)
	for b.Loop() {
		w := newWorld(b, map[string]string{"a.graphql": text})
		w.load()
	}
}

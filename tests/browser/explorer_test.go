// Package browser_test uses the pages of the server in a real browser.
package browser_test

import (
	"bytes"
	"context"
	_ "embed"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"spacecloud/console"
)

// introspection is the schema of the pretended endpoint: type Query { whoami: String! }.
//
//go:embed testdata/introspection.json
var introspection []byte

// What the page sends is what its token field holds, whatever the server is.
func TestExplorerSendsTheToken(t *testing.T) {
	const token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ." // says sub: ann, and nothing checks it
	mux := http.NewServeMux()
	mux.Handle("/", console.Handler(console.Options{Examples: []console.Example{
		{Title: "Who am I?", Query: "query Whoami {\n  whoami\n}\n"},
		{Title: "With variables", Query: "query Other {\n  whoami\n}\n", Variables: `{"a": 1}`},
	}}))
	mux.HandleFunc("POST /graphql", pretend)
	server := httptest.NewServer(mux)
	defer server.Close()
	explore(t, server.URL+"/playground", "query Whoami {\n  whoami\n}", "Bearer "+token, token)
}

// pretend answers any query with the Authorization that came with it.
func pretend(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if bytes.Contains(body, []byte("IntrospectionQuery")) {
		_, _ = w.Write(introspection)
		return
	}
	_, _ = io.WriteString(w, `{"data":{"whoami":"`+r.Header.Get("Authorization")+`"}}`)
}

// The server that people run has a working explorer: at TEST_SPACECLOUD_URL where that is
// set, and else one that is built and started here.
func TestExplorerOfTheServer(t *testing.T) {
	if address := os.Getenv("TEST_SPACECLOUD_URL"); address != "" {
		explore(t, strings.TrimSuffix(address, "/")+"/playground", "{ __typename }", `"__typename": "Query"`, "")
		return
	}
	requireBrowser(t)
	address, token := serve(t)
	explore(t, "http://"+address+"/playground", "{ notes { id } }", `"notes": []`, token)
}

// explore runs explorer.mjs, which says what is wrong.
func explore(t *testing.T, url, query, expect, token string) {
	t.Helper()
	requireBrowser(t)
	picture := filepath.Join(t.ArtifactDir(), "explorer.png")
	command := exec.CommandContext(t.Context(), "node", "explorer.mjs", url, picture, query, expect, token)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func requireBrowser(t *testing.T) {
	t.Helper()
	for _, each := range []struct{ path, how string }{
		{"/usr/bin/chromium", "apt-get install chromium"},
		{"node_modules/playwright-core", "npm ci in tests/browser"},
	} {
		if _, err := os.Stat(each.path); err != nil {
			t.Skipf("%s is missing: %s, or run ./test, which does", each.path, each.how)
		}
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is missing: apt-get install nodejs, or run ./test, which does")
	}
}

const notes = `type Note @auth(read: "true") {
  id: ID! @primary
  text: String!
}
`

// serve starts the server of this module on a folder with one type, and returns its address
// and a token that it believes. It ends with the test.
func serve(t *testing.T) (address, token string) {
	t.Helper()
	root := filepath.Join("..", "..")
	if _, err := os.Stat(filepath.Join(root, "server.go")); err != nil {
		t.Skip("there is no server.go to build yet")
	}
	folder := t.TempDir()
	binary := filepath.Join(folder, "spacecloud")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-C", root, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	write(t, filepath.Join(folder, "schema", "notes.graphql"), notes)
	address = freeAddress(t)
	start(t, folder, binary, "serve", "--listen", address)
	await(t, "http://"+address+"/playground")

	command := exec.CommandContext(t.Context(), binary, "token", "--claims", `{"sub":"ann"}`)
	command.Dir, command.Env = folder, os.Environ()
	out, err := command.Output()
	if err != nil {
		t.Fatalf("spacecloud token: %v", err)
	}
	return address, strings.TrimSpace(string(out))
}

func start(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	command := exec.Command(name, args...)
	command.Env = os.Environ()
	command.Dir, command.Stdout, command.Stderr = folder, &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if t.Failed() {
			t.Logf("the server said:\n%s", &log)
		}
	})
}

// await returns when the address answers.
func await(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		if answers(ctx, url) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s does not answer", url)
		case <-tick.C:
		}
	}
}

func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// freeAddress is one that nothing listens on; nothing holds it either, which is good enough.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

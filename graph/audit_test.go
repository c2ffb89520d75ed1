package graph

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The GraphQL-over-HTTP audit of graphql-http finds nothing to remark.
func TestAudit(t *testing.T) {
	dir := filepath.Join("..", "tests", "graphql-http")
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("the audit needs node")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "graphql-http")); err != nil {
		t.Skip("the audit needs its modules: run npm ci in tests/graphql-http")
	}
	o := Options{API: testAPI(t), Log: quiet, Introspection: true}.withDefaults()
	s, err := serve(o, newExecutable(o))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	audit := exec.CommandContext(t.Context(), "node", "audit.mjs", server.URL+"/graphql")
	audit.Dir = dir
	out, err := audit.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

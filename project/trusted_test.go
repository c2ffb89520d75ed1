package project

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/config"
)

const trustedPosts = "{ posts { title } }"

// trust puts a document into the folder of trusted documents.
func (w *world) trust(name, text string) {
	w.Helper()
	file := filepath.Join(w.folder, "documents", name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(file+".tmp", []byte(text), 0o644); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		w.Fatal(err)
	}
	if trusted := (config.Trusted{Documents: filepath.Join(w.folder, "documents")}); w.Settings.Trusted != trusted {
		w.Settings.Trusted = trusted // before anything watches
	}
}

// named asks for a document by its hash.
func (w *world) named(text string) string {
	w.Helper()
	sum := sha256.Sum256([]byte(text))
	r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, "http://localhost/graphql?documentId="+hex.EncodeToString(sum[:]), nil)
	answer := httptest.NewRecorder()
	w.Handler().ServeHTTP(answer, r)
	return answer.Body.String()
}

func TestOnlyTrustedDocumentsAreServed(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts, "seed.graphql": `mutation { insertPost(doc: {id: "a", title: "One"}) { id } }`})
	w.trust("posts.graphql", trustedPosts+"\n")
	w.load()
	if n, err := w.Seed(t.Context()); n != 1 || err != nil { // the operator's own file needs no trust
		t.Fatal(n, err)
	}
	w.equal("the answer", w.named(trustedPosts), `{"data":{"posts":[{"title":"One"}]}}`)
	if got := w.ask(trustedPosts, ""); !strings.Contains(got, "only trusted documents are served here") {
		t.Errorf("a query as text is answered with %s", got)
	}

	w.watch()
	const more = "{ posts { id } }"
	w.trust("more.graphql", more)
	w.hear("served in")
	w.equal("the answer", w.named(more), `{"data":{"posts":[{"id":"a"}]}}`)
	w.trust("more.graphql", "{ posts { nam } }")
	w.hear("documents/more.graphql:1:11: Cannot query field")
	w.equal("the answer after a bad edit", w.named(more), `{"data":{"posts":[{"id":"a"}]}}`)
}

func TestTrustedDocumentsAreCheckedAtLoad(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.trust("a.graphql", "{ posts { nam } }")
	_, err := w.Load(t.Context())
	if want := "documents/a.graphql:1:11: Cannot query field"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
	if err := CheckTrusted(w.Settings); err == nil {
		t.Error("the check finds nothing")
	}
	w.Settings.Trusted.Documents = filepath.Join(w.folder, "nowhere")
	if _, err := w.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no folder") {
		t.Error(err)
	}
	w.Settings.Trusted.Documents = filepath.Join(w.folder, "documents", "a.graphql")
	if _, err := w.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "are a file") {
		t.Error(err)
	}
}

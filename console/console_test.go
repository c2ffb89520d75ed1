package console

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, h http.Handler, path string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var address = regexp.MustCompile(`(?:src|href)="([^"]*)"`)

func TestPageAndEveryFileOfItAreServedFromHere(t *testing.T) {
	h := Handler(Options{})
	page := get(t, h, "/playground")
	text := body(t, page.Body)
	if again := get(t, h, "/playground"); again.Header.Get("Content-Security-Policy") == page.Header.Get("Content-Security-Policy") {
		t.Error("two answers have one nonce")
	}
	if page.StatusCode != http.StatusOK || page.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %s", page.StatusCode, page.Header.Get("Content-Type"))
	}
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	found := address.FindAllStringSubmatch(text, -1)
	if len(found) < 7 {
		t.Errorf("only %d addresses in the page", len(found))
	}
	for _, each := range found {
		if !strings.HasPrefix(each[1], "/playground/") {
			t.Errorf("%s is not here", each[1])
		}
		if got := get(t, h, each[1]); got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %q", each[1], got.StatusCode, got.Header.Get("Content-Type"))
		}
	}
}

func TestFilesAreCompressedCachedAndChecked(t *testing.T) {
	const name = "/playground/react.min.js"
	h := Handler(Options{})

	zipped := get(t, h, name, "Accept-Encoding", "br, gzip;q=0.5")
	if zipped.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	reader, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	text := body(t, reader)
	plain := get(t, h, name, "Accept-Encoding", "gzip;q=0")
	if plain.Header.Get("Content-Encoding") != "" || body(t, plain.Body) != text || !strings.Contains(text, "React") {
		t.Error("a client without gzip gets something else")
	}
	tag := zipped.Header.Get("ETag")
	if tag == plain.Header.Get("ETag") {
		t.Error("two encodings have one tag")
	}
	if again := get(t, h, name, "Accept-Encoding", "gzip", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
		t.Errorf("known content is sent again: %d", again.StatusCode)
	}
	if got := plain.Header.Get("Cache-Control"); got != "no-cache" {
		t.Errorf("an address without a tag is kept: %s", got)
	}
	tagged := get(t, h, name+"?v="+strings.Trim(plain.Header.Get("ETag"), `"`))
	if got := tagged.Header.Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("an address with its tag is not kept: %s", got)
	}
}

func TestOptionsReachThePageAsText(t *testing.T) {
	hostile := `"></main><script>alert(1)</script>`
	text := body(t, get(t, Handler(Options{
		Endpoint: "/v1/graphql",
		Examples: []Example{{Title: hostile, Query: "query Posts { posts { id } }"}},
	}), "/playground").Body)
	if strings.Contains(text, "<script>alert") || strings.Contains(text, `""></main>`) {
		t.Error("an option is markup")
	}
	for _, want := range []string{"/v1/graphql", "query Posts"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	h := Handler(Options{})
	for path, want := range map[string]int{
		"/playground/LICENSES.txt": http.StatusOK,
		"/":                        http.StatusFound, "/playground/": http.StatusMovedPermanently,
		"/other": http.StatusNotFound, "/playground/explorer.html": http.StatusNotFound, "/playground/none.js": http.StatusNotFound,
	} {
		if got := get(t, h, path); got.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, got.StatusCode, want)
		}
	}
}

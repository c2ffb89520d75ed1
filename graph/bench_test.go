package graph

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// sink is an http.ResponseWriter that keeps nothing.
type sink struct {
	header http.Header
	status int
	length int
}

func (s *sink) Header() http.Header  { return s.header }
func (s *sink) WriteHeader(code int) { s.status = code }
func (s *sink) Write(b []byte) (int, error) {
	s.length += len(b)
	return len(b), nil
}

// BenchmarkPOST is the fixed path: a request without variables, answered by a constant.
func BenchmarkPOST(b *testing.B) {
	benchmarkPOST(b, body("query Posts { __typename }", nil))
}

func BenchmarkPOSTVariables(b *testing.B) {
	benchmarkPOST(b, body("query Posts($where: PostWhere, $limit: Int!) { posts(where: $where, limit: $limit) { id } }",
		map[string]any{"where": map[string]any{"title": "a", "state": "DRAFT"}, "limit": 10}))
}

func benchmarkPOST(b *testing.B, body string) {
	s := testServer(b, Options{}, nil)
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	r.Header["Content-Type"] = []string{"application/json"}
	r.Header["Accept"] = []string{"application/json"}
	r.ContentLength = int64(len(body))
	reader := strings.NewReader(body)
	r.Body = http.NoBody
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = nopCloser{reader}
		w := sink{header: make(http.Header, 8)}
		s.ServeHTTP(&w, r)
		if w.status != http.StatusOK {
			b.Fatal(w.status)
		}
	}
}

type nopCloser struct{ *strings.Reader }

func (nopCloser) Close() error { return nil }

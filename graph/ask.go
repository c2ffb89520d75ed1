package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// Request is what a client sends.
type Request struct {
	Query     string         `json:"query"`
	Variables map[string]any `json:"variables,omitempty"`
}

// Ask is the answer to a request of this program itself, by the way that a client's takes. Its
// caller is that of ctx, so the server must have no Options.Caller.
func (s *Server) Ask(ctx context.Context, q Request) ([]byte, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	w := &recorder{header: http.Header{}}
	s.ServeHTTP(w, r)
	return w.body.Bytes(), nil
}

// recorder keeps an answer for ourselves.
type recorder struct {
	header http.Header
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(int)             {}

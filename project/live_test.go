package project

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/live"
)

// An edit ends whoever waits, and tells him to come again. What is written by way of the backend before, by
// requests that it still answers, wakes who waits at the next.
func TestAnEditEndsWhoWaits(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	before := w.now.Load()
	var asked atomic.Int64
	query := live.Query{
		Reads: []live.Read{{Table: live.Table{Database: "main", Name: "posts"}}},
		Ask: func(context.Context, time.Time) ([]byte, error) {
			return strconv.AppendInt(nil, asked.Add(1), 10), nil
		},
	}
	first, err := before.rows.Live.Join(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	w.write("a.graphql", strings.Replace(posts, "title: String!", "title: String!  subtitle: String", 1))
	w.load()
	for err == nil {
		_, err = first.Next(t.Context())
	}
	if !errors.Is(err, live.Swapped) {
		t.Errorf("it ended with %v", err)
	}
	if _, err := before.rows.Live.Join(t.Context(), query); !errors.Is(err, live.Swapped) {
		t.Errorf("who comes too late is told %v", err)
	}
	next, err := w.now.Load().rows.Live.Join(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := next.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/graphql", strings.NewReader(`{"query": "mutation { insertPost(doc: {id: \"a\", title: \"One\"}) { id } }"}`))
	r.Header.Set("Content-Type", "application/json")
	written := httptest.NewRecorder()
	before.graph.ServeHTTP(written, r)
	w.equal("the answer", strings.TrimSpace(written.Body.String()), `{"data":{"insertPost":{"id":"a"}}}`)
	if again, err := next.Next(t.Context()); err != nil || string(again.Bytes) == string(answer.Bytes) {
		t.Errorf("after a write it is told %v, %v", again, err)
	}
}

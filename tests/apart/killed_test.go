package apart

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"spacecloud/database/postgres"
	"spacecloud/graph"
	privatepostgres "spacecloud/tests/postgres"
	"spacecloud/tests/served"
)

// A server that is killed while requests run takes along what is in it, each null with an error at its path, and
// nothing else; when it is back, the next requests find it.
func TestAServerIsKilledAndComesBack(t *testing.T) {
	server := privatepostgres.Start(t)
	// Without it the servers of tests may lose what they have committed just before.
	shop := served.Must(postgres.Open(t.Context(), server.URL()+"&synchronous_commit=on"))(t)
	w := newWorld(t, served.Mix(served.SQLite, served.SQLite, served.Given(shop)), town, graph.Limits{Timeout: time.Minute})
	w.well(people)
	const q = `{ users { name orders { total items { sku } } } orders { total buyer { name } } notes { text order { total } } }`
	const change = `mutation { updateOrder(id: "o1", set: {total: 9}) { total } }`
	whole := w.well(q)

	var kill sync.Once
	w.databases["shop"].find = func(context.Context) error {
		kill.Do(server.Kill)
		return nil
	}
	requests := make([]string, 20)
	for i := range requests {
		requests[i] = q
	}
	hurt := 0
	answers := append(w.atOnce(requests...), w.ask(q))
	for _, a := range answers {
		if len(a.Errors) > 0 {
			hurt++
		}
		w.lacks(q, whole, a, "orders", "order")
	}
	if hurt == 0 || len(answers[20].Errors) == 0 {
		t.Errorf("of %d requests %d missed the server that was killed, and the last has %d errors", len(answers), hurt, len(answers[20].Errors))
	}
	if a := w.ask(change); len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != "UNAVAILABLE" {
		t.Errorf("%s %+v", a.Data, a.Errors)
	}
	w.well(`mutation { updateUser(id: "u4", set: {name: "Di"}) { name } }`)

	w.databases["shop"].find = nil
	server.Start(t)
	for range 3 {
		if got := w.well(q); string(got.Data) != string(whole.Data) {
			t.Errorf("%s, want %s", got.Data, whole.Data)
		}
	}
	w.well(change)
}

// lacks fails unless an answer is the whole one but for nulls that are UNAVAILABLE, at fields of these names.
func (w *world) lacks(q string, whole, got answer, names ...string) {
	w.Helper()
	paths := map[string]bool{}
	for _, e := range got.Errors {
		last := fmt.Sprint(e.Path[len(e.Path)-1])
		if e.Extensions["code"] != "UNAVAILABLE" || !slices.Contains(names, last) ||
			e.Message != "the database does not answer" && e.Message != "the connection to the database was lost" {
			w.Errorf("%+v", e)
		}
		paths[fmt.Sprint(e.Path)] = true
	}
	compare(w.T, q, decoded(w.T, whole.Data), decoded(w.T, got.Data), nil, paths)
	if len(paths) > 0 {
		w.Errorf("errors without a null: %v in %s", paths, got.Data)
	}
}

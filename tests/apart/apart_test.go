package apart

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"spacecloud/fault"
	"spacecloud/graph"
	"spacecloud/tests/served"
)

// Root fields of several databases are answered at the same time: here none can end before all have
// begun.
func TestRootFieldsMeet(t *testing.T) { onSQLiteAndMixed(t, rootFieldsMeet) }

func rootFieldsMeet(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, graph.Limits{})
	w.well(people)
	const q = `{ users { name } notes { text } more: users(limit: 1) { id } orders { total } __typename }`
	want := w.well(q)
	m := meet(3)
	for _, d := range w.databases {
		d.find = m.come
	}
	if got := w.well(q); string(got.Data) != string(want.Data) {
		t.Errorf("%s, want %s", got.Data, want.Data)
	}
}

// So are links of one row that lead into several.
func TestLinksMeet(t *testing.T) { onSQLiteAndMixed(t, linksMeet) }

func linksMeet(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, graph.Limits{})
	w.well(people)
	for q, alone := range map[string]string{
		`{ users { name orders { total items { sku } } notes { text } ordersAggregate { count } } }`:                 "people",
		`{ ordersConnection { totalCount nodes { buyer { name orders { total } } notes { text user { name } } } } }`: "shop",
	} {
		want := w.well(q)
		m := meet(2)
		for name, d := range w.databases {
			d.find = nil
			if name != alone {
				d.find = m.come
			}
		}
		got := w.well(q)
		for _, d := range w.databases {
			d.find = nil
		}
		if string(got.Data) != string(want.Data) {
			t.Errorf("%s, want %s", got.Data, want.Data)
		}
	}
}

// The first error that ends a field ends what else it asks, which waits here for nothing else; the error
// is the first, not that of the end.
func TestTheFirstErrorEndsTheOthers(t *testing.T) {
	w := newWorld(t, served.SQLite, town, graph.Limits{})
	w.well(people)
	waits := make(chan struct{})
	w.databases["docs"].find = func(ctx context.Context) error {
		close(waits)
		<-ctx.Done()
		return fault.Wrap(fault.Timeout, ctx.Err(), "ended")
	}
	w.databases["shop"].find = func(context.Context) error {
		<-waits
		return fault.New(fault.Limit, "too much")
	}
	got := w.ask(`{ users { name orders { total } notes { text } } }`)
	if len(got.Errors) != 1 || got.Errors[0].Message != "too much" || fmt.Sprint(got.Errors[0].Path) != "[users]" || string(got.Data) != `{"users":null}` {
		t.Errorf("%s %+v", got.Data, got.Errors)
	}
}

// A panic beside the goroutine of the request is the request's, and the server goes on.
func TestAPanicBesideIsAnError(t *testing.T) {
	w := newWorld(t, served.SQLite, town, graph.Limits{})
	w.well(people)
	for _, q := range []string{`{ users { name } orders { total } notes { text } }`, `{ users { name orders { total } notes { text } } }`} {
		for _, name := range []string{"shop", "docs"} {
			w.databases[name].find = func(context.Context) error { panic("broken") }
			got := w.ask(q)
			w.databases[name].find = nil
			if len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "INTERNAL" || got.Errors[0].Message != "internal error" {
				t.Errorf("%s: %+v", name, got.Errors)
			}
			w.well(q)
		}
	}
}

// Requests that need the same databases in another order never wait for each other, though there are
// fewer connections than requests, and though one database comes and goes.
func TestManyRequestsGoOn(t *testing.T) { onSQLiteAndMixed(t, manyRequestsGoOn) }

func manyRequestsGoOn(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, graph.Limits{Timeout: time.Minute})
	w.well(people)
	queries := []string{
		`{ users { name orders { total buyer { name notes { text } } } } notes { user { name } } }`,
		`{ orders { total buyer { orders { total } } notes { text order { total } } } }`,
		`{ notes { text order { total buyer { name } } user { name } } users { id } }`,
	}
	var want []string
	for _, q := range queries {
		want = append(want, string(w.well(q).Data))
	}
	var asking sync.WaitGroup
	for n := range 30 {
		asking.Go(func() {
			for at := range 20 {
				i := (n + at) % len(queries)
				if n == 0 {
					w.databases["shop"].down.Store(at%2 == 0)
				}
				got := w.ask(queries[i])
				for _, e := range got.Errors {
					if e.Extensions["code"] != "UNAVAILABLE" {
						t.Errorf("%s: %+v", queries[i], e)
					}
				}
				if len(got.Errors) == 0 && string(got.Data) != want[i] {
					t.Errorf("%s: %s", queries[i], got.Data)
				}
			}
		})
	}
	asking.Wait()
	w.down()
	for i, q := range queries {
		if got := w.well(q); string(got.Data) != want[i] {
			t.Errorf("%s: %s", q, got.Data)
		}
	}
}

// However many rows link into a database that is down, the errors are bounded; the nulls are all there.
func TestErrorsAreBounded(t *testing.T) {
	w := newWorld(t, served.SQLite, town, graph.Limits{})
	var docs []string
	for i := range 250 {
		docs = append(docs, fmt.Sprintf(`{id: "o%d", total: 1, buyerId: "u%d"}`, i, i))
	}
	w.well(`mutation { insertOrders(docs: [` + strings.Join(docs, ",") + `]) { affected } }`)
	w.down("people")
	got := w.ask(`{ orders(limit: 500) { buyer { name } } }`)
	if len(got.Errors) != 101 || got.Errors[100].Message != "150 more values of this answer are null by errors like these" || strings.Count(string(got.Data), `{"buyer":null}`) != 250 {
		t.Errorf("%d errors, %d nulls", len(got.Errors), strings.Count(string(got.Data), `{"buyer":null}`))
	}
}

// A change needs every database that it writes to and that it answers from, or does nothing.
func TestChangesNeedAllTheirDatabases(t *testing.T) {
	onSQLiteAndMixed(t, changesNeedAllTheirDatabases)
}

func changesNeedAllTheirDatabases(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, graph.Limits{})
	w.well(people)
	const q = `mutation { updateUser(id: "u1", set: {name: "Eve"}) { name orders { total } } }`
	for _, c := range []struct{ down, text string }{
		{"people", q},
		{"shop", q},
		{"shop", `mutation { updateUser(id: "u1", set: {name: "Eve"}) { name } updateOrder(id: "o1", set: {total: 9}) { total } }`},
	} {
		w.down(c.down)
		got := w.ask(c.text)
		if string(got.Data) != "null" || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "UNAVAILABLE" {
			t.Errorf("without %s: %s\n%s %+v", c.down, c.text, got.Data, got.Errors)
		}
		w.down()
		if kept := w.well(`{ user(id: "u1") { name } order(id: "o1") { total } }`); string(kept.Data) != `{"user":{"name":"Ann"},"order":{"total":1}}` {
			t.Errorf("without %s it left %s", c.down, kept.Data)
		}
	}
	w.down("docs") // which the change does not need
	if got := w.well(q); string(got.Data) != `{"updateUser":{"name":"Eve","orders":[{"total":1},{"total":2}]}}` {
		t.Errorf("%s", got.Data)
	}
}

// endless is a schema with views that a database never ends to read; the second is in another.
const endless = `
type Seed @auth(read: "true", create: "true") { id: ID! @primary  sums: [Sum!]! @link(from: "id", to: "id") }
type Sum @view(sql: "SELECT '1' AS id, count(*) AS n FROM seeds a, seeds b, seeds c, seeds d, seeds e, seeds f") @auth(read: "true") { id: ID! @primary  n: Int! }
`

// The time that a request may take ends its statements too, and the connections can be used afterwards.
func TestTheTimeLimitEndsAStatement(t *testing.T) {
	for _, sdl := range []string{endless, endless + `type Far @table(db: "far", plural: "fars") @auth(read: "true") { id: ID! @primary }`} {
		w := newWorld(t, served.SQLite, sdl, graph.Limits{Timeout: 300 * time.Millisecond, Complexity: 100_000})
		for at := range 10 { // so few at once that there is time for it
			var docs []string
			for i := range 20 {
				docs = append(docs, fmt.Sprintf(`{id: "%d"}`, at*20+i))
			}
			w.well(`mutation { insertSeeds(docs: [` + strings.Join(docs, ",") + `]) { affected } }`)
		}
		for q, path := range map[string]string{
			`{ seeds(limit: 1) { id } slow: sums { n } }`: "slow",
			`{ slow: sum(id: "1") { n } seeds { id } }`:   "slow",
			`{ top: seeds { id sums { n } } }`:            "top",
		} {
			for range 6 { // more than there are connections
				got := w.ask(q)
				if len(got.Errors) == 0 || !slices.ContainsFunc(got.Errors, func(e answerError) bool { return fmt.Sprint(e.Path) == "["+path+"]" }) {
					t.Fatalf("%s: %s %+v", q, got.Data, got.Errors)
				}
				for _, e := range got.Errors {
					if e.Extensions["code"] != "TIMEOUT" {
						t.Fatalf("%s: %+v", q, got.Errors)
					}
				}
			}
			w.well(`{ seeds(limit: 1) { id } }`)
			w.well(fmt.Sprintf(`mutation { insertSeed(doc: {id: %q}) { id } }`, path+q))
		}
	}
}

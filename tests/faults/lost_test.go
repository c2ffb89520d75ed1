// Package faults asks what clients hear when a database fails, and what is left of what they asked for:
// the same on every kind of database where the cause is the same.
package faults

import (
	"context"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/graph"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

const posts = `type Post @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  title: String
  views: Int
  big: BigInt
  price: Decimal
  at: DateTime
  tags: [String!]
  meta: JSON
  part: Part
}
type Part { note: String! }`

// anybody is who asks here.
var anybody = &auth.Caller{Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Claims: map[string]any{}}

// hooked does something before each commit, and after each write.
type hooked struct {
	driver.Driver
	begun             atomic.Int64
	afterWrite, atEnd func()
}

func (h *hooked) Unwrap() driver.Driver { return h.Driver }

func (h *hooked) Begin(ctx context.Context) (driver.Tx, error) {
	h.begun.Add(1)
	tx, err := h.Driver.Begin(ctx)
	return &hookedTx{tx, h}, err
}

type hookedTx struct {
	driver.Tx
	of *hooked
}

func (t *hookedTx) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	done, err := t.Tx.Write(ctx, w, b)
	if do := t.of.afterWrite; do != nil {
		do()
	}
	return done, err
}

func (t *hookedTx) Commit(ctx context.Context) error {
	if do := t.of.atEnd; do != nil {
		do()
	}
	return t.Tx.Commit(ctx)
}

// serve is the posts with two rows in them.
func serve(t *testing.T, on served.Kind, limits graph.Limits) (*served.Server, *hooked) {
	t.Helper()
	h := &hooked{}
	s := served.Text(t, on, posts, served.Options{HTTP: limits, Decorate: func(_ string, d driver.Driver) driver.Driver {
		h.Driver = d
		return h
	}})
	says(t, s, `mutation { insertPosts(docs: [{id: "a", views: 0}, {id: "b", views: 0}]) { affected } }`, `{"data":{"insertPosts":{"affected":2}}}`)
	h.begun.Store(0)
	return s, h
}

func says(t *testing.T, s *served.Server, q, want string) {
	t.Helper()
	if got := oneLine(s.Ask(anybody, q, nil, nil).Body); got != want {
		t.Errorf("%s\n%s\nwant\n%s", q, got, want)
	}
}

const (
	all   = `{ posts { id views } }`
	none  = `{"data":{"posts":[{"id":"a","views":0},{"id":"b","views":0}]}}`
	two   = `mutation { one: updatePost(id: "a", inc: {views: 1}) { id } two: updatePost(id: "b", inc: {views: 1}) { id } }`
	twice = `{"data":{"posts":[{"id":"a","views":1},{"id":"b","views":1}]}}`
)

// A connection that is lost in a transaction takes all of it along. It is not tried again by itself, since
// the next request is as good; and that finds a connection.
func TestLostInATransaction(t *testing.T) {
	each(t, func(t *testing.T, on served.Kind, w *wire) {
		s, h := serve(t, on, graph.Limits{})
		var once sync.Once
		h.afterWrite = func() { once.Do(w.cut) }
		says(t, s, two, `{"errors":[{"message":"the connection to the database was lost","path":["one"],"locations":[{"line":1,"column":12}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}`)
		if n := h.begun.Load(); n != 1 {
			t.Errorf("%d transactions were begun", n)
		}
		says(t, s, all, none)
		says(t, s, two, `{"data":{"one":{"id":"a"},"two":{"id":"b"}}}`)
		says(t, s, all, twice)
	})
}

// A commit of which nobody hears how it ended may have been made, is not made again, and is not called
// refused.
func TestCommitsOfWhichNobodyHears(t *testing.T) {
	each(t, func(t *testing.T, on served.Kind, w *wire) {
		s, h := serve(t, on, graph.Limits{})
		h.atEnd = func() { w.set(false, true) }
		says(t, s, two, `{"errors":[{"message":"it is not known whether the change was made: the database did not say; look before asking again","locations":[{"line":1,"column":1}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}`)
		h.atEnd = nil
		w.set(false, false)
		if n := h.begun.Load(); n != 1 {
			t.Errorf("%d transactions were begun", n)
		}
		if w.heard == 0 {
			t.Error("no commit was asked for")
		}
		says(t, s, all, twice) // it was made
	})
}

// While a server is away requests are told so, without its address; when it is back they are answered.
func TestServersThatAreAway(t *testing.T) {
	each(t, func(t *testing.T, on served.Kind, w *wire) {
		s, _ := serve(t, on, graph.Limits{})
		w.set(true, false)
		for _, q := range []string{all, all, two} {
			got := oneLine(s.Ask(anybody, q, nil, nil).Body)
			if !strings.Contains(got, `"code":"UNAVAILABLE"`) || !strings.Contains(got, `"message":"the database does not answer"`) && !strings.Contains(got, `"message":"the connection to the database was lost"`) {
				t.Errorf("%s: %s", q, got)
			}
			if strings.Contains(got, w.listener.Addr().String()) || !strings.Contains(got, `"data":null`) {
				t.Errorf("%s: %s", q, got)
			}
		}
		w.set(false, false)
		for late := time.Now().Add(20 * time.Second); time.Now().Before(late); {
			if got := oneLine(s.Ask(anybody, all, nil, nil).Body); got == none {
				return
			}
		}
		t.Error("the server was not found again")
	})
}

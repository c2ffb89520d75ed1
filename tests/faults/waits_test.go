package faults

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"spacecloud/database/driver"
	"spacecloud/database/mysql"
	"spacecloud/database/postgres"
	"spacecloud/graph"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
	private "spacecloud/tests/postgres"
	"spacecloud/tests/served"
)

// held runs do while a transaction beside the server has changed row a and not ended.
func held(t *testing.T, s *served.Server, do func()) {
	t.Helper()
	post := s.Schema.Type("Post")
	tx := served.Must(s.Drivers["main"].Begin(t.Context()))(t)
	defer func() {
		if err := tx.Rollback(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	w := query.Write{Verb: query.Update, Type: post, ByKeys: true, Set: []query.Assign{{Field: post.Field("views"), Value: query.Const(schema.Integer(9))}}}
	served.Must(tx.Write(t.Context(), rules.SystemWrite(w), query.Binding{Keys: []schema.Value{schema.Text("a")}}))(t)
	do()
}

// A request that waits for a row of another transaction waits until its own end, and is told so. Nothing
// of it is done, then or later, and the next one is served.
func TestRowsThatAreLocked(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, _ := serve(t, on, graph.Limits{Timeout: 400 * time.Millisecond})
		held(t, s, func() {
			began := time.Now()
			got := oneLine(s.Ask(anybody, two, nil, nil).Body)
			want := `{"errors":[{"message":"the request ended before the database answered","path":["one"],"locations":[{"line":1,"column":12}],"extensions":{"code":"TIMEOUT"}}],"data":null}`
			if on.Name == "sqlite" { // it has one writer, who is waited for before the first field
				want = `{"errors":[{"message":"the request ended before a connection to the database was free","locations":[{"line":1,"column":1}],"extensions":{"code":"TIMEOUT"}}],"data":null}`
			}
			if got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			says(t, s, all, none) // who only reads does not wait
		})
		says(t, s, all, none)
		says(t, s, two, `{"data":{"one":{"id":"a"},"two":{"id":"b"}}}`)
		says(t, s, all, twice)
	})
}

// Requests that wait for each other in a circle are both done.
func TestRequestsInEachOthersWay(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, _ := serve(t, on, graph.Limits{})
		other := `mutation { two: updatePost(id: "b", inc: {views: 1}) { id } one: updatePost(id: "a", inc: {views: 1}) { id } }`
		var wait sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 2 {
			for _, q := range []string{two, other} {
				wait.Go(func() {
					got := oneLine(s.Ask(anybody, q, nil, nil).Body)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case !strings.Contains(got, `"errors"`):
						done++
					case !strings.Contains(got, `"code":"CONFLICT"`) || !strings.Contains(got, "other changes to the same rows got in the way 4 times; nothing was changed, ask again"):
						t.Error(got)
					}
				})
			}
		}
		wait.Wait()
		if done == 0 {
			t.Errorf("%d of 4 were done", done)
		}
		want := strings.ReplaceAll(twice, `"views":1`, `"views":`+strconv.Itoa(done))
		says(t, s, all, want)
	})
}

// When all connections are lent, a request waits for one until its end.
func TestConnectionsThatAreAllLent(t *testing.T) {
	for name, open := range map[string]func(*testing.T) (driver.Driver, error){
		"postgres": func(t *testing.T) (driver.Driver, error) {
			return postgres.Open(t.Context(), private.URL(t)+"&pool_max_conns=1")
		},
		"mysql": func(t *testing.T) (driver.Driver, error) {
			at := served.Must(url.Parse(mariadb.URL(t)))(t)
			q := at.Query()
			q.Set("pool_max_conns", "1")
			at.RawQuery = q.Encode()
			return mysql.Open(t.Context(), at.String())
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := served.Must(open(t))(t)
			s, _ := serve(t, served.Given(d), graph.Limits{Timeout: 300 * time.Millisecond})
			for q, want := range map[string]string{all: "posts", two: ""} {
				err := d.View(t.Context(), func(driver.Reader) error {
					got := oneLine(s.Ask(anybody, q, nil, nil).Body)
					if !strings.Contains(got, `"message":"the request ended before a connection to the database was free"`) || !strings.Contains(got, `"code":"TIMEOUT"`) || !strings.Contains(got, want) {
						t.Error(got)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
			says(t, s, all, none)
		})
	}
}

// What runs when a request ends is ended on the server, and the connection serves others.
func TestStatementsThatTakeTooLong(t *testing.T) {
	slow := map[string]string{
		"postgres": "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'; CREATE TRIGGER slowly BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION slowly()",
		"mysql":    "CREATE TRIGGER slowly BEFORE INSERT ON posts FOR EACH ROW SET @slept = SLEEP(60)",
	}
	running := map[string]string{
		"postgres": "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'",
		"mysql":    "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'",
	}
	served.Each(t, func(t *testing.T, on served.Kind) {
		if slow[on.Name] == "" {
			t.Skip("no statement of " + on.Name + " can be made to take long")
		}
		s, _ := serve(t, on, graph.Limits{Timeout: 400 * time.Millisecond})
		conn := served.Must(s.Drivers["main"].(driver.SQL).Conn(t.Context()))(t)
		defer conn.Close()
		served.Must(conn.ExecContext(t.Context(), slow[on.Name]))(t)
		says(t, s, `mutation { insertPost(doc: {id: "c"}) { id } }`, `{"errors":[{"message":"the request ended before the database answered","path":["insertPost"],"locations":[{"line":1,"column":12}],"extensions":{"code":"TIMEOUT"}}],"data":null}`)
		left := 1
		for late := time.Now().Add(10 * time.Second); left > 0 && time.Now().Before(late); {
			if err := conn.QueryRowContext(t.Context(), running[on.Name]).Scan(&left); err != nil {
				t.Fatal(err)
			}
		}
		if left > 0 {
			t.Error("it still runs on the server")
		}
		says(t, s, all, none)
	})
}

package postgres

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	private "spacecloud/tests/postgres"
)

// What is wrong with an address is said with what to do, and never with its password.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	server := private.Start(t)
	run(t, openAt(t, server.URL()), "CREATE ROLE ann LOGIN PASSWORD 'right'")
	for _, test := range []struct {
		url  string
		kind fault.Kind
		want string
	}{
		{server.For("ann", "secret", "postgres"), fault.Unavailable, "does not let this user in; correct the user and the password"},
		{server.For("nobody", "secret", "postgres"), fault.Unavailable, "does not let this user in; correct the user and the password"},
		{server.For("ann", "right", "secrets"), fault.Unavailable, "no such database on the server; create it"},
		{"postgres://ann:secret@127.0.0.1:1/none", fault.Unavailable, "cannot be reached at 127.0.0.1:1 (connection refused); start it"},
		{"postgres://ann:secret@/none?host=/nowhere", fault.Unavailable, "cannot be reached at /nowhere/.s.PGSQL.5432 (no such file or directory)"},
		{"postgres://ann:secret@host:port/none", fault.Invalid, "its URL cannot be read"},
		{"postgres://ann:sec%ret@host/none", fault.Invalid, "its URL cannot be read"},
		{"postgres://ann:secret@127.0.0.1/none?sslmode=perhaps", fault.Invalid, "its URL cannot be read"},
		{"postgres://ann:secret@127.0.0.1/none?pool_max_conns=0", fault.Invalid, "the option pool_max_conns of its URL has to be a number from 1 on"},
	} {
		d, err := Open(t.Context(), test.url)
		if err == nil {
			d.Close()
			t.Errorf("%s was opened", test.url)
			continue
		}
		if fault.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.url, err)
		}
		for _, secret := range []string{"secret@", "sec%ret", ":secret", "right"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the password is told: %v", test.url, err)
			}
		}
	}
}

func TestOldServersAreRefused(t *testing.T) {
	for version, want := range map[string]string{
		"15.18": "", "13.0": "", "18beta1": "", "9.6.24": "the server is PostgreSQL 9.6.24, which is too old; take 13 or newer", "12.22": "the server is PostgreSQL 12.22, which is too old; take 13 or newer",
	} {
		got := ""
		if err := tooOld(version); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}

// A server that goes away in the middle leaves nothing half done, and is used again when it is back.
func TestServersComeBack(t *testing.T) {
	server := private.Start(t)
	d := openAt(t, server.URL())
	s := parse(t, `type Post { id: ID! @primary  title: String  views: Int  json: JSON }`)
	createTables(t, d, s.Types)
	post := s.Type("Post")
	run(t, d, "CHECKPOINT") // the server does not care for its disk otherwise
	ids := query.Level{Type: post, Columns: cells(post, "id")}
	db := database.New("main", d)
	err := db.Tx(t.Context(), func(tx driver.Tx) error {
		if _, err := tx.Write(t.Context(), insertOf(post, "half"), query.Binding{}); err != nil {
			return err
		}
		server.Kill()
		_, err := tx.Write(t.Context(), insertOf(post, "whole"), query.Binding{})
		return err
	})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a write while the server went away: %v", err)
	}
	if _, err := read(t, d, ids, query.Binding{}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a read without a server: %v", err)
	}
	if err := db.Tx(t.Context(), func(driver.Tx) error { return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a transaction without a server: %v", err)
	}
	if err := d.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ping without a server: %v", err)
	}
	server.Start(t)
	if got, err := read(t, d, ids, query.Binding{}); err != nil || got != "" {
		t.Errorf("afterwards: %s, %v", got, err)
	}
	write(t, d, *insertOf(post, "new").Write(), query.Binding{})
	if got, err := read(t, d, ids, query.Binding{}); err != nil || got != `,"new"` {
		t.Errorf("afterwards: %s, %v", got, err)
	}
}

// A connection that is lost makes all that are idle be asked: one request sees the loss.
func TestOneRequestSeesALoss(t *testing.T) {
	d, post := one(t)
	ids := query.Level{Type: post, Columns: cells(post, "id")}
	const many = 4
	var inside, all sync.WaitGroup
	inside.Add(many)
	for range many { // at once, so that there are so many connections
		all.Go(func() {
			_ = d.View(t.Context(), func(driver.Reader) error {
				inside.Done()
				inside.Wait()
				return nil
			})
		})
	}
	all.Wait()
	run(t, d, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	failed := 0
	for range many {
		if _, err := read(t, d, ids, query.Binding{}); err != nil {
			failed++
			if fault.KindOf(err) != fault.Unavailable {
				t.Error(err)
			}
		}
	}
	if failed > 1 {
		t.Errorf("%d of %d requests failed", failed, many)
	}
}

// What the URL says of time is kept.
func TestTimeoutsOfTheServer(t *testing.T) {
	url := private.URL(t)
	d := openAt(t, url+"&statement_timeout=50&lock_timeout=20")
	s := parse(t, `type Post { id: ID! @primary  title: String  views: Int  json: JSON }`)
	createTables(t, d, s.Types)
	post := s.Type("Post")
	write(t, d, *insertOf(post, "a").Write(), query.Binding{})
	run(t, openAt(t, url), "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'; CREATE TRIGGER slow BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION slow()")
	if _, err := tryWrite(t.Context(), d, *insertOf(post, "b").Write(), query.Binding{}); fault.KindOf(err) != fault.Timeout {
		t.Errorf("a statement that takes too long: %v", err)
	}
	set := query.Write{Verb: query.Update, Type: post, Set: []query.Assign{{Field: post.Field("views"), Value: query.Const(schema.Integer(1))}}}
	holder, err := openAt(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Rollback(t.Context())
	if _, err := holder.Write(t.Context(), rules.SystemWrite(set), query.Binding{}); err != nil {
		t.Fatal(err)
	}
	if _, err := tryWrite(t.Context(), d, set, query.Binding{}); fault.KindOf(err) != fault.Unavailable || driver.MayRetry(err) {
		t.Errorf("a lock that is not given: %v", err)
	}
}

// The pool is as large as the URL says, and whoever waits for a connection waits no longer than its
// context.
func TestThePoolIsBounded(t *testing.T) {
	d := openAt(t, private.URL(t)+"&pool_max_conns=2&application_name=bounded")
	count := func(r driver.Reader) int {
		c := r.(reader)
		p, err := c.cache.get(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bounded'")
		if err != nil {
			t.Error(err)
			return 0
		}
		n := 0
		c.args.reset(p)
		_, err = c.change(t.Context(), p, func(row [][]byte, _ []kind) { n = int(integer(asInt8, row[0])) })
		if err != nil {
			t.Error(err)
		}
		return n
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			err := d.Once(t.Context(), func(r driver.Reader) error {
				if n := count(r); n < 1 || n > 2 {
					t.Errorf("%d connections", n)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	_ = d.View(t.Context(), func(driver.Reader) error {
		return d.View(t.Context(), func(driver.Reader) error {
			cancel()
			if err := d.View(ctx, func(driver.Reader) error { return nil }); fault.KindOf(err) != fault.Timeout {
				t.Errorf("a third connection: %v", err)
			}
			return nil
		})
	})
}

// Two transactions that wait for each other are both done: one of them begins again, more than once
// when it has its first row again before the other has got it.
func TestDeadlocksAreDoneAgain(t *testing.T) {
	d, post := one(t)
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "views"), Rows: [][]schema.Value{{schema.Text("a"), schema.Integer(0)}, {schema.Text("b"), schema.Integer(0)}}}, query.Binding{})
	update := rules.SystemWrite(query.Write{Verb: query.Update, Type: post, ByKeys: true, Set: []query.Assign{{Field: post.Field("views"), Op: query.Inc, Value: query.Const(schema.Integer(1))}}})
	db := database.New("main", d)
	var together, all sync.WaitGroup
	together.Add(2)
	var mu sync.Mutex
	runs := 0
	for _, ids := range [][]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			var first sync.Once
			err := db.Tx(t.Context(), func(tx driver.Tx) error {
				mu.Lock()
				runs++
				mu.Unlock()
				if _, err := tx.Write(t.Context(), update, query.Binding{Keys: []schema.Value{schema.Text(ids[0])}}); err != nil {
					return err
				}
				first.Do(func() { together.Done(); together.Wait() })
				_, err := tx.Write(t.Context(), update, query.Binding{Keys: []schema.Value{schema.Text(ids[1])}})
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := read(t, d, query.Level{Type: post, Columns: cells(post, "views")}, query.Binding{})
	if err != nil || got != ",2,2" || runs < 3 { // one that begins again may be in the way again
		t.Errorf("%s after %d runs, %v", got, runs, err)
	}
}

// A transaction that could not be put in order with others begins again, but not for ever.
func TestSerializationFailuresAreDoneAgain(t *testing.T) {
	d, post := one(t)
	run(t, d, `CREATE SEQUENCE tried; CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN IF nextval(''tried'') < NEW.views THEN RAISE SQLSTATE ''40001''; END IF; RETURN NEW; END';
		CREATE TRIGGER late BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION late()`)
	insert := func(id string, tries int64) error {
		run(t, d, "ALTER SEQUENCE tried RESTART")
		return database.New("main", d).Tx(t.Context(), func(tx driver.Tx) error {
			w := query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "views"), Rows: [][]schema.Value{{schema.Text(id), schema.Integer(tries)}}}
			_, err := tx.Write(t.Context(), rules.SystemWrite(w), query.Binding{})
			return err
		})
	}
	if err := insert("third", 3); err != nil {
		t.Error(err)
	}
	if err := insert("never", 1000); fault.KindOf(err) != fault.Conflict {
		t.Error(err)
	}
	if got, err := read(t, d, query.Level{Type: post, Columns: cells(post, "id")}, query.Binding{}); err != nil || got != `,"third"` {
		t.Errorf("%s, %v", got, err)
	}
}

// A write that is Readable can be asked about in its transaction when it fails, which sees what
// was written before, and is not committed.
func TestReadableWrites(t *testing.T) {
	d, post := one(t)
	ids := query.Level{Type: post, Columns: cells(post, "id"), OrderBy: []query.Order{{Field: post.Field("id")}}}
	s, err := d.Prepare(rules.System(ids))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	readable := func(ids ...string) error {
		w := *insertOf(post, ids...).Write()
		w.Readable = true
		_, err := tx.Write(t.Context(), rules.SystemWrite(w), query.Binding{})
		return err
	}
	if err := errors.Join(readable("a"), readable("b", "c")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := readable("d", "a"); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("a key that is taken: %v", err)
		}
		rows, err := tx.Find(t.Context(), s, query.Binding{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for rows.Next() {
			got = append(got, rows.Value(0).Text())
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || strings.Join(got, "") != "abc" {
			t.Errorf("%s, %v", got, err)
		}
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("a transaction was committed after a write had failed")
	}
	if got, err := read(t, d, ids, query.Binding{}); err != nil || got != "" {
		t.Errorf("%s, %v", got, err)
	}
}

// insertOf inserts rows with keys.
func insertOf(t *schema.Type, ids ...string) rules.NarrowedWrite {
	w := query.Write{Verb: query.Create, Type: t, Columns: fields(t, "id")}
	for _, id := range ids {
		w.Rows = append(w.Rows, []schema.Value{schema.Text(id)})
	}
	return rules.SystemWrite(w)
}

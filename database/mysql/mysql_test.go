package mysql

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
)

const sdl = `
type Author { id: ID! @primary  name: String! @size(max: 20)  age: Int  books: [Book!]! @link(to: "authorId") }
type Book { id: ID! @primary @autoIncrement  title: String! @unique @size(max: 50)  authorId: ID @index  author: Author @link(from: "authorId", to: "id")  readers: Int  best: Int }
`

// shelf is a database with authors and books.
type shelf struct {
	*testing.T
	driver *Driver
	db     *database.DB
	schema *schema.Schema
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "shelf.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	d := openDriver(t)
	createTables(t, d, s.Types)
	return &shelf{t, d, database.New("shelf", d), s}
}

// fields are columns of a type.
func (s *shelf) fields(typ string, names ...string) []*schema.Field {
	fs := make([]*schema.Field, len(names))
	for i, n := range names {
		fs[i] = s.schema.Type(typ).Field(n)
	}
	return fs
}

func (s *shelf) insert(tx driver.Tx, typ string, columns []string, rows ...[]schema.Value) (driver.Written, error) {
	w := query.Write{Verb: query.Create, Type: s.schema.Type(typ), Columns: s.fields(typ, columns...), Rows: rows, WantKeys: true}
	return tx.Write(s.Context(), rules.SystemWrite(w), query.Binding{})
}

func (s *shelf) do(do func(driver.Tx) error) error { return s.db.Tx(s.Context(), do) }

// add inserts authors of these ids.
func (s *shelf) add(ids ...string) {
	s.Helper()
	err := s.do(func(tx driver.Tx) error {
		for _, id := range ids {
			if _, err := s.insert(tx, "Author", []string{"id", "name"}, []schema.Value{schema.Text(id), schema.Text("x")}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// count is how many authors there are.
func (s *shelf) count() (int, error) {
	prepared, err := s.db.Prepare(rules.System(query.Level{Type: s.schema.Type("Author"), Count: true}))
	if err != nil {
		return 0, err
	}
	n := 0
	err = s.db.View(s.Context(), func(r driver.Reader) error {
		rows, err := r.Find(s.Context(), prepared, query.Binding{})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			n = int(rows.Value(0).Int())
		}
		return rows.Err()
	})
	return n, err
}

func (s *shelf) wantCount(want int) {
	s.Helper()
	if got, err := s.count(); got != want || err != nil {
		s.Errorf("%d authors, want %d (%v)", got, want, err)
	}
}

// kill ends all connections of the driver but its own.
func (s *shelf) kill() {
	s.Helper()
	c, err := s.driver.Conn(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	defer c.Close()
	rows, err := c.QueryContext(s.Context(), "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
	if err != nil {
		s.Fatal(err)
	}
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			s.Fatal(err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil || len(ids) == 0 {
		s.Fatalf("%d connections to kill, %v", len(ids), err)
	}
	for _, id := range ids {
		if _, err := c.ExecContext(s.Context(), fmt.Sprint("KILL ", id)); err != nil {
			s.Fatal(err)
		}
	}
}

func TestProduct(t *testing.T) {
	product := openDriver(t).Product()
	if !strings.HasPrefix(product, "MariaDB 1") && !strings.HasPrefix(product, "MySQL ") || strings.Contains(product, "-") {
		t.Errorf("the server is %q", product)
	}
}

func TestServers(t *testing.T) {
	for version, want := range map[string]string{
		"10.11.19-MariaDB-0+deb12u1":    "MariaDB 10.11.19",
		"5.5.5-10.11.2-MariaDB":         "MariaDB 10.11.2",
		"11.4.0-MariaDB":                "MariaDB 11.4.0",
		"8.0.19":                        "MySQL 8.0.19",
		"8.4.3-0ubuntu1":                "MySQL 8.4.3",
		"9.0.1":                         "MySQL 9.0.1",
		"10.6.18-MariaDB":               "the server is MariaDB 10.6.18, which is too old; take 10.7.0 or newer",
		"8.0.18":                        "the server is MySQL 8.0.18, which is too old; take 8.0.19 or newer",
		"5.7.44-log":                    "the server is MySQL 5.7.44, which is too old; take 8.0.19 or newer",
		"8.0.11-TiDB-v8.5.0-serverless": "the server is TiDB, which has no JSON_TABLE; take MariaDB or MySQL",
	} {
		s, err := serverOf(version)
		got := fmt.Sprint(err)
		if err == nil {
			got = s.product
		}
		if got != want {
			t.Errorf("%s: %q, want %q", version, got, want)
		}
	}
}

func TestURLsThatCannotBeUsed(t *testing.T) {
	for address, want := range map[string]string{
		"mysql://ann:secret@host":                             "names no database",
		"mysql:ann:secret@host/x":                             "cannot be read",
		"mysql://ann:sec%ret@host/x":                          "cannot be read",
		"mysql://ann:secret@host/x?charset=latin1":            `the option "charset", which does not exist; known are pool_max_conns, socket, tls`,
		"mysql://ann:secret@host/x?tls=maybe":                 `tls of its URL has to be true, skip-verify, preferred or false, not "maybe"`,
		"mysql://ann:secret@host/x?pool_max_conns=0":          "number from 1 on",
		"mysql://ann:secret@127.0.0.1:1/x":                    "cannot be reached",
		"mysql://ann:secret@localhost/x?socket=/no/such/sock": "cannot be reached",
	} {
		_, err := Open(t.Context(), address)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", address, err, want)
		}
	}
}

func TestDatabasesThatAreNotThere(t *testing.T) {
	address, err := url.Parse(mariadb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	other := *address
	other.Path = "/no_such_database"
	_, err = Open(t.Context(), other.String())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("another database: %v", err)
	}
	other = *address
	other.User = url.UserPassword("nobody", "secret")
	_, err = Open(t.Context(), other.String())
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "let this user in") || strings.Contains(err.Error(), "secret") {
		t.Errorf("another user: %v", err)
	}
}

// A connection that is lost in a transaction leaves nothing behind, and the next one is served.
func TestLostInATransaction(t *testing.T) {
	s := newShelf(t)
	s.add("before")
	err := s.do(func(tx driver.Tx) error {
		if _, err := s.insert(tx, "Author", []string{"id", "name"}, []schema.Value{schema.Text("a"), schema.Text("x")}); err != nil {
			return err
		}
		s.kill()
		_, err := s.insert(tx, "Author", []string{"id", "name"}, []schema.Value{schema.Text("b"), schema.Text("x")})
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("the write: %v", err)
		}
		if _, err := s.insert(tx, "Author", []string{"id", "name"}, []schema.Value{schema.Text("c"), schema.Text("x")}); err == nil {
			t.Error("a write after the loss")
		}
		return nil
	})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the commit: %v", err)
	}
	s.wantCount(1)
	s.add("after")
	s.wantCount(2)
}

// Of idle connections that are lost, one request may still get one; not more.
func TestLostWhileIdle(t *testing.T) {
	s := newShelf(t)
	s.add("a")
	s.nest(4, func() { s.wantCount(1) })
	s.kill()
	if _, err := s.count(); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("the first request: %v", err)
	}
	s.wantCount(1)
}

// nest has n connections be lent at once.
func (s *shelf) nest(n int, do func()) {
	if n == 0 {
		do()
		return
	}
	err := s.db.View(s.Context(), func(driver.Reader) error {
		s.nest(n-1, do)
		return nil
	})
	if err != nil {
		s.Error(err)
	}
}

// Two transactions that wait for each other: one is rolled back whole, and cannot go on.
func TestDeadlock(t *testing.T) {
	s := newShelf(t)
	s.add("a", "b")
	age := func(ctx context.Context, tx driver.Tx, id string) error {
		w := query.Write{Verb: query.Update, Type: s.schema.Type("Author"), Set: []query.Assign{{Field: s.fields("Author", "age")[0], Value: query.Const(schema.Integer(1))}}, ByKeys: true}
		_, err := tx.Write(ctx, rules.SystemWrite(w), query.Binding{Keys: []schema.Value{schema.Text(id)}})
		return err
	}
	var txs [2]driver.Tx
	for i, id := range []string{"a", "b"} {
		tx, err := s.driver.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(t.Context()) }()
		if err := age(t.Context(), tx, id); err != nil {
			t.Fatal(err)
		}
		txs[i] = tx
	}
	errs := make(chan error, 2)
	go func() { errs <- age(t.Context(), txs[0], "b") }()
	second := age(t.Context(), txs[1], "a")
	loser, err := txs[1], second
	if second == nil {
		loser = txs[0]
	} else if err := txs[1].Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if first := <-errs; err == nil {
		err = first
	}
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "busy") {
		t.Errorf("the deadlock: %v", err)
	}
	if age(t.Context(), loser, "a") == nil || loser.Commit(t.Context()) == nil {
		t.Error("the transaction that lost went on")
	}
}

func TestErrorsNameTheFields(t *testing.T) {
	s := newShelf(t)
	s.add("a")
	long := schema.Text(strings.Repeat("x", 30))
	for _, c := range []struct {
		typ     string
		columns []string
		row     []schema.Value
		kind    fault.Kind
		want    string
	}{
		{"Author", []string{"id", "name"}, []schema.Value{schema.Text("a"), schema.Text("x")}, fault.Conflict, "another Author has this id"},
		{"Author", []string{"id", "name"}, []schema.Value{schema.Text("b"), long}, fault.Validation, "the name of this Author is longer than its column"},
		{"Author", []string{"id", "name", "age"}, []schema.Value{schema.Text("b"), schema.Text("x"), schema.Integer(1 << 40)}, fault.Invalid, "the age of this Author does not fit into its column"},
		{"Author", []string{"id", "name"}, []schema.Value{schema.Text("b"), schema.Null}, fault.Validation, "name of a Author must not be null"},
		{"Book", []string{"title", "authorId"}, []schema.Value{schema.Text("t"), schema.Text("nobody")}, fault.Conflict, "the author of this Book is not there"},
	} {
		err := s.do(func(tx driver.Tx) error {
			_, err := s.insert(tx, c.typ, c.columns, c.row)
			return err
		})
		if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.row, err, c.want)
		}
	}
	if err := s.do(func(tx driver.Tx) error {
		_, _ = s.insert(tx, "Author", []string{"id", "name"}, []schema.Value{schema.Text("a"), schema.Text("x")})
		return nil
	}); err == nil {
		t.Error("a transaction of which a write failed was committed")
	}
}

// An update reads the old row, may look at its own table, and counts what it matched.
func TestUpdatesThatLookAtTheirOwnTable(t *testing.T) {
	s := newShelf(t)
	var keys []schema.Value
	err := s.do(func(tx driver.Tx) error {
		row := func(title string, n, best int64) []schema.Value {
			return []schema.Value{schema.Text(title), schema.Integer(n), schema.Integer(best)}
		}
		done, err := s.insert(tx, "Book", []string{"title", "readers", "best"}, row("A", 1, 10), row("B", 2, 20), row("C", 3, 30))
		keys = done.Keys
		return err
	})
	if err != nil || len(keys) != 3 {
		t.Fatal(keys, err)
	}
	book := s.schema.Type("Book")
	readers, best := book.Field("readers"), book.Field("best")
	more := query.Exists{Type: book, Where: query.Compare{Left: query.Col(readers), Op: query.Gt, Right: query.Operand{Kind: query.Column, Field: readers, Up: 1}}}
	err = s.do(func(tx driver.Tx) error {
		done, err := tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Update, Type: book, Where: more, WantKeys: true, Set: []query.Assign{
			{Field: readers, Value: query.Col(best)}, {Field: best, Value: query.Col(readers)},
		}}), query.Binding{})
		if done.Affected != 2 || len(done.Keys) != 2 {
			t.Errorf("changed %+v", done)
		}
		if err != nil {
			return err
		}
		done, err = tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Delete, Type: book, Where: more}), query.Binding{})
		if done.Affected != 2 {
			t.Errorf("deleted %+v", done)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A row may be all defaults, whose key is made.
func TestRowsOfDefaults(t *testing.T) {
	s, err := schema.Parse(schema.Source{Name: "s.graphql", Text: "type Tick { id: ID! @primary @autoIncrement  note: String }"})
	if err != nil {
		t.Fatal(err)
	}
	d := openDriver(t)
	createTables(t, d, s.Types)
	err = database.New("ticks", d).Tx(t.Context(), func(tx driver.Tx) error {
		done, err := tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Create, Type: s.Types[0], Rows: make([][]schema.Value, 3), WantKeys: true}), query.Binding{})
		if got := fmt.Sprint(done.Keys); got != "[1 2 3]" || done.Affected != 3 {
			t.Errorf("keys %s, affected %d", got, done.Affected)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNumbersOfDocuments(t *testing.T) {
	for text, want := range map[string]string{
		"1": "1", "1.0": "1", "-0": "0", "-0.0": "0", "10e-1": "1", "1.50": "1.5", "1e2": "100", "-1.25E1": "-12.5", "5e-3": "0.005", "0e5": "0", "1e1000000000000000000": "1e1000000000000000000",
	} {
		if got := number(text, true); got != want {
			t.Errorf("%s is %s, want %s", text, got, want)
		}
	}
}

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/quick"
	"time"

	atlas "ariga.io/atlas/sql/schema"
	atlassqlite "ariga.io/atlas/sql/sqlite"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// openFile is a driver on a new file with the tables of types.
func openFile(t testing.TB, types []*schema.Type) *Driver {
	t.Helper()
	d, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	createTables(t, d, types)
	return d
}

func createTables(t testing.TB, d driver.SQL, types []*schema.Type) {
	t.Helper()
	want, err := generator.Tables(types, d.Dialect())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	migrator, err := atlassqlite.Open(conn)
	if err != nil {
		t.Fatal(err)
	}
	var changes []atlas.Change
	for _, table := range want.Tables {
		changes = append(changes, &atlas.AddTable{T: table})
	}
	if err := migrator.ApplyChanges(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	for _, v := range generator.Views(types) {
		if _, err := conn.ExecContext(t.Context(), `CREATE VIEW "`+v.Name+`" AS `+v.SQL); err != nil {
			t.Fatal(err)
		}
	}
	for _, search := range generator.Searches(types, d.Dialect()) {
		for _, part := range search.Parts {
			if _, err := conn.ExecContext(t.Context(), part.SQL); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// parse is the schema of one source.
func parse(t testing.TB, sdl string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "test.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const blog = `
type User { id: ID! @primary  name: String!  email: String @unique  posts: [Post!]! @link  age: Int }
type Post { id: ID! @primary  title: String!  views: Int!  score: Float  author: User! @link  tags: [Tag!]! @link  at: DateTime @index }
type Tag { id: ID! @primary  name: String! @unique  posts: [Post!]! @link }
`

// write does one write in a transaction of its own.
func write(t testing.TB, d driver.Driver, w query.Write, b query.Binding) driver.Written {
	t.Helper()
	tx, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	done, err := tx.Write(t.Context(), rules.SystemWrite(w), b)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return done
}

// read is what a level answers, as JSON, and the statement's text.
func read(t testing.TB, d driver.Driver, l query.Level, b query.Binding) string {
	t.Helper()
	s, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	err = d.View(t.Context(), func(r driver.Reader) error {
		rows, err := r.Find(t.Context(), s, b)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			out = schema.AppendInt(out, int64(rows.Parent()))
			out = append(out, ':')
			for i := range l.Columns {
				out = rows.AppendJSON(append(out, ' '), i)
			}
			out = append(out, '\n')
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return string(out)
}

func cells(ty *schema.Type, names ...string) []query.Cell {
	var cs []query.Cell
	for _, n := range names {
		cs = append(cs, query.Cell{Field: ty.Field(n)})
	}
	return cs
}

func fields(ty *schema.Type, names ...string) []*schema.Field {
	var fs []*schema.Field
	for _, n := range names {
		fs = append(fs, ty.Field(n))
	}
	return fs
}

func TestFindAllocatesNothing(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	user := s.Type("User")
	insert := query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name", "age")}
	for i := range int64(100) {
		insert.Rows = append(insert.Rows, []schema.Value{schema.Text(string(rune('a' + i))), schema.Text("Somebody"), schema.Integer(i)})
	}
	write(t, d, insert, query.Binding{})
	stmt, err := d.Prepare(rules.System(query.Level{Type: user, Columns: cells(user, "id", "name", "age", "email")}))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 1<<16)
	allocated := testing.AllocsPerRun(100, func() {
		if buf, err = run(t.Context(), d, stmt, 4, query.Binding{}, buf[:0]); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 1 {
		t.Errorf("100 rows made %v allocations", allocated)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"text.db": strings.Repeat("this is no database\n", 100), "cut.db": "SQLite format 3\x00 and then nothing"} {
		if err := os.WriteFile(at(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at("closed"), 0o500); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"postgres://x":                  "its URL names no file",
		"sqlite:":                       "its URL names no file",
		"sqlite:" + dir:                 "is a folder",
		"sqlite:" + at("no/where.db"):   "is not there",
		"sqlite:" + at("text.db"):       "is not an SQLite database",
		"sqlite:" + at("cut.db"):        "is not an SQLite database",
		"sqlite:" + at("closed/new.db"): "cannot be opened or made; allow",
	} {
		if strings.Contains(url, "closed") && os.Getuid() == 0 {
			continue // root writes everywhere
		}
		d, err := Open(t.Context(), url)
		if err == nil {
			d.Close()
		}
		all := fault.All(err)
		if len(all) != 1 {
			t.Errorf("%s: %v", url, err)
			continue
		}
		said := all[0].Message
		if closed, ok := errors.AsType[*driver.Closed](err); ok {
			said = closed.Why
		}
		if !strings.Contains(said, want) || strings.Contains(said, "\n") {
			t.Errorf("%s: %v, want one that says %q", url, err, want)
		}
	}
}

func TestURLs(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, url := range []string{"sqlite:plain.db", "sqlite:./dot.db", "sqlite:" + dir + "/abs.db", "sqlite://" + dir + "/slashes.db", "sqlite:odd name#%41.db"} {
		d, err := Open(t.Context(), url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		d.Close()
	}
	for _, name := range []string{"plain.db", "dot.db", "abs.db", "slashes.db", "odd name#%41.db"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestMemory(t *testing.T) {
	drivertest.Run(t, harness(func(testing.TB) string { return "sqlite::memory:" }))
}

func TestCloseReleasesAll(t *testing.T) {
	s := parse(t, blog)
	before := runtime.NumGoroutine()
	path := filepath.Join(t.TempDir(), "x.db")
	d, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	createTables(t, d, s.Types)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			read(t, d, query.Level{Type: s.Type("User"), Columns: cells(s.Type("User"), "id")}, query.Binding{})
		})
	}
	all.Wait()
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := d.Begin(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a closed database began: %v", err)
	}
	if err := d.View(t.Context(), func(driver.Reader) error { return nil }); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a closed database was viewed: %v", err)
	}
	// The last connection folds the log into the file.
	for _, end := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(path + end); err == nil {
			t.Errorf("%s is left", end)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// A writer of another process is waited for, until the context ends.
func TestBusy(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	other, err := Open(t.Context(), "sqlite:"+d.file.path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
	defer cancel()
	if _, err := d.Begin(ctx); fault.KindOf(err) != fault.Timeout {
		t.Errorf("began while another writes: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	mine, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Begin(ctx); fault.KindOf(err) != fault.Timeout {
		t.Errorf("began twice: %v", err)
	}
	if err := mine.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	c, err := d.writer.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.exec("PRAGMA max_page_count = 20"); err != nil {
		t.Fatal(err)
	}
	d.writer.give(c)
	user := s.Type("User")
	insert := query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name")}
	for i := range 100 {
		insert.Rows = append(insert.Rows, []schema.Value{schema.Text(string(rune('a' + i))), schema.Text(strings.Repeat("x", 10_000))})
	}
	tx, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = tx.Write(t.Context(), rules.SystemWrite(insert), query.Binding{})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "full") {
		t.Errorf("a full disk says %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Error(err)
	}
	insert.Rows = insert.Rows[:1]
	write(t, d, insert, query.Binding{})
}

func TestRegexOfTheCaller(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	user := s.Type("User")
	write(t, d, query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name"), Rows: [][]schema.Value{{schema.Text("a"), schema.Text("Ann")}}}, query.Binding{})
	stmt, err := d.Prepare(rules.System(query.Level{
		Type: user, Columns: cells(user, "id"), Where: query.Compare{Left: query.Col(user.Field("name")), Op: query.Regex, Right: query.ArgAt(0)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t.Context(), d, stmt, 1, query.Binding{Args: []schema.Value{schema.Text("(")}}, nil)
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("a wrong pattern: %v", err)
	}
}

func TestStatementsAreBounded(t *testing.T) {
	c, err := open("file:"+filepath.Join(t.TempDir(), "x.db"), &library{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for i := range 2 * cached {
		if _, err := c.cache.get(fmt.Sprintf("SELECT %d", i)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.cache.get("SELECT 0"); err != nil { // stays the newest but one
			t.Fatal(err)
		}
	}
	if len(c.cache.byText) != cached || c.cache.byText["SELECT 0"] == nil {
		t.Errorf("%d statements are kept", len(c.cache.byText))
	}
	n := 0
	for s := c.cache.newest; s != nil; s = s.older {
		n++
	}
	if n != cached {
		t.Errorf("the list has %d", n)
	}
}

func TestArithmeticIsExact(t *testing.T) {
	law := func(a, b int64) bool {
		x, y := big.NewInt(a), big.NewInt(b)
		sum, sok := add.integer(a, b)
		product, pok := multiply.integer(a, b)
		return same(new(big.Int).Add(x, y), sum, sok) && same(new(big.Int).Mul(x, y), product, pok)
	}
	for _, a := range []int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64, 1 << 31, 1 << 32, -1 << 32} {
		for _, b := range []int64{math.MinInt64, -2, -1, 0, 1, 2, math.MaxInt64, 1 << 31, -1 << 31} {
			if !law(a, b) {
				t.Errorf("%d and %d", a, b)
			}
		}
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

func same(exact *big.Int, got int64, ok bool) bool {
	return ok == exact.IsInt64() && (!ok || exact.Int64() == got)
}

// SQLite keeps what others write into a column, whatever the column is for: what is no value of its field is no
// value here, and nothing is added to it.
func TestMisfits(t *testing.T) {
	s := parse(t, `
type Item @auth(read: "true") { id: ID! @primary  n: Int  f: Float  at: DateTime  day: Date  clock: Time  uuid: UUID  kind: Kind }
enum Kind { A B }`)
	d := openFile(t, s.Types)
	item := s.Type("Item")
	conn, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, c := range []struct{ column, stored, shown, found string }{
		{"n", "'seven'", "", "a text"},
		{"n", "1.5", "", "a number that is no integer"},
		{"f", "'much'", "", "a text"},
		{"f", "2", "2", ""},
		{"at", "'2026-02-28T13:37:00.500000Z'", `"2026-02-28T13:37:00.5Z"`, ""},
		{"at", "'2026-01-31T13:37:00.500000Z'", `"2026-01-31T13:37:00.5Z"`, ""},
		{"at", "'2026-01-31T13:37:00Z'", `"2026-01-31T13:37:00Z"`, ""},
		{"at", "'2026-02-30T13:37:00.500000Z'", "", "another text"},
		{"at", "'2026-01-31 13:37:00'", "", "another text"},
		{"at", "x'05'", "", "a blob"},
		{"day", "'2028-02-29'", `"2028-02-29"`, ""},
		{"day", "'2026-02-29'", "", "another text"},
		{"day", "'yesterday'", "", "another text"},
		{"day", "'2026-01-011'", "", "another text"},
		{"clock", "'13:37:00.500000'", `"13:37:00.5"`, ""},
		{"clock", "'25:37:00.500000'", "", "another text"},
		{"clock", "'noon'", "", "another text"},
		{"uuid", "'0190f6a8-7b1c-7def-8a1b-0123456789ab'", `"0190f6a8-7b1c-7def-8a1b-0123456789ab"`, ""},
		{"uuid", "'0190'", "", "another text"},
		{"kind", "'C'", "", "another text"},
		{"kind", "'B'", `"B"`, ""},
	} {
		for _, q := range []string{"PRAGMA ignore_check_constraints = ON", "DELETE FROM items", `INSERT INTO items (id, ` + c.column + `) VALUES ('a', ` + c.stored + `)`} {
			if _, err := conn.ExecContext(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		l := query.Level{Type: item, Columns: cells(item, c.column)}
		st, err := d.Prepare(rules.System(l))
		if err != nil {
			t.Fatal(err)
		}
		err = d.View(t.Context(), func(r driver.Reader) error {
			rows, err := r.Find(t.Context(), st, query.Binding{})
			if err != nil {
				return err
			}
			defer rows.Close()
			if !rows.Next() {
				t.Fatal("there is no row")
			}
			if shown, m := string(rows.AppendJSON(nil, 0)), rows.Misfit(0); shown != c.shown || m.Found != c.found || rows.Value(0).IsNull() != (c.found != "") {
				t.Errorf("%s %s: shown as %s, found %q, value %v", c.column, c.stored, shown, m.Found, rows.Value(0))
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		if c.column != "n" && c.column != "f" || c.found == "" {
			continue
		}
		inc := query.Write{Verb: query.Update, Type: item, Set: []query.Assign{{Field: item.Field(c.column), Op: query.Inc, Value: query.Const(schema.Integer(1))}}}
		tx, err := d.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.Write(t.Context(), rules.SystemWrite(inc), query.Binding{})
		if tx.Rollback(t.Context()); fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), driver.Unchangeable) {
			t.Errorf("inc of %s %s: %v", c.column, c.stored, err)
		}
	}
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// parse is the schema of one source.
func parse(t testing.TB, sdl string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "test.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func fields(t *schema.Type, names ...string) []*schema.Field {
	fs := make([]*schema.Field, len(names))
	for i, n := range names {
		fs[i] = t.Field(n)
	}
	return fs
}

func cells(t *schema.Type, names ...string) []query.Cell {
	var cs []query.Cell
	for _, f := range fields(t, names...) {
		cs = append(cs, query.Cell{Field: f})
	}
	return cs
}

// run runs SQL beside the driver's own.
func run(t testing.TB, d *Driver, text string) {
	t.Helper()
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// write does one write in a transaction of its own.
func write(t testing.TB, d *Driver, w query.Write, b query.Binding) driver.Written {
	t.Helper()
	done, err := tryWrite(t.Context(), d, w, b)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func tryWrite(ctx context.Context, d *Driver, w query.Write, b query.Binding) (driver.Written, error) {
	tx, err := d.Begin(ctx)
	if err != nil {
		return driver.Written{}, err
	}
	defer tx.Rollback(ctx)
	done, err := tx.Write(ctx, rules.SystemWrite(w), b)
	if err != nil {
		return done, err
	}
	return done, tx.Commit(ctx)
}

// read is what a level answers, as JSON.
func read(t testing.TB, d *Driver, l query.Level, b query.Binding) (string, error) {
	t.Helper()
	s, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	out, err := asked(t.Context(), d.View, s, len(l.Columns), b, nil)
	return string(out), err
}

func one(t *testing.T) (*Driver, *schema.Type) {
	s := parse(t, `type Post { id: ID! @primary  title: String  views: Int  json: JSON }`)
	d := openDriver(t)
	createTables(t, d, s.Types)
	return d, s.Type("Post")
}

// A context that ends takes its statement along, and not the connection.
func TestCancelledStatementsKeepTheirConnection(t *testing.T) {
	d, post := one(t)
	slow := func(ctx context.Context, c *conn) error {
		p, err := c.cache.get(ctx, "SELECT pg_sleep(60)")
		if err != nil {
			return err
		}
		a, err := c.run(ctx, p)
		if err == nil {
			_, err = a.close()
		}
		return explain(err, nil)
	}
	c, err := d.pool.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pid := c.pg.PID()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := slow(ctx, c); fault.KindOf(err) != fault.Timeout {
		t.Errorf("a cancelled statement: %v", err)
	}
	d.pool.give(c)
	if c, err = d.pool.take(t.Context()); err != nil || c.pg.PID() != pid {
		t.Errorf("another connection was lent: %v", err)
	}
	d.pool.give(c)
	if _, err := read(t, d, query.Level{Type: post, Columns: cells(post, "id")}, query.Binding{}); err != nil {
		t.Error(err)
	}
}

// Connections that the server ended are an error of one request at most, and of none that comes
// later.
func TestLostConnections(t *testing.T) {
	d, post := one(t)
	l := query.Level{Type: post, Columns: cells(post, "id")}
	if _, err := read(t, d, l, query.Binding{}); err != nil {
		t.Fatal(err)
	}
	run(t, d, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()")
	if _, err := read(t, d, l, query.Binding{}); err != nil && fault.KindOf(err) != fault.Unavailable {
		t.Errorf("on a lost connection: %v", err)
	}
	if _, err := read(t, d, l, query.Binding{}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// A column that gets another type makes plans stale, which nobody has to know.
func TestStalePlans(t *testing.T) {
	d, post := one(t)
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "views"), Rows: [][]schema.Value{{schema.Text("a"), schema.Integer(7)}}}, query.Binding{})
	l := query.Level{Type: post, Columns: cells(post, "views")}
	for _, typ := range []string{"bigint", "smallint", "integer"} {
		got, err := read(t, d, l, query.Binding{})
		if got != ",7" || err != nil {
			t.Errorf("got %s, %v", got, err)
		}
		run(t, d, `ALTER TABLE posts ALTER COLUMN views TYPE `+typ)
	}
	if got, err := read(t, d, l, query.Binding{}); got != ",7" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestDeadlocksAreUnavailable(t *testing.T) {
	d, post := one(t)
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id"), Rows: [][]schema.Value{{schema.Text("a")}, {schema.Text("b")}}}, query.Binding{})
	update := rules.SystemWrite(query.Write{Verb: query.Update, Type: post, ByKeys: true, Set: []query.Assign{{Field: post.Field("views"), Op: query.Inc, Value: query.Const(schema.Integer(1))}}})
	var together, all sync.WaitGroup
	together.Add(2)
	errs := make([]error, 2)
	for i, ids := range [][]string{{"a", "b"}, {"b", "a"}} {
		all.Go(func() {
			tx, err := d.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			defer tx.Rollback(t.Context())
			_, err = tx.Write(t.Context(), update, query.Binding{Keys: []schema.Value{schema.Text(ids[0])}})
			together.Done()
			together.Wait()
			if err == nil {
				_, err = tx.Write(t.Context(), update, query.Binding{Keys: []schema.Value{schema.Text(ids[1])}})
			}
			errs[i] = err
		})
	}
	all.Wait()
	if fault.KindOf(errors.Join(errs...)) != fault.Unavailable {
		t.Errorf("a deadlock: %v", errs)
	}
}

// A failed transaction is not committed as if nothing had happened.
func TestFailedTransactionsDoNotCommit(t *testing.T) {
	d, post := one(t)
	tx, err := d.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	insert := rules.SystemWrite(query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id"), Rows: [][]schema.Value{{schema.Text("a")}}})
	for range 2 {
		_, err = tx.Write(t.Context(), insert, query.Binding{})
	}
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same key twice: %v", err)
	}
	if err := tx.Commit(t.Context()); err == nil {
		t.Error("a failed transaction was committed")
	}
}

// Databases and columns of another collation compare and sort texts by their bytes too.
func TestForeignCollation(t *testing.T) {
	d, post := one(t)
	run(t, d, `ALTER TABLE posts ALTER COLUMN title TYPE text COLLATE "und-x-icu"`)
	var rows [][]schema.Value
	for _, title := range []string{"b", "A", "a", "B", "é", "z"} {
		rows = append(rows, []schema.Value{schema.Text(title), schema.Text(title)})
	}
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "title"), Rows: rows}, query.Binding{})
	title := post.Field("title")
	l := query.Level{Type: post, Columns: cells(post, "title"), OrderBy: []query.Order{{Field: title}}, Where: query.Compare{Left: query.Col(title), Op: query.Gt, Right: query.Const(schema.Text("A"))}}
	if got, err := read(t, d, l, query.Binding{}); got != `,"B","a","b","z","é"` || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// Whatever stands in a document, it comes back as package schema writes it.
func TestDocumentsComeBack(t *testing.T) {
	d, post := one(t)
	documents := []any{
		map[string]any{"bb": int64(1), "a": map[string]any{"z": nil, "yy": true, "": ""}, "\b\f\n\t\"\\\u007f\u2028": "\b\f\r\x01é😀/</script>"},
		[]any{},
		map[string]any{},
		[]any{[]any{}, map[string]any{"k": []any{int64(1), "2", nil}}},
		"", "x", nil, 1.5, int64(-3), false,
		map[string]any{"é": int64(1), "z": int64(2), "aa": int64(3), "b\"": int64(4), "b": int64(5)},
	}
	f := post.Field("json")
	for i, document := range documents {
		v, err := f.Coerce(document)
		if err != nil {
			t.Fatal(err)
		}
		id := schema.Text(fmt.Sprint(i))
		write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "json"), Rows: [][]schema.Value{{id, v}}}, query.Binding{})
		l := query.Level{Type: post, Columns: cells(post, "json"), Where: query.Compare{Left: query.Col(post.Field("id")), Right: query.Const(id)}}
		want := "," + string(schema.AppendValue(nil, f, v))
		if got, err := read(t, d, l, query.Binding{}); got != want || err != nil {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// Times come back as time.Time writes them, on every day there is.
func TestTimestamps(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 100_000 {
		at := first.Add(time.Duration(i) * time.Hour)
		if i > 50_000 {
			at = time.UnixMicro(first.UnixMicro() + random.Int64N(last.UnixMicro()-first.UnixMicro())).UTC()
		}
		micros := at.UnixMicro() - epoch.UnixMicro()
		var raw [8]byte
		for j := range raw {
			raw[j] = byte(micros >> (56 - 8*j))
		}
		if got, want := string(appendTimestamp(nil, raw[:])), at.Format("2006-01-02T15:04:05.000000Z"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// Regular expressions match what Go's do.
func TestRegularExpressions(t *testing.T) {
	d, post := one(t)
	texts := []string{
		"", "a", "A", "ab", "aab", "a b", "b\na", "a\nb", "line\n", "é", "É", "ſ", "s", "K", "k", "x_1", "foo-bar", "foo bar", "100%", `\`, "]", "[", "^", "-", "(a)", "aaa", "😀", "0123", "***:a", "(?i)a", "\t",
	}
	var rows [][]schema.Value
	for i, text := range texts {
		rows = append(rows, []schema.Value{schema.Text(fmt.Sprint(i)), schema.Text(text)})
	}
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "title"), Rows: rows}, query.Binding{})
	for _, pattern := range []string{
		"", "a", "^a", "a$", "^$", "(?i)A", "(?i)k", "(?i)S", "(?m)^a", "(?m)^a$", "a.b", "(?s)a.b", `\bbar\b`, `\Bb`, `\w+`, `\W`, `\d{2,}`, `[^a]`, `[]]`, `[\]\[]`, `[a-b-]`, `\pL`, `\PL`, `[[:alpha:]]`,
		`(a|b)*b`, `a{2}`, `a{2,3}`, `a{0}`, `a??b`, `(?U)a+`, `\x{1F600}`, `\Q***:\E`, `\(a\)`, `()`, `(|a)b`, `\s`, `^\S$`, `[^\x00-\x{10FFFF}]`, `a\z`, `\Aa`, `(?:^a)*b`, `(\b)*a`, `\\`, `x*`, `[`, `(?P<n>a)`, `.`, `^.$`, `é|ß`, `(?i)É`,
	} {
		var want []string
		if re, err := regexp.Compile(pattern); err == nil {
			for _, text := range texts {
				if re.MatchString(text) {
					want = append(want, text)
				}
			}
		}
		where := query.Compare{Left: query.Col(post.Field("title")), Op: query.Regex, Right: query.Operand{Kind: query.Arg, Scalar: schema.String}}
		l := query.Level{Type: post, Columns: cells(post, "title"), Where: where}
		got, err := read(t, d, l, query.Binding{Args: []schema.Value{schema.Text(pattern)}})
		if err != nil {
			t.Errorf("%s: %v", pattern, err)
			continue
		}
		var all []byte
		for _, text := range want {
			all = schema.AppendString(append(all, ','), text)
		}
		if len(got) != len(all) || got != string(all) {
			text, _ := translate(pattern)
			t.Errorf("%s, which is %s\n got  %s\n want %s", pattern, text, got, all)
		}
	}
	where := query.Compare{Left: query.Col(post.Field("title")), Op: query.Regex, Right: query.Const(schema.Text("a{256}"))}
	if _, err := read(t, d, query.Level{Type: post, Columns: cells(post, "title"), Where: where}, query.Binding{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a repetition that PostgreSQL does not have: %v", err)
	}
}

func TestPlainConnection(t *testing.T) {
	d := openDriver(t)
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var text string
	var n int
	var yes bool
	var none *string
	row := c.QueryRowContext(t.Context(), "SELECT $1::text, $2::int + 1, true, NULL::text, '{a,b}'::text[]", "x", 2)
	var list string
	if err := row.Scan(&text, &n, &yes, &none, &list); err != nil || text != "x" || n != 3 || !yes || none != nil || list != "{a,b}" {
		t.Errorf("%s %d %t %v %s: %v", text, n, yes, none, list, err)
	}
	tx, err := c.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.ExecContext(t.Context(), "CREATE TABLE gone (id int)"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ExecContext(t.Context(), "SELECT * FROM gone"); err == nil {
		t.Error("what was rolled back is there")
	}
	if err := c.QueryRowContext(t.Context(), "SELECT 1/0").Scan(&n); err == nil {
		t.Error("an error was swallowed")
	}
}

// Columns of types that the schema asks for compare as those, and what cannot be one is an error
// of the request.
func TestNativeTypes(t *testing.T) {
	s := parse(t, `
type User { id: ID! @primary @column(type: "uuid")  name: String @column(type: "varchar(10)")  n: Int @column(type: "smallint")  posts: [Post!]! @link }
type Post { id: ID! @primary  author: User! @link }`)
	d := openDriver(t)
	user, post := s.Type("User"), s.Type("Post")
	run(t, d, `CREATE TABLE users (id uuid PRIMARY KEY, name varchar(10) COLLATE "C", n smallint);
		CREATE TABLE posts (id text COLLATE "C" PRIMARY KEY, author_id uuid REFERENCES users)`)
	const a, b = "0190f6a8-7b1c-7def-8a1b-0123456789ab", "0190f6a8-7b1c-7def-8a1b-0123456789ac"
	for _, ids := range [][]string{{a}, {b, "0190f6a8-7b1c-7def-8a1b-0123456789ad"}} {
		var rows [][]schema.Value
		for _, id := range ids {
			rows = append(rows, []schema.Value{schema.Text(id), schema.Text("Ann"), schema.Integer(7)})
		}
		write(t, d, query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name", "n"), Rows: rows}, query.Binding{})
	}
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "authorId"), Rows: [][]schema.Value{
		{schema.Text("p"), schema.Text(a)}, {schema.Text("q"), schema.Text(b)},
	}}, query.Binding{})
	set := query.Write{Verb: query.Update, Type: user, ByKeys: true, Set: []query.Assign{
		{Field: user.Field("n"), Op: query.Inc, Value: query.Const(schema.Integer(1))}, {Field: user.Field("name"), Value: query.Const(schema.Text("Bob"))},
	}}
	write(t, d, set, query.Binding{Keys: []schema.Value{schema.Text(a)}})
	is := query.Compare{Left: query.Col(user.Field("id")), Op: query.Eq, Right: query.Operand{Kind: query.Arg, Scalar: schema.ID}}
	l := query.Level{Type: user, Columns: cells(user, "id", "name", "n"), Where: is}
	if got, err := read(t, d, l, query.Binding{Args: []schema.Value{schema.Text(a)}}); err != nil || got != `,"`+a+`","Bob",8` {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := read(t, d, l, query.Binding{Args: []schema.Value{schema.Text("no uuid")}}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a key that is no UUID: %v", err)
	}
	linked := query.Level{Type: post, Columns: cells(post, "authorId"), Via: &query.Via{Link: user.Field("posts")}, OrderBy: []query.Order{{Field: post.Field("id")}}}
	if got, err := read(t, d, linked, query.Binding{Keys: []schema.Value{schema.Text(a), schema.Text(b)}}); err != nil || got != `,"`+a+`","`+b+`"` {
		t.Errorf("got %s, %v", got, err)
	}
	if got, err := read(t, d, linked, query.Binding{Keys: []schema.Value{schema.Text(b)}}); err != nil || got != `,"`+b+`"` {
		t.Errorf("got %s, %v", got, err)
	}
	in := query.Level{Type: post, Columns: cells(post, "id"), Where: query.Compare{Left: query.Col(post.Field("authorId")), Op: query.In, Right: query.Const(schema.List([]schema.Value{schema.Text(b)}))}}
	if got, err := read(t, d, in, query.Binding{}); err != nil || got != `,"q"` {
		t.Errorf("got %s, %v", got, err)
	}
	long := query.Write{Verb: query.Create, Type: user, Columns: fields(user, "id", "name"), Rows: [][]schema.Value{
		{schema.Text("0190f6a8-7b1c-7def-8a1b-0123456789ae"), schema.Text("more than ten")}, {schema.Text("0190f6a8-7b1c-7def-8a1b-0123456789af"), schema.Text("ten")},
	}}
	if _, err := tryWrite(t.Context(), d, long, query.Binding{}); fault.KindOf(err) != fault.Validation || !strings.Contains(err.Error(), "longer than the 10 characters") {
		t.Errorf("a text that is too long: %v", err)
	}
}

// However many rows there are, reading them allocates the same few times.
func TestRowsAreReadWithoutGarbage(t *testing.T) {
	d, post := one(t)
	var rows [][]schema.Value
	for i := range 1000 {
		rows = append(rows, []schema.Value{schema.Text(fmt.Sprintf("%04d", i)), schema.Text("a title"), schema.Integer(int64(i))})
	}
	write(t, d, query.Write{Verb: query.Create, Type: post, Columns: fields(post, "id", "title", "views"), Rows: rows}, query.Binding{})
	l := query.Level{Type: post, Columns: cells(post, "id", "title", "views")}
	s, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 0, 1<<20)
	allocated := testing.AllocsPerRun(20, func() {
		if _, err := asked(t.Context(), d.Once, s, 3, query.Binding{}, buf[:0]); err != nil {
			t.Fatal(err)
		}
	})
	if allocated > 20 {
		t.Errorf("%.0f allocations for 1000 rows", allocated)
	}
}

package postgres

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const benchSDL = `
type Author { id: ID! @primary  name: String!  books: [Book!]! @link }
type Book {
  id: ID! @primary  title: String!  pages: Int!  price: Float  sold: Boolean!  at: DateTime!
  author: Author! @link
}
`

const benchRows = 1000

func benchDriver(b *testing.B) (*Driver, *schema.Schema) {
	s := parse(b, benchSDL)
	d := openDriver(b)
	createTables(b, d, s.Types)
	author, book := s.Type("Author"), s.Type("Book")
	authors, books := [][]schema.Value{}, [][]schema.Value{}
	for i := range 50 {
		authors = append(authors, []schema.Value{schema.Text(fmt.Sprintf("author-%03d", i)), schema.Text("Somebody")})
	}
	for i := range benchRows {
		books = append(books, []schema.Value{
			schema.Text(fmt.Sprintf("book-%05d", i)), schema.Text(fmt.Sprintf("The title of book %d", i)), schema.Integer(int64(100 + i)),
			schema.Double(float64(i) / 4), schema.Bool(i%2 == 0), schema.Text("2026-01-31T13:37:00.000000Z"),
			schema.Text(fmt.Sprintf("author-%03d", i%50)),
		})
	}
	write(b, d, query.Write{Verb: query.Create, Type: author, Columns: fields(author, "id", "name"), Rows: authors}, query.Binding{})
	write(b, d, query.Write{Verb: query.Create, Type: book, Columns: fields(book, "id", "title", "pages", "price", "sold", "at", "authorId"), Rows: books}, query.Binding{})
	run(b, d, "ANALYZE")
	return d, s
}

var benchColumns = []string{"id", "title", "pages", "price", "sold", "at"}

// asked is one question answered: what a door would send, into buf.
func asked(ctx context.Context, view func(context.Context, func(driver.Reader) error) error, s driver.Statement, columns int, binding query.Binding, buf []byte) ([]byte, error) {
	err := view(ctx, func(r driver.Reader) error {
		rows, err := r.Find(ctx, s, binding)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			for c := range columns {
				buf = rows.AppendJSON(append(buf, ','), c)
			}
		}
		return rows.Err()
	})
	return buf, err
}

// cpu reports what this process itself costs, the server not.
func cpu(b *testing.B, before syscall.Rusage) {
	b.Helper()
	var after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	spent := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u
}

func BenchmarkFind(b *testing.B) {
	d, s := benchDriver(b)
	book := s.Type("Book")
	l := query.Level{
		Type: book, Columns: cells(book, benchColumns...),
		Where:   query.Compare{Left: query.Col(book.Field("id")), Op: query.Gte, Right: query.ArgAt(0)},
		OrderBy: []query.Order{{Field: book.Field("id")}}, Limit: query.ArgAt(1),
	}
	stmt, err := d.Prepare(rules.System(l))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context()) // as that of a request
	defer cancel()
	for _, n := range []int64{1, 20, benchRows} {
		for name, view := range map[string]func(context.Context, func(driver.Reader) error) error{"once": d.Once, "view": d.View} {
			b.Run(fmt.Sprintf("rows=%d/%s", n, name), func(b *testing.B) {
				b.ReportAllocs()
				before := usage()
				var buf []byte
				for b.Loop() {
					binding := query.Binding{Args: []schema.Value{schema.Text("book-00000"), schema.Integer(n)}}
					if buf, err = asked(ctx, view, stmt, len(l.Columns), binding, buf[:0]); err != nil {
						b.Fatal(err)
					}
				}
				cpu(b, before)
			})
		}
		b.Run(fmt.Sprintf("rows=%d/hand", n), func(b *testing.B) { benchHand(ctx, b, d, n) })
	}
}

// benchHand is what a careful author would write over pgx.
func benchHand(ctx context.Context, b *testing.B, d *Driver, n int64) {
	config, err := pgx.ParseConfig("")
	if err != nil {
		b.Fatal(err)
	}
	config.Config = *d.config
	config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler { // as it is by itself
		return &pgconn.DeadlineContextWatcherHandler{Conn: c.Conn()}
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(context.Background())
	b.ReportAllocs()
	before := usage()
	var buf []byte
	for b.Loop() {
		buf = buf[:0]
		rows, err := c.Query(ctx, "SELECT id, title, pages, price, sold, at FROM books WHERE id >= $1 ORDER BY id LIMIT $2", "book-00000", n)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			var id, title string
			var pages int64
			var price *float64
			var sold bool
			var at time.Time
			if err := rows.Scan(&id, &title, &pages, &price, &sold, &at); err != nil {
				b.Fatal(err)
			}
			buf = schema.AppendString(append(buf, ','), id)
			buf = schema.AppendString(append(buf, ','), title)
			buf = schema.AppendInt(append(buf, ','), pages)
			buf = schema.AppendFloat(append(buf, ','), *price)
			buf = append(buf, ',')
			if sold {
				buf = append(buf, "true"...)
			} else {
				buf = append(buf, "false"...)
			}
			buf = at.UTC().AppendFormat(append(buf, ',', '"'), time.RFC3339Nano)
			buf = append(buf, '"')
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
	}
	cpu(b, before)
}

// BenchmarkVia reads the 20 books of each of 50 authors, or 5 of them.
func BenchmarkVia(b *testing.B) {
	d, s := benchDriver(b)
	book, author := s.Type("Book"), s.Type("Author")
	level := query.Level{
		Type: book, Columns: cells(book, benchColumns...), OrderBy: []query.Order{{Field: book.Field("id")}},
		Via: &query.Via{Link: author.Field("books")},
	}
	short := level
	short.Limit = query.Const(schema.Integer(5))
	one := query.Level{Type: author, Columns: cells(author, "id", "name"), Via: &query.Via{Link: book.Field("author"), Single: true}}
	var keys []schema.Value
	for i := range 50 {
		keys = append(keys, schema.Text(fmt.Sprintf("author-%03d", i)))
	}
	for _, c := range []struct {
		name  string
		level query.Level
		keys  []schema.Value
	}{{"all", level, keys}, {"limit=5", short, keys}, {"one", one, keys}, {"all/key=1", level, keys[:1]}} {
		stmt, err := d.Prepare(rules.System(c.level))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			before := usage()
			var buf []byte
			for b.Loop() {
				if buf, err = asked(b.Context(), d.Once, stmt, len(c.level.Columns), query.Binding{Keys: c.keys}, buf[:0]); err != nil {
					b.Fatal(err)
				}
			}
			cpu(b, before)
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	s := parse(b, benchSDL)
	d := openDriver(b)
	createTables(b, d, s.Types)
	author := s.Type("Author")
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			made := 0
			rows := make([][]schema.Value, n)
			for b.Loop() {
				for i := range rows {
					made++
					rows[i] = []schema.Value{schema.Text(fmt.Sprintf("author-%d-%d", n, made)), schema.Text("Somebody")}
				}
				write(b, d, query.Write{Verb: query.Create, Type: author, Columns: fields(author, "id", "name"), Rows: rows, WantKeys: true}, query.Binding{})
			}
			b.StopTimer()
			write(b, d, query.Write{Verb: query.Delete, Type: author}, query.Binding{})
		})
	}
}

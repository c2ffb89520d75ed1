package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

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
	d := openFile(b, s.Types)
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
	return d, s
}

var benchColumns = []string{"id", "title", "pages", "price", "sold", "at"}

func benchLevel(s *schema.Schema) query.Level {
	book := s.Type("Book")
	return query.Level{
		Type: book, Columns: cells(book, benchColumns...),
		Where:   query.Compare{Left: query.Col(book.Field("id")), Op: query.Gte, Right: query.ArgAt(0)},
		OrderBy: []query.Order{{Field: book.Field("id")}}, Limit: query.ArgAt(1),
	}
}

// run is one question answered: what a door would send, into buf.
func run(ctx context.Context, d *Driver, s driver.Statement, columns int, binding query.Binding, buf []byte) ([]byte, error) {
	err := d.View(ctx, func(r driver.Reader) error {
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

func BenchmarkFind(b *testing.B) {
	d, s := benchDriver(b)
	l := benchLevel(s)
	stmt, err := d.Prepare(rules.System(l))
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context()) // as that of a request
	defer cancel()
	for _, n := range []int64{1, 20, benchRows} {
		b.Run(fmt.Sprintf("rows=%d/ours", n), func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				binding := query.Binding{Args: []schema.Value{schema.Text("book-00000"), schema.Integer(n)}}
				if buf, err = run(ctx, d, stmt, len(l.Columns), binding, buf[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("rows=%d/hand", n), func(b *testing.B) { benchHand(ctx, b, d, n) })
	}
}

// benchHand is what a careful author would write over database/sql.
func benchHand(ctx context.Context, b *testing.B, d *Driver, n int64) {
	db, err := sql.Open("sqlite", d.file.plainDSN())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	stmt, err := db.Prepare("SELECT id, title, pages, price, sold, at FROM books WHERE id >= ? ORDER BY id LIMIT ?")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = buf[:0]
		rows, err := stmt.QueryContext(ctx, "book-00000", n)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			var id, title, at string
			var pages int64
			var price sql.NullFloat64
			var sold bool
			if err := rows.Scan(&id, &title, &pages, &price, &sold, &at); err != nil {
				b.Fatal(err)
			}
			buf = schema.AppendString(append(buf, ','), id)
			buf = schema.AppendString(append(buf, ','), title)
			buf = schema.AppendInt(append(buf, ','), pages)
			buf = schema.AppendFloat(append(buf, ','), price.Float64)
			buf = append(buf, ',')
			if sold {
				buf = append(buf, "true"...)
			} else {
				buf = append(buf, "false"...)
			}
			buf = schema.AppendDateTime(append(buf, ','), at)
		}
		if err := rows.Err(); err != nil {
			b.Fatal(err)
		}
		rows.Close()
	}
}

func BenchmarkInsert(b *testing.B) {
	const n = 10_000
	s := parse(b, benchSDL)
	author := s.Type("Author")
	rows := make([][]schema.Value, n)
	for i := range rows {
		rows[i] = []schema.Value{schema.Text(fmt.Sprintf("author-%05d", i)), schema.Text("Somebody")}
	}
	b.Run("ours", func(b *testing.B) {
		d := openFile(b, s.Types)
		b.ReportAllocs()
		for b.Loop() {
			write(b, d, query.Write{Verb: query.Create, Type: author, Columns: fields(author, "id", "name"), Rows: rows, WantKeys: true}, query.Binding{})
			b.StopTimer()
			write(b, d, query.Write{Verb: query.Delete, Type: author}, query.Binding{})
			b.StartTimer()
		}
	})
	b.Run("hand", func(b *testing.B) { benchHandInsert(b, rows) })
}

// benchHandInsert inserts 500 rows a statement.
func benchHandInsert(b *testing.B, all [][]schema.Value) {
	const batch = 500
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.TempDir(), "hand.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE authors (id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (id))"); err != nil {
		b.Fatal(err)
	}
	text := "INSERT INTO authors (id, name) VALUES (?, ?)"
	for range batch - 1 {
		text += ", (?, ?)"
	}
	b.ReportAllocs()
	for b.Loop() {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		stmt, err := tx.Prepare(text)
		if err != nil {
			b.Fatal(err)
		}
		args := make([]any, 0, 2*batch)
		for at := 0; at < len(all); at += batch {
			args = args[:0]
			for _, row := range all[at : at+batch] {
				args = append(args, row[0].Text(), row[1].Text())
			}
			if _, err := stmt.Exec(args...); err != nil {
				b.Fatal(err)
			}
		}
		stmt.Close()
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if _, err := db.Exec("DELETE FROM authors"); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkVia reads the 20 books of each of 50 authors.
func BenchmarkVia(b *testing.B) {
	d, s := benchDriver(b)
	book, author := s.Type("Book"), s.Type("Author")
	level := query.Level{
		Type: book, Columns: cells(book, benchColumns...), OrderBy: []query.Order{{Field: book.Field("id")}},
		Via: &query.Via{Link: author.Field("books")},
	}
	paged := level
	paged.Limit = query.Const(schema.Integer(100))
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
	}{{"all", level, keys}, {"limit=100", paged, keys}, {"limit=5", short, keys}, {"one", one, keys}, {"all/key=1", level, keys[:1]}} {
		stmt, err := d.Prepare(rules.System(c.level))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				if buf, err = run(b.Context(), d, stmt, len(c.level.Columns), query.Binding{Keys: c.keys}, buf[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("hand", func(b *testing.B) { benchHandVia(b, d, keys) })
}

func benchHandVia(b *testing.B, d *Driver, keys []schema.Value) {
	db, err := sql.Open("sqlite", d.file.plainDSN())
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	text := "SELECT author_id, id, title, pages, price, sold, at FROM books WHERE author_id IN (?"
	for range len(keys) - 1 {
		text += ", ?"
	}
	stmt, err := db.Prepare(text + ") ORDER BY author_id, id")
	if err != nil {
		b.Fatal(err)
	}
	args := make([]any, len(keys))
	for i, k := range keys {
		args[i] = k.Text()
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf = buf[:0]
		rows, err := stmt.QueryContext(b.Context(), args...)
		if err != nil {
			b.Fatal(err)
		}
		for rows.Next() {
			var author, id, title, at string
			var pages int64
			var price sql.NullFloat64
			var sold bool
			if err := rows.Scan(&author, &id, &title, &pages, &price, &sold, &at); err != nil {
				b.Fatal(err)
			}
			buf = schema.AppendString(append(buf, ','), id)
			buf = schema.AppendString(append(buf, ','), title)
			buf = schema.AppendInt(append(buf, ','), pages)
			buf = schema.AppendFloat(append(buf, ','), price.Float64)
			buf = schema.AppendDateTime(append(buf, ','), at)
		}
		rows.Close()
	}
}

package sqlite

import (
	"fmt"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

func BenchmarkLoop(b *testing.B) {
	d, s := benchDriver(b)
	book, author := s.Type("Book"), s.Type("Author")
	level := query.Level{
		Type: book, Columns: cells(book, benchColumns...), OrderBy: []query.Order{{Field: book.Field("id")}},
		Via: &query.Via{Link: author.Field("books")},
	}
	one := query.Level{Type: author, Columns: cells(author, "id", "name"), Via: &query.Via{Link: book.Field("author"), Single: true}}
	paged, short := level, level
	paged.Limit = query.Const(schema.Integer(100))
	short.Limit = query.Const(schema.Integer(5))
	var keys []schema.Value
	for i := range 50 {
		keys = append(keys, schema.Text(fmt.Sprintf("author-%03d", i)))
	}
	for name, l := range map[string]query.Level{"all": level, "limit=100": paged, "limit=5": short, "one": one} {
		p, err := d.Prepare(rules.System(l))
		if err != nil {
			b.Fatal(err)
		}
		st := p.(*statement)
		b.Run(name, func(b *testing.B) {
			c, _ := d.readers.take(b.Context())
			defer d.readers.give(c)
			var buf []byte
			for b.Loop() {
				buf = buf[:0]
				c.begin.run()
				for i := range keys {
					bd := query.Binding{Keys: keys[i : i+1]}
					if err := c.find(st.one, &bd, st.columns, 0); err != nil {
						b.Fatal(err)
					}
					for c.rows.Next() {
						for i := range l.Columns {
							buf = c.rows.AppendJSON(append(buf, ','), i)
						}
					}
				}
				c.clean()
			}
		})
	}
	late := `SELECT b.id, b.title, b.pages, b.price, b.sold, b.at FROM json_each((SELECT json_group_array(r) FROM (SELECT rowid r FROM books b WHERE b.author_id = ?1 ORDER BY b.id LIMIT 100))) o CROSS JOIN books b WHERE b.rowid = o.value ORDER BY o.rowid`
	b.Run("late", func(b *testing.B) {
		c, _ := d.readers.take(b.Context())
		defer d.readers.give(c)
		var buf []byte
		st, err := c.prepare(late)
		if err != nil { b.Fatal(err) }
		defer st.finalize()
		for b.Loop() {
			buf = buf[:0]
			c.begin.run()
			for i := range keys {
				c.args.reset()
				c.args.string(3, keys[i].Text())
				st.bind()
				if err := c.rows.start(st, fields(book, benchColumns...), 0); err != nil { b.Fatal(err) }
				for c.rows.Next() {
					for i := range level.Columns {
						buf = c.rows.AppendJSON(append(buf, ','), i)
					}
				}
			}
			c.clean()
		}
	})
}

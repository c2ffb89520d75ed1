package drivertest

import (
	"fmt"
	"slices"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/schema"
)

// counts are of all rows, and of those of each parent that has any.
func counts(t *testing.T, b *bench) {
	library(b)
	count := func(l query.Level, keys ...schema.Value) []string {
		b.Helper()
		l.Count = true
		s := b.prepare(l)
		var got []string
		binding := query.Binding{Keys: keys, Args: []schema.Value{schema.Integer(150)}}
		err := b.db.View(b.Context(), func(r driver.Reader) error {
			rs, err := r.Find(b.Context(), s, binding)
			if err != nil {
				return err
			}
			defer rs.Close()
			for rs.Next() {
				got = append(got, fmt.Sprintf("%d: %d", rs.Parent(), rs.Value(0).Int()))
			}
			return rs.Err()
		})
		if err != nil {
			b.Fatal(err)
		}
		return got
	}
	book, long := b.typ("Book"), query.Compare{Left: query.Col(b.field("Book.pages")), Op: query.Gt, Right: query.ArgAt(0)}
	all := len(b.world.rows[book])
	b.want(count(query.Level{Type: book}), fmt.Sprintf("0: %d", all))
	b.want(count(query.Level{Type: book, Where: long}), fmt.Sprintf("0: %d", len(b.world.ids(book, long, query.Binding{Args: []schema.Value{schema.Integer(150)}}))))
	b.want(count(query.Level{Type: book, Where: query.False}), "0: 0")
	via := &query.Via{Link: b.field("Author.books")}
	a1, a2, nobody := schema.Text("a1"), schema.Text("a2"), schema.Text("nobody")
	of := func(key schema.Value) int {
		return len(b.world.ids(book, query.Compare{Left: query.Col(b.field("Book.authorId")), Op: query.Eq, Right: query.Const(key)}, query.Binding{}))
	}
	b.want(count(query.Level{Type: book, Via: via}, nobody, a1, a2), fmt.Sprintf("1: %d", of(a1)), fmt.Sprintf("2: %d", of(a2)))
	b.want(count(query.Level{Type: book, Via: via}, a1), fmt.Sprintf("0: %d", of(a1)))
	b.want(count(query.Level{Type: book, Via: via}, nobody), "0: 0")
	// A row that a join table leads to twice is one row.
	b.want(count(query.Level{Type: b.typ("Group"), Via: &query.Via{Link: b.field("Author.groups")}}, a1, nobody),
		fmt.Sprintf("0: %d", len(b.answer(query.Level{Type: b.typ("Group"), Columns: b.cells("Group", "id"), Via: &query.Via{Link: b.field("Author.groups")}}, query.Binding{Keys: []schema.Value{a1}}))))
}

// cellsBehindLinks are what a sort key behind a link needs.
func cellsBehindLinks(t *testing.T, b *bench) {
	library(b)
	book := b.typ("Book")
	mentor := []*schema.Field{b.field("Book.author"), b.field("Author.mentor")}
	l := query.Level{Type: book, OrderBy: []query.Order{{Field: book.Field("id")}}, Columns: []query.Cell{
		{Field: book.Field("id")},
		{Field: b.field("Author.name"), Via: mentor[:1]},
		{Field: b.field("Author.name"), Via: mentor},
	}}
	var want []string
	for _, r := range b.world.rows[book] {
		line := string(schema.AppendValue(nil, book.Field("id"), r.Value(book.Field("id"))))
		var row query.Row = r
		for _, link := range mentor {
			v := schema.Null
			if row != nil {
				if linked := row.Linked(link); len(linked) > 0 {
					row, v = linked[0], linked[0].Value(b.field("Author.name"))
				} else {
					row = nil
				}
			}
			line = string(schema.AppendValue([]byte(line+" "), b.field("Author.name"), v))
		}
		want = append(want, line)
	}
	b.want(b.answer(l, query.Binding{}), want...)
}

// keysets are the rows beyond a row, in every order: those that an order has after it. The row is each that
// has a value, and the first and the last of those that have none.
func keysets(t *testing.T, b *bench) {
	newRandom(b, 2) // fills Thing
	thing := b.typ("Thing")
	id := thing.Field("id")
	fields, rows := things(b), map[string]*record{}
	for _, r := range b.world.rows[thing] {
		rows[r.id()] = r
	}
	for _, f := range fields {
		if f == id || !b.sorts(f) {
			continue
		}
		for i := range 6 {
			o := query.Order{Field: f, Desc: i%2 == 1, Nulls: query.Nulls(i / 2)}
			orders := query.Complete(thing, []query.Order{o})
			want := sorted(b, f, o)
			given := []query.Operand{
				{Kind: query.Arg, Index: 0, Scalar: f.Scalar}, {Kind: query.Arg, Index: 1, Scalar: id.Scalar},
			}
			isNull := func(at int) bool { return at >= 0 && at < len(want) && rows[want[at]].Value(f).IsNull() }
			for at, key := range want {
				if isNull(at-1) && isNull(at) && isNull(at+1) {
					continue
				}
				r := rows[key]
				binding := query.Binding{Args: []schema.Value{r.Value(f), r.Value(id)}}
				got := func(orders []query.Order) []string {
					return b.answer(query.Level{
						Type: thing, Columns: b.cells("Thing", "id"), Where: query.Beyond(orders, given), OrderBy: orders,
					}, binding)
				}
				before := slices.Clone(want[:at])
				slices.Reverse(before)
				if after, back := got(orders), got(query.Reverse(orders)); !slices.Equal(after, want[at+1:]) || !slices.Equal(back, before) {
					b.Fatalf("%s desc %t nulls %d around %v\n after  %v\n want   %v\n before %v\n want   %v",
						f.Name, o.Desc, o.Nulls, binding.Args, after, want[at+1:], back, before)
				}
			}
		}
	}
}

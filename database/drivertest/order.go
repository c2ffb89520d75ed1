package drivertest

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// compare orders values as an answer is ordered; nulls are greatest.
func compare(a, b schema.Value, s schema.Scalar) int {
	switch {
	case a.IsNull() || b.IsNull():
		return cmp.Compare(nullRank(a), nullRank(b))
	case s == schema.Decimal:
		return query.CompareDecimal(a.Text(), b.Text())
	case a.Kind() == schema.FloatValue:
		return cmp.Compare(a.Float(), b.Float())
	case a.Kind() == schema.TextValue || a.Kind() == schema.BytesValue:
		return strings.Compare(a.Text(), b.Text())
	}
	return cmp.Compare(a.Int(), b.Int())
}

func nullRank(v schema.Value) int {
	if v.IsNull() {
		return 1
	}
	return 0
}

// compareOrder orders two values of a column as an order has them.
func compareOrder(o query.Order, x, y schema.Value) int {
	if x.IsNull() != y.IsNull() && o.Nulls != query.NullsDefault {
		c := nullRank(x) - nullRank(y)
		if o.Nulls == query.NullsFirst {
			c = -c
		}
		return c
	}
	c := compare(x, y, o.Field.Scalar)
	if o.Desc {
		c = -c
	}
	return c
}

// behind is the value of a row that an order looks at.
func (r *record) behind(o query.Order) schema.Value {
	var row query.Row = r
	for _, link := range o.Via {
		rows := row.Linked(link)
		if len(rows) == 0 {
			return schema.Null
		}
		row = rows[0]
	}
	return row.Value(o.Field)
}

// inOrder compares rows as they come in an answer.
func inOrder(orders []query.Order) func(x, y *record) int {
	return func(x, y *record) int {
		for _, o := range orders {
			if c := compareOrder(o, x.behind(o), y.behind(o)); c != 0 {
				return c
			}
		}
		return 0
	}
}

// sorted are a type's ids by a field and then by the id; nulls as they are said to be.
func sorted(b *bench, f *schema.Field, o query.Order) []string {
	id := f.Owner.Field("id")
	rs := slices.Clone(b.world.rows[f.Owner])
	slices.SortFunc(rs, inOrder([]query.Order{o, {Field: id}}))
	ids := make([]string, len(rs))
	for i, r := range rs {
		ids[i] = string(schema.AppendValue(nil, id, r.Value(id)))
	}
	return ids
}

func order(t *testing.T, b *bench) {
	for _, f := range things(b) {
		if !b.sorts(f) {
			continue
		}
		for _, desc := range []bool{false, true} {
			for _, nulls := range []query.Nulls{query.NullsDefault, query.NullsFirst, query.NullsLast} {
				o := query.Order{Field: f, Desc: desc, Nulls: nulls}
				got := b.answer(query.Level{
					Type: f.Owner, Columns: b.cells("Thing", "id"), OrderBy: []query.Order{o, {Field: f.Owner.Field("id")}},
				}, query.Binding{})
				if want := sorted(b, f, o); !slices.Equal(got, want) {
					b.Errorf("%s desc %t nulls %d\n got  %v\n want %v", f.Name, desc, nulls, got, want)
				}
			}
		}
	}
}

func pages(t *testing.T, b *bench) {
	library(b)
	book := b.typ("Book")
	level := func(limit, offset query.Operand) query.Level {
		return query.Level{
			Type: book, Columns: b.cells("Book", "id"), OrderBy: []query.Order{{Field: book.Field("id")}}, Limit: limit, Offset: offset,
		}
	}
	n := func(i int64) query.Operand { return query.Const(schema.Integer(i)) }
	binding := query.Binding{Args: []schema.Value{schema.Integer(2), schema.Null}}
	b.want(b.answer(level(n(2), query.Operand{}), binding), `"b1"`, `"b2"`)
	b.want(b.answer(level(query.ArgAt(0), n(1)), binding), `"b2"`, `"b3"`)
	b.want(b.answer(level(query.Operand{}, query.ArgAt(0)), binding), `"b3"`, `"b4"`, `"b5"`, `"b6"`)
	b.want(b.answer(level(n(0), query.Operand{}), binding))
	b.want(b.answer(level(query.ArgAt(1), n(5)), binding), `"b6"`)
	b.want(b.answer(level(n(1), query.ArgAt(1)), binding), `"b1"`)
	b.want(b.answer(level(n(5), n(100)), binding))

	byAuthor := level(query.Operand{}, query.Operand{})
	byAuthor.OrderBy = []query.Order{{Field: b.field("Author.name"), Via: []*schema.Field{b.field("Book.author")}}, {Field: book.Field("id")}}
	b.want(b.answer(byAuthor, binding), `"b1"`, `"b2"`, `"b3"`, `"b4"`, `"b5"`, `"b6"`)
	byAuthor.OrderBy[0].Field = b.field("Author.rating")
	b.want(b.answer(byAuthor, binding), `"b4"`, `"b5"`, `"b1"`, `"b2"`, `"b3"`, `"b6"`)
	byAuthor.OrderBy[0].Desc = true
	b.want(b.answer(byAuthor, binding), `"b6"`, `"b1"`, `"b2"`, `"b3"`, `"b4"`, `"b5"`)
}

func hiddenCells(t *testing.T, b *bench) {
	library(b)
	book := b.typ("Book")
	mine := query.Compare{Left: query.Col(book.Field("authorId")), Op: query.Eq, Right: query.ClaimAt(0)}
	l := query.Level{Type: book, OrderBy: []query.Order{{Field: book.Field("id")}}, Columns: []query.Cell{
		{Field: book.Field("id")},
		{Field: book.Field("title"), When: mine},
		{Field: book.Field("pages"), When: query.False},
		{Field: book.Field("pages"), When: query.Unknown},
		{Field: book.Field("pages"), When: query.True},
	}}
	got := b.answer(l, query.Binding{Claims: []schema.Value{schema.Text("a2")}})
	b.want(got[:4], `"b1" null null null 100`, `"b2" null null null 200`, `"b3" null null null null`, `"b4" "Delta" null null 50`)
}

package drivertest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// library is a small library: a1 wrote b1, b2, b3, a2 wrote b4, b5, and nobody b6.
func library(b *bench) {
	b.insert("Author",
		row{"id": "a1", "name": "Ann", "age": int64(40), "rating": "10"},
		row{"id": "a2", "name": "Bob", "mentorId": "a1", "rating": "9"},
		row{"id": "a3", "name": "Cid", "mentorId": "a1", "age": int64(20)},
	)
	b.insert("Book",
		row{"id": "b1", "title": "Alpha", "pages": int64(100), "price": "9.5", "isbn": "1", "authorId": "a1"},
		row{"id": "b2", "title": "Beta", "pages": int64(200), "price": "10", "authorId": "a1"},
		row{"id": "b3", "title": "Gamma", "authorId": "a1"},
		row{"id": "b4", "title": "Delta", "pages": int64(50), "price": "100", "authorId": "a2"},
		row{"id": "b5", "title": "Epsilon", "pages": int64(70), "authorId": "a2"},
		row{"id": "b6", "title": "Orphan", "pages": int64(10)},
	)
	b.insert("Tag", row{"id": int64(1), "name": "x"}, row{"id": int64(2), "name": "y"}, row{"id": int64(3), "name": "z"})
	join := b.field("Book.tags").Link
	for _, pair := range [][2]any{{"b1", int64(1)}, {"b1", int64(2)}, {"b2", int64(2)}, {"b4", int64(1)}} {
		b.insert(join.Through.Name, row{join.ThroughFrom[0].Name: pair[0], join.ThroughTo[0].Name: pair[1]})
	}
	b.insert("Group", row{"id": "g1", "name": "One"}, row{"id": "g2", "name": "Two"})
	b.insert("Membership",
		row{"id": "m1", "authorId": "a1", "groupId": "g1"},
		row{"id": "m2", "authorId": "a1", "groupId": "g1", "since": "2026-01-01"}, // twice in it
		row{"id": "m3", "authorId": "a1", "groupId": "g2"},
		row{"id": "m4", "authorId": "a2", "groupId": "g2"},
	)
}

func keys(ids ...string) query.Binding {
	var b query.Binding
	for _, id := range ids {
		b.Keys = append(b.Keys, schema.Text(id))
	}
	return b
}

// linked is a level of a link's rows by their id.
func linked(b *bench, link string) query.Level {
	f := b.field(link)
	target := f.Link.Target
	return query.Level{
		Type: target, Columns: b.cells(target.Name, "id"), OrderBy: []query.Order{{Field: target.Field("id")}},
		Via: &query.Via{Link: f, Single: !f.Link.Many},
	}
}

func links(t *testing.T, b *bench) {
	library(b)
	// No keys, one, several, in an order of their own, some that lead nowhere, and one twice.
	b.want(b.answer(linked(b, "Author.books"), keys()))
	b.want(b.answer(linked(b, "Author.books"), keys("a2")), `0: "b4"`, `0: "b5"`)
	b.want(b.answer(linked(b, "Author.books"), keys("a2", "a3", "no", "a1")), `0: "b4"`, `0: "b5"`, `3: "b1"`, `3: "b2"`, `3: "b3"`)
	b.want(b.answer(linked(b, "Author.books"), keys("a2", "a2")), `0: "b4"`, `0: "b5"`, `1: "b4"`, `1: "b5"`)
	b.want(b.answer(linked(b, "Book.author"), keys("a2", "no", "a1")), `0: "a2"`, `2: "a1"`)
	b.want(b.answer(linked(b, "Author.groups"), keys("a1", "a2", "a3")), `0: "g1"`, `0: "g2"`, `1: "g2"`)
	b.want(b.answer(linked(b, "Author.groups"), keys("a1")), `0: "g1"`, `0: "g2"`)
	b.want(b.answer(linked(b, "Book.tags"), keys("b2", "b1")), `0: "2"`, `1: "1"`, `1: "2"`)
	b.want(b.answer(linked(b, "Tag.books"), query.Binding{Keys: []schema.Value{schema.Integer(2), schema.Integer(1)}}),
		`0: "b1"`, `0: "b2"`, `1: "b1"`, `1: "b4"`)

	byKey := query.Level{Type: b.typ("Author"), Columns: b.cells("Author", "id", "name"), Via: &query.Via{Single: true}}
	b.want(b.answer(byKey, keys("a3", "no", "a1")), `0: "a3" "Cid"`, `2: "a1" "Ann"`)
	b.want(b.answer(byKey, keys("a1")), `0: "a1" "Ann"`)

	filtered := linked(b, "Author.books")
	filtered.Where = query.Compare{Left: query.Col(b.field("Book.pages")), Op: query.Gt, Right: query.ArgAt(0)}
	binding := keys("a1", "a2")
	binding.Args = []schema.Value{schema.Integer(60)}
	b.want(b.answer(filtered, binding), `0: "b1"`, `0: "b2"`, `1: "b5"`)
	binding.Keys = binding.Keys[:1]
	b.want(b.answer(filtered, binding), `0: "b1"`, `0: "b2"`)
}

func pagesOfEachParent(t *testing.T, b *bench) {
	library(b)
	n := func(i int64) query.Operand { return query.Const(schema.Integer(i)) }
	for _, link := range []string{"Author.books", "Author.groups", "Tag.books"} {
		parents := b.world.rows[b.field(link).Owner]
		var all query.Binding
		for _, p := range parents {
			all.Keys = append(all.Keys, p.values[0])
		}
		full := linked(b, link)
		full.OrderBy = []query.Order{{Field: full.Type.Field("id"), Desc: true}}
		for _, page := range [][2]int64{{1, 0}, {2, 0}, {1, 1}, {2, 1}, {0, 0}, {9, 5}} {
			paged := full
			paged.Limit, paged.Offset = n(page[0]), n(page[1])
			for _, binding := range []query.Binding{all, {Keys: all.Keys[:1]}} {
				b.want(b.answer(paged, binding), cut(b.answer(full, binding), page[0], page[1])...)
			}
		}
		onlyOffset := full
		onlyOffset.Offset = n(1)
		b.want(b.answer(onlyOffset, all), cut(b.answer(full, all), math.MaxInt32, 1)...)
	}
}

// cut leaves a page of each parent's lines.
func cut(lines []string, limit, offset int64) []string {
	seen := map[byte]int64{}
	return slices.DeleteFunc(lines, func(line string) bool {
		i := seen[line[0]]
		seen[line[0]]++
		return i < offset || i >= offset+limit
	})
}

func keysOfEveryKind(t *testing.T, b *bench) {
	b.insert("Place",
		row{"country": "de", "number": int64(1) << 60, "name": "A"},
		row{"country": "de", "number": int64(1)<<60 + 1, "name": "B"},
		row{"country": `q"uote\`, "number": int64(math.MinInt64), "name": "C"},
	)
	place := b.field("Visit.place").Link
	at := func(i int) (schema.Value, schema.Value) {
		r := b.world.rows[b.typ("Place")][i]
		return r.values[0], r.values[1]
	}
	for i, p := range []int{0, 0, 1, 2} {
		country, number := at(p)
		b.insert("Visit", row{"id": fmt.Sprint("v", i), "n": int64(i), place.From[0].Name: country, place.From[1].Name: number})
	}
	b.insert("Visit", row{"id": "v9", "n": int64(9)})
	binding := query.Binding{}
	for _, i := range []int{2, 0, 1} {
		country, number := at(i)
		binding.Keys = append(binding.Keys, country, number)
	}
	for _, binding := range []query.Binding{binding, {Keys: binding.Keys[:2]}} {
		one := len(binding.Keys) == 2
		visits := []string{`0: "v3"`, `1: "v0"`, `1: "v1"`, `2: "v2"`}
		firsts := []string{`0: "v3"`, `1: "v0"`, `2: "v2"`}
		places := []string{`0: "C"`, `1: "A"`, `2: "B"`}
		if one {
			visits, firsts, places = visits[:1], firsts[:1], places[:1]
		}
		l := linked(b, "Place.visits")
		b.want(b.answer(l, binding), visits...)
		l.Limit = query.Const(schema.Integer(1))
		b.want(b.answer(l, binding), firsts...)
		b.want(b.answer(query.Level{Type: b.typ("Place"), Columns: b.cells("Place", "name"), Via: &query.Via{Link: b.field("Visit.place"), Single: true}}, binding), places...)
		b.want(b.answer(query.Level{Type: b.typ("Place"), Columns: b.cells("Place", "name"), Via: &query.Via{Single: true}}, binding), places...)
	}
}

func views(t *testing.T, b *bench) {
	library(b)
	card := b.typ("BookCard")
	l := query.Level{Type: card, Columns: b.cells("BookCard", "title"), OrderBy: []query.Order{{Field: card.Field("id")}}}
	b.want(b.answer(l, query.Binding{}), `"Alpha"`, `"Beta"`, `"Delta"`, `"Epsilon"`, `"Orphan"`)
	// A link that the schema does not have, but could.
	l.Via = &query.Via{Link: &schema.Field{Name: "cards", Index: -1, Link: &schema.Link{
		Target: card, Many: true, From: b.fields("Author", "id"), To: b.fields("BookCard", "authorId"),
	}}}
	b.want(b.answer(l, keys("a2", "a1")), `0: "Delta"`, `0: "Epsilon"`, `1: "Alpha"`, `1: "Beta"`)
	l.Limit, l.Offset = query.Const(schema.Integer(1)), query.Const(schema.Integer(1))
	b.want(b.answer(l, keys("a2", "a1")), `0: "Epsilon"`, `1: "Beta"`)
	b.want(b.answer(l, keys("a2")), `0: "Epsilon"`)
	l.Limit = query.Operand{}
	b.want(b.answer(l, keys("a2", "a1")), `0: "Epsilon"`, `1: "Beta"`)
}

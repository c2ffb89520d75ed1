package drivertest

import (
	"fmt"
	"slices"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// hop is a condition of another row, or one that looks into a value.
func (r *random) hop(scope []*schema.Type, kind, depth int) query.Where {
	t := scope[len(scope)-1]
	links := linksOf(t)
	if len(links) == 0 {
		return r.into(scope)
	}
	link := pick(r, links)
	inner := append(slices.Clip(scope), link.Link.Target)
	switch {
	case kind <= 11 && !link.Link.Many:
		one := query.One{Link: link, Where: r.where(inner, depth-1)}
		if r.IntN(2) == 0 {
			one.If = r.where(inner, depth-1)
		}
		return one
	case link.Link.Many:
		ops := []query.Op{query.Eq, query.Ne, query.Gt, query.Gte, query.Lt, query.Lte}
		count := query.Count{Link: link, Through: r.through(scope, link, depth), Op: pick(r, ops), Right: r.given(schema.Integer(int64(r.IntN(4))), schema.Int)}
		if r.IntN(4) == 0 {
			list := schema.List([]schema.Value{schema.Integer(1), schema.Integer(int64(r.IntN(4)))})
			count.Op, count.Right = pick(r, []query.Op{query.In, query.Nin}), r.given(list, schema.Int)
		}
		if r.IntN(2) == 0 {
			count.Where = r.where(inner, depth-1)
		}
		return count
	}
	return query.Not{Where: query.Some{Link: link, Where: query.Untrue{Where: r.where(inner, depth-1)}}}
}

// through is a condition of the rows of a link's join type, at times.
func (r *random) through(scope []*schema.Type, link *schema.Field, depth int) query.Where {
	if link.Link.Through == nil || r.IntN(2) == 0 {
		return nil
	}
	return r.where(append(slices.Clip(scope), link.Link.Through), depth-1)
}

// into is a condition that looks into a value of a row: a list, a document, or texts that are searched.
func (r *random) into(scope []*schema.Type) query.Where {
	t := scope[len(scope)-1]
	if !r.isRule && r.bench.driver.Features().Search && len(query.SearchFields(t)) > 0 && r.IntN(2) == 0 {
		return query.Search{Type: t, Words: r.given(schema.Text(pick(r, searched)), schema.String)}
	}
	var fields []*schema.Field
	for _, f := range t.Columns {
		if f.List || f.Scalar == schema.JSON {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return r.compare(scope)
	}
	switch f := pick(r, fields); {
	case !f.List:
		return r.intoDocument(f)
	case f.Scalar == schema.Embedded || f.Scalar == schema.JSON || r.IntN(3) == 0:
		return query.Empty{Operand: query.Col(f)}
	case r.IntN(3) == 0:
		return query.Compare{Left: r.given(r.value(f), f.Scalar), Op: pick(r, []query.Op{query.In, query.Nin}), Right: query.Col(f)}
	default:
		var list []schema.Value
		for range r.IntN(3) {
			list = append(list, r.value(f))
		}
		return query.Compare{Left: query.Col(f), Op: pick(r, []query.Op{query.HasAny, query.HasAll}), Right: r.given(schema.List(list), f.Scalar)}
	}
}

func (r *random) intoDocument(f *schema.Field) query.Where {
	w := query.JSON{Doc: query.Col(f), Op: query.JSONOp(r.IntN(4))}
	if r.IntN(2) == 0 {
		var steps []schema.Value
		for range r.IntN(3) {
			steps = append(steps, schema.Text(pick(r, []string{"a", "b", "0", "1", "c", `"`})))
		}
		w.Path = r.given(schema.List(steps), schema.String)
	}
	right := pick(r, []string{`1`, `1.0`, `"x"`, `{"a":1}`, `[]`, `{}`, `["x"]`, `[{"c":null}]`, `true`})
	scalar := schema.JSON
	if w.Op == query.JSONHasKey {
		right, scalar = pick(r, []string{"a", "b", "c"}), schema.String
	}
	if w.Op != query.JSONIsNull {
		w.Right = r.given(schema.Text(right), scalar)
	}
	return w
}

func linkedConditions(t *testing.T, b *bench) {
	library(b)
	author, book := b.field("Book.author"), b.field("Author.books")
	named := func(name string) query.Where {
		return query.Compare{Left: query.Col(b.field("Author.name")), Op: query.Eq, Right: query.Const(schema.Text(name))}
	}
	young := query.Compare{Left: query.Col(b.field("Author.age")), Op: query.Lt, Right: query.Const(schema.Integer(30))}
	for _, w := range []query.Where{
		query.One{Link: author, Where: named("Ann")},
		query.One{Link: author, Where: named("No")},
		query.One{Link: author, Where: young}, // Bob has no age
		query.One{Link: author, If: named("Bob"), Where: named("Bob")},
		query.One{Link: author, If: young, Where: query.True},
		query.One{Link: author, Where: query.One{Link: b.field("Author.mentor"), Where: named("Ann")}},
		query.One{Link: author, Where: query.Some{Link: book, Where: query.Compare{
			Left: query.Col(b.field("Book.id")), Op: query.Ne, Right: query.Operand{Kind: query.Column, Field: b.field("Book.id"), Up: 2},
		}}},
	} {
		for _, each := range asked(w) {
			b.wantSame("Book", each, query.Binding{})
		}
	}
	for _, link := range []string{"books", "pupils", "groups"} {
		ways, binding := operands(schema.Integer(2), schema.Int)
		for op := query.Eq; op <= query.Lte; op++ {
			for _, right := range ways {
				for _, w := range asked(query.Count{Link: b.field("Author." + link), Op: op, Right: right}) {
					b.wantSame("Author", w, binding)
				}
			}
		}
		ways, binding = operands(schema.List([]schema.Value{schema.Integer(0), schema.Integer(2)}), schema.Int)
		for _, right := range ways {
			for _, op := range []query.Op{query.In, query.Nin} {
				b.wantSame("Author", query.Count{Link: b.field("Author." + link), Op: op, Right: right}, binding)
			}
		}
		b.wantSame("Author", query.Count{Link: b.field("Author." + link), Op: query.Eq, Right: query.Const(schema.Null)}, query.Binding{})
	}
}

// joinRows asks links through a declared join type whose rows do not all count.
func joinRows(t *testing.T, b *bench) {
	library(b)
	groups := b.field("Author.groups")
	dated := query.Not{Where: query.IsNull{Operand: query.Col(b.field("Membership.since"))}}
	for _, through := range []query.Where{nil, dated, query.Not{Where: dated}, query.False} {
		for _, w := range []query.Where{
			query.Some{Link: groups, Through: through, Where: query.True},
			query.Count{Link: groups, Through: through, Op: query.Eq, Right: query.Const(schema.Integer(1))},
		} {
			for _, each := range asked(w) {
				b.wantSame("Author", each, query.Binding{})
			}
		}
	}
	l := linked(b, "Author.groups")
	l.Via.Through = dated
	for _, binding := range []query.Binding{keys("a2", "a1"), keys("a1")} {
		ordinal := len(binding.Keys) - 1
		want := fmt.Sprintf(`%d: "g1"`, ordinal)
		l.Limit = query.Operand{}
		b.want(b.answer(l, binding), want)
		l.Limit = query.Const(schema.Integer(1))
		b.want(b.answer(l, binding), want)
	}
}

func listConditions(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "none"},
		row{"id": "empty", "texts": []any{}, "bigs": []any{}, "floats": []any{}, "blobs": []any{}, "times": []any{}, "addresses": []any{}},
		row{"id": "some", "texts": []any{"a", "b"}, "bigs": []any{int64(1), int64(1) << 60}, "floats": []any{0.1, 2.0}, "blobs": []any{"AAEC"}, "times": []any{"2026-01-31T13:37:00.5Z"}, "addresses": []any{map[string]any{"street": "a"}}},
		row{"id": "nulls", "bigs": []any{nil, int64(2)}, "texts": []any{"a", "a"}},
	)
	for column, lists := range map[string][][]any{
		"texts":  {{}, {"a"}, {"a", "b"}, {"c"}, {"b", "c"}, {"A"}},
		"bigs":   {{}, {int64(1)}, {nil}, {int64(2), nil}, {int64(1)<<60 + 1}, {int64(1) << 60, int64(7)}},
		"floats": {{0.1}, {2.0, 0.1}, {0.2}},
		"blobs":  {{"AAEC"}, {"AAED", "AAEC"}},
		"times":  {{"2026-01-31T13:37:00.5Z"}, {"2026-01-31T13:37:00Z"}},
	} {
		f := b.field("Thing." + column)
		for _, w := range asked(query.Empty{Operand: query.Col(f)}) {
			b.wantSame("Thing", w, query.Binding{})
		}
		free := *f
		free.ElemNull, free.NonNull = true, false
		for _, list := range lists {
			v, err := free.Coerce(list)
			if err != nil {
				b.Fatal(err)
			}
			ways, binding := operands(v, f.Scalar)
			for _, right := range ways {
				for _, op := range []query.Op{query.HasAny, query.HasAll} {
					for _, w := range asked(query.Compare{Left: query.Col(f), Op: op, Right: right}) {
						b.wantSame("Thing", w, binding)
					}
				}
			}
		}
	}
	for _, w := range asked(query.Empty{Operand: query.Col(b.field("Thing.addresses"))}) {
		b.wantSame("Thing", w, query.Binding{})
	}
}

func jsonConditions(t *testing.T, b *bench) {
	b.insert("Thing", row{"id": "null"})
	for i, doc := range docs {
		b.insert("Thing", row{"id": fmt.Sprint("j", i), "json": doc})
	}
	b.insert("Thing", row{"id": "deep", "json": map[string]any{"a": map[string]any{"b\"": []any{int64(1), map[string]any{"c": "é"}}, "": int64(0)}, "big": int64(1) << 60}})
	rights := []string{
		"1", "1.0", "10e-1", "1.5", `"x"`, "true", "false", "null", "{}", "[]", "[null]", `{"a":1}`, `{"a":1.0}`, `["x",1]`, `[1,"x",null]`,
		`{"b":["x"]}`, `{"b":[{"c":null}]}`, `{"b":[{}]}`, `{"a":{"":0.0}}`, "1152921504606846976", "1152921504606846977", "1e1000000000000000000", `{"b\"":[{"c":"é"}]}`,
	}
	paths := [][]string{nil, {}, {"a"}, {"b", "1", "c"}, {"b", "01"}, {"b", "-1"}, {"a", `b"`}, {"a", `b"`, "1", "c"}, {"a", ""}, {"0"}, {"big"}, {"$"}}
	for _, path := range paths {
		w := query.JSON{Doc: query.Col(b.field("Thing.json"))}
		if path != nil {
			steps := make([]schema.Value, len(path))
			for i, s := range path {
				steps[i] = schema.Text(s)
			}
			w.Path = query.Const(schema.List(steps))
		}
		askJSON(b, w)
		for op := query.JSONEqual; op <= query.JSONContains; op++ {
			for _, right := range rights {
				w.Op, w.Right = op, query.Operand{Kind: query.Arg, Index: 0, Scalar: schema.JSON}
				askJSON(b, w, schema.Text(right))
			}
		}
		for _, key := range []string{"a", "", "b", "0", `b"`} {
			w.Op, w.Right = query.JSONHasKey, query.Operand{Kind: query.Arg, Index: 0, Scalar: schema.String}
			askJSON(b, w, schema.Text(key))
		}
	}
}

func askJSON(b *bench, w query.JSON, args ...schema.Value) {
	b.Helper()
	for _, each := range asked(w) {
		b.wantSame("Thing", each, query.Binding{Args: args})
	}
}

func embeddedConditions(t *testing.T, b *bench) {
	b.insert("Thing", row{"id": "null"})
	for i, value := range []any{
		map[string]any{"street": "a"},
		map[string]any{"street": "é", "number": int64(1), "big": int64(1) << 60, "price": "10", "tags": []any{"a"}, "geo": map[string]any{"lat": 0.1}},
		map[string]any{"street": "", "number": int64(0), "price": "9", "at": "2026-01-31T13:37:00Z", "colour": "RED", "raw": "AA==", "tags": []any{}, "geo": map[string]any{"lat": 1e300, "lon": -1.5}, "meta": map[string]any{"a": int64(1)}},
	} {
		b.insert("Thing", row{"id": fmt.Sprint("e", i), "address": value})
	}
	address, geo := b.field("Thing.address"), b.field("Address.geo")
	inside := func(name string) query.Operand {
		return query.Operand{Kind: query.Column, Field: b.field("Address." + name), Inside: []*schema.Field{address}}
	}
	lat := query.Operand{Kind: query.Column, Field: b.field("Geo.lat"), Inside: []*schema.Field{address, geo}}
	for _, o := range []query.Operand{inside("street"), inside("number"), inside("big"), inside("price"), inside("at"), inside("colour"), inside("raw"), lat} {
		for _, w := range asked(query.IsNull{Operand: o}) {
			b.wantSame("Thing", w, query.Binding{})
		}
		for _, v := range pools[o.Field.Scalar] {
			value, err := o.Field.Coerce(v)
			if err != nil {
				continue
			}
			ways, binding := operands(value, o.Field.Scalar)
			for op := query.Eq; op <= query.Lte; op++ {
				for _, right := range ways {
					for _, w := range asked(query.Compare{Left: o, Op: op, Right: right}) {
						b.wantSame("Thing", w, binding)
					}
				}
			}
			ways, binding = operands(schema.List([]schema.Value{value}), o.Field.Scalar)
			for _, w := range asked(query.Compare{Left: o, Op: query.In, Right: ways[1]}) {
				b.wantSame("Thing", w, binding)
			}
		}
	}
	for _, w := range []query.Where{
		query.IsNull{Operand: inside("geo")},
		query.Empty{Operand: inside("tags")},
		query.Compare{Left: inside("tags"), Op: query.HasAny, Right: query.Const(schema.List([]schema.Value{schema.Text("a")}))},
		query.Compare{Left: query.Const(schema.Text("a")), Op: query.In, Right: inside("tags")},
		query.Compare{Left: inside("street"), Op: query.StartsWith, Right: query.Const(schema.Text("é"))},
		query.JSON{Doc: inside("meta"), Op: query.JSONEqual, Right: query.Const(schema.Text(`{"a":1.0}`))},
		query.JSON{Doc: inside("meta"), Op: query.JSONIsNull},
	} {
		for _, each := range asked(w) {
			b.wantSame("Thing", each, query.Binding{})
		}
	}
}

func distinct(t *testing.T, b *bench) {
	library(b)
	id := query.Order{Field: b.field("Book.id")}
	pages := query.Order{Field: b.field("Book.pages"), Desc: true, Nulls: query.NullsLast}
	author := query.Order{Field: b.field("Author.name"), Via: []*schema.Field{b.field("Book.author")}}
	l := query.Level{Type: b.typ("Book"), Columns: b.cells("Book", "id"), Distinct: b.fields("Book", "authorId")}
	for _, test := range []struct {
		order []query.Order
		want  []string
	}{
		{[]query.Order{id}, []string{`"b1"`, `"b4"`, `"b6"`}},
		{[]query.Order{pages, id}, []string{`"b2"`, `"b5"`, `"b6"`}},
		{[]query.Order{author, {Field: id.Field, Desc: true}}, []string{`"b3"`, `"b5"`, `"b6"`}},
	} {
		l.OrderBy = test.order
		b.want(b.answer(l, query.Binding{}), test.want...)
	}
	l.OrderBy, l.Limit, l.Offset = []query.Order{id}, query.Const(schema.Integer(1)), query.Const(schema.Integer(1))
	b.want(b.answer(l, query.Binding{}), `"b4"`)
	l.Where = query.Compare{Left: query.Col(b.field("Book.pages")), Op: query.Lt, Right: query.ArgAt(0)}
	l.Limit, l.Offset = query.Operand{}, query.Operand{}
	b.want(b.answer(l, query.Binding{Args: []schema.Value{schema.Integer(80)}}), `"b4"`, `"b6"`)
	l.Distinct = b.fields("Book", "authorId", "pages")
	l.Where = nil
	b.want(b.answer(l, query.Binding{}), `"b1"`, `"b2"`, `"b3"`, `"b4"`, `"b5"`, `"b6"`)
}

func distinctOfEachParent(t *testing.T, b *bench) {
	library(b)
	b.insert("Book", row{"id": "b7", "title": "Alpha", "authorId": "a2"}, row{"id": "b8", "title": "Delta", "authorId": "a3"}, row{"id": "b9", "title": "Omega", "authorId": "a1", "pages": int64(100)})
	l := linked(b, "Author.books")
	l.Distinct = b.fields("Book", "pages")
	b.want(b.answer(l, keys("a2", "a1")), `0: "b4"`, `0: "b5"`, `0: "b7"`, `1: "b1"`, `1: "b2"`, `1: "b3"`)
	b.want(b.answer(l, keys("a1")), `0: "b1"`, `0: "b2"`, `0: "b3"`)
	l.Limit, l.Offset = query.Const(schema.Integer(1)), query.Const(schema.Integer(1))
	b.want(b.answer(l, keys("a2", "a1", "a3")), `0: "b5"`, `1: "b2"`)
	b.want(b.answer(l, keys("a1")), `0: "b2"`)
	groups := linked(b, "Group.members")
	groups.Distinct = b.fields("Author", "mentorId")
	b.want(b.answer(groups, keys("g2", "g1")), `0: "a1"`, `0: "a2"`, `1: "a1"`)
}

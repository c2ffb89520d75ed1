package drivertest

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

func inserts(t *testing.T, b *bench) {
	author := b.typ("Author")
	for _, n := range []int{0, 1, 2, 63, 64, 65, 300} {
		w := query.Write{Verb: query.Create, Type: author, Columns: b.fields("Author", "id", "name"), WantKeys: true}
		var ids []schema.Value
		for i := range n {
			id := schema.Text(fmt.Sprintf("%d-%d", n, i))
			ids = append(ids, id)
			w.Rows = append(w.Rows, []schema.Value{id, schema.Text("Somebody")})
		}
		done := b.write(w, query.Binding{})
		if done.Affected != n || fmt.Sprint(done.Keys) != fmt.Sprint(ids) {
			t.Errorf("%d rows: affected %d, keys %v", n, done.Affected, done.Keys)
		}
	}
	if got := len(b.ids("Author", nil, query.Binding{})); got != 495 {
		t.Errorf("%d rows came back", got)
	}
}

func generatedKeys(t *testing.T, b *bench) {
	w := query.Write{Verb: query.Create, Type: b.typ("Tag"), Columns: b.fields("Tag", "name"), WantKeys: true}
	for i := range 100 {
		w.Rows = append(w.Rows, []schema.Value{schema.Text(fmt.Sprint("tag ", i))})
	}
	done := b.write(w, query.Binding{})
	byKey := query.Level{Type: b.typ("Tag"), Columns: b.cells("Tag", "name"), Via: &query.Via{Single: true}}
	names := b.answer(byKey, query.Binding{Keys: done.Keys})
	if len(done.Keys) != 100 || len(names) != 100 || names[99] != `99: "tag 99"` {
		t.Errorf("keys %v, names %v", done.Keys, names)
	}
}

// set is an update of all rows that meet w.
func (b *bench) set(typ string, w query.Where, as ...query.Assign) query.Write {
	return query.Write{Verb: query.Update, Type: b.typ(typ), Where: w, Set: as}
}

func (b *bench) assign(path string, op query.AssignOp, v any) query.Assign {
	return query.Assign{Field: b.field(path), Op: op, Value: query.Const(b.value(path, v))}
}

func updates(t *testing.T, b *bench) {
	for _, c := range []struct {
		field    string
		from     any
		op       query.AssignOp
		by, want any
	}{
		{"int", int64(5), query.Set, int64(-3), int64(-3)},
		{"int", int64(5), query.Inc, int64(-7), int64(-2)},
		{"int", int64(5), query.Mul, int64(3), int64(15)},
		{"int", int64(5), query.Max, int64(3), int64(5)},
		{"int", int64(5), query.Max, int64(7), int64(7)},
		{"int", int64(5), query.Min, int64(3), int64(3)},
		{"int", int64(5), query.Min, int64(7), int64(5)},
		{"big", int64(1) << 60, query.Inc, int64(1), int64(1)<<60 + 1},
		{"big", int64(-1) << 62, query.Mul, int64(2), int64(math.MinInt64)},
		{"float", 0.1, query.Inc, 0.2, 0.30000000000000004},
		{"float", 1.5, query.Mul, -2.0, -3.0},
		{"float", 1.5, query.Max, 1.25, 1.5},
		{"decimal", "0.1", query.Inc, "0.2", "0.3"},
		{"decimal", "1234567890123456789012345.1", query.Inc, "0.000000001", "1234567890123456789012345.100000001"},
		{"decimal", "1.5", query.Mul, "1.5", "2.25"},
		{"decimal", "0.000000001", query.Mul, "0.5", "0.000000001"}, // half up
		{"decimal", "-1.5", query.Inc, "1.5", "0"},
		{"decimal", "10", query.Max, "9", "10"},
		{"decimal", "10", query.Min, "9", "9"},
		{"decimal", "-10", query.Max, "-9", "-9"},
		{"text", "b", query.Set, nil, nil},
		{"text", "b", query.Max, "a", "b"},
		{"text", "Z", query.Max, "a", "a"},
		{"at", "2026-01-01T00:00:00Z", query.Max, "2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"},
		{"day", "2026-01-01", query.Min, "2026-01-02", "2026-01-01"},
		{"json", map[string]any{}, query.Set, []any{int64(1)}, []any{int64(1)}},
		{"texts", []any{"a"}, query.Set, []any{"b", "c"}, []any{"b", "c"}},
		{"bytes", "AAEC", query.Set, "", ""},
		{"bool", true, query.Set, false, false},
		{"address", nil, query.Set, map[string]any{"street": "x"}, map[string]any{"street": "x"}},
	} {
		changed(b, c.field, c.from, c.op, c.by, c.want)
	}
}

// changed is whether a change of a column gives what is wanted, in the database and in memory.
func changed(b *bench, field string, from any, op query.AssignOp, by, want any) {
	b.Helper()
	path := "Thing." + field
	thing := b.typ("Thing")
	b.write(query.Write{Verb: query.Delete, Type: thing}, query.Binding{})
	b.insert("Thing", row{"id": "x", field: from})
	done := b.write(b.set("Thing", nil, b.assign(path, op, by)), query.Binding{})
	got := rowsOf(b, query.Level{Type: thing, Columns: b.cells("Thing", field)}, query.Binding{})
	if w := b.value(path, want).String(); done.Affected != 1 || len(got) != 1 || got[0].values[0].String() != w {
		b.Errorf("%s %v %s %v: %v, want %s; affected %d", field, from, op, by, got, w, done.Affected)
	}
	if is, w := b.assign(path, op, by).Of(b.value(path, from), b.value(path, by)), b.value(path, want); is.String() != w.String() {
		b.Errorf("%s %v %s %v: in memory %s, want %s", field, from, op, by, is, w)
	}
}

func updatesOfNull(t *testing.T, b *bench) {
	for _, c := range []struct {
		field string
		op    query.AssignOp
		by    any
		want  any
	}{
		{"int", query.Inc, int64(3), int64(3)},
		{"int", query.Mul, int64(3), int64(0)},
		{"int", query.Max, int64(3), int64(3)},
		{"int", query.Min, int64(3), int64(3)},
		{"float", query.Inc, 1.5, 1.5},
		{"float", query.Mul, 1.5, 0.0},
		{"decimal", query.Inc, "1.5", "1.5"},
		{"decimal", query.Mul, "1.5", "0"},
		{"decimal", query.Min, "1.5", "1.5"},
		{"text", query.Max, "a", "a"},
	} {
		changed(b, c.field, nil, c.op, c.by, c.want)
	}
	// The right sides read the old row, whatever the order.
	b.write(query.Write{Verb: query.Delete, Type: b.typ("Thing")}, query.Binding{})
	b.insert("Thing", row{"id": "x", "text": "old", "ident": "other"})
	b.write(b.set("Thing", nil,
		query.Assign{Field: b.field("Thing.ident"), Value: query.Col(b.field("Thing.text"))},
		query.Assign{Field: b.field("Thing.text"), Value: query.Col(b.field("Thing.ident"))},
	), query.Binding{})
	b.want(b.answer(query.Level{Type: b.typ("Thing"), Columns: b.cells("Thing", "text", "ident")}, query.Binding{}), `"other" "old"`)
}

func overflow(t *testing.T, b *bench) {
	for _, c := range []struct {
		field string
		from  any
		op    query.AssignOp
		by    any
	}{
		{"int", int64(math.MaxInt32), query.Inc, int64(1)},
		{"int", int64(math.MinInt32), query.Inc, int64(-1)},
		{"int", int64(1 << 20), query.Mul, int64(1 << 20)},
		{"big", int64(math.MaxInt64), query.Inc, int64(1)},
		{"big", int64(math.MinInt64), query.Mul, int64(-1)},
		{"big", int64(1) << 40, query.Mul, int64(1) << 40},
		{"float", 1e308, query.Mul, 10.0},
		{"decimal", "9999999999999999999999999", query.Inc, "1"},
		{"decimal", "9999999999999999999999999", query.Mul, "10"},
	} {
		b.write(query.Write{Verb: query.Delete, Type: b.typ("Thing")}, query.Binding{})
		b.insert("Thing", row{"id": "x", c.field: c.from})
		_, err := b.tryWrite(b.set("Thing", nil, b.assign("Thing."+c.field, c.op, c.by)), query.Binding{})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s %v %s %v: %v", c.field, c.from, c.op, c.by, err)
		}
	}
}

func byKeys(t *testing.T, b *bench) {
	library(b)
	w := b.set("Author", query.Compare{Left: query.Col(b.field("Author.name")), Op: query.Ne, Right: query.Const(schema.Text("Cid"))},
		b.assign("Author.age", query.Inc, int64(1)))
	w.ByKeys, w.WantKeys = true, true
	for _, c := range []struct{ ids, want []string }{
		{nil, nil}, {[]string{"a2"}, []string{"a2"}}, {[]string{"a1", "a2", "a3", "no"}, []string{"a1", "a2"}},
	} {
		done := b.write(w, keys(c.ids...))
		var got []string
		for _, k := range done.Keys {
			got = append(got, k.Text())
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) || done.Affected != len(c.want) {
			t.Errorf("keys %v: changed %v, affected %d", c.ids, got, done.Affected)
		}
	}
	b.insert("Place", row{"country": "de", "number": int64(1)}, row{"country": "de", "number": int64(2)}, row{"country": "fr", "number": int64(1)})
	compound := b.set("Place", nil, b.assign("Place.name", query.Set, "here"))
	compound.ByKeys = true
	done := b.write(compound, query.Binding{Keys: []schema.Value{
		schema.Text("de"), schema.Integer(2), schema.Text("fr"), schema.Integer(1), schema.Text("fr"), schema.Integer(2),
	}})
	if done.Affected != 2 {
		t.Errorf("two compound keys changed %d rows", done.Affected)
	}
}

func deletes(t *testing.T, b *bench) {
	library(b)
	name := query.Operand{Kind: query.Column, Field: b.field("Author.name"), Via: []*schema.Field{b.field("Book.author")}}
	done := b.write(query.Write{Verb: query.Delete, Type: b.typ("Book"), WantKeys: true, Where: query.And{
		query.Untrue{Where: query.Some{Link: b.field("Book.tags"), Where: query.And{}}},
		query.Compare{Left: name, Op: query.Eq, Right: query.ArgAt(0)},
	}}, query.Binding{Args: []schema.Value{schema.Text("Ann")}})
	if done.Affected != 1 || len(done.Keys) != 1 || done.Keys[0].Text() != "b3" {
		t.Errorf("deleted %v", done)
	}
	b.want(b.ids("Book", nil, query.Binding{}), `"b1"`, `"b2"`, `"b4"`, `"b5"`, `"b6"`)
}

func uniqueNamesTheFields(t *testing.T, b *bench) {
	library(b)
	for _, c := range []struct {
		row  row
		want string
	}{
		{row{"id": "b1", "title": "Other"}, "[id]"},
		{row{"id": "b9", "title": "Other", "isbn": "1"}, "[isbn]"},
		{row{"id": "b9", "title": "Alpha", "authorId": "a1"}, "[title authorId]"},
	} {
		w := query.Write{Verb: query.Create, Type: b.typ("Book")}
		var values []schema.Value
		for name, v := range c.row {
			w.Columns = append(w.Columns, b.field("Book."+name))
			values = append(values, b.value("Book."+name, v))
		}
		w.Rows = [][]schema.Value{values}
		_, err := b.tryWrite(w, query.Binding{})
		wantConflict(t, err, c.want)
	}
	_, err := b.tryWrite(b.set("Book", query.Compare{Left: query.Col(b.field("Book.id")), Op: query.Eq, Right: query.Const(schema.Text("b2"))},
		b.assign("Book.isbn", query.Set, "1")), query.Binding{})
	wantConflict(t, err, "[isbn]")
}

// wantConflict is whether an error is a conflict whose message and details name the fields.
func wantConflict(t *testing.T, err error, fields string) {
	t.Helper()
	all := fault.All(err)
	if len(all) != 1 || all[0].Kind != fault.Conflict {
		t.Errorf("got %v, want a conflict of %s", err, fields)
		return
	}
	if got := fmt.Sprint(all[0].Details["fields"]); got != fields {
		t.Errorf("the conflict is of %s, want %s: %s", got, fields, all[0].Message)
	}
	for name := range strings.FieldsSeq(strings.Trim(fields, "[]")) {
		if !strings.Contains(all[0].Message, name) {
			t.Errorf("%q does not name %s", all[0].Message, name)
		}
	}
}

func foreignKeys(t *testing.T, b *bench) {
	library(b)
	_, err := b.tryWrite(query.Write{
		Verb: query.Create, Type: b.typ("Book"), Columns: b.fields("Book", "id", "title", "authorId"),
		Rows: [][]schema.Value{{schema.Text("b9"), schema.Text("Lost"), schema.Text("nobody")}},
	}, query.Binding{})
	wantConflict(t, err, "[author]")
	_, err = b.tryWrite(query.Write{Verb: query.Delete, Type: b.typ("Author"), ByKeys: true}, keys("a1"))
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("deleting what others point to: %v", err)
	}
}

func otherConstraints(t *testing.T, b *bench) {
	_, err := b.tryWrite(query.Write{
		Verb: query.Create, Type: b.typ("Author"), Columns: b.fields("Author", "id"), Rows: [][]schema.Value{{schema.Text("x")}},
	}, query.Binding{})
	if fault.KindOf(err) != fault.Validation || !strings.Contains(err.Error(), "name of a Author") {
		t.Errorf("a missing name: %v", err)
	}
	_, err = b.tryWrite(query.Write{
		Verb: query.Create, Type: b.typ("Thing"), Columns: b.fields("Thing", "id", "colour"),
		Rows: [][]schema.Value{{schema.Text("x"), schema.Text("PINK")}},
	}, query.Binding{})
	wantConflict(t, err, "[colour]")
}

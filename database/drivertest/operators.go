package drivertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

func listOperators(t *testing.T, b *bench) {
	for _, c := range []struct {
		field    string
		from     any
		op       query.AssignOp
		by, want any
	}{
		{"texts", nil, query.Push, []any{"a"}, []any{"a"}},
		{"texts", []any{}, query.Push, []any{"a", "b"}, []any{"a", "b"}},
		{"texts", []any{"a"}, query.Push, []any{"b", "a"}, []any{"a", "b", "a"}},
		{"texts", []any{"a"}, query.Push, []any{}, []any{"a"}},
		{"texts", []any{"a\"b", "ü"}, query.Pull, []any{"a\"b"}, []any{"ü"}},
		{"texts", []any{"a", "b", "a"}, query.Pull, []any{"a"}, []any{"b"}},
		{"texts", []any{"a"}, query.Pull, []any{"b"}, []any{"a"}},
		{"texts", []any{"a"}, query.Pull, []any{}, []any{"a"}},
		{"texts", nil, query.Pull, []any{"a"}, nil},
		{"bigs", []any{"9223372036854775807", nil}, query.Push, []any{"9223372036854775806"}, []any{"9223372036854775807", nil, "9223372036854775806"}},
		{"bigs", []any{"9223372036854775807", "9223372036854775806"}, query.Pull, []any{"9223372036854775806"}, []any{"9223372036854775807"}},
		{"bigs", []any{"1", nil}, query.Pull, []any{nil}, []any{"1"}},
		{"floats", []any{1.5, 2.0, 1.5}, query.Pull, []any{1.5, 3.0}, []any{2.0}},
		{"times", []any{"2026-01-01T00:00:00Z"}, query.Push, []any{"2026-01-02T00:00:00.5Z"}, []any{"2026-01-01T00:00:00Z", "2026-01-02T00:00:00.5Z"}},
		{"blobs", []any{"AAEC", ""}, query.Pull, []any{"AAEC"}, []any{""}},
		{
			"addresses",
			[]any{map[string]any{"street": "x"}},
			query.Push,
			[]any{map[string]any{"street": "y", "number": int64(1)}},
			[]any{map[string]any{"street": "x"}, map[string]any{"street": "y", "number": int64(1)}},
		},
	} {
		changed(b, c.field, c.from, c.op, c.by, c.want)
	}
}

// updatesByRows gives each row values of its own.
func updatesByRows(t *testing.T, b *bench) {
	author := b.typ("Author")
	w := query.Write{Verb: query.Create, Type: author, Columns: b.fields("Author", "id", "name", "age")}
	for i := range 300 {
		w.Rows = append(w.Rows, []schema.Value{schema.Text(fmt.Sprintf("%03d", i)), schema.Text("old"), schema.Integer(int64(i))})
	}
	b.write(w, query.Binding{})
	for _, n := range []int{1, 63, 64, 65, 200} {
		w := query.Write{
			Verb: query.Update, Type: author, Columns: b.fields("Author", "id", "name"), WantKeys: true,
			Set:   []query.Assign{b.assign("Author.age", query.Inc, int64(1000))},
			Where: query.Compare{Left: query.Col(b.field("Author.age")), Op: query.Ne, Right: query.Const(schema.Integer(0))},
		}
		for i := range n {
			w.Rows = append(w.Rows, []schema.Value{schema.Text(fmt.Sprintf("%03d", i)), schema.Text(fmt.Sprintf("%d of %d", i, n))})
		}
		done := b.write(w, query.Binding{})
		if done.Affected != n-1 || len(done.Keys) != n-1 {
			t.Errorf("%d rows: affected %d, %d keys", n, done.Affected, len(done.Keys))
		}
		if n > 1 {
			l := query.Level{Type: author, Columns: b.cells("Author", "name"), Where: query.Compare{
				Left: query.Col(b.field("Author.id")), Op: query.Eq, Right: query.Const(schema.Text(fmt.Sprintf("%03d", n-1))),
			}}
			b.want(b.answer(l, query.Binding{}), fmt.Sprintf(`"%d of %d"`, n-1, n))
		}
	}
	b.insert("Place", row{"country": "de", "number": int64(1)}, row{"country": "de", "number": int64(2)})
	done := b.write(query.Write{Verb: query.Update, Type: b.typ("Place"), Columns: b.fields("Place", "country", "number", "name"), Rows: [][]schema.Value{
		{schema.Text("de"), schema.Integer(2), schema.Text("two")}, {schema.Text("fr"), schema.Integer(2), schema.Text("none")},
	}}, query.Binding{})
	if done.Affected != 1 {
		t.Errorf("two compound keys changed %d rows", done.Affected)
	}
	thingsByRows(t, b)
}

// thingsByRows writes each value into rows that are there, beside values of all sizes: it comes back.
func thingsByRows(t *testing.T, b *bench) {
	thing := b.typ("Thing")
	var rows [][]schema.Value
	for _, f := range things(b) {
		for _, e := range append(slices.Clone(edges[f.Name]), nil) {
			row := make([]schema.Value, len(thing.Columns))
			row[0] = schema.Text(fmt.Sprint("row", len(rows)))
			row[f.Index] = b.value("Thing."+f.Name, e)
			rows = append(rows, row)
		}
	}
	for _, lists := range []row{{"texts": []any{"a", "é\"", ""}, "bigs": []any{int64(1) << 60}}, {"texts": []any{}}, {"floats": []any{0.1, 1e300}, "blobs": []any{"AAEC"}, "text": strings.Repeat("long 😀", 50_000)}} {
		row := make([]schema.Value, len(thing.Columns))
		row[0] = schema.Text(fmt.Sprint("row", len(rows)))
		for name, v := range lists {
			row[thing.Field(name).Index] = b.value("Thing."+name, v)
		}
		for range 4 {
			row = slices.Clone(row)
			row[0] = schema.Text(fmt.Sprint("row", len(rows)))
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		b.insert("Thing", map[string]any{"id": row[0].Text()})
	}
	done := b.write(query.Write{Verb: query.Update, Type: thing, Columns: thing.Columns, Rows: rows}, query.Binding{})
	if done.Affected != len(rows) {
		t.Errorf("%d rows changed %d", len(rows), done.Affected)
	}
	for _, row := range rows {
		id := query.Compare{Left: query.Col(thing.Columns[0]), Op: query.Eq, Right: query.Const(row[0])}
		sameRow(b, query.Level{Type: thing, Columns: b.cells("Thing"), Where: id}, row)
	}
}

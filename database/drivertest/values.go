package drivertest

import (
	"math"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// edges are values at the edges of each scalar, by the field of Thing that holds them.
var edges = map[string][]any{
	"ident":   {"", "a", "Z", "0", "007", "id with 'quotes\" and \\ and %_"},
	"text":    {"", " ", "a", "A", "ann", "Ann", "é", "É", "straße", "😀 emoji", "tab\tand\nline", `"\'`, "100%", "a_b", `back\slash`, "ǆ", "K", "k"},
	"int":     {int64(0), int64(1), int64(-1), int64(math.MaxInt32), int64(math.MinInt32)},
	"big":     {int64(0), int64(1), int64(-1), int64(1) << 60, int64(1)<<60 + 1, int64(math.MaxInt64), int64(math.MinInt64)},
	"float":   {0.0, math.Copysign(0, -1), 1.5, -1.5, 0.1, 1e300, -1e-300, 123456789.123456789, 5e-324, 1234567890123456789.0},
	"decimal": {"0", "1", "-1", "1.5", "1.50", "10", "9", "-9.999999999", "0.000000001", "1234567890123456789012345.123456789", "-1234567890123456789012345.1", "2"},
	"bool":    {true, false},
	"at":      {"1969-12-31T23:59:59.999999Z", "1970-01-01T00:00:00Z", "2026-01-31T13:37:00.5Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-31T15:37:00+02:00"},
	"day":     {"1969-07-20", "2026-01-31", "0001-01-01", "9999-12-31"},
	"clock":   {"00:00:00", "23:59:59.999999", "13:37:00.5"},
	"uuid":    {"00000000-0000-0000-0000-000000000000", "0190F6A8-7b1c-7def-8a1b-0123456789ab"},
	"json":    {map[string]any{"b": []any{int64(1), nil, "x"}, "a": "😀"}, []any{}, "text", int64(3), true},
	"bytes":   {"", "AA==", "/+8=", "AAECAwQ="},
	"colour":  {"RED", "BLUE", "GREEN"},
	"address": {map[string]any{"street": "A 'street'", "number": int64(3)}, map[string]any{"street": ""}},
}

// things inserts a row for each edge, which is null in all other columns, and one that is
// null in all. It returns the fields in the order of the type.
func things(b *bench) []*schema.Field {
	rows := []row{{"id": "null"}}
	var fs []*schema.Field
	for _, f := range b.typ("Thing").Columns {
		for i, v := range edges[f.Name] {
			if i == 0 {
				fs = append(fs, f)
			}
			rows = append(rows, row{"id": f.Name + "-" + string(rune('a'+i)), f.Name: v})
		}
	}
	b.insert("Thing", rows...)
	return fs
}

func valuesComeBack(t *testing.T, b *bench) {
	things(b)
	thing := b.typ("Thing")
	for _, r := range b.world.rows[thing] {
		id := query.Compare{Left: query.Col(thing.Field("id")), Op: query.Eq, Right: query.Const(r.values[0])}
		sameRow(b, query.Level{Type: thing, Columns: b.cells("Thing"), Where: id}, r.values)
	}
}

// sameRow is whether a level's one row is what was written, as JSON and as values.
func sameRow(b *bench, l query.Level, want []schema.Value) {
	b.Helper()
	got := rowsOf(b, l, query.Binding{})
	if len(got) != 1 {
		b.Errorf("%v: %d rows came back", want[0], len(got))
		return
	}
	for i, c := range l.Columns {
		if g, w := got[0].values[i].String(), want[i].String(); g != w || got[0].values[i].Kind() != want[i].Kind() {
			b.Errorf("%v: %s came back as %s, was %s", want[0], c.Field.Name, g, w)
		}
		if w := string(schema.AppendValue(nil, c.Field, want[i])); got[0].json[i] != w {
			b.Errorf("%v: %s is shown as %s, not %s", want[0], c.Field.Name, got[0].json[i], w)
		}
	}
}

func listsComeBack(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "none"},
		row{"id": "empty", "texts": []any{}, "bigs": []any{}, "floats": []any{}, "times": []any{}, "blobs": []any{}, "addresses": []any{}},
		row{
			"id": "full", "texts": []any{"", "a\"b", "😀"}, "bigs": []any{int64(math.MaxInt64), nil, int64(-1)},
			"floats": []any{1.5, 1234567890123456789.0, 1e300}, "times": []any{"2026-01-31T13:37:00.5Z"}, "blobs": []any{"AAEC", ""},
			"addresses": []any{map[string]any{"street": "x"}},
		},
	)
	thing := b.typ("Thing")
	for _, r := range b.world.rows[thing] {
		id := query.Compare{Left: query.Col(thing.Field("id")), Op: query.Eq, Right: query.Const(r.values[0])}
		sameRow(b, query.Level{Type: thing, Columns: b.cells("Thing"), Where: id}, r.values)
	}
}

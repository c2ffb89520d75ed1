package drivertest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// asked are the ways to ask a condition: as it is, turned around, and as a certainty.
func asked(w query.Where) []query.Where {
	return []query.Where{w, query.Not{Where: w}, query.Untrue{Where: w}, query.Not{Where: query.Untrue{Where: w}}}
}

// operands are the ways to give a value.
func operands(v schema.Value, s schema.Scalar) ([]query.Operand, query.Binding) {
	return []query.Operand{
		query.Const(v),
		{Kind: query.Arg, Index: 1, Scalar: s},
		{Kind: query.Claim, Index: 0, Scalar: s},
	}, query.Binding{Args: []schema.Value{schema.Null, v}, Claims: []schema.Value{v}}
}

func operatorsAndScalars(t *testing.T, b *bench) {
	for _, f := range things(b) {
		values := []schema.Value{schema.Null}
		for _, e := range edges[f.Name] {
			values = append(values, b.value("Thing."+f.Name, e))
		}
		for _, w := range asked(query.IsNull{Operand: query.Col(f)}) {
			b.wantSame("Thing", w, query.Binding{})
		}
		if !b.compares(f) {
			continue
		}
		for _, v := range values {
			compareAll(b, f, v)
		}
		inAll(b, f, values)
	}
}

func compareAll(b *bench, f *schema.Field, v schema.Value) {
	b.Helper()
	ways, binding := operands(v, f.Scalar)
	last := query.Lte
	if !b.sorts(f) {
		last = query.Ne
	}
	for op := query.Eq; op <= last; op++ {
		for _, right := range ways {
			for _, w := range asked(query.Compare{Left: query.Col(f), Op: op, Right: right}) {
				b.wantSame("Thing", w, binding)
			}
		}
	}
}

func inAll(b *bench, f *schema.Field, values []schema.Value) {
	b.Helper()
	for _, list := range []schema.Value{
		schema.Null, schema.List(nil), schema.List(values[:1]), schema.List(values[1:2]), schema.List(values[1:]), schema.List(values),
	} {
		ways, binding := operands(list, f.Scalar)
		for _, right := range ways {
			for _, op := range []query.Op{query.In, query.Nin} {
				for _, w := range asked(query.Compare{Left: query.Col(f), Op: op, Right: right}) {
					b.wantSame("Thing", w, binding)
				}
			}
		}
	}
}

// patterns are right sides of each of the text operators.
var patterns = map[query.Op][]string{
	query.Like:       {"", "%", "_", "a", "A", "a%", "%n", "_nn", "%é%", "100\\%", "100%", "a\\_b", "a_b", "%\\\\%", "😀%", "_ emoji", "%%%", "K", "\\a%", "ann\\", "stra_e"},
	query.ILike:      {"", "%", "_", "a", "ANN", "É", "stra%E", "K", "ǅ", "%EMOJI"},
	query.StartsWith: {"", "a", "A", "an", "😀", "100%", "é"},
	query.EndsWith:   {"", "n", "nn", "e", "i", "😀 emoji", "é", "\\'"},
	query.Contains:   {"", "n", "%", "_", "\\", "😀", " "},
	query.IContains:  {"", "N", "SS", "ß", "EMO", "K", "ǅ"},
	query.Regex:      {"", "^a", "(?i)^ANN$", "n+", "^.$", `\d{3}%`, "[é-ë]", `\\`},
}

func textOperators(t *testing.T, b *bench) {
	things(b)
	text := b.field("Thing.text")
	for op := query.Like; op <= query.Regex; op++ {
		for _, p := range patterns[op] {
			ways, binding := operands(schema.Text(p), schema.String)
			for _, right := range ways {
				for _, w := range asked(query.Compare{Left: query.Col(text), Op: op, Right: right}) {
					b.wantSame("Thing", w, binding)
				}
			}
		}
		for _, right := range []query.Operand{query.Const(schema.Null), query.Col(b.field("Thing.ident")), query.Col(text)} {
			if op == query.Regex && right.Kind == query.Column {
				continue // texts are not patterns
			}
			for _, w := range asked(query.Compare{Left: query.Col(text), Op: op, Right: right}) {
				b.wantSame("Thing", w, query.Binding{})
			}
		}
	}
}

// floatsInLists is whether a float stays the same on its way through a list.
func floatsInLists(t *testing.T, b *bench) {
	b.insert("Thing", row{"id": "x"})
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		f := math.Float64frombits(random.Uint64())
		if math.IsNaN(f) || math.IsInf(f, 0) {
			continue
		}
		v := schema.Double(f)
		near := schema.List([]schema.Value{schema.Double(math.Nextafter(f, math.Inf(1))), schema.Double(math.Nextafter(f, math.Inf(-1)))})
		b.wantSame("Thing", query.And{
			query.Compare{Left: query.Const(v), Op: query.In, Right: query.Const(schema.List([]schema.Value{v}))},
			query.Compare{Left: query.Const(v), Op: query.Nin, Right: query.Const(near)},
		}, query.Binding{})
	}
}

// listsAsOperands asks whether a value is in a list column.
func listsAsOperands(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "none"},
		row{"id": "empty", "texts": []any{}, "bigs": []any{}, "floats": []any{}, "blobs": []any{}, "times": []any{}},
		row{"id": "some", "texts": []any{"a", "b"}, "bigs": []any{int64(1), int64(1) << 60}, "floats": []any{0.1, 1234567890123456789.0}, "blobs": []any{"AAEC"}, "times": []any{"2026-01-31T13:37:00.5Z"}},
		row{"id": "nulls", "bigs": []any{nil, int64(2)}},
	)
	for column, values := range map[string][]any{
		"texts": {"a", "c", ""}, "bigs": {int64(1), int64(2), int64(1)<<60 + 1, int64(1) << 60}, "floats": {0.1, 0.2, 1234567890123456789.0},
		"blobs": {"AAEC", "AAED"}, "times": {"2026-01-31T13:37:00.5Z", "2026-01-31T13:37:00Z"},
	} {
		f := b.field("Thing." + column)
		single := *f
		single.List = false
		for _, v := range append(values, nil) {
			value, err := single.Coerce(v)
			if err != nil {
				b.Fatal(err)
			}
			ways, binding := operands(value, f.Scalar)
			for _, left := range ways {
				for _, op := range []query.Op{query.In, query.Nin} {
					for _, w := range asked(query.Compare{Left: left, Op: op, Right: query.Col(f)}) {
						b.wantSame("Thing", w, binding)
					}
				}
			}
		}
	}
}

// keysAsOperands asks whether each column, beside a text, is one of several keys: those of some rows, of
// none, with nulls, and of texts that are longer than those of others. No key is a document.
func keysAsOperands(t *testing.T, b *bench) {
	text, long := b.field("Thing.text"), strings.Repeat("é", 300)
	for _, f := range things(b) {
		if f == text || f.Scalar == schema.JSON || f.Scalar == schema.Embedded {
			continue
		}
		var keys []schema.Value
		for i, e := range append(slices.Clone(edges[f.Name]), nil) {
			v, beside := b.value("Thing."+f.Name, e), []string{"a", "Ann", long, long + "é"}[i%4]
			keys = append(keys, v, schema.Text(beside))
			if i%3 != 0 {
				beside = "a"
			}
			b.insert("Thing", row{"id": fmt.Sprint(f.Name, i), f.Name: e, "text": beside})
		}
		for _, list := range []schema.Value{schema.List(nil), schema.List(keys), schema.List(keys[:4]), schema.List([]schema.Value{schema.Null, schema.Null})} {
			ways, binding := operands(list, schema.NoScalar)
			for _, right := range ways {
				for _, w := range asked(query.Among{Columns: []query.Operand{query.Col(f), query.Col(text)}, Keys: right}) {
					b.wantSame("Thing", w, binding)
				}
			}
		}
	}
}

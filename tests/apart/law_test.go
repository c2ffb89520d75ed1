package apart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"spacecloud/graph"
	"spacecloud/tests/served"
)

// wide are limits that no random query is beyond.
var wide = graph.Limits{Depth: 50, Complexity: 10_000_000, Aliases: 1000}

// kind is a type of town as queries are made of it: where its rows are, and where its links lead.
type kind struct {
	db, one, many string
	columns       []string
	links         map[string]string
	toOne         map[string]bool
}

var kinds = map[string]kind{
	"User":  {"people", "user", "users", []string{"id", "name"}, map[string]string{"boss": "User", "orders": "Order", "notes": "Note"}, map[string]bool{"boss": true}},
	"Order": {"shop", "order", "orders", []string{"id", "total"}, map[string]string{"buyer": "User", "items": "Item", "notes": "Note"}, map[string]bool{"buyer": true}},
	"Item":  {"shop", "item", "items", []string{"id", "sku"}, map[string]string{"order": "Order", "note": "Note"}, map[string]bool{"order": true, "note": true}},
	"Note":  {"docs", "note", "notes", []string{"id", "text"}, map[string]string{"user": "User", "order": "Order"}, map[string]bool{"user": true, "order": true}},
}

// field is a field of rows in a query: what it asks, and what of.
type field struct {
	alias, text, typ string
	fields           []*field
}

// writer writes random queries.
type writer struct {
	*rand.Rand
	n int
}

func (w *writer) alias() string { w.n++; return fmt.Sprintf("f%d", w.n) }

func (w *writer) query() []*field {
	var roots []*field
	for range 1 + w.IntN(4) {
		names := slices.Sorted(maps.Keys(kinds))
		typ := names[w.IntN(len(names))]
		k := kinds[typ]
		f := &field{alias: w.alias(), typ: typ, fields: w.below(typ, 3)}
		switch w.IntN(5) {
		case 0:
			f.text, f.fields = k.many+"Aggregate { count max { id } }", nil
		case 1:
			f.text = fmt.Sprintf(`%s(id: "%s1") %s`, k.one, k.one[:1], w.rows(f, k))
		case 2:
			f.text = k.many + "Connection " + w.page(f, k)
		default:
			f.text = k.many + " " + w.rows(f, k)
		}
		roots = append(roots, f)
	}
	return roots
}

func (w *writer) below(typ string, depth int) []*field {
	if depth == 0 {
		return nil
	}
	var all []*field
	k := kinds[typ]
	for _, name := range slices.Sorted(maps.Keys(k.links)) {
		if w.IntN(2) == 0 {
			continue
		}
		target := k.links[name]
		f := &field{alias: w.alias(), typ: target, fields: w.below(target, depth-1)}
		switch {
		case k.toOne[name] || w.IntN(2) == 0:
			f.text = name + " " + w.rows(f, kinds[target])
		case w.IntN(3) == 0:
			f.text, f.fields = name+"Aggregate { count }", nil
		default:
			f.text = name + "Connection " + w.page(f, kinds[target])
		}
		all = append(all, f)
	}
	return all
}

// rows is the selection of a row; it begins with a column in half of the cases.
func (w *writer) rows(f *field, k kind) string {
	parts := []string{k.columns[w.IntN(len(k.columns))]}
	for _, each := range f.fields {
		parts = append(parts, each.alias+": "+each.text)
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	return "{ " + strings.Join(parts, " ") + " }"
}

func (w *writer) page(f *field, k kind) string {
	return []string{
		"{ totalCount nodes " + w.rows(f, k) + " }",
		"{ edges { cursor node " + w.rows(f, k) + " } pageInfo { hasNextPage endCursor } }",
	}[w.IntN(2)]
}

func text(roots []*field) string {
	var b strings.Builder
	b.WriteString("{")
	for _, f := range roots {
		b.WriteString(" " + f.alias + ": " + f.text)
	}
	return b.String() + " }"
}

// touches is whether a field or one below it asks a database that is down.
func (f *field) touches(down map[string]bool) bool {
	return down[kinds[f.typ].db] || slices.ContainsFunc(f.fields, func(b *field) bool { return b.touches(down) })
}

// without is what is left of a field's whole answer when databases are down, and the paths of
// the nulls in it.
func (f *field) without(down map[string]bool, whole any, path []any) (any, [][]any) {
	if whole == nil {
		return nil, nil // nobody had to be asked: the key is null
	}
	if down[kinds[f.typ].db] {
		return nil, [][]any{path}
	}
	return f.inside(down, whole, path)
}

// inside goes down to the rows of a field, through pages and lists.
func (f *field) inside(down map[string]bool, whole any, path []any) (any, [][]any) {
	var nulls [][]any
	switch v := whole.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var more [][]any
			out[i], more = f.inside(down, v[i], append(slices.Clone(path), float64(i)))
			nulls = append(nulls, more...)
		}
		return out, nulls
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			at := append(slices.Clone(path), name)
			var more [][]any
			i := slices.IndexFunc(f.fields, func(b *field) bool { return b.alias == name })
			switch {
			case i >= 0:
				out[name], more = f.fields[i].without(down, inner, at)
			default:
				out[name], more = f.inside(down, inner, at)
			}
			nulls = append(nulls, more...)
		}
		return out, nulls
	}
	return whole, nil
}

func decoded(t *testing.T, raw json.RawMessage) map[string]any {
	t.Helper()
	var v map[string]any
	check(t, json.Unmarshal(raw, &v))
	return v
}

func sorted(paths [][]any) []string {
	var out []string
	for _, p := range paths {
		out = append(out, fmt.Sprint(p))
	}
	slices.Sort(out)
	return out
}

func (a answer) paths(t *testing.T) []string {
	t.Helper()
	var all [][]any
	for _, e := range a.Errors {
		if e.Extensions["code"] != "UNAVAILABLE" || e.Message != "the database does not answer" {
			t.Fatalf("%+v", e)
		}
		all = append(all, e.Path)
	}
	return sorted(all)
}

// Whatever is asked and whichever databases are down: fields that touch none of those are byte for byte what they are
// when all are there, what is in those is null with an error at its path, and when they are
// back all is there again.
func TestWhatIsDownTakesNothingElseAlong(t *testing.T) {
	onSQLiteAndMixed(t, whatIsDownTakesNothingElseAlong)
}

func whatIsDownTakesNothingElseAlong(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, wide)
	w.well(people)
	r := &writer{Rand: rand.New(rand.NewPCG(5, 6))}
	nulls := 0
	for n := range 150 {
		roots := r.query()
		q := text(roots)
		w.down()
		whole := w.well(q)
		for subset := range 8 {
			var names []string
			down := map[string]bool{}
			for i, name := range []string{"people", "shop", "docs"} {
				if subset>>i&1 == 1 {
					names, down[name] = append(names, name), true
				}
			}
			w.down(names...)
			got := w.ask(q)
			want, lost := map[string]any{}, [][]any(nil)
			for _, f := range roots {
				var more [][]any
				want[f.alias], more = f.without(down, decoded(t, whole.Data)[f.alias], []any{f.alias})
				if down[kinds[f.typ].db] && more == nil {
					more = [][]any{{f.alias}} // at the root somebody is always asked
				}
				lost = append(lost, more...)
				a, b := gjson.GetBytes(whole.Data, f.alias).Raw, gjson.GetBytes(got.Data, f.alias).Raw
				if !f.touches(down) && a != b {
					t.Fatalf("%d, without %v: %s\ngot  %s\nwant %s", n, names, q, b, a)
				}
			}
			if !reflect.DeepEqual(decoded(t, got.Data), want) {
				t.Fatalf("%d, without %v: %s\ngot  %s\nwhole %s", n, names, q, got.Data, whole.Data)
			}
			if at := got.paths(t); !slices.Equal(at, sorted(lost)) {
				t.Fatalf("%d, without %v: %s\ngot  %s\n%v\nwant %v", n, names, q, got.Data, at, sorted(lost))
			}
			nulls += len(lost)
		}
		w.down()
		if again := w.well(q); !bytes.Equal(again.Data, whole.Data) {
			t.Fatalf("%d: all are back: %s\ngot  %s\nwant %s", n, q, again.Data, whole.Data)
		}
	}
	if nulls < 1000 {
		t.Errorf("only %d nulls", nulls)
	}
}

// A database may be lost while it is asked: what is not null is as it is when all are there, each null
// that was none has an error, and each error a null.
func TestADatabaseLostOnTheWayTakesNothingElseAlong(t *testing.T) {
	onSQLiteAndMixed(t, aDatabaseLostOnTheWayTakesNothingElseAlong)
}

func aDatabaseLostOnTheWayTakesNothingElseAlong(t *testing.T, on served.Kind) {
	w := newWorld(t, on, town, wide)
	w.well(people)
	r := &writer{Rand: rand.New(rand.NewPCG(7, 8))}
	names := []string{"people", "shop", "docs"}
	lost := 0
	for n := range 300 {
		q := text(r.query())
		w.down()
		whole := w.well(q)
		d := w.databases[names[r.IntN(3)]]
		d.lostAt.Store(1 + r.Int64N(4))
		got := w.ask(q)
		if d.lostAt.Swap(0) == 0 {
			lost++
		}
		paths := map[string]bool{}
		for _, p := range got.paths(t) {
			paths[p] = true
		}
		compare(t, q, decoded(t, whole.Data), decoded(t, got.Data), nil, paths)
		if len(paths) > 0 {
			t.Fatalf("%d: %s\nerrors without a null: %v in %s", n, q, paths, got.Data)
		}
	}
	if lost < 100 {
		t.Errorf("only %d were lost", lost)
	}
}

// compare takes the paths of the nulls that it finds out of paths.
func compare(t *testing.T, q string, whole, got any, path []any, paths map[string]bool) {
	t.Helper()
	if got == nil {
		known := paths[fmt.Sprint(path)]
		delete(paths, fmt.Sprint(path))
		if whole != nil && !known {
			t.Fatalf("%s\nno error at %v", q, path)
		}
		return
	}
	switch v := got.(type) {
	case map[string]any:
		of := whole.(map[string]any)
		if len(of) != len(v) {
			t.Fatalf("%s\nat %v: %v", q, path, v)
		}
		for name := range v {
			compare(t, q, of[name], v[name], append(slices.Clone(path), name), paths)
		}
	case []any:
		of := whole.([]any)
		if len(of) != len(v) {
			t.Fatalf("%s\nat %v: %v", q, path, v)
		}
		for i := range v {
			compare(t, q, of[i], v[i], append(slices.Clone(path), float64(i)), paths)
		}
	default:
		if whole != got {
			t.Fatalf("%s\nat %v: %v, want %v", q, path, got, whole)
		}
	}
}

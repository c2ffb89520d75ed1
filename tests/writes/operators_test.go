package writes

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const items = `
type Item @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  i: Int  j: Int
  b: BigInt
  f: Float
  d: Decimal
  s: [Int!]
  t: [String]
  at: DateTime  day: Date
  p: String  q: String
}`

// item is a row as JSON has it; an absent member is null.
type item map[string]any

// operation is one operator on one column, in the API and in memory.
type operation struct {
	text  string // how its argument says it: column and value
	apply func(old, out item)
}

// drawn are the operators of one update by name.
type drawn map[string][]operation

func (d drawn) args() string {
	var all []string
	for name, ops := range d {
		texts := make([]string, len(ops))
		for i, o := range ops {
			texts[i] = o.text
		}
		open, end := "{", "}"
		if name == "unset" || name == "currentDate" {
			open, end = "[", "]"
		}
		all = append(all, name+": "+open+strings.Join(texts, ", ")+end)
	}
	return strings.Join(all, ", ")
}

func (d drawn) apply(old item) item {
	out := item{}
	maps.Copy(out, old)
	for _, ops := range d {
		for _, o := range ops {
			o.apply(old, out)
		}
	}
	return out
}

// number is a column as a fraction; null is 0.
func number(v any) *big.Rat {
	r := new(big.Rat)
	if v != nil {
		r.SetString(fmt.Sprint(v))
	}
	return r
}

// same is a number as the API shows it in a column of that name.
func same(column string, r *big.Rat) any {
	switch column {
	case "i", "j", "f":
		f, _ := r.Float64()
		return f
	case "b":
		return r.Num().String()
	}
	text := r.FloatString(9)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func (g gen) value(column string) string {
	switch column {
	case "i", "j", "b":
		return fmt.Sprint(g.IntN(41) - 20)
	case "f":
		return fmt.Sprintf("%.1f", float64(g.IntN(41)-20)/2)
	case "d":
		return fmt.Sprintf(`"%.2f"`, float64(g.IntN(401)-200)/100)
	case "s":
		return g.some(3, func() string { return fmt.Sprint(g.IntN(3)) })
	case "t":
		return g.some(3, func() string { return g.one(`"a"`, `"b"`, `""`, "null") })
	}
	return g.one(`"x"`, `"y"`)
}

// draw takes random operators, each column at most once.
func (g gen) draw() drawn {
	d := drawn{}
	used := map[string]bool{}
	for _, c := range []string{"i", "j", "b", "f", "d", "s", "t", "at", "day", "p"} {
		if used[c] || g.IntN(3) == 0 {
			continue
		}
		used[c] = true
		name, o := g.operation(c)
		d[name] = append(d[name], o)
	}
	return d
}

func (g gen) operation(c string) (string, operation) {
	switch {
	case c == "at" || c == "day":
		now := map[string]string{"at": "2026-03-01T12:00:00Z", "day": "2026-03-01"}[c]
		return "currentDate", operation{c, func(_, out item) { out[c] = now }}
	case c == "p":
		return "rename", operation{"p: q", func(old, out item) { out["q"], out["p"] = old["p"], nil }}
	case g.IntN(6) == 0:
		return "unset", operation{c, func(_, out item) { out[c] = nil }}
	case c == "s" || c == "t":
		return g.list(c)
	}
	name, v := g.one("inc", "mul", "max", "min", "set"), g.value(c)
	by := number(strings.Trim(v, `"`))
	return name, operation{c + ": " + v, func(old, out item) {
		was := number(old[c])
		switch name {
		case "inc":
			out[c] = same(c, new(big.Rat).Add(was, by))
		case "mul":
			out[c] = same(c, new(big.Rat).Mul(was, by))
		case "set":
			out[c] = same(c, by)
		default:
			if old[c] == nil || (name == "max") == (by.Cmp(was) > 0) && by.Cmp(was) != 0 {
				out[c] = same(c, by)
			}
		}
	}}
}

func (g gen) list(c string) (string, operation) {
	name, v := g.one("push", "pull"), g.value(c)
	var values []any
	if err := json.Unmarshal([]byte(v), &values); err != nil {
		panic(err)
	}
	return name, operation{c + ": " + v, func(old, out item) {
		was, _ := old[c].([]any)
		switch {
		case name == "push":
			out[c] = append(append([]any{}, was...), values...)
		case old[c] != nil:
			out[c] = slices.DeleteFunc(append([]any{}, was...), func(e any) bool { return slices.Contains(values, e) })
		}
	}}
}

// Whatever operators an update combines, the database computes what memory does.
func TestOperatorsAreWhatTheySay(t *testing.T) { onEach(t, operatorsAreWhatTheySay) }

func operatorsAreWhatTheySay(t *testing.T, url address) {
	w := newWorld(t, url, items)
	g := gen{rand.New(rand.NewPCG(3, 4))}
	const fields = "{ id i j b f d s t at day p q }"
	for range 300 {
		var docs []string
		for id := range 4 {
			doc := fmt.Sprintf(`{id: "%d"`, id)
			for _, c := range []string{"i", "j", "b", "f", "d", "s", "t", "p", "q"} {
				if g.often() {
					doc += ", " + c + ": " + g.value(c)
				}
			}
			docs = append(docs, doc+"}")
		}
		old := rowsOf(t, w.ask(`mutation { deleteItems(where: {}) { affected } rows: insertItems(docs: [`+strings.Join(docs, ", ")+`]) { returning `+fields+` } }`, nil))
		d := g.draw()
		if len(d) == 0 {
			continue
		}
		text := `mutation { rows: updateItems(where: {}, ` + d.args() + `) { returning ` + fields + ` } }`
		got := rowsOf(t, w.ask(text, nil))
		for i := range old {
			if want := d.apply(old[i]); !reflect.DeepEqual(got[i], want) {
				t.Fatalf("%s\nof   %v\nis   %v\nwant %v", text, old[i], got[i], want)
			}
		}
	}
}

func rowsOf(t *testing.T, answer string) []item {
	t.Helper()
	var out struct {
		Data struct{ Rows struct{ Returning []item } }
	}
	if err := json.Unmarshal([]byte(answer), &out); err != nil || len(out.Data.Rows.Returning) != 4 {
		t.Fatal(answer)
	}
	return out.Data.Rows.Returning
}

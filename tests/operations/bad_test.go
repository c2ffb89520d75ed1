package operations

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"spacecloud/fault"
	"spacecloud/tests/served"
)

// spot is a place in the arguments of a root field: an argument, or a field of an input object
// some steps into one.
type spot struct {
	kind string
	root *field
	path []*input
}

func (s spot) last() *input { return s.path[len(s.path)-1] }

func (s spot) String() string {
	var names []string
	for _, in := range s.path {
		names = append(names, in.Name)
	}
	return s.root.Name + "(" + strings.Join(names, ".") + ")"
}

// spots are all arguments of all root fields, and all fields of input objects, each for queries
// and for mutations once, on the shortest way that leads there.
func (a *api) spots() []spot {
	var found, next []spot
	for kind, of := range map[string]*typ{"query": a.query, "mutation": a.mutation} {
		if of == nil {
			continue
		}
		for _, f := range of.Fields {
			for _, in := range f.Args {
				next = append(next, spot{kind, f, []*input{in}})
			}
		}
	}
	slices.SortFunc(next, func(a, b spot) int { return strings.Compare(a.kind+a.String(), b.kind+b.String()) })
	done := map[string]bool{}
	for len(next) > 0 {
		found = append(found, next...)
		var deeper []spot
		for _, s := range next {
			t := a.of(s.last().Type)
			if t.Kind != "INPUT_OBJECT" || done[s.kind+t.Name] {
				continue
			}
			done[s.kind+t.Name] = true
			for _, in := range t.InputFields {
				deeper = append(deeper, spot{s.kind, s.root, append(slices.Clip(s.path), in)})
			}
		}
		next = deeper
	}
	return found
}

// request is a small operation with a value at the spot, and valid values wherever else they must be.
func (p *play) at(s spot, value any) *operation {
	of := p.api.query
	if s.kind == "mutation" {
		of = p.api.mutation
	}
	n := &node{name: s.root.Name, alias: s.root.Name, of: of, field: s.root}
	at := place{table: p.api.table(s.root.Type.named()), depth: 3, sure: true}
	for _, in := range s.root.Args {
		at.field = in.Name
		switch {
		case in == s.path[0]:
			n.args = append(n.args, arg{in, p.within(s.path, value, at)})
		case in.required():
			n.args = append(n.args, arg{in, p.builder.value(nonNull(in.Type), at)})
		case s.kind == "mutation" && in.Name == "set": // something to do
			n.args = append(n.args, arg{in, p.builder.object(p.api.of(in.Type), at)})
		}
	}
	if p.api.composite(s.root.Type) {
		n.set = []*node{p.smallest(p.api.of(s.root.Type))}
	}
	return &operation{s.kind, []*node{n}}
}

// smallest is a selection that makes the server read rows.
func (p *play) smallest(t *typ) *node {
	for _, f := range t.Fields {
		if !p.api.composite(f.Type) && len(f.Args) == 0 {
			return &node{name: f.Name, alias: f.Name, of: t, field: f}
		}
	}
	return typename(t)
}

// within is the value that has another at the end of a path.
func (p *play) within(path []*input, value any, at place) any {
	if len(path) == 1 {
		return value
	}
	t := p.api.of(path[0].Type)
	if table := p.api.table(t.Name); table != "" && !strings.HasSuffix(t.Name, "Filter") {
		at.table = table
	}
	at.new = at.new || strings.HasSuffix(t.Name, "Insert")
	var o object
	for _, in := range t.InputFields {
		at.field = in.Name
		switch {
		case in == path[1]:
			o = append(o, member{in.Name, p.within(path[1:], value, at)})
		case in.required():
			o = append(o, member{in.Name, p.builder.value(nonNull(in.Type), at)})
		}
	}
	if path[0].Type.list() {
		return []any{o}
	}
	return o
}

// bad is a value that is wrong somewhere, and whether it is wrong at a type for certain.
type bad struct {
	name  string
	value any
	wrong bool
}

// words of what is wrong with strings and numbers of scalars.
var wrongScalars = map[string][]any{
	"ID":       {true, num("1.5"), "a\x00b"},
	"String":   {num("7"), true, "a\x00b"},
	"Int":      {"1", true, num("1.5"), num("2147483648"), num("-99999999999999999999"), num("1e400")},
	"BigInt":   {true, "", "1.5", "x", "9223372036854775808", num("-9223372036854775809"), num("0.5")},
	"Float":    {"1.5", true, "NaN", num("1e400")},
	"Decimal":  {true, "", "x", "1e", "1.", strings.Repeat("9", 40), num("1e40"), "0.0000000001"},
	"Boolean":  {"true", num("1"), num("0")},
	"DateTime": {num("1"), true, "", "yesterday", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00"},
	"Date":     {num("1"), true, "", "2026-02-30", "2026-1-1", "2026-01-01T00:00:00Z", "0000-01-01"},
	"Time":     {num("1"), true, "", "24:00:00", "12:00", "25:61:00"},
	"UUID":     {num("1"), true, "", "x", "00000000-0000-4000-8000-00000000000g", "{00000000-0000-4000-8000-000000000000}"},
	"Bytes":    {num("1"), true, "x", "AA=", "A A=", "_-=="},
	"JSON":     {document{"a\x00b"}, document{map[string]any{"a\x00": 1}}, document{deep(120)}},
}

func deep(n int) any {
	var v any = json.Number("1")
	for range n {
		v = []any{v}
	}
	return v
}

// bads are values that ought not to be at a spot.
func (p *play) bads(in *input) (out []bad) {
	r := in.Type.bare()
	t := p.api.of(r)
	free := t.Name == "JSON"
	add := func(name string, v any, wrong bool) { out = append(out, bad{name, v, wrong}) }
	add("null", nil, in.Type.nonNull())
	if r.Kind == "LIST" {
		add("a list of null", []any{nil}, r.OfType.nonNull())
		add("a list of lists", []any{[]any{[]any{}}}, !free)
		add("an empty list", []any{}, false)
		one := p.builder.value(nonNull(r.OfType), place{depth: 3, field: in.Name})
		add("a huge list", slices.Repeat([]any{one}, 10_001), false)
	} else {
		add("a list", []any{p.builder.value(nonNull(r), place{depth: 3, field: in.Name}), nil}, !free)
	}
	put := func(name string, v any, wrong bool) {
		if r.Kind == "LIST" {
			v = []any{v}
		}
		add(name, v, wrong)
	}
	switch t.Kind {
	case "ENUM":
		for _, v := range []any{word("NO_SUCH_VALUE"), word(swapCase(t.EnumValues[0].Name)), t.EnumValues[0].Name + " ", num("0"), true, object{}} {
			put("no value of the enum", v, true)
		}
	case "INPUT_OBJECT":
		put("an empty object", object{}, false)
		put("an unknown field", object{{"noSuchField", num("1")}}, true)
		put("__typename", object{{"__typename", t.Name}}, true)
		put("a string", "x", true)
		put("a number", num("1"), true)
		if m := t.input("_not"); m != nil {
			v := any(object{})
			for range 100 {
				v = object{{"_not", v}}
			}
			put("deep conditions", v, true)
		}
	default:
		for _, v := range wrongScalars[t.Name] {
			put(map[bool]string{false: "a wrong scalar", true: "a wrong document"}[free], v, true)
		}
		if !free {
			put("an object", object{}, true)
			put("an object with a member", object{{"a", num("1")}}, true)
		}
		put("a long string", strings.Repeat("x", 100_001), t.Name != "String" && t.Name != "ID" && !free)
	}
	switch in.Name {
	case "limit", "first", "last":
		for _, v := range []string{"0", "-1", "1001", "2147483647"} {
			add("no size", num(v), true)
		}
	case "offset":
		add("a negative offset", num("-1"), true)
	}
	return out
}

func swapCase(s string) string {
	if up := strings.ToUpper(s); up != s {
		return up
	}
	return strings.ToLower(s)
}

// Whatever wrong value stands at whatever place, as a literal or in a variable: it is refused
// with words that say where, and nothing is changed.
func TestWrongInputIsRefused(t *testing.T) { served.Each(t, wrongInputIsRefused) }

func wrongInputIsRefused(t *testing.T, on served.Kind) {
	for _, s := range stages()[:1] {
		t.Run(s.name, func(t *testing.T) {
			p := begin(t, on, s, *seeded)
			asked, refused := 0, 0
			for i, s := range p.api.spots() {
				for j, b := range p.bads(s.last()) {
					for k, f := range []form{literals, {name: "variables", variables: 1, whole: true}} {
						share := uint64(sparing)
						if len(s.path) > 1 {
							share *= 4
						}
						if (uint64(i+j+k)+*seeded)%share > 0 {
							continue // another seed asks for another share
						}
						noName := b.name == "a wrong document" && k == 0
						tooLong := b.name == "a huge list" && (k == 0 || len(s.path) > 1 && i%5 > 0) || b.name == "a long string" && (k == 0 || i%5 > 0)
						if noName || tooLong {
							continue // cannot be said in a document, or is slow
						}
						p.reseed(*seeded<<32 + uint64(i)<<8 + uint64(j))
						asked++
						if p.tries(t, s, b, f) {
							refused++
						}
					}
				}
			}
			t.Logf("seed %d: %d of %d were refused", *seeded, refused, asked)
		})
	}
}

// tries asks with a bad value, and is whether it was refused.
func (p *play) tries(t *testing.T, s spot, b bad, f form) bool {
	t.Helper()
	r := p.at(s, b.value).write(p.api, f, 0)
	before := p.version()
	a := p.ask(p.callers["admin"], r.text, r.variables)
	said, err := hear(a)
	switch {
	case err != nil:
	case said.errors == nil && b.wrong:
		err = fmt.Errorf("it is answered")
	case said.errors != nil && p.version() != before:
		err = fmt.Errorf("it is refused, and changed the database")
	case said.errors != nil && said.errors[0].Extensions.Code == fault.Denied: // by what else is asked
	case said.errors != nil && s.says(b, said.errors[0]): // and there is nothing to name
	case said.errors != nil && (b.wrong || said.errors[0].Extensions.Code == fault.Invalid):
		err = s.named(said.errors)
	}
	if err != nil {
		t.Errorf("%s, %s as %s: %v\n%.600s\n%.400s\nlog %.1500s", s, b.name, f.name, err, r, a.Body, p.log.last())
	}
	return said.errors != nil
}

// says is whether a problem is that a valid value, which is null or has nothing in it, is all that
// there is to change: an absent link and a null one are the same, and so is a set without columns.
func (s spot) says(b bad, e problem) bool {
	empty := b.value == nil || spelled(b.value) == "{}"
	return empty && !b.wrong && s.path[0].Name == "set" && strings.HasPrefix(e.Message, "nothing to change")
}

// named is whether the errors say where.
func (s spot) named(errors []problem) error {
	for _, e := range errors {
		text := e.Message + fmt.Sprint(e.Extensions.Input)
		if strings.Contains(text, "variable $v") {
			return nil
		}
		for _, in := range s.path {
			if strings.Contains(text, in.Name) || strings.Contains(text, in.Type.String()) {
				return nil
			}
		}
		if strings.Contains(text, s.last().Type.bare().named()) {
			return nil
		}
	}
	return fmt.Errorf("no error names %s", s.last().Name)
}

package operations

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// randomSDL is a small random schema.
func randomSDL(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("enum Kind { ONE TWO three }\ntype Part { a: Int!  b: String  c: Kind  d: [Date!] }\n")
	scalars := []string{"String", "Int", "BigInt", "Float", "Decimal", "Boolean", "DateTime", "Date", "Time", "UUID", "JSON", "Bytes", "ID", "Kind", "Part"}
	rules := []string{"true", "true", "auth.id != ''", "auth.role == 'admin'", "doc.own == auth.id", "doc.own == auth.id || auth.role == 'admin'", ""}
	rule := func(verb string) string {
		if text := pick(r, rules); text != "" {
			return fmt.Sprintf(" %s: %q", verb, text)
		}
		return ""
	}
	types := []string{"Alpha", "Beta", "Gamma", "Delta"}[:2+r.IntN(3)]
	for i, name := range types {
		fmt.Fprintf(&b, "type %s @auth(read: \"true\"%s%s%s) {\n", name, rule("create"), rule("update"), rule("delete"))
		switch r.IntN(5) {
		case 0:
			b.WriteString("  id: ID! @primary @autoIncrement\n")
		case 1:
			b.WriteString("  x: Int! @primary\n  y: String! @primary\n")
		case 2:
			fmt.Fprintf(&b, "  key: %s! @primary\n", pick(r, []string{"UUID", "Date", "BigInt", "String", "Kind"}))
		default:
			b.WriteString("  id: ID! @primary\n")
		}
		b.WriteString("  own: ID @default(expr: \"auth.id\")\n")
		for n := range 1 + r.IntN(6) {
			of := pick(r, scalars)
			typ := of + []string{"", "", "!"}[r.IntN(3)]
			extra := ""
			switch {
			case r.IntN(4) == 0:
				typ = "[" + of + "!]"
			case of == "Part" || of == "JSON":
			case r.IntN(5) == 0 && of != "Boolean" && of != "Kind":
				extra = " @unique"
			case r.IntN(4) == 0:
				extra = " @index"
			case of == "String" && r.IntN(2) == 0:
				extra = " @search"
			case r.IntN(6) == 0:
				extra = fmt.Sprintf(" @auth(read: %q)", pick(r, rules[:6]))
			}
			fmt.Fprintf(&b, "  f%d: %s%s\n", n, typ, extra)
		}
		switch other := types[r.IntN(i+1)]; r.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "  up%d: %s @link\n", i, other)
		case 1:
			fmt.Fprintf(&b, "  up%d: %s @link(onDelete: %s)\n", i, other, pick(r, []string{"CASCADE", "SET_NULL"}))
		case 2:
			fmt.Fprintf(&b, "  peer%d: %s! @link\n", i, types[(i+1)%len(types)])
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// Whatever schema there is, it is migrated to in one go, and what its API says it can be asked is
// answered as it says.
func TestRandomSchemasServe(t *testing.T) { served.Each(t, randomSchemasServe) }

func randomSchemasServe(t *testing.T, on served.Kind) {
	ran := 0
	for n := range uint64(24 / sparing) {
		seed := *seeded<<32 + n
		r := rand.New(rand.NewPCG(seed, 3))
		sdl := randomSDL(r)
		source := schema.Source{Name: "random.graphql", Text: sdl}
		if _, err := schema.Parse(source); err != nil {
			t.Logf("seed %d: %v", seed, err) // chance knows little of what fits together
			continue
		}
		ran++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the schema:\n%s", sdl)
				}
			})
			s := stage{name: "random", sources: func(testing.TB) []schema.Source { return []schema.Source{source} }}
			s.callers = map[string]*auth.Caller{"nobody": nobody(), "ann": caller("1", ""), "admin": caller("2", "admin")}
			p := &play{stage: s, world: open(t, on, source)}
			p.api = introspect(t, p.world)
			p.reseed(seed)
			p.grow(2, 3)
			p.asksAll(t, seed)
		})
	}
	if ran < 12/sparing {
		t.Errorf("only %d schemas were served", ran)
	}
}

// asksAll asks for each root field once or twice.
func (p *play) asksAll(t *testing.T, seed uint64) {
	t.Helper()
	count := tally{}
	for _, of := range []*typ{p.api.query, p.api.mutation} {
		if of == nil {
			continue
		}
		law := trial.sameInAnotherForm
		kind := "query"
		if of == p.api.mutation {
			kind = "mutation"
			law = func(t trial) (said, error) { return t.answered(literals) }
		}
		for i, f := range of.Fields {
			for n, who := range []string{"admin", "ann"} {
				each := seed<<16 + uint64(i)<<8 + uint64(n)
				p.reseed(each)
				p.hold(t, trial{p, p.builder.root(kind, f), who, each}, law, count)
			}
		}
	}
}

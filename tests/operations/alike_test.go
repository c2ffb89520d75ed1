package operations

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database/drivertest"
	"spacecloud/fault"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

var alike = flag.Int("alike", 8, "how many random schemas are asked on all kinds of databases at once")

// The same requests of the same rows are answered alike by every kind of database, and leave the same
// rows. Not compared are keys that a database makes, which leave gaps on some; how a number in a JSON
// document is spelled and in which order its members are; and the last digits of floats, which
// depend on the order of adding. What is asked of sums that do not fit is refused by some as soon as
// they meet one, and by others only where it is shown.
func TestKindsAnswerAlike(t *testing.T) {
	kinds := served.There(t)
	if len(kinds) < 2 {
		t.Skip("there is only one kind of database to run on")
	}
	floats := pools["Float"]
	pools["Float"] = slices.DeleteFunc(slices.Clone(floats), func(v any) bool { return v == num("5e-324") }) // what is nearer to 0 than that, PostgreSQL refuses
	t.Cleanup(func() { pools["Float"] = floats })
	mongodb := slices.ContainsFunc(kinds, func(k served.Kind) bool { return k.Name == "mongodb" })
	if mongodb {
		all := pools["DateTime"]
		pools["DateTime"] = []any{"2026-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2026-01-01T01:00:00+01:00"} // it has milliseconds
		t.Cleanup(func() { pools["DateTime"] = all })
	}
	for n, done := uint64(0), 0; done < *alike/sparing+1; n++ {
		seed := *seeded<<32 + 1<<24 + n
		sdl := drivertest.RandomSDL(rand.New(rand.NewPCG(seed, 3)))
		source := schema.Source{Name: "random.graphql", Text: strings.ReplaceAll(sdl, " @autoIncrement", "")}
		if _, err := schema.Parse(source); err != nil {
			continue
		}
		done++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the schema:\n%s", source.Text)
				}
			})
			chorusOf(t, kinds, source, seed).sing(t, seed)
		})
	}
}

// chorus are servers of the same schema and rows.
type chorus []*voice

type voice struct {
	*play
	on served.Kind
}

func chorusOf(t *testing.T, kinds []served.Kind, source schema.Source, seed uint64) chorus {
	t.Helper()
	s := stage{name: "random", sources: func(testing.TB) []schema.Source { return []schema.Source{source} }}
	s.callers = map[string]*auth.Caller{"nobody": nobody(), "ann": caller("1", ""), "admin": caller("2", "admin")}
	var all chorus
	for _, on := range kinds {
		p := &play{stage: s, world: open(t, on, source)}
		p.api = introspect(t, p.world)
		all = append(all, &voice{p, on})
	}
	first := all[0]
	first.reseed(seed)
	b := first.builder
	for range 2 {
		for _, f := range first.api.roots("mutation") {
			if f.arg("doc") == nil || !strings.HasPrefix(f.Name, "insert") {
				continue
			}
			for range 4 {
				n := &node{name: f.Name, alias: f.Name, of: first.api.mutation, field: f, set: []*node{typename(first.api.of(f.Type))}}
				n.args = []arg{{f.arg("doc"), b.object(first.api.of(f.arg("doc").Type), place{depth: 3})}}
				all.asked(t, &operation{"mutation", []*node{n}}, auth.System(now), literals, seed)
			}
		}
		first.harvest()
	}
	return all
}

func (a *api) roots(kind string) []*field {
	of := a.query
	if kind == "mutation" {
		of = a.mutation
	}
	if of == nil {
		return nil
	}
	return of.Fields
}

// sing asks for each root field a few times: reads before, writes, and reads of what they left.
func (all chorus) sing(t *testing.T, seed uint64) {
	t.Helper()
	first := all[0]
	for round, kind := range []string{"query", "mutation", "query"} {
		for i, f := range first.api.roots(kind) {
			for n := range 3 {
				each := seed<<16 + uint64(round)<<14 + uint64(i)<<4 + uint64(n)
				first.reseed(each)
				first.builder.modest = n == 2
				who := first.names()[(n+i)%len(first.callers)]
				form := append([]form{literals}, forms...)[n%(len(forms)+1)]
				all.asked(t, first.builder.root(kind, f), first.callers[who], form, each)
				if t.Failed() {
					return
				}
			}
		}
		first.harvest()
	}
}

// asked asks all for the same, and compares.
func (all chorus) asked(t *testing.T, op *operation, who *auth.Caller, f form, seed uint64) {
	t.Helper()
	request := op.write(all[0].api, f, seed)
	answers := make([]said, len(all))
	for i, v := range all {
		s, err := hear(v.ask(who, request.text, request.variables))
		if err != nil {
			t.Errorf("seed %d on %s: %v\n%s\n%s\n%s", seed, v.on.Name, err, request, shown(s.value), v.log.last())
			return
		}
		answers[i] = s
	}
	for i, v := range all[1:] {
		one, other := all[0].api.canonical(op, answers[0]), all[0].api.canonical(op, answers[i+1])
		if one != other && !beyond(answers[0]) && !beyond(answers[i+1]) {
			t.Errorf("seed %d on %s and %s:\n%s\n%.3000s\n%.3000s\nlogs %s\n%s", seed, all[0].on.Name, v.on.Name, request, one, other, all[0].log.last(), v.log.last())
			return
		}
	}
}

// beyond is whether an answer is that a sum does not fit.
func beyond(s said) bool {
	return slices.ContainsFunc(s.errors, func(e problem) bool {
		return e.Extensions.Code == fault.Invalid && strings.HasPrefix(e.Message, "the sum of ") && strings.HasSuffix(e.Message, " does not fit into 64 bits")
	})
}

// vague are messages that name a key or a link: of which, where it is several, is told by chance, and not at all by
// the foreign keys of SQLite.
var vague = map[string]*regexp.Regexp{
	"$1 some field":                regexp.MustCompile(`^(another \w+ has this) .*$`),
	"rows of some type $1":         regexp.MustCompile(`^rows of .* (still link to this \w+) .*$`),
	"some link of $1 is not there": regexp.MustCompile(`^(?:the \w+|one of .*) of (this \w+) is not there$`),
}

// canonical is an answer without what may differ.
func (a *api) canonical(op *operation, s said) string {
	var b strings.Builder
	a.spellAll(&b, op.set, s.data)
	for _, e := range s.errors {
		for plain, names := range vague {
			e.Message = names.ReplaceAllString(e.Message, plain)
		}
		fmt.Fprintf(&b, "\n%s %v %v: %s", e.Extensions.Code, e.Path, e.Extensions.Input, e.Message)
	}
	return version7.ReplaceAllString(b.String(), "a new UUID")
}

func (a *api) spellAll(b *strings.Builder, set []*node, v any) {
	switch v := v.(type) {
	case []any:
		b.WriteByte('[')
		for _, each := range v {
			a.spellAll(b, set, each)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, m := range v {
			b.WriteString(m.name + ": ")
			if n := set[i]; n.set != nil {
				a.spellAll(b, n.set, m.value)
			} else {
				spellLeaf(b, n.field.Type.named(), m.value)
			}
			b.WriteByte(' ')
		}
		b.WriteByte('}')
	default:
		b.WriteString(shown(v))
	}
}

func spellLeaf(b *strings.Builder, scalar string, v any) {
	switch n, isNumber := v.(json.Number); {
	case scalar == "JSON":
		spellDocument(b, v)
	case scalar == "Float" && isNumber:
		f, _ := n.Float64()
		fmt.Fprintf(b, "%.12g", f)
	default:
		b.WriteString(shown(v))
	}
}

// spellDocument writes JSON with its members sorted and its numbers by value.
func spellDocument(b *strings.Builder, v any) {
	switch v := v.(type) {
	case []any:
		b.WriteByte('[')
		for _, each := range v {
			spellDocument(b, each)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case object:
		sorted := slices.SortedFunc(slices.Values(v), func(a, b member) int { return strings.Compare(a.name, b.name) })
		b.WriteByte('{')
		for _, m := range sorted {
			b.WriteString(shown(m.name) + ": ")
			spellDocument(b, m.value)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	case json.Number:
		if r, ok := new(big.Rat).SetString(string(v)); ok {
			b.WriteString(r.RatString())
		}
	default:
		b.WriteString(shown(v))
	}
}

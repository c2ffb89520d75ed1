package operations

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

var attacked = flag.Int("attacks", 4, "how many random schemas with random rules are attacked on each kind of database")

// What a caller is shown of rows, in whatever way they ask, is what they would be shown if the rows that
// the rules do not let them read were not there at all, and the cells were null. The other server has
// just those rows, and no rules.
func TestWhatMayNotBeReadMightAsWellNotBeThere(t *testing.T) {
	served.EachAndMixed(t, whatMayNotBeReadMightAsWellNotBeThere)
}

func whatMayNotBeReadMightAsWellNotBeThere(t *testing.T, on served.Kind) {
	compared := 0
	underAttack(t, on, func(t *testing.T, s *ruled, seed uint64) {
		t.Helper()
		compared += attack(t, on, s, seed)
	})
	t.Logf("%d answers were compared", compared)
}

// underAttack runs a test for random schemas with random rules.
func underAttack(t *testing.T, on served.Kind, run func(*testing.T, *ruled, uint64)) {
	t.Helper()
	dbs, budget := 1, *attacked/sparing
	if on.IsMixed() {
		dbs, budget = 2, budget/2
	}
	for n, done := uint64(0), 0; done < max(1, budget); n++ {
		seed := *seeded<<32 + 2<<24 + n
		s, ok := lawful(t, seed, dbs)
		if !ok {
			continue
		}
		done++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the schema:\n%s", s.closed)
				}
			})
			run(t, s, seed)
		})
	}
}

// lawful is a random schema with rules, if they are ones that the server takes.
func lawful(t *testing.T, seed uint64, dbs int) (*ruled, bool) {
	t.Helper()
	s, err := randomRules(rand.New(rand.NewPCG(seed, 5)), dbs)
	if err != nil {
		return nil, false // chance knows little of what fits together
	}
	parsed, err := schema.Parse(schema.Source{Name: "closed.graphql", Text: s.closed})
	if err != nil {
		t.Fatalf("seed %d: %v\n%s", seed, err, s.closed)
	}
	if _, err := rules.Compile(parsed); err != nil {
		if dbs == 1 {
			t.Fatalf("seed %d: %v\n%s", seed, err, s.closed)
		}
		return nil, false // a condition on two databases at once
	}
	return s, true
}

func attack(t *testing.T, on served.Kind, s *ruled, seed uint64) (compared int) {
	t.Helper()
	p, mirror := siege(t, on, s)
	p.reseed(seed)
	rows := populated(rand.New(rand.NewPCG(seed, 6)), p.Schema)
	p.fill(rows)
	p.foresee(rows)
	for at, who := range p.names() {
		seen := s.seen(p.callers[who], p.Schema, rows)
		mirror.fill(seen)
		for i, f := range p.api.query.Fields {
			for n := range 3 {
				each := seed<<16 + uint64(at)<<12 + uint64(i)<<4 + uint64(n)
				p.reseed(each)
				p.builder.modest = n == 2
				clear(p.builder.covered) // so that much is asked for each time
				a := assault{trial{p, p.builder.root("query", f), who, each}, mirror, s, rows, seen}
				for _, a.op = range append(a.nextPages(), a.op) {
					if said, err := a.repelled(); err != nil {
						a.report(t)
						return compared
					} else if said.errors == nil {
						compared++
					}
				}
			}
		}
	}
	return compared
}

// foresee notes the values of the rows, so that they are asked for.
func (p *play) foresee(rows ledger) {
	for _, t := range p.Schema.Types {
		for _, r := range rows[t.Name] {
			for _, f := range t.Columns {
				if r[f.Name] == nil {
					continue
				}
				v := r[f.Name]
				if n, ok := v.(int64); ok {
					v = num(fmt.Sprint(n))
				}
				key := t.Name + "." + f.Name + ":" + f.Scalar.String()
				p.builder.seen[key] = append(p.builder.seen[key], v)
			}
		}
	}
}

// assault is a question, and what has to be known to judge the answer.
type assault struct {
	trial
	mirror *play
	rules  *ruled
	rows   ledger // all of them
	seen   ledger // what the caller may read of them
}

// repelled says what is wrong with the answer.
func (a assault) repelled() (said, error) {
	s, err := a.answered(literals)
	if err != nil {
		return s, err
	}
	for _, e := range s.errors {
		if e.Extensions.Code == fault.Denied || e.Extensions.Code == fault.Unauthenticated {
			return s, a.justified(e.Message)
		}
	}
	r := a.op.write(a.api, literals, a.seed)
	open, err := hear(a.mirror.ask(a.callers[a.caller], r.text, r.variables))
	if err != nil {
		return s, fmt.Errorf("without rules: %w", err)
	}
	return s, differ(s, open)
}

// nextPages asks a connection for its rows after the first page, and before the last.
func (a assault) nextPages() (pages []*operation) {
	n := a.op.set[0]
	if n.field.arg("after") == nil {
		return nil
	}
	for cursor, args := range map[string][2]string{"endCursor": {"first", "after"}, "startCursor": {"last", "before"}} {
		page := *n
		page.args = slices.DeleteFunc(slices.Clone(n.args), func(a arg) bool { return a.in.Name == "first" || a.in.Name == "last" })
		page.args = append(page.args, arg{n.field.arg(args[0]), num("2")})
		info := a.api.of(n.field.Type).field("pageInfo")
		first := page
		first.set = []*node{{name: "pageInfo", alias: "pageInfo", of: a.api.of(n.field.Type), field: info, set: []*node{
			{name: cursor, alias: cursor, of: a.api.of(info.Type), field: a.api.of(info.Type).field(cursor)},
		}}}
		r := (&operation{"query", []*node{&first}}).write(a.api, literals, 0)
		s, err := hear(a.ask(a.callers[a.caller], r.text, nil))
		if err != nil || s.errors != nil {
			continue // the question itself will tell
		}
		shown := s.data.(object)[0].value.(object)[0].value.(object)[0].value
		if shown == nil {
			continue
		}
		page.args = append(page.args, arg{n.field.arg(args[1]), shown})
		pages = append(pages, &operation{"query", []*node{&page}})
	}
	return pages
}

func (a assault) report(t *testing.T) {
	t.Helper()
	least, why := a.shrunk(func(t trial) error { b := a; b.trial = t; _, err := b.repelled(); return err })
	a.log.last()
	r := least.op.write(a.api, literals, 0)
	got := a.ask(a.callers[a.caller], r.text, nil)
	t.Errorf("seed %d, as %s %v: %v\n%s\nanswer %.1000s\nlog %s\nall rows\n%sreadable rows\n%s",
		a.seed, a.caller, a.callers[a.caller].Claims, why, r, got.Body, a.log.last(), a.rows, a.seen)
}

var refusal = regexp.MustCompile(`^read of (\w+)(?:\.(\w+))? (?:is not allowed|needs a token)$`)

// justified is whether the claims alone decide that something is refused: a type of which no row could be
// read, or a field that could not be read of some.
func (a assault) justified(message string) error {
	m := refusal.FindStringSubmatch(message)
	if m == nil {
		return fmt.Errorf("refused with %q", message)
	}
	might := a.rules.may(a.callers[a.caller], policy{m[1], m[2], query.Read}, a.rows, nil)
	if m[2] == "" && might&isTrue != 0 || m[2] != "" && might == isTrue {
		return fmt.Errorf("refused with %q, and the claims allow it", message)
	}
	return nil
}

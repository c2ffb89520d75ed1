package operations

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/schema"
)

var seeded = flag.Uint64("seed", 1, "what chance begins with")

// stage is a schema with callers who may do different things.
type stage struct {
	name    string
	sources func(testing.TB) []schema.Source
	callers map[string]*auth.Caller
	seed    string // a file of mutations, or ""
	joins   string // fills a join table that we own
}

func stages() []stage {
	return []stage{
		{
			"rich", func(t testing.TB) []schema.Source { return read(t, "testdata/rich.graphql") },
			map[string]*auth.Caller{"nobody": nobody(), "ann": caller("1", ""), "admin": caller("2", "admin")},
			"",
			"INSERT INTO labels_things (label_name, thing_id) SELECT l.name, t.id FROM labels l, things t WHERE ((SELECT count(*) FROM labels AS x WHERE x.name < l.name) + (SELECT count(*) FROM things AS y WHERE y.id < t.id)) % 2 = 1",
		},
		{
			"sample", func(t testing.TB) []schema.Source {
				return read(t, "../../schema/people.graphql", "../../schema/writing.graphql", "../../schema/events.graphql")
			},
			map[string]*auth.Caller{"nobody": nobody(), "ann": caller("ann", ""), "admin": caller("ella", "admin"), "editor": caller("bo", "editor")},
			"../../schema/seed.graphql",
			"INSERT INTO posts_tags (post_id, tag_id) SELECT p.id, t.id FROM posts p, tags t WHERE ((SELECT count(*) FROM posts AS x WHERE x.id < p.id) + (SELECT count(*) FROM tags AS y WHERE y.id < t.id)) % 2 = 1 ON CONFLICT DO NOTHING",
		},
	}
}

func (s stage) names() []string {
	var names []string
	for name := range s.callers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// play is a stage with its rows in a database.
type play struct {
	stage
	*world
	api     *api
	builder *builder
}

// begin makes a database with the rows that a seed makes: the same ones each time.
func begin(t testing.TB, s stage, seed uint64) *play {
	t.Helper()
	w := open(t, s.sources(t)...)
	p := &play{stage: s, world: w, api: introspect(t, w)}
	p.reseed(seed)
	if s.seed != "" {
		if a, err := hear(w.ask(auth.System(now), read(t, s.seed)[0].Text, nil)); err != nil || a.errors != nil {
			t.Fatal(err, a.errors)
		}
	} else {
		p.grow(3, 4)
	}
	p.harvest()
	if s.joins != "" {
		if _, err := w.conn.ExecContext(t.Context(), s.joins); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range p.tables {
		if len(p.column(fmt.Sprintf("SELECT 1 FROM %q LIMIT 1", table))) == 0 {
			t.Errorf("%s has no rows", table)
		}
	}
	return p
}

// reseed makes what follows depend on a seed only.
func (p *play) reseed(seed uint64) {
	c := covered{}
	seen := map[string][]any{}
	if p.builder != nil {
		c, seen = p.builder.covered, p.builder.seen
	}
	r := rand.New(rand.NewPCG(seed, 1))
	fresh := int((seed>>8&0xffff)*40+seed&0xff) * 10
	p.builder = &builder{chance: chance{Rand: r, api: p.api, seen: seen, fresh: &fresh}, covered: c}
}

// grow inserts random rows into all tables, more than once, for links need rows to lead to.
func (p *play) grow(rounds, rows int) {
	p.t.Helper()
	if p.api.mutation == nil {
		return
	}
	b := p.builder
	for round := range rounds {
		for _, f := range p.api.mutation.Fields {
			if f.arg("doc") == nil || !strings.HasPrefix(f.Name, "insert") {
				continue
			}
			for range rows {
				n := &node{name: f.Name, alias: f.Name, of: p.api.mutation, field: f, set: []*node{typename(p.api.of(f.Type))}}
				n.args = []arg{{f.arg("doc"), b.object(p.api.of(f.arg("doc").Type), place{depth: 3})}}
				op := operation{"mutation", []*node{n}}
				r := op.write(p.api, literals, 0)
				s, err := hear(p.ask(auth.System(now), r.text, r.variables))
				if err != nil {
					p.t.Fatalf("round %d: %v\n%s\n%s", round, err, r, p.log.last())
				}
				_ = s
			}
		}
		p.harvest()
	}
}

var version7 = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}`)

// harvest notes the values of the rows, so that operations ask for what is there.
func (p *play) harvest() {
	p.t.Helper()
	b := p.builder
	clear(b.seen)
	for _, f := range p.api.query.Fields {
		if f.arg("distinctOn") == nil || f.arg("limit") == nil {
			continue
		}
		row := p.api.of(f.Type)
		n := &node{name: f.Name, alias: f.Name, of: p.api.query, field: f}
		for _, column := range row.Fields {
			if p.api.types[column.Type.named()].Kind == "SCALAR" && len(column.Args) == 0 && !column.Type.list() {
				n.set = append(n.set, &node{name: column.Name, alias: column.Name, of: row, field: column})
			}
		}
		op := operation{"query", []*node{n}}
		r := op.write(p.api, literals, 0)
		s, err := hear(p.ask(auth.System(now), r.text, nil))
		if err != nil || s.errors != nil {
			p.t.Fatalf("%v %v\n%s\n%s", err, s.errors, r, p.log.last())
		}
		for _, each := range s.data.(object)[0].value.([]any) {
			for _, m := range each.(object) {
				of := row.field(m.name).Type.named()
				key := row.Name + "." + m.name + ":" + of
				if text, isText := m.value.(string); m.value == nil || of == "JSON" || isText && version7.MatchString(text) {
					continue
				}
				b.seen[key] = append(b.seen[key], m.value)
			}
		}
	}
}

// trial is one operation as one caller.
type trial struct {
	*play
	op     *operation
	caller string
	seed   uint64
}

// answered asks in a form, and says what is wrong with the answer.
func (t trial) answered(f form) (said, error) {
	r := t.op.write(t.api, f, t.seed)
	s, err := hear(t.ask(t.callers[t.caller], r.text, r.variables))
	if err == nil {
		err = t.api.conforms(t.op, s)
	}
	return s, err
}

// sameInAnotherForm says what is wrong with the answers in two forms.
func (t trial) sameInAnotherForm() (said, error) {
	first, err := t.answered(literals)
	if err != nil {
		return first, fmt.Errorf("as literals: %w", err)
	}
	f := forms[(t.seed+t.seed>>8)%uint64(len(forms))]
	s, err := t.answered(f)
	if err == nil {
		err = differ(first, s)
	}
	if err != nil {
		return first, fmt.Errorf("as %s: %w", f.name, err)
	}
	return first, nil
}

// differ says how two answers do, but for the texts and places of errors.
func differ(a, b said) error {
	if one, other := shown(a.data), shown(b.data); one != other {
		return fmt.Errorf("another answer:\n%s\n%s\nerrors %+v %+v", one, other, a.errors, b.errors)
	}
	if !slices.Equal(slices.Compact(a.codes()), slices.Compact(b.codes())) { // a fragment is judged wherever it is spread
		return fmt.Errorf("other errors: %+v and %+v", a.errors, b.errors)
	}
	return nil
}

// shrunk is the smallest operation that fails in the same way.
func (t trial) shrunk(fails func(trial) error) (trial, error) {
	err := fails(t)
	for again := true; again; {
		again = false
		for _, smaller := range t.op.smaller() {
			s := t
			s.op = smaller
			if e := fails(s); e != nil {
				t, err, again = s, e, true
				break
			}
		}
	}
	return t, err
}

// smaller are the operation without one of its parts.
func (op *operation) smaller() []*operation {
	var out []*operation
	for _, set := range smallerSets(op.set) {
		out = append(out, &operation{op.kind, set})
	}
	return out
}

func smallerSets(set []*node) (out [][]*node) {
	if len(set) > 1 {
		for i := range set {
			out = append(out, slices.Delete(slices.Clone(set), i, i+1))
		}
	}
	for i, n := range set {
		put := func(m node) {
			s := slices.Clone(set)
			s[i] = &m
			out = append(out, s)
		}
		for j, a := range n.args {
			if !a.in.required() {
				m := *n
				m.args = slices.Delete(slices.Clone(n.args), j, j+1)
				put(m)
			}
			for _, v := range smallerValues(a.value) {
				m := *n
				m.args = slices.Clone(n.args)
				m.args[j].value = v
				put(m)
			}
		}
		for _, inner := range smallerSets(n.set) {
			m := *n
			m.set = inner
			put(m)
		}
	}
	return out
}

// smallerValues are a value without one of its members or elements.
func smallerValues(v any) (out []any) {
	switch v := v.(type) {
	case object:
		for i, m := range v {
			if len(v) > 1 {
				out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			}
			for _, inner := range smallerValues(m.value) {
				o := slices.Clone(v)
				o[i].value = inner
				out = append(out, o)
			}
		}
	case []any:
		for i, e := range v {
			if len(v) > 1 {
				out = append(out, slices.Delete(slices.Clone(v), i, i+1))
			}
			for _, inner := range smallerValues(e) {
				o := slices.Clone(v)
				o[i] = inner
				out = append(out, o)
			}
		}
	}
	return out
}

// Whoever asks, whatever a query can ask is answered as the API says, in the same way however
// it is written down, and nothing is changed by it.
func TestQueriesAreAnsweredAsTheAPISays(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			p := begin(t, s, *seeded)
			before, count := p.dump(), tally{}
			for i, f := range p.api.query.Fields {
				for n := 0; n < max(1, 3/sparing) || sparing == 1 && n < 30 && (count[f.Name]["answers"] == 0 || !p.asked(p.api.query, f)); n++ {
					seed := *seeded<<32 + uint64(i)<<8 + uint64(n)
					p.reseed(seed)
					p.builder.modest = n > 10 && n%2 == 0
					op := p.builder.root("query", f)
					for at, who := range s.names() {
						if sparing > 1 && at != i%len(s.callers) {
							continue
						}
						law := trial.sameInAnotherForm
						if at != (i+n)%len(s.callers) {
							law = func(t trial) (said, error) { return t.answered(literals) }
						}
						p.hold(t, trial{p, op, who, seed}, law, count)
					}
				}
				p.pages(t, f, count)
			}
			for n := 0; sparing == 1 && n < 1000 && len(p.missing(p.api.query)) > 0; n++ {
				seed := *seeded<<32 + 0xffff0000 + uint64(n)
				p.reseed(seed)
				op := p.builder.root("query", pick(p.builder.Rand, p.api.query.Fields))
				p.hold(t, trial{p, op, "admin", seed}, trial.sameInAnotherForm, count)
			}
			if p.dump() != before {
				t.Error("queries changed the rows")
			}
			if sparing == 1 {
				count.judge(t, p)
				if missing := p.missing(p.api.query); len(missing) > 0 {
					t.Errorf("never asked for: %s", missing)
				}
			}
		})
	}
}

// hold reports an answer that is wrong, with the least that makes it so.
func (p *play) hold(t *testing.T, each trial, law func(trial) (said, error), count tally) {
	t.Helper()
	s, err := law(each)
	count.add(each.op.set[0].name, s)
	if err == nil {
		return
	}
	least, why := each.shrunk(func(t trial) error { _, err := law(t); return err })
	p.log.last()
	a := p.ask(p.callers[each.caller], least.op.write(p.api, literals, 0).text, nil)
	t.Errorf("seed %d, as %s: %v\n%s\nanswer %.500s\nlog %s", each.seed, each.caller, why, least.op.write(p.api, literals, 0), a.body, p.log.last())
}

// tally counts what roots were answered with.
type tally map[string]map[string]int

func (c tally) add(root string, s said) {
	if c[root] == nil {
		c[root] = map[string]int{}
	}
	if s.errors == nil {
		c[root]["answers"]++
		return
	}
	c[root][string(s.errors[0].Extensions.Code)]++
}

// judge is whether there was enough to judge by.
func (c tally) judge(t *testing.T, p *play) {
	t.Helper()
	all := map[string]int{}
	for root, counts := range c {
		if counts["answers"] == 0 {
			t.Errorf("%s was never answered, but %v", root, counts)
		}
		for what, n := range counts {
			all[what] += n
		}
	}
	t.Logf("seed %d: %v", *seeded, all)
}

// asked is whether a field was asked for with all its arguments, and all fields of what it
// leads to were.
func (p *play) asked(of *typ, f *field) bool {
	for _, a := range f.Args {
		if a.Name != "after" && a.Name != "before" && p.builder.covered[of.Name+"."+f.Name+"("+a.Name+")"] == 0 {
			return false
		}
	}
	t := p.api.of(f.Type)
	for _, inner := range t.Fields {
		if p.builder.covered[t.Name+"."+inner.Name] == 0 || (inner.Name == "group" || inner.Name == "edges") && !p.asked(t, inner) {
			return false
		}
	}
	return true
}

// missing is what can be asked for below a type and was not yet.
func (p *play) missing(root *typ) (out []string) {
	done := map[string]bool{}
	var walk func(of *typ)
	walk = func(of *typ) {
		if done[of.Name] {
			return
		}
		done[of.Name] = true
		for _, f := range of.Fields {
			if p.builder.covered[of.Name+"."+f.Name] == 0 {
				out = append(out, of.Name+"."+f.Name)
			}
			for _, a := range f.Args {
				name := of.Name + "." + f.Name + "(" + a.Name + ")"
				if a.Name != "after" && a.Name != "before" && p.builder.covered[name] == 0 {
					out = append(out, name)
				}
			}
			if p.api.composite(f.Type) {
				walk(p.api.of(f.Type))
			}
		}
	}
	walk(root)
	return out
}

// pages goes on from a page where a connection has one.
func (p *play) pages(t *testing.T, f *field, count tally) {
	t.Helper()
	if f.arg("after") == nil {
		return
	}
	at := func(o any, name string) any { v, _ := o.(object).get(name); return v }
	info := p.api.of(p.api.of(f.Type).field("pageInfo").Type)
	n := p.builder.node(p.api.query, f, 1, nil)
	n.alias = f.Name
	n.args = slices.DeleteFunc(n.args, func(a arg) bool { return a.in.Name == "where" })
	n.set = []*node{{name: "pageInfo", alias: "pageInfo", of: p.api.of(f.Type), field: p.api.of(f.Type).field("pageInfo")}}
	for _, name := range []string{"startCursor", "endCursor"} {
		n.set[0].set = append(n.set[0].set, &node{name: name, alias: name, of: info, field: info.field(name)})
	}
	op := &operation{"query", []*node{n}}
	first := trial{p, op, "admin", 0}
	s, err := first.answered(literals)
	if err != nil {
		t.Errorf("%v\n%s", err, op.write(p.api, literals, 0))
	}
	if s.data == nil || s.errors != nil {
		return
	}
	shows := at(at(s.data, f.Name), "pageInfo")
	for name, cursor := range map[string]any{"after": at(shows, "endCursor"), "before": at(shows, "startCursor")} {
		if cursor == nil {
			continue
		}
		m := *n
		m.args = append(slices.Clone(n.args), arg{f.arg(name), cursor})
		p.hold(t, trial{p, &operation{"query", []*node{&m}}, "admin", 0}, trial.sameInAnotherForm, count)
	}
}

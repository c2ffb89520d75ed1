package operations

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// Whatever a caller asks to be written, only rows and cells that the rules let them write are written; what
// is refused writes nothing; a where chooses among the rows that they may read, and a row that they may
// not read is as one that is not there; and the rows that are returned are shown as a query shows them.
func TestOnlyWhatMayBeWrittenIsWritten(t *testing.T) {
	served.EachAndMixed(t, onlyWhatMayBeWrittenIsWritten)
}

func onlyWhatMayBeWrittenIsWritten(t *testing.T, on served.Kind) {
	count := map[string]int{}
	underAttack(t, on, func(t *testing.T, s *ruled, seed uint64) {
		t.Helper()
		raid(t, on, s, seed, count)
	})
	t.Log(count)
}

func raid(t *testing.T, on served.Kind, s *ruled, seed uint64, count map[string]int) {
	t.Helper()
	p, mirror := siege(t, on, s)
	p.reseed(seed)
	rows := populated(rand.New(rand.NewPCG(seed, 6)), p.Schema)
	p.fill(rows)
	p.foresee(rows)
	for at, who := range p.names() {
		seen := s.seen(p.callers[who], p.Schema, rows)
		mirror.fill(seen)
		for i, f := range p.api.roots("mutation") {
			for n := range 3 {
				each := seed<<16 + uint64(at)<<12 + uint64(i)<<4 + uint64(n)
				p.reseed(each)
				p.builder.modest = n > 0
				clear(p.builder.covered)
				r := theft{assault{trial{p, p.identified(p.builder.root("mutation", f)), who, each}, mirror, s, rows, seen}}
				answer, err := r.prevented()
				if err != nil {
					r.report(t)
					return
				}
				outcome := "done"
				if answer.errors != nil {
					outcome = string(answer.errors[0].Extensions.Code)
				}
				count[outcome]++
			}
		}
	}
}

// own is the alias by which a mutation is asked for the key of each row that it returns.
const own = "itsOwnId"

// identified is a mutation that tells which rows it returns.
func (p *play) identified(op *operation) *operation {
	root := *op.set[0]
	if t := p.api.of(root.field.Type); t.field("returning") != nil {
		root.set = slices.Clone(root.set)
		for i, n := range root.set {
			if n.name == "returning" {
				m := *n
				m.set = p.withKey(n)
				root.set[i] = &m
			}
		}
	} else {
		root.set = p.withKey(&root)
	}
	return &operation{op.kind, append([]*node{&root}, op.set[1:]...)}
}

func (p *play) withKey(n *node) []*node {
	t := p.api.of(n.field.Type)
	id := t.field("id")
	if id == nil {
		return n.set
	}
	return append(slices.Clone(n.set), &node{name: "id", alias: own, of: t, field: id})
}

// theft is a mutation, and what has to be known to judge what it did.
type theft struct{ assault }

// prevented says what is wrong with what was done, and leaves the rows as they were.
func (r theft) prevented() (said, error) {
	answer, err := r.answered(literals)
	after := r.ledger()
	changes := r.changes(after)
	if len(changes) > 0 {
		defer r.fill(r.rows)
	}
	switch {
	case err != nil:
		return answer, err
	case len(changes) > 0 && answer.errors != nil:
		return answer, fmt.Errorf("refused, and rows changed: %v", changes)
	case answer.errors != nil:
		return answer, r.silent(answer.errors[0])
	}
	for _, c := range changes {
		if err := r.permitted(c, after); err != nil {
			return answer, fmt.Errorf("%v: %w", c, err)
		}
	}
	if err := r.chosen(answer, changes); err != nil {
		return answer, err
	}
	return answer, r.faithful(answer, after)
}

func (r theft) report(t *testing.T) {
	t.Helper()
	least, why := r.shrunk(func(t trial) error { b := r; b.trial = t; _, err := b.prevented(); return err })
	r.log.last()
	q := least.op.write(r.api, literals, 0)
	got := r.ask(r.callers[r.caller], q.text, nil)
	t.Errorf("seed %d, as %s %v: %v\n%s\nanswer %.1000s\nlog %s\nrows\n%s",
		r.seed, r.caller, r.callers[r.caller].Claims, why, q, got.Body, r.log.last(), r.rows)
}

// change is a row before and after; nil for one that was not, or is not, there.
type change struct {
	of            *schema.Type
	before, after record
}

func (c change) String() string {
	return fmt.Sprintf("%s %v becomes %v", c.of.Name, map[string]any(c.before), map[string]any(c.after))
}

func keyText(t *schema.Type, r record) string {
	var parts []string
	for _, f := range t.Primary {
		parts = append(parts, fmt.Sprint(r[f.Name]))
	}
	return strings.Join(parts, "|")
}

// changes are the rows that are not as they were.
func (r theft) changes(after ledger) (out []change) {
	for _, t := range tables(r.Schema) {
		now := map[string]record{}
		for _, row := range after[t.Name] {
			now[keyText(t, row)] = row
		}
		for _, row := range r.rows[t.Name] {
			key := keyText(t, row)
			if !maps.Equal(row, now[key]) {
				out = append(out, change{t, row, now[key]})
			}
			delete(now, key)
		}
		for _, key := range slices.Sorted(maps.Keys(now)) {
			out = append(out, change{t, nil, now[key]})
		}
	}
	return out
}

// permitted says what rule was broken by a change.
func (r theft) permitted(c change, after ledger) error {
	who := r.callers[r.caller]
	may := func(verb query.Verb, field string, rows ledger, row record) error {
		if v := r.rules.may(who, policy{c.of.Name, field, verb}, rows, row); v != isTrue {
			return fmt.Errorf("%s of %s.%s is not allowed", verbNames[verb], c.of.Name, field)
		}
		return nil
	}
	switch {
	case c.of.Owned:
		return nil // see the rows that it joins
	case c.before == nil:
		if err := may(query.Create, "", after, c.after); err != nil {
			return err
		}
		for _, f := range c.of.Columns {
			if c.after[f.Name] != nil {
				if err := may(query.Create, f.Name, after, c.after); err != nil {
					return err
				}
			}
		}
		return nil
	case c.after == nil:
		if r.follows(c, after) == schema.Cascade {
			return nil
		}
		return may(query.Delete, "", r.rows, c.before)
	}
	for _, f := range c.of.Columns {
		if c.before[f.Name] == c.after[f.Name] || c.after[f.Name] == nil && r.released(c.of, f, c.before, after) {
			continue
		}
		for _, field := range []string{"", f.Name} {
			if err := may(query.Update, field, r.rows, c.before); err != nil {
				return fmt.Errorf("before: %w", err)
			}
			if err := may(query.Update, field, after, c.after); err != nil {
				return fmt.Errorf("after: %w", err)
			}
		}
	}
	return nil
}

// follows is what a link says to a row of which the row is gone that it led to.
func (r theft) follows(c change, after ledger) schema.OnDelete {
	for _, f := range c.of.Fields {
		if f.IsLink() && f.Link.Owns && f.Link.OnDelete == schema.Cascade &&
			len(r.rows.linked(c.before, f)) > 0 && len(after.linked(c.before, f)) == 0 {
			return schema.Cascade
		}
	}
	return schema.Restrict
}

// released is whether a key is null because the row that it led to is gone.
func (r theft) released(t *schema.Type, key *schema.Field, before record, after ledger) bool {
	return slices.ContainsFunc(t.Fields, func(f *schema.Field) bool {
		return f.IsLink() && f.Link.Owns && f.Link.From[0] == key && f.Link.OnDelete == schema.SetNull &&
			len(after.linked(before, f)) == 0
	})
}

// target is what a mutation is of.
func (r theft) target() (*schema.Type, query.Verb, bool) {
	name := r.op.set[0].name
	for verb, word := range map[query.Verb]string{query.Create: "insert", query.Update: "update", query.Delete: "delete"} {
		rest, ok := strings.CutPrefix(name, word)
		if !ok {
			continue
		}
		for _, t := range r.Schema.Types {
			for _, many := range []bool{false, true} {
				if each := map[bool]string{false: t.Single, true: t.Plural}[many]; each != "" && strings.EqualFold(each, rest) {
					return t, verb, many
				}
			}
		}
	}
	return nil, 0, false
}

// silent says where an error tells of a row that the caller may not read.
func (r theft) silent(e problem) error {
	t, verb, many := r.target()
	key, named := r.op.set[0].given("id").(string)
	if t == nil || verb == query.Create || many || !named {
		return nil
	}
	var row record
	for _, each := range r.rows[t.Name] {
		if each["id"] == key {
			row = each
		}
	}
	who := r.callers[r.caller]
	readable := row != nil && r.rules.may(who, policy{t.Name, "", query.Read}, r.rows, row) == isTrue
	allowed := row != nil && r.rules.may(who, policy{t.Name, "", verb}, r.rows, row) == isTrue
	writable := row != nil && r.writable(t, verb, row)
	switch told := e.Message == fmt.Sprintf("%s of this %s is not allowed", verbNames[verb], t.Name); {
	case told && row == nil, told && !readable && !allowed:
		return fmt.Errorf("the row cannot be read, and the answer is %q", e.Message)
	case told && verb == query.Delete && allowed:
		return fmt.Errorf("the row may be deleted, and the answer is %q", e.Message)
	case e.Extensions.Code == fault.NotFound && (readable || writable) && len(e.Path) == 1 && r.op.set[0].given("ifVersion") == nil && e.Extensions.Input == nil:
		return fmt.Errorf("the row is there, and the answer is %q", e.Message)
	}
	return nil
}

// chosen says whether other rows were taken than those that the where of a mutation means: among those
// that the caller may read as they may, or all.
func (r theft) chosen(answer said, changes []change) error {
	t, verb, many := r.target()
	if t == nil || verb == query.Create || !many || t.Field("id") == nil {
		return nil
	}
	where, _ := r.op.set[0].given("where").(object)
	meant := map[string]bool{}
	if len(where) == 0 {
		for _, row := range r.rows[t.Name] {
			meant[row["id"].(string)] = true
		}
	} else {
		q := fmt.Sprintf("{ %s(where: %s, limit: 100) { id } }", t.Plural, spelled(where))
		s, err := hear(r.mirror.ask(r.callers[r.caller], q, nil))
		if err != nil || s.errors != nil {
			return fmt.Errorf("which rows are meant: %w %v\n%s", err, s.errors, q)
		}
		for _, row := range s.data.(object)[0].value.([]any) {
			meant[row.(object)[0].value.(string)] = true
		}
	}
	taken := 0
	for _, row := range r.rows[t.Name] {
		if meant[row["id"].(string)] && r.writable(t, verb, row) {
			taken++
		} else {
			delete(meant, row["id"].(string))
		}
	}
	for _, c := range changes {
		if id, _ := c.before["id"].(string); c.of == t && !meant[id] && r.permittedBesides(c) {
			return fmt.Errorf("%v, and the where does not mean it", c)
		}
	}
	for _, m := range answer.data.(object)[0].value.(object) {
		if n := r.op.set[0].set[slices.IndexFunc(r.op.set[0].set, func(n *node) bool { return n.alias == m.name })]; n.name == "affected" && shown(m.value) != fmt.Sprint(taken) {
			return fmt.Errorf("affected is %s, and %d rows are meant", shown(m.value), taken)
		}
	}
	return nil
}

// writable is whether a mutation may be of a row as it is, by the rules of its type and of the fields that
// it sets.
func (r theft) writable(t *schema.Type, verb query.Verb, row record) bool {
	fields := []string{""}
	for _, a := range r.op.set[0].args {
		if verb == query.Update {
			fields = append(fields, mentioned(a)...)
		}
	}
	return !slices.ContainsFunc(fields, func(name string) bool {
		return r.rules.may(r.callers[r.caller], policy{t.Name, name, verb}, r.rows, row) != isTrue
	})
}

// mentioned are the fields that an operator changes.
func mentioned(a arg) (names []string) {
	if a.in.Name == "where" || a.in.Name == "ifVersion" || a.in.Name == "id" {
		return nil
	}
	switch v := a.value.(type) {
	case object:
		for _, m := range v {
			names = append(names, m.name)
			if to, ok := m.value.(word); ok && a.in.Name == "rename" {
				names = append(names, string(to))
			}
		}
	case []any, word:
		names = words(v)
	}
	return names
}

// permittedBesides is whether a change is not one that follows from others.
func (r theft) permittedBesides(c change) bool {
	return c.after != nil && !slices.ContainsFunc(c.of.Fields, func(f *schema.Field) bool { return f.IsLink() })
}

// faithful says where returned rows are not as a query shows them, of the rows as they are now; deleted
// ones as they were.
func (r theft) faithful(answer said, after ledger) error {
	t, verb, many := r.target()
	if t == nil || t.Field("id") == nil {
		return nil
	}
	root, value := r.op.set[0], answer.data.(object)[0].value
	rows := []any{value}
	if verb != query.Delete {
		r.mirror.fill(r.rules.seen(r.callers[r.caller], r.Schema, after))
		defer r.mirror.fill(r.seen)
	}
	if many {
		at := slices.IndexFunc(root.set, func(n *node) bool { return n.name == "returning" })
		if at < 0 {
			return nil
		}
		root = root.set[at]
		rows, _ = value.(object)[at].value.([]any)
	}
	for _, row := range rows {
		o, _ := row.(object)
		id, _ := o.get(own)
		if row == nil || id == nil {
			continue
		}
		find := r.api.query.field(t.Single)
		n := &node{name: find.Name, alias: find.Name, of: r.api.query, field: find, args: []arg{{find.arg("id"), id}}, set: root.set}
		op := &operation{"query", []*node{n}}
		q := op.write(r.api, literals, 0)
		s, err := hear(r.mirror.ask(r.callers[r.caller], q.text, nil))
		if err != nil {
			return err
		}
		if s.errors != nil || shown(s.data.(object)[0].value) != shown(row) {
			return fmt.Errorf("returned is %s, and a query shows %s", shown(row), shown(s.value))
		}
	}
	return nil
}

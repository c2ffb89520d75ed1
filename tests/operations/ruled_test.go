package operations

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// ruled is a random schema with random rules, of which the meaning is known.
type ruled struct {
	open, closed string // the schema without its rules, and with them
	types        map[policy]formula
}

// policy is what a rule is for: a type, or a field.
type policy struct {
	typ, field string
	verb       query.Verb
}

var verbNames = map[query.Verb]string{query.Read: "read", query.Create: "create", query.Update: "update", query.Delete: "delete"}

// draft is a type before it has rules.
type draft struct {
	name, table string
	fields      []string
}

// randomRules is a random schema in which everything that a caller may do hangs on rules.
func randomRules(r *rand.Rand, dbs int) (*ruled, error) {
	drafts := drafted(r, dbs)
	text := func(auth func(typ, field string) string) string {
		var b strings.Builder
		for _, d := range drafts {
			fmt.Fprintf(&b, "type %s%s%s {\n", d.name, d.table, auth(d.name, ""))
			for _, f := range d.fields {
				name, _, _ := strings.Cut(f, ":")
				fmt.Fprintf(&b, "  %s%s\n", f, auth(d.name, name))
			}
			b.WriteString("}\n")
		}
		return b.String()
	}
	out := &ruled{types: map[policy]formula{}}
	out.open = text(func(_, field string) string {
		if field == "" {
			return ` @auth(read: "true", create: "true", update: "true", delete: "true")`
		}
		return ""
	})
	s, err := schema.Parse(schema.Source{Name: "open.graphql", Text: out.open})
	if err != nil {
		return nil, err
	}
	out.legislate(&lawyer{Rand: r, schema: s})
	out.closed = text(out.auth)
	return out, nil
}

// drafted are two to four types with links of every sort between them.
func drafted(r *rand.Rand, dbs int) []*draft {
	names := []string{"Alpha", "Beta", "Gamma", "Delta"}[:2+r.IntN(3)]
	var drafts []*draft
	in := func(i int) string {
		if i%dbs == 0 {
			return ""
		}
		return fmt.Sprintf(" @table(db: %q)", "db"+strconv.Itoa(i%dbs))
	}
	for i, name := range names {
		d := &draft{name: name, table: in(i), fields: []string{"id: ID! @primary", "own: ID", "s: String", "n: Int", "yes: Boolean"}}
		if r.IntN(2) == 0 {
			d.fields = append(d.fields, "u: String @unique")
		}
		if r.IntN(3) == 0 {
			d.fields[2] += " @search"
		}
		drafts = append(drafts, d)
		for n := range 1 + r.IntN(2) {
			to := drafts[r.IntN(len(drafts))]
			up, onDelete := fmt.Sprintf("up%d%d", i, n), ""
			if to.table == d.table {
				onDelete = pick(r, []string{"", "(onDelete: CASCADE)", "(onDelete: SET_NULL)"})
			}
			d.fields = append(d.fields, fmt.Sprintf("%s: %s @link%s", up, to.name, onDelete))
			if r.IntN(3) > 0 {
				to.fields = append(to.fields, fmt.Sprintf("down%d%d: [%s!]! @link(from: \"id\", to: \"%sId\")", i, n, name, up))
			}
		}
	}
	if a, b := drafts[0], drafts[len(drafts)-1]; r.IntN(2) == 0 {
		a.fields = append(a.fields, "friends: ["+b.name+"!]! @link")
		b.fields = append(b.fields, "fans: ["+a.name+"!]! @link")
	}
	if a, b := drafts[0], drafts[1]; r.IntN(2) == 0 {
		drafts = append(drafts, &draft{name: "Tie", table: in(r.IntN(dbs)), fields: []string{
			"aId: ID! @primary", "bId: ID! @primary", "s: String", "own: ID",
			"a: " + a.name + " @link(from: \"aId\", to: \"id\")", "b: " + b.name + " @link(from: \"bId\", to: \"id\")",
		}})
		a.fields = append(a.fields, "tied: ["+b.name+"!]! @link(through: \"Tie\")")
	}
	return drafts
}

// legislate gives types and fields rules.
func (s *ruled) legislate(l *lawyer) {
	for _, t := range l.schema.Types {
		if t.Owned {
			continue
		}
		for _, verb := range []query.Verb{query.Read, query.Create, query.Update, query.Delete} {
			if verb == query.Read && l.IntN(4) == 0 {
				l.names = 0
				s.types[policy{t.Name, "", verb}] = formula{"true", func(matter) verdict { return isTrue }}
			} else if l.IntN(12) > 0 {
				s.types[policy{t.Name, "", verb}] = l.rule(t)
			}
		}
		for _, f := range t.Fields {
			if f.NonNull || f.Inferred || f.IsLink() && (!f.Link.Owns || !f.Link.From[0].Inferred) {
				continue
			}
			for _, verb := range []query.Verb{query.Read, query.Create, query.Update} {
				if verb == query.Read && l.IntN(5) > 0 || verb != query.Read && l.IntN(12) > 0 {
					continue
				}
				rule := l.rule(t)
				s.types[policy{t.Name, f.Name, verb}] = rule
				if f.IsLink() { // its key says the same
					s.types[policy{t.Name, f.Link.From[0].Name, verb}] = rule
				}
			}
		}
	}
}

// auth is the directive of a type or a field.
func (s *ruled) auth(typ, field string) string {
	var parts []string
	for _, verb := range []query.Verb{query.Read, query.Create, query.Update, query.Delete} {
		if f, ok := s.types[policy{typ, field, verb}]; ok {
			parts = append(parts, fmt.Sprintf("%s: %q", verbNames[verb], f.text))
		}
	}
	if parts == nil {
		return ""
	}
	return " @auth(" + strings.Join(parts, ", ") + ")"
}

// may is what a rule says of a row to a caller, and for nil all that it might.
func (s *ruled) may(c *auth.Caller, p policy, rows ledger, r record) verdict {
	f, ok := s.types[p]
	switch {
	case ok:
		return f.of(c, rows, r)
	case p.field != "":
		return isTrue
	}
	return isFalse
}

// seen are the rows that a caller may read, without the cells that they may not.
func (s *ruled) seen(c *auth.Caller, of *schema.Schema, rows ledger) ledger {
	out := ledger{}
	for _, t := range of.Types {
		for _, r := range rows[t.Name] {
			if t.Owned || s.may(c, policy{t.Name, "", query.Read}, rows, r) == isTrue {
				out[t.Name] = append(out[t.Name], s.masked(c, t, rows, r))
			}
		}
	}
	for _, t := range of.Types {
		for _, f := range t.Fields { // a join row of ours is there with both its ends
			if f.IsLink() && f.Link.Through != nil && f.Link.Through.Owned {
				out[f.Link.Through.Name] = slices.DeleteFunc(out[f.Link.Through.Name], func(join record) bool {
					return out.matching(t, f.Link.From, join, f.Link.ThroughFrom) == nil
				})
			}
		}
	}
	return out
}

func (s *ruled) masked(c *auth.Caller, t *schema.Type, rows ledger, r record) record {
	out := record{}
	for _, f := range t.Columns {
		if s.may(c, policy{t.Name, f.Name, query.Read}, rows, r) == isTrue {
			out[f.Name] = r[f.Name]
		}
	}
	return out
}

// populated are random rows; those of a type link to rows before them.
func populated(r *rand.Rand, s *schema.Schema) ledger {
	rows := ledger{}
	values := map[schema.Scalar][]any{
		schema.ID: {"1", "2", "3", nil}, schema.String: {"a", "ann", "x", nil}, schema.Int: {int64(0), int64(1), int64(2), nil}, schema.Boolean: {true, false, nil},
	}
	for _, t := range tables(s) {
		leads := map[*schema.Field][]record{}
		for _, f := range t.Fields {
			if f.IsLink() && f.Link.Owns {
				leads[f.Link.From[0]] = rows[f.Link.Target.Name]
			}
		}
		for i := range 7 {
			row := record{}
			for _, f := range t.Columns {
				there, isKey := leads[f]
				row[f.Name] = nil
				switch {
				case f.Name == "id":
					row[f.Name] = strconv.Itoa(i + 1)
				case f.Name == "u":
					row[f.Name] = pick(r, []any{"u" + strconv.Itoa(i), nil})
				case isKey && f.Link == nil && len(there) > 0 && (f.NonNull || r.IntN(4) > 0):
					row[f.Name] = pick(r, there)["id"]
				case !isKey:
					row[f.Name] = pick(r, values[f.Scalar])
				}
				if f.Link == nil && isKey && f.Owner == t && r.IntN(4) > 0 && len(rows[t.Name]) > 0 && selfLinked(t, f) {
					row[f.Name] = pick(r, rows[t.Name])["id"]
				}
			}
			if !slices.ContainsFunc(rows[t.Name], func(other record) bool { return same(other, t.Primary, row, t.Primary) }) {
				rows[t.Name] = append(rows[t.Name], row)
			}
		}
	}
	return rows
}

func selfLinked(t *schema.Type, key *schema.Field) bool {
	return slices.ContainsFunc(t.Fields, func(f *schema.Field) bool {
		return f.IsLink() && f.Link.Owns && f.Link.Target == t && f.Link.From[0] == key
	})
}

// tables are those of a schema, each after those that it links to.
func tables(s *schema.Schema) (out []*schema.Type) {
	for _, owned := range []bool{false, true} {
		for _, t := range s.Types {
			if t.Kind == schema.Table && t.Owned == owned {
				out = append(out, t)
			}
		}
	}
	return out
}

// fill makes the rows of a database those of a ledger.
func (w *world) fill(rows ledger) {
	w.t.Helper()
	all := tables(w.Schema)
	for _, t := range slices.Backward(all) {
		w.write(t, query.Write{Verb: query.Delete, Type: t})
	}
	for _, t := range all {
		insert := query.Write{Verb: query.Create, Type: t, Columns: t.Columns}
		for _, r := range rows[t.Name] {
			values := make([]schema.Value, len(t.Columns))
			for i, f := range t.Columns {
				values[i] = valued(r[f.Name])
			}
			insert.Rows = append(insert.Rows, values)
		}
		if insert.Rows != nil {
			w.write(t, insert)
		}
	}
}

func (w *world) write(t *schema.Type, what query.Write) {
	w.t.Helper()
	err := database.New(t.DB, w.Drivers[t.DB]).Tx(w.t.Context(), func(tx driver.Tx) error {
		_, err := tx.Write(w.t.Context(), rules.SystemWrite(what), query.Binding{})
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func valued(v any) schema.Value {
	switch v := v.(type) {
	case string:
		return schema.Text(v)
	case int64:
		return schema.Integer(v)
	case bool:
		return schema.Bool(v)
	}
	return schema.Null
}

// ledger is all rows of the databases.
func (w *world) ledger() ledger {
	w.t.Helper()
	out := ledger{}
	for _, t := range tables(w.Schema) {
		for _, values := range served.Values(w.t, w.Drivers[t.DB], t, t.Columns) {
			r := record{}
			for i, f := range t.Columns {
				r[f.Name] = native(f, values[i])
			}
			out[t.Name] = append(out[t.Name], r)
		}
	}
	return out
}

func native(f *schema.Field, v schema.Value) any {
	switch {
	case v.IsNull():
		return nil
	case f.Scalar == schema.Int:
		return v.Int()
	case f.Scalar == schema.Boolean:
		return v.Bool()
	}
	return v.Text()
}

func assailants() map[string]*auth.Caller {
	claimed := func(c *auth.Caller, name string, level float64, teams ...any) *auth.Caller {
		c.Claims["name"], c.Claims["level"] = name, level
		if teams != nil {
			c.Claims["teams"] = teams
		}
		return c
	}
	return map[string]*auth.Caller{
		"nobody": nobody(),
		"ann":    claimed(caller("1", ""), "ann", 1, "a", "ann"),
		"bob":    claimed(caller("2", "admin"), "x", 2),
		"eve":    caller("stranger", ""),
	}
}

func siege(t testing.TB, on served.Kind, s *ruled) (besieged, mirror *play) {
	t.Helper()
	closed := schema.Source{Name: "closed.graphql", Text: s.closed}
	besieged = &play{stage: stage{name: "closed", callers: assailants()}, world: open(t, on, closed)}
	besieged.api = introspect(t, besieged.world)
	w := &world{t: t, log: &journal{}}
	w.Server = served.Text(t, served.SQLite, s.open, served.Options{Log: w.log, Dangling: true})
	mirror = &play{stage: stage{name: "open", callers: assailants()}, world: w}
	return besieged, mirror
}

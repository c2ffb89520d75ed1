package resolvers_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/fault"
	"spacecloud/migrate"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

const apartSDL = `
type A @table(db: "%[1]s") @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary  s: String  n: Int  touched: Int
  b: B @link(from: "bId", to: "id")  bId: ID
  p: P @link(from: ["px", "py"], to: ["x", "y"])  px: Int  py: String
  bs: [B!]! @link(through: "J")
}
type B @table(db: "%[2]s") @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary  s: String  n: Int  touched: Int
  as: [A!]! @link(from: "id", to: "bId")
  p: P @link(from: ["px", "py"], to: ["x", "y"])  px: Int  py: String
  us: [A!]! @link(through: "J")
}
type P @table(db: "%[3]s") @auth(read: "true", create: "true", update: "true") {
  x: Int! @primary  y: String! @primary  id: ID! @unique  s: String  n: Int  touched: Int
  as: [A!]! @link(from: ["x", "y"], to: ["px", "py"])
  b: B @link(from: "bId", to: "id")  bId: ID
}
type J @table(db: "%[4]s") @auth(read: "true", create: "true", update: "true") { id: ID! @primary  s: String  n: Int  touched: Int  a: A! @link  b: B! @link }
`

// apartLaw is the rows of a schema whose types live in several databases, in them and in memory.
type apartLaw struct {
	*rand.Rand
	*world
	rows    map[*schema.Type][]*memory
	binding query.Binding
}

// memory is a row as query.Holds sees it.
type memory struct {
	law    *apartLaw
	values map[*schema.Field]schema.Value
}

func (m *memory) Value(f *schema.Field) schema.Value { return m.values[f] }

func (m *memory) All(t *schema.Type) []query.Row {
	var out []query.Row
	for _, row := range m.law.rows[t] {
		out = append(out, row)
	}
	return out
}

func (m *memory) Linked(f *schema.Field) []query.Row {
	l := f.Link
	var out []query.Row
	for _, to := range m.law.rows[l.Target] {
		leads := l.Through == nil && agree(m, l.From, to, l.To) ||
			l.Through != nil && slices.ContainsFunc(m.law.rows[l.Through], func(j *memory) bool {
				return agree(m, l.From, j, l.ThroughFrom) && agree(j, l.ThroughTo, to, l.To)
			})
		if leads {
			out = append(out, to)
		}
	}
	return out
}

func agree(a *memory, as []*schema.Field, b *memory, bs []*schema.Field) bool {
	for i := range as {
		x, y := a.values[as[i]], b.values[bs[i]]
		if x.IsNull() || y.IsNull() || x.Compare(y) != 0 {
			return false
		}
	}
	return true
}

// newApartLaw spreads the types over the databases named.
func newApartLaw(t *testing.T, on served.Kind, seed uint64, homes ...any) *apartLaw {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: fmt.Sprintf(apartSDL, homes...)})
	check(t, err)
	set, err := rules.Compile(s)
	check(t, err)
	dbs := map[string]*database.DB{}
	for _, name := range s.Databases() {
		d := on.Of(s, name).Open(t)
		_, err = migrate.Apply(t.Context(), served.Must(migrate.Target(name, d))(t), s, migrate.Options{})
		check(t, err)
		dbs[name] = database.New(name, d)
	}
	r, err := resolvers.New(resolvers.Config{Schema: s, Rules: set, Databases: dbs})
	check(t, err)
	law := &apartLaw{rand.New(rand.NewPCG(seed, 3)), &world{Resolvers: r, t: t, schema: s, rules: set}, map[*schema.Type][]*memory{}, query.Binding{}}
	law.fillApart()
	return law
}

func (law *apartLaw) fillApart() {
	maybe := func(v any) any {
		if law.IntN(4) == 0 {
			return nil
		}
		return v
	}
	one := func(prefix string, n int) any { return fmt.Sprint(prefix, law.IntN(n)) }
	base := func(prefix string, i int) map[string]any {
		return map[string]any{"id": fmt.Sprint(prefix, i), "s": maybe(one("s", 3)), "n": maybe(int64(law.IntN(3)))}
	}
	pairs := func(row map[string]any) map[string]any {
		row["px"], row["py"] = maybe(int64(law.IntN(3))), maybe(one("s", 3))
		return row
	}
	var as, bs, ps, js []map[string]any
	for i := range 12 {
		a := pairs(base("a", i))
		a["bId"] = maybe(one("b", 7)) // b6 is nowhere: nothing holds a key across databases
		as = append(as, a)
	}
	for i := range 6 {
		bs = append(bs, pairs(base("b", i)))
	}
	for i := range 6 {
		p := base("p", i)
		p["x"], p["y"], p["bId"] = int64(i/3), fmt.Sprint("s", i%3), maybe(one("b", 6))
		ps = append(ps, p)
	}
	for i := range 14 {
		j := base("j", i)
		j["aId"], j["bId"] = one("a", 12), one("b", 6)
		js = append(js, j)
	}
	// Where a foreign key holds a link, it leads to a row or is null; where two lead in a circle, one
	// of them is null.
	held := func(typ, link string) bool { return law.schema.Type(typ).Field(link).Link.Enforced }
	for _, a := range as {
		if held("A", "b") && a["bId"] == "b6" {
			a["bId"] = nil
		}
	}
	unpair := func(rows []map[string]any, all bool) {
		for _, row := range rows {
			if all || row["px"] == int64(2) || row["px"] == nil || row["py"] == nil {
				row["px"], row["py"] = nil, nil
			}
		}
	}
	if held("A", "p") {
		unpair(as, false)
	}
	order := []string{"B", "P", "A", "J"}
	if held("B", "p") {
		unpair(bs, held("P", "b"))
		if !held("P", "b") {
			order = []string{"P", "B", "A", "J"}
		}
	}
	all := map[string][]map[string]any{"A": as, "B": bs, "P": ps, "J": js}
	for _, name := range order {
		law.insert(name, all[name]...)
		t := law.schema.Type(name)
		for _, doc := range all[name] {
			row := &memory{law, map[*schema.Field]schema.Value{}}
			for _, f := range t.Columns {
				if doc[f.Name] != nil {
					v, err := f.Coerce(doc[f.Name])
					check(law.t, err)
					row.values[f] = v
				}
			}
			law.rows[t] = append(law.rows[t], row)
		}
	}
}

func (law *apartLaw) links(t *schema.Type, many bool) []*schema.Field {
	var out []*schema.Field
	for _, f := range t.Fields {
		if f.IsLink() && f.Link.Many == many {
			out = append(out, f)
		}
	}
	return out
}

func chosen[T any](law *apartLaw, from []T) T { return from[law.IntN(len(from))] }

// where is a random condition on rows of the last of scope.
func (law *apartLaw) where(scope []*schema.Type, depth int) query.Where {
	if depth == 0 {
		return law.leaf(scope)
	}
	t := scope[len(scope)-1]
	inside := func(of *schema.Type) query.Where { return law.where(append(slices.Clip(scope), of), depth-1) }
	switch law.IntN(14) {
	case 0:
		return query.And{law.where(scope, depth-1), law.where(scope, depth-1)}
	case 1:
		return query.Or{law.where(scope, depth-1), law.where(scope, depth-1)}
	case 2, 3:
		return query.Not{Where: law.where(scope, depth-1)}
	case 4:
		return query.Untrue{Where: law.where(scope, depth-1)}
	case 5, 6:
		if links := law.links(t, true); len(links) > 0 {
			link := chosen(law, links)
			return query.Some{Link: link, Where: inside(link.Link.Target)}
		}
	case 7, 8:
		if links := law.links(t, false); len(links) > 0 {
			link := chosen(law, links)
			one := query.One{Link: link, Where: inside(link.Link.Target)}
			if law.IntN(2) == 0 {
				one.If = inside(link.Link.Target)
			}
			return one
		}
	case 9, 10:
		if links := law.links(t, true); len(links) > 0 {
			link := chosen(law, links)
			count := query.Count{Link: link, Op: query.Op(law.IntN(6)), Right: law.given(schema.Integer(int64(law.IntN(4))), schema.Int)}
			switch law.IntN(6) {
			case 0:
				count.Right = law.given(schema.Null, schema.Int)
			case 1:
				count.Op, count.Right = chosen(law, []query.Op{query.In, query.Nin}), law.given(schema.List([]schema.Value{schema.Integer(1), schema.Integer(0), schema.Null}[:law.IntN(4)]), schema.Int)
			}
			if law.IntN(2) == 0 {
				count.Where = inside(link.Link.Target)
			}
			return count
		}
	case 11, 12:
		of := law.schema.Type(chosen(law, []string{"A", "B", "P", "J"}))
		return query.Exists{Type: of, Where: query.And{law.tie(scope, of), inside(of)}}
	}
	return law.leaf(scope)
}

// tie is what makes rows of a type belong to outer ones: columns that are equal.
func (law *apartLaw) tie(scope []*schema.Type, of *schema.Type) query.Where {
	var out query.And
	for range law.IntN(3) {
		near := law.column(scope)
		near.Up++
		for range 20 {
			far := query.Col(chosen(law, of.Columns))
			if far.Field.Scalar == near.Field.Scalar && far.Field.Name != "touched" {
				w := query.Compare{Left: far, Op: query.Eq, Right: near}
				if law.IntN(2) == 0 {
					w.Left, w.Right = w.Right, w.Left
				}
				out = append(out, w)
				break
			}
		}
	}
	return out
}

// column is a column of a row in scope, mostly the last, often behind to-one links.
func (law *apartLaw) column(scope []*schema.Type) query.Operand {
	o := query.Operand{Kind: query.Column}
	if law.IntN(6) == 0 {
		o.Up = law.IntN(len(scope))
	}
	t := scope[len(scope)-1-o.Up]
	for law.IntN(3) == 0 {
		links := law.links(t, false)
		if len(links) == 0 {
			break
		}
		link := chosen(law, links)
		o.Via, t = append(o.Via, link), link.Link.Target
	}
	for o.Field == nil || o.Field.Name == "touched" {
		o.Field = chosen(law, t.Columns)
	}
	return o
}

func (law *apartLaw) leaf(scope []*schema.Type) query.Where {
	o := law.column(scope)
	value := func() schema.Value {
		switch {
		case law.IntN(8) == 0:
			return schema.Null
		case o.Field.Scalar == schema.Int:
			return schema.Integer(int64(law.IntN(3)))
		case o.Field.Scalar == schema.String:
			return schema.Text(fmt.Sprint("s", law.IntN(3)))
		}
		return schema.Text(fmt.Sprint(chosen(law, []string{"a", "b", "p"}), law.IntN(6)))
	}
	switch law.IntN(7) {
	case 0:
		return query.IsNull{Operand: o}
	case 1, 2:
		var list []schema.Value
		for range law.IntN(4) {
			list = append(list, value())
		}
		return query.Compare{Left: o, Op: chosen(law, []query.Op{query.In, query.Nin}), Right: law.given(schema.List(list), o.Field.Scalar)}
	case 3:
		other := law.column(scope)
		if other.Field.Scalar == o.Field.Scalar {
			return query.Compare{Left: o, Op: query.Op(law.IntN(6)), Right: other}
		}
	}
	return query.Compare{Left: o, Op: query.Op(law.IntN(6)), Right: law.given(value(), o.Field.Scalar)}
}

func (law *apartLaw) given(v schema.Value, s schema.Scalar) query.Operand {
	if law.IntN(2) == 0 {
		return query.Operand{Kind: query.Constant, Value: v, Scalar: s}
	}
	law.binding.Args = append(law.binding.Args, v)
	return query.Operand{Kind: query.Arg, Index: len(law.binding.Args) - 1, Scalar: s}
}

// Wherever the types live, a condition admits the rows for which query.Holds is true, or is refused
// as one that compares databases.
func TestConditionsHoldAcrossDatabases(t *testing.T) {
	t.Run(served.SQLite.Name, func(t *testing.T) { conditionsHoldAcrossDatabases(t, served.SQLite, 10) })
	t.Run("mixed", func(t *testing.T) {
		served.Mixed(t, func(t *testing.T, on served.Kind) { conditionsHoldAcrossDatabases(t, on, 2) })
	})
}

func conditionsHoldAcrossDatabases(t *testing.T, on served.Kind, seeds uint64) {
	homes := []any{"one", "two", "three"}
	asked, refused, matched := 0, 0, 0
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		law := newApartLaw(t, on, seed, chosenHomes(r, homes)...)
		for range 250 {
			law.binding = query.Binding{}
			typ := law.schema.Type(chosen(law, []string{"A", "B", "P"}))
			w := law.where([]*schema.Type{typ}, 4)
			asked++
			n, err := law.same(typ, w)
			if err != nil {
				if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "database") {
					t.Fatalf("%s where %s: %v", typ.Name, w, err)
				}
				refused++
			}
			matched += n
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d asked, %d refused, %d rows", asked, refused, matched)
	if refused > asked/3 || matched < asked {
		t.Errorf("of %d conditions %d were refused, and %d rows met the others, which says little", asked, refused, matched)
	}
}

func chosenHomes(r *rand.Rand, homes []any) []any {
	out := make([]any, 4)
	for i := range out {
		out[i] = homes[r.IntN(len(homes))]
	}
	return out
}

// same compares a read and a bulk write with query.Holds, and is how many rows met the condition.
func (law *apartLaw) same(typ *schema.Type, w query.Where) (int, error) {
	law.t.Helper()
	var want []string
	id := typ.Field("id")
	for _, row := range law.rows[typ] {
		if query.Holds(w, row, law.binding) == query.True {
			want = append(want, row.values[id].Text())
		}
	}
	slices.Sort(want)
	f := &query.Find{Type: typ, Items: law.columns(typ.Name, "id"), Where: w, OrderBy: []query.Order{{Field: id}}}
	answer, err := law.Find(f).Run(law.t.Context(), auth.System(now), law.binding.Args, nil)
	if err != nil {
		return 0, err
	}
	var rows []struct{ ID string }
	check(law.t, json.Unmarshal(answer, &rows))
	var got []string
	for _, row := range rows {
		got = append(got, row.ID)
	}
	if !slices.Equal(got, want) {
		law.t.Errorf("%s where %s\n%v\ngot  %v\nwant %v", typ.Name, w, law.binding.Args, got, want)
	}
	if len(law.binding.Args) == 0 {
		touch := resolvers.Change{
			Name: "touch", Verb: query.Update, Type: typ, Where: w,
			Set:    []resolvers.Assign{{Assign: query.Assign{Field: typ.Field("touched"), Value: query.Const(schema.Integer(1))}}},
			Answer: resolvers.Answer{Members: []resolvers.Member{{Affected: true}}},
		}
		affected, err := law.Write(law.t.Context(), auth.System(now), []resolvers.Change{touch}, nil)
		check(law.t, err)
		if string(affected) != fmt.Sprint(len(want)) {
			law.t.Errorf("update of %s where %s\nwrote %s rows\nwant %v", typ.Name, w, affected, want)
		}
	}
	return len(want), nil
}

// A condition in conditions, each turned around, is asked of the other database twice at each step, and
// not twice for each question before.
func TestQuestionsDoNotMultiply(t *testing.T) {
	law := newApartLaw(t, served.SQLite, 1, "one", "two", "one", "two")
	var w query.Where = query.True
	for i := range 40 {
		link := law.schema.Type("A").Field("b")
		leaf := query.Compare{Left: query.Col(law.schema.Type("B").Field("n")), Op: query.Gt, Right: query.Const(schema.Integer(int64(i)))}
		if i%2 == 1 {
			link = law.schema.Type("P").Field("b")
			leaf.Left.Field = law.schema.Type("B").Field("s")
			leaf.Right = query.Const(schema.Text("s1"))
		}
		if i%2 == 0 {
			w = query.Not{Where: query.One{Link: link, Where: query.Or{leaf, w}}}
			continue
		}
		w = query.One{Link: law.schema.Type("B").Field("p"), Where: query.Not{Where: query.Or{query.One{Link: link, Where: leaf}, query.Some{Link: law.schema.Type("P").Field("as"), Where: w}}}}
	}
	if _, err := law.same(law.schema.Type("B"), w); err != nil {
		t.Fatal(err)
	}
	text, err := law.Find(&query.Find{Type: law.schema.Type("B"), Items: law.columns("B", "id"), Where: w}).Explain(auth.System(now))
	check(t, err)
	if n := strings.Count(text, "\n"); n > 2000 {
		t.Errorf("the plan has %d lines", n)
	}
}

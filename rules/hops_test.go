package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const people = `
type User @auth(read: "doc.open || doc.boss.name == auth.id") { id: ID! @primary  open: Boolean  name: String  boss: User @link  posts: [Post!]! @link  groups: [Group!]! @link(through: "Membership") }
type Post @auth(read: "doc.open && doc.author.name != auth.id") { id: ID! @primary  open: Boolean  name: String  author: User @link }
type Group @auth(read: "doc.open") { id: ID! @primary  open: Boolean  name: String  users: [User!]! @link(through: "Membership") }
type Membership @auth(read: "doc.open") { id: ID! @primary  open: Boolean  user: User! @link  group: Group! @link }
`

// record is a row of a small world. With readable set, the world is what a caller may read:
// other rows are not there, and links to them lead nowhere.
type record struct {
	of       *schema.Type
	values   map[string]schema.Value
	all      *[]*record
	readable func(*record) bool
}

func (r *record) Value(f *schema.Field) schema.Value { return r.values[f.Name] }

func (r *record) Linked(link *schema.Field) []query.Row {
	l := link.Link
	same := func(a query.Row, as []*schema.Field, b query.Row, bs []*schema.Field) bool {
		from, to := a.Value(as[0]), b.Value(bs[0])
		return !from.IsNull() && from.Text() == to.Text()
	}
	return r.where(func(o *record) bool {
		if o.of != l.Target || l.Through == nil {
			return o.of == l.Target && same(r, l.From, o, l.To)
		}
		return slices.ContainsFunc(r.All(l.Through), func(join query.Row) bool {
			return same(r, l.From, join, l.ThroughFrom) && same(join, l.ThroughTo, o, l.To)
		})
	})
}

func (r *record) All(t *schema.Type) []query.Row {
	return r.where(func(o *record) bool { return o.of == t })
}

func (r *record) where(is func(*record) bool) (out []query.Row) {
	for _, o := range *r.all {
		if is(o) && (r.readable == nil || r.readable(o)) {
			seen := *o
			seen.readable = r.readable
			out = append(out, &seen)
		}
	}
	return out
}

// Whatever a client asks through links, the answer is as if the rows that it may not read
// were not there.
func TestHopsSeeWhatTheCallerMayRead(t *testing.T) {
	s := compile(t, people)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	ann := caller(map[string]any{"id": "x"})
	random := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		world := randomWorld(random, s)
		typ := pick(random, s.Type("User"), s.Type("Post"), s.Type("Group"))
		where := randomWhere(random, typ, 3)
		n, err := set.Level(ann, query.Read, query.Level{Type: typ, Where: where})
		if err != nil {
			t.Fatal(err)
		}
		b := query.Binding{Claims: make([]schema.Value, set.Operands())}
		set.Claims(ann, claimsOf(n), b.Claims)
		for _, r := range world {
			if r.of != typ {
				continue
			}
			seen := *r
			seen.readable = mayRead
			want := mayRead(r) && query.Holds(where, &seen, b) == query.True
			if got := query.Holds(n.Level().Where, r, b) == query.True; got != want {
				t.Fatalf("%s\nbecame %s\nof %v: %v, want %v", where, n.Level().Where, r.values, got, want)
			}
		}
	}
}

// mayRead is the rules of people, for the caller x.
func mayRead(r *record) bool {
	full := *r
	full.readable = nil
	name := func(link string) schema.Value {
		rows := full.Linked(r.of.Field(link))
		if len(rows) == 0 {
			return schema.Null
		}
		return rows[0].Value(r.of.Field("name"))
	}
	open := !r.values["open"].IsNull() && r.values["open"].Bool()
	switch r.of.Name {
	case "Group", "Membership":
		return open
	case "User":
		return open || name("boss").Text() == "x"
	}
	author := name("author")
	return open && !author.IsNull() && author.Text() != "x"
}

func randomWorld(r *rand.Rand, s *schema.Schema) []*record {
	var world []*record
	value := func() schema.Value {
		return pick(r, schema.Null, schema.Text("0"), schema.Text("1"), schema.Text("2"))
	}
	add := func(of, id, link string) {
		world = append(world, &record{of: s.Type(of), all: &world, values: map[string]schema.Value{
			"id":   schema.Text(id),
			"open": pick(r, schema.Null, schema.Bool(true), schema.Bool(false)),
			"name": pick(r, schema.Null, schema.Text("x"), schema.Text("y")),
			link:   value(),
		}})
	}
	for i := range 3 {
		add("User", fmt.Sprint(i), "bossId")
		add("Post", fmt.Sprint(i), "authorId")
		add("Group", fmt.Sprint(i), "")
		add("Membership", fmt.Sprint(i), "userId")
		world[len(world)-1].values["groupId"] = value()
	}
	return world
}

func randomWhere(r *rand.Rand, of *schema.Type, depth int) query.Where {
	if depth == 0 {
		return query.Compare{Left: query.Col(of.Field("name")), Op: pick(r, query.Eq, query.Ne), Right: query.Const(schema.Text("x"))}
	}
	inner := func() query.Where { return randomWhere(r, of, depth-1) }
	many := of.Field(pick(r, "posts", "groups"))
	switch of.Name {
	case "Group":
		many = of.Field("users")
	case "Post":
		many = nil
	}
	if many != nil && r.IntN(3) == 0 {
		return randomMany(r, many, depth)
	}
	switch r.IntN(6) {
	case 0:
		return query.And{inner(), inner()}
	case 1:
		return query.Or{inner(), inner()}
	case 2:
		return query.Not{Where: inner()}
	case 3:
		return query.Untrue{Where: inner()}
	}
	if of.Name == "Group" {
		return inner()
	}
	return randomOne(r, of, depth)
}

// randomOne asks along a to-one link.
func randomOne(r *rand.Rand, of *schema.Type, depth int) query.Where {
	link := of.Field("boss")
	if of.Name == "Post" {
		link = of.Field("author")
	}
	path := query.Operand{Kind: query.Column, Field: link.Link.Target.Field("name"), Via: []*schema.Field{link}}
	if r.IntN(2) == 0 {
		path.Via = append(path.Via, link.Link.Target.Field("boss"))
	}
	switch r.IntN(4) {
	case 0:
		return query.Compare{Left: path, Op: pick(r, query.Eq, query.Ne), Right: query.Const(schema.Text("x"))}
	case 1:
		return query.IsNull{Operand: path}
	case 2:
		return query.Some{Link: link, Where: randomWhere(r, link.Link.Target, depth-1)}
	}
	return query.One{Link: link, Where: randomWhere(r, link.Link.Target, depth-1)}
}

// randomMany asks along a to-many link: some, every or how many.
func randomMany(r *rand.Rand, link *schema.Field, depth int) query.Where {
	inner := randomWhere(r, link.Link.Target, depth-1)
	switch r.IntN(4) {
	case 0:
		return query.Not{Where: query.Some{Link: link, Where: query.Untrue{Where: inner}}}
	case 1:
		count := query.Count{Link: link, Op: pick(r, query.Eq, query.Gt, query.Lte), Right: query.Const(schema.Integer(int64(r.IntN(3))))}
		if r.IntN(2) == 0 {
			count.Where = inner
		}
		return count
	}
	return query.Some{Link: link, Where: inner}
}

// Rules that read each other's types end: what a rule reads, it reads whatever the rules say, and
// each hop of a client is AND-ed with one rule.
func TestRulesThatReadEachOther(t *testing.T) {
	s := compile(t, `
type A @auth(read: "doc.open || doc.b.open") { id: ID! @primary  open: Boolean  b: B @link }
type B @auth(read: "doc.list.exists(a, a.open)") { id: ID! @primary  open: Boolean  list: [A!]! @link }`)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	b, list := s.Type("A").Field("b"), s.Type("B").Field("list")
	hops := func(n int) query.Where {
		w := query.Where(query.True)
		for range n {
			w = query.Some{Link: b, Where: query.Some{Link: list, Where: w}}
		}
		return w
	}
	got := func(n int) string {
		l, err := set.Level(ann, query.Read, query.Level{Type: s.Type("A"), Where: hops(n)})
		if err != nil {
			t.Fatal(err)
		}
		return l.Level().Where.String()
	}
	const ofA, ofB = "(open = true or b.open = true)", "some list (open = true)"
	if want := "(some b ((some list (" + ofA + ") and " + ofB + ")) and " + ofA + ")"; got(1) != want {
		t.Errorf("got  %s\nwant %s", got(1), want)
	}
	for n := 1; n < 12; n++ {
		if here := strings.Count(got(n), ofA) + strings.Count(got(n), ofB); here != 2*n+1 {
			t.Errorf("%d times there and back are AND-ed with %d rules", n, here)
		}
	}
}

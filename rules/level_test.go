package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// shop has rules of every kind on what a client can ask about.
const shop = `
type User @auth(read: "auth.role == 'staff' || doc.id == auth.id", create: "auth.role == 'staff'", update: "doc.id == auth.id") {
  id: ID! @primary
  name: String
  salary: Int @auth(read: "auth.role == 'boss' || doc.id == auth.id", update: "auth.role == 'boss'")
  secret: String @hidden
  note: String @auth(read: "auth.role == 'boss'", create: "doc.name != 'x'", update: "doc.name != 'x'")
  boss: User @link
  orders: [Order!]! @link
}
type Order @auth(read: "doc.public", create: "auth.id == doc.buyerId", update: "auth.id == doc.buyerId", delete: "auth.role == 'boss'") {
  id: ID! @primary
  public: Boolean
  total: Int
  buyer: User @link
  vault: Vault @link
  shelf: Shelf @link
  hands: [Hand!]! @link
}
type Vault { id: ID! @primary  code: String }
type Shelf @auth(read: "true") { id: ID! @primary  row: Int @auth(read: "auth.role == 'boss'") }
type Hand @auth(read: "true") { id: ID! @primary  orders: [Order!]! @link }
`

type shopping struct {
	*schema.Schema
	set *rules.Set
}

func openShop(t testing.TB) shopping {
	t.Helper()
	s := compile(t, shop)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return shopping{s, set}
}

func (s shopping) field(typ, name string) *schema.Field { return s.Type(typ).Field(name) }

func (s shopping) is(typ, name, value string, via ...string) query.Compare {
	left := query.Operand{Kind: query.Column}
	of := s.Type(typ)
	for _, v := range via {
		left.Via = append(left.Via, of.Field(v))
		of = of.Field(v).Link.Target
	}
	left.Field = of.Field(name)
	return query.Compare{Left: left, Op: query.Eq, Right: query.Const(schema.Text(value))}
}

func as(role string) *auth.Caller { return caller(map[string]any{"id": "ann", "role": role}) }

func TestWhatAClientMayAsk(t *testing.T) {
	s := openShop(t)
	some := func(typ, link string, w query.Where) query.Where {
		return query.Some{Link: s.field(typ, link), Where: w}
	}
	buyerName := s.is("Order", "name", "x", "buyer")
	for _, test := range []struct {
		name  string
		as    *auth.Caller
		on    string
		where query.Where
		want  string
	}{
		{"all", as("staff"), "User", nil, "all"},
		{"the rule alone", as("guest"), "User", nil, "id = @0"},
		{"beside the filter", as("guest"), "User", s.is("User", "name", "x"), `(name = "x" and id = @0)`},
		{"the filter alone", as("staff"), "User", s.is("User", "name", "x"), `name = "x"`},
		{"or is kept together", as("guest"), "User", query.Or{s.is("User", "name", "x"), s.is("User", "name", "y")}, `((name = "x" or name = "y") and id = @0)`},
		{"a hop to many", as("staff"), "User", some("User", "orders", query.True), "some orders (public = true)"},
		{"a hop to one", as("staff"), "User", some("User", "boss", s.is("User", "name", "x")), `some boss (name = "x")`},
		{"a hop to one with a rule", as("guest"), "User", some("User", "boss", s.is("User", "name", "x")), `(some boss ((name = "x" and id = @0)) and id = @0)`},
		{
			"every is of those that can be read", as("staff"), "User",
			query.Not{Where: some("User", "orders", query.Untrue{Where: s.is("Order", "total", "1")})},
			`not (some orders ((untrue (total = "1") and public = true)))`,
		},
		{"two hops", as("guest"), "User", some("User", "boss", some("User", "orders", query.True)), "(some boss ((some orders (public = true) and id = @0)) and id = @0)"},
		{"a hop to nowhere", as("guest"), "Order", some("Order", "vault", query.True), "false"},
		{"not a hop to nowhere", as("staff"), "Order", query.Not{Where: some("Order", "vault", query.True)}, "public = true"},
		{"a hop through a join table", as("staff"), "Order", some("Order", "hands", query.True), "(some hands (true) and public = true)"},
		{"a path", as("staff"), "Order", buyerName, `(buyer.name = "x" and public = true)`},
		{"a path with a rule", as("guest"), "Order", buyerName, `(buyer.name = "x" and some buyer (id = @0) and public = true)`},
		{
			"not of a path with a rule", as("guest"), "Order",
			query.Not{Where: buyerName},
			`(not (((buyer.name = "x" and some buyer (id = @0)) or (not (some buyer (id = @0)) and unknown))) and public = true)`,
		},
		{
			"a long path", as("guest"), "Order", s.is("Order", "name", "x", "buyer", "boss"),
			`(buyer.boss.name = "x" and some buyer ((id = @0 and some boss (id = @0))) and public = true)`,
		},
		{
			"null at the end of a path with a rule", as("guest"), "Order",
			query.IsNull{Operand: buyerName.Left},
			`((buyer.name is null or not (some buyer (id = @0))) and public = true)`,
		},
		{"exists", as("guest"), "User", query.Exists{Type: s.Type("Order"), Where: query.True}, "(exists Order (public = true) and id = @0)"},
		{"hidden", as("boss"), "User", s.is("User", "secret", "x"), "read of User.secret is not allowed"},
		{"a field rule that claims allow", as("boss"), "User", s.is("User", "salary", "1"), `(salary = "1" and id = @0)`},
		{"a field rule that rows decide", as("staff"), "User", s.is("User", "salary", "1"), "read of User.salary is not allowed"},
		{"a field rule at the end of a path", as("staff"), "Order", s.is("Order", "row", "1", "shelf"), "read of Shelf.row is not allowed"},
		{"a field rule behind a hop", as("staff"), "Order", some("Order", "shelf", s.is("Shelf", "row", "1")), "read of Shelf.row is not allowed"},
		{"a field rule, nobody", nobody, "Shelf", s.is("Shelf", "row", "1"), "read of Shelf.row needs a token"},
		{"closed", as("boss"), "Vault", nil, "read of Vault is not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := s.set.Level(test.as, query.Read, query.Level{Type: s.Type(test.on), Where: test.where})
			if got := show(n.Level, err); got != test.want {
				t.Errorf("got\n%s, want\n%s", got, test.want)
			}
		})
	}
}

func TestSortingThroughLinks(t *testing.T) {
	s := openShop(t)
	for _, test := range []struct {
		name  string
		as    *auth.Caller
		order query.Order
		want  string
	}{
		{"readable", as("staff"), query.Order{Field: s.field("User", "name"), Via: []*schema.Field{s.field("Order", "buyer")}}, "public = true, sorted by name"},
		{
			"with a rule", as("guest"),
			query.Order{Field: s.field("User", "name"), Via: []*schema.Field{s.field("Order", "buyer")}},
			"public = true, sorted by name where some buyer (id = @0)",
		},
		{
			"closed", as("guest"),
			query.Order{Field: s.field("Vault", "code"), Via: []*schema.Field{s.field("Order", "vault")}},
			"public = true",
		},
		{"field rule", as("guest"), query.Order{Field: s.field("Shelf", "row"), Via: []*schema.Field{s.field("Order", "shelf")}}, "read of Shelf.row is not allowed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := s.set.Level(test.as, query.Read, query.Level{Type: s.Type("Order"), OrderBy: []query.Order{test.order}})
			got := show(n.Level, err)
			if err == nil {
				for _, o := range n.Level().OrderBy {
					got += ", sorted by " + o.Field.Name
					if o.When != nil {
						got += " where " + o.When.String()
					}
				}
			}
			if got != test.want {
				t.Errorf("got\n%s, want\n%s", got, test.want)
			}
		})
	}
}

func TestFieldRulesHideCells(t *testing.T) {
	s := openShop(t)
	l := query.Level{Type: s.Type("User"), Columns: []query.Cell{
		{Field: s.field("User", "name")}, {Field: s.field("User", "salary")}, {Field: s.field("User", "note")},
	}}
	for _, test := range []struct {
		as   *auth.Caller
		want string
	}{
		{as("boss"), "<nil> <nil> <nil>"},
		{as("staff"), "<nil> id = @0 false"},
	} {
		n, err := s.set.Level(test.as, query.Read, l)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range n.Level().Columns {
			got = append(got, fmt.Sprint(c.When))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	if l.Columns[1].When != nil {
		t.Error("Level changed what it was given")
	}
}

func TestWrites(t *testing.T) {
	s := openShop(t)
	fields := func(typ string, names ...string) (out []*schema.Field) {
		for _, n := range names {
			out = append(out, s.field(typ, n))
		}
		return out
	}
	set := func(typ string, names ...string) (out []query.Assign) {
		for _, f := range fields(typ, names...) {
			out = append(out, query.Assign{Field: f, Value: query.ArgAt(0)})
		}
		return out
	}
	for _, test := range []struct {
		name   string
		as     *auth.Caller
		write  query.Write
		filled []*schema.Field
		where  string
		after  string
	}{
		{
			"create", as("guest"),
			query.Write{Verb: query.Create, Type: s.Type("Order"), Columns: fields("Order", "id", "total")},
			nil,
			"all", "untrue (buyerId = @0)",
		},
		{"create by claims", as("staff"), query.Write{Verb: query.Create, Type: s.Type("User"), Columns: fields("User", "id")}, nil, "all", "none"},
		{"create refused", as("guest"), query.Write{Verb: query.Create, Type: s.Type("User")}, nil, "create of User is not allowed", "create of User is not allowed"},
		{
			"create with a field that rows decide", as("staff"),
			query.Write{Verb: query.Create, Type: s.Type("User"), Columns: fields("User", "note")},
			nil,
			"all", `untrue (name != "x")`,
		},
		{
			"update", as("guest"),
			query.Write{Verb: query.Update, Type: s.Type("User"), Set: set("User", "name"), Where: s.is("User", "name", "x")},
			nil,
			`(name = "x" and id = @0)`, "untrue (id = @0)",
		},
		{
			"update of a field that claims refuse", as("guest"),
			query.Write{Verb: query.Update, Type: s.Type("User"), Set: set("User", "salary")},
			nil,
			"update of User.salary is not allowed", "update of User.salary is not allowed",
		},
		{
			"update of it by the server", as("guest"),
			query.Write{Verb: query.Update, Type: s.Type("User"), Set: set("User", "name", "salary")},
			fields("User", "salary"),
			"id = @0", "untrue (id = @0)",
		},
		{
			"update of a field that rows decide", as("guest"),
			query.Write{Verb: query.Update, Type: s.Type("User"), Set: set("User", "note")},
			nil,
			`(id = @0 and name != "x")`, `untrue ((id = @0 and name != "x"))`,
		},
		{
			"update that asks a hidden column", as("guest"),
			query.Write{Verb: query.Update, Type: s.Type("User"), Where: s.is("User", "secret", "x")},
			nil,
			"read of User.secret is not allowed", "untrue (id = @0)",
		},
		{
			"update that copies a column", as("guest"),
			query.Write{
				Verb: query.Update, Type: s.Type("User"),
				Set: []query.Assign{{Field: s.field("User", "name"), Value: query.Col(s.field("User", "note"))}},
			},
			nil,
			"read of User.note is not allowed", "untrue (id = @0)",
		},
		{"delete", as("boss"), query.Write{Verb: query.Delete, Type: s.Type("Order")}, nil, "all", "none"},
		{"delete refused", as("guest"), query.Write{Verb: query.Delete, Type: s.Type("Order")}, nil, "delete of Order is not allowed", "delete of Order is not allowed"},
		{"delete without a rule", as("boss"), query.Write{Verb: query.Delete, Type: s.Type("User")}, nil, "delete of User is not allowed", "delete of User is not allowed"},
		{"update by nobody", nobody, query.Write{Verb: query.Update, Type: s.Type("User")}, nil, "update of User needs a token", "update of User needs a token"},
		{"a join table of ours", as("guest"), query.Write{Verb: query.Create, Type: s.field("Order", "hands").Link.Through}, nil, "all", "none"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n, err := s.set.Write(test.as, test.write, test.filled...)
			got := show(func() *query.Level { return &query.Level{Where: n.Write().Where} }, err)
			if got != test.where {
				t.Errorf("where is\n%s, want\n%s", got, test.where)
			}
			var wrote []*schema.Field
			for _, f := range append(assigned(test.write.Set), test.write.Columns...) {
				if len(test.filled) == 0 || f != test.filled[0] {
					wrote = append(wrote, f)
				}
			}
			after, needed, err := s.set.After(test.as, test.write.Type, test.write.Verb, wrote...)
			got = "none"
			if needed || err != nil {
				got = show(after.Level, err)
			}
			if got != test.after {
				t.Errorf("after is\n%s, want\n%s", got, test.after)
			}
		})
	}
}

func assigned(set []query.Assign) (out []*schema.Field) {
	for _, a := range set {
		out = append(out, a.Field)
	}
	return out
}

func TestTheServerItselfIsRefusedNothing(t *testing.T) {
	s := openShop(t)
	system := auth.System(noon)
	l := query.Level{Type: s.Type("Vault"), Columns: []query.Cell{{Field: s.field("Vault", "code")}}, Where: s.is("User", "secret", "x")}
	n, err := s.set.Level(system, query.Read, l)
	if got := show(n.Level, err); got != `secret = "x"` {
		t.Errorf("got %s", got)
	}
	w := query.Write{Verb: query.Update, Type: s.Type("User"), Set: []query.Assign{{Field: s.field("User", "salary"), Value: query.ArgAt(0)}}}
	if n, err := s.set.Write(system, w); err != nil || n.Write().Where != nil {
		t.Errorf("got %v, %v", n, err)
	}
	if _, needed, err := s.set.After(system, s.Type("User"), query.Update, s.field("User", "note")); needed || err != nil {
		t.Errorf("looked again: %v", err)
	}
	uses := s.set.Uses(nil, l, query.Read)
	if string(s.set.Shape(nil, system, uses)) == string(s.set.Shape(nil, as("boss"), uses)) {
		t.Error("a caller has the server's shape")
	}
}

func TestAfterAsksByKey(t *testing.T) {
	s := openShop(t)
	n, _, err := s.set.After(as("guest"), s.Type("Order"), query.Create)
	if err != nil {
		t.Fatal(err)
	}
	l := n.Level()
	if l.Via == nil || !l.Via.Single || l.Via.Link != nil || len(l.Columns) != 1 || l.Columns[0].Field != s.field("Order", "id") {
		t.Errorf("got %+v", l)
	}
	if got := fmt.Sprint(claimsOf(n)); got != "[0]" {
		t.Errorf("needs the claims %s", got)
	}
}

func TestRefusalsHaveKinds(t *testing.T) {
	s := openShop(t)
	l := query.Level{Type: s.Type("Vault")}
	if _, err := s.set.Level(as("boss"), query.Read, l); fault.KindOf(err) != fault.Denied {
		t.Errorf("got %v", err)
	}
	if _, err := s.set.Level(nobody, query.Read, l); fault.KindOf(err) != fault.Unauthenticated {
		t.Errorf("got %v", err)
	}
}

func TestUses(t *testing.T) {
	s := openShop(t)
	l := query.Level{
		Type:    s.Type("Order"),
		Columns: []query.Cell{{Field: s.field("Order", "total")}},
		Where:   query.And{s.is("Order", "row", "1", "shelf"), query.Not{Where: query.Some{Link: s.field("Order", "buyer"), Where: s.is("User", "note", "x")}}},
		OrderBy: []query.Order{{Field: s.field("User", "salary"), Via: []*schema.Field{s.field("Order", "buyer")}}},
	}
	var got []string
	for _, u := range s.set.Uses(nil, l, query.Read) {
		got = append(got, useText(u))
	}
	want := "read Order, read User, read User.salary, read Shelf, read Shelf.row, read User.note"
	if strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

func useText(u rules.Use) string {
	out := u.Verb.String() + " " + u.Type.Name
	if u.Field != nil {
		out += "." + u.Field.Name
	}
	return out
}

func TestRulesOfLinks(t *testing.T) {
	s := compile(t, `
type User @auth(read: "true") { id: ID! @primary posts: [Post!]! @link(to: "authorId") }
type Post @auth(read: "true", update: "true") {
  id: ID! @primary
  open: Boolean
  author: User @link @auth(read: "auth.role == 'boss' || doc.open", update: "auth.role == 'boss'")
  checker: User @link(from: "checkerId", to: "id") @auth(read: "auth.role == 'boss'")
  checkerId: ID
}`)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	post := s.Type("Post")
	visible := func(c *auth.Caller, field string) string { return fmt.Sprint(set.Visible(c, post.Field(field))) }
	for _, test := range []struct{ name, got, want string }{
		{"always", visible(as("boss"), "author"), "<nil>"},
		{"by the row", visible(as("staff"), "author"), "open = true"},
		{"never", visible(as("staff"), "checker"), "false"},
		{"no rule", visible(as("staff"), "open"), "<nil>"},
		{"a key that the link made has the link's rule", visible(as("staff"), "authorId"), "open = true"},
		{"a declared key has its own", visible(as("staff"), "checkerId"), "<nil>"},
	} {
		if test.got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, test.got, test.want)
		}
	}
	_, err = set.Level(as("staff"), query.Read, query.Level{Type: s.Type("User"), Via: &query.Via{Link: post.Field("checker")}})
	if fault.KindOf(err) != fault.Denied || err.Error() != "read of Post.checker is not allowed" {
		t.Errorf("below a closed link: %v", err)
	}
	w := query.Write{Verb: query.Update, Type: post, Set: []query.Assign{{Field: post.Field("authorId"), Value: query.ArgAt(0)}}}
	if _, err := set.Write(as("staff"), w); fault.KindOf(err) != fault.Denied {
		t.Errorf("a closed key was written: %v", err)
	}
}

package rules_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// world is a schema with one of everything that a rule can look at. The rule under test
// stands at READ.
const world = `
enum State { open closed }
type Address { city: String }
type Team @auth(read: "true") {
  id: ID! @primary
  name: String
  members: [Membership!]! @link
  posts: [Post!]! @link
}
type Membership @auth(read: "true") {
  id: ID! @primary
  team: Team! @link
  userId: ID!
  role: String
}
type User @auth(read: "true") {
  id: ID! @primary
  name: String
  boss: User @link(from: "bossId", to: "id")
  bossId: ID
}
type Serial @auth(read: "true") { id: ID! @primary @autoIncrement posts: [Post!]! @link }
type Tag @auth(read: "true") { id: ID! @primary name: String posts: [Post!]! @link }
type Post @auth(read: "READ") {
  id: ID! @primary
  title: String
  state: State
  public: Boolean
  views: Int
  big: BigInt
  rate: Float
  price: Decimal
  at: DateTime
  until: DateTime
  day: Date
  key: UUID
  meta: JSON
  raw: Bytes
  labels: [String!]
  address: Address
  ownerId: ID
  serial: Serial @link
  author: User @link
  team: Team @link
  tags: [Tag!]! @link
}
`

func compile(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "world.graphql", Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func withRule(t testing.TB, rule string) (*schema.Schema, *rules.Set, error) {
	t.Helper()
	s := compile(t, strings.Replace(world, "READ", strings.ReplaceAll(rule, `"`, `\"`), 1))
	set, err := rules.Compile(s)
	return s, set, err
}

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func caller(claims map[string]any) *auth.Caller {
	return &auth.Caller{
		Claims:   claims,
		SignedIn: claims != nil,
		Request:  auth.Request{IP: "1.2.3.4", Method: "POST", Header: http.Header{"X-Tenant": {"acme"}}},
		Now:      noon,
	}
}

var (
	nobody = caller(nil)
	ann    = caller(map[string]any{
		"id": "ann", "role": "staff", "level": 3.0, "groups": []any{"a", "b"}, "empty": []any{},
		"nothing": nil, "org": map[string]any{"id": "acme", "admin": true}, "admin": false,
	})
)

const (
	no      = "read of Post is not allowed"
	noToken = "read of Post needs a token"
)

// What would take CEL too long is unknown, so that it admits nobody, and ends.
func TestADearExpressionAdmitsNobody(t *testing.T) {
	groups := make([]any, 1000)
	for i := range groups {
		groups[i] = fmt.Sprint(i)
	}
	const each = "auth.groups.all(a, auth.groups.all(b, auth.groups.all(c, a + b + c != '')))"
	for _, rule := range []string{each, "!(" + each + ")", each + " || " + each} {
		s, set, err := withRule(t, rule)
		if err != nil {
			t.Fatal(err)
		}
		l := query.Level{Type: s.Type("Post")}
		if _, err := set.Level(caller(map[string]any{"groups": groups}), query.Read, l); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: got %v", rule, err)
		}
		if _, err := set.Level(caller(map[string]any{"groups": groups[:3]}), query.Read, l); (err == nil) == strings.HasPrefix(rule, "!") {
			t.Errorf("%s of few: got %v", rule, err)
		}
	}
}

func TestWhatARuleLeaves(t *testing.T) {
	for _, test := range []struct {
		name, rule string
		as         *auth.Caller
		want       string
	}{
		{"public", "true", nobody, "all"},
		{"never", "false", ann, no},
		{"never, for nobody", "false", nobody, noToken},
		{"signed in", "auth.id != ''", ann, "all"},
		{"signed in, nobody", "auth.id != ''", nobody, noToken},
		{"not under !", "!(auth.id == '')", nobody, noToken},
		{"and leaves the rest", "auth.role == 'staff' && doc.state == 'open'", ann, `state = "open"`},
		{"and decided", "auth.role == 'admin' && doc.state == 'open'", ann, no},
		{"or decided", "auth.role == 'staff' || doc.state == 'open'", ann, "all"},
		{"or leaves the rest", "auth.role == 'admin' || doc.state == 'open'", ann, `state = "open"`},
		{"or with an absent claim leaves the rest", "auth.role == 'admin' || doc.state == 'open'", nobody, `state = "open"`},
		{"two absent claims are not equal", "auth.role == auth.rank", nobody, noToken},
		{"nor different", "auth.role != auth.rank", nobody, noToken},
		{"a null claim", "auth.nothing != 'x'", ann, no},
		{"a null claim is null", "auth.nothing == null", ann, "all"},
		{"an absent claim is null", "auth.rank == null", ann, "all"},
		{"a claim is not null", "auth.role != null", ann, "all"},
		{"has", "has(auth.role)", ann, "all"},
		{"has, of null", "has(auth.nothing)", ann, no},
		{"has not", "!has(auth.rank)", ann, "all"},
		{"has below an absent claim", "!has(auth.rank.x)", ann, "all"},
		{"nested claim", "auth.org.id == 'acme'", ann, "all"},
		{"claim by index", "auth['org']['id'] == 'acme'", ann, "all"},
		{"claim below a text", "auth.role.id == 'acme'", ann, no},
		{"boolean claim", "auth.org.admin", ann, "all"},
		{"boolean claim that is false", "auth.admin", ann, no},
		{"not of it", "!auth.admin", ann, "all"},
		{"not of a text", "!auth.role", ann, no},
		{"not of an absent claim", "!auth.rank", ann, no},
		{"number claim", "auth.level >= 3", ann, "all"},
		{"number claim, float", "auth.level > 2.5 && auth.level < 4", ann, "all"},
		{"number against text", "auth.level == '3'", ann, no},
		{"number against text under !", "!(auth.level > 'x')", ann, no},
		{"list of constants", "auth.role in ['staff', 'admin']", ann, "all"},
		{"not in a list of constants", "!(auth.role in ['admin'])", ann, "all"},
		{"in a claim", "'a' in auth.groups", ann, "all"},
		{"not in a claim", "!('z' in auth.groups)", ann, "all"},
		{"in an absent claim", "!('z' in auth.nogroups)", ann, no},
		{"key of a claim", "'id' in auth.org && !('name' in auth.org)", ann, "all"},
		{"in a list with claims", "auth.role in [auth.rank, 'staff']", ann, "all"},
		{"not in a list with an absent claim", "!(auth.role in [auth.rank, 'admin'])", ann, no},
		{"claim functions", "auth.role.startsWith('st') && auth.role.endsWith('ff') && auth.role.contains('a')", ann, "all"},
		{"claim pattern", "auth.role.matches('^st')", ann, "all"},
		{"claim size", "size(auth.groups) == 2 && auth.groups.size() > 1", ann, "all"},
		{"claim exists", "auth.groups.exists(g, g == 'b')", ann, "all"},
		{"claim exists, strict", "auth.groups.exists(g, g != auth.nothing)", ann, no},
		{"claim all", "auth.groups.all(g, g in ['a', 'b'])", ann, "all"},
		{"claim arithmetic", "auth.level + 1.0 == 4.0", ann, "all"},
		{"claim arithmetic on the absent", "!(auth.rank + 1 == 4)", ann, no},
		{"choice by claims", "auth.role == 'staff' ? doc.public : doc.state == 'open'", ann, "public = true"},
		{"request", "request.ip == '1.2.3.4' && request.method == 'POST'", nobody, "all"},
		{"header", "request.headers['x-tenant'] == 'acme' && request.headers['X-Tenant'].startsWith('a')", nobody, "all"},
		{"header in CEL", "(request.headers['X-Tenant'] + '!') == 'acme!'", nobody, "all"},
		{"now", "now > timestamp('2026-01-01T00:00:00Z')", nobody, "all"},
		{"constants", "1 + 1 == 2", nobody, "all"},

		{"column and claim", "doc.ownerId == auth.id", ann, "ownerId = @0"},
		{"column and absent claim", "doc.ownerId == auth.id", nobody, noToken},
		{"column and absent claim under !", "!(doc.ownerId == auth.id)", nobody, noToken},
		{"claim and column turned", "auth.level > doc.views", ann, "views < @0"},
		{"not", "!(doc.state == 'open')", ann, `not (state = "open")`},
		{"not not", "!!(doc.state == 'open')", ann, `state = "open"`},
		{"unknown stays under not", "!(auth.rank == 'x' && doc.state == 'open')", ann, `not ((state = "open" and unknown))`},
		{"boolean column", "doc.public", ann, "public = true"},
		{"not a boolean column", "!doc.public", ann, "not (public = true)"},
		{"boolean column compared", "doc.public == false", ann, "public = false"},
		{"null", "doc.title == null", ann, "title is null"},
		{"not null", "doc.title != null", ann, "not (title is null)"},
		{"has column", "has(doc.title)", ann, "not (title is null)"},
		{"null list", "doc.labels == null && doc.meta != null && doc.address == null", ann, "(labels is null and not (meta is null) and address is null)"},
		{"two columns", "doc.at < doc.until", ann, "at < until"},
		{"two enums", "doc.state == doc.state", ann, "state = state"},
		{"two kinds of number", "doc.views < doc.big", ann, "views < big"},
		{"in constants", "doc.state in ['open', 'closed']", ann, `state in ["open", "closed"]`},
		{"in claim", "doc.ownerId in auth.groups", ann, "ownerId in @0"},
		{"not in claim", "!(doc.ownerId in auth.groups)", ann, "not (ownerId in @0)"},
		{"in absent claim", "doc.ownerId in auth.none", ann, no},
		{"in a list with claims and columns", "doc.ownerId in [auth.id, 'x', doc.title]", ann, `(ownerId = @0 or ownerId = "x" or ownerId = title)`},
		{"claim in a list with a column", "auth.id in [doc.ownerId, doc.title]", ann, "(ownerId = @0 or title = @1)"},
		{"text", "doc.title.startsWith('a') && doc.title.endsWith(auth.role) && doc.title.contains('b')", ann, `(title starts with "a" and title ends with @0 and title contains "b")`},
		{"pattern", "doc.title.matches('^a+$')", ann, `title matches "^a+$"`},
		{"numbers", "doc.views > 3 && doc.rate >= 3 && doc.price < 1.5 && doc.big != 7", ann, `(views > 3 and rate >= 3 and price < "1.5" and big != 7)`},
		{"computed constant", "doc.views > 60 * 60", ann, "views > 3600"},
		{"moment", "doc.at > timestamp('2026-01-01T00:00:00Z')", ann, `at > "2026-01-01T00:00:00.000000Z"`},
		{"day", "doc.day == '2026-01-31'", ann, `day = "2026-01-31"`},
		{"now column", "doc.at > now", nobody, "at > @0"},
		{"a day ago", "doc.at > now - duration('24h')", nobody, "at > @0"},
		{"owned key", "doc.author.id == auth.id", ann, "authorId = @0"},
		{"through a link", "doc.author.name == auth.id", ann, "author.name = @0"},
		{"through two links", "doc.author.boss.name == 'x'", ann, `author.boss.name = "x"`},
		{"no link", "doc.author == null", ann, "not (some author (true))"},
		{"a link", "doc.author != null && has(doc.team)", ann, "(some author (true) and some team (true))"},
		{"no link two away", "doc.author.boss == null", ann, "not (some author (some boss (true)))"},
		{"to-many", "doc.tags.exists(t, t.name == 'x')", ann, `some tags (name = "x")`},
		{"to-many through", "doc.team.members.exists(m, m.userId == auth.id)", ann, "some team (some members (userId = @0))"},
		{"to-many and the row", "doc.tags.exists(t, t.name == doc.title)", ann, "some tags (name = ^title)"},
		{"to-many through and the row", "doc.team.members.exists(m, m.role == doc.title)", ann, "some team (some members (role = ^^title))"},
		{"none", "!doc.tags.exists(t, t.name == 'x')", ann, `not (some tags (name = "x"))`},
		{"every", "doc.tags.all(t, t.name == 'x')", ann, `not (some tags (untrue (name = "x")))`},
		{"claims inside", "doc.tags.exists(t, auth.role == 'staff' && t.name == 'x')", ann, `some tags (name = "x")`},
		{"claims inside say no", "doc.tags.exists(t, auth.role == 'x' && t.name == 'x')", ann, no},
		{"unknown inside is no", "!doc.tags.exists(t, t.name == auth.rank)", ann, "all"},
		{"any", "size(doc.tags) > 0 && doc.tags.size() != 0", ann, "(some tags (true) and some tags (true))"},
		{"none at all", "doc.tags.size() == 0", ann, "not (some tags (true))"},
		{
			"nested from the outer row", "doc.tags.exists(t, doc.team.members.exists(m, m.role == t.name))", ann,
			"some tags (exists Team ((id = ^^teamId and some members (role = ^^name))))",
		},
		{
			"nested from the outer row through a join", "exists(User, u, doc.tags.exists(t, t.name == u.name))", ann,
			"exists User (exists posts_tags ((postId = ^^id and exists Tag ((id = ^tagId and name = ^^name)))))",
		},
		{"other rows", "exists(Membership, m, m.teamId == doc.teamId && m.userId == auth.id)", ann, "exists Membership ((teamId = ^teamId and userId = @0))"},
		{"other rows only", "!exists(Membership, m, m.userId == auth.id)", ann, "not (exists Membership (userId = @0))"},
		{
			"other rows, nested", "exists(Team, t, t.id == doc.teamId && t.members.exists(m, m.userId == doc.ownerId))", ann,
			"exists Team ((id = ^teamId and some members (userId = ^^ownerId)))",
		},
		{"operands are shared", "doc.ownerId == auth.id || doc.authorId == auth.id || doc.title == auth.id", ann, "(ownerId = @0 or authorId = @0 or title = @1)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, set, err := withRule(t, test.rule)
			if err != nil {
				t.Fatal(err)
			}
			if got := readPosts(s, set, test.as); got != test.want {
				t.Errorf("%s leaves\n%s, want\n%s", test.rule, got, test.want)
			}
		})
	}
}

// readPosts is what is left of reading all posts, or the refusal.
func readPosts(s *schema.Schema, set *rules.Set, c *auth.Caller) string {
	n, err := set.Level(c, query.Read, query.Level{Type: s.Type("Post")})
	return show(n.Level, err)
}

// claimsOf are the claim operands of a level.
func claimsOf(n rules.Narrowed) (used []int) {
	query.Walk(n.Level(), func(o query.Operand) {
		if o.Kind == query.Claim {
			used = append(used, o.Index)
		}
	})
	return used
}

func show(level func() *query.Level, err error) string {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
		return f.Message
	case level().Where == nil:
		return "all"
	}
	return fmt.Sprint(level().Where)
}

package stories

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

// clubs has links by way of declared join types, of a join table of ours, and of keys of two columns.
const clubs = `
type User @auth(read: "READ", create: "true", update: "true") {
  id: ID! @primary
  name: String
  age: Int
  paid: Decimal @decimal(precision: 9, scale: 2)
  score: Float
  groups: [Group!]! @link(through: "Membership")
  spots: [Spot!]! @link(through: "Visit")
  tags: [Tag!]! @link
}
type Group @auth(read: "READ", create: "true") { id: ID! @primary  name: String  age: Int  users: [User!]! @link(through: "Membership")  tags: [Tag!]! @link }
type Membership @auth(read: "doc.age != 1 || auth.id == 'ann'", create: "true") { id: ID! @primary  age: Int  user: User! @link  group: Group! @link }
type Tag @auth(read: "READ", create: "true", update: "true") { id: ID! @primary  name: String  age: Int  users: [User!]! @link  groups: [Group!]! @link }
type Spot @auth(read: "READ", create: "true") { x: Int! @primary  y: Int! @primary  name: String  age: Int  users: [User!]! @link(through: "Visit") }
type Visit @auth(read: "true", create: "true") { user: User! @link @primary  spot: Spot! @link @primary }
`

// clubLinks are the links between the types, but for those into which nobody writes.
var clubLinks = map[string]map[string]string{
	"users":  {"groups": "groups", "spots": "spots", "tags": "tags"},
	"groups": {"users": "users", "tags": "tags"},
	"tags":   {"users": "users", "groups": "groups"},
	"spots":  {"users": "users"},
}

// Wherever the types live, the rows of links are found, sorted, cut and added up as in one database.
func TestJoinedRowsAreTheSameAcrossDatabases(t *testing.T) {
	served.EachAndMixed(t, joinedRowsAreTheSameAcrossDatabases)
}

func joinedRowsAreTheSameAcrossDatabases(t *testing.T, on served.Kind) {
	rows := 0
	for seed := range seeds(on) {
		r := rand.New(rand.NewPCG(seed, 21))
		rule := []string{"true", "doc.age != 2 || auth.id == 'ann'", "doc.name != 'b'", "doc.tags.exists(x, x.age == 1) || doc.age == 3"}[r.IntN(4)]
		sdl := strings.ReplaceAll(clubs, "READ", rule)
		sdl = regexp.MustCompile(`(?m)^(type (?:Spot|Tag) .*?)doc.tags.exists\(x, x.age == 1\) \|\| `).ReplaceAllString(sdl, "$1")
		apart := spread(r, sdl)
		near, far := serve(t, on, sdl), serve(t, on, apart)
		both := func(request string) string {
			want, got := ask(t, near, request), ask(t, far, request)
			if cursors.ReplaceAllString(want, "$1") != cursors.ReplaceAllString(got, "$1") {
				t.Fatalf("seed %d: %s\ngot  %s\nwant %s\n%s", seed, request, got, want, apart)
			}
			if strings.Contains(got, `"errors"`) {
				t.Fatalf("seed %d: %s\n%s\n%s", seed, request, got, apart)
			}
			return got
		}
		for _, fill := range clubRows(r) {
			both(fill)
		}
		joinOwned(t, r, near, far)
		for range 80 {
			from := []string{"users", "groups", "tags", "spots"}[r.IntN(4)]
			as := []string{"# as {\"sub\": \"ann\"}\n", ""}[r.IntN(2)]
			rows += strings.Count(both(as+fmt.Sprintf("{ %s(orderBy: [{name: DESC}], limit: 5) { %s } }", from, clubSelection(r, from, 2))), `"name"`)
		}
		order := []string{"[]", "[{age: DESC}]", "[{name: ASC}]"}[r.IntN(3)]
		if got, want := walk(t, far, order), walk(t, near, order); got != want {
			t.Fatalf("seed %d: by pages\ngot  %s\nwant %s\n%s", seed, got, want, apart)
		}
	}
	t.Logf("%d rows", rows)
	if rows < 1000*int(seeds(on)) {
		t.Errorf("%d rows were found, which says little", rows)
	}
}

// clubSelection is what to ask of rows of a type, with links so many levels deep.
func clubSelection(r *rand.Rand, of string, depth int) string {
	parts := []string{"name age"}
	for range 2 {
		var names []string
		for _, name := range []string{"users", "groups", "tags", "spots"} {
			if clubLinks[of][name] != "" {
				names = append(names, name)
			}
		}
		if depth == 0 {
			break
		}
		link := names[r.IntN(len(names))]
		to := clubLinks[of][link]
		alias := fmt.Sprintf("a%d_%s", len(parts), link)
		where := []string{"{}", "{age: {_gt: 1}}", `{name: {_in: ["a", "c"]}}`, "{_not: {age: {_eq: 2}}}"}[r.IntN(4)]
		order := []string{"[]", "[{age: DESC}]", "[{name: ASC}, {age: ASC}]", "[{age: ASC_NULLS_FIRST}]"}[r.IntN(4)]
		if to == "users" && r.IntN(3) == 0 {
			where = `{groups: {_count: {_gt: 1}}}`
		}
		inner := clubSelection(r, to, depth-1)
		switch r.IntN(4) {
		case 0:
			numbers := "age"
			if to == "users" {
				numbers = "age paid score"
			}
			parts = append(parts, fmt.Sprintf("%s: %sAggregate(where: %s) { count countDistinct { name age } sum { %[4]s } avg { %[4]s } min { name %[4]s } max { name %[4]s } }", alias, link, where, numbers))
		case 1:
			page := []string{"first: 2", "last: 2", "first: 9"}[r.IntN(3)]
			parts = append(parts, fmt.Sprintf("%s: %sConnection(where: %s, orderBy: %s, %s) { totalCount edges { cursor node { %s } } nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }", alias, link, where, order, page, inner))
		case 2:
			parts = append(parts, fmt.Sprintf("%s: %s(where: %s, orderBy: %s, distinctOn: [%s]) { %s }", alias, link, where, order, []string{"name", "age, name"}[r.IntN(2)], inner))
		default:
			parts = append(parts, fmt.Sprintf("%s: %s(where: %s, orderBy: %s, limit: %d, offset: %d) { %s }", alias, link, where, order, 1+r.IntN(4), r.IntN(2), inner))
		}
	}
	return strings.Join(parts, " ")
}

// cursors tell servers apart, whose rows live elsewhere.
var cursors = regexp.MustCompile(`("(?:cursor|startCursor|endCursor)": )"[^"]+"`)

// walk is the pages of a link from one end to the other, and back.
func walk(t *testing.T, server *served.Server, order string) string {
	t.Helper()
	var pages strings.Builder
	for _, way := range []struct{ most, from, next string }{{"first: 2", "after", "endCursor"}, {"last: 2", "before", "startCursor"}} {
		next := regexp.MustCompile(`"` + way.next + `": ("[^"]+")`)
		args := way.most
		for page := 0; args != ""; page++ {
			if page == 20 {
				t.Fatal("the pages have no end")
			}
			got := told(t, server, fmt.Sprintf(`{ user(id: "u1") { groupsConnection(orderBy: %s, %s) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }`, order, args))
			pages.WriteString(cursors.ReplaceAllString(got, "$1"))
			args = ""
			if found := next.FindStringSubmatch(got); found != nil {
				args = fmt.Sprintf("%s, %s: %s", way.most, way.from, found[1])
			}
		}
	}
	return pages.String()
}

// clubRows are mutations that fill the tables.
func clubRows(r *rand.Rand) []string {
	name := func() string { return []string{`"a"`, `"b"`, `"c"`, "null"}[r.IntN(4)] }
	age := func() string { return []string{"1", "2", "3", "null"}[r.IntN(4)] }
	var users, groups, tags, spots, members, visits []string
	for i := range 8 {
		users = append(users, fmt.Sprintf(`{id: "u%d", name: %s, age: %s, paid: "%d.%02d", score: %d.5}`, i, name(), age(), r.IntN(9), r.IntN(99), r.IntN(9)))
		groups = append(groups, fmt.Sprintf(`{id: "g%d", name: %s, age: %s}`, i, name(), age()))
		tags = append(tags, fmt.Sprintf(`{id: "t%d", name: %s, age: %s}`, i, name(), age()))
		spots = append(spots, fmt.Sprintf(`{x: %d, y: %d, name: %s, age: %s}`, i%3, i, name(), age()))
	}
	seen := map[string]bool{}
	for i := range 30 {
		members = append(members, fmt.Sprintf(`{id: "m%d", age: %s, userId: "u%d", groupId: "g%d"}`, i, age(), r.IntN(7), r.IntN(7)))
		spot := r.IntN(8)
		if visit := fmt.Sprintf(`{userId: "u%d", spotX: %d, spotY: %d}`, r.IntN(7), spot%3, spot); !seen[visit] {
			seen[visit] = true
			visits = append(visits, visit)
		}
	}
	insert := func(what string, docs []string) string {
		return fmt.Sprintf("mutation { insert%s(docs: [%s]) { affected } }", what, strings.Join(docs, ", "))
	}
	return []string{insert("Users", users), insert("Groups", groups), insert("Tags", tags), insert("Spots", spots), insert("Memberships", members), insert("Visits", visits)}
}

// joinOwned links rows through the join tables that we own: by whichever side may write in the second
// server, where only the one beside the table can.
func joinOwned(t *testing.T, r *rand.Rand, servers ...*served.Server) {
	t.Helper()
	far := servers[len(servers)-1]
	for range 20 {
		user, tag := fmt.Sprintf("u%d", r.IntN(7)), fmt.Sprintf("t%d", r.IntN(7))
		join := far.Schema.Type("User").Field("tags").Link.Through
		request := fmt.Sprintf(`mutation { updateUser(id: %q, set: {tags: {connect: [{id: %q}]}}) { id } }`, user, tag)
		if join.DB == far.Schema.Type("Tag").DB {
			request = fmt.Sprintf(`mutation { updateTag(id: %q, set: {users: {connect: [{id: %q}]}}) { id } }`, tag, user)
		}
		for _, s := range servers {
			ask(t, s, "# as {\"sub\": \"ann\"}\n"+request) // refused alike by the rules
		}
	}
}

// However many rows there are, a link by way of another database takes two statements.
func TestStatementsOfJoinedRows(t *testing.T) { served.EachAndMixed(t, statementsOfJoinedRows) }

const farClubs = `
type User @table(db: "people") @auth(read: "true", create: "true") { id: ID! @primary  name: String  groups: [Group!]! @link(through: "Membership") }
type Group @table(db: "clubs") @auth(read: "true", create: "true") { id: ID! @primary  name: String  users: [User!]! @link(through: "Membership") }
type Membership @table(db: "books") @auth(read: "true", create: "true") { user: User! @link @primary  group: Group! @link @primary }
`

func fillFarClubs(t *testing.T, server *served.Server, users int) {
	t.Helper()
	var members []string
	for i := range users {
		members = append(members, fmt.Sprintf(`{userId: "u%[1]d", groupId: "g%[2]d"}, {userId: "u%[1]d", groupId: "g%[3]d"}`, i, i%5, 5+i%3))
	}
	told(t, server, fmt.Sprintf(`mutation { insertUsers(docs: [%s]) { affected } insertGroups(docs: [%s]) { affected } insertMemberships(docs: [%s]) { affected } }`,
		rowsOf(users, `id: "u%[1]d", name: "n%[1]d"`), rowsOf(10, `id: "g%[1]d", name: "n%[1]d"`), strings.Join(members, ", ")))
}

func statementsOfJoinedRows(t *testing.T, on served.Kind) {
	server, counts := counted(t, on, farClubs, resolvers.Config{})
	fillFarClubs(t, server, 40)
	for request, want := range map[string]map[string]int{
		`{ users { id groups { id } } }`:                                          {"people": 1, "books": 1, "clubs": 1},
		`{ users { id groups { id users(limit: 2) { id } } } }`:                   {"people": 2, "books": 2, "clubs": 1},
		`{ users { id groupsConnection(first: 1) { totalCount nodes { id } } } }`: {"people": 1, "books": 1, "clubs": 2},
		`{ users { groupsConnection { totalCount } } }`:                           {"people": 1, "books": 1, "clubs": 1},
		`{ users { groupsAggregate { count max { name } } } }`:                    {"people": 1, "books": 1, "clubs": 1},
		`{ users(where: {id: {_eq: "nobody"}}) { groups { id } } }`:               {"people": 1},
	} {
		reset(counts)
		told(t, server, request)
		for name, c := range counts {
			if got := c.Counts().Finds; got != want[name] {
				t.Errorf("%s: %d statements in %s, want %d", request, got, name, want[name])
			}
		}
	}
}

func reset(counts map[string]*database.Counting) {
	for _, c := range counts {
		c.Reset()
	}
}

// More join rows than the limit are an error that says so, and never fewer rows.
func TestJoinRowsAreBounded(t *testing.T) { served.EachAndMixed(t, joinRowsAreBounded) }

func joinRowsAreBounded(t *testing.T, on served.Kind) {
	server, _ := counted(t, on, farClubs, resolvers.Config{Keys: 10})
	fillFarClubs(t, server, 6)
	if got := told(t, server, `{ users(limit: 5) { groups { id } } }`); strings.Count(got, `"id"`) != 10 {
		t.Error(got)
	}
	for _, field := range []string{"groups { id }", "groupsAggregate { count }", "groupsConnection { totalCount }"} {
		got := ask(t, server, `{ users { `+field+` } }`)
		for _, part := range []string{"more than 10 memberships lead to groups, and they are asked for first because they are in another database; ask for fewer rows that have groups", `"LIMIT_EXCEEDED"`, `"setting": "limits.keys"`} {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %s in %s", field, part, got)
			}
		}
	}
}

// Rows of a join table of ours go with either side, in whichever database that is.
func TestJoinRowsGoWithEitherSide(t *testing.T) {
	served.EachAndMixed(t, joinRowsGoWithEitherSide)
}

func joinRowsGoWithEitherSide(t *testing.T, on served.Kind) {
	const all = `@auth(read: "true", create: "true", update: "true", delete: "true")`
	server := serve(t, on, strings.ReplaceAll(`
type Post @table(db: "blog") ALL { id: ID! @primary  tags: [Tag!]! @link }
type Tag @table(db: "words") ALL { id: ID! @primary  posts: [Post!]! @link }`, "ALL", all))
	told(t, server, `mutation {
  insertTags(docs: [{id: "go"}, {id: "sql"}, {id: "web"}, {id: "held"}]) { affected }
  insertPosts(docs: [{id: "1", tags: {connect: [{id: "go"}, {id: "sql"}, {id: "held"}]}}, {id: "2", tags: {connect: [{id: "go"}, {id: "web"}]}}]) { affected }
}`)
	if got := ask(t, server, "# header X-Transaction: single\nmutation { deleteTag(id: \"go\") { id } }"); !strings.Contains(got, "changes 2 databases") {
		t.Error(got)
	}
	if got := ask(t, server, `mutation { deleteTags(where: {id: {_in: ["held", "web"]}}) { affected } deleteTag(id: "none") { id } }`); !strings.Contains(got, "NOT_FOUND") {
		t.Error(got)
	}
	told(t, server, `mutation { deleteTag(id: "go") { id } deleteTags(where: {id: {_eq: "web"}}) { affected } insertTags(docs: [{id: "go"}, {id: "web"}]) { affected } }`)
	if got := strings.Join(strings.Fields(told(t, server, `{ posts(orderBy: [{id: ASC}]) { tags(orderBy: [{id: ASC}]) { id } } tags { posts { id } } }`)), ""); !strings.Contains(got,
		`"posts":[{"tags":[{"id":"held"},{"id":"sql"}]},{"tags":[]}]`) {
		t.Error(got)
	}
	told(t, server, `mutation { deletePost(id: "1") { id } insertPost(doc: {id: "1"}) { id } }`)
	if got := told(t, server, `{ posts { tags { id } } }`); strings.Contains(got, "held") {
		t.Error(got)
	}
}

package stories

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/tests/served"
)

// A rule of any form means on each kind of database what it says, for every verb. Row 1 is Ann's, row 2
// Bob's, and of row 3 nothing is known.
var ruleForms = []struct{ rule, rows string }{
	{"doc.public", "1"},
	{"!doc.public", "2"},
	{"doc.ownerId == auth.id", "1"},
	{"doc.ownerId != auth.id", "2"},
	{"!(doc.ownerId == auth.id)", "2"},
	{"!(doc.ownerId == auth.nothing) || doc.n == 5", "2"},
	{"doc.ownerId == null", "3"},
	{"doc.ownerId != null && has(doc.n)", "1 2"},
	{"auth.nothing == null && !has(auth.absent) && doc.n == 1", "1"},
	{"doc.state == 'open'", "1"},
	{"!(doc.state in ['open'])", "2"},
	{"doc.ownerId in auth.groups", "1"},
	{"!(doc.ownerId in auth.groups)", "2"},
	{"auth.id in [doc.ownerId, doc.title]", "1"},
	{"doc.n > 1 && doc.n <= auth.level", "2"},
	{"doc.title.startsWith('al') || doc.title.endsWith('eta')", "1 2"},
	{"doc.title.contains(auth.part) || doc.title.matches('^b.t')", "1 2"},
	{"doc.at < now", "1"},
	{"doc.at > now - duration('24h')", "2"},
	{"doc.at == timestamp('2020-01-01T00:00:00Z')", "1"},
	{"auth.role == 'staff' ? doc.n == 1 : doc.n == 5", "1"},
	{"doc.public ? doc.n == 1 : doc.n == 5", "1 2"},
	{"doc.title == request.headers['x-tenant'] && request.method == 'POST'", "1"},
	{"auth.groups.exists(g, g == 'cid') && doc.public", "1"},
	{"doc.author == null", "3"},
	{"doc.author.name == 'Ann'", "1"},
	{"!(doc.author.boss.name == 'Ann')", ""},
	{"doc.author.boss.name == 'Ann'", "2"},
	{"doc.ownerId == doc.author.id", "1 2"},
	{"doc.ownerId != doc.author.boss.id", "2"},
	{"doc.author.team.members.exists(m, m.userId == auth.id)", "1"},
	{"!doc.author.team.members.exists(m, m.userId == auth.id)", "2 3"},
	{"doc.author.team.members.all(m, m.userId == auth.id)", "1 3"},
	{"size(doc.author.team.members) > 0", "1 2"},
	{"exists(Member, m, m.teamId == doc.author.teamId && m.userId == auth.id)", "1"},
	{"!exists(Member, m, m.userId == doc.ownerId)", "3"},
	{"exists(Team, t, t.id == doc.author.teamId && t.members.exists(m, m.userId == doc.ownerId))", "1 2"},
}

func TestRulesOfEveryForm(t *testing.T) { served.Each(t, rulesOfEveryForm) }

const formed = `
enum State { open closed }
type Team @auth(create: "true") { id: ID! @primary  members: [Member!]! @link }
type Member @auth(create: "true") { team: Team! @link @primary  user: User! @link @primary }
type User @auth(create: "true") { id: ID! @primary  name: String  team: Team @link  boss: User @link }`

const formedRows = `mutation {
  insertTeams(docs: [{id: "t1"}, {id: "t2"}]) { affected }
  insertUsers(docs: [{id: "ann", name: "Ann", teamId: "t1"}, {id: "bob", name: "Bob", teamId: "t2", bossId: "ann"}]) { affected }
  insertMembers(docs: [{teamId: "t1", userId: "ann"}, {teamId: "t2", userId: "bob"}]) { affected }
}`

// formedRow are the documents of the three rows, without their keys.
var formedRow = map[string]string{
	"1": `ownerId: "ann", n: 1, at: "2020-01-01T00:00:00Z", title: "alpha", state: open, public: true, authorId: "ann"`,
	"2": `ownerId: "bob", n: 5, at: "2100-01-01T00:00:00Z", title: "beta", state: closed, public: false, authorId: "bob"`,
	"3": `note: "nothing"`,
}

func rulesOfEveryForm(t *testing.T, on served.Kind) {
	var sdl strings.Builder
	sdl.WriteString(formed)
	for i, form := range ruleForms {
		fmt.Fprintf(&sdl, `
type F%d @table(plural: "f%[1]ds") @auth(read: %[2]q, create: %[3]q, update: %[2]q, delete: %[2]q) {
  id: ID! @primary  ownerId: ID  n: Int  at: DateTime  title: String  state: State  public: Boolean  note: String  author: User @link
}`, i, form.rule, "auth.role == 'maker' || ("+form.rule+")")
	}
	f := forms{t, serve(t, on, sdl.String()), &auth.Caller{Now: now, SignedIn: true, Claims: map[string]any{"role": "maker"}}}
	f.ask(formedRows)
	for i := range ruleForms {
		var docs []string
		for _, id := range slices.Sorted(maps.Keys(formedRow)) {
			docs = append(docs, fmt.Sprintf(`{id: %q, %s}`, id, formedRow[id]))
		}
		f.ask(fmt.Sprintf(`mutation { insertF%ds(docs: [%s]) { affected } }`, i, strings.Join(docs, ", ")))
	}
	f.caller = &auth.Caller{
		Now: now, SignedIn: true,
		Claims:  map[string]any{"id": "ann", "role": "staff", "level": 5.0, "part": "lph", "nothing": nil, "groups": []any{"ann", "cid"}},
		Request: auth.Request{Method: http.MethodPost, Header: http.Header{"X-Tenant": {"alpha"}}},
	}
	for i, form := range ruleForms {
		t.Run(form.rule, func(t *testing.T) { f.on(t).meets(i, strings.Fields(form.rows)) })
	}
}

// forms asks a server as a caller.
type forms struct {
	t      *testing.T
	server *served.Server
	caller *auth.Caller
}

func (f forms) on(t *testing.T) forms { f.t = t; return f }

func (f forms) ask(query string) string {
	return string(f.server.Ask(f.caller, query, nil, nil).Body)
}

// meets is whether every verb finds the rows of a form and no other.
func (f forms) meets(i int, rows []string) {
	keys := make([]string, len(rows))
	for n, id := range rows {
		keys[n] = fmt.Sprintf(`{"id":%q}`, id)
	}
	list := "[" + strings.Join(keys, ",") + "]"
	count := strconv.Itoa(len(rows))
	f.says(fmt.Sprintf(`{ f%ds { id } }`, i), fmt.Sprintf(`{"data":{"f%ds":%s}}`, i, list))
	f.says(fmt.Sprintf(`{ f%dsAggregate { count } }`, i), fmt.Sprintf(`{"data":{"f%dsAggregate":{"count":%s}}}`, i, count))
	for id, doc := range formedRow {
		found, made := "null", ""
		if slices.Contains(rows, id) {
			found, made = fmt.Sprintf(`{"id":%q}`, id), `{"data":`
		}
		f.says(fmt.Sprintf(`{ f%d(id: %q) { id } }`, i, id), fmt.Sprintf(`{"data":{"f%d":%s}}`, i, found))
		got := f.ask(fmt.Sprintf(`mutation { insertF%d(doc: {id: "new %s", %s}) { id } deleteF%[1]d(id: "new %[2]s") { id } }`, i, id, doc))
		if strings.HasPrefix(got, `{"data":`) != (made != "") || made == "" && !strings.Contains(got, "FORBIDDEN") {
			f.t.Errorf("row %s was created so: %s", id, got)
		}
	}
	f.says(fmt.Sprintf(`mutation { updateF%ds(where: {}, set: {note: "x"}) { affected } }`, i), fmt.Sprintf(`{"data":{"updateF%ds":{"affected":%s}}}`, i, count))
	f.says(fmt.Sprintf(`mutation { deleteF%ds(where: {}) { affected } }`, i), fmt.Sprintf(`{"data":{"deleteF%ds":{"affected":%s}}}`, i, count))
}

func (f forms) says(query, want string) {
	f.t.Helper()
	if got := strings.TrimSpace(f.ask(query)); got != want {
		f.t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
	}
}

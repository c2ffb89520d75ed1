package stories

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"spacecloud/tests/served"
)

// guarded is a schema without its rules, which ruled fills in.
const guarded = `
type Team @auth(READ create: "true", update: "true") {
  id: ID! @primary @autoIncrement
  region: String
  n: Int
  docs: [Doc!]! @link
  members: [Member!]! @link
}
type Member @auth(READ create: "true") { id: ID! @primary  user: String  n: Int  team: Team @link }
type Doc @auth(READ UPDATE create: "true") {
  id: ID! @primary
  owner: String
  n: Int
  secret: Int FIELD
  team: Team @link
  notes: [Note!]! @link
}
type Note @auth(READ UPDATE DELETE CREATE) { id: ID! @primary  author: String  n: Int  doc: Doc @link }
`

// ruleBook are rules of each type, of all the forms that look at other rows.
var ruleBook = map[string][]string{
	"Team": {
		"true",
		"doc.members.exists(m, m.user == auth.id)",
		"!(doc.docs.exists(d, d.n == 0))",
		"doc.docs.all(d, d.owner != auth.id || d.n == 1)",
		"exists(Member, m, m.n == doc.n && m.user == auth.id) || doc.region == auth.region",
	},
	"Member": {
		"true",
		"doc.user == auth.id || doc.team.region == auth.region",
		"doc.team.docs.exists(d, d.owner == auth.id)",
		"doc.team != null && !(doc.team.n == doc.team.n && doc.team.region == auth.region)",
	},
	"Doc": {
		"true",
		"doc.team.region == auth.region",
		"!(doc.team.region == auth.region)",
		"doc.team.region != auth.region || doc.owner == auth.id",
		"exists(Member, m, m.teamId == doc.teamId && m.user == auth.id)",
		"!exists(Member, m, m.teamId == doc.teamId && doc.owner == m.user)",
		"exists(Member, m, m.user == doc.owner && m.n == doc.n && m.teamId == doc.teamId)",
		"doc.team.members.exists(m, m.user == auth.id) || doc.n == 1",
		"doc.team.members.all(m, m.n != 0)",
		"doc.notes.all(x, x.n != 2)",
		"doc.notes.exists(x, x.author == doc.owner)",
		"doc.team == null || doc.team.n in [1, 2]",
		"!(doc.team.n in [])",
		"size(doc.notes) > 0",
		"exists(Note, x, x.author == auth.id)",
		"doc.notes.exists(x, exists(Member, m, m.user == x.author && m.n == x.n))",
		"auth.id == 'ann' ? doc.team.n < 2 : !(doc.team.n < 2)",
	},
	"Note": {
		"true",
		"doc.doc.team.region == auth.region",
		"!(doc.doc.team.region == auth.region)",
		"doc.doc.notes.exists(x, x.author == auth.id)",
		"doc.doc.owner == auth.id || doc.doc.team.members.all(m, m.n != 0)",
		"has(doc.doc.team.region) || doc.doc == null",
		"exists(Doc, d, d.owner == doc.author && d.team.region == auth.region)",
		"!exists(Member, m, m.teamId == doc.doc.teamId && m.user == auth.id)",
	},
}

// ruled is guarded with random rules.
func ruled(r *rand.Rand) string {
	lines := strings.Split(guarded, "\n")
	of := ""
	for i, line := range lines {
		if after, ok := strings.CutPrefix(line, "type "); ok {
			of, _, _ = strings.Cut(after, " ")
		}
		rule := func() string { return ruleBook[of][r.IntN(len(ruleBook[of]))] }
		for _, verb := range []string{"READ", "UPDATE", "DELETE", "CREATE"} {
			if before, after, ok := strings.Cut(line, verb); ok {
				line = fmt.Sprintf("%s%s: %q%s", before, strings.ToLower(verb), rule(), after)
			}
		}
		if before, after, ok := strings.Cut(line, "FIELD"); ok {
			line = fmt.Sprintf("%s@auth(read: %q)%s", before, rule(), after)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// requests are asked in turn; @ is a condition on docs and # one on notes.
var requests = []string{
	`{ docs(where: @) { id n secret team { id region } notes(where: #) { id } notesAggregate { count } } }`,
	`{ docsAggregate(where: @) { count sum { n } } docsGroups(groupBy: [owner], where: @) { group { owner } count } }`,
	`{ docsConnection(where: @, first: 2) { totalCount nodes { id } pageInfo { hasNextPage } } }`,
	`{ notes(where: #) { id doc { id team { region members { user } } } } }`,
	`{ teams(where: {docs: {_some: @}}) { id docs(where: @) { id } docsAggregate { count } members { id } } }`,
	`{ teams(where: {docs: {_every: @, _count: {_gte: 1}}}) { id } none: teams(where: {docs: {_none: @}}) { id } }`,
	`{ members(where: {team: {docs: {_count: {_in: [0, 2]}}}}) { id } not: members(where: {_not: {team: {docs: {_count: {_in: [0, 2]}}}}}) { id } }`,
	`mutation { updateDocs(where: @, inc: {n: 1}) { affected returning { id n } } }`,
	`mutation { updateDocs(where: @, set: {n: 0, owner: "ann"}) { affected } }`,
	`mutation { updateNotes(where: #, set: {n: 2}) { affected returning { id doc { n } } } deleteNotes(where: {n: {_eq: 2}, doc: @}) { affected } }`,
	`mutation { insertNotes(docs: [{id: "x1", docId: "d1", author: "ann", n: 1}, {id: "x2", n: 2}]) { affected returning { id } } deleteNotes(where: {id: {_in: ["x1", "x2"]}}) { affected } }`,
	`mutation { deleteNotes(where: #) { affected returning { id } } }`,
	`mutation { updateDoc(id: "d2", set: {teamId: "1"}) { id } }`,
	`mutation { insertNote(doc: {id: "y", doc: {connect: {id: "d3"}}}) { id doc { id } } }`,
}

var docConditions = []string{
	`{}`, `{team: {region: {_eq: "eu"}}}`, `{_not: {team: {region: {_eq: "eu"}}}}`, `{team: {members: {_some: {user: {_eq: "ann"}}}}}`,
	`{notes: {_count: {_lt: 2}}}`, `{_not: {notes: {_some: {n: {_gt: 0}}}}}`, `{_or: [{team: {_isNull: true}}, {n: {_eq: 1}}]}`,
	`{team: {_not: {members: {_every: {n: {_eq: 1}}}}}}`, `{_not: {_and: [{team: {n: {_in: [0, 1]}}}, {notes: {_some: {}}}]}}`,
}

var noteConditions = []string{
	`{}`, `{doc: {team: {region: {_ne: "eu"}}}}`, `{_not: {doc: {team: {n: {_gt: 0}}}}}`, `{doc: {notes: {_some: {author: {_eq: "bob"}}}}}`, `{n: {_lt: 2}}`,
}

// Whatever the rules are and wherever the types live, every request is answered as it is where all of them live in
// one database.
func TestRulesMeanTheSameAcrossDatabases(t *testing.T) {
	served.EachAndMixed(t, rulesMeanTheSameAcrossDatabases)
}

func rulesMeanTheSameAcrossDatabases(t *testing.T, on served.Kind) {
	answered, refused := 0, 0
	for seed := range seeds(on) {
		r := rand.New(rand.NewPCG(seed, 5))
		sdl := ruled(r)
		apart := spread(r, sdl)
		near, far := serve(t, on, sdl), serve(t, on, apart)
		both := func(request string) string {
			want, got := ask(t, near, request), ask(t, far, request)
			if refusal(want) != refusal(got) {
				t.Fatalf("seed %d: %s\ngot  %s\nwant %s\n%s", seed, request, got, want, apart)
			}
			return got
		}
		for _, fill := range filled(r) {
			if got := both(fill); strings.Contains(got, `"errors"`) && !strings.Contains(fill, "insertNote") {
				t.Fatal(got)
			}
		}
		for range 60 {
			caller := []string{`{"sub": "ann", "region": "eu"}`, `{"sub": "bob", "region": "us"}`, `{"sub": "cem"}`}[r.IntN(3)]
			request := requests[r.IntN(len(requests))]
			request = strings.ReplaceAll(request, "@", docConditions[r.IntN(len(docConditions))])
			request = strings.ReplaceAll(request, "#", noteConditions[r.IntN(len(noteConditions))])
			if strings.Contains(both("# as "+caller+"\n"+request), `"errors"`) {
				refused++
			} else {
				answered++
			}
		}
	}
	t.Logf("%d answered, %d refused", answered, refused)
	if answered < 2*refused {
		t.Errorf("%d requests were answered and %d refused, which says little", answered, refused)
	}
}

// filled are mutations that fill the tables.
func filled(r *rand.Rand) []string {
	name := func() string { return []string{`"ann"`, `"bob"`, "null"}[r.IntN(3)] }
	number := func() any { return []any{0, 1, 2, "null"}[r.IntN(4)] }
	key := func(prefix string, n int) string {
		if r.IntN(5) == 0 {
			return "null"
		}
		return fmt.Sprintf("%q", fmt.Sprint(prefix, 1+r.IntN(n)))
	}
	var all []string
	insert := func(what string, n int, doc func(i int) string) {
		for i := range n {
			all = append(all, fmt.Sprintf("mutation { insert%s(doc: {%s}) { id } }", what, doc(i+1)))
		}
	}
	insert("Team", 4, func(int) string {
		return fmt.Sprintf(`region: %s, n: %v`, []string{`"eu"`, `"us"`, "null"}[r.IntN(3)], number())
	})
	insert("Member", 7, func(i int) string {
		return fmt.Sprintf(`id: "m%d", user: %s, n: %v, teamId: %s`, i, name(), number(), key("", 4))
	})
	insert("Doc", 7, func(i int) string {
		return fmt.Sprintf(`id: "d%d", owner: %s, n: %v, teamId: %s, secret: %[1]d`, i, name(), number(), key("", 4))
	})
	insert("Note", 9, func(i int) string {
		return fmt.Sprintf(`id: "n%d", author: %s, n: %v, docId: %s`, i, name(), number(), key("d", 7))
	})
	return all
}

// refusal is an answer, or its first error when it has errors: fields that fail are null where there are
// several databases, and where there is one all of data is.
func refusal(answer string) string {
	var parts struct{ Errors []json.RawMessage }
	if json.Unmarshal([]byte(answer), &parts) != nil || len(parts.Errors) == 0 {
		return answer
	}
	return string(parts.Errors[0])
}

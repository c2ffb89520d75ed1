package writes

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/mongodb"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/mongo"
	"spacecloud/tests/served"
)

const standalone = `
type Team @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  code: String @unique  users: [User!]! @link }
type User
  @auth(
    read: "true"
    create: "doc.n < 10"
    update: "doc.owner == auth.id"
    delete: "doc.owner == auth.id"
  )
  @check(rule: "doc.n <= doc.most", message: "n is at most most") {
  id: ID! @primary
  owner: ID
  email: String @unique
  n: Int! @default(value: 0) @range(min: -5)
  most: Int! @default(value: 100)
  short: String @size(max: 3)
  words: [String!] @size(max: 2)
  v: Int! @version
  team: Team @link
  notes: [Note!]! @link
}
type Note @auth(read: "true", create: "true", delete: "true") { id: ID! @primary @autoIncrement  user: User @link(onDelete: CASCADE)  text: String }
type Vote @auth(read: "true", create: "!exists(Vote, v, v.by == doc.by)") { id: ID! @primary  by: String }
type Pair @auth(read: "true", create: "true", update: "true") { id: ID! @primary  team: Team @link(from: "code", to: "code")  code: String }
`

// Without transactions nothing can be taken back, so whatever is refused has written nothing: what
// can be known before is asked before, and all else is refused.
func TestWithoutTransactions(t *testing.T) {
	d, err := mongodb.Open(t.Context(), mongo.StandaloneURL(t))
	if err != nil {
		t.Fatal(err)
	}
	if d.Features().Transactions {
		t.Fatal("it has transactions")
	}
	w := newWorld(t, served.Given(d), standalone)
	const separate = "has no transactions"
	for _, c := range []struct{ change, refused string }{
		{`insertTeam(doc: {id: "t", code: "red"}) { id }`, ""},
		{`insertUser(doc: {id: "a", owner: "ann", email: "a@x", teamId: "t"}) { id n team { id } }`, ""},
		{`insertNote(doc: {userId: "a"}) { id }`, ""},
		{`insertUser(doc: {id: "b", n: 10}) { id }`, "FORBIDDEN"},
		{`insertUser(doc: {id: "b", n: 10, email: "a@x"}) { id }`, "FORBIDDEN"},
		{`insertUser(doc: {id: "b", n: 5, most: 4}) { id }`, "n is at most most"},
		{`insertUser(doc: {id: "b", teamId: "nowhere"}) { id }`, "the team of this User is not there"},
		{`insertUser(doc: {id: "b", email: "a@x"}) { id }`, "another User has this email"},
		{`insertUsers(docs: [{id: "b"}]) { affected }`, ""},
		{`insertUsers(docs: [{id: "c"}, {id: "d"}]) { affected }`, separate},
		{`insertUser(doc: {id: "c", notes: {create: [{text: "x"}]}}) { id }`, separate},
		{`insertVote(doc: {by: "ann"}) { id }`, separate},
		{`a: insertTeam(doc: {id: "x"}) { id } b: insertTeam(doc: {id: "y"}) { id }`, separate},
		{`updateUser(id: "a", set: {n: 3}) { id }`, separate}, // the check compares n
		{`updateUser(id: "a", set: {email: "n@x"}) { email v }`, ""},
		{`updateUser(id: "b", set: {email: "b@x"}) { email }`, "FORBIDDEN"},
		{`updateUser(id: "a", set: {owner: "bo"}) { id }`, separate},
		{`updateUser(id: "a", inc: {n: 1}) { id }`, separate},
		{`updateUser(id: "a", set: {short: "long"}) { id }`, "VALIDATION_FAILED"},
		{`updateUser(id: "a", push: {words: ["a"]}) { id }`, separate},
		{`updateUser(id: "a", set: {teamId: "nowhere"}) { id }`, "the team of this User is not there"},
		{`updateUser(id: "a", set: {teamId: null}) { team { id } }`, ""},
		{`updateUser(id: "a", set: {teamId: "t"}) { team { id } }`, ""},
		{`updateUser(id: "a", set: {team: {connect: {id: "t"}}}) { id }`, separate},
		{`updateUsers(where: {}, set: {email: null}) { affected }`, separate},
		{`updateTeam(id: "t", set: {code: "blue"}) { id }`, separate},
		{`upsertUser(doc: {id: "a", email: "u@x"}, onConflict: {target: [id]}) { email }`, ""},
		{`upsertUser(doc: {id: "a", teamId: "nowhere"}, onConflict: {target: [id]}) { id }`, "the team of this User is not there"},
		{`upsertUser(doc: {id: "a", owner: "bo"}, onConflict: {target: [id]}) { id }`, separate},
		{`upsertUser(doc: {id: "e", n: 11}, onConflict: {target: [id]}) { id }`, "FORBIDDEN"},
		{`upsertTeam(doc: {id: "s"}, onConflict: {target: [id]}) { id }`, ""},
		{`deleteTeam(id: "t") { id }`, "rows of User still link to this Team"},
		{`deleteTeam(id: "s") { id }`, ""},
		{`deleteUser(id: "a") { id }`, separate}, // its note would go with it
		{`deleteUser(id: "b") { id }`, "FORBIDDEN"},
		{`deleteNotes(where: {}) { affected }`, separate},
		{`deleteNote(id: 1) { id }`, ""},
		{`deleteUser(id: "a") { id }`, ""},
	} {
		before := w.Dump()
		answer := w.ask("mutation { "+c.change+" }", nil)
		switch {
		case c.refused == "" && (strings.Contains(answer, "errors") || w.Dump() == before):
			t.Errorf("%s: %s", c.change, answer)
		case c.refused == "":
		case !strings.Contains(answer, c.refused):
			t.Errorf("%s: got %s, want %s", c.change, answer, c.refused)
		case w.Dump() != before:
			t.Errorf("%s is refused and did something:\n%s", c.change, w.Dump())
		}
	}
	before := w.Dump()
	if got := w.ask(`mutation { insertTeam(doc: {id: "k"}) { id } }`, nil, "Idempotency-Key", "k"); !strings.Contains(got, separate) || w.Dump() != before {
		t.Errorf("an Idempotency-Key: %s", got)
	}
}

// Two databases of which one has no transactions cannot be changed together either.
func TestWithoutTransactionsBeside(t *testing.T) {
	d, err := mongodb.Open(t.Context(), mongo.StandaloneURL(t))
	if err != nil {
		t.Fatal(err)
	}
	s := served.Text(t, served.SQLite, `
type A @auth(read: "true", create: "true") { id: ID! @primary }
type B @table(db: "docs") @auth(read: "true", create: "true") { id: ID! @primary }
`, served.Options{On: map[string]served.Kind{"docs": served.Given(d)}})
	got := s.Ask(&auth.Caller{}, `mutation { insertA(doc: {id: "1"}) { id } insertB(doc: {id: "1"}) { id } }`, nil, nil)
	var answer struct{ Errors []struct{ Message string } }
	if err := json.Unmarshal(got.Body, &answer); err != nil || len(answer.Errors) != 1 || !strings.Contains(answer.Errors[0].Message, "database docs has no transactions") || s.Dump() != "" {
		t.Errorf("%s\n%s", got.Body, s.Dump())
	}
}

// Join rows that would have to go with a row of another database are not deleted where that cannot be taken back.
func TestJoinRowsWithoutTransactions(t *testing.T) {
	d, err := mongodb.Open(t.Context(), mongo.StandaloneURL(t))
	if err != nil {
		t.Fatal(err)
	}
	s := served.Text(t, served.SQLite, `
type A @table(db: "docs") @auth(read: "true", create: "true") { id: ID! @primary  bs: [B!]! @link }
type B @auth(read: "true", create: "true", delete: "true") { id: ID! @primary  as: [A!]! @link }
`, served.Options{On: map[string]served.Kind{"docs": served.Given(d)}})
	ask := func(text string) string { return string(s.Ask(&auth.Caller{}, text, nil, nil).Body) }
	ask(`mutation { insertBs(docs: [{id: "1"}, {id: "2"}]) { affected } }`)
	tables := s.Tables()
	join := tables[slices.IndexFunc(tables, func(t *schema.Type) bool { return t.Owned })]
	err = database.New("docs", d).Tx(t.Context(), func(tx driver.Tx) error {
		_, err := tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Create, Type: join, Columns: join.Columns, Rows: [][]schema.Value{{schema.Text("a"), schema.Text("1")}}}), query.Binding{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(`mutation { deleteB(id: "1") { id } }`); !strings.Contains(got, "database docs has no transactions") {
		t.Error(got)
	}
	if got := ask(`mutation { deleteB(id: "2") { id } }`); strings.Contains(got, "errors") {
		t.Error(got)
	}
	if got := ask(`{ bs { id } }`); got != `{"data":{"bs":[{"id":"1"}]}}` {
		t.Error(got)
	}
}

package stories

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

const shops = `
type User @table(db: "people") @auth(read: "doc.teamId == auth.team || doc.team.open", create: "true") {
  id: ID! @primary
  name: String
  team: Team @link
  orders: [Order!]! @link
}
type Team @table(db: "teams") @auth(read: "true", create: "true") { id: ID! @primary  open: Boolean  x: Int  y: Int }
type Order @table(db: "shop") @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary
  total: Int
  buyer: User @link
  spot: Spot @link(from: ["x", "y"], to: ["x", "y"])
  x: Int
  y: Int
}
type Spot @table(db: "people") @auth(read: "true", create: "true") { x: Int! @primary  y: Int! @primary  free: Boolean! }
`

// rowsOf is the documents of an insert: "{id: \"u0\", …}, …".
func rowsOf(n int, format string) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("{"+format+"}", i))
	}
	return strings.Join(all, ", ")
}

// A statement is asked once for each condition on another database, whatever the number of rows, and once
// where two parts of an answer have the same condition.
func TestStatementsOfConditionsAcross(t *testing.T) {
	served.EachAndMixed(t, statementsOfConditionsAcross)
}

func statementsOfConditionsAcross(t *testing.T, on served.Kind) {
	server, counts := counted(t, on, shops, resolvers.Config{})
	told(t, server, fmt.Sprintf(`mutation {
		insertTeam(doc: {id: "t", open: true}) { id }
		insertUsers(docs: [%s]) { affected }
		insertOrders(docs: [%s]) { affected }
	}`, rowsOf(50, `id: "u%[1]d", name: "n", teamId: "t"`), rowsOf(100, `id: "o%[1]d", total: %[1]d, buyerId: "u1"`)))
	for _, test := range []struct {
		request string
		want    map[string]int // finds
	}{
		{`{ orders(where: {buyer: {name: {_eq: "n"}}}) { id } }`, map[string]int{"shop": 1, "people": 1, "teams": 1}},
		{`{ orders { id } }`, map[string]int{"shop": 1}},
		{`{ orders { id buyer { id } } }`, map[string]int{"shop": 1, "people": 1, "teams": 1}},
		{`{ ordersConnection(where: {buyer: {name: {_eq: "n"}}}, first: 3) { totalCount nodes { id } } }`, map[string]int{"shop": 2, "people": 1, "teams": 1}},
		{`{ users(where: {orders: {_count: {_gt: 3, _lt: 1000}}}) { id orders { id } } }`, map[string]int{"shop": 3, "people": 1, "teams": 1}},
		{`mutation { updateOrders(where: {buyer: {name: {_eq: "n"}}}, inc: {total: 1}) { affected } }`, map[string]int{"people": 1, "teams": 1}},
	} {
		told(t, server, test.request) // what a change asks before it writes is found out the first time
		reset(counts)
		told(t, server, test.request)
		for name, c := range counts {
			if got := c.Counts().Finds; got != test.want[name] {
				t.Errorf("%s: %d statements in %s, want %d", test.request, got, name, test.want[name])
			}
		}
	}
}

func told(t *testing.T, server *served.Server, request string) string {
	t.Helper()
	got := ask(t, server, request)
	if strings.Contains(got, `"errors"`) {
		t.Fatal(got)
	}
	return got
}

// More keys than the limit are an error that says so, in filters and in rules, and never fewer rows.
func TestKeysOfAnotherDatabaseAreBounded(t *testing.T) {
	served.EachAndMixed(t, keysOfAnotherDatabaseAreBounded)
}

func keysOfAnotherDatabaseAreBounded(t *testing.T, on served.Kind) {
	server, _ := counted(t, on, shops, resolvers.Config{Keys: 10})
	told(t, server, fmt.Sprintf(`mutation {
		insertTeams(docs: [%s]) { affected }
		insertUsers(docs: [%s]) { affected }
		insertOrders(docs: [%s]) { affected }
	}`, rowsOf(10, `id: "t%[1]d", open: true`), rowsOf(11, `id: "u%[1]d", name: "n%[1]d", teamId: "t1"`), rowsOf(30, `id: "o%[1]d", buyerId: "u1"`)))
	for _, test := range []struct{ request, want string }{
		{`{ orders(where: {buyer: {name: {_lt: "n5"}}}, limit: 1) { id } }`, ""},
		{`{ users(where: {orders: {_some: {}}}) { id } }`, ""}, // thirty orders of one user are one key
		{`{ orders(where: {buyer: {name: {_like: "n%"}}}) { id } }`, "more than 10 users meet the condition on buyer, which is asked of another database first; narrow the condition"},
		{`{ ordersAggregate(where: {_not: {buyer: {name: {_eq: "x"}}}}) { count } }`, "more than 10 users meet the condition on buyer"},
		{`mutation { updateOrders(where: {buyer: {name: {_like: "n%"}}}, set: {total: 1}) { affected } }`, "more than 10 users meet the condition on buyer"},
		{`mutation { insertTeam(doc: {id: "t10", open: true}) { id } users: insertUsers(docs: [{id: "u11", name: "n"}]) { returning { id } } }`, "more than 10 teams meet the condition on team"},
	} {
		got := ask(t, server, test.request)
		if test.want == "" {
			if strings.Contains(got, `"errors"`) {
				t.Errorf("%s: %s", test.request, got)
			}
			continue
		}
		for _, part := range []string{test.want, `"LIMIT_EXCEEDED"`, `"setting": "limits.keys"`, `"limit": 10`} {
			if !strings.Contains(got, part) {
				t.Errorf("%s: no %s in %s", test.request, part, got)
			}
		}
	}
	if got := told(t, server, `{ ordersAggregate(where: {total: {_isNull: false}}) { count } teamsAggregate { count } }`); strings.Count(got, `"count": 0`) != 1 || !strings.Contains(got, `"count": 10`) {
		t.Errorf("what failed wrote something: %s", got)
	}
}

// Keys of several columns are told to a database as one list.
func TestCompoundKeysAcross(t *testing.T) { served.Each(t, compoundKeysAcross) }

func compoundKeysAcross(t *testing.T, on served.Kind) {
	server, _ := counted(t, on, shops, resolvers.Config{})
	var line, diagonal, orders []string
	for i := range 1500 {
		line = append(line, fmt.Sprintf(`{"x": 7000, "y": %d, "free": true}`, i))
		diagonal = append(diagonal, fmt.Sprintf(`{"x": %d, "y": %[1]d, "free": false}`, i))
	}
	for i := range 20 {
		orders = append(orders, fmt.Sprintf(`{"id": "o%d", "x": %[1]d, "y": %[1]d}`, i))
	}
	told(t, server, fmt.Sprintf(`# variables {"a": [%s], "b": [%s], "c": [%s]}
mutation ($a: [SpotInsert!]!, $b: [SpotInsert!]!, $c: [OrderInsert!]!) {
  a: insertSpots(docs: $a) { affected }
  b: insertSpots(docs: $b) { affected }
  insertOrders(docs: $c) { affected }
}`, strings.Join(line, ","), strings.Join(diagonal, ","), strings.Join(orders, ",")))
	told(t, server, `mutation { insertOrders(docs: [{id: "row", x: 7000, y: 3}, {id: "no", x: 7000, y: 1500}, {id: "half", x: 7000}, {id: "other", x: 3, y: 4}]) { affected } }`)
	if got := told(t, server, `{ orders(where: {spot: {free: {_eq: true}}}) { id } }`); strings.Count(got, "id") != 1 || !strings.Contains(got, "row") {
		t.Error(got)
	}
	if got := told(t, server, `{ ordersAggregate(where: {spot: {free: {_eq: false}}}) { count } }`); !strings.Contains(got, `"count": 20`) {
		t.Error(got)
	}
	if got := told(t, server, `{ ordersAggregate(where: {_not: {spot: {x: {_lt: 5000}}}}) { count } }`); !strings.Contains(got, "\"count\": 1\n") {
		t.Error(got)
	}
}

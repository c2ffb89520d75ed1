package stories

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"spacecloud/auth"
	"spacecloud/tests/served"
)

const hammerSDL = `
type Note @auth(read: "doc.ownerId == auth.id || auth.role == 'admin'", create: "true", update: "doc.ownerId == auth.id") {
  id: ID! @primary
  n: Int!
  hits: Int! @default(value: 0)
  ownerId: ID!
  owner: Person @link(from: "ownerId", to: "id")
}
type Person @auth(read: "true", create: "true") {
  id: ID! @primary
  notes: [Note!]! @link
}
`

// One document, asked by many callers at once with variables of many shapes: each gets the
// answer to its own request, although they share the document, its plans and their buffers.
func TestManyCallersOfOneDocument(t *testing.T) { served.Each(t, manyCallersOfOneDocument) }

func manyCallersOfOneDocument(t *testing.T, on served.Kind) {
	const people, notes = 8, 6
	server := serve(t, on, hammerSDL)
	var persons, docs []any
	for p := range people {
		persons = append(persons, map[string]any{"id": fmt.Sprint("p", p)})
		for n := range notes {
			docs = append(docs, map[string]any{"id": fmt.Sprintf("p%d-%d", p, n), "n": n, "ownerId": fmt.Sprint("p", p)})
		}
	}
	fill := "mutation ($p: [PersonInsert!]!, $d: [NoteInsert!]!) { insertPeople(docs: $p) { affected } insertNotes(docs: $d) { affected } }"
	want := fmt.Sprintf(`{"data":{"insertPeople":{"affected":%d},"insertNotes":{"affected":%d}}}`, people, people*notes)
	if got := post(t, server, &auth.Caller{}, map[string]any{"query": fill, "variables": map[string]any{"p": persons, "d": docs}}); string(got) != want {
		t.Fatalf("%s", got)
	}
	var wg sync.WaitGroup
	for p := range people {
		h := hammered{t, server, fmt.Sprint("p", p), notes}
		wg.Go(func() {
			for round := range 40 {
				h.round(round)
			}
		})
	}
	wg.Wait()
	for p := range people {
		c := signedIn(t, fmt.Sprintf(`{"sub": "p%d"}`, p))
		got := post(t, server, c, map[string]any{"query": `{ notes(where: {n: {_eq: 0}}) { hits } }`})
		if string(got) != `{"data":{"notes":[{"hits":10}]}}` {
			t.Errorf("p%d: %s, want 10 hits", p, got)
		}
	}
}

// hammered is one caller's requests.
type hammered struct {
	t      *testing.T
	server *served.Server
	person string
	notes  int
}

const hammerQuery = `query ($w: NoteWhere, $o: [NoteOrder!], $l: Int!, $owner: Boolean!, $n: NoteWhere) {
	notes(where: $w, orderBy: $o, limit: $l) { id owner @include(if: $owner) { notes(where: $n, limit: $l) { n } } } }`

const hammerMutation = `mutation ($id: ID!, $l: Int!) { updateNote(id: $id, inc: {hits: 1}) { id owner { notes(limit: $l) { n } } } }`

// round asks once as a person, for notes from a number on, in one of several shapes.
func (h hammered) round(round int) {
	from, owner := round%h.notes, round%3 == 0
	least := map[string]any{"n": map[string]any{"_gte": from}}
	parts := slices.Repeat([]any{least}, 1+round%5)
	vars := map[string]any{"w": map[string]any{"_and": parts}, "l": h.notes, "owner": owner, "n": least}
	if round%2 == 0 {
		vars["o"] = []any{map[string]any{"n": "DESC"}}
	}
	var rows, below []string
	for n := from; n < h.notes; n++ {
		below = append(below, fmt.Sprintf(`{"n":%d}`, n))
	}
	for n := from; n < h.notes; n++ {
		row := fmt.Sprintf(`{"id":"%s-%d"}`, h.person, n)
		if owner {
			row = fmt.Sprintf(`{"id":"%s-%d","owner":{"notes":[%s]}}`, h.person, n, strings.Join(below, ","))
		}
		rows = append(rows, row)
	}
	if round%2 == 0 {
		slices.Reverse(rows)
	}
	h.ask(h.caller(), hammerQuery, vars, `{"data":{"notes":[`+strings.Join(rows, ",")+`]}}`)
	if round%4 == 0 {
		most := 1 + round%h.notes
		var all []string
		for n := range most {
			all = append(all, fmt.Sprintf(`{"n":%d}`, n))
		}
		id := h.person + "-0"
		h.ask(h.caller(), hammerMutation, map[string]any{"id": id, "l": most},
			fmt.Sprintf(`{"data":{"updateNote":{"id":"%s","owner":{"notes":[%s]}}}}`, id, strings.Join(all, ",")))
	}
	if round%5 == 0 {
		h.ask(&auth.Caller{}, hammerQuery, vars, `{"errors":[{"message":"read of Note needs a token","path":["notes"],"locations":[{"line":2,"column":2}],"extensions":{"code":"UNAUTHENTICATED"}}],"data":null}`)
	}
}

func (h hammered) caller() *auth.Caller { return signedIn(h.t, fmt.Sprintf(`{"sub": %q}`, h.person)) }

func (h hammered) ask(c *auth.Caller, text string, vars map[string]any, want string) {
	if got := string(post(h.t, h.server, c, map[string]any{"query": text, "variables": vars})); got != want {
		h.t.Errorf("%s, %v: %s, want %s", h.person, vars, got, want)
	}
}

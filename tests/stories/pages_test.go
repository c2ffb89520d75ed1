package stories

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/tests/served"
)

const paged = `
enum Colour { RED GREEN BLUE }
type Box @auth(read: "true", create: "true") { id: ID! @primary  name: String!  things: [Thing!]! @link }
type Thing @auth(read: "doc.number != 13", create: "true", delete: "true") @index(fields: ["number"]) {
  id: ID! @primary
  text: String
  word: String!
  number: Int
  count: Int!
  big: BigInt
  float: Float
  price: Decimal
  flag: Boolean
  at: DateTime
  day: Date
  clock: Time
  key: UUID
  colour: Colour
  box: Box @link
}
type Pair @auth(read: "true", create: "true") { a: String! @primary  b: BigInt! @primary  n: Int }
type Row @auth(read: "true", create: "true") { id: ID! @primary @autoIncrement  n: Int }
`

// pager asks for pages of a connection on a server.
type pager struct {
	*testing.T
	server *served.Server
}

func openPager(t *testing.T, on served.Kind) pager {
	p := pager{t, serve(t, on, paged)}
	p.do(`mutation { insertBoxes(docs: [{id: "b1", name: "1"}, {id: "b2", name: "2"}, {id: "b3", name: "3"}]) { affected } }`, nil)
	return p
}

// do asks and decodes; errors of the answer are fatal.
func (p pager) do(text string, variables map[string]any) map[string]any {
	p.Helper()
	data, errs := p.try(text, variables)
	if len(errs) > 0 {
		p.Fatalf("%s: %v\nwith %.500v", text, errs, variables)
	}
	return data
}

func (p pager) try(text string, variables map[string]any) (data map[string]any, errs []any) {
	p.Helper()
	vars, err := json.Marshal(variables)
	if err != nil {
		p.Fatal(err)
	}
	var answer struct {
		Data   map[string]any
		Errors []any
	}
	raw := ask(p.T, p.server, "# variables "+string(vars)+"\n"+text)
	if err := json.Unmarshal([]byte(raw), &answer); err != nil {
		p.Fatal(err, raw)
	}
	return answer.Data, answer.Errors
}

// things inserts n random things, with few values so that they tie, and nulls.
func (p pager) things(r *rand.Rand, from, n int) {
	p.Helper()
	pools := map[string][]any{
		"text": {"", "a", "A", "é", "😀", "z"}, "word": {"x", "y", "X"}, "number": {-1, 0, 7, 13}, "count": {1, 2},
		"big": {"0", "1152921504606846977", "1152921504606846976"}, "float": {-1.5, 0.1, 1e300}, "price": {"-1.5", "9", "10", "0.1"},
		"flag": {true, false}, "at": {"1969-12-31T23:59:59.999999Z", "2026-01-31T13:37:00Z"}, "day": {"1969-07-20", "2026-01-31"},
		"clock": {"00:00:00", "13:37:00.5"}, "key": {"0190f6a8-7b1c-7def-8a1b-0123456789ab"}, "colour": {"RED", "BLUE"},
		"boxId": {"b1", "b2"},
	}
	names := slices.Sorted(maps.Keys(pools))
	var docs []any
	for i := range n {
		doc := map[string]any{"id": fmt.Sprintf("t%03d-%d", r.IntN(1000), from+i)}
		for _, name := range names {
			if name == "word" || name == "count" || r.IntN(3) > 0 {
				doc[name] = pools[name][r.IntN(len(pools[name]))]
			}
		}
		docs = append(docs, doc)
	}
	p.do(`mutation($docs: [ThingInsert!]!) { insertThings(docs: $docs) { affected } }`, map[string]any{"docs": docs})
}

var pageDirections = []string{"ASC", "DESC", "ASC_NULLS_FIRST", "ASC_NULLS_LAST", "DESC_NULLS_FIRST", "DESC_NULLS_LAST"}

func randomOrder(r *rand.Rand, fields []string) []any {
	orders := []any{}
	for range r.IntN(4) {
		orders = append(orders, map[string]any{fields[r.IntN(len(fields))]: pageDirections[r.IntN(len(pageDirections))]})
	}
	return orders
}

var thingFields = []string{"id", "text", "word", "number", "count", "big", "float", "price", "flag", "at", "day", "clock", "key", "colour", "boxId"}

// pages walks a connection page by page and returns the ids of the rows in their order.
func (p pager) pages(text string, variables map[string]any, size int, backward bool, between func()) []string {
	p.Helper()
	var ids []string
	vars := map[string]any{}
	maps.Copy(vars, variables)
	for page := 0; ; page++ {
		if page > 1000 {
			p.Fatal("pages without end")
		}
		number, position, more, end := "first", "after", "hasNextPage", "endCursor"
		if backward {
			number, position, more, end = "last", "before", "hasPreviousPage", "startCursor"
		}
		vars[number] = size
		c := p.do(text, vars)["c"].(map[string]any)
		var got []string
		for i, e := range c["edges"].([]any) {
			id := e.(map[string]any)["node"].(map[string]any)["id"].(string)
			if node := c["nodes"].([]any)[i].(map[string]any); node["id"] != id {
				p.Fatalf("edges and nodes differ: %v", c)
			}
			got = append(got, id)
		}
		info := c["pageInfo"].(map[string]any)
		if backward {
			ids = append(got, ids...)
		} else {
			ids = append(ids, got...)
		}
		if info[more] == false {
			return ids
		}
		if len(got) != size {
			p.Fatalf("a page of %d has %d rows, and there are more", size, len(got))
		}
		vars[position] = info[end]
		between()
	}
}

const thingPages = `query($first: Int, $after: String, $last: Int, $before: String, $orderBy: [ThingOrder!]) {
  c: thingsConnection(first: $first, after: $after, last: $last, before: $before, orderBy: $orderBy) {
    edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount
  }
}`

func nothing() {}

// Any sequence of pages, in any order, forward or backward, is the list.
func TestPagesCoverTheListOnce(t *testing.T) { served.Each(t, pagesCoverTheListOnce) }

func pagesCoverTheListOnce(t *testing.T, on served.Kind) {
	p := openPager(t, on)
	r := rand.New(rand.NewPCG(5, 6))
	p.things(r, 0, 40)
	for range 150 {
		orderBy := randomOrder(r, thingFields)
		size, backward := 1+r.IntN(12), r.IntN(2) == 0
		var want []string
		all := p.do(`query($orderBy: [ThingOrder!]) { things(orderBy: $orderBy) { id } }`, map[string]any{"orderBy": orderBy})
		for _, each := range all["things"].([]any) {
			want = append(want, each.(map[string]any)["id"].(string))
		}
		got := p.pages(thingPages, map[string]any{"orderBy": orderBy}, size, backward, nothing)
		if !slices.Equal(got, want) {
			t.Fatalf("order %v, pages of %d, backward %t\ngot  %v\nwant %v", orderBy, size, backward, got, want)
		}
	}
}

// While rows are inserted and others deleted, pages repeat none, and skip none that was there
// all the time.
func TestPagesWhileRowsCome(t *testing.T) { served.Each(t, pagesWhileRowsCome) }

func pagesWhileRowsCome(t *testing.T, on served.Kind) {
	r := rand.New(rand.NewPCG(7, 8))
	for i := range 12 {
		p := openPager(t, on)
		p.things(r, 0, 30)
		orderBy := randomOrder(r, thingFields)
		old := p.pages(thingPages, map[string]any{"orderBy": orderBy}, 100, false, nothing)
		next := 100
		got := p.pages(thingPages, map[string]any{"orderBy": orderBy}, 1+r.IntN(6), i%2 == 0, func() {
			if next < 150 {
				p.things(r, next, 2)
				next += 2
			}
		})
		left := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !slices.Contains(old, id) })
		if !slices.Equal(left, old) {
			t.Fatalf("order %v\ngot  %v\nwant %v", orderBy, left, old)
		}
		slices.Sort(got)
		if len(slices.Compact(slices.Clone(got))) != len(got) {
			t.Fatalf("rows are repeated: %v", got)
		}
	}
}

// A row that a cursor stands on may go: the next page begins where it was.
func TestACursorOutlivesItsRow(t *testing.T) { served.Each(t, aCursorOutlivesItsRow) }

func aCursorOutlivesItsRow(t *testing.T, on served.Kind) {
	p := openPager(t, on)
	r := rand.New(rand.NewPCG(9, 10))
	p.things(r, 0, 20)
	orderBy := []any{map[string]any{"number": "DESC"}, map[string]any{"text": "ASC"}}
	old := p.pages(thingPages, map[string]any{"orderBy": orderBy}, 100, false, nothing)
	n := 0
	got := p.pages(thingPages, map[string]any{"orderBy": orderBy}, 3, false, func() {
		n += 3
		p.do(`mutation($id: ID!) { deleteThing(id: $id) { id } }`, map[string]any{"id": old[n-1]})
	})
	if !slices.Equal(got, old) {
		t.Fatalf("got  %v\nwant %v", got, old)
	}
}

// The pages of each parent are those of its own rows, and its count is theirs.
func TestPagesOfParents(t *testing.T) { served.Each(t, pagesOfParents) }

func pagesOfParents(t *testing.T, on served.Kind) {
	p := openPager(t, on)
	r := rand.New(rand.NewPCG(11, 12))
	p.things(r, 0, 50)
	for range 30 {
		orderBy := randomOrder(r, thingFields)
		text := `query($first: Int, $last: Int, $orderBy: [ThingOrder!]) {
  boxes {
    things(orderBy: $orderBy) { id }
    c: thingsConnection(first: $first, last: $last, orderBy: $orderBy) { nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage } }
  }
}`
		size := 1 + r.IntN(30)
		for _, number := range []string{"first", "last"} {
			for _, b := range p.do(text, map[string]any{"orderBy": orderBy, number: size})["boxes"].([]any) {
				box := b.(map[string]any)
				all, c := box["things"].([]any), box["c"].(map[string]any)
				want := all[:min(size, len(all))]
				more := "hasNextPage"
				if number == "last" {
					want = all[max(0, len(all)-size):]
					more = "hasPreviousPage"
				}
				if fmt.Sprint(want) != fmt.Sprint(c["nodes"]) || c["totalCount"] != float64(len(all)) ||
					c["pageInfo"].(map[string]any)[more] != (len(all) > size) {
					t.Fatalf("%s %d by %v\ngot  %v\nwant %v of %d", number, size, orderBy, c, want, len(all))
				}
			}
		}
	}
}

// Compound and generated keys are in cursors as well.
func TestPagesByOtherKeys(t *testing.T) { served.Each(t, pagesByOtherKeys) }

func pagesByOtherKeys(t *testing.T, on served.Kind) {
	p := openPager(t, on)
	var pairs, rows []any
	for i := range 20 {
		pairs = append(pairs, map[string]any{"a": string(rune('a' + i%3)), "b": fmt.Sprint(1<<60 + i), "n": i % 2})
		rows = append(rows, map[string]any{"n": i % 3})
	}
	p.do(`mutation($p: [PairInsert!]!, $r: [RowInsert!]!) { insertPairs(docs: $p) { affected } insertRows(docs: $r) { affected } }`,
		map[string]any{"p": pairs, "r": rows})
	for text, list := range map[string]string{
		`query($first: Int, $after: String) { c: pairsConnection(first: $first, after: $after, orderBy: [{n: DESC}]) {
			edges { node { id: b } } nodes { id: b } pageInfo { hasNextPage endCursor } } }`: `{ list: pairs(orderBy: [{n: DESC}]) { id: b } }`,
		`query($first: Int, $after: String) { c: rowsConnection(first: $first, after: $after, orderBy: [{n: ASC}]) {
			edges { node { id } } nodes { id } pageInfo { hasNextPage endCursor } } }`: `{ list: rows(orderBy: [{n: ASC}]) { id } }`,
	} {
		var want []string
		for _, each := range p.do(list, nil)["list"].([]any) {
			want = append(want, each.(map[string]any)["id"].(string))
		}
		if got := p.pages(text, nil, 3, false, nothing); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %v\nwant %v", text, got, want)
		}
	}
}

func TestCursorsThatAreNone(t *testing.T) { served.Each(t, cursorsThatAreNone) }

func cursorsThatAreNone(t *testing.T, on served.Kind) {
	p := openPager(t, on)
	p.things(rand.New(rand.NewPCG(13, 14)), 0, 20)
	cursorOf := func(field, orderBy string) string {
		c := p.do(`{ c: `+field+`(first: 1, orderBy: [`+orderBy+`]) { edges { cursor } } }`, nil)["c"].(map[string]any)
		return c["edges"].([]any)[0].(map[string]any)["cursor"].(string)
	}
	good := cursorOf("thingsConnection", "{number: ASC}")
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	box := p.do(`{ box(id: "b1") { c: thingsConnection(first: 1, orderBy: [{number: ASC}]) { edges { cursor } } } }`, nil)["box"]
	ofLink := box.(map[string]any)["c"].(map[string]any)["edges"].([]any)[0].(map[string]any)["cursor"].(string)
	const broken, foreign = "this is no cursor", "this cursor is of another list or another orderBy"
	flipped := slices.Clone(raw)
	flipped[len(flipped)-6] ^= 1
	for _, test := range []struct{ name, cursor, want string }{
		{"good", good, ""},
		{"empty", "", broken},
		{"a word", "hello", broken},
		{"an id", "t1", broken},
		{"not base64", "€", broken},
		{"padded", good + "=", broken},
		{"a space", " " + good, broken},
		{"a new line", good[:4] + "\n" + good[4:], broken},
		{"cut", good[:len(good)-1], broken},
		{"cut in half", good[:len(good)/2], broken},
		{"more of it", good + good, broken},
		{"longer", good + "AAAA", broken},
		{"changed", base64.RawURLEncoding.EncodeToString(flipped), broken},
		{"of another order", cursorOf("thingsConnection", "{number: DESC}"), foreign},
		{"of other nulls", cursorOf("thingsConnection", "{number: ASC_NULLS_FIRST}"), foreign},
		{"of another field", cursorOf("thingsConnection", "{count: ASC}"), foreign},
		{"of one field more", cursorOf("thingsConnection", "{number: ASC}, {text: ASC}"), foreign},
		{"of another type", cursorOf("boxesConnection", "{name: ASC}"), foreign},
		{"of a link", ofLink, foreign},
		{"huge", strings.Repeat("A", 70_000), "a cursor is at most 65536 bytes long"},
	} {
		for _, argument := range []string{"after", "before"} {
			vars := map[string]any{"cursor": test.cursor}
			_, errs := p.try(`query($cursor: String) { thingsConnection(`+argument+`: $cursor, orderBy: [{number: ASC}]) { totalCount nodes { id } } }`, vars)
			p.refused(test.name+" in "+argument, errs, test.want)
		}
		if !strings.Contains(test.cursor, "\n") {
			_, errs := p.try(`{ thingsConnection(after: "`+test.cursor+`", orderBy: [{number: ASC}]) { totalCount } }`, nil)
			p.refused(test.name+" as a literal", errs, test.want)
		}
	}
}

// refused wants one error that begins so, or none.
func (p pager) refused(name string, errs []any, want string) {
	p.Helper()
	switch {
	case want == "" && len(errs) == 0:
	case want == "" || len(errs) != 1:
		p.Errorf("%s: %v", name, errs)
	default:
		e := errs[0].(map[string]any)
		message := e["message"].(string)
		if !strings.Contains(message, want) || e["extensions"].(map[string]any)["code"] != "BAD_USER_INPUT" {
			p.Errorf("%s: %v, want %s", name, e, want)
		}
	}
}

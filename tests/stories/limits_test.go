package stories

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"spacecloud/tests/served"
)

// What a filter may ask is bounded, in literals and in variables.
func TestFiltersAreBounded(t *testing.T) { served.Each(t, filtersAreBounded) }

func filtersAreBounded(t *testing.T, on served.Kind) {
	server := serve(t, on, `
type User @auth(read: "true") { id: ID! @primary  boss: User @link(from: "bossId", to: "id")  bossId: ID  tags: [String!]  note: String @search  meta: JSON }`)
	list := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	nested := func(n int, before, inner, after string) string {
		return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
	}
	for name, test := range map[string]struct{ where, want string }{
		"as many values as may be":  {`{"id": {"_in": ` + list(10_000, `"x"`) + `}}`, ""},
		"too many values":           {`{"id": {"_in": ` + list(10_001, `"x"`) + `}}`, "10001 values are more than the 10000"},
		"too many not to be":        {`{"id": {"_nin": ` + list(10_001, `"x"`) + `}}`, "10001 values"},
		"too many elements":         {`{"tags": {"_hasAny": ` + list(10_001, `"x"`) + `}}`, "10001 values"},
		"as many conditions":        {`{"_or": ` + list(499, `{"id": {"_eq": "x"}}`) + `}`, ""},
		"too many conditions":       {`{"_or": ` + list(500, `{"id": {"_eq": "x"}}`) + `}`, "more than 500 conditions"},
		"as deep":                   {nested(11, `{"_not": `, `{"id": {"_eq": "x"}}`, "}"), ""},
		"too deep":                  {nested(12, `{"_not": `, `{"id": {"_eq": "x"}}`, "}"), "more than 12 deep"},
		"much too deep":             {nested(90, `{"_and": [`, `{"id": {"_eq": "x"}}`, "]}"), "more than 12 deep"},
		"too many hops":             {nested(12, `{"boss": `, `{"id": {"_eq": "x"}}`, "}"), "more than 12 deep"},
		"too many words":            {`{"_search": "` + strings.Repeat("x ", 101) + `"}`, "101 words are more than the 100"},
		"too long a path":           {`{"meta": {"path": ` + list(101, `"x"`) + `, "_eq": 1}}`, "101 steps are more than the 100"},
		"as long a path":            {`{"meta": {"path": ` + list(100, `"x"`) + `, "_eq": 1}}`, ""},
		"a value of many digits":    {`{"meta": {"_eq": 1e308}}`, ""},
		"a pattern of many letters": {`{"note": {"_like": "` + strings.Repeat("%x", 2000) + `"}}`, "4000 bytes; 1000 are the most"},
	} {
		t.Run(name, func(t *testing.T) {
			if !json.Valid([]byte(test.where)) {
				t.Fatal("the test is no JSON")
			}
			got := ask(t, server, "# variables {\"w\": "+test.where+"}\nquery Q($w: UserWhere) { users(where: $w) { id } }")
			switch {
			case test.want == "" && strings.Contains(got, "errors"):
				t.Error(got)
			case test.want != "" && (!strings.Contains(got, test.want) || !strings.Contains(got, "LIMIT_EXCEEDED")):
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	order := fmt.Sprintf("{ users(orderBy: [%s]) { id } }", nested(13, "{boss: ", "{id: ASC}", "}"))
	if got := ask(t, server, order); !strings.Contains(got, "LIMIT_EXCEEDED") {
		t.Errorf("an order over 13 links is answered with %s", got)
	}
}

// A row that many share is read once and written many times: what is written has a bound of its
// own.
func TestAnswersAreBounded(t *testing.T) { served.Each(t, answersAreBounded) }

func answersAreBounded(t *testing.T, on served.Kind) {
	server := serve(t, on, `
type User @auth(read: "true", create: "true") { id: ID! @primary  posts: [Post!]! @link }
type Post @auth(read: "true", create: "true") { id: ID! @primary  author: User! @link }`)
	var docs []string
	for n := range 100 {
		docs = append(docs, fmt.Sprintf(`{id: "p%d", authorId: "u"}`, n))
	}
	ask(t, server, `mutation { insertUser(doc: {id: "u"}) { id } insertPosts(docs: [`+strings.Join(docs, " ")+`]) { affected } }`)
	got := ask(t, server, `{ posts { author { posts { author { posts { id } } } } } }`)
	if !strings.Contains(got, "the answer has more than 100000 rows") || !strings.Contains(got, "LIMIT_EXCEEDED") || len(got) > 1000 {
		t.Errorf("%.1000s", got)
	}
	if got := ask(t, server, `{ posts { author { posts { id } } } }`); strings.Contains(got, "errors") {
		t.Errorf("%.1000s", got)
	}
}

// A rule that asks as much as one may and a filter that does are answered together.
func TestRulesAndFiltersAreAnsweredTogether(t *testing.T) { served.Each(t, rulesAndFilters) }

func rulesAndFilters(t *testing.T, on served.Kind) {
	deep := "true"
	for i := range 12 {
		deep = fmt.Sprintf("exists(Wide, w%d, w%[1]d.id == 'a' && %s)", i, deep)
	}
	server := serve(t, on, fmt.Sprintf(`
type Wide @auth(read: "%s", create: "true") { id: ID! @primary  n: Int  ofs: [Of!]! @link }
type Narrow @auth(read: "%s", create: "true") { id: ID! @primary  n: Int }
type Deep @auth(read: "%s", create: "true") { id: ID! @primary  n: Int  up: Deep @link }
type Of @auth(read: "%s", create: "true") { id: ID! @primary  n: Int  wide: Wide @link }`,
		strings.Repeat("doc.n == 1 || ", 499)+"doc.n == 1",
		strings.Repeat("doc.n != 2 && ", 499)+"doc.n != 2", deep,
		strings.Repeat("doc.wide.ofs.exists(o, o.n == 1) && ", 10)+"doc.n == 1"))
	ask(t, server, `mutation { insertWide(doc: {id: "a", n: 1}) { id } insertNarrow(doc: {id: "a", n: 1}) { id }
		insertDeep(doc: {id: "a", n: 1, upId: "a"}) { id } insertOf(doc: {id: "a", n: 1, wideId: "a"}) { id } }`)
	flat := `{"_or": [` + strings.TrimSuffix(strings.Repeat(`{"n": {"_eq": 1}},`, 499), ",") + `]}`
	all := `{"_and": [` + strings.TrimSuffix(strings.Repeat(`{"n": {"_eq": 1}},`, 499), ",") + `]}`
	for _, test := range []struct{ rows, filter, where string }{
		{"wides", "WideWhere", flat},
		{"narrows", "NarrowWhere", all},
		{"deeps", "DeepWhere", strings.Repeat(`{"up": `, 11) + `{"n": {"_eq": 1}}` + strings.Repeat("}", 11)},
		{"ofs", "OfWhere", `{"wide": {"n": {"_eq": 1}}}`},
	} {
		got := ask(t, server, fmt.Sprintf("# variables {\"w\": %s}\nquery Q($w: %s) { %s(where: $w) { id } }", test.where, test.filter, test.rows))
		if strings.Contains(got, "errors") || strings.Count(got, `"id": "a"`) != 1 {
			t.Errorf("%s: got %.1000s", test.rows, got)
		}
	}
}

package graph

import (
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"

	"spacecloud/generator"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

const planSDL = `
enum Kind { A B }
type Post @auth(read: "true", create: "true", update: "true") {
  id: ID! @primary
  title: String
  views: Int
  kind: Kind
  yes: Boolean
  tags: [String!]
  author: Post @link
  replies: [Post!]! @link
}`

// planner plans one document for variables.
func planner(t *testing.T, text string) (plan func(vars map[string]any) (*opPlan, error), op *operation) {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: planSDL})
	if err != nil {
		t.Fatal(err)
	}
	api, err := generator.New(s)
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	e := newExecutable(Options{API: api, Resolvers: &resolvers.Resolvers{Config: resolvers.Config{Schema: s, Rules: set}}}.withDefaults())
	doc, problems := gqlparser.LoadQueryWithRules(api.Schema, text, nil)
	if problems != nil {
		t.Fatal(problems)
	}
	op = newDocument(doc).operations[0]
	return func(vars map[string]any) (*opPlan, error) {
		listed(vars)
		return e.plan(&graphql.OperationContext{Doc: doc, Operation: op.def, Variables: vars}, op, nil)
	}, op
}

// Variables that differ in values only share a plan; those that differ in what is asked do not.
func TestPlansByShape(t *testing.T) {
	type m = map[string]any
	plan, _ := planner(t, `query ($w: PostWhere, $o: [PostOrder!], $yes: Boolean = true, $l: Int! = 5, $k: [Kind!]) {
		posts(where: $w, orderBy: $o, limit: $l) { id title @include(if: $yes) replies(where: {kind: {_in: $k}}) { id } } }`)
	base := m{"yes": true, "l": 5, "k": []any{"A"}}
	with := func(more m) m {
		vars := m{}
		for _, from := range []m{base, more} {
			maps.Copy(vars, from)
		}
		return vars
	}
	of := func(more m) *opPlan {
		p, err := plan(with(more))
		if err != nil {
			t.Fatal(more, err)
		}
		return p
	}
	for _, same := range [][2]m{
		{{"l": 5}, {"l": 7}},
		{{"k": []any{"A"}}, {"k": []any{"A", "B"}}},
		{{"k": []any{}}, {"k": []string{"B"}}},
		{{"w": m{"title": m{"_eq": "x"}}}, {"w": m{"title": m{"_eq": "y"}}}},
		{{"w": m{"_or": []any{m{"views": m{"_gt": 1}}}}}, {"w": m{"_or": []m{{"views": m{"_gt": 2}}}}}},
		{{"w": m{"kind": m{"_eq": "A"}}}, {"w": m{"kind": m{"_eq": "B"}}}},
	} {
		if of(same[0]) != of(same[1]) {
			t.Errorf("%v and %v have plans of their own", same[0], same[1])
		}
	}
	distinct := map[*opPlan]m{}
	for _, vars := range []m{
		{},
		{"w": nil},
		{"w": m{}},
		{"yes": false},
		{"w": m{"title": m{"_eq": nil}}},
		{"w": m{"title": m{"_eq": "x"}}},
		{"w": m{"title": m{"_ne": "x"}}},
		{"w": m{"title": m{"_isNull": true}}},
		{"w": m{"title": m{"_isNull": false}}},
		{"w": m{"yes": m{"_eq": true}}},
		{"w": m{"_or": []any{}}},
		{"w": m{"_or": []any{m{"title": m{"_eq": "x"}}}}},
		{"w": m{"_or": []any{m{"title": m{"_eq": "x"}}, m{"title": m{"_eq": "x"}}}}},
		{"w": m{"_or": []any{m{"title": m{"_eq": "x"}, "views": m{"_eq": 1}}}}},
		{"w": m{"_not": m{"title": m{"_eq": "x"}}}},
		{"w": m{"_not": m{"_not": m{"title": m{"_eq": "x"}}}}},
		{"o": []any{}},
		{"o": nil},
		{"o": []any{m{"title": "ASC"}}},
		{"o": []any{m{"title": "ASC_NULLS_FIRST"}}},
		{"o": []any{m{"views": "ASC"}}},
		{"o": []any{m{"title": "ASC"}, m{"views": "DESC"}}},
	} {
		p := of(vars)
		if other, ok := distinct[p]; ok {
			t.Errorf("%v and %v share a plan", vars, other)
		}
		distinct[p] = vars
	}
}

// However many shapes a client makes up, an operation keeps a bounded number of plans.
func TestPlansAreBounded(t *testing.T) {
	plan, op := planner(t, `query ($w: PostWhere) { posts(where: $w) { id } }`)
	for n := range 3 * maxPlans {
		parts := []any{}
		for range n {
			parts = append(parts, map[string]any{"title": map[string]any{"_eq": "x"}})
		}
		if _, err := plan(map[string]any{"w": map[string]any{"_or": parts}}); err != nil {
			t.Fatal(err)
		}
		if kept := len(op.plans.byShape); kept > maxPlans {
			t.Fatalf("%d plans are kept", kept)
		}
	}
}

// A mutation's own arguments are no part of its shape: they are read anew by each request.
func TestMutationsOfAllValuesShareAPlan(t *testing.T) {
	plan, _ := planner(t, `mutation ($d: [PostInsert!]!, $w: PostWhere!, $n: Int!) {
		insertPosts(docs: $d) { returning { replies(limit: $n) { id } } } updatePosts(where: $w, set: {title: "x"}) { affected } }`)
	a, err := plan(map[string]any{"d": []any{}, "w": map[string]any{}, "n": 1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := plan(map[string]any{"d": []any{map[string]any{"title": "x"}}, "w": map[string]any{"id": map[string]any{"_eq": "x"}}, "n": 2})
	if a != b || err != nil {
		t.Errorf("two plans, %v", err)
	}
}

// The validation makes typed lists where one value stands for a list; here all are []any.
func TestListed(t *testing.T) {
	type m = map[string]any
	vars := m{
		"a": []string{"x"}, "b": m{"c": []m{{"d": []int64{1, 2}}}}, "e": []any{[]bool{true}, nil, "x"}, "f": nil, "g": "text",
	}
	listed(vars)
	want := m{
		"a": []any{"x"}, "b": m{"c": []any{m{"d": []any{int64(1), int64(2)}}}}, "e": []any{[]any{true}, nil, "x"}, "f": nil, "g": "text",
	}
	if !reflect.DeepEqual(vars, want) {
		t.Errorf("%#v, want %#v", vars, want)
	}
	plain := m{"w": m{"a": m{"_in": []any{"x", "y"}}}, "n": fmt.Sprint(1)}
	if n := testing.AllocsPerRun(10, func() { listed(plain) }); n > 0 {
		t.Errorf("%.0f allocations where there is nothing to do", n)
	}
}

package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// measured parses, checks and measures a document's first operation.
func measured(t testing.TB, query string, l Limits) *measure {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(testAPI(t).Schema, query, rules.NewDefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	o := newDocument(doc).operations[0]
	m := measureOf(o, l.withDefaults())
	return &m
}

func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		query                string
		depth, aliases, cost int64
	}{
		{`{ __typename }`, 1, 0, 0},
		{`{ post(id: 1) { id title } }`, 2, 0, 1},
		{`{ posts { id } }`, 2, 0, 10},
		{`{ posts(limit: 7) { id tags } }`, 2, 0, 7},
		{`{ posts(limit: 7) { author { name } comments(limit: 3) { author { id } } } }`, 4, 0, 7 * (1 + 1 + 3*2)},
		{`{ a: posts(limit: 7) { id } b: posts(limit: 7) { id } }`, 2, 2, 14},
		{`{ posts(limit: 7) { id } posts(limit: 7) { title } }`, 2, 0, 7},
		{`{ posts(limit: 7) { author { id } } ...F ...F } fragment F on Query { posts(limit: 7) { author { name } comments { id } } }`, 3, 0, 7 * (1 + 1 + 10)},
		{`{ posts(limit: 0) { comments { id } } }`, 3, 0, 11},
		{`{ posts(limit: -5) { id } }`, 2, 0, 1},
		{`{ postsConnection { nodes { id } } }`, 3, 0, 11},
		{`{ postsConnection(first: 20) { totalCount nodes { author { id } } edges { node { id } } } }`, 4, 0, 1 + 20*2 + 20*2},
		{`{ posts(limit: 2000000000) { comments(limit: 2000000000) { post { comments(limit: 2000000000) { id } } } } }`, 5, 0, most},
		{`query($n: Int! = 5) { posts(limit: $n) { comments(limit: $n) { id } } }`, 3, 0, 5 * 6},
		{`{ __schema { types { fields { type { ofType { ofType { name } } } } } } posts { id } }`, 2, 0, 10},
		{`mutation { deletePost(id: 1) { comments { id } } }`, 3, 0, 11},
	} {
		m := measured(t, c.query, Limits{})
		cost := m.cost.eval(map[string]any{"n": int64(5)})
		if int64(m.depth) != c.depth || int64(m.aliases) != c.aliases || cost != c.cost {
			t.Errorf("%s\ndepth %d, aliases %d, cost %d", c.query, m.depth, m.aliases, cost)
		}
	}
}

func TestCostTakesVariables(t *testing.T) {
	m := measured(t, `query($n: Int!) { posts(limit: $n) { author { id } } }`, Limits{})
	for _, c := range []struct {
		value any
		want  int64
	}{{int64(3), 6}, {3, 6}, {3.0, 6}, {"3", 6}, {int64(-1), 2}, {nil, 20}, {int64(1 << 40), most}, {1e300, most}, {"99999999999999999999", most}} {
		if got := m.cost.eval(map[string]any{"n": c.value}); got != c.want {
			t.Errorf("%v: %d, want %d", c.value, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	s := testServer(t, Options{Limits: Limits{Depth: 4, Complexity: 100, Aliases: 2}, Introspection: true}, nil)
	for _, c := range []struct {
		query   string
		message string // "" for none
		setting string
	}{
		{`{ posts(limit: 50) { author { id } } }`, "", ""},
		{`{ posts(limit: 51) { author { id } } }`, "the answer could hold 102 objects, a list without a limit counting as 10; limits.complexity allows 100", "limits.complexity"},
		{`query($n: Int! = 101) { posts(limit: $n) { id } }`, "the answer could hold 101 objects, a list without a limit counting as 10; limits.complexity allows 100", "limits.complexity"},
		{`{ post(id: 1) { author { posts { author { id } } } } }`, "the fields nest 5 deep; limits.depth allows 4", "limits.depth"},
		{`{ a: __typename b: __typename }`, "", ""},
		{`{ a: __typename b: __typename ...F } fragment F on Query { c: __typename }`, "the operation has 3 aliases; limits.aliases allows 2", "limits.aliases"},
	} {
		a := ask(t, s, postRequest(body(c.query, nil), "Accept", graphqlJSON))
		if c.message == "" {
			if a.status != 200 {
				t.Errorf("%s\n%s", c.query, a.body)
			}
			continue
		}
		if a.status != 400 || a.Errors[0].Message != c.message || a.Errors[0].Extensions["code"] != "LIMIT_EXCEEDED" ||
			a.Errors[0].Extensions["setting"] != c.setting || a.Errors[0].Extensions["limit"] == nil || a.Errors[0].Extensions["value"] == nil {
			t.Errorf("%s\n%s", c.query, a.body)
		}
	}
}

func TestIntrospectionHasALimitOfItsOwn(t *testing.T) {
	if cost := measured(t, introspectionQuery(t), Limits{}).introspection.eval(nil); cost > introspectionCost/2 {
		t.Errorf("the usual query costs %d", cost)
	}
	var aliases strings.Builder
	for i := range 12 {
		fmt.Fprintf(&aliases, " a%d: fields { args { name } type { fields { args { name } } } }", i)
	}
	a := ask(t, handing(t, Options{Introspection: true}), postRequest(body("{ __schema { types {"+aliases.String()+" } } }", nil)))
	if a.Errors == nil || a.Errors[0].Extensions["code"] != "LIMIT_EXCEEDED" {
		t.Errorf("%.300s", a.body)
	}
}

// What multiplies by fragments in fragments is refused, or answered, without being walked.
func TestAmplification(t *testing.T) {
	var doubling, wide, states, names strings.Builder
	doubling.WriteString("{ post(id: 1) { ...F0 ...G0 } }")
	for i := range 60 {
		fmt.Fprintf(&doubling, " fragment F%d on Post { ...F%d ...G%[2]d } fragment G%[1]d on Post { ...F%[2]d ...G%[2]d }", i, i+1)
	}
	doubling.WriteString(" fragment F60 on Post { id } fragment G60 on Post { id }")

	wide.WriteString("{ post(id: 1) { ...F0 } }")
	for i := range 10 {
		fmt.Fprintf(&wide, " fragment F%d on Post { a: author { posts { ...F%d } } b: author { posts { ...F%[2]d } } }", i, i+1)
	}
	wide.WriteString(" fragment F10 on Post { id }")

	// The subsets of n states: each path of keys leads to another union of fragments.
	states.WriteString("{ post(id: 1) { ...S0 } }")
	for i := range 9 {
		fmt.Fprintf(&states, " fragment S%d on Post { a: comments { post { ...S%d ...S%d } } b: author { posts { ...S%[2]d ...S%d } } c: author { posts { ...S%[4]d } } }", i, i+1, i+2, min(i+3, 10))
	}
	states.WriteString(" fragment S9 on Post { id } fragment S10 on Post { title }")

	names.WriteString("{")
	names.WriteString(strings.Repeat(" posts { id }", 1200))
	names.WriteString("}")

	o := Options{API: testAPI(t), Log: quiet, Limits: Limits{Depth: 100, Aliases: 1000}}.withDefaults()
	s, err := serve(o, newExecutable(o))
	if err != nil {
		t.Fatal(err)
	}
	for name, query := range map[string]string{
		"doubling": doubling.String(), "wide": wide.String(), "states": states.String(), "names": names.String(),
		"flat": "{ post(id:1) {" + strings.Repeat(" id", 4980) + "} }", "typenames": "{" + strings.Repeat(" __typename", 4980) + "}",
		"args": "{" + strings.Repeat(" post(id:1){id}", 500) + "}", "frags": "{" + strings.Repeat(" ...F", 1600) + "} fragment F on Query { __typename }",
		"inlines":   "{" + strings.Repeat(" ...{", 1600) + "__typename" + strings.Repeat("}", 1600) + "}",
		"errors":    "{" + strings.Repeat(" nope", 4980) + "}",
		"list":      "{posts(where:" + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "){id}}",
		"long name": "{" + strings.Repeat("a", 500_000) + "}", "long type": "query($a:" + strings.Repeat("a", 500_000) + "){posts{id}}",
	} {
		start := time.Now()
		a := ask(t, s, postRequest(body(query, nil)))
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s took %v", name, took)
		}
		t.Logf("%s: %v %.250s", name, time.Since(start), a.body)
	}
}

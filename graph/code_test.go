package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/generator"
)

// handing makes a Server that hands everything on.
func handing(t testing.TB, o Options) *Server {
	t.Helper()
	if o.API == nil {
		o.API = testAPI(t)
	}
	o.Log = quiet
	o = o.withDefaults()
	e := newExecutable(o)
	s, err := serve(o, fake{e, func(ctx context.Context) *graphql.Response {
		members, errs := e.handOn(ctx, operationOf(ctx).def.SelectionSet)
		if members == nil {
			return &graphql.Response{Data: []byte("null"), Errors: errs}
		}
		return &graphql.Response{Data: fmt.Appendf(bufferOf(ctx), "{%s}", members), Errors: errs}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func introspectionQuery(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile("testdata/introspection.graphql")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestHandOn(t *testing.T) {
	s := handing(t, Options{Introspection: true})
	const fragments = ` fragment F on Query { d: __type(name: "User") { kind ...G } } fragment G on __Type { name }`
	for _, c := range []struct{ query, want string }{
		{
			`{ b: __type(name: "Post") { name } __typename a: __type(name: "none") { name } }`,
			`{"b":{"name":"Post"},"__typename":"Query","a":null}`,
		},
		{
			`{ ...F a: __type(name: "Post") { kind: name } ... on Query { d: __type(name: "User") { fields { name } } } }` + fragments,
			`{"d":{"kind":"OBJECT","name":"User","fields":[{"name":"id"},{"name":"name"},{"name":"posts"}]},"a":{"kind":"Post"}}`,
		},
		{
			`query($no: Boolean = true, $name: String = "User") { a: __type(name: "Post") @skip(if: $no) { name } b: __type(name: $name) { name } }`,
			`{"b":{"name":"User"}}`,
		},
		{`{ __type(name: "Post") @skip(if: true) { name } }`, `{}`},
		{`{ __type(name: "Post") { name ... @defer { kind } } }`, `{"__type":{"name":"Post","kind":"OBJECT"}}`},
		{
			`{ __schema { queryType { name } mutationType { name } subscriptionType { name } } }`,
			`{"__schema":{"queryType":{"name":"Query"},"mutationType":{"name":"Mutation"},"subscriptionType":null}}`,
		},
	} {
		a := ask(t, s, postRequest(body(c.query, nil)))
		if string(a.Data) != c.want {
			t.Errorf("%s\n%s", c.query, a.body)
		}
	}
}

// What gqlgen was generated from is nowhere to be seen.
func TestIntrospectionIsOfTheAPI(t *testing.T) {
	a := ask(t, handing(t, Options{Introspection: true}), postRequest(body(introspectionQuery(t), nil)))
	if len(a.Errors) > 0 || !strings.Contains(a.body, `"PostWhere"`) || strings.Contains(a.body, `"nothing"`) {
		t.Error(a.body)
	}
}

func TestIntrospectionCanBeOff(t *testing.T) {
	s := handing(t, Options{})
	for _, query := range []string{`{__schema{types{name}}}`, `{a:__type(name:"Post"){name}}`, `{...F} fragment F on Query{__type(name:"Post"){name}}`} {
		a := ask(t, s, postRequest(body(query, nil), "Accept", graphqlJSON))
		if a.status != 403 || a.Data != nil || a.Errors[0].Message != errNoIntrospection.Message {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := ask(t, s, postRequest(body(`{__typename}`, nil))); string(a.Data) != constant {
		t.Error(a.body)
	}
}

// The generated code is what gqlgen makes of code.graphqls today.
func TestGeneratedCodeIsFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("running gqlgen takes seconds")
	}
	dir := t.TempDir()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		from, err := filepath.Abs(filepath.Join("..", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == "graph" {
			err = os.CopyFS(filepath.Join(dir, e.Name()), os.DirFS(from))
		} else if !strings.HasPrefix(e.Name(), ".") {
			err = os.Symlink(from, filepath.Join(dir, e.Name()))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	generate := exec.CommandContext(t.Context(), "go", "run", "github.com/99designs/gqlgen", "generate")
	generate.Dir = dir
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"generated.go", "models_gen.go"} {
		want, _ := os.ReadFile(filepath.Join(dir, "graph", name))
		got, _ := os.ReadFile(name)
		if essence(got) != essence(want) {
			t.Errorf("%s is stale: run go generate ./graph", name)
		}
	}
}

// essence is generated code without what a formatter may have changed: spaces and the order of
// imports.
func essence(code []byte) string {
	_, after, _ := bytes.Cut(code, []byte("// region"))
	return strings.Join(strings.Fields(string(after)), "")
}

// largeAPI has n types like a table's.
func largeAPI(t testing.TB, n int) *generator.API {
	t.Helper()
	var b strings.Builder
	b.WriteString("type Query {\n")
	for i := range n {
		fmt.Fprintf(&b, "rows%d(where: Where%[1]d, limit: Int! = 100, offset: Int! = 0): [Row%[1]d!]!\n", i)
	}
	b.WriteString("}\n")
	for i := range n {
		fmt.Fprintf(&b, "type Row%d {", i)
		for f := range 12 {
			fmt.Fprintf(&b, " f%d(limit: Int! = 100): [Row%d!]!", f, (i+f)%n)
		}
		fmt.Fprintf(&b, "}\ninput Where%d { _and: [Where%[1]d!] a: String b: String c: Int d: [Int!] }\n", i)
	}
	s, err := validator.LoadSchema(validator.Prelude, &ast.Source{Input: b.String()})
	if err != nil {
		t.Fatal(err)
	}
	return &generator.API{Schema: s}
}

func BenchmarkIntrospection(b *testing.B) {
	s := handing(b, Options{API: largeAPI(b, 50), Introspection: true})
	text, _ := json.Marshal(map[string]string{"query": introspectionQuery(b)})
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, postRequest(string(text)))
		b.SetBytes(int64(w.Body.Len()))
	}
}

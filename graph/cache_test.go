package graph

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

func TestCacheIsBounded(t *testing.T) {
	c := newLRU[string](3, 80, func(key, v string) int { return len(v) })
	for i := range 5 {
		c.add(fmt.Sprint(i), "12345")
	}
	if _, ok := c.get("1"); ok || !c.has("4") || c.bytes != 15 {
		t.Errorf("%d bytes", c.bytes)
	}
	c = newLRU[string](100, 80, func(key, v string) int { return len(v) })
	for i := range 50 {
		c.add(fmt.Sprint(i%30), "1234567890")
	}
	if c.bytes != 80 || c.entries.Len() != 8 {
		t.Errorf("%d bytes, %d entries", c.bytes, c.entries.Len())
	}
	if c.add("large", strings.Repeat("x", 11)); c.has("large") || c.entries.Len() != 8 {
		t.Error("one entry takes more than an eighth")
	}
}

// An operation is the same for each run of a document, and each of a document is its own.
func TestOperationOf(t *testing.T) {
	var ran []*operation
	s := testServer(t, Options{}, func(ctx context.Context) *graphql.Response {
		o := operationOf(ctx)
		if o.def != graphql.GetOperationContext(ctx).Operation || o.doc != graphql.GetOperationContext(ctx).Doc {
			t.Error("another operation")
		}
		ran = append(ran, o)
		return &graphql.Response{Data: []byte(constant)}
	})
	for _, name := range []string{"A", "B", "A"} {
		ask(t, s, postRequest(`{"query":"query A{__typename} query B{__typename}","operationName":"`+name+`"}`))
	}
	ask(t, s, postRequest(`{"query":"query A{__typename}"}`))
	if len(ran) != 4 || ran[0] != ran[2] || ran[0] == ran[1] || ran[0] == ran[3] {
		t.Errorf("%p", ran)
	}
}

// Exec can be asked without this package's transports.
func TestOperationOfAnyContext(t *testing.T) {
	doc := &ast.QueryDocument{Operations: ast.OperationList{{Operation: ast.Query}}}
	ctx := graphql.WithOperationContext(t.Context(), &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]})
	if o := operationOf(ctx); o.def != doc.Operations[0] || len(bufferOf(ctx)) != 0 {
		t.Errorf("%+v", o)
	}
}

func TestManyAtOnce(t *testing.T) {
	s := handing(t, Options{Introspection: true})
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := range 50 {
				name := []string{"Post", "User", "Comment"}[(worker+i)%3]
				a := ask(t, s, postRequest(body(`query($n:String!){__type(name:$n){name}}`+strings.Repeat(" ", i%5), map[string]any{"n": name})))
				if want := `{"__type":{"name":"` + name + `"}}`; string(a.Data) != want {
					t.Errorf("%s, want %s", a.body, want)
				}
			}
		})
	}
	wait.Wait()
}

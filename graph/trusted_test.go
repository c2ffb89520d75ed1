package graph

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
)

func trusted(t *testing.T, files map[string]string) (*Trusted, error) {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return LoadTrusted(folder, testAPI(t).Schema)
}

const (
	trustedText = "query Post { post(id: 1) { id } }"
	listedText  = "{ posts { id } }"
)

func TestTrustedDocuments(t *testing.T) {
	manifest, err := json.Marshal(map[string]string{hashText(listedText): listedText})
	if err != nil {
		t.Fatal(err)
	}
	documents, err := trusted(t, map[string]string{
		"a/post.graphql": trustedText + "\n", "manifest.json": string(manifest), "README.md": "no document", ".git/x.graphql": "?",
	})
	if err != nil {
		t.Fatal(err)
	}
	s := testServer(t, Options{Trusted: documents, Introspection: true}, nil)
	const good = `{"data":` + constant + `}`
	apq := func(hash string) string {
		return `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + hash + `"}}}`
	}
	for _, test := range []struct {
		name   string
		r      *http.Request
		status int
		want   string
	}{
		{"a file", postRequest(apq(hashText(trustedText + "\n"))), 200, good},
		{"without its white space", postRequest(apq(hashText(trustedText))), 200, good},
		{"of the manifest", postRequest(apq(hashText(listedText))), 200, good},
		{"by documentId", postRequest(`{"documentId":"` + hashText(listedText) + `"}`), 200, good},
		{"by documentId with its algorithm", postRequest(`{"documentId":"sha256:` + hashText(listedText) + `","extensions":{}}`), 200, good},
		{"by GET", getRequest("documentId", hashText(listedText)), 200, good},
		{"unknown", postRequest(apq(hashText("{ posts { title } }"))), 403, "no trusted document has the SHA-256"},
		{"a query", postRequest(body("{ posts { id } }", nil)), 403, "only trusted documents are served here"},
		{"a query by GET", getRequest("query", listedText), 403, "only trusted documents are served here"},
		{"a query with its hash", postRequest(`{"query":"{ posts { id } }",` + apq(hashText(listedText))[1:]), 403, "only trusted documents are served here"},
		{"a trusted query as text", postRequest(body(trustedText, nil)), 403, "only trusted documents are served here"},
		{"introspection", postRequest(body("{ __schema { types { name } } }", nil)), 403, "only trusted documents are served here"},
		{"nothing", postRequest(`{}`), 400, "there is no query"},
		{"an empty name", postRequest(`{"documentId":""}`), 400, "there is no query"},
		{"a name that is none", postRequest(`{"documentId":1}`), 400, "documentId is a number"},
		{"two names", postRequest(`{"documentId":"a","documentId":"b"}`), 400, "given twice"},
		{"another version", postRequest(`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"a"}}}`), 200, "version has to be 1"},
	} {
		a := ask(t, s, test.r)
		if a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: %d %s, want %d %s", test.name, a.status, a.body, test.status, test.want)
		}
	}
}

func TestTrustedDocumentsThatTheAPICannotAnswer(t *testing.T) {
	for _, test := range []struct {
		name, file, text, want string
	}{
		{"an unknown field", "a.graphql", "{\n  posts { id nam }\n}", `a.graphql:2:14: Cannot query field "nam" on type "Post".`},
		{"a syntax error", "a.graphql", "{ posts { id }", "a.graphql:1:15: syntax: Expected Name, found <EOF>"},
		{"no operation", "a.graphql", "fragment F on Post { id }", "a.graphql:1:1: there is no operation in it"},
		{"an empty file", "a.graphql", "", "a.graphql:1:1: there is no operation in it"},
		{"a wrong hash", "m.json", `{"abc": "{ posts { id } }"}`, "m.json:1:1: document abc: its SHA-256 is " + hashText(listedText)},
		{"no manifest", "m.json", `["{ posts { id } }"]`, `m.json:1:1: a manifest is one JSON object, {"hash": "document"}`},
		{"an unknown field in a manifest", "m.json", `{"` + hashText("{ x }") + `": "{ x }"}`, `m.json:1:3: document ` + hashText("{ x }")[:8] + `: Cannot query field "x" on type "Query".`},
		{"nothing", "a.md", "", "there are no trusted documents"},
	} {
		_, err := trusted(t, map[string]string{test.file: test.text})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

// A documentId is also a way to name what was persisted automatically.
func TestDocumentIDOfAPersistedQuery(t *testing.T) {
	s := testServer(t, Options{}, nil)
	hash := hashText(listedText)
	if a := ask(t, s, getRequest("documentId", hash)); a.Errors[0].Extensions["code"] != "PERSISTED_QUERY_NOT_FOUND" {
		t.Error(a.body)
	}
	for _, r := range []*http.Request{
		postRequest(`{"query":"` + listedText + `","documentId":"` + hash + `"}`), getRequest("documentId", hash),
	} {
		if a := ask(t, s, r); a.status != 200 || a.body != `{"data":`+constant+`}` {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

func TestCostIsSaidWhenAsked(t *testing.T) {
	s := testServer(t, Options{}, nil)
	for _, test := range []struct{ query, variables, header, want string }{
		{"{ posts(limit: 7) { id author { id } } }", "{}", "true", `,"extensions":{"cost":{"depth":3,"limit":10000,"value":14}}}`},
		{"query($n: Int) { postsConnection(first: $n) { edges { cursor node { id } } } }", `{"n":20}`, "true", `,"extensions":{"cost":{"depth":4,"limit":10000,"value":41}}}`},
		{"query($n: Int) { postsConnection(last: $n) { nodes { id } } }", `{}`, "true", `,"extensions":{"cost":{"depth":3,"limit":10000,"value":11}}}`},
		{"{ __typename }", "{}", "true", `,"extensions":{"cost":{"depth":1,"limit":10000,"value":0}}}`},
		{"{ posts { id } }", "{}", "false", `}`},
		{"{ posts { id } }", "{}", "", `}`},
	} {
		r := getRequest("query", test.query, "variables", test.variables)
		if test.header != "" {
			r.Header.Set("X-Cost", test.header)
		}
		if a := ask(t, s, r); a.body != `{"data":`+constant+test.want {
			t.Errorf("%s %s: %s", test.query, url.QueryEscape(test.header), a.body)
		}
	}
}

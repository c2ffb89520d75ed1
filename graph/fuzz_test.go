package graph

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Whatever is posted, the answer is JSON and the fault is not ours. What is data is not looked at:
// the generated code answers introspection, everything else is a constant.
func FuzzPOST(f *testing.F) {
	for _, v := range values {
		f.Add([]byte(v))
		f.Add([]byte(`{"query":` + v + `,"variables":{"a":` + v + `}}`))
	}
	for _, query := range []string{
		"query($n:Int!,$w:PostWhere,$s:[State!],$i:ID){posts(limit:$n,where:$w){id}post(id:$i){id}}",
		"{posts(limit:99999999999999999999){...on Post{id @skip(if:true)}}}",
		"{__schema{types{name}}}", `{__type(name:"""a""" ){name}}`, "mutation M{deletePost(id:{a:[1]}){id}}",
		"{post(id:1){...F}}fragment F on Post{...F}", "subscription{a}", "{a:__typename@include(if:$b)}",
	} {
		f.Add([]byte(body(query, map[string]any{"n": 1.5, "w": map[string]any{"state": []any{nil}}, "s": "x", "i": []any{}})))
		f.Add([]byte(body(query, map[string]any{"n": "1", "w": []any{}, "s": []any{1}, "i": nil})))
	}
	s := testServer(f, Options{Introspection: true, Suggestions: true}, nil)
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, accept := range []string{"application/json", graphqlJSON} {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, postRequest(string(in), "Accept", accept))
			if w.Code >= http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	})
}

// The same for what stands in a URL.
func FuzzGET(f *testing.F) {
	f.Add("query={__typename}&variables={}", "*/*")
	f.Add("query=%ff;a&variables=%7B", graphqlJSON+";q=2")
	s := testServer(f, Options{}, nil)
	f.Fuzz(func(t *testing.T, in, accept string) {
		r := httptest.NewRequest(http.MethodGet, "/graphql", nil)
		r.URL.RawQuery = in
		r.Header["Accept"] = []string{accept}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

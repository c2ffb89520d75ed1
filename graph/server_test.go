package graph

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/fault"
	"spacecloud/generator"
)

const testSDL = `
type Query {
  posts(limit: Int! = 100, where: PostWhere): [Post!]!
  post(id: ID!): Post
  postsConnection(first: Int, after: String, last: Int): PostConnection!
}
type Mutation { deletePost(id: ID!): Post }
type Post {
  id: ID!
  title(secretArgument: Int): String
  tags: [String!]!
  state: State
  author: User
  comments(limit: Int! = 100): [Comment!]!
}
type User { id: ID! name: String posts(limit: Int! = 100): [Post!]! }
type Comment { id: ID! author: User post: Post }
type PostConnection { edges: [PostEdge!]! nodes: [Post!]! totalCount: Int! }
type PostEdge { cursor: String! node: Post! }
enum State { DRAFT PUBLISHED }
input PostWhere { title: String state: State }
`

func testAPI(t testing.TB) *generator.API {
	t.Helper()
	s, err := validator.LoadSchema(validator.Prelude, &ast.Source{Input: testSDL})
	if err != nil {
		t.Fatal(err)
	}
	return &generator.API{SDL: testSDL, Schema: s}
}

// fake is an executable schema whose data is what answer says; without it, a constant.
type fake struct {
	*executable
	answer func(context.Context) *graphql.Response
}

func (f fake) Exec(ctx context.Context) graphql.ResponseHandler {
	if f.answer != nil {
		return graphql.OneShot(f.answer(ctx))
	}
	return graphql.OneShot(&graphql.Response{Data: append(bufferOf(ctx), constant...)})
}

const constant = `{"__typename":"Query"}`

// quiet discards the log.
var quiet = slog.New(slog.DiscardHandler)

func testServer(t testing.TB, o Options, answer func(context.Context) *graphql.Response) *Server {
	t.Helper()
	o.API = testAPI(t)
	if o.Log == nil {
		o.Log = quiet
	}
	o = o.withDefaults()
	s, err := serve(o, fake{newExecutable(o), answer})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answered is an answer, read.
type answered struct {
	status int
	header http.Header
	body   string
	Data   json.RawMessage
	Errors []struct {
		Message    string
		Path       []any
		Locations  []any
		Extensions map[string]any
	}
}

// ask sends a request and checks what holds of every answer.
func ask(t testing.TB, s http.Handler, r *http.Request) answered {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	a := answered{status: w.Code, header: w.Header(), body: w.Body.String()}
	if a.header.Get(requestIDHeader) == "" {
		t.Error("no request id")
	}
	if r.Method == http.MethodHead || w.Code == http.StatusNoContent {
		return a
	}
	if err := json.Unmarshal([]byte(a.body), &a); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return a
}

func postRequest(body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		r.Header[header[i]] = []string{header[i+1]}
	}
	return r
}

func getRequest(pairs ...string) *http.Request {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return httptest.NewRequest(http.MethodGet, "/graphql?"+values.Encode(), nil)
}

// body is the JSON of a request.
func body(query string, variables map[string]any) string {
	b, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	return string(b)
}

const graphqlJSON = "application/graphql-response+json"

func TestBadRequests(t *testing.T) {
	s := testServer(t, Options{Suggestions: true, Limits: Limits{Body: 10_000, Tokens: 100}}, nil)
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		message string
	}{
		"no body":             {postRequest(``), 400, `the body is empty; send {"query": "…"}`},
		"white body":          {postRequest(" \n"), 400, `the body is empty; send {"query": "…"}`},
		"text":                {postRequest(`hello`), 400, `the body is not a JSON object; send {"query": "…"}`},
		"string":              {postRequest(`"{__typename}"`), 400, `the body is not a JSON object; send {"query": "…"}`},
		"batch":               {postRequest(`[{"query":"{__typename}"}]`), 400, "the body is a list; batches are not served: send one operation per request"},
		"cut off":             {postRequest(`{"query":"{__typename}"`), 400, "malformed JSON at line 1, column 24: it ends where a comma or the end of the object should be"},
		"single quotes":       {postRequest(`{'query':1}`), 400, `malformed JSON at line 1, column 2: '\'' where a string should be`},
		"second line":         {postRequest("{\n  \"query\": oops}"), 400, `malformed JSON at line 2, column 12: 'o' where a value should be`},
		"trailing":            {postRequest(`{"query":"{__typename}"} x`), 400, `malformed JSON at line 1, column 26: 'x' where the end should be`},
		"two bodies":          {postRequest(`{"query":"{__typename}"}{}`), 400, `malformed JSON at line 1, column 25: '{' where the end should be`},
		"trailing comma":      {postRequest(`{"query":"{__typename}",}`), 400, `malformed JSON at line 1, column 25: '}' where a string should be`},
		"not UTF-8":           {postRequest("{\"query\":\"\xff\"}"), 400, "malformed JSON at line 1, column 11: the byte 0xff is not UTF-8"},
		"half a pair":         {postRequest(`{"query":"\ud800"}`), 400, "malformed JSON at line 1, column 17: half of a surrogate pair is no character"},
		"control character":   {postRequest("{\"query\":\"{\n}\"}"), 400, `malformed JSON at line 1, column 12: the control character '\n' in a string; write it as an escape`},
		"bad escape":          {postRequest(`{"query":"\x"}`), 400, `malformed JSON at line 1, column 11: \x is no escape`},
		"number":              {postRequest(`{"query":"{__typename}","variables":{"a":01}}`), 400, `malformed JSON at line 1, column 43: '1' where a comma or the end of the object should be`},
		"deep":                {postRequest(`{"variables":` + strings.Repeat("[", 1000)), 400, "malformed JSON at line 1, column 214: it nests deeper than 200 levels"},
		"query twice":         {postRequest(`{"query":"{a}","query":"{b}"}`), 400, `malformed JSON at line 1, column 29: the member "query" is given twice`},
		"variable twice":      {postRequest(`{"query":"{a}","variables":{"a":1,"a":2}}`), 400, `malformed JSON at line 1, column 39: the member "a" is given twice`},
		"no query":            {postRequest(`{}`), 400, `there is no query; send {"query": "…"}`},
		"Query":               {postRequest(`{"Query":"{__typename}"}`), 400, `there is no query; send {"query": "…"}`},
		"empty query":         {postRequest(`{"query":""}`), 400, `there is no query; send {"query": "…"}`},
		"null query":          {postRequest(`{"query":null}`), 400, `there is no query; send {"query": "…"}`},
		"query a number":      {postRequest(`{"query":1}`), 400, "query is a number; it has to be a string"},
		"operationName":       {postRequest(`{"query":"{a}","operationName":["a"]}`), 400, "operationName is a list; it has to be a string"},
		"variables a string":  {postRequest(`{"query":"{a}","variables":"{}"}`), 400, "variables is a string; it has to be an object"},
		"variables a list":    {postRequest(`{"query":"{a}","variables":[]}`), 400, "variables is a list; it has to be an object"},
		"extensions":          {postRequest(`{"query":"{a}","extensions":true}`), 400, "extensions is a boolean; it has to be an object"},
		"large":               {postRequest(`{"query":"` + strings.Repeat(" ", 10_000) + `"}`), 413, "the body is at least 10012 bytes; limits.body allows 10000"},
		"no content type":     {postRequest(`{"query":"{a}"}`, "Content-Type", ""), 415, `the Content-Type is ""; send application/json`},
		"form":                {postRequest(`query={a}`, "Content-Type", "application/x-www-form-urlencoded"), 415, `the Content-Type is "application/x-www-form-urlencoded"; send application/json`},
		"text/plain":          {postRequest(`{"query":"{a}"}`, "Content-Type", "text/plain"), 415, `the Content-Type is "text/plain"; send application/json`},
		"latin 1":             {postRequest(`{"query":"{a}"}`, "Content-Type", "application/json; charset=iso-8859-1"), 415, `the charset is "iso-8859-1"; send UTF-8`},
		"gzip":                {postRequest(`{"query":"{a}"}`, "Content-Encoding", "gzip"), 415, `the Content-Encoding is "gzip"; send the body as it is`},
		"not acceptable":      {postRequest(`{"query":"{a}"}`, "Accept", "text/html"), 406, "the Accept header takes none of application/graphql-response+json, application/json and text/event-stream"},
		"PUT":                 {httptest.NewRequest(http.MethodPut, "/graphql", nil), 405, "the method is PUT; GraphQL is served by GET and POST"},
		"DELETE":              {httptest.NewRequest(http.MethodDelete, "/graphql", nil), 405, "the method is DELETE; GraphQL is served by GET and POST"},
		"GET nothing":         {getRequest(), 400, `there is no query; send {"query": "…"}`},
		"GET mutation":        {getRequest("query", `mutation{deletePost(id:1){id}}`), 405, "a mutation has to be sent by POST"},
		"GET bad variables":   {getRequest("query", "{__typename}", "variables", "{"), 400, "variables in the URL: malformed JSON at line 1, column 2: it ends where a string should be"},
		"GET list variables":  {getRequest("query", "{__typename}", "variables", "[]"), 400, "variables in the URL: variables is a list; it has to be an object"},
		"GET twice":           {getRequest("query", "{__typename}", "query", "{a}"), 400, "the URL has query more than once"},
		"GET not UTF-8":       {httptest.NewRequest(http.MethodGet, "/graphql?query=%ff", nil), 400, "query in the URL is not UTF-8"},
		"GET bad escape":      {httptest.NewRequest(http.MethodGet, "/graphql?query=%zz", nil), 400, `the query of the URL is malformed: invalid URL escape "%zz"`},
		"GET large":           {getRequest("query", strings.Repeat("a", 10_000)), 414, "the query of the URL is 10006 bytes; limits.body allows 10000"},
		"syntax":              {postRequest(body("{", nil)), 200, "Expected Name, found <EOF>"},
		"syntax, strict":      {postRequest(body("{", nil), "Accept", graphqlJSON), 400, "Expected Name, found <EOF>"},
		"white query":         {postRequest(body("  ", nil)), 200, "no operation provided"},
		"only a fragment":     {postRequest(body("fragment F on Post { id }", nil)), 200, "no operation provided"},
		"unknown field":       {postRequest(body("{post(id:1){titel}}", nil)), 200, `Cannot query field "titel" on type "Post". Did you mean "title" or "state"?`},
		"several, none named": {postRequest(body("query A{__typename} query B{__typename}", nil)), 200, "the document has 2 operations (A, B): say in operationName which one to run"},
		"not there":           {postRequest(`{"query":"query A{__typename}","operationName":"C"}`), 200, `the document has no operation "C", but A`},
		"subscription":        {postRequest(body("subscription{posts{id}}", nil)), 200, `Schema does not support operation type "subscription"`},
		"tokens":              {postRequest(body("{"+strings.Repeat("__typename ", 100)+"}", nil)), 200, "the document has more than 100 tokens; limits.tokens allows 100"},
		"missing variable":    {postRequest(body("query($id:ID!){post(id:$id){id}}", nil)), 200, "variable $id: must be defined"},
		"unknown input field": {postRequest(body("query($w:PostWhere){posts(where:$w){id}}", map[string]any{"w": map[string]any{"_eq": 1}})), 200, "variable $w._eq: unknown field"},
		"wrong variable":      {postRequest(body("query($n:Int!){posts(limit:$n){id}}", map[string]any{"n": "x"}), "Accept", graphqlJSON), 400, "variable $n: cannot use string as Int"},
		"fragment cycle":      {postRequest(body("{post(id:1){...F}} fragment F on Post{author{posts{...F}}}", nil)), 200, `Cannot spread fragment "F" within itself.`},
		"APQ version":         {postRequest(`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"x"}}}`), 200, "extensions.persistedQuery.version has to be 1"},
		"APQ nonsense":        {postRequest(`{"extensions":{"persistedQuery":1}}`), 200, "extensions.persistedQuery.version has to be 1"},
		"APQ hash":            {postRequest(`{"extensions":{"persistedQuery":{"version":1}}}`), 200, "extensions.persistedQuery.sha256Hash has to be a string"},
		"APQ wrong hash":      {postRequest(`{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`), 200, "extensions.persistedQuery.sha256Hash is not the SHA-256 of the query in lower-case hexadecimal"},
		"APQ not found":       {postRequest(`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`), 200, "PersistedQueryNotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, s, c.request)
			if a.status != c.status || len(a.Errors) == 0 || a.Errors[0].Message != c.message {
				t.Fatalf("%d %s, want %d %s", a.status, a.body, c.status, c.message)
			}
			if a.Data != nil {
				t.Error("an error of the request has no data")
			}
			if code := a.Errors[0].Extensions["code"]; code == nil || code == fault.Internal {
				t.Errorf("code %v", code)
			}
		})
	}
}

func TestGoodRequests(t *testing.T) {
	s := testServer(t, Options{}, nil)
	for name, r := range map[string]*http.Request{
		"post":             postRequest(`{"query":"{__typename}"}`),
		"charset":          postRequest(`{"query":"{__typename}"}`, "Content-Type", "application/json; charset=UTF-8"),
		"unknown members":  postRequest(`{"id":[{"a":null}],"query":"{__typename}","doc_id":1}`),
		"nulls":            postRequest(`{"query":"{__typename}","variables":null,"operationName":null,"extensions":null}`),
		"escapes":          postRequest(`{"query":"{\u005f\u005Ftypename}\n\t# \ud83d\ude00 \/"}`),
		"white":            postRequest(" {\n\"query\" : \"{__typename}\" } \r\n"),
		"named":            postRequest(`{"query":"query A{__typename} query B{__typename}","operationName":"B"}`),
		"mutation by POST": postRequest(body("mutation{__typename}", nil)),
		"many accepts":     postRequest(`{"query":"{__typename}"}`, "Accept", "text/html, application/json;q=0.5, */*;q=0.1"),
		"GET":              getRequest("query", "{__typename}"),
		"GET, all of it":   getRequest("query", "query A($a:Boolean=true){__typename @skip(if:$a)}", "operationName", "A", "variables", `{"a":false}`, "extensions", "{}"),
	} {
		t.Run(name, func(t *testing.T) {
			a := ask(t, s, r)
			if a.status != 200 || a.body != `{"data":`+constant+`}` {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

func TestHead(t *testing.T) {
	r := getRequest("query", "{__typename}")
	r.Method = http.MethodHead
	if a := ask(t, testServer(t, Options{}, nil), r); a.status != 200 || a.body != "" || a.header.Get("Content-Length") != "31" {
		t.Errorf("%d %q %v", a.status, a.body, a.header)
	}
}

func TestNegotiation(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                 "application/json",
		"*/*":                              "application/json",
		"application/*":                    "application/json",
		"application/json":                 "application/json",
		graphqlJSON:                        graphqlJSON,
		graphqlJSON + ", " + "*/*":         graphqlJSON,
		"*/*;q=0.5, " + graphqlJSON:        graphqlJSON,
		"application/json, " + graphqlJSON: "application/json",
		graphqlJSON + ", application/json": graphqlJSON,
		graphqlJSON + ";charset=utf-8, application/json;charset=utf-8": graphqlJSON,
		"application/json;q=0.8, " + graphqlJSON + ";q=0.9":            graphqlJSON,
		graphqlJSON + ";q=0, */*":                                      "application/json",
		"text/html":                                                    "",
		"application/json;q=0":                                         "",
		";;;":                                                          "",
		"text/event-stream":                                            "text/event-stream",
		"text/event-stream, application/json":                          "text/event-stream",
		"application/json, text/event-stream":                          "application/json",
		"text/event-stream;q=0.5, */*":                                 "application/json",
		"text/event-stream;q=0":                                        "",
		"text/*":                                                       "",
	} {
		f, ok := negotiate(http.Header{"Accept": {accept}})
		got := ""
		if ok {
			got, _, _ = strings.Cut(contentTypes[f][0], ";")
		}
		if got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
}

func TestSuggestionsCanBeOff(t *testing.T) {
	s := testServer(t, Options{}, nil)
	for query, want := range map[string]string{
		"{post(id:1){titel}}":                  `Cannot query field "titel" on type "Post".`,
		"{post(id:1){title(secretArgumen:1)}}": `Unknown argument "secretArgumen" on field "Post.title".`,
		"{posts(where:{state:DRAF}){id}}":      `Value "DRAF" does not exist in "State" enum.`,
		"{posts(where:{titl:\"a\"}){id}}":      `Field "titl" is not defined by type "PostWhere".`,
		"{post(id:1){...on Pos{id}}}":          `Unknown type "Pos".`,
		"{post(id:1)}":                         `Field "post" of type "Post" must have a selection of subfields.`,
	} {
		a := ask(t, s, postRequest(body(query, nil)))
		if a.Errors[0].Message != want {
			t.Errorf("%s: %s", query, a.body)
		}
	}
}

// logged runs do with a log and returns it.
func logged(do func(*slog.Logger)) string {
	var b strings.Builder
	do(slog.New(slog.NewTextHandler(&b, nil)))
	return b.String()
}

func TestPanicIsAnsweredAndLogged(t *testing.T) {
	text := logged(func(log *slog.Logger) {
		s := testServer(t, Options{Log: log}, func(context.Context) *graphql.Response { panic("the password is hunter2") })
		for range 2 {
			a := ask(t, s, postRequest(`{"query":"{__typename}"}`, requestIDHeader, "abc"))
			if a.status != 500 || a.body != `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":"abc"}}]}` {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
	})
	if strings.Count(text, "hunter2") != 2 || strings.Count(text, "request=abc") != 2 || !strings.Contains(text, "server_test.go") {
		t.Error(text)
	}
}

func TestErrorsBesideData(t *testing.T) {
	var err error
	data := []byte("null")
	s := testServer(t, Options{}, func(ctx context.Context) *graphql.Response {
		p := newPresenter(Options{Log: quiet, Suggestions: true})
		return &graphql.Response{Data: data, Errors: p.all(ctx, err, nil, &ast.Position{Line: 1, Column: 2})}
	})
	err = fault.New(fault.Validation, "too short").At("insert", "docs", 0, "title").With("rule", "minLength")
	a := ask(t, s, postRequest(`{"query":"{__typename}"}`))
	want := `{"errors":[{"message":"too short","path":["insert"],"locations":[{"line":1,"column":2}],` +
		`"extensions":{"code":"VALIDATION_FAILED","input":["docs",0,"title"],"rule":"minLength"}}],"data":null}`
	if a.status != 200 || a.body != want {
		t.Errorf("%d %s", a.status, a.body)
	}

	data, err = nil, fault.New(fault.Unavailable, "the database main is down")
	for accept, status := range map[string]int{"application/json": 503, graphqlJSON: 503} {
		if a = ask(t, s, postRequest(`{"query":"{__typename}"}`, "Accept", accept)); a.status != status || a.Data != nil {
			t.Errorf("%d %s", a.status, a.body)
		}
	}

	err = fault.New(fault.Conflict, "taken").With("broken", func() {})
	if a = ask(t, s, postRequest(`{"query":"{__typename}"}`)); a.Errors[0].Message != "internal error" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestTimeout(t *testing.T) {
	s := testServer(t, Options{Limits: Limits{Timeout: 10 * time.Millisecond}}, func(ctx context.Context) *graphql.Response {
		<-ctx.Done()
		graphql.AddError(ctx, ctx.Err())
		return nil
	})
	a := ask(t, s, postRequest(`{"query":"{__typename}"}`))
	if a.status != 504 || a.Errors[0].Extensions["code"] != "TIMEOUT" || a.Errors[0].Message != "the request took longer than limits.timeout allows" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// What was done in time is reported, even if the time ended just then.
func TestTimeoutAfterTheFact(t *testing.T) {
	s := testServer(t, Options{Limits: Limits{Timeout: 10 * time.Millisecond}}, func(ctx context.Context) *graphql.Response {
		<-ctx.Done()
		return &graphql.Response{Data: append(bufferOf(ctx), constant...)}
	})
	if a := ask(t, s, postRequest(`{"query":"{__typename}"}`)); a.status != 200 || a.body != `{"data":`+constant+`}` {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// However large answers are and whatever came before them, each is whole.
func TestAnswersOutgrowTheBuffer(t *testing.T) {
	size := 0
	s := testServer(t, Options{}, func(ctx context.Context) *graphql.Response {
		return &graphql.Response{Data: append(bufferOf(ctx), `{"a":"`+strings.Repeat("x", size)+`"}`...)}
	})
	for _, size = range []int{1, 5000, 10, 100_000, 20_000, 3 << 20, 0} {
		a := ask(t, s, postRequest(`{"query":"{__typename}"}`))
		if want := `{"data":{"a":"` + strings.Repeat("x", size) + `"}}`; a.body != want {
			t.Errorf("%d bytes, want %d", len(a.body), len(want))
		}
	}
}

func TestRequestID(t *testing.T) {
	s := testServer(t, Options{}, nil)
	for given, kept := range map[string]bool{"abc-1_2.3": true, "": false, "a b": false, "a\nb": false, strings.Repeat("a", 65): false} {
		a := ask(t, s, postRequest(`{"query":"{__typename}"}`, requestIDHeader, given))
		if got := a.header.Get(requestIDHeader); (got == given) != kept || got == "" {
			t.Errorf("%q: %q", given, got)
		}
	}
	w := httptest.NewRecorder()
	w.Header().Set(requestIDHeader, "of the middleware")
	s.ServeHTTP(w, postRequest(`{"query":"{__typename}"}`, requestIDHeader, "abc"))
	if got := w.Header().Get(requestIDHeader); got != "of the middleware" {
		t.Error(got)
	}
}

func TestPersistedQueries(t *testing.T) {
	s := testServer(t, Options{}, nil)
	const extensions = `"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}`
	a := ask(t, s, postRequest(`{`+extensions+`}`, "Accept", graphqlJSON))
	if a.status != 400 || a.Errors[0].Extensions["code"] != "PERSISTED_QUERY_NOT_FOUND" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, b := range []string{`{"query":"{__typename}",` + extensions + `}`, `{` + extensions + `}`} {
		if a = ask(t, s, postRequest(b)); a.body != `{"data":`+constant+`}` {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, o := range map[string]Options{
		"nothing":        {},
		"negative limit": {Limits: Limits{Depth: -1}},
	} {
		if _, err := New(o); err == nil {
			t.Error(name)
		}
		o.API = testAPI(t)
		o = o.withDefaults()
		if _, err := serve(o, newExecutable(o)); err == nil && name != "nothing" {
			t.Error(name)
		}
	}
}

// Over a real connection nothing differs, and the connection stays usable after a refusal.
func TestOverTheWire(t *testing.T) {
	server := httptest.NewServer(testServer(t, Options{Development: true}, nil))
	defer server.Close()
	for range 3 {
		for _, b := range []string{`{"query":"{__typename}"}`, `{`} {
			r, err := http.Post(server.URL, "application/json", strings.NewReader(b))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r.Body)
			if err != nil || r.Body.Close() != nil || !json.Valid(text) || int64(len(text)) != r.ContentLength {
				t.Errorf("%s %v", text, err)
			}
		}
	}
}

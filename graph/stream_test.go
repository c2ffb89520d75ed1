package graph

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// send sends a request over a connection and reads all of the answer.
func (w *place) send(method, address, body string, header ...string) answered {
	w.t.Helper()
	r, err := w.Client().Do(w.request(method, address, body, header...))
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answered{status: r.StatusCode, header: r.Header, body: string(text)}
}

func (w *place) request(method, address, body string, header ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+address, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func (w *place) post(body string, header ...string) answered {
	w.t.Helper()
	return w.send(http.MethodPost, "/graphql", body, header...)
}

func TestStreamsOfEvents(t *testing.T) {
	s := newSource()
	w := serving(t, Options{}, usualPace, s.handler)
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		s.in = make(chan string)
		address, text := "/graphql", `{"query":"subscription{posts{id}}"}`
		if method == http.MethodGet {
			address, text = "/graphql?query="+url.QueryEscape("subscription{posts{id}}"), ""
		}
		r, err := w.Client().Do(w.request(method, address, text, "Accept", "text/event-stream"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(r.Body)
		hear := func(want ...string) {
			t.Helper()
			for _, each := range want {
				if !lines.Scan() || lines.Text() != each {
					t.Fatalf("%q %v, want %q", lines.Text(), lines.Err(), each)
				}
			}
		}
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || r.Header.Get("Cache-Control") != "private, no-store" {
			t.Errorf("%d %v", r.StatusCode, r.Header)
		}
		hear(":", "")
		s.in <- "{\n\"a\":\r1}"
		hear("event: next", `data: {"data":{ "a": 1}}`, "")
		s.in <- `{"a":2}`
		hear("event: next", `data: {"data":{"a":2}}`, "")
		close(s.in)
		hear("event: complete", "data:", "")
		if lines.Scan() {
			t.Error("more: " + lines.Text())
		}
		<-s.ended
		r.Body.Close()
	}

	s.in = make(chan string)
	r, err := w.Client().Do(w.request(http.MethodPost, "/graphql", `{"query":"subscription{posts{id}}"}`, "Accept", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	s.in <- `{"a":1}`
	r.Body.Close()
	<-s.ended // the client went away
}

// A query streams as one event, what cannot begin as its errors; what is wrong with the request has a status.
func TestStreamsOfOne(t *testing.T) {
	w := serving(t, Options{}, usualPace, nil)
	a := w.post(`{"query":"{__typename}"}`, "Accept", "text/event-stream", "X-Cost", "true")
	if want := comment + "event: next\ndata: {\"data\":" + constant + ",\"extensions\":{\"cost\":{\"depth\":1,\"limit\":10000,\"value\":0}}}\n\nevent: complete\ndata:\n\n"; a.body != want {
		t.Errorf("%s", a.body)
	}
	a = w.post(`{"query":"{nope}"}`, "Accept", "text/event-stream")
	if a.status != 200 || a.body != comment+"event: next\ndata: {\"errors\":[{\"message\":\"Cannot query field \\\"nope\\\" on type \\\"Query\\\".\",\"locations\":[{\"line\":1,\"column\":2}],"+
		"\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}\n\nevent: complete\ndata:\n\n" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for status, a := range map[int]answered{
		400: w.post(`{`, "Accept", "text/event-stream"),
		415: w.post(`{}`, "Accept", "text/event-stream", "Content-Type", "text/plain"),
		405: w.send(http.MethodGet, "/graphql?query=mutation%7BdeletePost(id:1)%7Bid%7D%7D", "", "Accept", "text/event-stream"),
		406: w.send(http.MethodHead, "/graphql?query=%7B__typename%7D", "", "Accept", "text/event-stream"),
	} {
		if a.status != status || !strings.HasPrefix(a.header.Get("Content-Type"), graphqlJSON) {
			t.Errorf("%d %v %s, want %d", a.status, a.header, a.body, status)
		}
	}
}

// A stream lasts longer than the server's time for a request.
func TestStreamsBeat(t *testing.T) {
	p := usualPace
	p.beat = 20 * time.Millisecond
	w := serving(t, Options{}, p, newSource().handler)
	timed := httptest.NewUnstartedServer(w.graph)
	timed.Config.ReadTimeout, timed.Config.WriteTimeout = 50*time.Millisecond, 50*time.Millisecond
	timed.Start()
	w.Server.Close()
	w.Server = timed
	r, err := w.Client().Do(w.request(http.MethodPost, "/graphql", `{"query":"subscription{posts{id}}"}`, "Accept", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.ReadFull(r.Body, make([]byte, 10*len(comment))); err != nil {
		t.Error(err)
	}
}

// A reader that takes nothing is given up.
func TestSlowReaderOfEvents(t *testing.T) {
	p := usualPace
	p.write = 100 * time.Millisecond
	ended := make(chan bool)
	large := json.RawMessage(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	w := serving(t, Options{}, p, func(ctx context.Context) graphql.ResponseHandler {
		context.AfterFunc(ctx, func() { close(ended) })
		return func(context.Context) *graphql.Response { return &graphql.Response{Data: large} }
	})
	r, err := w.Client().Do(w.request(http.MethodPost, "/graphql", `{"query":"subscription{posts{id}}"}`, "Accept", "text/event-stream"))
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	r.Body.Close()
}

func TestSubscriptionsNeedAStream(t *testing.T) {
	w := serving(t, Options{}, usualPace, newSource().handler)
	a := w.post(`{"query":"subscription{posts{id}}"}`)
	if !strings.Contains(a.body, "a subscription has many answers: ask by WebSocket, or with Accept: text/event-stream") || !strings.Contains(a.body, "BAD_USER_INPUT") {
		t.Error(a.body)
	}
}

// ways are all ways to ask for one operation. Each gives the errors of the answer.
var ways = map[string]func(*place, string) string{
	"POST": func(w *place, body string) string { return w.post(body).body },
	"GET":  func(w *place, body string) string { return w.send(http.MethodGet, address(w.t, body), "").body },
	"POST, events": func(w *place, body string) string {
		return ofEvent(w.post(body, "Accept", "text/event-stream").body)
	},
	"GET, events": func(w *place, body string) string {
		return ofEvent(w.send(http.MethodGet, address(w.t, body), "", "Accept", "text/event-stream").body)
	},
	modernName: func(w *place, body string) string {
		c := w.opened(modernName)
		c.say(`{"id":"1","type":"subscribe","payload":` + body + `}`)
		text := strings.TrimPrefix(c.next(), `{"id":"1","type":"error","payload":`)
		return `{"errors":` + text
	},
	legacyName: func(w *place, body string) string {
		c := w.opened(legacyName)
		c.say(`{"id":"1","type":"start","payload":` + body + `}`)
		text := strings.TrimPrefix(c.next(), `{"id":"1","type":"error","payload":`)
		return `{"errors":[` + strings.TrimSuffix(text, "}") + `]}`
	},
}

// address is the body of a POST as a URL.
func address(t testing.TB, body string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	values := url.Values{}
	for name, text := range members {
		var plain string
		if json.Unmarshal(text, &plain) != nil {
			plain = string(text)
		}
		values.Set(name, plain)
	}
	return "/graphql?" + values.Encode()
}

// ofEvent is the data of the first event.
func ofEvent(text string) string {
	_, text, _ = strings.Cut(text, "data: ")
	text, _, _ = strings.Cut(text, "\n")
	return text
}

// What is refused by one transport is refused by all, in the same words.
func TestAllTransportsRefuseAlike(t *testing.T) {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	const known = "{ posts { id } }"
	trusted := func(t *testing.T) *Trusted {
		t.Helper()
		only, err := LoadTrusted(fstest.MapFS{"a.graphql": {Data: []byte(known)}}, testAPI(t).Schema)
		if err != nil {
			t.Fatal(err)
		}
		return only
	}
	for _, c := range []struct {
		name    string
		body    string
		trusted bool
		message string
		code    string
	}{
		{"syntax", body("{", nil), false, "Expected Name, found <EOF>", "BAD_USER_INPUT"},
		{"validation", body("{nope}", nil), false, `Cannot query field "nope" on type "Query".`, "BAD_USER_INPUT"},
		{"validation of subscriptions", body("subscription{nope}", nil), false, `Cannot query field "nope" on type "Subscription".`, "BAD_USER_INPUT"},
		{"operation", `{"query":"query A{__typename}","operationName":"B"}`, false, `the document has no operation "B", but A`, "BAD_USER_INPUT"},
		{"variables", body("query($w:PostWhere){posts(where:$w){id}}", map[string]any{"w": map[string]any{"_eq": 1}}), false, "variable $w._eq: unknown field", "BAD_USER_INPUT"},
		{"variables of subscriptions", body("subscription($w:PostWhere){posts(where:$w){id}}", map[string]any{"w": map[string]any{"_eq": 1}}), false, "variable $w._eq: unknown field", "BAD_USER_INPUT"},
		{"depth", body("{post(id:1){author{posts{author{posts{id}}}}}}", nil), false, "the fields nest 6 deep; limits.depth allows 5", "LIMIT_EXCEEDED"},
		{"depth of subscriptions", body("subscription{posts{author{posts{author{posts{id}}}}}}", nil), false, "the fields nest 6 deep; limits.depth allows 5", "LIMIT_EXCEEDED"},
		{"cost of subscriptions", body("subscription{posts(limit:101){id}}", nil), false, "the answer could hold 101 objects, a list without a limit counting as 10; limits.complexity allows 100", "LIMIT_EXCEEDED"},
		{"aliases", body("{a:__typename b:__typename c:__typename}", nil), false, "the operation has 3 aliases; limits.aliases allows 2", "LIMIT_EXCEEDED"},
		{"tokens", body("{"+strings.Repeat(" __typename", 300)+"}", nil), false, "the document has more than 200 tokens; limits.tokens allows 200", "LIMIT_EXCEEDED"},
		{"one name", body("{"+strings.Repeat(" __typename", 30)+"}", nil), false, `the document selects __typename 30 times, and one name may take an eighth of its tokens; limits.tokens allows 200`, "LIMIT_EXCEEDED"},
		{"introspection", body("{__schema{types{name}}}", nil), false, errNoIntrospection.Message, "FORBIDDEN"},
		{"persisted query", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, false, "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"},
		{"persisted hash", `{"query":"{__typename}","extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`, false, "extensions.persistedQuery.sha256Hash is not the SHA-256 of the query in lower-case hexadecimal", "BAD_USER_INPUT"},
		{"not trusted", body("{__typename}", nil), true, "only trusted documents are served here: send the SHA-256 of one as documentId or in extensions.persistedQuery, and no query", "FORBIDDEN"},
		{"subscription that is not trusted", body("subscription{posts{id}}", nil), true, "only trusted documents are served here: send the SHA-256 of one as documentId or in extensions.persistedQuery, and no query", "FORBIDDEN"},
		{"unknown document", `{"documentId":"x"}`, true, `no trusted document has the SHA-256 "x"`, "FORBIDDEN"},
		{"what it answers", `{"documentId":"` + hash(known) + `"}`, true, "hidden", "FORBIDDEN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Limits: Limits{Depth: 5, Complexity: 100, Aliases: 2, Tokens: 200}}
			if c.trusted {
				o.Trusted = trusted(t)
			}
			w := serving(t, o, usualPace, func(context.Context) graphql.ResponseHandler {
				if c.name != "what it answers" {
					t.Errorf("%s: it ran", c.name)
				}
				hidden := &gqlerror.Error{Message: "hidden", Extensions: map[string]any{"code": "FORBIDDEN"}}
				return graphql.OneShot(&graphql.Response{Errors: gqlerror.List{hidden}})
			})
			for name, way := range ways {
				var got struct {
					Data   any
					Errors []struct {
						Message    string
						Extensions map[string]any
					}
				}
				text := way(w, c.body)
				if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Errors) == 0 || got.Data != nil {
					t.Errorf("%s by %s: %v %s", c.name, name, err, text)
					continue
				}
				if e := got.Errors[0]; e.Message != c.message || e.Extensions["code"] != c.code {
					t.Errorf("%s by %s: %s", c.name, name, text)
				}
			}
		})
	}
}

package faults

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/graph"
	"spacecloud/tests/served"
)

// Values that no database of all kinds holds are refused before any is asked, the same everywhere.
func TestValuesThatAreNone(t *testing.T) {
	nul := "expects a string without the character NUL"
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, h := serve(t, on, graph.Limits{})
		for _, test := range []struct{ q, want string }{
			{`mutation { insertPost(doc: {id: "a\u0000"}) { id } }`, nul},
			{`mutation { insertPost(doc: {title: "a\u0000"}) { id } }`, nul},
			{`mutation { insertPost(doc: {tags: ["a", "\u0000"]}) { id } }`, nul},
			{`mutation { insertPost(doc: {part: {note: "\u0000"}}) { id } }`, nul},
			{`mutation { insertPost(doc: {meta: {a: "\u0000"}}) { id } }`, "NUL"},
			{`mutation { insertPost(doc: {meta: ["\u0000"]}) { id } }`, "NUL"},
			{`mutation { updatePost(id: "a", push: {tags: ["\u0000"]}) { id } }`, nul},
			{`mutation { updatePost(id: "a\u0000", set: {views: 1}) { id } }`, nul},
			{`{ posts(where: {title: {_eq: "\u0000"}}) { id } }`, nul},
			{`{ posts(where: {title: {_like: "\u0000%"}}) { id } }`, nul},
			{`{ posts(where: {title: {_in: ["a", "\u0000"]}}) { id } }`, nul},
			{`{ posts(where: {tags: {_has: "\u0000"}}) { id } }`, nul},
			{`{ posts(where: {meta: {_contains: {a: "\u0000"}}}) { id } }`, "NUL"},
			{`{ posts(where: {meta: {_hasKey: "\u0000"}}) { id } }`, "NUL"},
			{`{ posts(where: {meta: {path: ["\u0000"], _eq: 1}}) { id } }`, "NUL"},
			{`{ posts(where: {part: {note: {_eq: "\u0000"}}}) { id } }`, nul},
			{`{ post(id: "\u0000") { id } }`, nul},
			{`mutation { insertPost(doc: {views: 2147483648}) { id } }`, "expects an integer of 32 bits"},
			{`mutation { insertPost(doc: {big: 9223372036854775808}) { id } }`, "expects an integer of 64 bits"},
			{`mutation { insertPost(doc: {at: "0000-01-01T00:00:00Z"}) { id } }`, "expects a date and time"},
			{`mutation { insertPost(doc: {at: "9999-12-31T23:59:59.9999999Z"}) { id } }`, "expects a date and time"},
			{`mutation { updatePost(id: "a", inc: {views: 2147483647}) { id } again: updatePost(id: "a", inc: {views: 1}) { id } }`, "the result does not fit into 32 bits"},
		} {
			before := h.begun.Load()
			got := oneLine(s.Ask(anybody, test.q, nil, nil).Body)
			if !strings.Contains(got, `"code":"BAD_USER_INPUT"`) || !strings.Contains(got, test.want) || strings.Count(got, `"message"`) != 1 {
				t.Errorf("%s: %s", test.q, got)
			}
			if begun := h.begun.Load() - before; begun > 0 && test.want != "the result does not fit into 32 bits" {
				t.Errorf("%s: a transaction was begun", test.q)
			}
		}
		says(t, s, all, none)
	})
}

// Values at the edges of what all hold come back.
func TestValuesAtTheEdges(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, _ := serve(t, on, graph.Limits{})
		for _, doc := range []string{
			`views: 2147483647, big: "9223372036854775807"`,
			`views: -2147483648, big: "-9223372036854775808"`,
			`price: "9999999999999999999999999.999999999"`,
			`price: "-9999999999999999999999999.999999999"`,
			`at: "0001-01-01T00:00:00Z"`,
			`at: "9999-12-31T23:59:59.999Z"`,
			`title: "` + strings.Repeat("ä😀", 20_000) + `"`,
			`meta: {deep: [{a: [null, true, "\u2028", -0.5]}]}`,
		} {
			fields := strings.NewReplacer(`"views"`, "views").Replace(names(doc))
			got := oneLine(s.Ask(anybody, `mutation { insertPost(doc: {id: "c", `+doc+`}) { `+fields+` } deletePost(id: "c") { `+fields+` } }`, nil, nil).Body)
			if strings.Contains(got, `"errors"`) {
				t.Errorf("%.200s: %.500s", doc, got)
				continue
			}
			written, deleted, _ := strings.Cut(strings.TrimPrefix(got, `{"data":{"insertPost":`), `,"deletePost":`)
			if written+"}}" != deleted {
				t.Errorf("%.200s: %.300s and %.300s", doc, written, deleted)
			}
			for value := range strings.SplitSeq(doc, ", ") {
				_, text, _ := strings.Cut(value, ": ")
				if !strings.HasPrefix(text, "{") && !strings.Contains(written, text) && !strings.Contains(doc, "deep") {
					t.Errorf("%.100s is answered with %.300s", value, written)
				}
			}
		}
	})
}

func names(doc string) string {
	if strings.HasPrefix(doc, "views") {
		return "views big"
	}
	name, _, _ := strings.Cut(doc, ":")
	return name
}

// Bytes that are no UTF-8 are no JSON.
func TestInvalidUTF8(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, h := serve(t, on, graph.Limits{})
		for _, body := range []string{
			"{\"query\": \"mutation { insertPost(doc: {title: \\\"a\xff\\\"}) { id } }\"}",
			"{\"query\": \"mutation($t: String) { insertPost(doc: {title: $t}) { id title } }\", \"variables\": {\"t\": \"a\xff\"}}",
			"{\"query\": \"mutation($t: JSON) { insertPost(doc: {meta: $t}) { id meta } }\", \"variables\": {\"t\": {\"a\xc3\": 1}}}",
			`{"query": "mutation($t: String) { insertPost(doc: {title: $t}) { id title } }", "variables": {"t": "\ud800"}}`,
		} {
			r := httptest.NewRequestWithContext(auth.With(t.Context(), anybody), http.MethodPost, "/graphql", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if got := w.Body.String(); !strings.Contains(got, `"code":"BAD_USER_INPUT"`) || h.begun.Load() > 0 {
				t.Errorf("%q: %s", body, got)
			}
		}
	})
}

// What one database holds and another does not is refused by that one as too large, with all of its
// transaction.
func TestValuesThatAreTooLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("it sends 17 MB")
	}
	held := map[string]bool{"sqlite": true, "postgres": true}
	served.Each(t, func(t *testing.T, on served.Kind) {
		s, _ := serve(t, on, graph.Limits{Body: 64 << 20, Tokens: 1 << 20})
		q := `mutation($t: String) { one: updatePost(id: "a", inc: {views: 1}) { id } updatePost(id: "b", set: {title: $t}) { id } }`
		got := oneLine(s.Ask(anybody, q, map[string]any{"t": strings.Repeat("x", 17<<20)}, nil).Body)
		if held[on.Name] {
			if strings.Contains(got, "errors") {
				t.Error(got)
			}
			return
		}
		want := `{"errors":[{"message":"a value is larger than the database takes","path":["updatePost"],"locations":[{"line":1,"column":73}],"extensions":{"code":"LIMIT_EXCEEDED"}}],"data":null}`
		if got != want {
			t.Errorf("%.500s\nwant\n%s", got, want)
		}
		says(t, s, all, none)
	})
}

// A table or column that somebody took away is said of the field that needs it, without its name, and others
// are answered.
func TestTablesThatAreGone(t *testing.T) {
	const sdl = posts + ` type Note @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  text: String }`
	served.Each(t, func(t *testing.T, on served.Kind) {
		s := served.Text(t, on, sdl, served.Options{})
		on2, ok := s.Drivers["main"].(driver.SQL)
		if !ok {
			t.Skip(on.Name + " has no tables")
		}
		conn := served.Must(on2.Conn(t.Context()))(t)
		defer conn.Close()
		for statement, asks := range map[string][]string{
			"ALTER TABLE notes DROP COLUMN text": {`{ notes { text } }`, `{ notes(where: {text: {_eq: "a"}}) { id } }`, `mutation { notes: insertNote(doc: {text: "a"}) { id } }`, `mutation { notes: updateNotes(where: {}, set: {text: "a"}) { affected } }`},
			"DROP TABLE posts":                   {`{ notes: posts { id } }`, `{ notes: postsAggregate { count } }`, `mutation { notes: deletePosts(where: {}) { affected } }`},
		} {
			served.Must(conn.ExecContext(context.WithoutCancel(t.Context()), statement))(t)
			for _, q := range asks {
				got := oneLine(s.Ask(anybody, q, nil, nil).Body)
				want := fmt.Sprintf(`{"errors":[{"message":"the tables of the database are not what the schema says","path":["notes"],"locations":[{"line":1,"column":%d}],"extensions":{"code":"UNAVAILABLE"}}],"data":null}`, strings.Index(q, "{")+3)
				if got != want {
					t.Errorf("%s: %s\n%s", statement, got, want)
				}
			}
			says(t, s, `{ notes { id } }`, `{"data":{"notes":[]}}`)
		}
	})
}

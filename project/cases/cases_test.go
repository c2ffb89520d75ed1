package cases_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/fault"
	"spacecloud/project"
	"spacecloud/project/cases"
)

const sdl = `
type Note @table(db: "main") @auth(read: "doc.ownerId == auth.id", update: "auth.id == doc.ownerId") {
  id: ID! @primary
  ownerId: ID!
  n: Int!
  price: Decimal
  at: DateTime! @createdAt
  log: [Entry!]! @link(from: "id", to: "noteId")
}
type Entry @table(db: "other") @auth(read: "true") { id: ID! @primary @autoIncrement  noteId: ID! @index }`

// file writes a file of cases beside the schema.
func file(tb testing.TB, text string) string {
	tb.Helper()
	folder := tb.TempDir()
	for name, text := range map[string]string{"schema.graphql": sdl, "a.rules.yaml": text} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return filepath.Join(folder, "a.rules.yaml")
}

// run is the results of a file, a line for each: its problem, or ok.
func run(tb testing.TB, text string) []string {
	tb.Helper()
	f, err := cases.Read(file(tb, text))
	if err != nil {
		tb.Fatal(err)
	}
	results, err := f.Run(tb.Context(), cases.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	lines := make([]string, len(results))
	for i, r := range results {
		if lines[i] = r.Problem; r.Problem == "" {
			lines[i] = "ok"
		}
	}
	return lines
}

const notes = `
schema: schema.graphql
callers: {ann: {sub: ann}}
rows:
  notes: [{id: a, ownerId: ann, n: 1, price: 1.50, at: "2020-01-01T00:00:00Z"}, {id: b, ownerId: bo, n: 2}]
  entries: [{noteId: a}, {noteId: a}]
tests:
`

// Whatever a case did, the next one begins with the rows of the file: those of all databases, and
// the numbers that a database would give next.
func TestEachCaseBeginsAnew(t *testing.T) {
	const change = `
- name: change
  as: ann
  request: 'mutation { updateNote(id: "a", inc: {n: 1}) { n log { id } } }'
  data: {updateNote: {n: 2, log: [{id: "1"}, {id: "2"}]}}
`
	for i, got := range run(t, notes+strings.Repeat(change, 5)) {
		if got != "ok" {
			t.Errorf("case %d: %s", i, got)
		}
	}
}

// The server may write what clients cannot: times of its own, and types that are closed.
func TestRowsAreTheServers(t *testing.T) {
	got := run(t, notes+`
- name: times, decimals and numbers
  as: ann
  request: "{ notes { at price n } }"
  data: {notes: [{at: "2020-01-01T00:00:00Z", price: "1.5", n: 1}]}
- {name: who is nobody, as: nobody, request: "{ notes { id } }", refused: UNAUTHENTICATED}
- {name: what cannot be read, as: nobody, request: "{ nots { id } }", refused: BAD_USER_INPUT}
`)
	if want := "[ok ok ok]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "a file of cases is one YAML document with tests in it",
		"tests: []":                       "there are no tests",
		"- a":                             "a file of cases has the keys schema, callers, rows, tests",
		"tests: [":                        "sequence end token ']' not found",
		"rows: [a]\ntests: ":              ":1:7: rows wants values by name",
		"callers: {nobody: {sub: a}}":     "nobody is the caller without a token and has no claims",
		"callers: {ann: ann}":             "the caller ann wants claims, such as {sub: ann}",
		"tests:\n- {nam: x}":              ":2:4: nam is no key of a test; did you mean name?",
		"tests:\n- {name: x}":             "request is missing: a request in GraphQL",
		"tests:\n- {name: x, request: y}": "as is missing",
		"callers: {ann: {}}\ntests:\n- {name: x, request: y, as: any}":                                                     "there is no caller any, but ann, nobody; did you mean ann?",
		"tests:\n- {name: x, request: y, as: nobody}":                                                                      "what has to come is missing: data, or refused",
		"tests:\n- {name: x, request: y, as: nobody, refused: FORBIDDEM}":                                                  "FORBIDDEM is no code of an error; did you mean FORBIDDEN?",
		"tests:\n- {name: x, request: y, as: nobody, data: {}, at: x}":                                                     "at is where the error is that refused names",
		"tests:\n- {name: x, request: y, as: nobody, data: {}, variables: 3}":                                              "variables are values by name",
		"tests:\n- {name: x, request: y, as: nobody, data: {}, then: {name: y}}":                                           "name is no key of what is asked then",
		"tests:\n- {name: x, request: &a y, as: nobody, data: {}}":                                                         "anchors, aliases and tags are not read",
		"tests:\n- {name: x, request: 3, as: nobody, data: {}}":                                                            "request wants a text",
		"schema: schema.graphql\nrows: {note: [{}]}\ntests: [{name: x, request: y, as: nobody, data: {}}]":                 ":2:8: there is no table note; did you mean notes?",
		"schema: schema.graphql\nrows: {notes: [{n: x}]}\ntests: [{name: x, request: y, as: nobody, data: {}}]":            ":2:17: notes.n: ",
		"schema: schema.graphql\nrows: {notes: [{id: a, log: [1]}]}\ntests: [{name: x, request: y, as: nobody, data: {}}]": "this is a link; write the column that holds its key",
		"schema: schema.graphql\nrows: {notes: [{id: a}]}\ntests: [{name: x, request: y, as: nobody, data: {}}]":           ":2:17: a row of notes: ",
		"schema: nowhere\ntests: [{name: x, request: y, as: nobody, data: {}}]":                                            "there is no schema folder",
	} {
		f, err := cases.Read(file(t, text))
		if err == nil {
			_, err = f.Run(t.Context(), cases.Options{})
		}
		if err == nil || !strings.Contains(project.Explain(err), want) {
			t.Errorf("%s\nis refused with\n%v\nwhich does not say %s", text, err, want)
		}
	}
	if _, err := cases.Read("nowhere.rules.yaml"); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

// BenchmarkCases runs a hundred cases, each of which changes a row.
func BenchmarkCases(b *testing.B) {
	text := notes + strings.Repeat(`
- name: change
  as: ann
  request: 'mutation { updateNote(id: "a", inc: {n: 1}) { n } }'
  data: {updateNote: {n: 2}}
`, 100)
	for b.Loop() {
		run(b, text)
	}
}

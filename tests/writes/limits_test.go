package writes

import (
	"strings"
	"testing"

	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

// What would write more rows than allowed is refused before it is done, whatever makes the rows many.
func TestWriteRowsBoundAllThatIsWritten(t *testing.T) { served.Each(t, writeRowsBoundAllThatIsWritten) }

func writeRowsBoundAllThatIsWritten(t *testing.T, on served.Kind) {
	w := newWorldOf(t, on, threads, resolvers.Config{WriteRows: 5})
	if a := w.ask(`mutation { insertPost(doc: {id: "a", comments: {create: [{}, {}, {}, {}]}}) { id } }`, nil); strings.Contains(a, "errors") {
		t.Fatal(a)
	}
	before := w.Dump()
	for _, text := range []string{
		`mutation { insertPost(doc: {id: "b", comments: {create: [{}, {}, {}, {}, {}]}}) { id } }`,
		`mutation { insertComment(doc: {postId: "a"}) { id } deletePost(id: "a") { id } }`,
		`mutation { upsertTags(docs: [{id: "1"}, {id: "2"}, {id: "3"}, {id: "4"}, {id: "5"}, {id: "6"}]) { affected } }`,
	} {
		if a := w.ask(text, nil); !strings.Contains(a, "LIMIT_EXCEEDED") || w.Dump() != before {
			t.Errorf("%s\n%s", text, a)
		}
	}
}

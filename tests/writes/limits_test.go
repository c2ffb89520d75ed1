package writes

import (
	"strings"
	"testing"

	"spacecloud/resolvers"
)

// What would write more rows than allowed is refused before it is done, whatever makes the rows many.
func TestWriteRowsBoundAllThatIsWritten(t *testing.T) { onEach(t, writeRowsBoundAllThatIsWritten) }

func writeRowsBoundAllThatIsWritten(t *testing.T, url address) {
	w := newWorldOf(t, url, threads, resolvers.Config{WriteRows: 5})
	if a := w.ask(`mutation { insertPost(doc: {id: "a", comments: {create: [{}, {}, {}, {}]}}) { id } }`, nil); strings.Contains(a, "errors") {
		t.Fatal(a)
	}
	before := w.dump()
	for _, text := range []string{
		`mutation { insertPost(doc: {id: "b", comments: {create: [{}, {}, {}, {}, {}]}}) { id } }`,
		`mutation { insertComment(doc: {postId: "a"}) { id } deletePost(id: "a") { id } }`,
		`mutation { upsertTags(docs: [{id: "1"}, {id: "2"}, {id: "3"}, {id: "4"}, {id: "5"}, {id: "6"}]) { affected } }`,
	} {
		if a := w.ask(text, nil); !strings.Contains(a, "LIMIT_EXCEEDED") || w.dump() != before {
			t.Errorf("%s\n%s", text, a)
		}
	}
}

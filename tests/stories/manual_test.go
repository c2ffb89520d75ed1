package stories

import (
	"net/http"
	"os"
	"strings"
	"testing"
)

// TestManual asks what docs/aggregates.md asks: "graphql schema" is the schema, every block of
// graphql a request, and the json block after it the answer.
func TestManual(t *testing.T) {
	const file = "../../docs/aggregates.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var server http.Handler
	answer := ""
	var told strings.Builder
	for i, part := range strings.Split(string(text), "```") {
		if i > 0 {
			told.WriteString("```")
		}
		info, block, _ := strings.Cut(part, "\n")
		switch {
		case i%2 == 1 && info == "graphql schema":
			server = serve(t, block)
		case i%2 == 1 && info == "graphql":
			answer = ask(t, server, block)
		case i%2 == 1 && strings.HasPrefix(part, "json\n"):
			if got := "json\n" + answer; got != part && !*update {
				t.Errorf("got %s\nwant %s", got, part)
			}
			part = "json\n" + answer
		}
		told.WriteString(part)
	}
	if *update {
		if err := os.WriteFile(file, []byte(told.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

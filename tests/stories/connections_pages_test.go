package stories

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// pageBlock is a fenced block of a page: what it is, and its text.
var pageBlock = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```$")

// The examples of these pages are run: the block "graphql schema" is served, each block "graphql" is
// a request, and the block "json" after it the answer.
func TestPagesAboutConnectionsAndLimits(t *testing.T) {
	for _, name := range []string{"connections", "limits"} {
		t.Run(name, func(t *testing.T) {
			file := "../../docs/" + name + ".md"
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			page := runPage(t, string(text))
			if *update {
				if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if page != string(text) {
				t.Errorf("%s says something else than what happens; see it with -update and git diff", file)
			}
		})
	}
}

// runPage is the page with the answers that its examples have.
func runPage(t *testing.T, text string) string {
	var p pager
	var out strings.Builder
	at, request := 0, ""
	for _, b := range pageBlock.FindAllStringSubmatchIndex(text, -1) {
		content := text[b[4]:b[5]]
		switch text[b[2]:b[3]] {
		case "graphql schema":
			p = pager{t, serve(t, content)}
		case "graphql":
			request = content
		case "json":
			content = ask(t, p.server, request)
		}
		out.WriteString(text[at:b[4]] + content)
		at = b[5]
	}
	return out.String() + text[at:]
}

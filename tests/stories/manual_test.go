package stories

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
)

// fence is a block of a page: its language and its text.
var fence = regexp.MustCompile("(?ms)^```(\\w+)( \\w+)?\n(.*?)^```$")

// The examples of these pages are run: the first block is the schema, each further one of
// graphql is a request, with the variables and the answer that follow it. CURSOR stands for the
// last cursor that an answer had, so that a page can go on from another.
func TestPagesOfTheManual(t *testing.T) {
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

var endCursor = regexp.MustCompile(`"endCursor": "([^"]+)"`)

// runPage is the page with the answers that its examples have.
func runPage(t *testing.T, text string) string {
	blocks := fence.FindAllStringSubmatchIndex(text, -1)
	part := func(b []int, i int) string {
		if b[2*i] < 0 {
			return ""
		}
		return text[b[2*i]:b[2*i+1]]
	}
	p := pager{T: t}
	var out strings.Builder
	at, request, variables, cursor := 0, "", "", ""
	for _, b := range blocks {
		language, kind, content := part(b, 1), strings.TrimSpace(part(b, 2)), part(b, 3)
		if cursor != "" {
			content = strings.ReplaceAll(content, "CURSOR", cursor)
		}
		switch {
		case language == "graphql" && p.server == nil:
			p.server = serve(t, content)
		case language == "graphql":
			request, variables = content, ""
		case language == "json" && kind == "variables":
			variables = content
		case language == "json":
			content = p.answer(request, variables)
			if found := endCursor.FindStringSubmatch(content); found != nil {
				cursor = found[1]
			}
		}
		out.WriteString(text[at:b[6]] + content)
		at = b[7]
	}
	return out.String() + text[at:]
}

// answer is an answer, indented where it is long.
func (p pager) answer(request, variables string) string {
	p.Helper()
	line := ""
	if variables != "" {
		var v any
		decode(p.T, variables, &v)
		compact, err := json.Marshal(v)
		if err != nil {
			p.Fatal(err)
		}
		line = "# variables " + string(compact) + "\n"
	}
	// The positions of errors are those of the example.
	return ask(p.T, p.server, strings.TrimSuffix(request, "\n")+"\n"+line)
}

package operations

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"spacecloud/tests/served"
)

// graphql-js, which most clients are made with, understands the API, and agrees that what is asked
// here can be asked.
func TestJavaScriptAgrees(t *testing.T) { served.Each(t, javaScriptAgrees) }

func javaScriptAgrees(t *testing.T, on served.Kind) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("this needs node")
	}
	if _, err := os.Stat("../graphql-http/node_modules/graphql"); err != nil {
		t.Skip("this needs graphql-js: run npm ci in tests/graphql-http")
	}
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			p := begin(t, on, s, *seeded)
			var texts []string
			for _, kind := range []string{"query", "mutation"} {
				of := map[string]*typ{"query": p.api.query, "mutation": p.api.mutation}[kind]
				for i, f := range of.Fields {
					seed := *seeded<<32 + uint64(i)<<8
					p.reseed(seed)
					form := append(forms, literals)[i%(len(forms)+1)]
					texts = append(texts, p.builder.root(kind, f).write(p.api, form, seed).text)
				}
			}
			input, err := json.Marshal(map[string]any{"sdl": p.API.SDL, "introspection": p.api.raw, "operations": texts})
			if err != nil {
				t.Fatal(err)
			}
			node := exec.CommandContext(t.Context(), "node", "validate.mjs")
			node.Stdin, node.Stderr = bytes.NewReader(input), os.Stderr
			out, err := node.Output()
			var wrong []string
			if err == nil {
				err = json.Unmarshal(out, &wrong)
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, each := range wrong {
				t.Error(each)
			}
			t.Logf("%d operations are valid", len(texts))
		})
	}
}

// Package console is the explorer in a browser: GraphiQL, from this binary, with no request
// to anywhere but this server.
package console

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
)

// Options are what the page shows.
type Options struct {
	// Endpoint is the path of the GraphQL API on this server. Defaults to /graphql.
	Endpoint string
	// Examples open as a tab each, for a browser that has not been here before. Operations
	// should be named: the name is the tab's title.
	Examples []Example
}

// Example is an operation to begin with.
type Example struct {
	Title     string `json:"title"` // one line, put above the query as a comment
	Query     string `json:"query"`
	Variables string `json:"variables"` // JSON, or empty
}

// welcome is the query of an empty explorer.
const welcome = `# Ctrl-Enter (Cmd-Enter) runs the operation that the cursor is in.
# Ctrl-Space completes; the book on the left documents what can be asked.

query Hello {
  __typename
}
`

// policy lets the page load from this server and from nowhere else, and run no script but
// ours. %s is the nonce of the style elements that GraphiQL's dialogs make.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves the explorer at /playground and its files below, and leads / there. It
// answers 404 to anything else.
func Handler(o Options) http.Handler {
	if o.Endpoint == "" {
		o.Endpoint = "/graphql"
	}
	files := load()
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler("/playground", http.StatusFound))
	mux.Handle("GET /playground/{$}", http.RedirectHandler("/playground", http.StatusMovedPermanently))
	mux.Handle("GET /playground", newPage(o, files))
	for name, file := range files {
		mux.Handle("GET /playground/"+name, file)
	}
	return mux
}

// page is the explorer's HTML.
type page struct {
	layout   *template.Template
	endpoint string
	options  string // JSON for explorer.js
}

func newPage(o Options, files map[string]*file) page {
	options, err := json.Marshal(map[string]any{
		"endpoint": o.Endpoint,
		"examples": append([]Example{}, o.Examples...), // [] and not null
		"welcome":  welcome,
	})
	if err != nil {
		panic(err) // unreachable: the options are strings
	}
	return page{layout(files), o.Endpoint, string(options)}
}

// ServeHTTP answers with the page, which is another for every request by its nonce.
func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	nonce := rand.Text()
	var text bytes.Buffer
	err := p.layout.Execute(&text, map[string]string{"Endpoint": p.endpoint, "Options": p.options, "Nonce": nonce})
	if err != nil {
		panic(err) // a test makes the page, and nothing in it is another's
	}
	header := w.Header()
	header.Set("Content-Type", types[".html"])
	header.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	_, _ = text.WriteTo(w) // a client that went away needs no page
}

// layout is the page's template.
func layout(files map[string]*file) *template.Template {
	asset := func(name string) (string, error) {
		file, ok := files[name]
		if !ok {
			return "", fmt.Errorf("there is no file %s", name)
		}
		return "/playground/" + name + "?v=" + file.tag, nil // a new content has a new address
	}
	t := template.New("explorer.html").Funcs(template.FuncMap{"asset": asset})
	return template.Must(t.ParseFS(embedded, "page/explorer.html"))
}

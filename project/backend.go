package project

import (
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/console"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// backend is everything that follows from one state of the folder. It is immutable.
type backend struct {
	schema *schema.Schema
	api    *generator.API
	rows   *resolvers.Resolvers
	graph  *graph.Server
	// explorer opens on queries of this schema.
	explorer http.Handler
	finger   map[string]string // of the wanted state of each database
	warnings schema.Problems
}

// Read is the schema of a folder, checked as far as it can be without databases: the types,
// the rules, the API that follows. The error is schema.Problems where the text is wrong, with
// the files as the caller would open them. A schema that is closed altogether, as one
// that was just pulled, has tables all the same: it only cannot be served. Beside it is what is
// right and yet wants a look.
func Read(folder string) (*schema.Schema, schema.Problems, error) {
	s, set, _, err := read(folder, nil)
	if errors.Is(err, generator.ErrNothingToRead) {
		return s, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return s, warnings(folder, set), nil
}

// warnings are what is right in a folder and yet wants a look, for whoever says it.
func warnings(folder string, set *rules.Set) schema.Problems {
	return moved(folder, set.Unindexed())
}

// API is the SDL of the API that follows from the schema folder and the kinds of the databases.
func API(c config.Config) (string, error) {
	_, _, api, err := read(c.Schema, named(c))
	if err != nil {
		return "", err
	}
	return api.SDL, nil
}

// named are the databases that have no foreign keys as far as their URLs tell: where none is open.
func named(c config.Config) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(c.Databases)) {
		if strings.HasPrefix(string(c.Databases[name].URL), "mongodb") {
			names = append(names, name)
		}
	}
	return names
}

// Compile is what follows from a folder, or from one file of SDL, without databases.
func Compile(name string) (*schema.Schema, *rules.Set, *generator.API, error) {
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		return read(name, nil)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, nil, fault.New(fault.Invalid, "the schema %s cannot be read: %v", name, cause(err))
	}
	s, err := schema.Parse(schema.Source{Name: filepath.Base(name), Text: string(text)})
	return follow(filepath.Dir(name), s, err, nil)
}

// read reads a folder for databases of which some, by name, have no foreign keys.
func read(folder string, keyless []string) (*schema.Schema, *rules.Set, *generator.API, error) {
	if err := isFolder(folder); err != nil {
		return nil, nil, nil, err
	}
	s, err := schema.Load(os.DirFS(folder))
	return follow(folder, s, err, keyless)
}

// follow is what follows from the schema of a folder, or from its error.
func follow(folder string, s *schema.Schema, err error, keyless []string) (*schema.Schema, *rules.Set, *generator.API, error) {
	if err != nil && s != nil {
		err = merged(err, rules.Problems(s))
	}
	if err != nil {
		return nil, nil, nil, located(folder, err)
	}
	if unserved := s.Unserved(); len(unserved) > 0 {
		return nil, nil, nil, located(folder, unserved)
	}
	for _, name := range keyless {
		s.WithoutForeignKeys(name)
	}
	set, err := rules.Compile(s)
	api, failed := generator.New(s)
	if err = located(folder, merged(err, failed)); err != nil {
		return s, nil, nil, err
	}
	return s, set, api, nil
}

func isFolder(name string) error {
	switch info, err := os.Stat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Invalid, "there is no schema folder %s; make a starter with: spacecloud init DIR, or name another folder with --schema", name)
	case err != nil:
		return fault.New(fault.Invalid, "the schema folder %s cannot be read: %v", name, cause(err))
	case !info.IsDir():
		return fault.New(fault.Invalid, "the schema %s is a file; name the folder that it lies in with --schema", name)
	}
	return nil
}

// merged is the problems of both together, or the first error that is something else.
func merged(a, b error) error {
	var pa, pb schema.Problems
	if a == nil || b == nil || !errors.As(a, &pa) || !errors.As(b, &pb) {
		if a != nil {
			return a
		}
		return b
	}
	all := slices.Concat(pa, pb)
	slices.SortStableFunc(all, byPlace)
	return slices.Compact(all)
}

// located is an error with the folder before the names of files, so that an editor's terminal
// opens them.
func located(folder string, err error) error {
	var problems schema.Problems
	if one := (schema.Problem{}); errors.As(err, &one) {
		problems = schema.Problems{one}
	} else if !errors.As(err, &problems) {
		return err
	}
	return moved(folder, problems)
}

func moved(folder string, problems schema.Problems) schema.Problems {
	out := slices.Clone(problems)
	for i := range out {
		out[i].File = path.Join(filepath.ToSlash(folder), out[i].File)
	}
	return out
}

// compile makes a backend, and touches nothing.
func (p *Project) compile() (*backend, error) {
	var keyless []string
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		if !p.databases[name].Driver().Features().ForeignKeys {
			keyless = append(keyless, name)
		}
	}
	s, set, api, err := read(p.Settings.Schema, keyless)
	if err != nil {
		return nil, err
	}
	b := &backend{schema: s, api: api, finger: map[string]string{}, warnings: warnings(p.Settings.Schema, set)}
	b.rows, err = resolvers.New(resolvers.Config{
		Schema: s, Rules: set, Databases: p.databases, Live: p.hub.Scope(), Rows: p.Settings.Limits.Rows, Keys: p.Settings.Limits.Keys,
	})
	if err != nil {
		return nil, err
	}
	trusted, err := trustedDocuments(p.Settings, api)
	if err != nil {
		return nil, err
	}
	if b.graph, err = p.door(b, limitsOf(p.Settings), trusted, p.caller); err != nil {
		return nil, err
	}
	b.explorer = console.Handler(console.Options{Examples: examples(s)})
	return b, nil
}

func examples(s *schema.Schema) []console.Example {
	var out []console.Example
	for _, e := range generator.Examples(s) {
		out = append(out, console.Example{Title: e.Title, Query: e.Query})
	}
	return out
}

// door is the GraphQL door of a backend; who says who sends a request, nil the request's context.
func (p *Project) door(b *backend, l graph.Limits, only *graph.Trusted, who func(*http.Request, map[string]any) (*auth.Caller, error)) (*graph.Server, error) {
	return graph.New(graph.Options{
		API: b.api, Resolvers: b.rows, Limits: l, Trusted: only,
		Introspection: p.Settings.Introspection, Suggestions: p.Settings.Introspection,
		Origins: p.Settings.Origins, Development: !p.Settings.Production, Folder: p.Settings.Schema, Caller: who, Log: p.Log,
	})
}

func limitsOf(c config.Config) graph.Limits {
	l := c.Limits
	return graph.Limits{
		Depth: l.Depth, Complexity: l.Complexity, Aliases: l.Aliases, Tokens: l.Tokens, Body: int(l.Body), Timeout: l.Timeout,
		Sockets: l.Sockets, Operations: l.Operations,
	}
}

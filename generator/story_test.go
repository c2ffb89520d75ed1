package generator_test

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	"golang.org/x/tools/txtar"

	"spacecloud/generator"
	"spacecloud/schema"
)

var update = flag.Bool("update", false, "write what came out into the stories")

// story is a file of testdata: one sentence of intent, a schema, and what follows from it.
type story struct {
	path    string
	archive *txtar.Archive
}

func (s story) name() string { return strings.TrimSuffix(filepath.Base(s.path), ".txtar") }

func (s story) file(name string) *txtar.File {
	for i := range s.archive.Files {
		if s.archive.Files[i].Name == name {
			return &s.archive.Files[i]
		}
	}
	return nil
}

func stories(t testing.TB) []story {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories in testdata: %v", err)
	}
	var found []story
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, story{path, archive})
	}
	return found
}

func parse(t testing.TB, sdl string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
	if err != nil {
		t.Fatalf("the schema is wrong:\n%v", err)
	}
	return s
}

// outcomes are what a story may say of its schema.
var outcomes = []struct {
	file string
	of   func(*testing.T, *schema.Schema) string
}{
	{"api.graphql", func(t *testing.T, s *schema.Schema) string {
		api, err := generator.New(s)
		if err != nil {
			t.Fatal(err)
		}
		return api.SDL
	}},
	{"problems.txt", func(t *testing.T, s *schema.Schema) string {
		_, err := generator.New(s)
		if err == nil {
			t.Fatal("an API was made, but the story wants problems")
		}
		return err.Error() + "\n"
	}},
	{"tables.sqlite.sql", func(t *testing.T, s *schema.Schema) string { return createStatements(t, tables(t, s)) }},
}

func TestStories(t *testing.T) {
	for _, story := range stories(t) {
		t.Run(story.name(), func(t *testing.T) {
			s := parse(t, string(story.file("schema.graphql").Data))
			for _, outcome := range outcomes {
				want := story.file(outcome.file)
				if want == nil {
					continue
				}
				got := outcome.of(t, s)
				if *update {
					want.Data = []byte(got)
				} else if got != string(want.Data) {
					t.Errorf("%s differs, see it with -update and git diff:\n%s", outcome.file, firstDifference(string(want.Data), got))
				}
			}
			if *update {
				if err := os.WriteFile(story.path, txtar.Format(story.archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func firstDifference(want, got string) string {
	wants, gots := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range gots {
		if i >= len(wants) || wants[i] != gots[i] {
			return "want: " + strings.Join(wants[min(i, len(wants)):min(i+3, len(wants))], "\n      ") +
				"\n got: " + strings.Join(gots[i:min(i+3, len(gots))], "\n      ")
		}
	}
	return "want: " + strings.Join(wants[len(gots):], "\n      ")
}

func createStatements(t *testing.T, want *atlas.Schema) string {
	t.Helper()
	var changes []atlas.Change
	for _, table := range want.Tables {
		changes = append(changes, &atlas.AddTable{T: table})
	}
	plan, err := sqlite.DefaultPlan.PlanChanges(context.Background(), "story", changes, func(o *migrate.PlanOptions) { o.Indent = "  " })
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, change := range plan.Changes {
		b.WriteString(change.Cmd + ";\n")
	}
	return b.String()
}

func tables(t testing.TB, s *schema.Schema) *atlas.Schema {
	t.Helper()
	made, err := generator.Tables(inMain(s), "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// inMain are the types of the database main.
func inMain(s *schema.Schema) []*schema.Type {
	return slices.DeleteFunc(slices.Clone(s.Types), func(t *schema.Type) bool { return t.DB != "main" })
}

package schema

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the outcomes of the stories in testdata")

// A story is a sentence of intent, files of SDL, and either the schema or the problems that
// come of them.
func TestStories(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no stories in testdata", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { tell(t, path) })
	}
}

func tell(t *testing.T, path string) {
	story, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(strings.TrimSpace(string(story.Comment))) == 0 {
		t.Error("the story does not say what it is about")
	}
	var sources []Source
	var want, got txtar.File
	for _, f := range story.Files {
		if strings.HasSuffix(f.Name, ".graphql") {
			sources = append(sources, Source{f.Name, string(f.Data)})
		} else {
			want = f
		}
	}
	s, err := Parse(sources...)
	switch {
	case err != nil:
		var ps Problems
		if !errors.As(err, &ps) {
			t.Fatalf("the error is %T, not Problems", err)
		}
		got = txtar.File{Name: "problems", Data: []byte(ps.Error() + "\n")}
	case want.Name == "unserved":
		got = txtar.File{Name: "unserved", Data: []byte(s.Unserved().Error() + "\n")}
	default:
		got = txtar.File{Name: "schema", Data: []byte(s.String())}
		checkModel(t, s)
	}
	if want.Name == got.Name && string(want.Data) == string(got.Data) {
		return
	}
	if !*update {
		t.Errorf("got -- %s --\n%s\nwant -- %s --\n%s", got.Name, got.Data, want.Name, want.Data)
		return
	}
	files := story.Files[:0:0]
	for _, f := range story.Files {
		if strings.HasSuffix(f.Name, ".graphql") {
			files = append(files, f)
		}
	}
	story.Files = append(files, got)
	if err := os.WriteFile(path, txtar.Format(story), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkModel holds a schema to what types.go promises of every schema.
func checkModel(t *testing.T, s *Schema) {
	t.Helper()
	if changes := Diff(s, s); len(changes) > 0 {
		t.Errorf("Diff(s, s) = %v", changes)
	}
	for _, typ := range s.Types {
		if s.Type(typ.Name) != typ && !typ.Owned {
			t.Errorf("Type(%s) is another", typ.Name)
		}
		for _, f := range typ.Fields {
			checkField(t, typ, f)
		}
	}
}

func checkField(t *testing.T, typ *Type, f *Field) {
	t.Helper()
	name := typ.Name + "." + f.Name
	if typ.Field(f.Name) != f || f.Owner != typ {
		t.Errorf("%s is not found by its name", name)
	}
	if !f.IsLink() {
		if typ.Columns[f.Index] != f {
			t.Errorf("%s is not at its index", name)
		}
		return
	}
	l := f.Link
	if f.Index != -1 || f.Scalar != NoScalar || l.Target == nil || len(l.From) == 0 || len(l.To) == 0 {
		t.Errorf("%s is not a whole link", name)
	}
	if l.Through == nil && len(l.From) != len(l.To) {
		t.Errorf("%s: From and To differ in length", name)
	}
	if l.Inverse != nil && l.Inverse.Link.Target != typ {
		t.Errorf("%s: the inverse leads elsewhere", name)
	}
}

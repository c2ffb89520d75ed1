package main_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "spacecloud"

// floors is the house that README.md shows, the lowest floor first. A package imports from floors
// below its own, and on its own floor only from its own room: the first part of its path.
var floors = [][]string{
	{"fault"}, // the ground: every room returns it, so it lies below the others of its floor
	{"auth", "dataloader", "pubsub", "config"},
	{"schema"},
	{"query"},
	{"rules", "generator", "graph/model"},
	{"database/driver", "live", "functions", "files"},
	{
		"database", "database/sqlgen", "database/drivertest",
		"database/postgres", "database/mysql", "database/sqlite", "database/mongodb",
	},
	{"events", "migrate"},
	{"resolvers"},
	{"graph", "rest", "rpc", "console"},
	{"project", "project/cases", "app"},
	{"."},
}

// outside are folders beside the house: they use it as others do, and nothing imports them.
var outside = []string{"bench", "tests", "docs", "examples"}

func TestArrowsOnlyGoDown(t *testing.T) {
	imports, err := readImports(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(imports) == 0 {
		t.Fatal("no imports were found, so nothing was checked")
	}
	for _, each := range imports {
		if problem := each.problem(); problem != "" {
			t.Errorf("%s: %s", each.at, problem)
		}
	}
}

func TestProblemsOfArrows(t *testing.T) {
	for _, test := range []struct{ from, to, want string }{
		{"rules", "schema", ""},
		{".", "project", ""},
		{"database/sqlite", "database/sqlgen", ""},
		{"database", "database/driver", ""},
		{"auth", "fault", ""},
		{"bench", "graph", ""},
		{"tests/stories", "graph", ""},
		{"schema", "rules", "schema (floor 2) imports rules (floor 4), but arrows only go down: move what both need to a lower room, or let schema be handed it"},
		{"graph", "rest", "graph imports rest of the same floor (9), but only a room's own packages may do so: move what both need to a lower room"},
		{"utils", "schema", "utils has no floor: give it one in README.md and in floors here"},
		{"schema", "utils", "utils has no floor: give it one in README.md and in floors here"},
		{"schema", "bench", "bench is beside the house, and nothing imports it"},
	} {
		if got := (arrow{from: test.from, to: test.to}).problem(); got != test.want {
			t.Errorf("%s → %s: %q, want %q", test.from, test.to, got, test.want)
		}
	}
}

// arrow is one import of this module's packages, or a package by itself when to is empty.
type arrow struct {
	at       string // file and line
	from, to string // folders; the top is "."
}

// problem is what the house has against the arrow, "" for nothing.
func (a arrow) problem() string {
	if isOutside(a.from) {
		return ""
	}
	from, ok := floor(a.from)
	if !ok {
		return a.from + " has no floor: give it one in README.md and in floors here"
	}
	if a.to == "" {
		return ""
	}
	if isOutside(a.to) {
		return a.to + " is beside the house, and nothing imports it"
	}
	to, ok := floor(a.to)
	switch {
	case !ok:
		return a.to + " has no floor: give it one in README.md and in floors here"
	case to > from:
		return fmt.Sprintf("%s (floor %d) imports %s (floor %d), but arrows only go down: "+
			"move what both need to a lower room, or let %[1]s be handed it", a.from, from, a.to, to)
	case to == from && room(a.to) != room(a.from):
		return fmt.Sprintf("%s imports %s of the same floor (%d), but only a room's own packages may do so: "+
			"move what both need to a lower room", a.from, a.to, from)
	}
	return ""
}

func isOutside(folder string) bool { return slices.Contains(outside, room(folder)) }

func room(folder string) string {
	first, _, _ := strings.Cut(folder, "/")
	return first
}

func floor(folder string) (int, bool) {
	for i, rooms := range floors {
		if slices.Contains(rooms, folder) {
			return i, true
		}
	}
	return 0, false
}

// readImports is the arrows of every package below root. Tests may look at any room, so their
// imports are none.
func readImports(root string) ([]arrow, error) {
	var arrows []arrow
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && isSkipped(entry.Name()):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		found, err := readFile(name)
		arrows = append(arrows, found...)
		return err
	})
	return arrows, err
}

// isSkipped is whether the go command skips a folder, or should.
func isSkipped(folder string) bool {
	return folder == "testdata" || folder == "node_modules" || folder != "." && strings.ContainsAny(folder[:1], "._")
}

// readFile is the arrows of one file, and one for its package alone.
func readFile(name string) ([]arrow, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	folder := filepath.ToSlash(filepath.Dir(name))
	arrows := []arrow{{at: name, from: folder}}
	for _, each := range file.Imports {
		imported, err := strconv.Unquote(each.Path.Value)
		if err != nil {
			return nil, err
		}
		if to, ok := strings.CutPrefix(imported+"/", module+"/"); ok {
			arrows = append(arrows, arrow{
				at:   files.Position(each.Pos()).String(),
				from: folder,
				to:   path.Clean(to),
			})
		}
	}
	return arrows, nil
}

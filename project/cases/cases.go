// Package cases answers whether rules do what somebody wrote down that they should: it runs
// *.rules.yaml, files of callers, rows, requests and answers.
package cases

import (
	"cmp"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/graph"
	"spacecloud/schema"
)

// Suffix is how the names of files of cases end.
const Suffix = ".rules.yaml"

// Options are what a file does not say itself.
type Options struct {
	// Schema is the file or folder for files of cases that name none.
	Schema string
	// Claims are the names of claims, as auth.claims of the settings has them.
	Claims map[string]string
	// Limits are those of requests.
	Limits graph.Limits
}

// File is one file of cases.
type File struct {
	Name   string // as it was opened
	schema string // as it can be opened, or ""
	rows   []row
	cases  []*question
}

// row is one row that is there before each case.
type row struct {
	table  string // the plural name of the type
	values []value
	pos    schema.Pos
}

// value is one value of a row.
type value struct {
	name  string
	plain any
	pos   schema.Pos
}

// question is what somebody asks, and what has to come of it.
type question struct {
	name      string // of the case; "" for what is asked then
	pos       schema.Pos
	claims    map[string]any // nil for nobody
	request   string
	variables map[string]any
	wantsData bool
	data      any
	refused   fault.Kind // or ""
	at        string     // the path of the refusal, "" for any
	then      *question
}

// Result is what became of one case.
type Result struct {
	Name    string
	Pos     schema.Pos
	Problem string // what was expected and what came, in lines; "" when it is as it should be
}

// String is a line for what is as it should be, and else what is not in the lines below it.
func (r Result) String() string {
	if r.Problem == "" {
		return fmt.Sprintf("ok    %s:%d: %s\n", r.Pos.File, r.Pos.Line, r.Name)
	}
	return fmt.Sprintf("FAIL  %s:%d: %s\n      %s\n", r.Pos.File, r.Pos.Line, r.Name, strings.ReplaceAll(r.Problem, "\n", "\n      "))
}

// Find are the files of cases below a folder, but for folders whose name begins with a dot and those of npm.
func Find(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		switch base := filepath.Base(name); {
		case err != nil:
			return err
		case entry.IsDir() && name != folder && (strings.HasPrefix(base, ".") || base == "node_modules"):
			return fs.SkipDir
		case !entry.IsDir() && strings.HasSuffix(base, Suffix):
			files = append(files, name)
		}
		return nil
	})
	slices.SortFunc(files, cmp.Compare[string])
	return files, err
}

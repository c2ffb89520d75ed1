package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
)

// What one file may hold. Both are far above what people write and far below what hurts.
const (
	maxFileBytes = 4 << 20
	maxTokens    = 400_000
)

// Source is one file of SDL.
type Source struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Load is Parse of every *.graphql file of a folder and the folders in it, but for
// seed.graphql, which holds mutations, and what lies in folders whose name begins with a dot.
func Load(fsys fs.FS) (*Schema, error) {
	var sources []Source
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(base, "."):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(base) != ".graphql" || base == "seed.graphql":
			return nil
		}
		text, err := fs.ReadFile(fsys, name)
		sources = append(sources, Source{Name: name, Text: string(text)})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the schema folder: %w", err)
	}
	if len(sources) == 0 {
		return nil, errors.New("the schema folder holds no *.graphql file; \"spacecloud init\" makes a folder with one")
	}
	return Parse(sources...)
}

// Parse makes a checked schema of all sources together. The error is Problems: all that is
// wrong, by file and position. A file with a syntax error hides what only the types of that
// file could tell about the others. Where every file could be read, the schema beside the error is what
// is right in it, for other rooms to say what is wrong there: it lacks the fields and types that are not.
func Parse(sources ...Source) (*Schema, error) {
	c := newChecker()
	docs, complete := c.read(sources)
	for _, doc := range docs {
		c.collect(doc)
	}
	if complete {
		c.build(docs)
	}
	switch {
	case !complete:
		return nil, c.problems.sort()
	case len(c.problems) > 0:
		return c.schema, c.problems.sort()
	}
	c.schema.Sources = sources
	return c.schema, nil
}

// checker turns documents into a schema and gathers what is wrong with them.
type checker struct {
	schema   *Schema
	problems Problems
	starts   map[*ast.Source][]int // rune offsets of the beginnings of lines

	declared map[string]*ast.Definition // every definition of the user by name
	order    []*ast.Definition          // the same in the order of the sources
	enums    map[string]*Enum
	uses     map[any][]use // directives by the AST node that carries them

	links   []*linkUse
	indexes []indexUse
	broken  map[*Type]map[string]bool // fields left out because they are wrong: said once is enough
}

func newChecker() *checker {
	return &checker{
		schema:   &Schema{byName: map[string]*Type{}},
		starts:   map[*ast.Source][]int{},
		declared: map[string]*ast.Definition{},
		enums:    map[string]*Enum{},
		uses:     map[any][]use{},
		broken:   map[*Type]map[string]bool{},
	}
}

// read parses each source; complete is whether all of them could be.
func (c *checker) read(sources []Source) (docs []*ast.SchemaDocument, complete bool) {
	complete = true
	for _, s := range sources {
		doc, err := readOne(s)
		if err != nil {
			c.problems = append(c.problems, *err)
			complete = false
			continue
		}
		docs = append(docs, doc)
	}
	return docs, complete
}

// readOne normalises line ends and drops a byte order mark, for gqlparser's columns are off
// by one after either.
func readOne(s Source) (*ast.SchemaDocument, *Problem) {
	start := Pos{File: s.Name, Line: 1, Column: 1}
	if len(s.Text) > maxFileBytes {
		return nil, &Problem{start, fmt.Sprintf("the file has more than %d MiB; split it", maxFileBytes>>20)}
	}
	if !utf8.ValidString(s.Text) {
		return nil, &Problem{start, "the file is not valid UTF-8"}
	}
	text := strings.TrimPrefix(s.Text, "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	doc, err := parser.ParseSchemaWithLimit(&ast.Source{Name: s.Name, Input: text}, maxTokens)
	if err == nil {
		return doc, nil
	}
	var syntax *gqlerror.Error
	if !errors.As(err, &syntax) {
		return nil, &Problem{start, err.Error()}
	}
	if len(syntax.Locations) > 0 {
		// Of a block string the line is the last and the column counts from the first.
		start.Line, start.Column = syntax.Locations[0].Line, max(1, syntax.Locations[0].Column)
	}
	message := syntax.Message
	if said := lexicalError(text); said != "" && strings.Contains(message, "<Invalid>") {
		message = said
	}
	return nil, &Problem{start, "syntax: " + message}
}

// lexicalError is what is wrong with the first piece of text that is no token; the parser
// forgets it.
func lexicalError(text string) string {
	l := lexer.New(&ast.Source{Input: text})
	for {
		token, err := l.ReadToken()
		var syntax *gqlerror.Error
		switch {
		case errors.As(err, &syntax) && syntax != nil:
			return syntax.Message
		case err != nil && token.Kind == lexer.Invalid || token.Kind == lexer.EOF:
			return ""
		}
	}
}

// sort puts problems in the order of files and positions, each once.
func (ps Problems) sort() Problems {
	sort.SliceStable(ps, func(i, j int) bool {
		a, b := ps[i], ps[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	return slices.Compact(ps)
}

func (c *checker) errorf(at *ast.Position, format string, args ...any) {
	c.errorAt(c.pos(at), format, args...)
}

func (c *checker) errorAt(at Pos, format string, args ...any) {
	c.problems = append(c.problems, Problem{at, fmt.Sprintf(format, args...)})
}

// pos is where a token begins. It is found by the token's offset, because gqlparser gives a
// block string the line where it ends.
func (c *checker) pos(p *ast.Position) Pos { return c.posAt(p.Src, p.Start) }

func (c *checker) posAt(src *ast.Source, offset int) Pos {
	starts, ok := c.starts[src]
	if !ok {
		starts = lineStarts(src.Input)
		c.starts[src] = starts
	}
	line := sort.SearchInts(starts, offset+1)
	return Pos{File: src.Name, Line: line, Column: offset - starts[line-1] + 1}
}

func lineStarts(text string) []int {
	starts, n := []int{0}, 0
	for _, r := range text {
		n++
		if r == '\n' {
			starts = append(starts, n)
		}
	}
	return starts
}

// expr is a string literal as an expression, positioned at the first character inside.
func (c *checker) expr(v *ast.Value) Expr {
	if v == nil {
		return Expr{}
	}
	offset := v.Position.Start + 1
	if v.Kind == ast.BlockValue {
		offset += 2
		for _, r := range skipRunes(v.Position.Src.Input, offset) {
			if r != ' ' && r != '\t' && r != '\n' {
				break
			}
			offset++
		}
	}
	return Expr{Text: v.Raw, Pos: c.posAt(v.Position.Src, offset)}
}

func skipRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[i:]
		}
		n--
	}
	return ""
}

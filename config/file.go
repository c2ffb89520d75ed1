package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile is more than any settings need.
const maxFile = 1 << 20

// In YAML the braces of ${NAME} end a plain text inside {…}, so before parsing they become
// characters that Unicode promises never to assign, as many as before so that columns stay.
const (
	opening = '\uFDD0'
	closing = '\uFDD1'
	escaped = '\uFDD2'

	openBrace   = "\uFDD0\uFDD0"       // stands for "${"
	dollarBrace = "\uFDD2\uFDD2\uFDD2" // stands for "$${"
)

var (
	reference = regexp.MustCompile(`\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
	marked    = regexp.MustCompile(openBrace + `[^` + string(closing) + `]*` + string(closing))
)

// file reads one settings file.
type file struct {
	name     string
	vars     map[string]string
	settings []setting
	problems Problems
}

// readSettings is what the text of the named file sets, with ${NAME} expanded from vars.
func readSettings(name string, text []byte, vars map[string]string) ([]setting, Problems) {
	f := &file{name: name, vars: vars}
	if body := f.parse(text); body != nil {
		f.value(body, reflect.TypeFor[Config](), nil)
	}
	return f.settings, f.problems
}

// parse is the document of the file, nil for an empty one.
func (f *file) parse(text []byte) ast.Node {
	if len(text) > maxFile {
		f.problems.addf(f.name, "is larger than 1MiB; is it a settings file?")
		return nil
	}
	if bytes.ContainsAny(text, string([]rune{opening, closing, escaped})) {
		f.problems.addf(f.name, "holds a character (U+FDD0 to U+FDD2) that is not for text")
		return nil
	}
	parsed, err := parseYAML(reference.ReplaceAllFunc(text, mark))
	if err != nil {
		f.syntax(err)
		return nil
	}
	switch len(parsed.Docs) {
	case 0:
		return nil
	case 1:
		return parsed.Docs[0].Body
	default:
		f.problems.addf(f.name, "holds %d YAML documents; put all settings into one", len(parsed.Docs))
		return nil
	}
}

// parseYAML is the parser with its panics, which malformed text can cause, as errors.
func parseYAML(text []byte) (parsed *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is not YAML that can be read (%v)", r)
		}
	}()
	return parser.ParseBytes(text, 0)
}

// mark is ref with its braces out of YAML's way.
func mark(ref []byte) []byte {
	if ref[1] == '$' {
		return []byte(dollarBrace)
	}
	return []byte(openBrace + string(ref[2:len(ref)-1]) + string(closing))
}

func (f *file) syntax(err error) {
	var at *yaml.SyntaxError
	if errors.As(err, &at) && at.Token != nil {
		f.problems.addf(f.at(at.Token), "%s", unmark(at.Message))
		return
	}
	f.problems.addf(f.name, "%s", unmark(err.Error()))
}

// at is the position of a token, as editors read it.
func (f *file) at(t *token.Token) string {
	if t == nil || t.Position == nil {
		return f.name
	}
	return f.name + ":" + strconv.Itoa(t.Position.Line) + ":" + strconv.Itoa(t.Position.Column)
}

// value reads n as what is expected at p: a setting, a group or entries, of type t.
func (f *file) value(n ast.Node, t reflect.Type, p path) {
	switch n := n.(type) {
	case nil, *ast.NullNode: // a key with nothing after it says nothing
	case *ast.MappingNode:
		f.mapping(n, t, p)
	case *ast.SequenceNode:
		f.sequence(n, t, p)
	default:
		f.scalar(n, t, p)
	}
}

func (f *file) mapping(n *ast.MappingNode, t reflect.Type, p path) {
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		f.problems.addf(f.at(n.GetToken()), "%s wants %s, not keys", shown(p), wanted(t))
		return
	}
	for _, each := range n.Values {
		f.pair(each, t, p)
	}
}

// pair reads one "key: value" of a group or of entries by name.
func (f *file) pair(n *ast.MappingValueNode, t reflect.Type, p path) {
	key, ok := n.Key.(*ast.StringNode)
	if !ok {
		f.problems.addf(f.at(n.Key.GetToken()), "a key must be plain text; merge keys are not read")
		return
	}
	at, step := f.at(key.GetToken()), unmark(key.Value)
	if t.Kind() == reflect.Map {
		if !name.MatchString(step) {
			f.problems.addf(at, "%q cannot be a name in %s: use letters, digits and _, a letter first", step, p)
			return
		}
		f.value(n.Value, t.Elem(), p.then(step))
		return
	}
	inner, ok := field(t, step)
	if !ok {
		f.problems.addf(at, "%s is not a setting; %s", p.then(step), suggest(step, keys(t)))
		return
	}
	if inner.Tag.Get("later") != "" {
		f.problems.addf(at, "%s is not served yet; take it out", p.then(step))
		return
	}
	f.value(n.Value, inner.Type, p.then(step))
}

func (f *file) sequence(n *ast.SequenceNode, t reflect.Type, p path) {
	switch {
	case isList(t):
		texts := make([]string, 0, len(n.Values))
		for _, each := range n.Values {
			if text, ok := f.text(each, p); ok {
				texts = append(texts, text)
			}
		}
		f.set(n, p, texts)
	case isEntries(t):
		for i, each := range n.Values {
			f.value(each, t.Elem(), p.then(strconv.Itoa(i)))
		}
	default:
		f.problems.addf(f.at(n.GetToken()), "%s wants %s, not a list", shown(p), wanted(t))
	}
}

func (f *file) scalar(n ast.Node, t reflect.Type, p path) {
	text, ok := f.text(n, p)
	switch {
	case !ok:
	case isSetting(t) && !isList(t):
		f.set(n, p, []string{text})
	default:
		f.problems.addf(f.at(n.GetToken()), "%s wants %s, not one value", shown(p), wanted(t))
	}
}

func (f *file) set(n ast.Node, p path, texts []string) {
	f.settings = append(f.settings, setting{path: p, texts: texts, place: f.at(n.GetToken())})
}

// text is what a scalar says, expanded. Its YAML type does not matter: the setting's does.
func (f *file) text(n ast.Node, p path) (string, bool) {
	switch n := n.(type) {
	case *ast.LiteralNode:
		return f.expand(n.Value.Value, n, p)
	case *ast.StringNode:
		return f.expand(n.Value, n, p)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	case nil:
		f.problems.addf(f.name, "%s has an empty item", p)
	default:
		f.problems.addf(f.at(n.GetToken()),
			"%s wants a plain value here; anchors, aliases and tags are not read", shown(p))
	}
	return "", false
}

// expand puts the values of the environment for ${NAME}.
func (f *file) expand(text string, n ast.Node, p path) (string, bool) {
	if strings.Contains(text, "${") { // what mark left is no reference
		f.problems.addf(f.at(n.GetToken()), "%s: after ${ a variable's name and } are missing; write $${ for the text itself", p)
		return "", false
	}
	ok := true
	text = marked.ReplaceAllStringFunc(text, func(ref string) string {
		variable := strings.Trim(ref, string([]rune{opening, closing}))
		value, set := f.vars[variable]
		if !set {
			ok = false
			f.problems.addf(f.at(n.GetToken()), "%s: the environment variable %s is not set", p, variable)
		}
		return value
	})
	return strings.ReplaceAll(text, dollarBrace, "${"), ok
}

// unmark is text that mark went over as it was.
func unmark(text string) string {
	return strings.NewReplacer(openBrace, "${", string(closing), "}", dollarBrace, "$${").Replace(text)
}

// shown is p for a message; the file as a whole has no path.
func shown(p path) string {
	if len(p) == 0 {
		return "the file"
	}
	return p.String()
}

// wanted is what may stand at a key of type t.
func wanted(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Struct:
		return "keys of its own (" + strings.Join(keys(t), ", ") + ")"
	case t.Kind() == reflect.Map:
		return "names, each with its own value"
	case isList(t), isEntries(t):
		return "a list"
	default:
		return "one value"
	}
}

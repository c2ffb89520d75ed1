package cases

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Read reads a file of cases. The error is schema.Problems: all that is wrong with the text.
func Read(name string) (*File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the file of cases cannot be read")
	}
	r := &reader{file: &File{Name: name}, callers: map[string]map[string]any{nobody: nil}}
	if body := r.parse(text); body != nil {
		r.all(body)
	}
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	return r.file, nil
}

// nobody is the caller without a token, who is always there.
const nobody = "nobody"

// kinds are the codes of answers that can be expected.
var kinds = []fault.Kind{
	fault.Invalid, fault.Validation, fault.Unauthenticated, fault.Denied, fault.NotFound, fault.Conflict,
	fault.Limit, fault.RateLimited, fault.Timeout, fault.Unavailable,
}

// reader reads one file, and gathers what is wrong with it.
type reader struct {
	file     *File
	callers  map[string]map[string]any
	problems schema.Problems
}

func (r *reader) wrong(at schema.Pos, format string, args ...any) {
	r.problems = append(r.problems, schema.Problem{Pos: at, Message: fmt.Sprintf(format, args...)})
}

// pos is where a token stands.
func (r *reader) pos(t *token.Token) schema.Pos {
	p := schema.Pos{File: filepath.ToSlash(r.file.Name), Line: 1, Column: 1}
	if t != nil && t.Position != nil {
		p.Line, p.Column = t.Position.Line, t.Position.Column
	}
	return p
}

// parse is the document of the file, nil after a problem.
func (r *reader) parse(text []byte) ast.Node {
	parsed, err := parseYAML(text)
	var syntax *yaml.SyntaxError
	switch {
	case errors.As(err, &syntax):
		r.wrong(r.pos(syntax.Token), "%s", syntax.Message)
	case err != nil:
		r.wrong(r.pos(nil), "%s", err)
	case len(parsed.Docs) != 1 || parsed.Docs[0].Body == nil:
		r.wrong(r.pos(nil), "a file of cases is one YAML document with tests in it")
	default:
		return parsed.Docs[0].Body
	}
	return nil
}

// parseYAML is the parser with its panics, which malformed text can cause, as errors.
func parseYAML(text []byte) (parsed *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this is not YAML that can be read (%v)", p)
		}
	}()
	return parser.ParseBytes(text, 0)
}

func (r *reader) all(body ast.Node) {
	members := r.members(body, "a file of cases", "schema", "callers", "rows", "tests")
	if n, ok := members["schema"]; ok {
		if name, ok := r.text(n, "schema"); ok {
			r.file.schema = filepath.Join(filepath.Dir(r.file.Name), filepath.FromSlash(name))
		}
	}
	for _, p := range r.pairs(members["callers"], "callers") {
		r.caller(p)
	}
	for _, p := range r.pairs(members["rows"], "rows") {
		r.table(p)
	}
	tests := r.items(members["tests"], "tests")
	for _, n := range tests {
		if q := r.question(n, true); q != nil {
			r.file.cases = append(r.file.cases, q)
		}
	}
	if len(tests) == 0 && len(r.problems) == 0 {
		r.wrong(r.pos(body.GetToken()), "there are no tests; write them as a list under tests")
	}
}

// caller reads the claims of one name.
func (r *reader) caller(p *ast.MappingValueNode) {
	name := p.Key.GetToken().Value
	switch claims, ok := r.plain(p.Value).(map[string]any); {
	case name == nobody:
		r.wrong(r.pos(p.Key.GetToken()), "nobody is the caller without a token and has no claims; take another name")
	case !ok:
		r.wrong(r.pos(p.Key.GetToken()), "the caller %s wants claims, such as {sub: %s}", name, name)
	default:
		r.callers[name] = claims
	}
}

// table reads the rows of one type.
func (r *reader) table(p *ast.MappingValueNode) {
	name := p.Key.GetToken().Value
	for _, n := range r.items(p.Value, "rows."+name) {
		of := row{table: name, pos: r.pos(p.Key.GetToken())}
		for _, v := range r.pairs(n, "a row of "+name) {
			of.values = append(of.values, value{v.Key.GetToken().Value, r.plain(v.Value), r.pos(v.Key.GetToken())})
		}
		r.file.rows = append(r.file.rows, of)
	}
}

// question reads a case, or what is asked after one.
func (r *reader) question(n ast.Node, named bool) *question {
	known := []string{"as", "request", "variables", "data", "refused", "at", "then"}
	what := "what is asked then"
	if named {
		known, what = append(known, "name"), "a test"
	}
	members := r.members(n, what, known...)
	if members == nil {
		return nil
	}
	q := &question{pos: r.pos(first(n))}
	if named {
		q.name = r.required(members, n, "name", "what the case shows")
	}
	q.request = r.required(members, n, "request", "a request in GraphQL")
	r.as(q, members, n)
	if v, ok := members["variables"]; ok {
		if q.variables, ok = r.plain(v).(map[string]any); !ok {
			r.wrong(r.pos(v.GetToken()), "variables are values by name: {id: p1}")
		}
	}
	r.expected(q, members, n)
	if v, ok := members["then"]; ok {
		q.then = r.question(v, false)
	}
	return q
}

// as reads who asks: the name of a caller, or claims in place.
func (r *reader) as(q *question, members map[string]ast.Node, of ast.Node) {
	n, ok := members["as"]
	if !ok {
		r.wrong(r.pos(first(of)), "as is missing: a name of callers, nobody, or claims such as {sub: ann}")
		return
	}
	if claims, ok := r.plain(n).(map[string]any); ok {
		q.claims = claims
		return
	}
	name, ok := r.text(n, "as")
	if !ok {
		return
	}
	if q.claims, ok = r.callers[name]; !ok {
		names := slices.Sorted(maps.Keys(r.callers))
		r.wrong(r.pos(n.GetToken()), "there is no caller %s, but %s%s", name, strings.Join(names, ", "), schema.DidYouMean(name, names))
	}
}

// expected reads what has to come: data, a refusal, or both of them.
func (r *reader) expected(q *question, members map[string]ast.Node, of ast.Node) {
	if n, ok := members["data"]; ok {
		q.wantsData, q.data = true, r.plain(n)
	}
	n, refused := members["refused"]
	if refused {
		code, _ := r.text(n, "refused")
		q.refused = fault.Kind(code)
		if !slices.Contains(kinds, q.refused) {
			names := make([]string, len(kinds))
			for i, k := range kinds {
				names[i] = string(k)
			}
			r.wrong(r.pos(n.GetToken()), "%s is no code of an error%s", code, schema.DidYouMean(code, names))
		}
	}
	if !q.wantsData && !refused {
		r.wrong(r.pos(first(of)), "what has to come is missing: data, or refused with the code of the error")
	}
	at, ok := members["at"]
	switch {
	case ok && !refused:
		r.wrong(r.pos(at.GetToken()), "at is where the error is that refused names, which is missing")
	case ok:
		q.at, _ = r.text(at, "at")
	}
}

// first is the token that a mapping begins with.
func first(n ast.Node) *token.Token {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.GetToken()
}

// required is the text of a member that has to be there.
func (r *reader) required(members map[string]ast.Node, of ast.Node, name, what string) string {
	n, ok := members[name]
	if !ok {
		r.wrong(r.pos(first(of)), "%s is missing: %s", name, what)
		return ""
	}
	text, _ := r.text(n, name)
	return text
}

// members are the values of a mapping by their keys, all of which are known.
func (r *reader) members(n ast.Node, what string, known ...string) map[string]ast.Node {
	found := map[string]ast.Node{}
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.wrong(r.pos(n.GetToken()), "%s has the keys %s", what, strings.Join(known, ", "))
		return nil
	}
	for _, p := range m.Values {
		name := p.Key.GetToken().Value
		if !slices.Contains(known, name) {
			r.wrong(r.pos(p.Key.GetToken()), "%s is no key of %s%s", name, what, schema.DidYouMean(name, slices.Clone(known)))
			continue
		}
		found[name] = p.Value
	}
	return found
}

// pairs are the keys and values of a mapping in their order; none where there is nothing.
func (r *reader) pairs(n ast.Node, what string) []*ast.MappingValueNode {
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		return n.Values
	default:
		r.wrong(r.pos(n.GetToken()), "%s wants values by name", what)
	}
	return nil
}

// items are those of a list; none where there is nothing.
func (r *reader) items(n ast.Node, what string) []ast.Node {
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		return n.Values
	default:
		r.wrong(r.pos(n.GetToken()), "%s wants a list", what)
	}
	return nil
}

func (r *reader) text(n ast.Node, what string) (string, bool) {
	text, ok := r.plain(n).(string)
	if !ok {
		r.wrong(r.pos(n.GetToken()), "%s wants a text", what)
	}
	return text, ok
}

// plain is a value as encoding/json decodes it, with its numbers as json.Number.
func (r *reader) plain(n ast.Node) any {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return json.Number(fmt.Sprint(n.Value))
	case *ast.FloatNode:
		return json.Number(n.GetToken().Value)
	case *ast.SequenceNode:
		list := make([]any, len(n.Values))
		for i, each := range n.Values {
			list[i] = r.plain(each)
		}
		return list
	case *ast.MappingNode:
		object := make(map[string]any, len(n.Values))
		for _, p := range n.Values {
			object[p.Key.GetToken().Value] = r.plain(p.Value)
		}
		return object
	case nil, *ast.NullNode:
	default:
		r.wrong(r.pos(n.GetToken()), "a plain value is wanted here; anchors, aliases and tags are not read")
	}
	return nil
}

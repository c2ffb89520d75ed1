package schema

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

//go:embed directives.graphql
var directivesText string

// Directives is the SDL that declares every scalar and directive of the language, for editors.
func Directives() string { return directivesText }

// vocabulary is what directives.graphql declares.
type vocabulary struct {
	directives map[string]*ast.DirectiveDefinition
	types      map[string]*ast.Definition // scalars and enums
}

var language = sync.OnceValue(func() vocabulary {
	doc, err := parser.ParseSchema(&ast.Source{Name: "directives.graphql", Input: directivesText})
	if err != nil {
		panic(err) // the file is embedded: a test reads it
	}
	v := vocabulary{map[string]*ast.DirectiveDefinition{}, map[string]*ast.Definition{}}
	for _, d := range doc.Directives {
		v.directives[d.Name] = d
	}
	for _, d := range doc.Definitions {
		v.types[d.Name] = d
	}
	return v
})

// use is a directive as it was written, with those of its arguments that are right.
type use struct {
	*ast.Directive
	decl    *ast.DirectiveDefinition
	spoiled bool // some of it was wrong and left out: that something is missing is no news
}

// written is an argument that stands in the file, or nil.
func (u use) written(arg string) *ast.Value {
	if a := u.Arguments.ForName(arg); a != nil {
		return a.Value
	}
	return nil
}

// value is an argument or its declared default, or nil.
func (u use) value(arg string) *ast.Value {
	if v := u.written(arg); v != nil {
		return v
	}
	if d := u.decl.Arguments.ForName(arg); d != nil {
		return d.DefaultValue
	}
	return nil
}

func (u use) text(arg string) string {
	if v := u.value(arg); v != nil {
		return v.Raw
	}
	return ""
}

// texts is an argument that is a list of strings; one string is a list of one.
func (u use) texts(arg string) []string {
	v := u.value(arg)
	if v == nil {
		return nil
	}
	if v.Kind != ast.ListValue {
		return []string{v.Raw}
	}
	out := make([]string, len(v.Children))
	for i, e := range v.Children {
		out[i] = e.Value.Raw
	}
	return out
}

// args are all arguments, with defaults, as Go values.
func (u use) args() map[string]any {
	out := map[string]any{}
	for _, d := range u.decl.Arguments {
		v := u.value(d.Name)
		if v == nil {
			continue
		}
		if d.Type.Elem != nil && v.Kind != ast.ListValue {
			v = &ast.Value{Kind: ast.ListValue, Children: ast.ChildValueList{{Value: v}}}
		}
		if got, err := v.Value(nil); err == nil {
			out[d.Name] = got
		}
	}
	return out
}

// find is the directive of that name among those of an AST node.
func (c *checker) find(node any, name string) (use, bool) {
	for _, u := range c.uses[node] {
		if u.Name == name {
			return u, true
		}
	}
	return use{}, false
}

// check holds the directives of an AST node to their declarations and keeps what is right.
func (c *checker) check(node any, list ast.DirectiveList, place ast.DirectiveLocation) {
	seen := map[string]bool{}
	for _, d := range list {
		decl := language().directives[d.Name]
		switch {
		case decl == nil:
			c.unknownDirective(d)
			continue
		case !slices.Contains(decl.Locations, place):
			c.errorf(d.Position, "@%s cannot stand on %s; it belongs on %s", d.Name, placeName[place], placeNames(decl.Locations))
			continue
		case seen[d.Name] && !decl.IsRepeatable:
			c.errorf(d.Position, "@%s stands here twice; say all of it in one", d.Name)
			continue
		}
		seen[d.Name] = true
		c.uses[node] = append(c.uses[node], c.checkArguments(d, decl))
	}
}

// old are the predecessor's spellings, and what to say today.
var old = map[string]string{
	"foreign":     "say @link on a field of the other type: author: User! @link(from: \"authorId\", to: \"id\")",
	"relation":    "say @link",
	"foreignKey":  "say @link",
	"primaryKey":  "say @primary",
	"uniqueIndex": "say @unique",
	"deprecated":  "write it in the description",
}

func (c *checker) unknownDirective(d *ast.Directive) {
	if hint, ok := old[d.Name]; ok {
		c.errorf(d.Position, "@%s is not a directive of this language; %s", d.Name, hint)
		return
	}
	names := slices.Collect(maps.Keys(language().directives))
	for i := range names {
		names[i] = "@" + names[i]
	}
	c.errorf(d.Position, "unknown directive @%s%s", d.Name, DidYouMean("@"+d.Name, names))
}

var placeName = map[ast.DirectiveLocation]string{
	ast.LocationObject:               "a type",
	ast.LocationFieldDefinition:      "a field",
	ast.LocationSchema:               "\"extend schema\"",
	ast.LocationEnum:                 "an enum",
	ast.LocationEnumValue:            "the value of an enum",
	ast.LocationScalar:               "a scalar",
	ast.LocationInputObject:          "an input type",
	ast.LocationInputFieldDefinition: "a field of an input type",
	ast.LocationArgumentDefinition:   "an argument",
}

func placeNames(places []ast.DirectiveLocation) string {
	var names []string
	for _, p := range places {
		names = append(names, placeName[p])
	}
	return strings.Join(names, " or ")
}

func (c *checker) checkArguments(d *ast.Directive, decl *ast.DirectiveDefinition) use {
	u := use{Directive: &ast.Directive{Name: d.Name, Position: d.Position}, decl: decl}
	for _, a := range d.Arguments {
		want := decl.Arguments.ForName(a.Name)
		switch {
		case want == nil:
			c.unknownArgument(d, decl, a)
		case u.Arguments.ForName(a.Name) != nil:
			c.errorf(a.Position, "@%s says %s twice", d.Name, a.Name)
		case !fits(a.Value, want.Type):
			c.errorf(a.Value.Position, "@%s(%s:) expects %s, got %s", d.Name, a.Name, expected(want.Type), clip(a.Value.String()))
		default:
			u.Arguments = append(u.Arguments, a)
			continue
		}
		u.spoiled = true
	}
	for _, want := range decl.Arguments {
		if want.Type.NonNull && d.Arguments.ForName(want.Name) == nil {
			c.errorf(d.Position, "@%s needs %s: %s", d.Name, want.Name, expected(want.Type))
			u.spoiled = true
		}
	}
	return u
}

func (c *checker) unknownArgument(d *ast.Directive, decl *ast.DirectiveDefinition, a *ast.Argument) {
	if d.Name == "link" && (a.Name == "table" || a.Name == "db") {
		c.errorf(a.Position, "@link(%s:) is the old spelling: the field's type says where the link leads; say @link(from: \"authorId\", to: \"id\"), or @link alone", a.Name)
		return
	}
	var names []string
	for _, k := range decl.Arguments {
		names = append(names, k.Name)
	}
	if len(names) == 0 {
		c.errorf(a.Position, "@%s takes no arguments, got %s", d.Name, a.Name)
		return
	}
	c.errorf(a.Position, "@%s has no argument %s%s", d.Name, a.Name, DidYouMean(a.Name, names))
}

// fits is whether a literal is of the type that an argument declares.
func fits(v *ast.Value, t *ast.Type) bool {
	if t.Elem != nil {
		if v.Kind != ast.ListValue {
			return fits(v, t.Elem)
		}
		return !slices.ContainsFunc(v.Children, func(e *ast.ChildValue) bool { return !fits(e.Value, t.Elem) })
	}
	switch t.NamedType {
	case "String":
		return v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "Boolean":
		return v.Kind == ast.BooleanValue
	case "Int":
		_, err := strconv.ParseInt(v.Raw, 10, 32)
		return v.Kind == ast.IntValue && err == nil
	case "Decimal":
		return v.Kind == ast.IntValue || v.Kind == ast.FloatValue || v.Kind == ast.StringValue
	case "JSON":
		return v.Kind != ast.Variable
	}
	enum := language().types[t.NamedType]
	return v.Kind == ast.EnumValue && enum.EnumValues.ForName(v.Raw) != nil
}

// expected says in words what an argument takes.
func expected(t *ast.Type) string {
	if t.Elem != nil {
		if enum := language().types[t.Elem.NamedType]; enum != nil && enum.Kind == ast.Enum {
			return "a list of " + strings.ReplaceAll(enumNames(enum), " ", ", ")
		}
		return "a list of " + strings.TrimPrefix(strings.TrimPrefix(expected(t.Elem), "an "), "a ") + "s"
	}
	switch t.NamedType {
	case "String":
		return "a string"
	case "Boolean":
		return "true or false"
	case "Int":
		return "an integer"
	case "Decimal":
		return "a number"
	case "JSON":
		return "a value"
	}
	var names []string
	for _, v := range language().types[t.NamedType].EnumValues {
		names = append(names, v.Name)
	}
	if len(names) == 2 {
		return strings.Join(names, " or ")
	}
	return "one of " + strings.Join(names, ", ")
}

// ownDeclaration is whether a definition of the user repeats one of ours; one that differs
// is a problem.
func (c *checker) ownDeclaration(def *ast.Definition) bool {
	ours := language().types[def.Name]
	if ours == nil {
		return false
	}
	if def.Kind != ours.Kind || def.Kind == ast.Enum && enumNames(def) != enumNames(ours) || len(def.Directives) > 0 {
		c.errorf(def.Position, "%s is a name of the language and is declared differently here; choose another name, or refresh a copied file by \"spacecloud schema print --directives\"", def.Name)
	}
	return true
}

func enumNames(def *ast.Definition) string {
	var names []string
	for _, v := range def.EnumValues {
		names = append(names, v.Name)
	}
	return strings.Join(names, " ")
}

// directiveDeclaration accepts a declaration of a directive that repeats one of ours.
func (c *checker) directiveDeclaration(d *ast.DirectiveDefinition) {
	ours := language().directives[d.Name]
	switch {
	case ours == nil:
		c.errorf(d.Position, "@%s is not a directive of this language, and declaring it gives it no meaning; remove it", d.Name)
	case signature(d) != signature(ours):
		c.errorf(d.Position, "@%s is declared differently here than in this version; refresh the file by \"spacecloud schema print --directives\" or remove it", d.Name)
	}
}

func signature(d *ast.DirectiveDefinition) string {
	var b strings.Builder
	for _, a := range d.Arguments {
		fmt.Fprintf(&b, "%s: %s = %s, ", a.Name, a.Type, a.DefaultValue)
	}
	return fmt.Sprint(b.String(), d.IsRepeatable, d.Locations)
}

// missing is a problem with what a directive lacks.
func (c *checker) missing(u use, format string, args ...any) {
	if !u.spoiled {
		c.errorf(u.Position, format, args...)
	}
}

// clip bounds what an error repeats of its input.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	end := most
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end] + "…"
}

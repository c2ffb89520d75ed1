package schema

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// declareModules keeps the directives of modules and the fields that code answers.
func (c *checker) declareModules(docs []*ast.SchemaDocument) {
	for _, def := range c.order {
		for _, u := range c.uses[def] {
			if t := c.schema.byName[def.Name]; t != nil && t.Kind == Table && (u.Name == "trigger" || u.Name == "changes") {
				c.module(u, def.Name)
			}
		}
	}
	inputs := map[string]bool{}
	for _, doc := range docs {
		for _, s := range doc.SchemaExtension {
			for _, u := range c.uses[s] {
				c.module(u, "schema")
			}
		}
		for _, ext := range doc.Extensions {
			c.extend(ext, inputs)
		}
	}
	c.checkInputs(inputs)
}

// exclusive are the arguments that no two declarations of a directive share.
var exclusive = map[string]string{"topic": "prefix", "files": "prefix", "service": "name", "event": "type", "cron": "name"}

func (c *checker) module(u use, on string) {
	c.checkModule(u, on)
	d := Declaration{Directive: u.Name, On: on, Args: u.args(), Pos: c.pos(u.Position)}
	if arg := exclusive[u.Name]; arg != "" {
		for _, other := range c.schema.Declared {
			if other.Directive == u.Name && other.Args[arg] == d.Args[arg] {
				c.errorAt(d.Pos, "@%s(%s: %q) is declared twice, first at %s", u.Name, arg, u.text(arg), other.Pos)
			}
		}
	}
	c.schema.Declared = append(c.schema.Declared, d)
}

func (c *checker) checkModule(u use, on string) {
	for _, arg := range []string{"timeout", "retain"} {
		if v := u.written(arg); v != nil {
			if d, err := time.ParseDuration(v.Raw); err != nil || d <= 0 {
				c.errorf(v.Position, "@%s(%s:) is a duration like \"10s\", \"5m\" or \"24h\", got %q", u.Name, arg, clip(v.Raw))
			}
		}
	}
	if v := u.written("prefix"); v != nil && (!strings.HasPrefix(v.Raw, "/") || path.Clean(v.Raw) != v.Raw) {
		c.errorf(v.Position, "@%s(prefix:) is a path like \"/avatars\", got %q", u.Name, clip(v.Raw))
	}
	switch u.Name {
	case "trigger":
		c.checkTrigger(u, on)
		c.receiver(u, "function", "webhook", "topic")
	case "cron":
		c.receiver(u, "function", "webhook")
	}
}

// receiver wants exactly one of the arguments.
func (c *checker) receiver(u use, args ...string) {
	said := 0
	for _, a := range args {
		if u.written(a) != nil {
			said++
		}
	}
	if said != 1 {
		c.missing(u, "@%s needs exactly one of %s to tell", u.Name, strings.Join(args, ", "))
	}
}

func (c *checker) checkTrigger(u use, on string) {
	events := u.texts("on")
	files := slices.ContainsFunc(events, func(e string) bool { return strings.HasPrefix(e, "FILE_") })
	rows := slices.ContainsFunc(events, func(e string) bool { return !strings.HasPrefix(e, "FILE_") })
	switch {
	case on != "schema" && (len(events) == 0 || files || u.written("event") != nil || u.written("prefix") != nil):
		c.missing(u, "@trigger on a type needs on: [INSERT, UPDATE, DELETE] or some of them; files and custom events belong on \"extend schema\"")
	case on == "schema" && rows:
		c.missing(u, "@trigger on rows belongs on their type; \"extend schema\" takes on: [FILE_CREATE, FILE_DELETE] or event: \"…\"")
	case on == "schema" && files == (u.written("event") != nil):
		c.missing(u, "@trigger on \"extend schema\" needs either on: [FILE_CREATE, FILE_DELETE] or event: \"…\"")
	}
}

// extend takes the fields that "extend type" adds.
func (c *checker) extend(ext *ast.Definition, inputs map[string]bool) {
	t := c.schema.byName[ext.Name]
	switch {
	case ext.Kind != ast.Object:
		c.errorf(ext.Position, "extend: only types can be extended, by fields with @function or @resolver; put the rest into the declaration of %s", ext.Name)
		return
	case !slices.Contains(roots, ext.Name) && t == nil:
		names := slices.Clone(roots)
		for _, t := range c.schema.Types {
			names = append(names, t.Name)
		}
		c.errorf(ext.Position, "extend: unknown type %s%s", ext.Name, DidYouMean(ext.Name, names))
		return
	case t != nil && t.Kind == Embed:
		c.errorf(ext.Position, "extend: %s is an embedded value; only tables, views, Query, Mutation and Subscription have fields with @function or @resolver", ext.Name)
		return
	}
	for _, u := range c.uses[ext] {
		c.errorf(u.Position, "@%s belongs on the declaration of %s itself", u.Name, ext.Name)
	}
	for _, f := range ext.Fields {
		c.codeField(ext.Name, t, f, inputs)
	}
}

// codeField takes one field that code answers.
func (c *checker) codeField(on string, t *Type, f *ast.FieldDefinition, inputs map[string]bool) {
	name := on + "." + f.Name
	call, isCall := c.find(f, "function")
	resolver, isResolver := c.find(f, "resolver")
	switch {
	case isCall == isResolver:
		c.errorf(f.Position, "%s needs either @function or @resolver; columns and links belong into the declaration of the type", name)
		return
	case t != nil && t.byName[f.Name] != nil, c.codeDeclared(name):
		c.errorf(f.Position, "%s is declared twice", name)
		return
	case strings.HasPrefix(f.Name, "_"):
		c.errorf(f.Position, "%s: names that begin with _ are the server's own; choose another", name)
		return
	case isResolver:
		call = resolver
	}
	for _, u := range c.uses[f] {
		if u.Name != call.Name {
			c.errorf(u.Position, "%s: @%s has no meaning beside @%s", name, u.Name, call.Name)
		}
	}
	c.outputType(name, f.Type)
	for _, a := range f.Arguments {
		c.inputType(name+"("+a.Name+":)", a.Type, inputs)
	}
	c.checkModule(call, name)
	args := call.args()
	if call.Name == "function" && args["name"] == nil {
		args["name"] = f.Name
	}
	c.schema.Declared = append(c.schema.Declared, Declaration{
		Directive: call.Name, On: name, Signature: fieldSignature(f), Args: args, Pos: c.pos(f.Position),
	})
}

func (c *checker) codeDeclared(name string) bool {
	return slices.ContainsFunc(c.schema.Declared, func(d Declaration) bool { return d.On == name })
}

func fieldSignature(f *ast.FieldDefinition) string {
	var args []string
	for _, a := range f.Arguments {
		text := a.Name + ": " + a.Type.String()
		if a.DefaultValue != nil {
			text += " = " + a.DefaultValue.String()
		}
		args = append(args, text)
	}
	if len(args) == 0 {
		return f.Name + ": " + f.Type.String()
	}
	return fmt.Sprintf("%s(%s): %s", f.Name, strings.Join(args, ", "), f.Type)
}

func (c *checker) outputType(where string, t *ast.Type) {
	name := t.Name()
	if scalars[name] == NoScalar && c.enums[name] == nil && c.schema.byName[name] == nil {
		c.unknownType(where, t)
	}
}

// inputType checks the type of an argument or of a field of an input type, and marks the
// input types that it reaches.
func (c *checker) inputType(where string, t *ast.Type, inputs map[string]bool) {
	name := t.Name()
	def := c.declared[name]
	switch {
	case scalars[name] != NoScalar || c.enums[name] != nil:
	case def == nil:
		c.unknownType(where, t)
	case def.Kind != ast.InputObject:
		c.errorf(t.Position, "%s: %s is an output type; declare an input type with the fields that it takes", where, name)
	case !inputs[name]:
		inputs[name] = true
		for _, f := range def.Fields {
			c.inputType(name+"."+f.Name, f.Type, inputs)
		}
	}
}

func (c *checker) checkInputs(used map[string]bool) {
	for _, def := range c.order {
		if def.Kind != ast.InputObject {
			continue
		}
		if !used[def.Name] {
			c.errorf(def.Position, "input %s is not used by an argument of a @function or @resolver field; the inputs of tables are made for you, remove it", def.Name)
		}
		names := map[string]bool{}
		for _, f := range def.Fields {
			if names[f.Name] {
				c.errorf(f.Position, "%s.%s is declared twice", def.Name, f.Name)
			}
			names[f.Name] = true
		}
	}
}

// later are the directives that this version checks and does not serve, by their module.
var later = map[string]string{
	"trigger": "eventing", "event": "eventing", "cron": "eventing", "changes": "change feeds",
	"files": "files", "topic": "pub/sub", "service": "functions", "function": "functions", "resolver": "resolvers in Go",
}

// Unserved are the things declared that this version does not serve yet, by file and position.
func (s *Schema) Unserved() Problems {
	var ps Problems
	for _, d := range s.Declared {
		if module, ok := later[d.Directive]; ok {
			ps = append(ps, Problem{d.Pos, fmt.Sprintf("@%s on %s (%s) is not served yet; remove it or comment it out to serve this schema", d.Directive, d.On, module)})
		}
	}
	return ps.sort()
}

// sortedKeys are the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

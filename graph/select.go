package graph

import (
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// compiler turns one operation, for variables of one shape, into a plan.
type compiler struct {
	api  *generator.API
	res  *resolvers.Resolvers
	vars map[string]any
	plan *opPlan
	now  bool      // operands are constants: the compiled is used once
	at   *selected // the root field being compiled
	err  error     // the first directive that says nothing

	depth int       // of the condition that is compiled
	terms int       // of the where that is compiled, so far
	clock time.Time // when the request began, when it is used once
}

// selected is one member of an answer: all selections with one response key.
type selected struct {
	alias string
	field *ast.Field // the first
	sets  []ast.SelectionSet
}

// collect merges selections by response key, in the order of the first, as the specification's
// CollectFields does. No interfaces and unions are in the API, so every fragment applies.
func (k *compiler) collect(sets ...ast.SelectionSet) []*selected {
	c := collector{k: k, spread: map[*ast.FragmentDefinition]bool{}}
	for _, set := range sets {
		c.add(set)
	}
	return c.out
}

// collector collects one object's members. A fragment that was spread once adds nothing when
// it is spread again.
type collector struct {
	k      *compiler
	out    []*selected
	spread map[*ast.FragmentDefinition]bool
}

func (c *collector) add(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if !c.k.left(s.Directives) {
				c.field(s)
			}
		case *ast.InlineFragment:
			if !c.k.left(s.Directives) {
				c.add(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if !c.spread[s.Definition] && !c.k.left(s.Directives) {
				c.spread[s.Definition] = true
				c.add(s.Definition.SelectionSet)
			}
		}
	}
}

func (c *collector) field(f *ast.Field) {
	i := slices.IndexFunc(c.out, func(o *selected) bool { return o.alias == f.Alias })
	if i < 0 {
		i = len(c.out)
		c.out = append(c.out, &selected{alias: f.Alias, field: f})
	}
	if len(f.SelectionSet) > 0 {
		c.out[i].sets = append(c.out[i].sets, f.SelectionSet)
	}
}

// left is whether @skip or @include leaves a selection out.
func (k *compiler) left(directives ast.DirectiveList) bool {
	return k.says(directives, "skip", true) || k.says(directives, "include", false)
}

func (k *compiler) says(directives ast.DirectiveList, name string, want bool) bool {
	d := directives.ForName(name)
	if d == nil {
		return false
	}
	in, ok := literal("if", d.Arguments.ForName("if").Value, k.vars)
	yes, isBool := in.plain().(bool)
	if k.err == nil && !isBool { // a variable with a default, of which the request says null
		k.err = fault.New(fault.Invalid, "@%s(if:) must not be null", name)
	}
	return ok && yes == want
}

// items compiles what is selected of a row of t.
func (k *compiler) items(t *schema.Type, sets []ast.SelectionSet) ([]query.Item, error) {
	fields := k.collect(sets...)
	items := make([]query.Item, 0, len(fields))
	for _, s := range fields {
		item := query.Item{Name: s.alias}
		f := t.Field(s.field.Name)
		switch {
		case s.field.Name == "__typename":
			item.Typename = t.Name
		case f == nil:
			var err error
			if strings.HasSuffix(s.field.Name, "Aggregate") {
				err = k.beside(&item, t, s)
			} else {
				item, err = k.connectionBeside(t, s)
			}
			if err != nil {
				return nil, err
			}
		case f.IsLink():
			find, err := k.find(f.Link.Target, s, f.Link.Many)
			if err != nil {
				return nil, err
			}
			item.Link, item.Find = f, find
		default:
			item.Field = f
			if f.Value != nil {
				var err error
				if item.Members, err = k.items(f.Value, s.sets); err != nil {
					return nil, err
				}
			}
		}
		items = append(items, item)
	}
	return items, nil
}

// find compiles the rows that a field asks for: many with the arguments of a list, or one.
func (k *compiler) find(t *schema.Type, s *selected, many bool) (*query.Find, error) {
	f := &query.Find{Type: t, One: !many}
	err := k.mustGive(s.field)
	if err != nil {
		return nil, err
	}
	if many {
		if err = k.listArguments(f, s.field); err != nil {
			return nil, err
		}
	}
	f.Items, err = k.items(t, s.sets)
	return f, err
}

// listArguments compiles where, orderBy, limit and offset.
func (k *compiler) listArguments(f *query.Find, field *ast.Field) error {
	var err error
	if in, ok := k.given(field, "where"); ok {
		if f.Where, err = k.where(f.Type, in); err != nil {
			return err
		}
	}
	if in, ok := k.given(field, "orderBy"); ok {
		if f.OrderBy, err = k.orderBy(f.Type, in); err != nil {
			return err
		}
	}
	if in, ok := k.given(field, "distinctOn"); ok {
		f.Distinct = distinct(f.Type, in)
	}
	if in, ok := k.given(field, "limit"); ok {
		if f.Limit, err = k.operand(in, coerceScalar(schema.Int)); err != nil {
			return err
		}
	}
	if in, ok := k.given(field, "offset"); ok {
		f.Offset, err = k.operand(in, coerceScalar(schema.Int))
		if f.Offset.Kind == query.Constant && f.Offset.Value.Int() == 0 {
			f.Offset = query.Operand{} // nothing to skip is not worth a clause
		}
	}
	return err
}

// mustGive refuses null for an argument that may not be null. The validation lets a variable
// pass that may be null where it or the argument has a default, and null is still no value:
// a where that became null must not mean every row.
func (k *compiler) mustGive(field *ast.Field) error {
	for _, a := range field.Arguments {
		def := field.Definition.Arguments.ForName(a.Name)
		in, ok := literal(a.Name, a.Value, k.vars)
		if ok && in.isNull() && def.Type.NonNull {
			return fault.New(fault.Invalid, "%s must not be null", a.Name)
		}
	}
	return nil
}

// given is an argument as the request or else the API's default has it; false for neither.
func (k *compiler) given(field *ast.Field, name string) (input, bool) {
	if a := field.Arguments.ForName(name); a != nil {
		if in, ok := literal(name, a.Value, k.vars); ok {
			return in, true
		}
	}
	if d := field.Definition.Arguments.ForName(name); d != nil && d.DefaultValue != nil {
		return literal(name, d.DefaultValue, nil)
	}
	return input{}, false
}

// byKey compiles the condition of a root field that asks for one row by a unique key.
func (k *compiler) byKey(field *ast.Field, key []*schema.Field) (query.Where, error) {
	all := make(query.And, 0, len(key))
	for _, f := range key {
		in, _ := k.given(field, f.Name)
		value, err := k.operand(in, f.Coerce)
		if err != nil {
			return nil, err
		}
		value.Scalar = f.Scalar
		all = append(all, query.Compare{Left: query.Col(f), Op: query.Eq, Right: value})
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

package graph

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// input is a value that a request gives: a literal, or a variable or a part of one.
type input struct {
	name string     // how errors call it
	lit  *ast.Value // a literal; nil for variables
	vars map[string]any

	variable string // where a variable's part comes from
	path     []any
	value    any
}

// literal is the input of an argument or of a member of a literal; false where it is a
// variable that was not given.
func literal(name string, v *ast.Value, vars map[string]any) (input, bool) {
	if v.Kind != ast.Variable {
		return input{name: name, lit: v, vars: vars}, true
	}
	value, ok := vars[v.Raw]
	return input{name: name, variable: v.Raw, value: value}, ok
}

func (in input) isNull() bool {
	if in.lit != nil {
		return in.lit.Kind == ast.NullValue
	}
	return in.value == nil
}

// part is the input at one step further into a variable.
func (in input) part(name string, step, value any) input {
	return input{name: name, variable: in.variable, path: append(slices.Clip(in.path), step), value: value}
}

// members are those of an object that were given, in the order of a literal and sorted for a
// variable.
func (in input) members() []input {
	var out []input
	if in.lit != nil {
		for _, c := range in.lit.Children {
			if m, ok := literal(c.Name, c.Value, in.vars); ok {
				out = append(out, m)
			}
		}
		return out
	}
	object, _ := in.value.(map[string]any)
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	out = make([]input, len(names))
	for i, name := range names {
		out[i] = in.part(name, name, object[name])
	}
	return out
}

// items are those of a list; a value that is no list is a list of itself.
func (in input) items() []input {
	var out []input
	switch {
	case in.lit != nil && in.lit.Kind == ast.ListValue:
		for _, c := range in.lit.Children {
			m, ok := literal(in.name, c.Value, in.vars)
			if !ok {
				m = input{name: in.name, lit: &ast.Value{Kind: ast.NullValue}}
			}
			out = append(out, m)
		}
		return out
	case in.lit == nil:
		if list, ok := in.value.([]any); ok {
			for i, v := range list {
				out = append(out, in.part(in.name, i, v))
			}
			return out
		}
	}
	return []input{in}
}

// plain is the input as JSON would decode it.
func (in input) plain() any {
	if in.lit == nil {
		return in.value
	}
	switch in.lit.Kind {
	case ast.IntValue, ast.FloatValue:
		return json.Number(in.lit.Raw)
	case ast.BooleanValue:
		return in.lit.Raw == "true"
	case ast.NullValue:
		return nil
	case ast.ListValue:
		list := make([]any, 0, len(in.lit.Children))
		for _, item := range in.items() {
			list = append(list, item.plain())
		}
		return list
	case ast.ObjectValue:
		object := make(map[string]any, len(in.lit.Children))
		for _, m := range in.members() {
			object[m.name] = m.plain()
		}
		return object
	}
	return in.lit.Raw
}

// word is the input as a name: an enum's value.
func (in input) word() string {
	s, _ := in.plain().(string)
	return s
}

// constant is whether no variable stands in the input.
func (in input) constant() bool {
	return in.lit != nil && !variables(in.lit)
}

func variables(v *ast.Value) bool {
	return v.Kind == ast.Variable ||
		slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return variables(c.Value) })
}

// coercion makes a column's value of an input.
type coercion func(any) (schema.Value, error)

// coerceOne is for one value of a column, or one element of a list column.
func coerceOne(f *schema.Field) coercion {
	if f.List {
		element := *f
		element.List, element.NonNull = false, !f.ElemNull
		f = &element
	}
	return f.Coerce
}

// coerceMany is for a list of such values.
func coerceMany(f *schema.Field) coercion {
	one := coerceOne(f)
	return func(v any) (schema.Value, error) {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		values := make([]schema.Value, len(list))
		for i, e := range list {
			if e == nil {
				return schema.Null, fault.New(fault.Invalid, "must not have null in its list")
			}
			var err error
			if values[i], err = one(e); err != nil {
				return schema.Null, err
			}
		}
		return schema.List(values), nil
	}
}

func coerceScalar(s schema.Scalar) coercion {
	return func(v any) (schema.Value, error) { return schema.CoerceScalar(s, nil, v) }
}

// argument is where a plan's query.Arg takes its value from, request after request.
type argument struct {
	variable string
	path     []any
	coerce   coercion
	name     string
	literal  *ast.Value // a literal with variables in it, instead of a variable
	at       *selected  // the root field that it is under
}

// value is the argument's value among the variables of a request, of which the shape is
// that of the plan.
func (a *argument) value(vars map[string]any) (schema.Value, error) {
	v := vars[a.variable]
	if a.literal != nil {
		v = input{lit: a.literal, vars: vars}.plain()
	}
	for _, step := range a.path {
		switch s := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[s]
		case int:
			if list, ok := v.([]any); ok {
				v = list[s]
			}
		}
	}
	value, err := a.coerce(v)
	if err != nil {
		return value, invalid(a.name, err)
	}
	return value, nil
}

// invalid is all that is wrong with the input of a name, each told with the way to it.
func invalid(name string, err error) error {
	var all []error
	for _, f := range fault.All(err) {
		kind := fault.Invalid
		if f.Kind == fault.Limit {
			kind = fault.Limit
		}
		all = append(all, fault.New(kind, "%s%s: %s", name, fault.Way(f.Path), f.Message))
	}
	return errors.Join(all...)
}

// operand makes an operand of an input that is not null: a constant, or an argument
// of the plan that the compiler makes.
func (k *compiler) operand(in input, coerce coercion) (query.Operand, error) {
	if !k.now && in.lit == nil {
		return k.argument(argument{variable: in.variable, path: in.path, coerce: coerce, name: in.name}), nil
	}
	if !k.now && !in.constant() {
		return k.argument(argument{literal: in.lit, coerce: coerce, name: in.name}), nil
	}
	v, err := coerce(in.plain())
	if err != nil {
		return query.Operand{}, invalid(in.name, err)
	}
	return query.Const(v), nil
}

func (k *compiler) argument(a argument) query.Operand {
	a.at = k.at
	k.plan.args = append(k.plan.args, a)
	return query.ArgAt(len(k.plan.args) - 1)
}

// listed makes []any of every list in the variables of a request, in place. The validation
// makes lists such as []string where a request gives one value for a list.
func listed(vars map[string]any) {
	for name, v := range vars {
		vars[name] = listedValue(v)
	}
}

func listedValue(given any) any {
	switch v := given.(type) {
	case nil, string, bool, json.Number, int64, float64:
		return given
	case map[string]any:
		listed(v)
		return given
	case []any:
		for i := range v {
			v[i] = listedValue(v[i])
		}
		return given
	}
	list := reflect.ValueOf(given)
	if list.Kind() != reflect.Slice {
		return given
	}
	out := make([]any, list.Len())
	for i := range out {
		out[i] = listedValue(list.Index(i).Interface())
	}
	return out
}

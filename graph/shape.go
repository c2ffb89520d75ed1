package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// maxPlans is how many plans of one operation are kept: one for each shape of its variables.
const maxPlans = 64

// structural are the variables of an operation whose shape decides the plan. Those that only stand
// in the arguments of mutation fields are read anew by each request and decide nothing.
func structural(op *ast.OperationDefinition) []*ast.VariableDefinition {
	u := usage{variables: map[string]bool{}, spread: map[*ast.FragmentDefinition]bool{}}
	u.set(op.SelectionSet, op.Operation == ast.Mutation)
	var out []*ast.VariableDefinition
	for _, v := range op.VariableDefinitions {
		if u.variables[v.Variable] {
			out = append(out, v)
		}
	}
	return out
}

// usage is which variables stand in selections, each fragment looked at once.
type usage struct {
	variables map[string]bool
	spread    map[*ast.FragmentDefinition]bool
}

// set looks at a selection set; roots is whether its fields are those of a mutation.
func (u *usage) set(set ast.SelectionSet, roots bool) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			u.directives(s.Directives)
			if !roots {
				u.arguments(s.Arguments)
			}
			u.set(s.SelectionSet, false)
		case *ast.InlineFragment:
			u.directives(s.Directives)
			u.set(s.SelectionSet, roots)
		case *ast.FragmentSpread:
			u.directives(s.Directives)
			if !u.spread[s.Definition] {
				u.spread[s.Definition] = true
				u.set(s.Definition.SelectionSet, roots)
			}
		}
	}
}

func (u *usage) directives(ds ast.DirectiveList) {
	for _, d := range ds {
		u.arguments(d.Arguments)
	}
}

func (u *usage) arguments(as ast.ArgumentList) {
	for _, a := range as {
		u.value(a.Value)
	}
}

func (u *usage) value(v *ast.Value) {
	if v.Kind == ast.Variable {
		u.variables[v.Raw] = true
	}
	for _, c := range v.Children {
		u.value(c.Value)
	}
}

// appendShape appends the shape of variables: all of them but the values that
// become parameters. Requests of equal shape have equal plans.
func appendShape(dst []byte, s *ast.Schema, defs []*ast.VariableDefinition, vars map[string]any) []byte {
	for _, d := range defs {
		v, ok := vars[d.Variable]
		if !ok {
			dst = append(dst, 'a')
			continue
		}
		dst = appendValueShape(dst, s, d.Type, v)
	}
	return dst
}

func appendValueShape(dst []byte, s *ast.Schema, t *ast.Type, v any) []byte {
	if v == nil {
		return append(dst, 'n')
	}
	if t.Elem != nil {
		return appendListShape(dst, s, t, v)
	}
	def := s.Types[t.NamedType]
	switch {
	case def.Kind == ast.InputObject:
		object, _ := v.(map[string]any)
		dst = append(dst, '{')
		for i, f := range def.Fields {
			if inner, ok := object[f.Name]; ok {
				dst = append(dst, byte(i), byte(i>>8))
				dst = appendValueShape(dst, s, f.Type, inner)
			}
		}
		return append(dst, '}')
	case def.Name == "Boolean": // @skip, @include and _isNull decide the plan
		if v == true {
			return append(dst, 't')
		}
		return append(dst, 'f')
	case structuralEnum(s, def):
		word, _ := v.(string)
		return append(append(dst, word...), ';')
	}
	return append(dst, 'v')
}

// appendListShape takes a list of plain values for one parameter, and any other element by
// element.
func appendListShape(dst []byte, s *ast.Schema, t *ast.Type, v any) []byte {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	if kind := s.Types[t.Name()]; kind.Kind != ast.InputObject && !structuralEnum(s, kind) && t.Elem.Elem == nil {
		return append(dst, 'l')
	}
	dst = append(dst, '[')
	for _, e := range list {
		dst = appendValueShape(dst, s, t.Elem, e)
	}
	return append(dst, ']')
}

// structuralEnum is whether the values of an enum decide the plan: directions, and the names of
// fields, as in PostField.
func structuralEnum(s *ast.Schema, def *ast.Definition) bool {
	if def.Kind != ast.Enum {
		return false
	}
	of, isField := strings.CutSuffix(def.Name, "Field")
	return def.Name == "OrderDirection" || isField && s.Types[of] != nil
}

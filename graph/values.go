package graph

import (
	"math"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/core"

	"spacecloud/fault"
)

// What gqlparser's validation takes of values, and what it refuses, where we do not.

// strictly is gqlparser's rule on the values in a document with two of its answers changed. It takes
// {} for a value of an enum or a scalar, where {_isNull: {}} would be read as false. And it refuses
// whatever holds a number that does not fit into 64 bits, also a Float, a Decimal or JSON.
func strictly(rule core.RuleFunc) core.RuleFunc {
	return func(observers *core.Events, addError core.AddErrFunc) {
		ours := false // the next error is of such a number only
		observers.OnValue(func(_ *core.Walker, v *ast.Value) {
			ours = v.Definition != nil && v.ExpectedType != nil && largeInside(v)
			if v.Kind == ast.ObjectValue && v.Definition != nil && v.ExpectedType != nil && isLeaf(v.Definition) {
				addError(core.Message(`Expected value of type "%s", found %s.`, v.ExpectedType, v), core.At(v.Position))
			}
		})
		rule(observers, func(options ...core.ErrorOption) {
			if ours {
				ours = false
				return
			}
			addError(options...)
		})
	}
}

// largeInside is whether v is not of 64 bits, or holds what is not: which its own type judges.
func largeInside(v *ast.Value) bool {
	switch {
	case v.Definition.Kind == ast.Scalar && !isLeaf(v.Definition):
		return false // of which the rule says nothing
	case v.Kind == ast.IntValue && v.Definition.Name == "Float":
		f, err := strconv.ParseFloat(v.Raw, 64)
		_, small := strconv.ParseInt(v.Raw, 10, 64)
		return small != nil && err == nil && !math.IsInf(f, 0)
	case v.Kind == ast.ObjectValue || v.Kind == ast.ListValue:
		_, err := v.Value(nil)
		return err != nil
	}
	return false
}

// isLeaf is whether a type is an enum or a scalar of GraphQL's own.
func isLeaf(def *ast.Definition) bool {
	return def.Kind == ast.Enum || def.OneOf("Int", "Float", "String", "Boolean", "ID")
}

// words knows the members of input objects that hold enums or input objects. gqlparser takes the
// values of enums in any case, and a member __typename, when they come in variables.
type words struct {
	schema  *ast.Schema
	members map[*ast.Definition][]*ast.FieldDefinition
}

func newWords(s *ast.Schema) words {
	w := words{s, map[*ast.Definition][]*ast.FieldDefinition{}}
	for _, def := range s.Types {
		if def.Kind != ast.InputObject {
			continue
		}
		for _, f := range def.Fields {
			if inner := s.Types[f.Type.Name()]; inner.Kind == ast.Enum || inner.Kind == ast.InputObject {
				w.members[def] = append(w.members[def], f)
			}
		}
	}
	return w
}

// check refuses values of variables that a document could not hold.
func (w words) check(defs ast.VariableDefinitionList, vars map[string]any) error {
	for _, d := range defs {
		def := w.schema.Types[d.Type.Name()]
		if def.Kind != ast.Enum && def.Kind != ast.InputObject {
			continue
		}
		if v := vars[d.Variable]; v != nil {
			if path, err := w.value(def, v); err != nil {
				path = append(path, ast.PathName(d.Variable))
				slices.Reverse(path)
				return fault.New(fault.Invalid, "variable $%s: %s", path.String(), err.Message)
			}
		}
	}
	return nil
}

// value checks one value or a list; the path to what is wrong is from there outwards.
func (w words) value(def *ast.Definition, v any) (ast.Path, *fault.Error) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			if path, err := w.value(def, e); err != nil {
				return append(path, ast.PathIndex(i)), err
			}
		}
	case []string:
		for _, e := range v {
			if path, err := w.value(def, e); err != nil {
				return path, err
			}
		}
	case []map[string]any:
		for _, e := range v {
			if path, err := w.value(def, e); err != nil {
				return path, err
			}
		}
	case string:
		if def.Kind == ast.Enum && def.EnumValues.ForName(v) == nil {
			return nil, fault.New(fault.Invalid, "%q is not a valid %s", brief(v), def.Name)
		}
	case map[string]any:
		return w.object(def, v)
	}
	return nil, nil
}

func (w words) object(def *ast.Definition, v map[string]any) (ast.Path, *fault.Error) {
	if _, has := v["__typename"]; has {
		return ast.Path{ast.PathName("__typename")}, fault.New(fault.Invalid, "unknown field")
	}
	for _, f := range w.members[def] {
		if inner := v[f.Name]; inner != nil {
			if path, err := w.value(w.schema.Types[f.Type.Name()], inner); err != nil {
				return append(path, ast.PathName(f.Name)), err
			}
		}
	}
	return nil, nil
}

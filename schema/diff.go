package schema

import (
	"fmt"
	"slices"
	"strings"
)

// Change is one difference between two schemas.
type Change interface {
	fmt.Stringer
	Destroys() bool // whether rows or values are lost when a database follows
	change()        // only this package makes changes
}

// The changes.
type (
	// TypeAdded is a table, view or embedded value that is new.
	TypeAdded struct{ Type *Type }
	// TypeDropped is one that is gone.
	TypeDropped struct{ Type *Type }
	// TypeRenamed is one that says what it was called.
	TypeRenamed struct{ From, To *Type }
	// TypeChanged is a part of a type that is not a field or an index: What is in words.
	TypeChanged struct {
		Type           *Type
		What, From, To string
	}
	// FieldAdded is a column or link that is new.
	FieldAdded struct{ Field *Field }
	// FieldDropped is one that is gone.
	FieldDropped struct{ Field *Field }
	// FieldRenamed is one that says what it was called.
	FieldRenamed struct{ From, To *Field }
	// FieldChanged is a field that says something else.
	FieldChanged struct{ From, To *Field }
	// IndexAdded is an index or unique constraint that is new.
	IndexAdded struct {
		Type   *Type
		Unique bool
		Index  Index
	}
	// IndexDropped is one that is gone.
	IndexDropped struct {
		Type   *Type
		Unique bool
		Index  Index
	}
	// EnumChanged is an enum that is new, gone or has other values; From or To is nil.
	EnumChanged struct{ From, To *Enum }
)

func (c TypeAdded) String() string    { return fmt.Sprintf("add %s %s", c.Type.Kind, c.Type.Name) }
func (c TypeDropped) String() string  { return fmt.Sprintf("drop %s %s", c.Type.Kind, c.Type.Name) }
func (c TypeRenamed) String() string  { return fmt.Sprintf("rename %s to %s", c.From.Name, c.To.Name) }
func (c FieldAdded) String() string   { return "add " + c.Field.path() + ": " + c.Field.TypeText() }
func (c FieldDropped) String() string { return "drop " + c.Field.path() }
func (c FieldRenamed) String() string {
	return fmt.Sprintf("rename %s to %s", c.From.path(), c.To.Name)
}

func (c TypeChanged) String() string {
	return fmt.Sprintf("change %s of %s from %q to %q", c.What, c.Type.Name, c.From, c.To)
}

func (c FieldChanged) String() string {
	return fmt.Sprintf("change %s.%s to %s", c.To.Owner.Name, c.From.print(), c.To.print())
}
func (c IndexAdded) String() string   { return "add " + indexText(c.Type, c.Unique, c.Index) }
func (c IndexDropped) String() string { return "drop " + indexText(c.Type, c.Unique, c.Index) }
func (c EnumChanged) String() string {
	switch {
	case c.From == nil:
		return "add enum " + c.To.Name
	case c.To == nil:
		return "drop enum " + c.From.Name
	}
	return fmt.Sprintf("change enum %s from %s to %s", c.To.Name, strings.Join(c.From.names(), " "), strings.Join(c.To.names(), " "))
}

// Destroys: an added thing destroys nothing.
func (c TypeAdded) Destroys() bool    { return false }
func (c TypeDropped) Destroys() bool  { return c.Type.Kind == Table }
func (c TypeRenamed) Destroys() bool  { return false }
func (c TypeChanged) Destroys() bool  { return c.What == "database" }
func (c FieldAdded) Destroys() bool   { return false }
func (c FieldDropped) Destroys() bool { return !c.Field.IsLink() && c.Field.Owner.Kind != View }
func (c FieldRenamed) Destroys() bool { return false }
func (c FieldChanged) Destroys() bool { return c.narrows() }
func (c IndexAdded) Destroys() bool   { return false }
func (c IndexDropped) Destroys() bool { return false }
func (c EnumChanged) Destroys() bool  { return false }

func (TypeAdded) change()    {}
func (TypeDropped) change()  {}
func (TypeRenamed) change()  {}
func (TypeChanged) change()  {}
func (FieldAdded) change()   {}
func (FieldDropped) change() {}
func (FieldRenamed) change() {}
func (FieldChanged) change() {}
func (IndexAdded) change()   {}
func (IndexDropped) change() {}
func (EnumChanged) change()  {}

func (f *Field) path() string { return f.Owner.Name + "." + f.Name }

func indexText(t *Type, unique bool, ix Index) string {
	kind := map[bool]string{true: "unique", false: "index"}[unique]
	return fmt.Sprintf("%s %s on %s", kind, ix.print(), t.Name)
}

// narrows is whether a column of the new form may not hold what one of the old form does.
func (c FieldChanged) narrows() bool {
	a, b := c.From, c.To
	if a.IsLink() || b.IsLink() || a.Owner.Kind == View {
		return a.IsLink() != b.IsLink() && !a.IsLink()
	}
	return a.List != b.List || a.Scalar != b.Scalar && (a.Scalar != Int || b.Scalar != BigInt) ||
		b.Scale < a.Scale || b.Precision-b.Scale < a.Precision-a.Scale ||
		b.MaxLength() > 0 && (a.MaxLength() == 0 || b.MaxLength() < a.MaxLength())
}

// Diff is what has to be done to from so that it is as to: types in the order of to, then what
// is gone in the order of from.
func Diff(from, to *Schema) []Change {
	var out []Change
	kept := map[*Type]bool{}
	for _, t := range slices.Concat(to.Types, to.Values) {
		was := from.Type(t.Name)
		if was == nil && t.Renamed != "" {
			was = from.Type(t.Renamed)
		}
		if was == nil || (was.Kind == Embed) != (t.Kind == Embed) {
			out = append(out, TypeAdded{t})
			continue
		}
		kept[was] = true
		out = append(out, diffType(was, t)...)
	}
	for _, t := range slices.Concat(from.Types, from.Values) {
		if !kept[t] {
			out = append(out, TypeDropped{t})
		}
	}
	return append(out, diffEnums(from.Enums, to.Enums)...)
}

func diffType(from, to *Type) (out []Change) {
	if from.Name != to.Name {
		out = append(out, TypeRenamed{from, to})
	}
	parts := func(t *Type) [][2]string {
		var checks []string
		for _, c := range t.Checks {
			checks = append(checks, c.Rule.Text+" "+c.Message)
		}
		return [][2]string{
			{"kind", t.Kind.String()},
			{"database", t.DB},
			{"table", t.Table},
			{"single", t.Single},
			{"plural", t.Plural},
			{"sql", t.SQL},
			{"description", t.Description},
			{"key", strings.Join(fieldNames(t.Primary), ", ")},
			{"rules", strings.Join(t.Rules.list(), ", ")},
			{"checks", strings.Join(checks, ", ")},
		}
	}
	was, is := parts(from), parts(to)
	for i := range is {
		if was[i] != is[i] {
			out = append(out, TypeChanged{to, is[i][0], was[i][1], is[i][1]})
		}
	}
	out = append(out, diffFields(from, to)...)
	out = append(out, diffIndexes(from, to, true, from.Uniques, to.Uniques)...)
	return append(out, diffIndexes(from, to, false, from.Indexes, to.Indexes)...)
}

func diffFields(from, to *Type) (out []Change) {
	kept := map[*Field]bool{}
	for _, f := range to.Fields {
		was := from.Field(f.Name)
		if was == nil && f.Renamed != "" {
			if was = from.Field(f.Renamed); was != nil {
				out = append(out, FieldRenamed{was, f})
			}
		}
		if was == nil {
			out = append(out, FieldAdded{f})
			continue
		}
		kept[was] = true
		if was.essence() != f.essence() {
			out = append(out, FieldChanged{was, f})
		}
	}
	for _, f := range from.Fields {
		if !kept[f] {
			out = append(out, FieldDropped{f})
		}
	}
	return out
}

// essence is all that the field says but for its name and what it was called.
func (f *Field) essence() string {
	c := *f
	c.Name, c.Renamed = "", ""
	return c.Column + " " + c.print()
}

func diffIndexes(from, to *Type, unique bool, was, is []Index) (out []Change) {
	among := func(ix Index, list []Index) bool {
		return slices.ContainsFunc(list, func(o Index) bool { return o.print() == ix.print() })
	}
	for _, ix := range is {
		if !among(ix, was) {
			out = append(out, IndexAdded{to, unique, ix})
		}
	}
	for _, ix := range was {
		if !among(ix, is) {
			out = append(out, IndexDropped{from, unique, ix})
		}
	}
	return out
}

func diffEnums(from, to []*Enum) (out []Change) {
	find := func(list []*Enum, name string) *Enum {
		for _, e := range list {
			if e.Name == name {
				return e
			}
		}
		return nil
	}
	for _, e := range to {
		was := find(from, e.Name)
		if was == nil || !slices.Equal(was.names(), e.names()) {
			out = append(out, EnumChanged{was, e})
		}
	}
	for _, e := range from {
		if find(to, e.Name) == nil {
			out = append(out, EnumChanged{e, nil})
		}
	}
	return out
}

package graph

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// onConflict is what an insert does with rows that are there already; nil where it is just an
// insert.
func (k *compiler) onConflict(root generator.Root, field *ast.Field) (*resolvers.Conflict, error) {
	t := root.Type
	in, given := k.given(field, "onConflict")
	if !given || in.isNull() {
		if root.Kind == generator.InsertOne || root.Kind == generator.InsertMany {
			return nil, nil
		}
		in = input{}
	}
	c := &resolvers.Conflict{Target: t.Primary, All: field.Definition.Arguments.ForName("onConflict") != nil && k.updatable(field)}
	for _, m := range in.members() {
		switch {
		case m.isNull():
		case m.name == "target":
			c.Target = fieldsNamed(t, m)
		case m.name == "update":
			c.Update, c.All = fieldsNamed(t, m), false
		}
	}
	if !isUnique(t, c.Target) {
		return nil, fault.New(fault.Invalid, "onConflict.target: [%s] is no unique key of %s; these are: %s",
			fieldNames(c.Target), t.Name, uniqueKeys(t)).At("onConflict", "target")
	}
	if slices.ContainsFunc(c.Target, func(f *schema.Field) bool { return f.AutoIncrement }) {
		return nil, fault.New(fault.Invalid, "onConflict.target: the database makes %s.%s, so no row can give it; say another key of %s: %s",
			t.Name, c.Target[0].Name, t.Name, uniqueKeys(t)).At("onConflict", "target")
	}
	return c, nil
}

// updatable is whether rows that are there can be updated: the input then has update.
func (k *compiler) updatable(field *ast.Field) bool {
	def := k.api.Schema.Types[field.Definition.Arguments.ForName("onConflict").Type.NamedType]
	return def != nil && def.Fields.ForName("update") != nil
}

func fieldsNamed(t *schema.Type, in input) []*schema.Field {
	var fields []*schema.Field
	for _, name := range namesIn(in) {
		if f := t.Field(name); !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	return fields
}

// uniquesOf are the unique keys of a type, the primary one first. A partial index is none: it
// does not tell rows apart that it does not hold.
func uniquesOf(t *schema.Type) [][]*schema.Field {
	all := [][]*schema.Field{t.Primary}
	for _, u := range t.Uniques {
		if u.Where != "" {
			continue
		}
		key := make([]*schema.Field, len(u.Fields))
		for i, f := range u.Fields {
			key[i] = f.Field
		}
		all = append(all, key)
	}
	return all
}

func isUnique(t *schema.Type, fields []*schema.Field) bool {
	return slices.ContainsFunc(uniquesOf(t), func(key []*schema.Field) bool { return sameFields(key, fields) })
}

func sameFields(a, b []*schema.Field) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(f *schema.Field) bool { return !slices.Contains(b, f) })
}

func fieldNames(fields []*schema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

func uniqueKeys(t *schema.Type) string {
	var all []string
	for _, key := range uniquesOf(t) {
		if !slices.ContainsFunc(key, func(f *schema.Field) bool { return f.Hidden }) {
			all = append(all, "["+fieldNames(key)+"]")
		}
	}
	return strings.Join(all, ", ")
}

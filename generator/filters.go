package generator

import (
	"fmt"

	"spacecloud/schema"
)

// How rows are chosen.

func whereName(t *schema.Type) string { return t.Name + "Where" }

func writeWhere(d *draft, t *schema.Type) {
	if !readable(t) && !updates(t) && !deletes(t) {
		return
	}
	name := whereName(t)
	def := definition{
		keyword:     "input",
		name:        name,
		description: fmt.Sprintf("Conditions on a %s; a row has to meet all of them.", t.Name),
		members: []member{
			{name: "_and", description: "All of these hold.", typ: listOf(name)},
			{name: "_or", description: "One of these holds; an empty list matches nothing.", typ: listOf(name)},
			{name: "_not", description: "This does not hold.", typ: name},
		},
	}
	def.members = append(def.members, d.presentCondition(t)...)
	def.members = append(def.members, searchCondition(t)...)
	for _, f := range columns(t) {
		def.members = append(def.members, member{name: f.Name, typ: d.filter(f)})
	}
	def.members = append(def.members, d.hopConditions(t)...)
	d.define(def)
}

// filter is the type of the conditions on a column.
func (d *draft) filter(f *schema.Field) string {
	element := elementName(f)
	switch {
	case f.List:
		return d.share(element+"ListFilter", func() definition { return d.listFilter(f) })
	case f.Scalar == schema.Embedded:
		return d.share(whereName(f.Value), func() definition { return d.valueWhere(f.Value) })
	case f.Scalar == schema.JSON:
		return d.share(element+"Filter", jsonFilter)
	}
	return d.share(element+"Filter", func() definition {
		return filterOf(fmt.Sprintf("Conditions on a value of type %s.", element), scalars[f.Scalar].operators, element)
	})
}

func filterOf(description, operators, element string) definition {
	return definition{
		keyword:     "input",
		description: description + " All of them have to hold.",
		members:     operatorsOf(operators, element),
	}
}

// elementName is the name of a column's type, without lists.
func elementName(f *schema.Field) string {
	switch f.Scalar {
	case schema.EnumValue:
		return f.Enum.Name
	case schema.Embedded:
		return f.Value.Name
	}
	return scalars[f.Scalar].name
}

package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/query"
	"spacecloud/schema"
)

// How rows are chosen and sorted by the rows that they are linked to.

func manyWhereName(t *schema.Type) string { return t.Name + "ManyWhere" }

func fieldEnumName(t *schema.Type) string { return t.Name + "Field" }

// hops are the links that a filter can follow: to what can be read.
func hops(t *schema.Type) []*schema.Field {
	return keep(shown(t), func(f *schema.Field) bool { return f.IsLink() })
}

// hopConditions are the conditions on linked rows.
func (d *draft) hopConditions(t *schema.Type) []member {
	var members []member
	for _, f := range hops(t) {
		target := f.Link.Target
		m := member{name: f.Name, typ: whereName(target)}
		if f.Link.Many {
			m.typ = d.share(manyWhereName(target), func() definition { return d.manyWhere(target) })
		}
		members = append(members, m)
	}
	return members
}

func (d *draft) manyWhere(t *schema.Type) definition {
	return definition{
		keyword:     "input",
		description: fmt.Sprintf("Conditions on linked %s, as far as the caller may read them. All of them have to hold.", t.Plural),
		members: []member{
			{name: "_some", description: "One of them meets this; {} is any.", typ: whereName(t)},
			{name: "_every", description: "Each of them meets this; none at all do.", typ: whereName(t)},
			{name: "_none", description: "None of them meets this; {} is none at all.", typ: whereName(t)},
			{name: "_count", description: "How many there are.", typ: d.share("CountFilter", countFilter)},
		},
	}
}

// countFilter has no words about null: a number of rows is none.
func countFilter() definition {
	def := filterOf("Conditions on a number of rows.", counting, "Int")
	for i, m := range def.members {
		if what, aboutNull, _ := strings.Cut(m.description, "; "); strings.Contains(aboutNull, "null") {
			def.members[i].description = what + "."
		}
	}
	return def
}

// presentCondition is for types that a to-one link leads to, or might.
func (d *draft) presentCondition(t *schema.Type) []member {
	if !slices.ContainsFunc(d.schema.Types, func(other *schema.Type) bool {
		return readable(other) && slices.ContainsFunc(hops(other), func(f *schema.Field) bool { return !f.Link.Many && f.Link.Target == t })
	}) {
		return nil
	}
	return []member{{
		name: "_isNull", typ: "Boolean",
		description: "Of a to-one link: there is no such row, or none that the caller may read; with false there is one.",
	}}
}

// searchCondition is for types with @search.
func searchCondition(t *schema.Type) []member {
	fields := query.SearchFields(t)
	if len(fields) == 0 {
		return nil
	}
	return []member{{
		name: "_search", typ: "String",
		description: fmt.Sprintf("All of these words stand in %s, in any order and case; the last may be the beginning of one.", fieldNames(fields)),
	}}
}

// hopOrders are the orders by to-one links: no database can sort by rows of another.
func hopOrders(t *schema.Type) []member {
	var members []member
	for _, f := range hops(t) {
		if !f.Link.Many && f.Link.Target.DB == t.DB && len(sortable(f.Link.Target)) > 0 {
			members = append(members, member{name: f.Name, typ: orderName(f.Link.Target)})
		}
	}
	return members
}

func writeFieldEnum(d *draft, t *schema.Type) {
	if !readable(t) || len(sortable(t)) == 0 {
		return
	}
	def := definition{
		keyword:     "enum",
		name:        fieldEnumName(t),
		description: fmt.Sprintf("The fields of a %s that rows can be told apart by.", t.Name),
	}
	for _, f := range sortable(t) {
		def.members = append(def.members, member{name: f.Name})
	}
	d.define(def)
}

func distinctArg(t *schema.Type) member {
	return member{
		name:        "distinctOn",
		description: "Of the rows that agree in all of these fields, only the first by orderBy. Nulls agree.",
		typ:         listOf(fieldEnumName(t)),
	}
}

// listFilter are the conditions on a list column.
func (d *draft) listFilter(f *schema.Field) definition {
	element := elementName(f)
	operators := listed
	if f.Scalar == schema.JSON || f.Scalar == schema.Embedded {
		operators = presence + " " + emptiness
	}
	return filterOf(fmt.Sprintf("Conditions on a list of %s.", element), operators, element)
}

// valueWhere are the conditions on an embedded value.
func (d *draft) valueWhere(v *schema.Type) definition {
	def := filterOf(fmt.Sprintf("Conditions on a %s.", v.Name), presence, v.Name)
	for _, f := range columns(v) {
		def.members = append(def.members, member{name: f.Name, typ: d.filter(f)})
	}
	return def
}

// jsonFilter are the conditions on a JSON document.
func jsonFilter() definition {
	return definition{
		keyword:     "input",
		description: "Conditions on a JSON value. All of them have to hold.",
		members: []member{
			{name: "path", typ: listOf("String"), description: "Where in the value to look: names of members, and numbers of elements from 0. What is absent there is null."},
			{name: "_eq", typ: "JSON", description: "Equals, by value: 1 is 1.0, and the order of members does not count; null asks for null."},
			{name: "_contains", typ: "JSON", description: "Holds all of this, at the same places; a list holds its elements in any order."},
			{name: "_hasKey", typ: "String", description: "Is an object with a member of that name."},
			{name: "_isNull", typ: "Boolean", description: "Is null, or with false is not."},
		},
	}
}

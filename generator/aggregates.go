package generator

import (
	"fmt"

	"spacecloud/schema"
)

// What rows add up to: of all that match, of groups, and beside each link to many.

// distinct are the columns whose values can be told apart.
func distinct(t *schema.Type) []*schema.Field {
	return keep(columns(t), func(f *schema.Field) bool {
		return !f.List && f.Scalar != schema.JSON && f.Scalar != schema.Embedded
	})
}

// numeric are the columns that can be added up.
func numeric(t *schema.Type) []*schema.Field {
	return keep(columns(t), func(f *schema.Field) bool { return !f.List && scalars[f.Scalar].numeric })
}

// measured is a function over columns, as the API shows it.
type measured struct {
	name        string
	description string
	of          func(*schema.Type) []*schema.Field
	suffix      string // of its types; functions of the same have the same types
	// kind is the scalar of its values, NoScalar for the column's own.
	kind func(*schema.Field) schema.Scalar
}

var measures = []measured{
	{
		"countDistinct", "How many different values there are; null is none.", distinct, "Distinct",
		func(*schema.Field) schema.Scalar { return schema.Int },
	},
	{"sum", "The sum, exact but for Floats; null of no value.", numeric, "Sum", sumOf},
	{"avg", "The average; null of no value.", numeric, "Avg", avgOf},
	{"min", "The least value, as lists are ordered; null of no value.", sortable, "Extreme", ownKind},
	{"max", "The greatest value; null of no value.", sortable, "Extreme", ownKind},
}

func ownKind(*schema.Field) schema.Scalar { return schema.NoScalar }

func sumOf(f *schema.Field) schema.Scalar {
	if f.Scalar == schema.Int {
		return schema.BigInt
	}
	return f.Scalar
}

func avgOf(f *schema.Field) schema.Scalar {
	if f.Scalar == schema.Decimal {
		return schema.Decimal
	}
	return schema.Float
}

func aggregateName(t *schema.Type) string { return t.Name + "Aggregate" }
func groupName(t *schema.Type) string     { return t.Name + "Group" }
func havingName(t *schema.Type) string    { return t.Name + "Having" }

func writeAggregates(d *draft, t *schema.Type) {
	if !readable(t) {
		return
	}
	a := d.aggregate(t, t.Plural+"Aggregate", fmt.Sprintf("What every %s that matches and that the caller may read adds up to.", t.Name), d.alone())
	d.query.add(a, Root{Kind: Aggregate, Type: t})
	d.define(definition{
		keyword: "type", name: aggregateName(t),
		description: fmt.Sprintf("What %s add up to. Only what is selected is computed.", t.Plural),
		members:     d.measureMembers(t),
	})
	for _, m := range onceBySuffix() {
		d.measureType(t, m)
	}
	if len(sortable(t)) > 0 {
		d.writeGroups(t)
	}
}

// aggregate is a field that answers with measures of rows of t.
func (d *draft) aggregate(t *schema.Type, name, description string, always bool) member {
	return member{
		name: name, description: description, typ: marked(aggregateName(t), always),
		args: []member{{name: "where", description: "Which rows; all when absent.", typ: whereName(t)}},
	}
}

// measureMembers are the fields of an aggregate or a group.
func (d *draft) measureMembers(t *schema.Type) []member {
	members := []member{{name: "count", description: "How many rows there are.", typ: "Int!"}}
	for _, m := range measures {
		if len(m.of(t)) > 0 {
			members = append(members, member{name: m.name, description: m.description, typ: nonNullType(aggregateName(t) + m.suffix)})
		}
	}
	return members
}

// onceBySuffix are the functions, one of those with the same types.
func onceBySuffix() []measured {
	var once []measured
	for _, m := range measures {
		if len(once) == 0 || once[len(once)-1].suffix != m.suffix {
			once = append(once, m)
		}
	}
	return once
}

// measureType defines the object with one value for each column that a function is over.
func (d *draft) measureType(t *schema.Type, m measured) {
	def := definition{keyword: "type", name: aggregateName(t) + m.suffix}
	for _, f := range m.of(t) {
		typ := d.measureKind(f, m)
		def.members = append(def.members, member{name: f.Name, typ: marked(typ, m.name == "countDistinct")})
	}
	if len(def.members) > 0 {
		d.define(def)
	}
}

// measureKind is the type of a function's values over a column.
func (d *draft) measureKind(f *schema.Field, m measured) string {
	if kind := m.kind(f); kind != schema.NoScalar {
		return d.scalar(kind)
	}
	return d.element(f)
}

func (d *draft) writeGroups(t *schema.Type) {
	d.query.add(member{
		name:        t.Plural + "Groups",
		description: fmt.Sprintf("Every %s that matches and that the caller may read, in groups.", t.Name),
		args: []member{
			{name: "groupBy", description: "The fields whose values make a group; at least one.", typ: nonNullType(listOf(fieldEnumName(t)))},
			{name: "where", description: "Which rows; all when absent.", typ: whereName(t)},
			{name: "having", description: "Which groups; all when absent.", typ: havingName(t)},
			{
				name:        "orderBy",
				description: "What to sort by, the most important first. Ties are broken by the fields of groupBy, ascending.",
				typ:         listOf(groupName(t) + "Order"),
			},
			{name: "limit", description: "The most groups to return.", typ: "Int!", preset: defaultLimit},
			{name: "offset", description: "How many groups to skip.", typ: "Int!", preset: "0"},
		},
		typ: d.rootType(listOf(groupName(t))),
	}, Root{Kind: Groups, Type: t})
	key := member{name: "group", description: "The values that the rows have in common; only fields of groupBy can be selected.", typ: nonNullType(groupName(t) + "Key")}
	d.define(definition{
		keyword: "type", name: groupName(t),
		description: fmt.Sprintf("Some %s with the same values of the fields of groupBy, and what they add up to.", t.Plural),
		members:     append([]member{key}, d.measureMembers(t)...),
	})
	def := definition{keyword: "type", name: groupName(t) + "Key"}
	for _, f := range sortable(t) {
		def.members = append(def.members, member{name: f.Name, description: f.Description, typ: marked(d.element(f), f.NonNull)})
	}
	d.define(def)
	d.writeHaving(t)
	d.writeGroupOrder(t)
}

func (d *draft) writeHaving(t *schema.Type) {
	name := havingName(t)
	def := definition{
		keyword: "input", name: name,
		description: fmt.Sprintf("Conditions on a group of %s; a group has to meet all of them.", t.Plural),
		members: []member{
			{name: "_and", description: "All of these hold.", typ: listOf(name)},
			{name: "_or", description: "One of these holds; an empty list matches nothing.", typ: listOf(name)},
			{name: "_not", description: "This does not hold.", typ: name},
			{name: "count", typ: d.filter(&schema.Field{Scalar: schema.Int})},
		},
	}
	for _, m := range measures {
		if len(m.of(t)) > 0 {
			def.members = append(def.members, member{name: m.name, typ: name + m.suffix})
		}
	}
	d.define(def)
	for _, m := range onceBySuffix() {
		inner := definition{keyword: "input", name: name + m.suffix}
		for _, f := range m.of(t) {
			on := f
			if kind := m.kind(f); kind != schema.NoScalar {
				on = &schema.Field{Scalar: kind}
			}
			inner.members = append(inner.members, member{name: f.Name, typ: d.filter(on)})
		}
		if len(inner.members) > 0 {
			d.define(inner)
		}
	}
}

func (d *draft) writeGroupOrder(t *schema.Type) {
	name, direction := groupName(t)+"Order", d.orderDirection()
	def := definition{
		keyword: "input", name: name,
		description: fmt.Sprintf("One part of an order of groups of %s: exactly one field, of one of these.", t.Plural),
		members:     []member{{name: "count", typ: direction}},
	}
	add := func(field, suffix string, of []*schema.Field) {
		if len(of) > 0 {
			def.members = append(def.members, member{name: field, typ: name + suffix})
		}
	}
	add("group", "Sortable", sortable(t))
	add("countDistinct", "Distinct", distinct(t))
	add("sum", "Numeric", numeric(t))
	add("avg", "Numeric", numeric(t))
	add("min", "Sortable", sortable(t))
	add("max", "Sortable", sortable(t))
	d.define(def)
	for _, each := range []struct {
		suffix string
		of     []*schema.Field
	}{{"Distinct", distinct(t)}, {"Numeric", numeric(t)}, {"Sortable", sortable(t)}} {
		inner := definition{keyword: "input", name: name + each.suffix}
		for _, f := range each.of {
			inner.members = append(inner.members, member{name: f.Name, typ: direction})
		}
		if len(inner.members) > 0 {
			d.define(inner)
		}
	}
}

package generator

import "spacecloud/schema"

// What rows and their values look like in answers.

func writeObject(d *draft, t *schema.Type) {
	def := d.object(t)
	def.name = t.Name
	d.define(def)
}

// object shows a table, a view or an embedded value.
func (d *draft) object(t *schema.Type) definition {
	def := definition{keyword: "type", description: t.Description}
	for _, f := range shown(t) {
		def.members = append(def.members, d.output(f))
		if f.IsLink() && f.Link.Many {
			def.members = append(def.members, d.aggregate(f.Link.Target, f.Name+"Aggregate", "What those rows add up to.", !f.IsApart()))
		}
		def.members = append(def.members, d.connectionBeside(f)...)
	}
	d.needsMembers(t, def.members)
	return def
}

func (d *draft) output(f *schema.Field) member {
	m := member{name: f.Name, description: f.Description}
	typ := d.outputType(f)
	if f.IsLink() && f.Link.Many {
		m.args = d.listArgs(f.Link.Target)
	}
	m.typ = marked(typ, nonNull(f))
	return m
}

func (d *draft) outputType(f *schema.Field) string {
	switch {
	case !f.IsLink():
		return listedIf(f, d.element(f))
	case f.Link.Many:
		return listOf(f.Link.Target.Name)
	}
	return f.Link.Target.Name
}

// listedIf is the type of a column of such elements.
func listedIf(f *schema.Field, element string) string {
	if !f.List {
		return element
	}
	return "[" + marked(element, !f.ElemNull) + "]"
}

// element is the type of a column's value, or of each in a list, in answers and arguments.
func (d *draft) element(f *schema.Field) string {
	switch f.Scalar {
	case schema.EnumValue:
		return d.enum(f.Enum)
	case schema.Embedded:
		return d.share(f.Value.Name, func() definition { return d.object(f.Value) })
	}
	return d.scalar(f.Scalar)
}

func (d *draft) enum(e *schema.Enum) string {
	return d.share(e.Name, func() definition {
		def := definition{keyword: "enum", description: e.Description}
		for _, v := range e.Values {
			def.members = append(def.members, member{name: v.Name, description: v.Description})
		}
		return def
	})
}

package generator

import (
	"fmt"
	"slices"

	"spacecloud/schema"
)

// What an insert or update may write along the links of a row.

// linkActions are what can be done along one link.
type linkActions struct{ create, connect, disconnect bool }

func (a linkActions) none() bool { return a == linkActions{} }

// insertLinks is what a new row can do along a link. Rows of another database are not written
// along, because that would need one transaction; one that is there can be named where its key goes into
// the row itself, or into a join row beside it.
func insertLinks(f *schema.Field) linkActions {
	l := f.Link
	target := l.Target
	if keyHolder(f).DB != f.Owner.DB || target.Kind != schema.Table || !readable(target) || f.Hidden {
		return linkActions{}
	}
	a := linkActions{create: target.DB == f.Owner.DB && creates(target), connect: len(keys(target)) > 0}
	switch {
	case l.Through != nil && l.Through.Owned:
	case l.Through != nil:
		joinable := creates(l.Through) && fillsAll(l)
		a.create, a.connect = a.create && joinable, a.connect && joinable
	case l.Owns:
		if !among(l.From, settable(f.Owner)) {
			return linkActions{}
		}
	default:
		a.create = a.create && among(l.To, settable(target))
		a.connect = a.connect && updates(target) && among(l.To, changeable(target))
	}
	return a
}

// keyHolder is the type of the rows that are written when a link changes.
func keyHolder(f *schema.Field) *schema.Type {
	switch l := f.Link; {
	case l.Through != nil:
		return l.Through
	case l.Owns:
		return f.Owner
	default:
		return l.Target
	}
}

// updateLinks is what a row that is there can do along a link.
func updateLinks(f *schema.Field) linkActions {
	a := insertLinks(f)
	l := f.Link
	switch {
	case l.Through != nil && l.Through.Owned:
		a.disconnect = a.connect
	case l.Through != nil:
		a.disconnect = a.connect && deletes(l.Through)
	case l.Owns:
		if !among(l.From, changeable(f.Owner)) {
			return linkActions{}
		}
		a.disconnect = !a.none() && nullable(l.From)
	default:
		a.disconnect = a.connect && nullable(l.To)
	}
	return a
}

// fillsAll is whether the two keys are all that a row of a join type has to be given.
func fillsAll(l *schema.Link) bool {
	given := slices.Concat(l.ThroughFrom, l.ThroughTo)
	return among(given, settable(l.Through)) && !slices.ContainsFunc(settable(l.Through), func(f *schema.Field) bool {
		return required(f) && !slices.Contains(given, f)
	})
}

func among(fields, all []*schema.Field) bool {
	return !slices.ContainsFunc(fields, func(f *schema.Field) bool { return !slices.Contains(all, f) })
}

func nullable(fields []*schema.Field) bool {
	return !slices.ContainsFunc(fields, func(f *schema.Field) bool { return f.NonNull })
}

// linkInputs are the members for the links of a row's input.
func (d *draft) linkInputs(t *schema.Type, suffix string, can func(*schema.Field) linkActions) []member {
	var members []member
	for _, f := range t.Fields {
		if !f.IsLink() || can(f).none() {
			continue
		}
		name := t.Name + capital(f.Name) + suffix
		def := d.linkInput(f, can(f))
		def.name = name
		d.define(def)
		members = append(members, member{name: f.Name, description: f.Description, typ: name})
	}
	return members
}

func (d *draft) linkInput(f *schema.Field, a linkActions) definition {
	target := f.Link.Target
	def := definition{keyword: "input"}
	add := func(ok bool, name, description, typ string) {
		if !ok {
			return
		}
		if f.Link.Many {
			typ = listOf(typ)
		}
		def.members = append(def.members, member{name: name, description: description, typ: typ})
	}
	if f.Link.Many {
		def.description = fmt.Sprintf("What to do with the %s of a %s.", f.Name, f.Owner.Name)
		add(a.create, "create", "New rows to link.", insertName(target))
		add(a.connect, "connect", "Rows that are there, to link.", d.connect(target, a))
		add(a.disconnect, "disconnect", "Linked rows to unlink.", d.connect(target, a))
		add(a.disconnect, "set", "The rows that shall be linked, instead of all that are.", d.connect(target, a))
		return def
	}
	def.description = fmt.Sprintf("What to do with the %s of a %s: one of these.", f.Name, f.Owner.Name)
	add(a.create, "create", "A new row to link.", insertName(target))
	add(a.connect, "connect", "A row that is there, to link.", d.connect(target, a))
	add(a.disconnect, "disconnect", "With true, to link no row.", "Boolean")
	return def
}

// connect names a row by one of its unique keys.
func (d *draft) connect(t *schema.Type, a linkActions) string {
	name := t.Name + "Connect"
	if !a.connect {
		return name
	}
	return d.share(name, func() definition {
		def := definition{keyword: "input", description: fmt.Sprintf("A %s by one of its unique keys: all columns of that key, and no other.", t.Name)}
		for _, f := range columns(t) {
			if slices.ContainsFunc(keys(t), func(k key) bool { return slices.Contains(k.fields, f) }) {
				def.members = append(def.members, member{name: f.Name, description: f.Description, typ: d.element(f)})
			}
		}
		return def
	})
}

// linkFills is whether a link can give an insert the value of a key column: its own link, or that of a
// row under which it is created.
func (d *draft) linkFills(key *schema.Field) bool {
	for _, t := range d.types {
		for _, f := range t.Fields {
			if !f.IsLink() {
				continue
			}
			l := f.Link
			switch a := insertLinks(f); {
			case l.Through != nil || a.none() || !creates(t) && !updates(t):
			case l.Owns && slices.Contains(l.From, key):
				return true
			case !l.Owns && a.create && slices.Contains(l.To, key):
				return true
			}
		}
	}
	return false
}

// ofMany are the arguments of an update of many rows: what it sets takes no links, for these
// are of one row.
func (d *draft) ofMany(t *schema.Type, changes []member) []member {
	if !slices.ContainsFunc(t.Fields, func(f *schema.Field) bool { return f.IsLink() && !updateLinks(f).none() }) {
		return changes
	}
	name := t.Name + "SetMany"
	d.define(definition{
		keyword: "input", name: name,
		description: fmt.Sprintf("What to set in several %s: absent is left as it is, null is set to null.", t.Plural),
		members:     d.inputs(changeable(t), never),
	})
	many := slices.Clone(changes)
	for i := range many {
		if many[i].name == "set" {
			many[i].typ = name
		}
	}
	return many
}

package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/schema"
)

// relation is a foreign key between two types of which all columns are there.
type relation struct {
	from, to *pulledType
	key      *ExistingForeignKey
	near     []*pulledField // columns of from
	far      []*pulledField // columns of to
	name     string         // of the link
}

// makeLinks makes a link of every foreign key, and the way back.
func (p *pull) makeLinks() {
	relations := p.relations()
	p.shareKeys(relations)
	for _, r := range relations {
		p.addLink(r)
	}
	for _, r := range relations {
		p.addInverse(r, relations)
	}
	for _, t := range p.types {
		p.addThrough(t, relations)
	}
}

func (p *pull) relations() []*relation {
	var found []*relation
	for _, t := range p.types {
		if t.isView() {
			continue
		}
		for i := range t.table.ForeignKeys {
			fk := &t.table.ForeignKeys[i]
			r, why := p.relation(t, fk)
			if why != "" {
				t.alone = append(t.alone, fmt.Sprintf("foreign key (%s) to %s: %s", strings.Join(fk.Columns, ", "), fk.Table, why))
				continue
			}
			if !slices.ContainsFunc(found, func(o *relation) bool {
				return o.from == r.from && o.to == r.to && o.pairs(r)
			}) {
				found = append(found, r)
			}
		}
	}
	return found
}

// pairs is whether another relation compares the same columns, in whatever order.
func (r *relation) pairs(o *relation) bool {
	return len(r.near) == len(o.near) && !slices.ContainsFunc(r.near, func(f *pulledField) bool {
		i := slices.Index(o.near, f)
		return i < 0 || o.far[i] != r.far[slices.Index(r.near, f)]
	})
}

func (p *pull) relation(t *pulledType, fk *ExistingForeignKey) (*relation, string) {
	i := slices.IndexFunc(p.types, func(o *pulledType) bool { return o.table.Name == fk.Table })
	if i < 0 || p.types[i].isView() {
		return nil, "the table is not in the schema"
	}
	r := &relation{from: t, to: p.types[i], key: fk}
	for k, name := range fk.Columns {
		near, far := t.field(name), r.to.field(fk.To[k])
		if near == nil || far == nil {
			return nil, "one of its columns is not in the schema"
		}
		r.near, r.far = append(r.near, near), append(r.far, far)
	}
	return r, ""
}

// shareKeys makes IDs of keys that lead to IDs.
func (p *pull) shareKeys(relations []*relation) {
	for changed := true; changed; {
		changed = false
		for _, r := range relations {
			for i, near := range r.near {
				if r.far[i].isID() && !near.isID() && near.canBeID(r.far[i], p.dialect.idSize) {
					near.id, near.size, changed = true, 0, true
				}
			}
		}
	}
}

func (f *pulledField) isID() bool { return f.id || f.scalar == schema.ID }

// canBeID is whether the column holds what an ID does that the other one is.
func (f *pulledField) canBeID(other *pulledField, size int) bool {
	if f.native != "" || f.size > 0 && f.size != size || f.list {
		return false
	}
	if other.scalar == schema.String {
		return f.scalar == schema.String
	}
	return f.scalar == schema.BigInt || f.scalar == schema.Int && other.scalar == schema.ID
}

// addLink adds the link that holds the key, after the last of its columns.
func (p *pull) addLink(r *relation) {
	t := r.from
	name := ""
	if len(r.near) == 1 {
		if name = linkName(r.near[0].name); name == "" {
			name = p.freeName(r)
		}
	}
	single := schema.NamesOf(r.to.name).Single
	r.name = t.names.free(name, single, single+"By"+capital(r.near[len(r.near)-1].name))
	required := t != r.to
	last := 0
	for _, f := range r.near {
		required = required && (f.column.NonNull || f.isPrimary())
		last = max(last, slices.Index(t.fields, f))
	}
	args := []string{"from: " + fieldList(r.near)}
	if !slices.Equal(r.key.To, r.to.primary()) {
		args = append(args, "to: "+fieldList(r.far))
	}
	switch onDeleteOf(r.key.OnDelete) {
	case schema.Cascade:
		args = append(args, "onDelete: CASCADE")
	case schema.SetNull:
		args = append(args, "onDelete: SET_NULL")
	}
	f := &pulledField{owner: t, name: r.name, link: r.key, target: r.to, req: required, args: strings.Join(args, ", ")}
	if strings.EqualFold(r.key.OnDelete, "SET DEFAULT") {
		f.note = "ON DELETE SET DEFAULT is the database's own: the API refuses to delete what rows lead to"
	}
	for last+1 < len(t.fields) && t.fields[last+1].column == nil {
		last++
	}
	t.fields = slices.Insert(t.fields, last+1, f)
}

// freeName gives a link the name of its column, which gets the ending that shows that it is a
// key: owner is ownerId, and the link owner.
func (p *pull) freeName(r *relation) string {
	column := r.near[0]
	if column.isPrimary() || r.from.names[strings.ToLower(column.name+"Id")] {
		return ""
	}
	name := column.name
	delete(r.from.names, strings.ToLower(name))
	column.name = r.from.names.free(name + "Id")
	return name
}

func (f *pulledField) isPrimary() bool {
	return f.column != nil && slices.Contains(f.owner.table.Primary, f.column.Name)
}

func fieldList(fields []*pulledField) string {
	quoted := make([]string, len(fields))
	for i, f := range fields {
		quoted[i] = quoteSDL(f.name)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// addInverse adds the way back: one row where the key is unique, else a list.
func (p *pull) addInverse(r *relation, all []*relation) {
	of := schema.NamesOf(r.from.name)
	several := 0
	for _, o := range all {
		if o.from == r.from && o.to == r.to {
			several++
		}
	}
	one := r.isUnique() && slices.Equal(r.key.To, r.to.primary())
	name := of.Plural
	if one {
		name = of.Single
	}
	by := name + "By" + capital(r.name)
	switch {
	case r.from == r.to && r.name == "parent" && !one:
		name = "children"
	case several > 1 || r.from == r.to:
		name = by
	}
	f := &pulledField{owner: r.to, link: r.key, target: r.from, many: !one}
	f.name = r.to.names.free(name, by)
	f.args = "from: " + fieldList(r.far) + ", to: " + fieldList(r.near)
	r.to.fields = append(r.to.fields, f)
}

// isUnique is whether at most one row holds a key.
func (r *relation) isUnique() bool {
	return sameColumns(r.from.table.Primary, r.key.Columns) || slices.ContainsFunc(r.from.table.Uniques, func(u ExistingIndex) bool {
		return u.Odd == "" && u.Where == "" && sameColumns(u.Columns, r.key.Columns)
	})
}

// addThrough adds the lists over a table that only joins two others.
func (p *pull) addThrough(t *pulledType, all []*relation) {
	var sides []*relation
	for _, r := range all {
		if r.from == t {
			sides = append(sides, r)
		}
	}
	if len(sides) != 2 || sides[0].to == sides[1].to || len(t.table.Columns) != len(sides[0].near)+len(sides[1].near) {
		return
	}
	for _, f := range t.fields {
		if f.column != nil && !f.isPrimary() {
			return
		}
	}
	for i, side := range sides {
		other := sides[1-i].to
		f := &pulledField{owner: side.to, link: side.key, target: other, many: true, via: t}
		plural := schema.NamesOf(other.name).Plural
		f.name = side.to.names.free(plural, plural+"Via"+t.name)
		side.to.fields = append(side.to.fields, f)
	}
}

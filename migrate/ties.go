package migrate

import (
	"fmt"
	"slices"

	atlas "ariga.io/atlas/sql/schema"
)

// ties makes foreign keys steps of their own, in databases that hold to them at every moment:
// one needs both of its tables as they are wanted, and must not stand in the way until then.
type ties struct {
	// statements are those of changes of a table.
	statements func(*atlas.Table, ...atlas.Change) []string
	// waiting is how long writers wait for a foreign key, as a format of "20 rows are".
	waiting string
}

// create makes a table with the foreign keys that can be had at once.
func (l ties) create(d *draft, want *atlas.Table) Step {
	fresh := *want
	fresh.ForeignKeys = nil
	for _, fk := range want.ForeignKeys {
		_, there := d.have.tables.Table(fk.RefTable.Name)
		if there || fk.RefTable == want || d.moved[fk.RefTable.Name] {
			fresh.ForeignKeys = append(fresh.ForeignKeys, fk)
			continue
		}
		d.add(l.tie(want, fk, Change{Comment: "add " + foreignKeyName(fk), lacks: true}))
	}
	d.moved[want.Name] = true // a later one may lead here
	return Step{
		Object: want.Name, Changes: []Change{{Comment: "create table " + want.Name, lacks: true}},
		Statements: d.createTable(&fresh), Reverse: []string{"DROP TABLE " + d.quote(want.Name)}, phase: created,
	}
}

// aside gives foreign keys steps of their own.
func (l ties) aside(d *draft, have, want *atlas.Table, c atlas.Change, said Change) bool {
	switch c := c.(type) {
	case *atlas.AddForeignKey:
		d.add(l.locking(d, l.tie(want, c.F, said)))
	case *atlas.ModifyForeignKey:
		d.add(l.untie(have, c.From, Change{Comment: "drop the old " + foreignKeyName(c.From)}))
		d.add(l.locking(d, l.tie(want, c.To, said)))
	case *atlas.DropForeignKey:
		d.add(l.untie(have, c.F, said))
	default:
		return false
	}
	return true
}

func (l ties) tie(t *atlas.Table, fk *atlas.ForeignKey, said Change) Step {
	return Step{
		Object: t.Name, Changes: []Change{said}, phase: tied,
		Statements: l.statements(t, &atlas.AddForeignKey{F: fk}), Reverse: l.statements(t, &atlas.DropForeignKey{F: fk}),
	}
}

func (l ties) untie(t *atlas.Table, fk *atlas.ForeignKey, said Change) Step {
	return Step{
		Object: t.Name, Changes: []Change{said}, phase: untied,
		Statements: l.statements(t, &atlas.DropForeignKey{F: fk}), Reverse: l.statements(t, &atlas.AddForeignKey{F: fk}),
	}
}

// locking says that writers wait while the rows of a table are looked at.
func (l ties) locking(d *draft, s Step) Step {
	if rows := d.counted[d.have.table(s.Object)]; rows > 0 {
		s.Locks = fmt.Sprintf("%s and the table it leads to, for writers, "+l.waiting, s.Object, count(rows, "row")+verb(rows, " is", " are"))
	}
	return s
}

// arrange sets foreign keys aside whose columns or keys change, and sorts: nothing is made
// before what it needs, and nothing is dropped that something needs.
func (l ties) arrange(d *draft, steps []Step) []Step {
	for _, have := range d.have.tables.Tables {
		want, wanted := d.want.tables.Table(have.Name)
		for _, fk := range have.ForeignKeys {
			if !wanted {
				if fk.RefTable != have && d.have.made(have.Name).Made {
					steps = append(steps, l.untie(have, fk, Change{Comment: "drop " + foreignKeyName(fk)}))
				}
				continue
			}
			same, stays := want.ForeignKey(fk.Symbol)
			if stays && same.OnDelete == fk.OnDelete && d.touched(same) {
				steps = append(steps,
					l.untie(have, fk, Change{Comment: "set " + foreignKeyName(fk) + " aside"}),
					l.tie(want, same, Change{Comment: "put " + foreignKeyName(same) + " back"}))
			}
		}
	}
	slices.SortStableFunc(steps, func(a, b Step) int { return int(a.phase) - int(b.phase) })
	return steps
}

// touched is whether a foreign key's columns change their type, or the key that it leads to
// is made anew.
func (d *draft) touched(fk *atlas.ForeignKey) bool {
	for i, c := range fk.Columns {
		if d.retype[fk.Table.Name+"."+c.Name] || d.retype[fk.RefTable.Name+"."+fk.RefColumns[i].Name] {
			return true
		}
	}
	return d.retype[fk.RefTable.Name]
}

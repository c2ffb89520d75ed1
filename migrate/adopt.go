package migrate

import (
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
	"spacecloud/schema"
)

// adopt gives a wanted table what one that we did not make has beyond the schema, so that
// only what the schema asks for, and what is not there, is a change.
func (d *draft) adopt(have, want *atlas.Table) {
	t := d.want.byName[want.Name]
	if t == nil || d.have.found == nil || d.have.made(want.Name).Made {
		return
	}
	for _, f := range t.Columns {
		c, _ := want.Column(f.Column)
		h, there := have.Column(f.Column)
		if there && !d.have.made(want.Name).Columns[h.Name].Made && generator.ServesColumn(d.have.found, want.Name, f) {
			null := c.Type.Null
			c.Type, c.Default, c.Attrs = &atlas.ColumnType{Type: h.Type.Type, Raw: h.Type.Raw, Null: h.Type.Null}, h.Default, h.Attrs
			if f.IsPrimary { // SQLite lets some keys be null
				h.Type.Null, c.Type.Null = null, null
			}
		}
	}
	adoptKey(have, want)
	adoptIndexes(have, want, t)
	for _, fk := range have.ForeignKeys {
		adoptForeignKey(want, fk)
	}
	_, rebuilds := d.dialect.(sqliteDialect)
	adoptAttrs(have, want, !rebuilds)
}

// adoptKey takes over the order of the columns of a key.
func adoptKey(have, want *atlas.Table) {
	names := keyOf(have)
	if want.PrimaryKey == nil || len(names) != len(want.PrimaryKey.Parts) {
		return
	}
	columns := make([]*atlas.Column, len(names))
	for i, name := range names {
		part := slices.IndexFunc(want.PrimaryKey.Parts, func(p *atlas.IndexPart) bool { return p.C.Name == name })
		if part < 0 {
			return
		}
		columns[i] = want.PrimaryKey.Parts[part].C
	}
	want.SetPrimaryKey(atlas.NewPrimaryKey(columns...))
}

// adoptIndexes leaves out the indexes of keys that nobody asked for, and keeps what makes
// columns unique beyond the schema.
func adoptIndexes(have, want *atlas.Table, t *schema.Type) {
	for _, ix := range t.Indexes {
		fresh := slices.ContainsFunc(ix.Fields, func(f schema.IndexField) bool { return !hasAtlasColumn(have, f.Field.Column) })
		if ix.Inferred && !fresh && !hasIndex(have, ix.Name) {
			want.Indexes = slices.DeleteFunc(want.Indexes, func(i *atlas.Index) bool { return i.Name == ix.Name })
		}
	}
	for _, i := range have.Indexes {
		known := slices.ContainsFunc(want.Indexes, func(w *atlas.Index) bool { return w.Unique && slices.EqualFunc(i.Parts, w.Parts, samePart) })
		if strings.HasPrefix(i.Name, "sqlite_autoindex_") && !known {
			kept := *i
			columns := make([]string, 0, len(i.Parts))
			for _, p := range i.Parts {
				if p.C == nil {
					return
				}
				columns = append(columns, p.C.Name)
			}
			kept.Name, kept.Attrs = schema.ConstraintOf(want.Name, columns, true), nil
			want.AddIndexes(&kept)
		}
	}
}

// adoptForeignKey takes over how a foreign key is called and what else it says; one that the
// schema does not know stays.
func adoptForeignKey(want *atlas.Table, have *atlas.ForeignKey) {
	sameName := func(a, b *atlas.Column) bool { return strings.EqualFold(a.Name, b.Name) } // as SQLite has it
	for _, w := range want.ForeignKeys {
		if w == have {
			return
		}
		if strings.EqualFold(w.RefTable.Name, have.RefTable.Name) && slices.EqualFunc(w.Columns, have.Columns, sameName) && slices.EqualFunc(w.RefColumns, have.RefColumns, sameName) {
			w.Symbol, w.OnUpdate = have.Symbol, have.OnUpdate
			have.RefTable, have.RefColumns = w.RefTable, w.RefColumns
			if refuses(w.OnDelete) && refuses(have.OnDelete) {
				w.OnDelete = have.OnDelete
			}
			return
		}
	}
	kept := *have
	want.AddForeignKeys(&kept)
}

// refuses is whether an action is one for which a schema says nothing else than RESTRICT.
func refuses(o atlas.ReferenceOption) bool { return o != atlas.Cascade && o != atlas.SetNull }

// adoptAttrs keeps checks and whatever else is said of a table, and adds no check of ours to
// its columns: what they take is not ours to say. To columns of ours it adds them where that
// needs no new table.
func adoptAttrs(have, want *atlas.Table, more bool) {
	checks := slices.Clone(have.Attrs)
	for _, w := range checksOf(want) {
		about := slices.ContainsFunc(have.Columns, func(c *atlas.Column) bool {
			return strings.Contains(w.Expr, `"`+c.Name+`"`) || strings.Contains(w.Expr, "`"+c.Name+"`")
		})
		known := slices.ContainsFunc(checksOf(have), func(h *atlas.Check) bool { return h.Name == w.Name })
		if more && !about && !known {
			checks = append(checks, w)
		}
	}
	want.Attrs = checks
}

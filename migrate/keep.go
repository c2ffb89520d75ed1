package migrate

import (
	"context"
	"fmt"
	"slices"

	atlas "ariga.io/atlas/sql/schema"
)

// keep adds to the goal what the database has and the schema has not, as far as it stays: what
// we did not make, always; under Keep and Tidy also what we made.
func (d *draft) keep(ctx context.Context) error {
	for _, t := range d.have.tables.Tables {
		want, wanted := d.want.tables.Table(t.Name)
		switch {
		case !wanted && !d.have.made(t.Name).Made:
			continue // somebody else made it: it stays as it is
		case !wanted:
			if err := d.keepTable(ctx, t); err != nil {
				return err
			}
			continue
		}
		for _, c := range t.Columns {
			if _, ok := want.Column(c.Name); ok {
				continue
			}
			if err := d.keepColumn(ctx, want, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *draft) keepTable(ctx context.Context, t *atlas.Table) error {
	if d.policy == Exact {
		return nil
	}
	rows, err := d.rows(ctx, t.Name)
	if err != nil || d.policy.drops(rows, d.undo.stood(t.Name, "")) {
		return err
	}
	kept := *t
	// Its foreign keys would refuse to delete rows of tables that are served, for rows that
	// nobody sees.
	kept.ForeignKeys = nil
	kept.Indexes = slices.DeleteFunc(slices.Clone(t.Indexes), func(i *atlas.Index) bool {
		return d.want.hasIndex(i.Name) // the names of indexes are the database's, not the table's
	})
	d.want.tables.AddTables(&kept)
	d.plan.Kept = append(d.plan.Kept, fmt.Sprintf("table %s with %s, which is no longer in the schema", t.Name, count(rows, "row")))
	return nil
}

// drops is whether something of ours that the schema has not is dropped. It holds so many
// rows or values, and stood there or not before the migration that is undone.
func (p Policy) drops(holds int, stood bool) bool {
	switch p {
	case Exact:
		return true
	case Tidy:
		return holds == 0
	case back:
		return !stood
	}
	return false
}

func (d *draft) keepColumn(ctx context.Context, want *atlas.Table, c *atlas.Column) error {
	if made := d.have.made(want.Name); !made.Columns[d.have.column(want.Name, c.Name)].Made {
		keepForeign(want, c)
		return nil
	}
	if d.policy == Exact {
		return nil
	}
	values, err := d.values(ctx, want.Name, c.Name)
	if err != nil || d.policy.drops(values, d.undo.stood(want.Name, c.Name)) {
		return err
	}
	kept := atlas.NewColumn(c.Name).SetType(c.Type.Type).SetNull(c.Type.Null || c.Default == nil)
	kept.Default, kept.Type.Raw = c.Default, c.Type.Raw
	want.AddColumns(kept)
	d.plan.Kept = append(d.plan.Kept, fmt.Sprintf("column %s.%s with %s, which is no longer in the schema", want.Name, c.Name, count(values, "value")))
	return nil
}

// keepForeign leaves a column that somebody else made as it is. Where it refuses every row of
// ours, draft.blocked says so.
func keepForeign(want *atlas.Table, c *atlas.Column) {
	kept := *c
	kept.Indexes, kept.ForeignKeys = nil, nil
	want.AddColumns(&kept)
	for _, fk := range c.ForeignKeys {
		if len(fk.Columns) == 1 {
			want.AddForeignKeys(fk)
		}
	}
}

package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
)

// alter gives a step its statements. SQLite can add a nullable column or one with a constant
// default, rename, and make and drop indexes; for all else the table is made anew.
func (sqliteDialect) alter(ctx context.Context, d *draft, step *Step, have, want *atlas.Table, sources []source, changes []atlas.Change) error {
	rows, err := d.rows(ctx, want.Name)
	if err != nil {
		return err
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c atlas.Change) bool { return d.sqliteStays(sources, c) })
	switch {
	case len(changes) == 0: // only judged: what the values mean is not the database's business
		return nil
	case !d.have.made(want.Name).Made:
		return sqliteAlterForeign(ctx, d, step, want, changes)
	case slices.ContainsFunc(changes, func(c atlas.Change) bool { return !sqliteAlterable(c) }):
		d.rewrite, d.moved[want.Name] = true, true
		step.Statements = d.rebuild(want, want.Indexes, sources)
		if !slices.ContainsFunc(step.Changes, func(c Change) bool { return c.Verdict != Harmless }) {
			step.Reverse = d.rebuild(have, have.Indexes, reversed(have, sources))
		}
		if rows > 0 {
			step.Locks = fmt.Sprintf("the database, for writers, while %s %s copied", count(rows, "row"), verb(rows, "is", "are"))
		}
		return nil
	}
	if rows > 0 && slices.ContainsFunc(changes, addsIndex) {
		step.Locks = fmt.Sprintf("the database, for writers, while %s %s indexed", count(rows, "row"), verb(rows, "is", "are"))
	}
	return sqliteAlter(ctx, step, want, changes)
}

// sqliteStays is whether a change is one of meaning only: Atlas did not ask for it, and every
// value is copied as it is.
func (d *draft) sqliteStays(sources []source, c atlas.Change) bool {
	m, ok := c.(*atlas.ModifyColumn)
	if !ok || m.Change != atlas.ChangeType || d.kindOf(m.From.Type.Type) != d.kindOf(m.To.Type.Type) {
		return false
	}
	i := slices.IndexFunc(sources, func(s source) bool { return s.column == m.To })
	return d.expr(sources[i], sources[i].name) == d.quote(sources[i].name)
}

// sqliteAlterForeign changes a table that somebody else made, which is never made anew: what a
// schema cannot say of it would be lost. A column of ours can be dropped all the same.
func sqliteAlterForeign(ctx context.Context, d *draft, step *Step, want *atlas.Table, changes []atlas.Change) error {
	var simple []atlas.Change
	var drops []string
	for _, c := range changes {
		dropped, drop := c.(*atlas.DropColumn)
		switch {
		case drop:
			drops = append(drops, "ALTER TABLE "+d.quote(want.Name)+" DROP COLUMN "+d.quote(dropped.C.Name))
		case sqliteAlterable(c):
			simple = append(simple, c)
		default:
			step.forbid("SQLite would have to make the table %s anew, which was not made here: what a schema cannot say of it would be lost; change it with the means of SQLite, and then the schema", want.Name)
			return nil
		}
	}
	if len(simple) > 0 {
		if err := sqliteAlter(ctx, step, want, simple); err != nil {
			return err
		}
	}
	if step.Statements = append(step.Statements, drops...); len(drops) > 0 {
		step.Reverse = nil
	}
	return nil
}

// forbid makes every change of a step impossible.
func (s *Step) forbid(why string, args ...any) {
	for i := range s.Changes {
		if s.Changes[i].Verdict != Impossible {
			s.Changes[i] = s.Changes[i].impossible(why, args...)
		}
	}
}

func sqliteAlterable(c atlas.Change) bool {
	switch c := c.(type) {
	case *atlas.AddIndex, *atlas.DropIndex, *atlas.ModifyIndex:
		return true
	case *atlas.AddColumn:
		_, expression := c.C.Default.(*atlas.RawExpr)
		return (c.C.Type.Null || c.C.Default != nil) && !expression && len(c.C.ForeignKeys) == 0 && len(c.C.Attrs) == 0
	}
	return false
}

func addsIndex(c atlas.Change) bool {
	switch c.(type) {
	case *atlas.AddIndex, *atlas.ModifyIndex:
		return true
	}
	return false
}

// sqliteAlter lets Atlas write what needs no new table.
func sqliteAlter(ctx context.Context, step *Step, want *atlas.Table, changes []atlas.Change) error {
	var simple []atlas.Change
	var defaults []string // of the columns that are added
	for _, c := range changes {
		switch c := c.(type) { // for some of which Atlas would make a new table
		case *atlas.ModifyIndex:
			simple = append(simple, &atlas.DropIndex{I: c.From}, &atlas.AddIndex{I: c.To})
		case *atlas.AddColumn:
			bare, said := *c.C, ""
			if bare.Indexes = nil; bare.Default != nil {
				said, bare.Default = " DEFAULT "+defaultSQL(c.C), nil
			}
			simple, defaults = append(simple, &atlas.AddColumn{C: &bare}), append(defaults, said)
		default:
			simple = append(simple, c)
		}
	}
	plan, err := sqlite.DefaultPlan.PlanChanges(ctx, want.Name, []atlas.Change{&atlas.ModifyTable{T: want, Changes: simple}})
	if err != nil {
		return err
	}
	for _, c := range plan.Changes {
		if len(defaults) > 0 && strings.Contains(c.Cmd, " ADD COLUMN ") {
			c.Cmd, defaults = c.Cmd+defaults[0], defaults[1:]
		}
		step.Statements = append(step.Statements, c.Cmd)
		if undo, ok := c.Reverse.(string); ok {
			step.Reverse = append([]string{undo}, step.Reverse...)
		}
	}
	return nil
}

// rebuild makes a table anew and copies every row. Foreign keys are off meanwhile, so that
// dropping the old one neither cascades nor is refused; those of other tables name the table
// and find the new one.
func (d *draft) rebuild(t *atlas.Table, indexes []*atlas.Index, sources []source) []string {
	fresh := *t
	fresh.Name, fresh.Indexes = "_spacecloud_new_"+t.Name, nil
	var to, from []string
	for _, s := range sources {
		if expr := d.expr(s, s.name); !generated(s.column) && expr != "NULL" {
			to, from = append(to, s.column.Name), append(from, expr)
		}
	}
	statements := append(d.createTable(&fresh), "INSERT INTO "+d.quote(fresh.Name)+" ("+quoteAll(d, to)+") SELECT "+strings.Join(from, ", ")+" FROM "+d.quote(t.Name))
	statements = append(statements, keepSequence(t, fresh.Name)...)
	statements = append(statements, "DROP TABLE "+d.quote(t.Name))
	statements = append(statements, d.moveIn(fresh.Name, t.Name)...)
	full := *t
	full.Indexes = indexes
	statements = append(statements, d.createTable(&full)[1:]...)
	for _, o := range d.have.others[d.have.table(t.Name)] {
		statements = append(statements, o.text)
	}
	return statements
}

// moveIn gives the new table the name of the old one. A view or trigger that somebody else
// made names a table that is not there at this moment, which SQLite would refuse.
func (d *draft) moveIn(from, to string) []string {
	rename := renameTable(d, from, to)
	if len(d.have.others) == 0 && len(d.have.views) == len(d.have.ourViews()) {
		return []string{rename}
	}
	return []string{"PRAGMA legacy_alter_table = ON", rename, "PRAGMA legacy_alter_table = OFF"}
}

// keepSequence keeps the highest number that was ever given, also when its row is gone.
func keepSequence(t *atlas.Table, fresh string) []string {
	if !slices.ContainsFunc(t.Columns, func(c *atlas.Column) bool { return has(c.Attrs, new(sqlite.AutoIncrement)) }) {
		return nil
	}
	highest := "(SELECT max(seq) FROM sqlite_sequence WHERE name IN (" + text(t.Name) + ", " + text(fresh) + "))"
	return []string{
		"INSERT INTO sqlite_sequence (name, seq) SELECT " + text(fresh) + ", coalesce(" + highest + ", 0)",
		"DELETE FROM sqlite_sequence WHERE name = " + text(fresh) + " AND rowid < (SELECT max(rowid) FROM sqlite_sequence WHERE name = " + text(fresh) + ")",
	}
}

// reversed are the sources of the columns of a table as it was, in the table as it will be.
func reversed(have *atlas.Table, sources []source) []source {
	var back []source
	for _, c := range have.Columns {
		i := slices.IndexFunc(sources, func(s source) bool { return s.had == c })
		if i < 0 {
			back = append(back, source{column: c})
			continue
		}
		s := sources[i]
		back = append(back, source{column: c, had: s.column, name: s.column.Name, from: s.to, to: s.from})
	}
	return back
}

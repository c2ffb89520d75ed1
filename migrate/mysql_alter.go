package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
)

// mysqlStaged begins the names of columns that are prepared beside others.
const mysqlStaged = "_spacecloud_staged_"

// alter makes all changes of a table by one ALTER TABLE, which is done or not. Values that
// become others are prepared: in a column beside the old one that the database computes from
// it, also for rows that others write meanwhile, and that then takes its place.
func (l mysqlDialect) alter(ctx context.Context, d *draft, step *Step, have, want *atlas.Table, sources []source, changes []atlas.Change) error {
	rows, err := d.rows(ctx, want.Name)
	if err != nil {
		return err
	}
	a := mysqlAlteration{dialect: l, table: want, old: have, sources: sources, rows: rows}
	a.addAll(changes)
	step.Statements, step.turn, step.staged = a.statements(), len(a.before), len(a.undo) > 0
	step.undo, step.Locks = a.undo, a.locks()
	if !slices.ContainsFunc(step.Changes, func(c Change) bool { return c.Verdict != Harmless }) {
		back := mysqlAlteration{dialect: l, table: have, old: want, sources: reversed(have, sources), rows: rows}
		var inverses []atlas.Change
		for _, c := range slices.Backward(changes) {
			inverses = append(inverses, inverse(c))
		}
		back.addAll(inverses)
		if !back.lost {
			step.Reverse = back.statements()
		}
	}
	for _, name := range a.touched {
		d.retype[want.Name+"."+name] = true
	}
	d.retype[want.Name] = d.retype[want.Name] || a.rekeyed
	return nil
}

type mysqlAlteration struct {
	dialect mysqlDialect
	table   *atlas.Table // as it will be
	old     *atlas.Table // as it is
	sources []source
	rows    int

	before  []string // statements that prepare
	staged  []string // clauses of an ALTER TABLE that prepares
	clauses []string // of the ALTER TABLE
	after   []string // statements
	undo    []string
	touched []string // columns that foreign keys have to let go of
	rekeyed bool     // a unique index or the primary key is made anew
	copied  bool     // writers wait
	lost    bool     // some values have no way back
}

func (a *mysqlAlteration) addAll(changes []atlas.Change) {
	var beside []*atlas.Column
	for _, c := range changes {
		if m, ok := c.(*atlas.ModifyColumn); ok && a.becomesOther(m) {
			beside = append(beside, m.To)
			a.stage(m)
			continue
		}
		a.add(c)
	}
	a.keepKeys(beside, changes)
	if len(a.staged) > 0 {
		a.before = append(a.before, a.alterTable(a.staged))
	}
}

func (a *mysqlAlteration) alterTable(clauses []string) string {
	return "ALTER TABLE " + a.dialect.quote(a.table.Name) + " " + strings.Join(clauses, ", ")
}

func (a *mysqlAlteration) statements() []string {
	statements := slices.Clone(a.before)
	if len(a.clauses) > 0 {
		statements = append(statements, a.alterTable(a.clauses))
	}
	return append(statements, a.after...)
}

// locks says who waits. Columns come and go and indexes are made without anybody noticing; a
// type or a check has the rows copied, while they can be read.
func (a *mysqlAlteration) locks() string {
	if a.rows == 0 || !a.copied {
		return ""
	}
	return fmt.Sprintf("%s, for writers, while %s %s copied", a.table.Name, count(a.rows, "row"), verb(a.rows, "is", "are"))
}

func (a *mysqlAlteration) add(c atlas.Change) {
	switch c := c.(type) {
	case *atlas.AddColumn:
		a.addColumn(c)
		return
	case *atlas.ModifyColumn:
		a.modifyColumn(c)
		return
	case *atlas.ModifyIndex:
		a.rekeyed = a.rekeyed || c.From.Unique
		a.clause(&atlas.DropIndex{I: c.From})
		a.clause(&atlas.AddIndex{I: c.To})
		return
	case *atlas.DropIndex:
		a.rekeyed = a.rekeyed || c.I.Unique
	case *atlas.DropPrimaryKey, *atlas.ModifyPrimaryKey:
		a.rekeyed = true
	case *atlas.ModifyCheck:
		a.copied = true
		a.clause(&atlas.DropCheck{C: c.From})
		a.clause(&atlas.AddCheck{C: c.To})
		return
	case *atlas.AddCheck:
		a.copied = true
	}
	a.clause(c)
}

// clause lets Atlas write a change.
func (a *mysqlAlteration) clause(c atlas.Change) { a.clauses = append(a.clauses, a.written(c)) }

func (a *mysqlAlteration) written(c atlas.Change) string {
	statement := strings.Join(a.dialect.statements(a.table, c), "; ")
	return strings.TrimPrefix(statement, "ALTER TABLE "+a.dialect.quote(a.table.Name)+" ")
}

func (a *mysqlAlteration) source(c *atlas.Column) source {
	i := slices.IndexFunc(a.sources, func(s source) bool { return s.column == c })
	if i < 0 {
		return source{column: c}
	}
	return a.sources[i]
}

// addColumn fills a column for the rows that are there.
func (a *mysqlAlteration) addColumn(c *atlas.AddColumn) {
	s := a.source(c.C)
	if s.fill == "" || c.C.Default != nil || a.rows == 0 {
		a.clause(c)
		return
	}
	filled := *c.C
	filled.Default = &atlas.RawExpr{X: "(" + s.fill + ")"}
	a.clause(&atlas.AddColumn{C: &filled})
	a.after = append(a.after, a.alterTable([]string{"ALTER COLUMN " + a.dialect.quote(c.C.Name) + " DROP DEFAULT"}))
}

// becomesOther is whether values have to be computed.
func (a *mysqlAlteration) becomesOther(c *atlas.ModifyColumn) bool {
	if !c.Change.Is(atlas.ChangeType) || a.rows == 0 {
		return false
	}
	s := a.source(c.To)
	conversion, ok := a.dialect.convert(s, a.dialect.quote(s.name))
	return ok && conversion.expr != a.dialect.quote(s.name)
}

// stage prepares a column beside the one that it takes the place of.
func (a *mysqlAlteration) stage(c *atlas.ModifyColumn) {
	s, name := a.source(c.To), a.dialect.quote(c.To.Name)
	column := a.dialect.quote(fmt.Sprintf("%s%d", mysqlStaged, len(a.staged)))
	typ := a.dialect.typeName(c.To.Type.Type)
	a.staged = append(a.staged, fmt.Sprintf("ADD COLUMN %s %s GENERATED ALWAYS AS (%s) STORED AFTER %s", column, typ, exprOf(a.dialect, s, s.name), name))
	definition := strings.TrimPrefix(a.written(&atlas.ModifyColumn{From: c.To, To: c.To, Change: atlas.ChangeType}), "MODIFY COLUMN ")
	a.clauses = append(a.clauses, "DROP COLUMN "+name, "CHANGE COLUMN "+column+" "+definition)
	a.undo = append(a.undo, a.alterTable([]string{"DROP COLUMN " + column}))
	a.touched, a.copied = append(a.touched, c.To.Name), true
}

// keepKeys makes the indexes anew that would go with a column.
func (a *mysqlAlteration) keepKeys(columns []*atlas.Column, changes []atlas.Change) {
	holds := func(i *atlas.Index) bool {
		return slices.ContainsFunc(i.Parts, func(p *atlas.IndexPart) bool {
			return p.C != nil && slices.ContainsFunc(columns, func(c *atlas.Column) bool { return c.Name == p.C.Name })
		})
	}
	changed := map[string]bool{}
	for _, c := range changes {
		switch c := c.(type) {
		case *atlas.DropIndex:
			changed[c.I.Name] = true
		case *atlas.ModifyIndex:
			changed[c.From.Name] = true
		case *atlas.ModifyPrimaryKey, *atlas.DropPrimaryKey, *atlas.AddPrimaryKey:
			changed[""] = true
		}
	}
	for _, i := range a.old.Indexes {
		if holds(i) && !changed[i.Name] {
			a.clause(&atlas.DropIndex{I: i})
			a.clause(&atlas.AddIndex{I: i})
		}
	}
	if p := a.old.PrimaryKey; p != nil && holds(p) && !changed[""] {
		a.clause(&atlas.ModifyPrimaryKey{From: p, To: p, Change: atlas.ChangeParts})
	}
}

func (a *mysqlAlteration) modifyColumn(c *atlas.ModifyColumn) {
	s := a.source(c.To)
	if c.Change.Is(atlas.ChangeType) {
		a.copied = true
		if _, ok := a.dialect.convert(s, a.dialect.quote(s.name)); !ok {
			a.lost = true
		}
		if a.dialect.typeName(c.From.Type.Type) == a.dialect.typeName(c.To.Type.Type) && c.Change == atlas.ChangeType && sameCollation(c.From, c.To) {
			return // only what it means, which is not the database's business
		}
	}
	if c.Change.Is(atlas.ChangeNull) && !c.To.Type.Null && s.fill != "" && a.rows > 0 {
		name := a.dialect.quote(c.To.Name)
		a.before = append(a.before, "UPDATE "+a.dialect.quote(a.table.Name)+" SET "+name+" = "+s.fill+" WHERE "+name+" IS NULL")
	}
	if c.Change.Is(atlas.ChangeType) || c.Change.Is(atlas.ChangeNull) {
		a.touched = append(a.touched, c.To.Name)
	}
	a.clause(c)
}

func sameCollation(a, b *atlas.Column) bool {
	var of, wanted atlas.Collation
	return !has(b.Attrs, &wanted) || has(a.Attrs, &of) && strings.EqualFold(of.V, wanted.V)
}

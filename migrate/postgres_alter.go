package migrate

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
)

// alter lets Atlas write the step, but for what it does not know: how values convert, what
// fills a column that takes no null any more, and numbers that are counted from now on.
func (l postgresDialect) alter(ctx context.Context, d *draft, step *Step, have, want *atlas.Table, sources []source, changes []atlas.Change) error {
	rows, err := d.rows(ctx, want.Name)
	if err != nil {
		return err
	}
	a := postgresAlteration{dialect: l, draft: d, table: want, sources: sources, rows: rows}
	for _, c := range changes {
		a.add(c)
	}
	step.Statements = a.statements()
	step.Locks = a.locks(step.Statements)
	if !slices.ContainsFunc(step.Changes, func(c Change) bool { return c.Verdict != Harmless }) {
		back := postgresAlteration{dialect: l, draft: d, table: have, sources: reversed(have, sources)}
		for _, c := range slices.Backward(changes) {
			back.add(inverse(c))
		}
		if !back.lost {
			step.Reverse = back.statements()
		}
	}
	a.mark()
	return nil
}

type postgresAlteration struct {
	dialect postgresDialect
	draft   *draft
	table   *atlas.Table
	sources []source
	rows    int

	before, after []string
	changes       []atlas.Change
	later         []atlas.Change
	retyped       []string // columns
	rewritten     bool     // their values are written anew
	rekeyed       bool     // a unique index or the primary key is made anew
	narrowed      bool     // a view may read what is gone
	indexed       bool
	checked       bool
	lost          bool // some values have no way back
}

func (a *postgresAlteration) statements() []string {
	statements := a.before
	for _, changes := range [][]atlas.Change{a.changes, a.later} {
		if len(changes) > 0 {
			statements = append(statements, a.dialect.statements(a.table, changes...)...)
		}
	}
	return append(statements, a.after...)
}

// locks says who waits, and for what. All steps are one transaction, so that who waits for one
// waits for those after it. What needs no look at the rows has its lock for a moment, if it is
// the last.
func (a *postgresAlteration) locks(statements []string) string {
	if a.rows == 0 {
		return ""
	}
	who := "everyone" // ALTER TABLE is ACCESS EXCLUSIVE, CREATE INDEX is SHARE
	if !slices.ContainsFunc(statements, func(s string) bool { return !strings.HasPrefix(s, "CREATE ") }) {
		who = "writers"
	}
	rows, are := count(a.rows, "row"), verb(a.rows, "is", "are")
	locks := func(what string) string {
		return fmt.Sprintf("%s, for %s, until the migration ends; %s %s %s", a.table.Name, who, rows, are, what)
	}
	switch {
	case a.rewritten:
		return locks("rewritten")
	case a.checked:
		return locks("checked")
	case a.indexed:
		return locks("indexed")
	}
	return ""
}

// mark tells the draft what foreign keys and views have to be out of the way of.
func (a *postgresAlteration) mark() {
	for _, c := range a.retyped {
		a.draft.retype[a.table.Name+"."+c] = true
	}
	if a.rekeyed {
		a.draft.retype[a.table.Name] = true
	}
	a.draft.rewrite = a.draft.rewrite || a.narrowed || len(a.retyped) > 0
}

func (a *postgresAlteration) add(c atlas.Change) {
	switch c := c.(type) {
	case *atlas.AddColumn:
		a.addColumn(c)
		return
	case *atlas.ModifyColumn:
		a.modifyColumn(c)
		return
	case *atlas.DropColumn:
		a.narrowed = true
	case *atlas.AddIndex:
		a.indexed = true
	case *atlas.ModifyIndex:
		a.indexed, a.rekeyed = true, a.rekeyed || c.From.Unique
		// Atlas takes the one for the other where only the uniqueness differs.
		a.changes = append(a.changes, &atlas.DropIndex{I: c.From}, &atlas.AddIndex{I: c.To})
		return
	case *atlas.DropIndex:
		a.rekeyed = a.rekeyed || c.I.Unique
	case *atlas.DropPrimaryKey, *atlas.ModifyPrimaryKey:
		a.indexed, a.rekeyed = true, true
	case *atlas.AddPrimaryKey:
		a.indexed = true
	case *atlas.AddCheck, *atlas.ModifyCheck:
		a.checked = true
	}
	a.changes = append(a.changes, c)
}

func (a *postgresAlteration) source(c *atlas.Column) source {
	i := slices.IndexFunc(a.sources, func(s source) bool { return s.column == c })
	if i < 0 {
		return source{column: c}
	}
	return a.sources[i]
}

// addColumn fills a column for the rows that are there.
func (a *postgresAlteration) addColumn(c *atlas.AddColumn) {
	s := a.source(c.C)
	if s.fill == "" || c.C.Default != nil || a.rows == 0 {
		a.changes = append(a.changes, c)
		return
	}
	filled := *c.C
	filled.Default = &atlas.RawExpr{X: s.fill}
	a.changes = append(a.changes, &atlas.AddColumn{C: &filled})
	a.later = append(a.later, &atlas.ModifyColumn{From: &filled, To: c.C, Change: atlas.ChangeDefault})
}

func (a *postgresAlteration) modifyColumn(c *atlas.ModifyColumn) {
	s := a.source(c.To)
	retype := c.Change.Is(atlas.ChangeType) && !a.stays(s)
	if retype {
		a.retype(c, s)
	} else {
		a.fill(c, s)
		if c.Change.Is(atlas.ChangeDefault) {
			a.modify(c, c.To, atlas.ChangeDefault, "")
		}
	}
	if c.Change.Is(atlas.ChangeAttr) {
		a.number(c, s)
	}
	if c.Change.Is(atlas.ChangeNull) {
		a.checked = a.checked || !c.To.Type.Null
		a.modify(c, c.To, atlas.ChangeNull, "")
	}
	if c.Change.Is(atlas.ChangeGenerated) {
		a.modify(c, c.To, atlas.ChangeGenerated, "")
	}
}

// retype gives a column another type without a default in between, that might have no way.
func (a *postgresAlteration) retype(c *atlas.ModifyColumn, s source) {
	bare := *c.To
	bare.Default = nil
	if c.From.Default != nil {
		a.modify(c, &bare, atlas.ChangeDefault, "")
	}
	if _, ok := a.dialect.convert(s, a.dialect.quote(s.name)); !ok {
		a.lost = true
	}
	a.modify(c, c.To, atlas.ChangeType, a.dialect.cast(exprOf(a.dialect, s, s.name), a.dialect.typeName(c.To.Type.Type)))
	if c.To.Default != nil {
		a.modify(c, c.To, atlas.ChangeDefault, "")
	}
	a.retyped = append(a.retyped, c.To.Name)
	a.rewritten = a.rewritten || s.from != s.to || !roomier(c.From.Type.Type, c.To.Type.Type) // PostgreSQL knows that longer texts are the same
}

// fill gives a value to the rows that have none.
func (a *postgresAlteration) fill(c *atlas.ModifyColumn, s source) {
	if c.Change.Is(atlas.ChangeNull) && !c.To.Type.Null && s.fill != "" && a.rows > 0 {
		name := a.dialect.quote(c.To.Name)
		a.before = append(a.before, "UPDATE "+a.dialect.quote(a.table.Name)+" SET "+name+" = "+s.fill+" WHERE "+name+" IS NULL")
	}
}

// number begins or ends to number the rows, from the highest number that is there.
func (a *postgresAlteration) number(c *atlas.ModifyColumn, s source) {
	alter := "ALTER TABLE " + a.dialect.quote(a.table.Name) + " ALTER COLUMN " + a.dialect.quote(c.To.Name)
	if !has(c.To.Attrs, new(postgres.Identity)) {
		a.before = append(a.before, alter+" DROP IDENTITY")
		return
	}
	column := a.dialect.quote(s.column.Name)
	a.after = append(a.after, alter+" ADD GENERATED BY DEFAULT AS IDENTITY",
		"SELECT setval(pg_get_serial_sequence("+text(a.dialect.quote(a.table.Name))+", "+text(c.To.Name)+"), greatest(max("+column+"), 1), max("+column+") >= 1) FROM "+a.dialect.quote(a.table.Name))
}

func (a *postgresAlteration) modify(c *atlas.ModifyColumn, to *atlas.Column, kind atlas.ChangeKind, using string) {
	m := &atlas.ModifyColumn{From: c.From, To: to, Change: kind}
	if using != "" {
		m.Extra = []atlas.Clause{&postgres.ConvertUsing{X: using}}
	}
	a.changes = append(a.changes, m)
}

// stays is whether a column's type is the same and every value is: only what it means, which
// is not the database's business, is another thing.
func (a *postgresAlteration) stays(s source) bool {
	return s.had != nil && a.dialect.typeName(s.had.Type.Type) == a.dialect.typeName(s.column.Type.Type) &&
		exprOf(a.dialect, s, s.name) == a.dialect.quote(s.name)
}

// inverse leads back from a change.
func inverse(c atlas.Change) atlas.Change {
	switch c := c.(type) {
	case *atlas.AddColumn:
		return &atlas.DropColumn{C: c.C}
	case *atlas.DropColumn:
		return &atlas.AddColumn{C: c.C}
	case *atlas.ModifyColumn:
		return &atlas.ModifyColumn{From: c.To, To: c.From, Change: c.Change}
	case *atlas.AddIndex:
		return &atlas.DropIndex{I: c.I}
	case *atlas.DropIndex:
		return &atlas.AddIndex{I: c.I}
	case *atlas.ModifyIndex:
		return &atlas.ModifyIndex{From: c.To, To: c.From, Change: c.Change}
	case *atlas.AddPrimaryKey:
		return &atlas.DropPrimaryKey{P: c.P}
	case *atlas.DropPrimaryKey:
		return &atlas.AddPrimaryKey{P: c.P}
	case *atlas.ModifyPrimaryKey:
		return &atlas.ModifyPrimaryKey{From: c.To, To: c.From, Change: c.Change}
	case *atlas.AddCheck:
		return &atlas.DropCheck{C: c.C}
	case *atlas.DropCheck:
		return &atlas.AddCheck{C: c.C}
	case *atlas.ModifyCheck:
		return &atlas.ModifyCheck{From: c.To, To: c.From, Change: c.Change}
	}
	return c
}

// orderViews puts a view after those whose names its statement says.
func orderViews(views []generator.View) []generator.View {
	var ordered []generator.View
	seen := map[string]bool{}
	var visit func(v generator.View)
	visit = func(v generator.View) {
		if seen[v.Name] {
			return
		}
		seen[v.Name] = true
		for _, other := range views {
			if regexp.MustCompile(`\b` + regexp.QuoteMeta(other.Name) + `\b`).MatchString(v.SQL) {
				visit(other)
			}
		}
		ordered = append(ordered, v)
	}
	for _, v := range views {
		visit(v)
	}
	return ordered
}

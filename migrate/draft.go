package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	atlas "ariga.io/atlas/sql/schema"
)

// draft is a plan in the making.
type draft struct {
	dialect

	conn    *sql.Conn
	have    *state
	want    *goal
	policy  Policy
	undo    *undoing  // nil for what leads to a schema
	now     time.Time // for @createdAt columns of rows that are there already
	renames []renaming
	counted map[string]int  // rows by table of the database
	rewrite bool            // some table is renamed, rewritten or dropped, which views would be in the way of
	moved   map[string]bool // tables, by their wanted names, whose rows or columns are not where they were
	retype  map[string]bool // columns (table.column) that change their type, and tables whose keys are made anew
	plan    *Plan
}

func draftPlan(ctx context.Context, conn *sql.Conn, db Database, g *goal, o Options) (Plan, error) {
	plan := Plan{Database: db.Name, Product: db.Product, finger: g.fingerprint()}
	have, err := g.inspect(ctx, conn, g)
	if err != nil {
		return plan, fmt.Errorf("database %s: %w", db.Name, err)
	}
	plan.aims(g.sources, o)
	plan.Unfinished, plan.carried = have.unfinished, have.carried
	if err := plan.drifted(ctx, conn, g, have); err != nil {
		return plan, fmt.Errorf("database %s: %w", db.Name, err)
	}
	d := &draft{dialect: g.dialect, conn: conn, have: have, want: g, policy: o.Policy, undo: o.undo, now: time.Now(), counted: map[string]int{}, moved: map[string]bool{}, retype: map[string]bool{}, plan: &plan}
	plan.Foreign = have.foreign
	if err := d.make(ctx); err != nil {
		return plan, fmt.Errorf("plan the migration of database %s: %w", db.Name, err)
	}
	plan.remedies(have.table)
	return plan, nil
}

func (d *draft) make(ctx context.Context) error {
	d.renames = d.have.follow(d.want, d.undo)
	if err := d.keep(ctx); err != nil {
		return err
	}
	d.addRenames()
	for _, t := range d.want.tables.Tables {
		if err := d.addTable(ctx, t); err != nil {
			return err
		}
	}
	for _, t := range d.have.tables.Tables {
		if _, wanted := d.want.tables.Table(t.Name); wanted {
			continue
		}
		if err := d.dropTable(ctx, t); err != nil {
			return err
		}
	}
	d.plan.Steps = d.arrange(d, d.plan.Steps)
	d.addViews()
	d.addSearches()
	d.plan.made = d.recorded()
	d.plan.had, d.plan.grown = d.have.record, d.have.unfinished || !d.plan.made.equal(d.have.record)
	return nil
}

func (d *draft) addRenames() {
	for _, r := range d.renames {
		do, undo := r.statement(d)
		d.add(Step{
			Object: r.table, Changes: []Change{{Comment: r.comment(), lacks: true}},
			Statements: []string{do}, Reverse: []string{undo}, phase: renamed, rename: r,
		})
		d.rewrite, d.moved[r.table] = true, true
	}
}

func (d *draft) add(s Step) { d.plan.Steps = append(d.plan.Steps, s) }

func (d *draft) addTable(ctx context.Context, want *atlas.Table) error {
	have, there := d.have.tables.Table(want.Name)
	switch {
	case d.have.served[want.Name]:
		if blocked := d.unfillable(want.Name, d.have.required(want.Name)); len(blocked) > 0 {
			d.add(Step{Object: want.Name, Changes: blocked, phase: altered})
		}
		return nil
	case there:
		return d.changeTable(ctx, have, want)
	}
	d.add(d.create(d, want))
	return nil
}

func (d *draft) dropTable(ctx context.Context, t *atlas.Table) error {
	if made := d.have.made(t.Name); !made.Made {
		d.plan.Foreign = append(d.plan.Foreign, t.Name)
		return nil
	}
	rows, err := d.rows(ctx, t.Name)
	if err != nil {
		return err
	}
	change := Change{Comment: "drop table " + t.Name, Check: "it holds no rows"}
	switch {
	case rows > 0:
		change = change.destroys("it holds %s", count(rows, "row")).loses("the %s of %s", count(rows, "row"), t.Name)
	case d.policy == Exact:
		change = change.destroys("it holds no rows, but servers of an older version ask for it")
	}
	if change, err = d.unread(ctx, change, t.Name, "", nil); err != nil {
		return err
	}
	d.rewrite, d.moved[t.Name] = true, true
	d.add(Step{Object: t.Name, Changes: []Change{change}, Statements: []string{"DROP TABLE " + d.quote(t.Name)}, phase: dropped})
	return nil
}

// changeTable plans what makes a table that is there as it is wanted.
func (d *draft) changeTable(ctx context.Context, have, want *atlas.Table) error {
	d.adopt(have, want)
	changes, err := d.diff(ctx, d, have, want)
	if err != nil {
		return err
	}
	sources := d.sources(have, want)
	changes = append(changes, d.retyped(sources, changes)...)
	step := Step{Object: want.Name, phase: altered}
	var own []atlas.Change
	for _, c := range changes {
		change, err := d.describe(ctx, have, want, sources, c)
		if err != nil {
			return err
		}
		if !d.aside(d, have, want, c, change) {
			own, step.Changes = append(own, c), append(step.Changes, change)
		}
	}
	step.Changes = append(step.Changes, d.unfillable(want.Name, requiredOf(want))...)
	if len(step.Changes) == 0 {
		return nil
	}
	if err := d.alter(ctx, d, &step, have, want, sources, own); err != nil {
		return err
	}
	d.add(step)
	return nil
}

func samePart(a, b *atlas.IndexPart) bool {
	return a.C != nil && b.C != nil && a.C.Name == b.C.Name && a.Desc == b.Desc
}

// retyped are the columns whose values mean something else now, though the database's type is
// the same: a text that has to be a date.
func (d *draft) retyped(sources []source, seen []atlas.Change) []atlas.Change {
	var found []atlas.Change
	for _, s := range sources {
		known := slices.ContainsFunc(seen, func(c atlas.Change) bool {
			m, ok := c.(*atlas.ModifyColumn)
			return ok && m.To == s.column && m.Change.Is(atlas.ChangeType)
		})
		if s.had != nil && s.from != s.to && !known && !d.same(s) {
			found = append(found, &atlas.ModifyColumn{From: s.had, To: s.column, Change: atlas.ChangeType})
		}
	}
	return found
}

// unfillable are columns that somebody else made and that the schema does not know, which no
// insert could leave out.
func (d *draft) unfillable(table string, required []string) []Change {
	t := d.want.byName[table]
	if t == nil || t.Rules.Create.Text == "" {
		return nil
	}
	var changes []Change
	for _, column := range required {
		if d.want.field(table, column) == nil {
			changes = append(changes, Change{
				Comment: fmt.Sprintf("column %s.%s is not in the schema", table, column),
				Verdict: Impossible, lacks: true,
				Reason: "it was not made here and takes neither null nor a default, so that no row could be inserted; add it to the schema, or give it a default in the database",
			})
		}
	}
	return changes
}

// requiredOf are the columns of a table that no insert may leave out.
func requiredOf(t *atlas.Table) []string {
	var names []string
	for _, c := range t.Columns {
		if !c.Type.Null && c.Default == nil && !generated(c) {
			names = append(names, c.Name)
		}
	}
	return names
}

func generated(c *atlas.Column) bool { return has(c.Attrs, new(atlas.GeneratedExpr)) }

// recorded is what is ours once the plan is done.
func (d *draft) recorded() record {
	r := newRecord()
	for _, v := range d.want.views {
		r.Views[v.Name] = d.want.createView(v.Name, v.SQL)
	}
	for _, want := range d.want.tables.Tables {
		have, there := d.have.tables.Table(want.Name)
		if d.have.served[want.Name] {
			have, there = want, true
		}
		r.Tables[want.Name] = d.recordedTable(have, want, there)
	}
	return r
}

func (d *draft) recordedTable(have, want *atlas.Table, there bool) madeTable {
	was := d.have.made(want.Name)
	made := madeTable{Type: was.Type, Made: was.Made || !there, Columns: map[string]madeColumn{}}
	if t := d.want.byName[want.Name]; t != nil {
		made.Type = t.Name
	}
	for _, c := range want.Columns {
		column := madeColumn{Made: true}
		if there && hasAtlasColumn(have, c.Name) {
			column = was.Columns[d.have.column(want.Name, c.Name)]
		}
		if f := d.want.field(want.Name, c.Name); f != nil {
			column.Field, column.Kind = f.Name, kindOf(f)
		}
		made.Columns[c.Name] = column
	}
	for _, i := range want.Indexes {
		found := there && hasIndex(have, i.Name)
		if !found || was.madeIndex(i.Name) {
			made.Indexes = append(made.Indexes, i.Name)
		}
	}
	slices.Sort(made.Indexes)
	return made
}

func hasAtlasColumn(t *atlas.Table, name string) bool { _, ok := t.Column(name); return ok }

func hasIndex(t *atlas.Table, name string) bool { _, ok := t.Index(name); return ok }

// source is where the values of a wanted column come from.
type source struct {
	column   *atlas.Column // wanted
	had      *atlas.Column // in the database; nil for a new one
	name     string        // of had, once renamed
	was      string        // of had, in the database now
	from, to string        // kinds
	fill     string        // what stands where there is no value, as SQL; "" for null
}

func (d *draft) sources(have, want *atlas.Table) []source {
	made := d.have.made(want.Name)
	sources := make([]source, 0, len(want.Columns))
	for _, c := range want.Columns {
		s := source{column: c, fill: d.fill(want.Name, c)}
		f := d.want.field(want.Name, c.Name)
		if f != nil {
			s.to = kindOf(f)
		}
		if had, ok := have.Column(c.Name); ok {
			s.had, s.name, s.was = had, c.Name, d.have.column(want.Name, c.Name)
			if s.from = made.Columns[s.was].Kind; d.plan.recast(d.have.table(want.Name), s.was) {
				s.from = ""
			}
		}
		if s.had != nil && s.from == "" {
			s.from = s.to // not known: believed, as long as the database's types agree
			if d.kindOf(s.had.Type.Type) != d.kindOf(c.Type.Type) {
				s.from = d.kindOf(s.had.Type.Type)
			}
		}
		sources = append(sources, s)
	}
	return sources
}

// fill is what rows that are there get in a column that has nothing for them: what an insert
// would get, as far as that does not depend on who inserts.
func (d *draft) fill(table string, c *atlas.Column) string {
	if c.Default != nil {
		return defaultSQL(c)
	}
	switch f := d.want.field(table, c.Name); {
	case f == nil || !f.NonNull:
		return ""
	case f.CreatedAt || f.UpdatedAt:
		return d.instant(d.now)
	case f.IsVersion:
		return firstVersion
	}
	return ""
}

// firstVersion is the @version of a row that was never updated.
const firstVersion = "1"

func defaultSQL(c *atlas.Column) string {
	switch x := c.Default.(type) {
	case *atlas.Literal:
		return x.V
	case *atlas.RawExpr:
		return x.X
	}
	return "NULL"
}

// expr is the column's new value, in a statement in which the old column is called old.
func (d *draft) expr(s source, old string) string { return exprOf(d.dialect, s, old) }

func exprOf(d dialect, s source, old string) string {
	if s.had == nil {
		if s.fill == "" || s.column.Type.Null && s.column.Default == nil {
			return "NULL"
		}
		return s.fill
	}
	c, ok := d.convert(s, d.quote(old))
	if !ok {
		return "NULL" // of nothing but nulls: lint has looked
	}
	if s.fill != "" && !s.column.Type.Null && s.had.Type.Null {
		return "coalesce(" + c.expr + ", " + s.fill + ")"
	}
	return c.expr
}

// same is whether every value stays as it is and means the same.
func (d *draft) same(s source) bool {
	c, ok := d.convert(s, "x")
	return ok && c.expr == "x" && c.fails == "" && c.loses == ""
}

// keyOf is what shows which rows are meant: the primary key as it is in the database.
func keyOf(have *atlas.Table) []string {
	if have.PrimaryKey == nil {
		return nil
	}
	var names []string
	for _, p := range have.PrimaryKey.Parts {
		if p.C != nil {
			names = append(names, p.C.Name)
		}
	}
	return names
}

// typeName is the type of a column for people: what the schema calls it if it knows.
func (d *draft) typeOf(kind string, t atlas.Type) string {
	if kind != "" {
		return kind
	}
	return d.typeName(t)
}

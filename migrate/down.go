package migrate

import (
	"context"
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/schema"
)

// A migration is undone by a plan that leads to the schema before it, and not by the ways back
// that were printed with it: rows have come and gone meanwhile, and only a plan made now knows
// what it does to those that are there.

// undoing is a migration to undo, and what the ledger knows of it.
type undoing struct {
	entry  Entry
	last   memory // of the migration
	before record // what was ours before it
}

// MakeDown plans what undoes the last migration of db. It changes nothing. The error is of
// the kind fault.NotFound where none is left.
func MakeDown(ctx context.Context, db Database, o Options) (Plan, error) {
	want, o, err := db.down(ctx, o)
	if err != nil {
		return Plan{Database: db.Name, Product: db.Product}, err
	}
	return db.engine().make(ctx, want, o)
}

// ApplyDown undoes the last migration of db, as Apply does one; the next ApplyDown undoes the
// one before it.
func ApplyDown(ctx context.Context, db Database, o Options) (Plan, error) {
	want, o, err := db.down(ctx, o)
	if err != nil {
		return Plan{Database: db.Name, Product: db.Product}, err
	}
	return db.engine().apply(ctx, want, o)
}

// down is the schema before the last migration, and how to get there.
func (db Database) down(ctx context.Context, o Options) (*schema.Schema, Options, error) {
	engine := db.engine()
	entries, err := engine.status(ctx)
	if err != nil {
		return nil, o, err
	}
	stand := standing(entries)
	failed := open(entries)
	switch {
	case failed != nil && (len(stand) == 0 || failed.Undoes != stand[len(stand)-1].ID):
		return nil, o, fault.New(fault.Conflict, "database %s: the last migration did not end; end it before another is undone: spacecloud migrate apply", db.Name)
	case len(stand) == 0:
		return nil, o, fault.New(fault.NotFound, "database %s: no migration is left to undo", db.Name)
	}
	undo := &undoing{entry: stand[len(stand)-1], before: newRecord()}
	if undo.last, _, err = engine.recall(ctx, undo.entry.ID); err != nil {
		return nil, o, err
	}
	var earlier memory
	if len(stand) > 1 {
		if earlier, undo.before, err = engine.recall(ctx, stand[len(stand)-2].ID); err != nil {
			return nil, o, err
		}
	}
	want := &schema.Schema{}
	if len(earlier.Sources) > 0 {
		if want, err = schema.Parse(earlier.Sources...); err != nil {
			return nil, o, fault.Wrap(fault.Invalid, err, "database %s: the schema before migration %d is not right for this version of the program, which cannot undo it", db.Name, undo.entry.ID)
		}
	}
	o.undo, o.Policy = undo, back
	return want, o, nil
}

// still looks, under the lock, that the migration is still the one to undo.
func (u *undoing) still(entries []Entry, database string) error {
	if stand := standing(entries); len(stand) == 0 || stand[len(stand)-1].ID != u.entry.ID {
		return fault.New(fault.Conflict, "database %s was migrated by another program meanwhile; look again: spacecloud migrate status", database)
	}
	return nil
}

// stood is whether a table, or with a name a column of it, was ours before the migration.
func (u *undoing) stood(table, column string) bool {
	if u == nil {
		return false
	}
	made, there := u.before.Tables[table]
	if column != "" {
		_, there = made.Columns[column]
	}
	return there
}

// or is what to do about a thing that is in the way of undoing, or else of a schema.
func (u *undoing) or(undo, edit string) string {
	if u != nil {
		return undo
	}
	return edit
}

// follow leads back the renames of the migration: those of tables, and then those of columns
// under the names that their tables had.
func (u *undoing) follow(table func(from, to string) bool, column func(table, from, to string) bool) []renaming {
	var done []renaming
	was := func(name string) string {
		for _, r := range slices.Backward(u.last.Renames) {
			if r.column == "" && r.to == name {
				name = r.from
			}
		}
		return name
	}
	for _, r := range slices.Backward(u.last.Renames) {
		if r.column == "" && table(r.to, r.from) {
			done = append(done, renaming{table: r.from, from: r.to, to: r.from})
		}
	}
	for _, r := range slices.Backward(u.last.Renames) {
		if r.column != "" && column(was(r.table), r.to, r.from) {
			done = append(done, renaming{table: was(r.table), column: r.from, from: r.to, to: r.from})
		}
	}
	return done
}

// refusedDown is Refused of a plan that undoes.
func (p Plan) refusedDown(mayDestroy bool) error {
	var why []string
	for _, d := range p.Drift {
		why = append(why, "changed outside: "+d.What)
	}
	if len(why) > 0 {
		why = append(why, "(the way back is from what the ledger knows; put right what was changed: spacecloud migrate status)")
	}
	if len(p.Lost) > 0 && !p.bare {
		why = append(why, "what it lost does not come back: "+strings.Join(p.Lost, "; "), "(the structure without that is had by: spacecloud migrate down --structure-only)")
	}
	refused := p.with(Impossible)
	destroying := p.with(Destroys)
	if !mayDestroy {
		refused = append(refused, destroying...)
	}
	for _, c := range refused {
		why = append(why, c.Comment+": "+c.Reason)
	}
	if !mayDestroy && len(destroying) > 0 {
		why = append(why, "(what may be lost is allowed by: spacecloud migrate down --allow-destructive)")
	}
	if len(why) == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "database %s: migration %d was not undone:\n  %s", p.Database, p.Undoes.ID, strings.Join(why, "\n  "))
}

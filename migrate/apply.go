package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"spacecloud/fault"
	"spacecloud/schema"
)

func (r relational) apply(ctx context.Context, want *schema.Schema, o Options) (Plan, error) {
	db := r.Database
	g, err := newGoal(want, db)
	if err != nil {
		return Plan{Database: db.Name}, err
	}
	var plan Plan
	err = borrow(ctx, db, func(conn *sql.Conn) error {
		return g.locked(ctx, db, conn, func() error {
			if err := g.still(ctx, conn, db, o.undo); err != nil {
				return err
			}
			err := g.look(ctx, conn, true, func() error {
				plan, err = draftPlan(ctx, conn, db, g, o)
				return err
			})
			if err != nil {
				return err
			}
			if err := plan.Refused(o.AllowDestroy); err != nil {
				return err
			}
			return plan.run(ctx, conn, g, o.Version)
		})
	})
	return plan, err
}

// still looks whether the migration to undo is the last one, now that nobody else migrates.
func (g *goal) still(ctx context.Context, conn *sql.Conn, db Database, undo *undoing) error {
	if undo == nil {
		return nil
	}
	entries, err := readLedger(ctx, conn, g)
	if err != nil {
		return err
	}
	return undo.still(entries, db.Name)
}

// commit does it in the transaction that is open on conn, and ends that: also when do panics.
func commit(ending context.Context, db Database, conn *sql.Conn, do func() error) (err error) {
	committed := false
	defer func() {
		if committed {
			return
		}
		if _, failed := conn.ExecContext(ending, "ROLLBACK"); failed != nil {
			err = errors.Join(err, fmt.Errorf("roll back: %w", failed))
		}
	}()
	if err := do(); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ending, "COMMIT"); err != nil {
		return fmt.Errorf("commit the migration of %s: %w", db.Name, err)
	}
	committed = true
	return nil
}

// run does the statements, looks whether the result holds together, and notes it.
func (p Plan) run(ctx context.Context, conn *sql.Conn, g *goal, version string) error {
	if p.Empty() && !p.noteworthy() && p.Undoes == nil {
		return nil
	}
	before, err := p.orphans(ctx, conn, g)
	if err != nil {
		return err
	}
	for i := range p.Steps {
		if err := p.step(ctx, conn, g, i, version); err != nil {
			return err
		}
	}
	after, err := p.orphans(ctx, conn, g)
	if err != nil {
		return err
	}
	if after > before {
		return fault.New(fault.Conflict, "migrate database %s: %s would point to rows that are not there", p.Database, count(after-before, "row"))
	}
	if err := readable(ctx, conn, g); err != nil {
		return err
	}
	return p.write(ctx, conn, g, version)
}

func (p Plan) step(ctx context.Context, conn *sql.Conn, g *goal, i int, version string) error {
	step := p.Steps[i]
	for n, statement := range step.Statements {
		if n == step.turn {
			if err := g.note(ctx, conn, p, i, false, version); err != nil {
				return fmt.Errorf("migrate database %s: write the ledger: %w", p.Database, err)
			}
		}
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			failed := fault.Wrap(fault.Conflict, err, "migrate database %s: %s: this statement failed: %s%s", p.Database, step.Object, statement, g.explain(err))
			if n > step.turn || len(step.undo) == 0 {
				return failed
			}
			ending := context.WithoutCancel(ctx)
			if n == step.turn {
				if err := g.note(ending, conn, p, i, true, version); err != nil {
					return errors.Join(failed, err)
				}
			}
			return errors.Join(failed, step.takeBack(ending, conn))
		}
	}
	return nil
}

// takeBack takes away what was prepared for the step's turn.
func (s Step) takeBack(ctx context.Context, conn *sql.Conn) error {
	for _, statement := range s.undo {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("take back what was prepared: %w", err)
		}
	}
	return nil
}

// noteworthy is whether an empty plan has something for the ledger all the same: what a
// column means has changed. A database of which we made nothing gets no ledger.
func (p Plan) noteworthy() bool {
	if !p.grown {
		return false
	}
	for _, t := range p.made.Tables {
		if t.Made {
			return true
		}
	}
	return false
}

// orphans counts the rows whose foreign key leads nowhere: other programs may write without
// looking, so some may have been there before.
func (p Plan) orphans(ctx context.Context, conn *sql.Conn, d dialect) (int, error) {
	if p.Empty() {
		return 0, nil
	}
	return d.orphans(ctx, conn)
}

// readable asks every view for no row: SQLite takes any text for a view, and only says when
// it is read that a table or column in it does not exist.
func readable(ctx context.Context, conn *sql.Conn, g *goal) error {
	for _, v := range g.views {
		if err := g.readView(ctx, conn, v.Name); err != nil {
			return err
		}
	}
	return nil
}

func (g *goal) readView(ctx context.Context, conn *sql.Conn, name string) error {
	t := g.byName[name]
	columns := make([]string, len(t.Columns))
	for i, f := range t.Columns {
		columns[i] = g.quote(name) + "." + g.quote(f.Column)
	}
	probe := "SELECT " + strings.Join(columns, ", ") + " FROM " + g.quote(name) + " LIMIT 1"
	if _, err := none(ctx, conn, "SELECT 1 FROM ("+probe+") AS it LIMIT 0"); err != nil {
		return schema.Problems{{Pos: t.Pos, Message: fmt.Sprintf("view %s cannot be read: %v", t.Name, err)}}
	}
	return nil
}

package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"spacecloud/fault"
	"spacecloud/schema"
)

// lockWait is how long Apply waits for another migration or writer.
const lockWait = 30 * time.Second

// Apply brings the tables of want that live in db to what want says, once: all of it or,
// with an error, nothing. It returns the plan that was done, or that was refused.
func Apply(ctx context.Context, db Database, want *schema.Schema, o Options) (Plan, error) {
	g, err := newGoal(want, db)
	if err != nil {
		return Plan{Database: db.Name}, err
	}
	var plan Plan
	err = borrow(ctx, db, func(conn *sql.Conn) error {
		return locked(ctx, db, conn, func() error {
			if plan, err = draftPlan(ctx, conn, db, g, o); err != nil {
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

// locked runs do in a transaction that holds the write lock from its beginning. Foreign
// keys are off: SQLite can only say so outside of a transaction, and a rebuild drops tables
// that others point to. What they would have refused is looked for before the commit.
func locked(ctx context.Context, db Database, conn *sql.Conn, do func() error) (err error) {
	restore, err := prepare(ctx, conn)
	if err != nil {
		return err
	}
	ending := context.WithoutCancel(ctx)
	defer func() {
		if failed := restore(ending); err == nil && failed != nil {
			err = failed
		}
	}()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fault.Wrap(fault.Unavailable, err, "database %s is locked by another program, or cannot be written; close what has it open and try again", db.Name)
	}
	committed := false
	defer func() { // also when do panics, and before the connection is set back
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

// prepare sets what the connection needs and returns what sets it back.
func prepare(ctx context.Context, conn *sql.Conn) (restore func(context.Context) error, err error) {
	var keys, busy int
	if err := conn.QueryRowContext(ctx, "PRAGMA foreign_keys").Scan(&keys); err != nil {
		return nil, err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA busy_timeout").Scan(&busy); err != nil {
		return nil, err
	}
	set := func(ctx context.Context, keys, busy int) error {
		_, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA foreign_keys = %d; PRAGMA busy_timeout = %d", keys, busy))
		return err
	}
	restore = func(ctx context.Context) error {
		// A rebuild that was interrupted leaves this on, and no rollback turns it off.
		_, err := conn.ExecContext(ctx, "PRAGMA legacy_alter_table = OFF")
		return errors.Join(err, set(ctx, keys, busy))
	}
	return restore, set(ctx, 0, int(lockWait.Milliseconds()))
}

// run does the statements, looks whether the result holds together, and notes it.
func (p Plan) run(ctx context.Context, conn *sql.Conn, g *goal, version string) error {
	if p.Empty() && !p.noteworthy() {
		return nil
	}
	before, err := p.orphans(ctx, conn)
	if err != nil {
		return err
	}
	for _, step := range p.Steps {
		for _, statement := range step.Statements {
			if _, err := conn.ExecContext(ctx, statement); err != nil {
				return fault.Wrap(fault.Conflict, err, "migrate database %s: %s: this statement failed: %s", p.Database, step.Object, statement)
			}
		}
	}
	after, err := p.orphans(ctx, conn)
	if err != nil {
		return err
	}
	if after > before {
		return fault.New(fault.Conflict, "migrate database %s: %s would point to rows that are not there", p.Database, count(after-before, "row"))
	}
	if err := readable(ctx, conn, g); err != nil {
		return err
	}
	return p.write(ctx, conn, version)
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
func (p Plan) orphans(ctx context.Context, conn *sql.Conn) (n int, err error) {
	if p.Empty() {
		return 0, nil
	}
	rows, err := conn.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return 0, fmt.Errorf("check the foreign keys: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
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
		columns[i] = quote(name) + "." + quote(f.Column)
	}
	probe := "SELECT " + strings.Join(columns, ", ") + " FROM " + quote(name) + " LIMIT 1"
	if _, err := none(ctx, conn, "SELECT 1 FROM ("+probe+") LIMIT 0"); err != nil {
		return schema.Problems{{Pos: t.Pos, Message: fmt.Sprintf("view %s cannot be read: %v", t.Name, err)}}
	}
	return nil
}

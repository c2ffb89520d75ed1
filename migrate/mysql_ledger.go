package migrate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unfinished is the kind of an entry of a migration that is under way, or that failed.
const unfinished = "unfinished"

// note is what an unfinished entry says of the step whose turn has come: what was ours before
// it, and what is after it. Whether it was done, the tables say.
type note struct {
	Object string `json:"object"`
	Phase  phase  `json:"phase"`
	// Column is that which a step renames, empty for a table; From and To are the names.
	Column string `json:"column,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
	Staged bool   `json:"staged,omitempty"`
	Drops  bool   `json:"drops,omitempty"` // a view
	Before record `json:"before"`
	After  record `json:"after"`
}

func (l mysqlDialect) note(ctx context.Context, conn *sql.Conn, p Plan, i int, failed bool, version string) error {
	before := p.had
	for _, s := range p.Steps[:i] {
		before = s.done(before, p.made)
	}
	s := p.Steps[i]
	n := note{
		Object: s.Object, Phase: s.phase, Column: s.rename.column, From: s.rename.from, To: s.rename.to,
		Staged: s.staged, Drops: strings.HasPrefix(s.Statements[0], "DROP VIEW"), Before: before, After: s.done(before, p.made),
	}
	if failed {
		n.Phase, n.Staged, n.After = cleared, false, before
	}
	doing := p.memory(p.Steps[:i+1])
	if failed {
		doing = p.memory(p.Steps[:i])
	}
	if !failed && !slices.ContainsFunc(p.Steps[:i], func(s Step) bool { return len(s.Statements) > 0 }) {
		entry := p.line(version)
		entry.kind, entry.statements, entry.made, entry.state = unfinished, []string{}, n, doing
		return addEntry(ctx, conn, l, entry)
	}
	said, err := json.Marshal(n)
	if err != nil {
		return err
	}
	state, err := json.Marshal(doing)
	if err != nil {
		return err
	}
	update := "UPDATE " + l.quote(ledger) + " SET made = ?, state = ? WHERE kind = ? ORDER BY id DESC LIMIT 1" //nolint:gosec // the name is ours
	_, err = conn.ExecContext(ctx, update, string(said), string(state), unfinished)
	return err
}

// done is what is ours once the step is done, of what was ours before it and will be after
// the plan.
func (s Step) done(was, made record) record {
	r := record{Tables: maps.Clone(was.Tables), Views: maps.Clone(was.Views)}
	if view, ok := strings.CutPrefix(s.Object, "view "); ok {
		delete(r.Views, view)
		if text, stays := made.Views[view]; stays && !strings.HasPrefix(s.Statements[0], "DROP VIEW") {
			r.Views[view] = text
		}
		return r
	}
	switch s.phase {
	case renamed:
		s.rename.follow(r)
	case created, altered:
		if t, ok := made.Tables[s.Object]; ok {
			r.Tables[s.Object] = t
		}
	case dropped:
		delete(r.Tables, s.Object)
	}
	return r
}

// follow renames in a record.
func (r renaming) follow(in record) {
	if r.column == "" {
		if t, ok := in.Tables[r.from]; ok {
			in.Tables[r.to] = t
			delete(in.Tables, r.from)
		}
		return
	}
	t, ok := in.Tables[r.table]
	if !ok {
		return
	}
	t.Columns = maps.Clone(t.Columns)
	if c, ok := t.Columns[r.from]; ok {
		t.Columns[r.to] = c
		delete(t.Columns, r.from)
	}
	in.Tables[r.table] = t
}

// mysqlRecord is what the ledger and, where the last migration failed in the middle, the
// tables say that we made.
func mysqlRecord(ctx context.Context, conn *sql.Conn, l mysqlDialect) (r record, failed bool, err error) {
	var kind, made string
	err = conn.QueryRowContext(ctx, "SELECT kind, made FROM "+l.quote(ledger)+" WHERE made IS NOT NULL ORDER BY id DESC LIMIT 1").Scan(&kind, &made)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return newRecord(), false, nil
	case err != nil:
		return r, false, fmt.Errorf("read the ledger %s: %w", ledger, err)
	case kind != unfinished:
		r, err = lastRecord(ctx, conn, l)
		return r, false, err
	}
	n := note{Before: newRecord(), After: newRecord()}
	if err := json.Unmarshal([]byte(made), &n); err != nil {
		return r, true, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	r, err = n.resolve(ctx, conn)
	return r, true, err
}

// resolve looks whether the step was done.
func (n note) resolve(ctx context.Context, conn *sql.Conn) (record, error) {
	columns, err := mysqlColumns(ctx, conn, n.Object)
	if err != nil {
		return record{}, err
	}
	there := len(columns) > 0
	var did bool
	switch {
	case strings.HasPrefix(n.Object, "view "):
		columns, err = mysqlColumns(ctx, conn, strings.TrimPrefix(n.Object, "view "))
		did = len(columns) > 0 != n.Drops
	case n.Phase == renamed && n.Column == "":
		columns, err = mysqlColumns(ctx, conn, n.From)
		did = there && len(columns) == 0
	case n.Phase == renamed:
		did = slices.Contains(columns, n.To) && !slices.Contains(columns, n.From)
	case n.Phase == dropped:
		did = !there
	case n.Phase == altered && n.Staged:
		did = !slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, mysqlStaged) })
	case n.Phase == altered:
		return n.either(), err
	default:
		did = there
	}
	if did {
		return n.After, err
	}
	return n.Before, err
}

// either is what is ours whether or not the table was altered: a column that is ours in one
// of both is, if it is there. What its values mean cannot be told apart and need not be, as
// those of a column whose values become others are prepared beside it.
func (n note) either() record {
	t := n.After.Tables[n.Object]
	was := n.Before.Tables[n.Object]
	t.Columns = maps.Clone(t.Columns)
	for name, c := range was.Columns {
		if _, ok := t.Columns[name]; !ok {
			t.Columns[name] = c
		}
	}
	for _, i := range was.Indexes {
		if !t.madeIndex(i) {
			t.Indexes = append(slices.Clone(t.Indexes), i)
		}
	}
	n.After.Tables[n.Object] = t
	return n.After
}

// mysqlColumns are the columns of a table or view, none where it does not exist.
func mysqlColumns(ctx context.Context, conn *sql.Conn, table string) ([]string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?", table)
	if err != nil {
		return nil, fmt.Errorf("list the columns of %s: %w", table, err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// finish forgets the unfinished entries, once all of a plan is done.
func (l mysqlDialect) finish(ctx context.Context, conn *sql.Conn) error {
	there, err := l.hasTable(ctx, conn, ledger)
	if err != nil || !there {
		return err
	}
	forget := "DELETE FROM " + l.quote(ledger) + " WHERE kind = ?" //nolint:gosec // the name is ours
	_, err = conn.ExecContext(ctx, forget, unfinished)
	return err
}

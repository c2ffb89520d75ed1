package migrate

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"spacecloud/schema"
)

// ledger is the table beside the data that says what was done.
const ledger = "_spacecloud_migrations"

// The kinds of entries.
const (
	migrated = "migrate"
	undone   = "down"
	seeded   = "seed"
)

// Entry is one line of the ledger.
type Entry struct {
	ID      int64
	At      time.Time
	Kind    string // migrate, down, seed, and of a migration that did not end unfinished or begun
	Undoes  int64  // the migration that a down undid, 0 for others
	Host    string
	Version string // of this program
	Plan    string // as it was printed
}

func (r relational) status(ctx context.Context) ([]Entry, error) {
	var entries []Entry
	d, err := dialectOf(r.Database)
	if err != nil {
		return nil, err
	}
	err = borrow(ctx, r.Database, func(conn *sql.Conn) error {
		there, err := d.hasTable(ctx, conn, ledger)
		if err != nil || !there {
			return err
		}
		entries, err = readLedger(ctx, conn, d)
		return err
	})
	return entries, err
}

func readLedger(ctx context.Context, conn *sql.Conn, d dialect) ([]Entry, error) {
	query := "SELECT id, at, kind, undoes, host, version, plan FROM " + d.quote(ledger) + " ORDER BY id" //nolint:gosec // the name is ours
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var e Entry
		var at string
		if err := rows.Scan(&e.ID, &at, &e.Kind, &e.Undoes, &e.Host, &e.Version, &e.Plan); err != nil {
			return nil, err
		}
		if e.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("the ledger %s: %w", ledger, err)
		}
		entries = append(entries, e)
	}
	return entries, rows.Err()
}

// lastRecord is what the newest migration says that we made.
func lastRecord(ctx context.Context, conn *sql.Conn, d dialect) (record, error) {
	return readRecord(ctx, conn, "SELECT made FROM "+d.quote(ledger)+" WHERE made IS NOT NULL ORDER BY id DESC LIMIT 1")
}

func readRecord(ctx context.Context, conn *sql.Conn, question string) (record, error) {
	r := newRecord()
	var made string
	err := conn.QueryRowContext(ctx, question).Scan(&made)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return r, nil
	case err != nil:
		return r, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	if err := json.Unmarshal([]byte(made), &r); err != nil {
		return r, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	return r, nil
}

// lastMemory is what the newest migration that ended says of the database; false if there is none.
func lastMemory(ctx context.Context, conn *sql.Conn, d dialect) (m memory, found bool, err error) {
	last := "SELECT state FROM " + d.quote(ledger) + " WHERE kind IN ('" + migrated + "', '" + undone + "') ORDER BY id DESC LIMIT 1"
	return readMemory(ctx, conn, last)
}

func readMemory(ctx context.Context, conn *sql.Conn, question string) (m memory, found bool, err error) {
	var said string
	err = conn.QueryRowContext(ctx, question).Scan(&said)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return m, false, nil
	case err == nil:
		err = json.Unmarshal([]byte(said), &m)
	}
	if err != nil {
		return m, false, fmt.Errorf("read the ledger %s: %w", ledger, err)
	}
	return m, true, nil
}

func (r relational) recall(ctx context.Context, id int64) (m memory, made record, err error) {
	made = newRecord()
	d, err := dialectOf(r.Database)
	if err != nil {
		return m, made, err
	}
	err = borrow(ctx, r.Database, func(conn *sql.Conn) error {
		if m, _, err = readMemory(ctx, conn, fmt.Sprintf("SELECT state FROM %s WHERE id = %d", d.quote(ledger), id)); err != nil {
			return err
		}
		made, err = readRecord(ctx, conn, fmt.Sprintf("SELECT made FROM %s WHERE id = %d", d.quote(ledger), id))
		return err
	})
	return m, made, err
}

// line is a line of the ledger to be written.
type line struct {
	kind, version, finger, plan string
	statements                  []string
	undoes                      int64
	made                        any // in JSON, nil for none
	state                       memory
}

// line is that of the plan.
func (p Plan) line(version string) line {
	l := line{kind: migrated, version: version, finger: p.finger, plan: p.String(), statements: p.statements()}
	if p.Undoes != nil {
		l.kind, l.undoes = undone, p.Undoes.ID
	}
	return l
}

// write adds the plan to the ledger, in the transaction that did it, and then how the database
// is now: what of it is ours, the ledger says.
func (p Plan) write(ctx context.Context, conn *sql.Conn, g *goal, version string) error {
	l := p.line(version)
	l.made, l.state = p.made, p.memory(p.Steps)
	if err := addEntry(ctx, conn, g, l); err != nil {
		return err
	}
	have, err := g.inspect(ctx, conn, g)
	if err != nil {
		return err
	}
	l.state.Shape = have.shape(g, p.made)
	state, err := json.Marshal(l.state)
	if err != nil {
		return err
	}
	var id int64
	if err := conn.QueryRowContext(ctx, "SELECT max(id) FROM "+g.quote(ledger)+" WHERE kind = '"+l.kind+"'").Scan(&id); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, g.bind("UPDATE "+g.quote(ledger)+" SET state = ? WHERE id = ?"), string(state), id)
	return err
}

func addEntry(ctx context.Context, conn *sql.Conn, d dialect, l line) error {
	if _, err := conn.ExecContext(ctx, d.createLedger()); err != nil {
		return err
	}
	var texts [3]string
	for i, value := range []any{l.statements, l.state, l.made} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		texts[i] = string(text)
	}
	made := sql.NullString{String: texts[2], Valid: l.made != nil}
	_, err := conn.ExecContext(ctx, d.bind("INSERT INTO "+d.quote(ledger)+" (at, kind, undoes, host, version, fingerprint, plan, statements, state, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
		time.Now().UTC().Format(time.RFC3339Nano), l.kind, l.undoes, hostname(), l.version, l.finger, l.plan, texts[0], texts[1], made)
	return err
}

func hostname() string {
	if host, err := os.Hostname(); err == nil {
		return host
	}
	return "unknown"
}

func (r relational) untouched(ctx context.Context, s *schema.Schema) (bool, error) {
	untouched, db := true, r.Database
	d, err := dialectOf(db)
	if err != nil {
		return false, err
	}
	err = borrow(ctx, db, func(conn *sql.Conn) error {
		there, err := d.hasTable(ctx, conn, ledger)
		if err != nil {
			return err
		}
		if there {
			untouched, err = none(ctx, conn, "SELECT 1 FROM "+d.quote(ledger)+" WHERE kind = '"+seeded+"' LIMIT 1")
		}
		for _, t := range s.Types {
			if err == nil && untouched && t.DB == db.Name && t.Kind == schema.Table {
				untouched, err = none(ctx, conn, "SELECT 1 FROM "+d.quote(t.Table)+" LIMIT 1")
			}
		}
		return err
	})
	return untouched, err
}

func none(ctx context.Context, conn *sql.Conn, query string) (bool, error) {
	var n int
	err := conn.QueryRowContext(ctx, query).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return false, err
}

func (r relational) seeded(ctx context.Context, version string) error {
	d, err := dialectOf(r.Database)
	if err != nil {
		return err
	}
	return borrow(ctx, r.Database, func(conn *sql.Conn) error {
		return addEntry(ctx, conn, d, line{kind: seeded, version: version, plan: "seed.graphql", statements: []string{}})
	})
}

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
	seeded   = "seed"
)

// Entry is one line of the ledger.
type Entry struct {
	At      time.Time
	Kind    string // migrate, seed
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
	query := "SELECT at, kind, host, version, plan FROM " + d.quote(ledger) + " ORDER BY id" //nolint:gosec // the name is ours
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var e Entry
		var at string
		if err := rows.Scan(&at, &e.Kind, &e.Host, &e.Version, &e.Plan); err != nil {
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
	r := newRecord()
	var made string
	err := conn.QueryRowContext(ctx, "SELECT made FROM "+d.quote(ledger)+" WHERE made IS NOT NULL ORDER BY id DESC LIMIT 1").Scan(&made)
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

// write adds the plan to the ledger, in the transaction that did it.
func (p Plan) write(ctx context.Context, conn *sql.Conn, d dialect, version string) error {
	made, err := json.Marshal(p.made)
	if err != nil {
		return err
	}
	statements, err := json.Marshal(p.statements())
	if err != nil {
		return err
	}
	return addEntry(ctx, conn, d, migrated, version, p.finger, p.String(), string(statements), string(made))
}

func addEntry(ctx context.Context, conn *sql.Conn, d dialect, kind, version, finger, plan, statements string, made any) error {
	if _, err := conn.ExecContext(ctx, d.createLedger()); err != nil {
		return err
	}
	_, err := conn.ExecContext(ctx, d.bind("INSERT INTO "+d.quote(ledger)+" (at, kind, host, version, fingerprint, plan, statements, made) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"),
		time.Now().UTC().Format(time.RFC3339Nano), kind, hostname(), version, finger, plan, statements, made)
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
		return addEntry(ctx, conn, d, seeded, version, "", "seed.graphql", "[]", nil)
	})
}

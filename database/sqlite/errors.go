package sqlite

import (
	"context"
	"errors"
	"slices"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// explain makes a fault of whatever went wrong; w is the write that was refused, or nil.
func explain(err error, w *query.Write) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return driver.Ended(err)
	}
	var f *failure
	if !errors.As(err, &f) {
		return driver.Refused(err)
	}
	if w != nil {
		if broken := constraint(f, err, w); broken != nil {
			return broken
		}
	}
	return general(f, err)
}

func general(f *failure, err error) error {
	switch f.code & 0xff {
	case sqlite3.SQLITE_INTERRUPT:
		return driver.Ended(err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return driver.Busy(err)
	case sqlite3.SQLITE_FULL:
		return driver.Full(err)
	case sqlite3.SQLITE_READONLY:
		return driver.ReadOnly(err)
	case sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_NOMEM:
		return driver.Unusable(err)
	case sqlite3.SQLITE_TOOBIG:
		return driver.TooLarge(err)
	}
	if f.code == sqlite3.SQLITE_CONSTRAINT_FUNCTION {
		return fault.Wrap(fault.Invalid, err, "%s", f.message)
	}
	if isAltered(f) {
		return driver.Altered(err)
	}
	if f.code&0xff == sqlite3.SQLITE_CONSTRAINT {
		return fault.Wrap(fault.Conflict, err, "the change conflicts with other rows")
	}
	return driver.Refused(err)
}

// isAltered is whether a statement names what is not there. SQLite has no code for it.
func isAltered(f *failure) bool {
	return f.code == sqlite3.SQLITE_ERROR && (strings.Contains(f.message, "no such table: ") || strings.Contains(f.message, "no such column: ") ||
		strings.Contains(f.message, " has no column named "))
}

// constraint is the fault of a broken constraint, or nil.
func constraint(f *failure, err error, w *query.Write) error {
	_, what, _ := strings.Cut(f.message, "constraint failed: ")
	switch f.code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		names := uniqueFields(w.Type, what)
		return fault.Wrap(fault.Conflict, err, "another %s has this %s", w.Type.Name, driver.Spoken(names)).With("fields", names)
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return foreign(err, w)
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		names := columnFields(w.Type, what)
		return fault.Wrap(fault.Validation, err, "%s of a %s must not be null", driver.Spoken(names), w.Type.Name).With("fields", names)
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		names := []string{driver.CheckField(w.Type, what)}
		return fault.Wrap(fault.Conflict, err, "%s of a %s breaks a check of the table", driver.Spoken(names), w.Type.Name).With("fields", names)
	}
	return nil
}

// foreign names the links that may be meant: SQLite does not say which key it was.
func foreign(err error, w *query.Write) error {
	if w.Verb == query.Delete {
		return fault.Wrap(fault.Conflict, err, "other rows still point to this %s", w.Type.Name)
	}
	names := []string{}
	for _, f := range w.Type.Fields {
		if f.IsLink() && f.Link.Owns && f.Link.Enforced && writes(w, f.Link.From) {
			names = append(names, f.Name)
		}
	}
	switch len(names) {
	case 0:
		return fault.Wrap(fault.Conflict, err, "other rows still point to this %s", w.Type.Name)
	case 1:
		return fault.Wrap(fault.Conflict, err, "the %s of this %s is not there", names[0], w.Type.Name).With("fields", names)
	}
	return fault.Wrap(fault.Conflict, err, "one of %s of this %s is not there", strings.Join(names, ", "), w.Type.Name).With("fields", names)
}

// writes is whether a write gives one of the columns a value.
func writes(w *query.Write, columns []*schema.Field) bool {
	for _, c := range columns {
		if slices.Contains(w.Columns, c) {
			return true
		}
		for _, a := range w.Set {
			if a.Field == c {
				return true
			}
		}
	}
	return false
}

// uniqueFields are the fields of "users.a, users.b" or of "index 'name'".
func uniqueFields(t *schema.Type, what string) []string {
	name, ok := strings.CutPrefix(what, "index '")
	if !ok {
		return columnFields(t, what)
	}
	name = strings.TrimSuffix(name, "'")
	if names, ok := driver.UniqueFields(t, name); ok {
		return names
	}
	return []string{name}
}

// columnFields are the fields of "users.a, users.b".
func columnFields(t *schema.Type, what string) []string {
	names := []string{}
	for part := range strings.SplitSeq(what, ", ") {
		column := strings.TrimPrefix(part, t.Table+".")
		names = append(names, fieldOf(t, column))
	}
	return names
}

func fieldOf(t *schema.Type, column string) string {
	for _, f := range t.Columns {
		if f.Column == column {
			return f.Name
		}
	}
	return column
}

func hasColumn(t *schema.Type, name string) bool {
	for _, f := range t.Columns {
		if strings.EqualFold(f.Column, name) {
			return true
		}
	}
	return false
}

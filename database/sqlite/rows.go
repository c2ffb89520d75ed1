package sqlite

import (
	"strconv"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/schema"
)

// rows read a running statement where it stands: cells are encoded from SQLite's own memory.
type rows struct {
	stmt    *stmt // nil when there is nothing more
	columns []*schema.Field
	skip    int // 1 when the first column is the ordinal of the key
	first   bool
	err     error
}

var _ driver.Rows = (*rows)(nil)

// start takes the first step, so that what fails does so before there are rows.
func (r *rows) start(s *stmt, columns []*schema.Field, skip int) error {
	more, err := s.step()
	if err != nil {
		s.reset()
		return err
	}
	*r = rows{columns: columns, skip: skip, first: more}
	if !more {
		s.reset()
		return nil
	}
	r.stmt = s
	return nil
}

// stop ends the statement.
func (r *rows) stop() {
	if r.stmt != nil {
		r.stmt.reset()
		r.stmt = nil
	}
}

func (r *rows) Next() bool {
	if r.stmt == nil {
		return false
	}
	if r.first {
		r.first = false
		return true
	}
	more, err := r.stmt.step()
	if more {
		return true
	}
	r.err = explain(err, nil)
	r.stop()
	return false
}

func (r *rows) Parent() int {
	if r.skip == 0 {
		return 0
	}
	return int(r.stmt.integer(0))
}

func (r *rows) Err() error { return r.err }

func (r *rows) Close() error {
	r.stop()
	return nil
}

func (r *rows) AppendJSON(dst []byte, column int) []byte {
	f, at := r.columns[column], column+r.skip
	kind := r.stmt.kind(at)
	if kind == sqlite3.SQLITE_NULL {
		return append(dst, "null"...)
	}
	switch {
	case !r.stmt.fits(at, f):
		return dst
	case f.List:
		return schema.AppendStoredList(dst, viewString(r.stmt.content(at)), f)
	}
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		return appendInteger(dst, r.stmt.integer(at), f.Scalar)
	case sqlite3.SQLITE_FLOAT:
		return schema.AppendFloat(dst, r.stmt.float(at))
	}
	return appendText(dst, r.stmt.content(at), f.Scalar)
}

// appendInteger appends an INTEGER: of an Int as a number, of an ID and a BigInt as a string.
func appendInteger(dst []byte, i int64, s schema.Scalar) []byte {
	switch s {
	case schema.Boolean:
		return strconv.AppendBool(dst, i != 0)
	case schema.Int:
		return schema.AppendInt(dst, i)
	case schema.Float:
		return schema.AppendFloat(dst, float64(i))
	}
	return schema.AppendBigInt(dst, i)
}

// appendText appends a TEXT or BLOB.
func appendText(dst, stored []byte, s schema.Scalar) []byte {
	switch s {
	case schema.JSON, schema.Embedded:
		return append(dst, stored...)
	case schema.DateTime:
		return schema.AppendDateTime(dst, viewString(stored))
	case schema.Time:
		return schema.AppendTime(dst, viewString(stored))
	case schema.Bytes:
		return schema.AppendBytes(dst, stored)
	}
	return schema.AppendString(dst, viewString(stored))
}

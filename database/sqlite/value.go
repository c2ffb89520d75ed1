package sqlite

import (
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/schema"
)

func (r *rows) Value(column int) schema.Value {
	if r.Misfit(column).Found != "" {
		return schema.Null
	}
	return r.stmt.value(column+r.skip, r.columns[column])
}

// Misfit is what a cell holds that its field cannot be: SQLite keeps no types of columns.
func (r *rows) Misfit(column int) driver.Misfit {
	at, f := column+r.skip, r.columns[column]
	if r.stmt.fits(at, f) {
		return driver.Misfit{}
	}
	kind := r.stmt.kind(at)
	if kind == sqlite3.SQLITE_TEXT && hasForm(f) {
		return driver.Misfit{Found: "another text"}
	}
	return driver.Misfit{Found: found[kind]}
}

var found = map[int32]string{
	sqlite3.SQLITE_INTEGER: "an integer", sqlite3.SQLITE_FLOAT: "a number that is no integer",
	sqlite3.SQLITE_TEXT: "a text", sqlite3.SQLITE_BLOB: "a blob",
}

// fits is whether a cell can be shown as what its field is: a number as a number, and what has its form in
// a text from that.
func (s *stmt) fits(at int, f *schema.Field) bool {
	kind := s.kind(at)
	isText := kind == sqlite3.SQLITE_TEXT || kind == sqlite3.SQLITE_BLOB
	switch {
	case kind == sqlite3.SQLITE_NULL:
		return true
	case f.List:
		return isText
	case f.Scalar == schema.Int, f.Scalar == schema.BigInt, f.Scalar == schema.Boolean:
		return kind == sqlite3.SQLITE_INTEGER
	case f.Scalar == schema.Float:
		return !isText
	case f.Scalar == schema.JSON, f.Scalar == schema.Embedded:
		return isText
	case hasForm(f):
		return isText && f.Takes(viewString(s.content(at)))
	}
	return true
}

// hasForm is whether a column is a text of which not all are one of its scalar.
func hasForm(f *schema.Field) bool {
	switch f.Scalar {
	case schema.DateTime, schema.Date, schema.Time, schema.UUID, schema.EnumValue:
		return true
	}
	return false
}

// value is a cell in the canonical form of its field.
func (s *stmt) value(at int, f *schema.Field) schema.Value {
	kind := s.kind(at)
	if kind == sqlite3.SQLITE_NULL {
		return schema.Null
	}
	if f.List {
		return schema.StoredList(viewString(s.content(at)), f)
	}
	switch kind {
	case sqlite3.SQLITE_INTEGER:
		return integerValue(s.integer(at), f)
	case sqlite3.SQLITE_FLOAT:
		return schema.Double(s.float(at))
	}
	own := string(s.content(at))
	if f.Scalar == schema.Bytes {
		return schema.Raw(own)
	}
	return schema.Text(own)
}

func integerValue(i int64, f *schema.Field) schema.Value {
	switch f.Scalar {
	case schema.Boolean:
		return schema.Bool(i != 0)
	case schema.Float:
		return schema.Double(float64(i))
	}
	return schema.Integer(i)
}

package sqlite

import (
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/schema"
)

func (r *rows) Value(column int) schema.Value {
	return r.stmt.value(column+r.skip, r.columns[column])
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

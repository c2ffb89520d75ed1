package sqlite

import (
	"math"

	sqlite3 "modernc.org/sqlite/lib"
)

// stmt is one prepared statement of a connection.
type stmt struct {
	conn *conn
	at   uintptr
	text string

	newer, older *stmt // in the cache
}

func (s *stmt) finalize() { sqlite3.Xsqlite3_finalize(s.conn.tls, s.at) }

// step runs to the next row; false at the end.
func (s *stmt) step() (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(s.conn.tls, s.at); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.conn.failure(rc)
	}
}

// reset makes it ready to run again, and ends its read.
func (s *stmt) reset() { sqlite3.Xsqlite3_reset(s.conn.tls, s.at) }

// run runs to the end.
func (s *stmt) run() error {
	defer s.reset()
	for {
		if more, err := s.step(); !more {
			return err
		}
	}
}

func (s *stmt) kind(column int) int32 {
	return sqlite3.Xsqlite3_column_type(s.conn.tls, s.at, int32(column))
}

func (s *stmt) integer(column int) int64 {
	return sqlite3.Xsqlite3_column_int64(s.conn.tls, s.at, int32(column))
}

func (s *stmt) float(column int) float64 {
	return sqlite3.Xsqlite3_column_double(s.conn.tls, s.at, int32(column))
}

// content is a text or blob, until the next step or reset.
func (s *stmt) content(column int) []byte {
	tls, i := s.conn.tls, int32(column)
	var p uintptr
	if sqlite3.Xsqlite3_column_type(tls, s.at, i) == sqlite3.SQLITE_BLOB {
		p = sqlite3.Xsqlite3_column_blob(tls, s.at, i)
	} else {
		p = sqlite3.Xsqlite3_column_text(tls, s.at, i)
	}
	return view(p, sqlite3.Xsqlite3_column_bytes(tls, s.at, i))
}

// args are the values of one run, in the order of the placeholders. Texts are collected in
// one piece of memory, so that they are copied to SQLite's once.
type args struct {
	list []arg
	text []byte
}

type arg struct {
	kind   int32 // SQLITE_INTEGER, …
	number uint64
	from   int // in text
}

func (a *args) reset() { a.list, a.text = a.list[:0], a.text[:0] }

func (a *args) null() { a.list = append(a.list, arg{kind: sqlite3.SQLITE_NULL}) }

func (a *args) integer(i int64) {
	a.list = append(a.list, arg{kind: sqlite3.SQLITE_INTEGER, number: uint64(i)})
}

func (a *args) float(f float64) {
	a.list = append(a.list, arg{kind: sqlite3.SQLITE_FLOAT, number: math.Float64bits(f)})
}

// content adds a text or blob of what was appended to text since from.
func (a *args) content(kind int32, from int) {
	a.list = append(a.list, arg{kind: kind, from: from, number: uint64(len(a.text) - from)})
}

func (a *args) string(kind int32, s string) {
	from := len(a.text)
	a.text = append(a.text, s...)
	a.content(kind, from)
}

// bind binds the connection's args. They stay bound until the next bind.
func (s *stmt) bind() error {
	c := s.conn
	if !c.arena.copy(c.tls, c.args.text) {
		return c.failure(sqlite3.SQLITE_NOMEM)
	}
	for i, a := range c.args.list {
		if rc := s.bindOne(int32(i+1), a); rc != sqlite3.SQLITE_OK {
			return c.failure(rc)
		}
	}
	return nil
}

func (s *stmt) bindOne(i int32, a arg) int32 {
	tls := s.conn.tls
	at := s.conn.arena.at + uintptr(a.from)
	switch a.kind {
	case sqlite3.SQLITE_INTEGER:
		return sqlite3.Xsqlite3_bind_int64(tls, s.at, i, int64(a.number))
	case sqlite3.SQLITE_FLOAT:
		return sqlite3.Xsqlite3_bind_double(tls, s.at, i, math.Float64frombits(a.number))
	case sqlite3.SQLITE_NULL:
		return sqlite3.Xsqlite3_bind_null(tls, s.at, i)
	case sqlite3.SQLITE_BLOB:
		if a.number == 0 {
			return sqlite3.Xsqlite3_bind_zeroblob(tls, s.at, i, 0)
		}
		return sqlite3.Xsqlite3_bind_blob(tls, s.at, i, at, int32(a.number), 0)
	}
	return sqlite3.Xsqlite3_bind_text(tls, s.at, i, at, int32(a.number), 0)
}

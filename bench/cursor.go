package bench

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Cursor is a prepared statement of one connection. A connection serves one goroutine at a
// time, and may have several cursors open.
type Cursor interface {
	// start runs the statement; an argument is a string or an int64.
	start(args ...any) error
	next() bool
	// text is valid until the next call of next.
	text(column int) string
	int(column int) int64
	// end makes the Cursor ready for another start, and tells what went wrong.
	end() error
}

// Access is a way to read SQLite: it opens a connection, prepares the statements on it and
// gives a Cursor for each. closed ends all of it.
type Access func(path string, statements []string) (cursors []Cursor, closed func() error, err error)

// cacheSize is each connection's page cache: 16 MB. SQLite's own 2 MB hold less than what one
// nested query in turn with others touches, which then takes up to three times the CPU.
const cacheSize = "cache_size(-16000)"

// ByDriver reads through the driver's own interfaces, without database/sql: that spares a
// seventh of the CPU of a row by key and a tenth of a long list's.
func ByDriver(path string, statements []string) ([]Cursor, func() error, error) {
	c, err := new(sqlite.Driver).Open("file:" + path + "?_pragma=query_only(1)&_pragma=" + cacheSize)
	if err != nil {
		return nil, nil, err
	}
	cursors := make([]Cursor, len(statements))
	for i, text := range statements {
		s, err := c.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", text, err), c.Close())
		}
		cursors[i] = &driverCursor{stmt: s.(driver.StmtQueryContext)}
	}
	return cursors, c.Close, nil
}

type driverCursor struct {
	stmt  driver.StmtQueryContext
	rows  driver.Rows
	args  []driver.NamedValue
	cells []driver.Value
	err   error
}

func (c *driverCursor) start(args ...any) error {
	c.args, c.err = c.args[:0], nil
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	rows, err := c.stmt.QueryContext(context.Background(), c.args)
	if err != nil {
		return err
	}
	c.rows = rows
	if c.cells == nil {
		c.cells = make([]driver.Value, len(rows.Columns()))
	}
	return nil
}

func (c *driverCursor) next() bool {
	c.err = c.rows.Next(c.cells)
	return c.err == nil
}

func (c *driverCursor) text(column int) string { return c.cells[column].(string) }
func (c *driverCursor) int(column int) int64   { return c.cells[column].(int64) }

func (c *driverCursor) end() error {
	if errors.Is(c.err, io.EOF) {
		c.err = nil
	}
	return errors.Join(c.err, c.rows.Close())
}

// ByLibrary calls the C API that the driver is made of (modernc.org/sqlite/lib), so that a
// cell goes from SQLite's page to the answer without a Go string between. It is what a driver
// of our own could reach.
func ByLibrary(path string, statements []string) ([]Cursor, func() error, error) {
	db := &library{tls: libc.NewTLS()}
	if err := db.open(path); err != nil {
		return nil, nil, errors.Join(err, db.close())
	}
	cursors := make([]Cursor, len(statements))
	for i, text := range statements {
		stmt, err := db.prepare(text)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("%s: %w", text, err), db.close())
		}
		cursors[i] = &libraryCursor{tls: db.tls, stmt: stmt}
	}
	return cursors, db.close, nil
}

// library is a connection of the C API.
type library struct {
	tls        *libc.TLS
	handle     uintptr
	statements []uintptr
}

func (db *library) open(path string) error {
	name, err := libc.CString(path)
	if err != nil {
		return err
	}
	defer libc.Xfree(db.tls, name)
	out := db.tls.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer db.tls.Free(int(unsafe.Sizeof(uintptr(0))))
	rc := sqlite3.Xsqlite3_open_v2(db.tls, name, out, sqlite3.SQLITE_OPEN_READONLY|sqlite3.SQLITE_OPEN_NOMUTEX, 0)
	db.handle = *(*uintptr)(pointer(out))
	if err := code(rc); err != nil {
		return err
	}
	return db.run("PRAGMA " + cacheSize)
}

// run runs a statement for its effect.
func (db *library) run(text string) error {
	stmt, err := db.prepare(text)
	if err != nil {
		return err
	}
	c := libraryCursor{tls: db.tls, stmt: stmt}
	c.next()
	return c.end()
}

func (db *library) prepare(text string) (uintptr, error) {
	z, err := libc.CString(text)
	if err != nil {
		return 0, err
	}
	defer libc.Xfree(db.tls, z)
	out := db.tls.Alloc(int(unsafe.Sizeof(uintptr(0))))
	defer db.tls.Free(int(unsafe.Sizeof(uintptr(0))))
	if err := code(sqlite3.Xsqlite3_prepare_v3(db.tls, db.handle, z, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0)); err != nil {
		return 0, err
	}
	stmt := *(*uintptr)(pointer(out))
	db.statements = append(db.statements, stmt)
	return stmt, nil
}

func (db *library) close() error {
	for _, s := range db.statements {
		sqlite3.Xsqlite3_finalize(db.tls, s)
	}
	err := code(sqlite3.Xsqlite3_close_v2(db.tls, db.handle))
	db.tls.Close()
	return err
}

type libraryCursor struct {
	tls  *libc.TLS
	stmt uintptr
	err  error
}

func (c *libraryCursor) start(args ...any) error {
	c.err = nil
	for i, a := range args {
		if err := c.bind(int32(i+1), a); err != nil {
			return err
		}
	}
	return nil
}

func (c *libraryCursor) bind(at int32, arg any) error {
	text, ok := arg.(string)
	if !ok {
		return code(sqlite3.Xsqlite3_bind_int64(c.tls, c.stmt, at, arg.(int64)))
	}
	z, err := libc.CString(text)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, z)
	return code(sqlite3.Xsqlite3_bind_text(c.tls, c.stmt, at, z, int32(len(text)), sqlite3.SQLITE_TRANSIENT))
}

func (c *libraryCursor) next() bool {
	switch rc := sqlite3.Xsqlite3_step(c.tls, c.stmt); rc {
	case sqlite3.SQLITE_ROW:
		return true
	case sqlite3.SQLITE_DONE:
		return false
	default:
		c.err = code(rc)
		return false
	}
}

func (c *libraryCursor) text(column int) string {
	p := sqlite3.Xsqlite3_column_text(c.tls, c.stmt, int32(column))
	n := sqlite3.Xsqlite3_column_bytes(c.tls, c.stmt, int32(column))
	return unsafe.String((*byte)(pointer(p)), n)
}

func (c *libraryCursor) int(column int) int64 {
	return sqlite3.Xsqlite3_column_int64(c.tls, c.stmt, int32(column))
}

func (c *libraryCursor) end() error {
	sqlite3.Xsqlite3_reset(c.tls, c.stmt) // repeats the error of next
	return c.err
}

// pointer is an address of C memory, which Go's collector does not move, as a pointer.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func code(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	return fmt.Errorf("sqlite: code %d", rc)
}

package sqlite

import (
	"context"
	"fmt"
	"time"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/sqlgen"
)

// conn is one connection, used by one goroutine at a time. It speaks to SQLite's C interface
// as modernc.org/sqlite/lib has it, and not through database/sql/driver, which would
// allocate every cell of every row, ask for the columns' names again at each run, and start
// a goroutine for each cancellable statement.
type conn struct {
	tls     *libc.TLS
	db      uintptr
	cache   cache
	inserts sqlgen.Inserts
	arena   arena // the texts of the values that are bound now
	args    args
	rows    rows
	// ctx ends the statement that runs; nil when nothing may end it.
	ctx context.Context //nolint:containedctx // of the one statement that runs now
	// callbacks are what SQLite calls; see cFunction.
	callbacks []any

	begin, commit, rollback, immediate *stmt
}

const (
	busyTimeout = 5 * time.Second
	// Steps of SQLite's machine between two looks at the context: about 50 µs.
	stepsPerLook = 4096
)

// pragmas are said to each connection.
var pragmas = []string{
	"PRAGMA journal_mode = WAL",
	"PRAGMA synchronous = NORMAL",
	"PRAGMA foreign_keys = ON",
	"PRAGMA temp_store = MEMORY",
	"PRAGMA cache_size = -8000",
}

func open(name string, lib *library) (*conn, error) {
	c := &conn{tls: libc.NewTLS()}
	c.cache.conn = c
	if err := c.open(name); err != nil {
		c.tls.Close()
		return nil, err
	}
	if err := c.configure(lib); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *conn) open(name string) error {
	z, err := libc.CString(name)
	if err != nil {
		return err
	}
	defer libc.Xfree(c.tls, z)
	out := libc.Xcalloc(c.tls, 1, 8)
	defer libc.Xfree(c.tls, out)
	// One goroutine at a time has the connection, so SQLite need not lock it again.
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_URI
	rc := sqlite3.Xsqlite3_open_v2(c.tls, z, out, flags, 0)
	c.db = pointerAt(out)
	if rc != sqlite3.SQLITE_OK {
		err := c.failure(rc)
		sqlite3.Xsqlite3_close_v2(c.tls, c.db)
		return err
	}
	return nil
}

func (c *conn) configure(lib *library) error {
	sqlite3.Xsqlite3_extended_result_codes(c.tls, c.db, 1)
	sqlite3.Xsqlite3_busy_timeout(c.tls, c.db, int32(busyTimeout/time.Millisecond))
	// A misspelt quoted name is an error, not a string.
	c.set(sqlite3.SQLITE_DBCONFIG_DQS_DML, 0)
	c.set(sqlite3.SQLITE_DBCONFIG_DQS_DDL, 0)
	// A plan does not depend on bound values: otherwise SQLite would parse and plan again at
	// every run of a statement that has a limit or a range.
	c.set(sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
	if err := lib.install(c); err != nil {
		return err
	}
	for _, p := range pragmas {
		if err := c.exec(p); err != nil {
			return err
		}
	}
	look := func(*libc.TLS, uintptr) int32 {
		return libc.Bool32(c.ctx != nil && c.ctx.Err() != nil)
	}
	c.callbacks = append(c.callbacks, look)
	sqlite3.Xsqlite3_progress_handler(c.tls, c.db, stepsPerLook, cFunction(look), 0)
	return c.prepareAll(map[string]**stmt{"BEGIN": &c.begin, "BEGIN IMMEDIATE": &c.immediate, "COMMIT": &c.commit, "ROLLBACK": &c.rollback})
}

func (c *conn) prepareAll(stmts map[string]**stmt) (err error) {
	for text, s := range stmts {
		if *s, err = c.prepare(text); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) set(option, value int32) {
	list := libc.Xcalloc(c.tls, 2, 8)
	defer libc.Xfree(c.tls, list)
	sqlite3.Xsqlite3_db_config(c.tls, c.db, option, libc.VaList(list, value, uintptr(0)))
}

// close gives everything back. Each step is done whatever the others say.
func (c *conn) close() {
	c.cache.clear()
	for _, s := range []*stmt{c.begin, c.commit, c.rollback, c.immediate} {
		if s != nil {
			s.finalize()
		}
	}
	c.arena.free(c.tls)
	sqlite3.Xsqlite3_close_v2(c.tls, c.db)
	c.tls.Close()
}

// exec runs one statement that is needed once.
func (c *conn) exec(text string) error {
	s, err := c.prepare(text)
	if err != nil {
		return err
	}
	defer s.finalize()
	return s.run()
}

// idle is whether no transaction is open.
func (c *conn) idle() bool { return sqlite3.Xsqlite3_get_autocommit(c.tls, c.db) != 0 }

// clean ends whatever transaction was left open. SQLite ends some by itself, after an
// interrupt or a full disk.
func (c *conn) clean() error {
	c.rows.stop()
	c.ctx = nil
	if c.idle() {
		return nil
	}
	return c.rollback.run()
}

func (c *conn) prepare(text string) (*stmt, error) {
	z, err := libc.CString(text)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(c.tls, z)
	out := libc.Xcalloc(c.tls, 1, 8)
	defer libc.Xfree(c.tls, out)
	if rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, z, int32(len(text)+1), sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0); rc != sqlite3.SQLITE_OK {
		return nil, fmt.Errorf("%w in %s", c.failure(rc), text)
	}
	return &stmt{conn: c, at: pointerAt(out), text: text}, nil
}

// failure is what a result code says, with SQLite's message.
func (c *conn) failure(rc int32) *failure {
	f := &failure{code: rc}
	if c.db != 0 {
		f.message = libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	} else {
		f.message = libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	}
	if c.ctx != nil && rc == sqlite3.SQLITE_INTERRUPT {
		f.ended = context.Cause(c.ctx)
	}
	return f
}

// failure is what SQLite refused.
type failure struct {
	code    int32 // extended
	message string
	ended   error // what ended the context, when that is what stopped the statement
}

func (f *failure) Error() string { return fmt.Sprintf("sqlite: %s (%d)", f.message, f.code) }

func (f *failure) Unwrap() error { return f.ended }

func cString(tls *libc.TLS, text string) uintptr {
	p := libc.Xmalloc(tls, types.Size_t(len(text)+1))
	b := view(p, int32(len(text)+1))
	copy(b, text)
	b[len(text)] = 0
	return p
}

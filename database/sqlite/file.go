package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/fault"
)

// file is where a database is.
type file struct {
	path   string // as the user wrote it, or a name for a database in memory
	memory bool
}

// memories tells the databases in memory of one process apart.
var memories atomic.Int64

// locate reads a URL, and refuses what SQLite would explain badly.
func locate(from string) (file, error) {
	path, ok := strings.CutPrefix(from, "sqlite:")
	if !ok || path == "" {
		return file{}, fault.New(fault.Invalid, "%q is not the URL of an SQLite file, such as sqlite:data/app.db", from)
	}
	if path == ":memory:" {
		return file{path: fmt.Sprintf("/spacecloud-%d", memories.Add(1)), memory: true}, nil
	}
	if strings.HasPrefix(path, "//") {
		path = path[2:] // sqlite:///data/app.db
	}
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		return file{}, fault.New(fault.Invalid, "%s is a folder, and an SQLite database is a file in one", path)
	}
	folder := filepath.Dir(path)
	if i, err := os.Stat(folder); err != nil || !i.IsDir() {
		return file{}, fault.New(fault.Invalid, "the folder %s of the database %s is not there", folder, path)
	}
	return file{path: path}, nil
}

// dsn is what SQLite opens.
func (f file) dsn() string {
	escaped := (&url.URL{Path: f.path}).EscapedPath()
	if f.memory {
		return "file:" + escaped + "?vfs=memdb"
	}
	return "file:" + escaped
}

// describe says in one line why a file cannot be opened.
func (f file) describe(err error) error {
	var said *failure
	if !errors.As(err, &said) {
		return err
	}
	switch said.code & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return fault.Wrap(fault.Unavailable, err, "%s is not an SQLite database", f.path)
	case sqlite3.SQLITE_CORRUPT:
		return fault.Wrap(fault.Unavailable, err, "the SQLite database %s is damaged", f.path)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return fault.Wrap(fault.Unavailable, err, "the SQLite database %s or its folder cannot be written", f.path)
	case sqlite3.SQLITE_CANTOPEN:
		return fault.Wrap(fault.Unavailable, err, "the SQLite database %s cannot be opened or made; its folder must be writable", f.path)
	}
	return fault.Wrap(fault.KindOf(err), err, "the SQLite database %s cannot be opened", f.path)
}

// plainDSN is the same for modernc.org/sqlite's own driver.
func (f file) plainDSN() string {
	separator := "?"
	if f.memory {
		separator = "&"
	}
	return f.dsn() + separator + "_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate&_dqs=0"
}

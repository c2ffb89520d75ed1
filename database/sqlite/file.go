package sqlite

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/fault"
)

// file is where a database is.
type file struct {
	path      string // as the user wrote it
	temporary string // the folder to remove with the driver, or ""
}

// locate reads a URL, and refuses what SQLite would explain badly.
func locate(from string) (file, error) {
	path, ok := strings.CutPrefix(from, "sqlite:")
	if !ok || path == "" {
		return file{}, fault.New(fault.Invalid, "its URL names no file; it is like sqlite:data/app.db")
	}
	if path == ":memory:" {
		return temporary()
	}
	path = strings.TrimPrefix(path, "//") // sqlite:///data/app.db
	if host, _, _ := strings.Cut(path, "/"); strings.ContainsAny(host, "@") {
		return file{}, fault.New(fault.Invalid, "its URL has a user or a host, and an SQLite database is a file, such as sqlite:data/app.db")
	}
	if _, option, found := strings.Cut(path, "?"); found {
		name, _, _ := strings.Cut(option, "=")
		return file{}, driver.UnknownOption(name)
	}
	if i, err := os.Stat(path); err == nil && i.IsDir() {
		return file{}, fault.New(fault.Invalid, "%s is a folder, and an SQLite database is a file in one; write sqlite:%s", path, filepath.Join(path, "main.db"))
	}
	folder := filepath.Dir(path)
	if i, err := os.Stat(folder); err != nil || !i.IsDir() {
		return file{}, fault.New(fault.Invalid, "the folder %s of the database %s is not there; make it, or correct the URL", folder, path)
	}
	return file{path: path}, nil
}

// Existing refuses the URL of a file that is not there, which Open would make.
func Existing(from string) error {
	if from == "sqlite::memory:" {
		return fault.New(fault.NotFound, "%s is new each time, and holds nothing", from)
	}
	f, err := locate(from)
	if err != nil {
		return err
	}
	if _, err := os.Stat(f.path); errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "there is no file %s; look at the url of the database in the settings", f.path)
	}
	return nil
}

// temporary is a file that goes with the driver. SQLite's own databases in memory would have
// readers wait for the writer, and a reader that writes wait for itself.
func temporary() (file, error) {
	folder, err := os.MkdirTemp("", "spacecloud-")
	if err != nil {
		return file{}, fault.Wrap(fault.Unavailable, err, "a temporary database cannot be made")
	}
	return file{path: filepath.Join(folder, "memory.db"), temporary: folder}, nil
}

// remove removes a temporary file.
func (f file) remove() error {
	if f.temporary == "" {
		return nil
	}
	return os.RemoveAll(f.temporary)
}

// dsn is what SQLite opens.
func (f file) dsn() string { return "file:" + (&url.URL{Path: f.path}).EscapedPath() }

// describe says in one line why a file cannot be opened.
func (f file) describe(err error) error {
	var said *failure
	if !errors.As(err, &said) {
		return err
	}
	switch said.code & 0xff {
	case sqlite3.SQLITE_NOTADB:
		return driver.NotOpen(err, f.path+" is not an SQLite database; name another file, or move this one away")
	case sqlite3.SQLITE_CORRUPT:
		return driver.NotOpen(err, "the SQLite database "+f.path+" is damaged; restore it")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM:
		return driver.NotOpen(err, "the SQLite database "+f.path+" or its folder cannot be written; allow it to the user that the server runs as")
	case sqlite3.SQLITE_CANTOPEN:
		return driver.NotOpen(err, "the SQLite database "+f.path+" cannot be opened or made; allow the user that the server runs as to read and write it and its folder")
	}
	return fault.Wrap(fault.KindOf(err), err, "the SQLite database %s cannot be opened", f.path)
}

// plainDSN is the same for modernc.org/sqlite's own driver.
func (f file) plainDSN() string {
	return f.dsn() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)&_txlock=immediate&_dqs=0"
}

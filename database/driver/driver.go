// Package driver is what the author of a database driver implements. Everybody else uses
// package database.
package driver

import (
	"context"
	"database/sql"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Driver is one open database. All of it may be used by many goroutines at once; a Reader or
// Tx that it hands out by one.
type Driver interface {
	// Product is the kind and version of the database, for people: "SQLite 3.54.1".
	Product() string
	Features() Features
	// Prepare renders a level once, to be run many times with other bindings.
	// An error is a fault.Invalid that says what this database cannot do.
	Prepare(l rules.Narrowed) (Statement, error)
	// View lends one connection that sees one state of the data until do returns.
	View(ctx context.Context, do func(Reader) error) error
	// Begin starts a transaction that may write.
	Begin(ctx context.Context) (Tx, error)
	Ping(ctx context.Context) error
	Close() error
}

// Features are what a database can and cannot do.
type Features struct {
	Transactions bool
	ForeignKeys  bool
	// Search is whether query.Search is served.
	Search bool
	// DocumentOrder is whether columns of JSON and embedded values compare and sort, by their text.
	DocumentOrder bool
	// Microseconds is whether a DateTime keeps them. Otherwise it is cut off after its
	// milliseconds, in rows and in conditions.
	Microseconds bool
	// FailsFast is whether a write that another transaction is in the way of fails at once, marked
	// by Retry, instead of waiting until that one has ended.
	FailsFast bool
	// BytesOrder is whether Bytes compare and sort by their bytes. Otherwise the shorter is
	// less, and only of two that are as long the bytes say.
	BytesOrder bool
	// Returning is whether query.Write.Returning is served.
	Returning bool
}

// Statement is a rendered level of the driver that made it. Its String is the text, for
// plans and golden tests.
type Statement interface{ String() string }

// Bound is a statement that tells what it is run with, a text for each value. For the keys of a
// binding stands that they are keys, and Answered for values that are not known before others are.
type Bound interface {
	Bound(b query.Binding) []string
}

// Answered is what stands for the answer of another database.
const Answered = "what was answered before"

// Reader runs statements.
type Reader interface {
	// Find runs a statement. The rows must be closed before the next call.
	Find(ctx context.Context, s Statement, b query.Binding) (Rows, error)
}

// Rows are an answer, read once from the first to the last row.
type Rows interface {
	// Next moves to the next row; false at the end or on an error.
	Next() bool
	// Parent is the ordinal, from 0, of the key in Binding.Keys that the row answers;
	// 0 where the level has no Via.
	Parent() int
	// AppendJSON appends the cell as the API shows it, null included, and nothing where it does not
	// fit its field.
	AppendJSON(dst []byte, column int) []byte
	// Value is the cell, for keys; null where it does not fit its field.
	Value(column int) schema.Value
	// Misfit is what the cell holds that its field cannot be. It is asked of cells that seem to fit, too.
	Misfit(column int) Misfit
	Err() error
	Close() error
}

// Tx is a transaction. Its Find sees its own writes. An error that came only of other
// transactions is marked by Retry, whichever call returns it.
type Tx interface {
	Reader
	// Write does w once. A broken unique, foreign or check constraint is fault.Conflict that
	// names the fields; the transaction then has to be rolled back, and can be read from before
	// only when w is Readable.
	Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (Written, error)
	// Commit ends the transaction. When it fails nothing is written, unless the error is Unknown.
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// Written is what a write did.
type Written struct {
	Affected int
	Keys     []schema.Value // flat primary keys, when Write.WantKeys
	Values   []schema.Value // of Write.Returning, flat; null where what is stored does not fit
	Misfits  []Misfit       // of Values, by the same index; nil where nothing but them can be stored
}

// Single is a driver to which one statement costs less than a View of it.
type Single interface {
	// Once is View for do that runs one statement.
	Once(ctx context.Context, do func(Reader) error) error
}

// Maker is a driver that makes tables of the server's own itself, for a database without SQL.
type Maker interface {
	// Make makes the table of a type, and does nothing where it is there.
	Make(ctx context.Context, t *schema.Type) error
}

// Alone is a driver to which a transaction of one write costs less than Begin, Write and Commit.
type Alone interface {
	// WriteAlone does w in a transaction of its own: all of it when there is no error. After an error
	// nothing of it is done, unless the connection was lost just then; then it is not marked by Retry.
	WriteAlone(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (Written, error)
}

// SQL is a driver of a database that speaks SQL, for migrations.
type SQL interface {
	// Dialect is "sqlite", "postgres" or "mysql".
	Dialect() string
	// Conn lends one connection outside the pools of the hot path; the caller closes it.
	Conn(ctx context.Context) (*sql.Conn, error)
}

package live

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Query is what somebody waits for.
type Query struct {
	// Key says what: queries of one key are answered alike, whoever asks.
	Key Key
	// Reads are the rows that the answer depends on.
	Reads []Read
	// Timely is whether it also changes with the time alone.
	Timely bool
	// Ask makes the answer as it is now: bytes that are not changed any more, and what is wrong with
	// them, or nil. Errors are told by their text.
	Ask func(ctx context.Context, now time.Time) ([]byte, error)
	// Caller is who asks, for the limit.
	Caller string
	// Expires is when the caller's token does; zero for never.
	Expires time.Time
}

// Key tells queries apart.
type Key [sha256.Size]byte

// KeyOf is the key of all parts together.
func KeyOf(parts ...[]byte) Key {
	h := sha256.New()
	for _, part := range parts {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		_, _ = h.Write(size[:]) // a hash does not fail
		_, _ = h.Write(part)
	}
	return Key(h.Sum(nil))
}

// Table is one table of a database. Without a name it is all of them: of views nobody knows what
// they read.
type Table struct{ Database, Name string }

// Read is the rows of one table that an answer depends on: those that hold in each of the columns
// one of the values, before a change or after it. Without columns all rows.
type Read struct {
	Table Table
	Where []Equal
}

// Equal are the values that a column may have.
type Equal struct {
	Column string
	Values []string
}

// Change is what was committed to rows of one table.
type Change struct {
	Table Table
	// Values are, by column, all that the rows hold there, before the change or after it. Of a
	// column that is not there nothing is known.
	Values map[string][]string
}

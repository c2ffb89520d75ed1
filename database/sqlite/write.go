package sqlite

import (
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

func (c *conn) write(w *query.Write, b *query.Binding) (driver.Written, error) {
	switch w.Verb {
	case query.Create:
		return c.insert(w)
	case query.Update:
		if len(w.Rows) > 0 {
			return c.changeRows(w, b)
		}
		return c.change(w, b, sqlgen.Update)
	case query.Delete:
		return c.change(w, b, sqlgen.Delete)
	}
	return driver.Written{}, fault.New(fault.Internal, "a write that does not write: %s", w.Verb)
}

type renderWrite func(sqlgen.Dialect, *query.Write, []*schema.Field) (sqlgen.Statement, error)

func (c *conn) change(w *query.Write, b *query.Binding, render renderWrite) (driver.Written, error) {
	if w.ByKeys && len(b.Keys) == 0 || w.Verb == query.Update && len(w.Set) == 0 {
		return driver.Written{}, nil
	}
	var returning []*schema.Field
	if w.WantKeys {
		returning = w.Type.Primary
	}
	text, err := render(dialect{}, w, returning)
	if err != nil {
		return driver.Written{}, err
	}
	s, err := c.bound(&text, b)
	if err != nil {
		return driver.Written{}, err
	}
	done := driver.Written{}
	done.Keys, err = s.collect(done.Keys, returning)
	done.Affected = c.changes()
	return done, err
}

// collect runs a statement to its end and appends the columns of its rows.
func (s *stmt) collect(dst []schema.Value, columns []*schema.Field) ([]schema.Value, error) {
	defer s.reset()
	for {
		more, err := s.step()
		if !more {
			return dst, err
		}
		for i, f := range columns {
			dst = append(dst, s.value(i, f))
		}
	}
}

func (c *conn) changes() int { return int(sqlite3.Xsqlite3_changes64(c.tls, c.db)) }

const (
	// batch is how many rows one statement inserts: measured, more are slower again.
	batch = 64
	// parameters are the most that SQLite takes in one statement.
	parameters = 32_766
)

// insert runs statements of a batch of rows, and of one row for what is left. Where the
// database makes the keys they are all of one row: SQLite promises no order of RETURNING.
func (c *conn) insert(w *query.Write) (driver.Written, error) {
	done := driver.Written{}
	returning := unknownKeys(w)
	rest := w.Rows
	if returning == nil && len(w.Columns) > 0 {
		n := max(1, min(batch, parameters/len(w.Columns)))
		whole := len(w.Rows) / n * n
		if err := c.insertBy(n, w, w.Rows[:whole], nil, &done); err != nil {
			return done, err
		}
		rest = w.Rows[whole:]
	}
	if err := c.insertBy(1, w, rest, returning, &done); err != nil {
		return done, err
	}
	if w.WantKeys && returning == nil {
		done.Keys = givenKeys(w)
	}
	return done, nil
}

// insertBy inserts rows, n with each run of one statement.
func (c *conn) insertBy(n int, w *query.Write, rows [][]schema.Value, returning []*schema.Field, done *driver.Written) error {
	if len(rows) == 0 {
		return nil
	}
	text, err := c.inserts.Text(w.Type, w.Columns, n, returning, func() (sqlgen.Statement, error) {
		return sqlgen.Insert(dialect{}, w.Type, w.Columns, n, returning)
	})
	if err != nil {
		return err
	}
	s, err := c.cache.get(text)
	if err != nil {
		return err
	}
	for ; len(rows) > 0; rows = rows[n:] {
		c.args.reset()
		for _, row := range rows[:n] {
			for i, v := range row {
				c.args.value(v, w.Columns[i].Scalar)
			}
		}
		if err := s.bind(); err != nil {
			return err
		}
		if done.Keys, err = s.collect(done.Keys, returning); err != nil {
			return err
		}
		done.Affected += n
	}
	return nil
}

func givenKeys(w *query.Write) []schema.Value {
	places := keyPlaces(w)
	keys := make([]schema.Value, 0, len(w.Rows)*len(places))
	for _, row := range w.Rows {
		for _, at := range places {
			keys = append(keys, row[at])
		}
	}
	return keys
}

// unknownKeys are the key's columns when they are wanted and not among what is inserted.
func unknownKeys(w *query.Write) []*schema.Field {
	if !w.WantKeys || knowsKeys(w) {
		return nil
	}
	return w.Type.Primary
}

// knowsKeys is whether every row that is inserted has its whole key.
func knowsKeys(w *query.Write) bool {
	places := keyPlaces(w)
	if len(places) != len(w.Type.Primary) {
		return false
	}
	for _, row := range w.Rows {
		for _, at := range places {
			if row[at].IsNull() {
				return false
			}
		}
	}
	return true
}

// keyPlaces are the places of the key's columns among what is inserted.
func keyPlaces(w *query.Write) []int {
	var places []int
	for _, key := range w.Type.Primary {
		for i, f := range w.Columns {
			if f == key {
				places = append(places, i)
			}
		}
	}
	return places
}

package drivertest

import (
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/schema"
)

// cellsOf is one row of an answer.
type cellsOf struct {
	parent int
	values []schema.Value
	json   []string
}

// rowsOf is the answer of a level, both ways a driver gives it.
func rowsOf(b *bench, l query.Level, binding query.Binding) []cellsOf {
	b.Helper()
	var out []cellsOf
	s := b.prepare(l)
	err := b.db.View(b.Context(), func(r driver.Reader) error {
		rows, err := r.Find(b.Context(), s, binding)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c := cellsOf{parent: rows.Parent()}
			for i := range l.Columns {
				c.values = append(c.values, rows.Value(i))
				c.json = append(c.json, string(rows.AppendJSON(nil, i)))
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		b.Fatalf("%v\n%s", err, s)
	}
	return out
}

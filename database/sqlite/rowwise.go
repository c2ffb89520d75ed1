package sqlite

import (
	"spacecloud/database/driver"
	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// changeRows runs statements of a batch of rows, and one for what is left.
func (c *conn) changeRows(w *query.Write, b *query.Binding) (driver.Written, error) {
	done := driver.Written{}
	if len(w.SetColumns()) == 0 && len(w.Set) == 0 {
		return done, nil
	}
	n := max(1, min(batch, parameters/(len(w.Columns)+1)))
	for rows := w.Rows; len(rows) > 0; {
		now := min(n, len(rows))
		if err := c.changeSome(w, rows[:now], b, &done); err != nil {
			return done, err
		}
		rows = rows[now:]
	}
	return done, nil
}

func (c *conn) changeSome(w *query.Write, rows [][]schema.Value, b *query.Binding, done *driver.Written) error {
	var returning []*schema.Field
	if w.WantKeys {
		returning = w.Type.Primary
	}
	text, err := sqlgen.UpdateRows(dialect{}, w, len(rows), returning)
	if err != nil {
		return err
	}
	s, err := c.cache.get(text.Text)
	if err != nil {
		return err
	}
	c.args.reset()
	for _, row := range rows {
		for i, v := range row {
			c.args.value(v, w.Columns[i].Scalar)
		}
	}
	for i := len(rows) * len(w.Columns); i < len(text.Params); i++ {
		if err := c.args.param(&text.Params[i], b); err != nil {
			return err
		}
	}
	if err := s.bind(); err != nil {
		return err
	}
	if done.Keys, err = s.collect(done.Keys, returning); err != nil {
		return err
	}
	done.Affected += c.changes()
	return nil
}

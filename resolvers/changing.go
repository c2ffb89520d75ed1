package resolvers

import (
	"cmp"
	"context"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// changing is an update, and what its rows must be like afterwards.
type changing struct {
	query.Write
	ours  []*schema.Field
	keys  []schema.Value // of its rows, primary; nil where only the write tells
	check *check
	path  func(int) []any // the way to a row of Rows in the input
}

// do makes the update. A conflict is told only to those who may make the rows that there would be.
func (c *changing) do(ctx context.Context, w *writing) (driver.Written, error) {
	c.Readable = c.check.asksAfter() || len(c.Rows) > 1
	written, err := w.write(ctx, c.Write, c.among(), c.ours)
	if err == nil {
		return written, c.reached(w, written)
	}
	if fault.KindOf(err) != fault.Conflict || !c.Readable {
		return written, err
	}
	if written.Affected == 0 {
		return written, cmp.Or(c.refuses(ctx, w), err)
	}
	// The rows are made, and others are not any more what they must be.
	return written, cmp.Or(c.reached(w, written), c.check.ofRules().run(ctx, w, c.made(written), c.path), err)
}

// among are the keys that the write is bound to.
func (c *changing) among() []schema.Value {
	if c.ByKeys {
		return c.keys
	}
	return nil
}

// made are the keys of the rows that were written.
func (c *changing) made(w driver.Written) []schema.Value {
	if c.keys != nil {
		return c.keys
	}
	return w.Keys
}

// reached fails if a row was not among those that the rule lets the caller update.
func (c *changing) reached(w *writing, done driver.Written) error {
	if done.Affected >= len(c.Rows) {
		return nil
	}
	n := len(c.Type.Primary)
	there := map[string]bool{}
	for key := range slices.Chunk(done.Keys, n) {
		there[packed(key)] = true
	}
	for i, row := range c.Rows {
		if !there[packed(row[:n])] {
			return c.out(w, i)
		}
	}
	return nil
}

// out is that a row is not one that the caller may update.
func (c *changing) out(w *writing, i int) error {
	return w.r.Rules.Refusal(w.caller, c.Type, query.Update, c.SetColumns()...).At(c.path(i)...)
}

// refuses is the refusal of rows that could not be written, as the rules would have refused them; nil where
// they allow them all.
func (c *changing) refuses(ctx context.Context, w *writing) error {
	narrowed, err := w.r.Rules.Write(w.caller, c.Write, c.ours...)
	if err != nil {
		return err
	}
	l, keys := meant(narrowed.Write(), c.among())
	for _, f := range c.Type.Columns {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	var rows [][]schema.Value
	err = w.read(ctx, rules.System(l), keys, func(r driver.Rows) error {
		if len(c.Rows) > 0 && r.Parent() > len(rows) {
			return c.out(w, len(rows))
		}
		rows = append(rows, c.become(r))
		return w.bounded(len(rows))
	})
	if err != nil {
		return err
	}
	if len(rows) < len(c.Rows) {
		return c.out(w, len(rows))
	}
	return c.check.refuses(ctx, w, c.Type.Columns, rows, c.path)
}

// become is what the update makes of a row.
func (c *changing) become(r driver.Rows) []schema.Value {
	was := make([]schema.Value, len(c.Type.Columns))
	for i := range was {
		was[i] = r.Value(i)
	}
	row := slices.Clone(was)
	for i, f := range c.SetColumns() {
		row[f.Index] = c.Rows[r.Parent()][len(c.Type.Primary)+i]
	}
	for _, a := range c.Set {
		value := a.Value.Value
		if a.Value.Kind == query.Column {
			value = was[a.Value.Field.Index]
		}
		row[a.Field.Index] = a.Of(was[a.Field.Index], value)
	}
	return row
}

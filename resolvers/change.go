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

// update changes the rows that the caller may update, before and after.
func (w *writing) update(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	if len(c.Links) > 0 {
		return w.updateNested(ctx, c, dst)
	}
	set, err := w.assignments(c)
	if err != nil {
		return dst, err
	}
	fields := fieldsOf(set)
	ours := fields[len(c.Set):]
	check, err := w.checks(c.Type, query.Update, fields, ours)
	if err != nil {
		return dst, err
	}
	check.computed(c.Set)
	if w.alone(c.Type) {
		columns, row := constants(set)
		if err := check.beforehand(ctx, w, query.Update, fields, columns, [][]schema.Value{row}, nil); err != nil {
			return dst, err
		}
		check = nothing(c.Type)
	}
	known := c.namesRow(fields)
	q := query.Write{
		Verb: query.Update, Type: c.Type, Set: set, Where: c.where(), Chosen: c.chosen(),
		WantKeys: !known && (c.wantsRows() || check.needed()),
		Readable: check.asksAfter() && constrained(c.Type, fields),
	}
	written, err := w.write(ctx, q, nil, ours)
	if err != nil {
		return dst, cmp.Or(w.insteadOf(ctx, err, c, check, set), err)
	}
	if c.One && written.Affected == 0 {
		return dst, w.missing(ctx, c)
	}
	if known {
		written.Keys = c.Key
	}
	if err := w.bounded(written.Keys, c.Type); err != nil {
		return dst, err
	}
	if err := check.run(ctx, w, written.Keys, nil); err != nil {
		return dst, err
	}
	return w.answer(ctx, c, written.Affected, ordered(c.Type, written.Keys), dst)
}

// namesRow is whether a change of some columns names its row by the primary key, and leaves that as it is.
func (c *Change) namesRow(changed []*schema.Field) bool {
	return c.One && slices.Equal(c.KeyOf, c.Type.Primary) &&
		!slices.ContainsFunc(changed, func(f *schema.Field) bool { return f.IsPrimary })
}

// where is which rows a change means: those of a key, or what it says.
func (c *Change) where() query.Where {
	if c.Key == nil {
		return c.Where
	}
	var all query.And
	for i, f := range c.KeyOf {
		all = append(all, equals(f, c.Key[i]))
	}
	if v := versionOf(c.Type); v != nil && !c.IfVersion.IsNull() {
		all = append(all, equals(v, c.IfVersion))
	}
	return all
}

// chosen is whether the caller chose rows by what they hold, and not by a key, nor all there are.
func (c *Change) chosen() bool {
	if all, isAnd := c.Where.(query.And); isAnd {
		return c.Key == nil && len(all) > 0
	}
	return c.Key == nil && c.Where != nil
}

// find is the primary keys of the rows that a change means and the rule of a verb allows,
// ascending. Those that are to be changed stay as they are until then.
func (w *writing) find(ctx context.Context, c *Change, verb query.Verb) ([]schema.Value, error) {
	l := query.Level{Type: c.Type, Where: c.where(), Chosen: c.chosen(), Lock: verb != query.Read}
	for _, f := range c.Type.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: f})
		l.OrderBy = append(l.OrderBy, query.Order{Field: f, Ours: true})
	}
	narrowed, err := w.r.Rules.Level(w.caller, verb, l)
	if err != nil {
		return nil, err
	}
	return w.keys(ctx, narrowed)
}

// keys reads primary keys. More than a bulk write may touch are not read to the end.
func (w *writing) keys(ctx context.Context, l rules.Narrowed) ([]schema.Value, error) {
	t := l.Level().Type
	var keys []schema.Value
	err := w.read(ctx, l, nil, func(rows driver.Rows) error {
		for i, f := range t.Primary {
			v, err := typed(rows, i, f)
			if err != nil {
				return err
			}
			keys = append(keys, v)
		}
		return w.bounded(keys, t)
	})
	return keys, err
}

// missing is the error of a change of one row that matched none: the caller may not, or
// cannot know that the row is there.
func (w *writing) missing(ctx context.Context, c *Change) error {
	if !c.IfVersion.IsNull() {
		if err := w.stale(ctx, c); err != nil {
			return err
		}
		whatever := *c
		whatever.IfVersion, c = schema.Null, &whatever
	}
	keys, err := w.find(ctx, c, query.Read)
	switch {
	case err != nil && !refused(err):
		return err
	case err == nil && len(keys) > 0:
		return fault.New(fault.Denied, "%s of this %s is not allowed", c.Verb, c.Type.Name)
	}
	return fault.New(fault.NotFound, "there is no such %s", c.Type.Name)
}

// ordered are flat primary keys in ascending order, so that every database answers a bulk
// update in the same order.
func ordered(t *schema.Type, keys []schema.Value) []schema.Value {
	n := len(t.Primary)
	if len(keys) <= n {
		return keys
	}
	rows := slices.Collect(slices.Chunk(keys, n))
	slices.SortFunc(rows, func(a, b []schema.Value) int { return slices.CompareFunc(a, b, schema.Value.Compare) })
	return slices.Concat(rows...)
}

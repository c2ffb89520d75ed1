package resolvers

import (
	"cmp"
	"context"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/schema"
)

// outright makes a change that is one write, and no more: nothing is looked at before or after it, and
// what it answers the write itself tells. Then there is no transaction to begin and to commit. It is
// false, with nothing done, of all other changes, and of one row that was not found: that has to be
// explained.
func (w *writing) outright(ctx context.Context, c *Change, dst []byte) ([]byte, bool, error) {
	if err := late(ctx); err != nil {
		return dst, false, err
	}
	row, ok := w.told(c)
	if !ok || !w.guarded(c.Type) {
		return dst, false, nil
	}
	q, ours, ok, err := w.only(c)
	if !ok || err != nil {
		return dst, false, err
	}
	var columns []*schema.Field
	if row != nil {
		columns = row.columns()
		q.Returning = columns
	}
	narrowed, b, err := w.narrow(ctx, q, nil, ours)
	if err != nil {
		return dst, false, err
	}
	written, err := w.db(c.Type).WriteAlone(ctx, narrowed, b)
	switch {
	case err != nil && c.Verb == query.Delete:
		return dst, false, w.undeleted(c, err)
	case err != nil:
		return dst, false, err
	case row == nil:
		dst, err = w.answer(ctx, c, written.Affected, nil, dst)
		return dst, true, err
	case written.Affected == 0:
		return dst, false, nil
	}
	dst = writer{row, &told{columns, written.Values}, nil, &w.holes}.object(dst)
	return dst, true, nil
}

// guarded is whether the database itself keeps links right, and takes back what it refuses.
func (w *writing) guarded(t *schema.Type) bool {
	can := w.db(t).Driver().Features()
	return can.ForeignKeys && can.Transactions
}

// told is the level that shows the row that a change answers with, nil for a change that shows none,
// and false where that takes more than the columns of the row.
func (w *writing) told(c *Change) (*level, bool) {
	switch {
	case !c.wantsRows():
		return nil, true
	case !c.One || !w.db(c.Type).Driver().Features().Returning:
		return nil, false
	}
	p, err := c.Answer.Row.plan(w.caller, lenient)
	if err != nil || !p.levels[0].plain || len(p.levels) > 1 {
		return nil, false
	}
	return p.levels[0], true
}

// only is the write that is all of a change, and the columns in it that the server fills; false
// where there is more to do.
func (w *writing) only(c *Change) (query.Write, []*schema.Field, bool, error) {
	switch {
	case c.Verb == query.Create && c.OnConflict == nil && !takesLinks(c.Docs) && len(c.Docs) <= w.r.WriteRows:
		return w.onlyInsert(c)
	case c.Verb == query.Update && len(c.Links) == 0:
		return w.onlyUpdate(c)
	case c.Verb == query.Delete && !c.wantsRows() && !w.cascades(c.Type):
		return query.Write{Verb: query.Delete, Type: c.Type, Where: c.where(), Chosen: c.chosen()}, nil, true, nil
	}
	return query.Write{}, nil, false, nil
}

func (w *writing) onlyInsert(c *Change) (q query.Write, ours []*schema.Field, ok bool, err error) {
	columns, ours := w.columns(c.Type, c.Docs)
	check, refused := w.checks(c.Type, query.Create, columns, ours)
	if refused == nil && check.needed() {
		return q, nil, false, nil
	}
	rows, err := w.fill(c.Type, c.Docs, columns, c.path)
	// What is wrong with the rows is said first.
	return query.Write{Verb: query.Create, Type: c.Type, Columns: columns, Rows: rows}, ours, true, cmp.Or(err, refused)
}

func (w *writing) onlyUpdate(c *Change) (q query.Write, ours []*schema.Field, ok bool, err error) {
	set, err := w.assignments(c)
	if err != nil {
		return q, nil, false, err
	}
	fields := fieldsOf(set)
	ours = fields[len(c.Set):]
	check, err := w.checks(c.Type, query.Update, fields, ours)
	if err != nil {
		return q, nil, false, err
	}
	check.computed(c.Set)
	q = query.Write{Verb: query.Update, Type: c.Type, Set: set, Where: c.where(), Chosen: c.chosen()}
	return q, ours, !check.needed() && len(w.loose(&q)) == 0, nil
}

// told are the values of one row that a write tells.
type told struct {
	columns []*schema.Field
	values  []schema.Value
}

var _ driver.Rows = (*told)(nil)

func (t *told) AppendJSON(dst []byte, column int) []byte {
	return schema.AppendValue(dst, t.columns[column], t.values[column])
}

func (t *told) Value(column int) schema.Value { return t.values[column] }

// Misfit is nothing: what a write tells is what it wrote.
func (*told) Misfit(int) driver.Misfit { return driver.Misfit{} }

func (*told) Next() bool   { return false }
func (*told) Parent() int  { return 0 }
func (*told) Err() error   { return nil }
func (*told) Close() error { return nil }

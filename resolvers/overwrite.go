package resolvers

import (
	"context"
	"slices"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// overwrite is what an update makes of rows, as far as that is known before it is done.
type overwrite struct {
	columns  []*schema.Field
	values   func(row int) []schema.Value
	computed []*schema.Field // whose new values only the database knows
}

// assigned is the overwrite of an update that does the same to all rows.
func assigned(set []query.Assign) overwrite {
	columns, row := constants(set)
	o := overwrite{columns: columns, values: func(int) []schema.Value { return row }}
	for _, a := range set {
		if !slices.Contains(columns, a.Field) {
			o.computed = append(o.computed, a.Field)
		}
	}
	return o
}

// insteadOf is what to say instead of the error of an update that chose its rows itself.
func (w *writing) insteadOf(ctx context.Context, err error, c *Change, check *check, set []query.Assign) error {
	if fault.KindOf(err) != fault.Conflict || !check.asksAfter() {
		return nil
	}
	keys, failed := w.find(ctx, c, query.Update)
	if failed != nil {
		return failed
	}
	return assigned(set).insteadOf(ctx, w, err, check, keys, nil)
}

// insteadOf is what to say instead of the error of an update of rows with these keys; nil for that error. As of an
// insert, a conflict is told to those only who may have the rows so. Path may be nil.
func (o overwrite) insteadOf(ctx context.Context, w *writing, err error, c *check, keys []schema.Value, path func(int) []any) error {
	if fault.KindOf(err) != fault.Conflict || !c.asksAfter() {
		return nil
	}
	for _, l := range c.levels {
		if l.fault.Kind == fault.Denied && l.names(o.computed) {
			return l.fault
		}
	}
	rows := make([][]schema.Value, len(keys)/len(c.typ.Primary))
	err = w.lookup(ctx, by(c.typ, c.typ.Primary, c.typ.Columns, true), keys, func(i int, row []schema.Value) error {
		for place, v := range o.values(i) {
			row[o.columns[place].Index] = v
		}
		rows[i] = row
		return nil
	})
	if err != nil {
		return err
	}
	return c.refuses(ctx, w, c.typ.Columns, rows, path)
}

// constrained is whether a change of some columns may break a unique key or a foreign key.
func constrained(t *schema.Type, changed []*schema.Field) bool {
	isChanged := func(f *schema.Field) bool { return slices.Contains(changed, f) }
	for _, u := range t.Uniques {
		if slices.ContainsFunc(u.Fields, func(f schema.IndexField) bool { return isChanged(f.Field) }) {
			return true
		}
	}
	return slices.ContainsFunc(t.Fields, func(f *schema.Field) bool {
		return f.IsLink() && f.Link.Owns && slices.ContainsFunc(f.Link.From, isChanged)
	})
}

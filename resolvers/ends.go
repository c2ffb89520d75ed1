package resolvers

import (
	"context"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// ends are values that a link may point to, in rows whose update may change them.
type ends struct {
	link   *schema.Field
	values []schema.Value
}

// endsBefore reads what an update may take away from under other rows, where no foreign key of the
// database looks at that. The write is one under its rule.
func (w *writing) endsBefore(ctx context.Context, q *query.Write, keys []schema.Value) ([]ends, error) {
	if q.Verb != query.Update {
		return nil, nil
	}
	var all []ends
	for _, f := range w.loose(q) {
		if w.alone(q.Type) {
			return nil, w.needsTransactions(q.Type, "rows of %s may point to what this changes (%s.%s)", f.Owner.Name, f.Owner.Name, f.Name)
		}
		values, err := w.valuesOf(ctx, q, keys, f.Link.To)
		if err != nil {
			return nil, err
		}
		all = append(all, ends{f, values})
	}
	return all, nil
}

// loose are the links to columns that an update sets, of which no database keeps that they lead somewhere.
func (w *writing) loose(q *query.Write) []*schema.Field {
	changed := slices.Concat(q.SetColumns(), fieldsOf(q.Set))
	var all []*schema.Field
	for _, f := range w.r.pointing[q.Type] {
		if !f.Link.Enforced && slices.ContainsFunc(f.Link.To, func(k *schema.Field) bool { return slices.Contains(changed, k) }) {
			all = append(all, f)
		}
	}
	return all
}

// meant is a level of the rows that an update means, without columns, and the keys to ask it with.
func meant(q *query.Write, keys []schema.Value) (query.Level, []schema.Value) {
	l := query.Level{Type: q.Type, Where: q.Where}
	if q.ByKeys || len(q.Rows) > 0 {
		l.Via = &query.Via{Single: true}
	}
	for _, row := range q.Rows {
		keys = append(slices.Clip(keys), row[:len(q.Type.Primary)]...)
	}
	return l, keys
}

// valuesOf are the values, of none of which a part is null, of some columns in the rows that an update means.
func (w *writing) valuesOf(ctx context.Context, q *query.Write, keys []schema.Value, columns []*schema.Field) ([]schema.Value, error) {
	l, keys := meant(q, keys)
	for _, f := range columns {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	var values []schema.Value
	return values, w.read(ctx, rules.System(l), keys, func(rows driver.Rows) error {
		row := make([]schema.Value, len(columns))
		for i := range row {
			row[i] = rows.Value(i)
		}
		if !anyNull(row) {
			values = append(values, row...)
		}
		if len(values) > len(columns)*w.r.WriteRows {
			return fault.New(fault.Limit, "this would change more than %d rows of %s that others may point to", w.r.WriteRows, q.Type.Name)
		}
		return nil
	})
}

// stillThere fails if a value is gone that other rows point to.
func (w *writing) stillThere(ctx context.Context, all []ends) error {
	for _, e := range all {
		link := e.link.Link
		n := len(link.To)
		there := make([]bool, len(e.values)/n)
		err := w.lookup(ctx, by(link.Target, link.To, link.To, true), e.values, func(i int, _ []schema.Value) error {
			there[i] = true
			return nil
		})
		if err != nil {
			return err
		}
		var gone []schema.Value
		for i, is := range there {
			if !is {
				gone = append(gone, e.values[i*n:(i+1)*n]...)
			}
		}
		err = w.lookup(ctx, by(e.link.Owner, link.From, e.link.Owner.Primary, false), gone, func(int, []schema.Value) error {
			return fault.New(fault.Conflict, "other rows still point to this %s", link.Target.Name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

package resolvers

import (
	"context"
	"maps"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/live"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Those who wait for rows are told of a write when it is committed: what is known of its rows without
// asking the database. While nobody waits nothing is noted.

// do does a write in the transaction of its database, and notes it.
func (w *writing) do(ctx context.Context, q rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	written, err := w.txs[w.db(q.Write().Type)].Write(ctx, q, b)
	if err == nil {
		w.note(q.Write(), b, written)
	}
	return written, err
}

// note notes what a write has done.
func (w *writing) note(q *query.Write, b query.Binding, written driver.Written) {
	if !w.watched || written.Affected == 0 {
		return
	}
	w.done = append(w.done, changeOf(q, b, written))
	if q.Verb != query.Delete {
		return
	}
	for _, f := range w.r.pointing[q.Type] {
		if f.Owner.Owned { // the rows of a join table go by their foreign key
			w.done = append(w.done, live.Change{Table: tableOf(f.Owner)})
		}
	}
}

// tell tells those who wait what changes have done, once it is committed, or may be. What it was is
// known where it was noted: who came after the first write may have read before the commit.
func (w *writing) tell(changes []Change, isKnown bool) {
	hub := w.r.Live.Hub()
	switch {
	case !hub.Watched():
	case isKnown:
		hub.Tell(w.done)
	default:
		var all []live.Change
		for _, name := range w.r.Written(changes) {
			all = append(all, live.Change{Table: live.Table{Database: name}})
		}
		hub.Tell(all)
	}
}

// changeOf is what a write did, by what it says of its rows itself.
func changeOf(q *query.Write, b query.Binding, written driver.Written) live.Change {
	v := valuesBy{}
	if q.Verb == query.Create {
		v.inserted(q, written)
	} else {
		v.before(q, b, written)
		v.after(q)
	}
	c := live.Change{Table: tableOf(q.Type), Values: map[string][]string{}}
	for f, values := range v {
		if labels, ok := labelsOf(values); ok {
			c.Values[f.Column] = labels
		}
	}
	return c
}

// valuesBy are all values that rows hold in a column, before a write or after it. Of a column that is
// not there nothing is known.
type valuesBy map[*schema.Field][]schema.Value

func (v valuesBy) add(f *schema.Field, values ...schema.Value) {
	if hasLabel(f) {
		v[f] = append(v[f], values...)
	}
}

// rows adds the values of some columns in rows.
func (v valuesBy) rows(columns []*schema.Field, rows [][]schema.Value) {
	for i, f := range columns {
		if hasLabel(f) {
			for _, row := range rows {
				v[f] = append(v[f], row[i])
			}
		}
	}
}

// inserted adds what rows were inserted with: null in the columns that nobody gives a value.
func (v valuesBy) inserted(q *query.Write, written driver.Written) {
	v.rows(q.Columns, q.Rows)
	for _, f := range q.Type.Columns {
		if !slices.Contains(q.Columns, f) && !f.Assigned() {
			v.add(f, schema.Null)
		}
	}
	if len(q.Rows) > 0 && !slices.ContainsFunc(q.Type.Primary, func(f *schema.Field) bool { return v[f] != nil }) {
		v.keys(q.Type, written.Keys)
	}
}

// keys adds flat primary keys; none are known for none.
func (v valuesBy) keys(t *schema.Type, keys []schema.Value) {
	v.rows(t.Primary, slices.Collect(slices.Chunk(keys, max(1, len(t.Primary)))))
}

// before adds what is known of the rows of an update or a delete as they were.
func (v valuesBy) before(q *query.Write, b query.Binding, written driver.Written) {
	for _, f := range fixedBy(q.Where) {
		if v[f.column] == nil {
			v.add(f.column, given(f.value, b)...)
		}
	}
	key := valuesBy{}
	switch {
	case q.ByKeys:
		key.keys(q.Type, b.Keys)
	case len(q.Rows) > 0:
		key.rows(q.Columns[:len(q.Type.Primary)], q.Rows)
	case q.WantKeys && !slices.ContainsFunc(fieldsOf(q.Set), func(f *schema.Field) bool { return f.IsPrimary }):
		key.keys(q.Type, written.Keys)
	}
	maps.Copy(v, key)
}

// after adds what an update sets, and takes out what it makes of values that are not known.
func (v valuesBy) after(q *query.Write) {
	for i, f := range q.SetColumns() {
		if v[f] != nil {
			v.rows([]*schema.Field{f}, column(q.Rows, len(q.Type.Primary)+i))
		}
	}
	for _, a := range q.Set {
		switch {
		case v[a.Field] == nil:
		case a.Op == query.Set && a.Value.Kind == query.Constant:
			v.add(a.Field, a.Value.Value)
		default:
			delete(v, a.Field)
		}
	}
}

// column are rows of one of their columns.
func column(rows [][]schema.Value, i int) [][]schema.Value {
	out := make([][]schema.Value, len(rows))
	for n, row := range rows {
		out[n] = row[i : i+1]
	}
	return out
}

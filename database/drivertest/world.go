package drivertest

import (
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// world are rows in memory: what query.Holds looks at.
type world struct{ rows map[*schema.Type][]*record }

type record struct {
	world  *world
	typ    *schema.Type
	values []schema.Value
}

var _ query.Row = (*record)(nil)

func (r *record) Value(f *schema.Field) schema.Value { return r.values[f.Index] }

func (r *record) All(t *schema.Type) []query.Row {
	var rows []query.Row
	for _, other := range r.world.rows[t] {
		rows = append(rows, other)
	}
	return rows
}

func (r *record) Linked(link *schema.Field) []query.Row {
	l := link.Link
	var rows []query.Row
	for _, target := range r.world.rows[l.Target] {
		if r.leads(l, target) {
			rows = append(rows, target)
		}
	}
	return rows
}

func (r *record) leads(l *schema.Link, target *record) bool {
	if l.Through == nil {
		return equal(r, l.From, target, l.To)
	}
	return slices.ContainsFunc(r.world.rows[l.Through], func(through *record) bool {
		return equal(r, l.From, through, l.ThroughFrom) && equal(through, l.ThroughTo, target, l.To)
	})
}

func equal(a *record, as []*schema.Field, b *record, bs []*schema.Field) bool {
	for i := range as {
		x, y := a.Value(as[i]), b.Value(bs[i])
		if x.IsNull() || y.IsNull() || x.String() != y.String() {
			return false
		}
	}
	return true
}

// ids are the ids of the rows for which a condition holds, as JSON, sorted.
func (w *world) ids(t *schema.Type, where query.Where, b query.Binding) []string {
	var ids []string
	id := t.Field("id")
	for _, r := range w.rows[t] {
		if query.Holds(where, r, b) == query.True {
			ids = append(ids, string(schema.AppendValue(nil, id, r.Value(id))))
		}
	}
	slices.Sort(ids)
	return ids
}

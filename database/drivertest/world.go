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

func (r *record) All(t *schema.Type) []query.Row { return r.world.all(t) }

func (w *world) all(t *schema.Type) []query.Row {
	var rows []query.Row
	for _, r := range w.rows[t] {
		rows = append(rows, r)
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

// ids are the keys of the rows for which a condition holds, as JSON, sorted.
func (w *world) ids(t *schema.Type, where query.Where, b query.Binding) []string {
	var ids []string
	for _, r := range w.rows[t] {
		if query.Holds(where, r, b) == query.True {
			ids = append(ids, r.id())
		}
	}
	slices.Sort(ids)
	return ids
}

// id is the key of a row, as JSON.
func (r *record) id() string {
	var id []byte
	for i, f := range r.typ.Primary {
		if i > 0 {
			id = append(id, ' ')
		}
		id = schema.AppendValue(id, f, r.Value(f))
	}
	return string(id)
}

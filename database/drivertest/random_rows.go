package drivertest

import (
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// pool are the values of a column's scalar, as JSON has them; none for what is not plain.
func (r *random) pool(f *schema.Field) []any {
	switch pool := pools[f.Scalar]; {
	case f.Scalar == schema.EnumValue:
		var names []any
		for _, v := range f.Enum.Values {
			names = append(names, v.Name)
		}
		return names
	case f.HoldsInteger():
		return pools[schema.Int]
	case f.Scalar == schema.DateTime && !r.bench.driver.Features().Microseconds:
		return pool[1:]
	default:
		return pool
	}
}

// hasPool is whether a column's values are plain, so that they can be told apart.
func (r *random) hasPool(f *schema.Field) bool { return !f.List && len(r.pool(f)) > 0 }

// scalar is a value of a column, or of an element of it.
func (r *random) scalar(f *schema.Field) any {
	switch f.Scalar {
	case schema.JSON:
		return pick(r, docs)
	case schema.Embedded:
		members := map[string]any{}
		for _, m := range f.Value.Columns {
			if m.NonNull || r.IntN(3) > 0 {
				members[m.Name] = r.whole(m)
			}
		}
		return members
	}
	return pick(r, r.pool(f))
}

// whole is a value of a column, null at times.
func (r *random) whole(f *schema.Field) any {
	if !f.NonNull && r.IntN(4) == 0 {
		return nil
	}
	if !f.List {
		return r.scalar(f)
	}
	list := []any{}
	for range r.IntN(4) {
		if f.ElemNull && r.IntN(4) == 0 {
			list = append(list, nil)
		} else {
			list = append(list, r.scalar(f))
		}
	}
	return list
}

// row stores a random row, unless chance made one that cannot be.
func (r *random) row(t *schema.Type) {
	row := &record{r.bench.world, t, make([]schema.Value, len(t.Columns))}
	for _, f := range t.Columns {
		row.values[f.Index] = r.coerced(f, r.whole(f))
	}
	for _, f := range t.Fields {
		if f.IsLink() && f.Link.Owns && !r.tie(row, f) {
			return
		}
	}
	if !r.taken(row) {
		r.bench.store(t, row)
	}
}

// tie lets a row hold the key of a link: of a row that is there, of none, or of one that is not there where
// no foreign key minds. It says whether that can be.
func (r *random) tie(row *record, link *schema.Field) bool {
	targets := r.bench.world.rows[link.Link.Target]
	isNull := !slices.ContainsFunc(link.Link.From, func(f *schema.Field) bool { return f.NonNull }) && r.IntN(4) == 0
	switch {
	case isNull || len(targets) == 0:
		for _, f := range link.Link.From {
			row.values[f.Index] = schema.Null
		}
		return !slices.ContainsFunc(link.Link.From, func(f *schema.Field) bool { return f.NonNull })
	case !r.bench.driver.Features().ForeignKeys && r.IntN(6) == 0:
	default:
		target := pick(r, targets)
		for i, f := range link.Link.From {
			row.values[f.Index] = target.Value(link.Link.To[i])
		}
	}
	return true
}

// taken is whether a row has a key of another.
func (r *random) taken(row *record) bool {
	keys := [][]*schema.Field{row.typ.Primary}
	for _, u := range row.typ.Uniques {
		var key []*schema.Field
		for _, f := range u.Fields {
			key = append(key, f.Field)
		}
		keys = append(keys, key)
	}
	return slices.ContainsFunc(r.bench.world.rows[row.typ], func(other *record) bool {
		return slices.ContainsFunc(keys, func(key []*schema.Field) bool { return equal(row, key, other, key) })
	})
}

// linkKey is the key that a row has for a link; none when part of it is null.
func linkKey(row *record, link *schema.Field) []schema.Value {
	var key []schema.Value
	for _, f := range link.Link.From {
		if row.Value(f).IsNull() {
			return nil
		}
		key = append(key, row.Value(f))
	}
	return key
}

// meeting are those of some rows that meet a condition.
func (r *random) meeting(rows []query.Row, w query.Where) []query.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(row query.Row) bool { return query.Holds(w, row, r.binding) != query.True })
}

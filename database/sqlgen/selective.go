package sqlgen

import (
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// A condition on linked rows can be asked in two ways: for each row whether there is a linked one
// (EXISTS), or whether the row's key is among those that the linked rows hold (IN). A database
// begins an IN with the linked rows, which pays where an index finds few of them: the posts that
// Ann commented on. Where most rows are linked to some, EXISTS ends at the first.

// selective is whether an index finds the linked rows that meet a condition, and the condition
// looks at them alone.
func selective(w query.Some) bool {
	l := w.Link.Link
	if len(l.From) != 1 || len(l.To) != 1 || len(l.ThroughFrom) > 1 || len(l.ThroughTo) > 1 {
		return false
	}
	return finds(w.Where) && !query.Outward(w.Where) && !query.Outward(w.Through)
}

// finds is whether an index leads to the rows that meet a condition.
func finds(w query.Where) bool {
	switch w := w.(type) {
	case query.And:
		return slices.ContainsFunc(w, finds)
	case query.Compare:
		o := w.Left
		return (w.Op == query.Eq || w.Op == query.In) && o.Kind == query.Column && o.Up == 0 &&
			len(o.Via) == 0 && len(o.Inside) == 0 && w.Right.Kind != query.Column && leads(o.Field)
	case query.Some:
		return selective(w) && leads(w.Link.Link.From[0])
	}
	return false
}

// leads is whether an index begins with a column.
func leads(f *schema.Field) bool {
	t := f.Owner
	if f.IsUnique || f.IsIndexed || len(t.Primary) > 0 && t.Primary[0] == f {
		return true
	}
	begins := func(i schema.Index) bool { return i.Where == "" && i.Fields[0].Field == f }
	return slices.ContainsFunc(t.Uniques, begins) || slices.ContainsFunc(t.Indexes, begins)
}

// keyed appends a Some as the keys of the linked rows. It is never unknown: nulls are left out.
func (b *Builder) keyed(w query.Some) {
	l := w.Link.Link
	from, outer := l.From[0], b.scope(0)
	if !from.NonNull {
		b.Text("(")
		b.Column(outer, from)
		b.Text(" IS NOT NULL AND ")
	}
	b.Column(outer, from)
	if l.Through == nil {
		b.keysOf(l.Target, l.To[0], w.Where)
	} else {
		b.joinedKeys(w)
	}
	if !from.NonNull {
		b.Text(")")
	}
}

// keysOf appends " IN (SELECT key FROM t WHERE …)".
func (b *Builder) keysOf(t *schema.Type, key *schema.Field, w query.Where) {
	target := b.Alias()
	b.selectKeys(t, key, target)
	b.and(target, w)
	b.Text(")")
}

// selectKeys appends " IN (SELECT key FROM t WHERE key IS NOT NULL", to be closed.
func (b *Builder) selectKeys(t *schema.Type, key *schema.Field, alias string) {
	b.Text(" IN (SELECT ")
	b.Column(alias, key)
	b.Text(" FROM ")
	b.Table(t, alias)
	b.Text(" WHERE ")
	b.Column(alias, key)
	b.Text(" IS NOT NULL")
}

// joinedKeys does the same by way of join rows.
func (b *Builder) joinedKeys(w query.Some) {
	l := w.Link.Link
	join := b.Alias()
	b.selectKeys(l.Through, l.ThroughFrom[0], join)
	b.and(join, w.Through)
	b.Text(" AND ")
	b.Column(join, l.ThroughTo[0])
	b.keysOf(l.Target, l.To[0], w.Where)
	b.Text(")")
}

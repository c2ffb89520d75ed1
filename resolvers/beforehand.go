package resolvers

import (
	"context"
	"slices"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// beforehand asks the update rules of the rows that are there already, of how everything is before the first
// row is written: nothing that goes along makes one true. They are asked again as each row is written,
// for another request may have changed it.
func (n *nest) beforehand(ctx context.Context) error {
	for _, x := range n.nodes {
		if x.there == nil {
			continue
		}
		fields := columnsOf(x.set)
		for _, f := range x.fills {
			fields = append(fields, f.to...)
		}
		if err := n.allowed(ctx, x.typ, x.there, append(fields, x.links...), nil); err != nil {
			return err
		}
	}
	keys, paths := map[*schema.Field][]schema.Value{}, map[*schema.Field][][]any{}
	var links []*schema.Field
	for i := range n.moves {
		m := &n.moves[i]
		if err := n.moved(ctx, m); err != nil {
			return err
		}
		if keys[m.link] == nil {
			links = append(links, m.link)
		}
		for _, key := range m.keys {
			keys[m.link], paths[m.link] = append(keys[m.link], key...), append(paths[m.link], m.path())
		}
	}
	if len(n.wrong.list) > 0 {
		return nil // it is told with what else is wrong
	}
	for _, f := range links {
		fields := slices.Clone(f.Link.To)
		if f.Link.Inverse != nil {
			fields = append(fields, f.Link.Inverse)
		}
		if err := n.allowed(ctx, f.Link.Target, keys[f], fields, func(i int) []any { return paths[f][i] }); err != nil {
			return err
		}
	}
	return nil
}

func columnsOf(set []Assign) []*schema.Field {
	fields := make([]*schema.Field, len(set))
	for i, a := range set {
		fields[i] = a.Field
	}
	return fields
}

// path is the way to what a move is said by.
func (m *move) path() []any {
	if m.row != nil {
		return m.row.path
	}
	return append(slices.Clip(m.owner.path), m.link.Name)
}

// allowed fails if the rules do not let the caller change fields of the rows of keys as they are.
func (n *nest) allowed(ctx context.Context, t *schema.Type, keys []schema.Value, fields []*schema.Field, path func(int) []any) error {
	level, needed, err := n.w.r.Rules.After(n.w.caller, t, query.Update, fields...)
	if err != nil || !needed {
		return err
	}
	no := failing{level: level, fault: fault.New(fault.Denied, "update of this %s is not allowed", t.Name)}
	return (&check{typ: t, levels: []failing{no}}).run(ctx, n.w, keys, path)
}

// ownerKey is what the rows of a move are to point to.
func (m *move) ownerKey() []schema.Value {
	key := make([]schema.Value, len(m.link.Link.From))
	for i, k := range m.link.Link.From {
		key[i], _ = m.owner.value(k)
	}
	return key
}

// moved finds the rows that a move is of. Those that the caller does not see are not there for them.
func (n *nest) moved(ctx context.Context, m *move) error {
	if m.row == nil {
		return n.others(ctx, m)
	}
	if m.away && !m.leads() {
		n.wrong.add(fault.New(fault.NotFound, "%s.%s does not lead to this %s", m.link.Owner.Name, m.link.Name, m.row.typ.Name).At(m.row.path...))
		return nil
	}
	m.keys = [][]schema.Value{m.row.primary()}
	return nil
}

// leads is whether a link leads to the row that is to be taken from it.
func (m *move) leads() bool {
	now := make([]schema.Value, len(m.link.Link.To))
	for i, k := range m.link.Link.To {
		now[i] = m.row.value(k)
	}
	return packed(now) == packed(m.ownerKey())
}

// others finds the rows that a link leads to, but for those that it is to lead to.
func (n *nest) others(ctx context.Context, m *move) error {
	link := m.link.Link
	kept := map[string]bool{}
	for _, other := range n.moves {
		if other.owner == m.owner && other.link == m.link && !other.away {
			kept[packed(other.row.primary())] = true
		}
	}
	var rows [][]schema.Value
	var keys []schema.Value
	err := n.w.lookup(ctx, by(link.Target, link.To, link.Target.Primary, false), m.ownerKey(), func(_ int, row []schema.Value) error {
		if !kept[packed(row)] {
			rows, keys = append(rows, row), append(keys, row...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	seen, err := n.may(ctx, query.Read, link.Target, keys)
	for i, row := range rows {
		if seen[i] {
			m.keys = append(m.keys, row)
		}
	}
	return err
}

package resolvers

import (
	"context"
	"slices"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// plan looks at what is linked now: which join rows are there already, and which have to go.
func (n *nest) plan(ctx context.Context) error {
	if err := n.noContradictions(); err != nil {
		return err
	}
	if err := n.beforehand(ctx); err != nil {
		return err
	}
	for _, x := range slices.Clone(n.nodes) {
		if x.there == nil {
			continue
		}
		for _, f := range x.links {
			if f.Link.Through == nil {
				continue
			}
			if err := n.planJoin(ctx, x, f); err != nil {
				return err
			}
		}
	}
	n.dropTwins()
	return n.wrong.err()
}

// noContradictions finds rows that are linked and unlinked at once.
func (n *nest) noContradictions() error {
	type pair struct {
		owner *node
		link  *schema.Field
		key   string
	}
	away := map[pair]bool{}
	note := func(link *schema.Field, owner *node, row *connected) {
		if row != nil {
			away[pair{owner, link, packed(row.primary())}] = true
		}
	}
	for _, d := range n.drops {
		note(d.link, d.owner, d.row)
	}
	for _, m := range n.moves {
		if m.away {
			note(m.link, m.owner, m.row)
		}
	}
	clash := func(link *schema.Field, owner *node, row *connected) {
		if row != nil && away[pair{owner, link, packed(row.primary())}] {
			n.contradict(row.path, "this %s is connected and disconnected at once", row.typ.Name)
		}
	}
	for _, m := range n.moves {
		if !m.away {
			clash(m.link, m.owner, m.row)
		}
	}
	for _, x := range n.nodes {
		if link := n.joinLink(x); link != nil {
			clash(link, x.fills[0].node, x.fills[1].row)
		}
	}
	return n.wrong.err()
}

// joinLink is the link whose join row a node is, nil for other rows.
func (n *nest) joinLink(x *node) *schema.Field {
	if len(x.fills) != 2 || x.fills[0].node == nil || x.there != nil {
		return nil
	}
	for _, f := range x.fills[0].node.links {
		if f.Link.Through == x.typ && slices.Equal(f.Link.ThroughFrom, x.fills[0].to) && slices.Equal(f.Link.ThroughTo, x.fills[1].to) {
			return f
		}
	}
	return nil
}

// dropTwins leaves a join row out that stands in the input twice.
func (n *nest) dropTwins() {
	type pair struct {
		owner *node
		link  *schema.Field
		key   string
	}
	seen := map[pair]bool{}
	n.nodes = slices.DeleteFunc(n.nodes, func(x *node) bool {
		link := n.joinLink(x)
		if link == nil || x.fills[1].row == nil {
			return false
		}
		p := pair{x.fills[0].node, link, packed(x.fills[1].row.primary())}
		twice := seen[p]
		seen[p] = true
		return twice
	})
}

// planJoin compares what a many-to-many link of a row that is there is to lead to with what it leads to.
func (n *nest) planJoin(ctx context.Context, x *node, f *schema.Field) error {
	link := f.Link
	from := make([]schema.Value, len(link.From))
	for i, k := range link.From {
		from[i] = x.read[k]
	}
	columns := slices.Concat(link.Through.Primary, link.ThroughTo)
	width := len(link.Through.Primary)
	now := map[string][][]schema.Value{} // the keys of join rows by where they lead
	var order []string
	err := n.w.lookup(ctx, by(link.Through, link.ThroughFrom, columns, false), from, func(_ int, row []schema.Value) error {
		to := packed(row[width:])
		if now[to] == nil {
			order = append(order, to)
		}
		now[to] = append(now[to], row)
		return nil
	})
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	n.nodes = slices.DeleteFunc(n.nodes, func(j *node) bool {
		if n.joinLink(j) != f || j.fills[0].node != x || j.fills[1].row == nil {
			return false
		}
		to := packed(n.ends(link, j.fills[1].row))
		wanted[to] = true
		return now[to] != nil
	})
	for _, d := range n.drops {
		if d.owner != x || d.link != f {
			continue
		}
		if d.row != nil {
			to := packed(n.ends(link, d.row))
			if now[to] == nil {
				n.wrong.add(fault.New(fault.NotFound, "%s.%s does not lead to this %s", f.Owner.Name, f.Name, d.row.typ.Name).At(d.row.path...))
				continue
			}
			if err := n.unjoin(ctx, link.Through, now[to], d.row.path); err != nil {
				return err
			}
			continue
		}
		if err := n.unjoinOthers(ctx, x, f, order, now, wanted); err != nil {
			return err
		}
	}
	return nil
}

func (n *nest) ends(link *schema.Link, row *connected) []schema.Value {
	to := make([]schema.Value, len(link.To))
	for i, k := range link.To {
		to[i] = row.value(k)
	}
	return to
}

// unjoinOthers ends the links to rows that set does not name, but for those that the caller does
// not see: they are not there for them.
func (n *nest) unjoinOthers(ctx context.Context, x *node, f *schema.Field, order []string, now map[string][][]schema.Value, wanted map[string]bool) error {
	link := f.Link
	width := len(link.Through.Primary)
	var ends []schema.Value
	var places []string
	for _, to := range order {
		if !wanted[to] {
			ends, places = append(ends, now[to][0][width:]...), append(places, to)
		}
	}
	targets := make([]schema.Value, 0, len(ends))
	at := make([]string, 0, len(places))
	err := n.w.lookup(ctx, by(link.Target, link.To, link.Target.Primary, true), ends, func(i int, row []schema.Value) error {
		targets, at = append(targets, row...), append(at, places[i])
		return nil
	})
	if err != nil {
		return err
	}
	seen, err := n.may(ctx, query.Read, link.Target, targets)
	if err != nil {
		return err
	}
	for i, to := range at {
		if !seen[i] {
			continue
		}
		if err := n.unjoin(ctx, link.Through, now[to], append(slices.Clip(x.path), f.Name, "set")); err != nil {
			return err
		}
	}
	return nil
}

// unjoin deletes join rows: of a table of ours as they are, of a declared one under its rule.
func (n *nest) unjoin(ctx context.Context, through *schema.Type, rows [][]schema.Value, path []any) error {
	var keys []schema.Value
	for _, row := range rows {
		keys = append(keys, row[:len(through.Primary)]...)
	}
	q := query.Write{Verb: query.Delete, Type: through, ByKeys: true}
	if through.Owned {
		_, err := n.w.txs[n.w.db(through)].Write(ctx, rules.SystemWrite(q), query.Binding{Keys: keys})
		return err
	}
	may, err := n.may(ctx, query.Delete, through, keys)
	switch {
	case err != nil:
		return err
	case slices.Contains(may, false):
		return fault.New(fault.Denied, "delete of this %s is not allowed", through.Name).At(path...)
	}
	if err := n.w.deleteRows(ctx, through, keys, nil); err != nil {
		return below(path, err)
	}
	return nil
}

// moveRows writes keys into rows that are there already, those of one type at once. First go
// those that lead away, so that a unique key is free.
func (n *nest) moveRows(ctx context.Context) error {
	for _, away := range []bool{true, false} {
		groups := map[string]*rowGroup{}
		paths := map[*rowGroup][][]any{}
		links := map[*rowGroup][]*schema.Field{}
		var order []*rowGroup
		add := func(m move, primary, to []schema.Value, path []any) {
			link := m.link.Link
			id := link.Target.Name + ":" + names(link.To)
			g := groups[id]
			if g == nil {
				g = &rowGroup{typ: link.Target, columns: link.To}
				groups[id], order = g, append(order, g)
			}
			g.rows, g.places = append(g.rows, slices.Concat(primary, to)), append(g.places, len(paths[g]))
			paths[g] = append(paths[g], path)
			if inverse := link.Inverse; inverse != nil && !slices.Contains(links[g], inverse) {
				links[g] = append(links[g], inverse)
			}
		}
		for _, m := range n.moves {
			if m.away != away {
				continue
			}
			n.move(m, add)
		}
		for _, g := range order {
			later, err := n.w.updateRows(ctx, g, links[g], func(i int) []any { return paths[g][i] })
			if err != nil {
				return err
			}
			n.later = append(n.later, later)
		}
	}
	return nil
}

// move adds the rows of one move.
func (n *nest) move(m move, add func(m move, primary, to []schema.Value, path []any)) {
	to := make([]schema.Value, len(m.link.Link.From))
	if !m.away {
		to = m.ownerKey()
	}
	for _, row := range m.keys {
		add(m, row, to, m.path())
	}
}

package resolvers

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// write does all of it. A row that the caller could not read before, and that something then goes
// wrong with, is not there: no other error may tell that it is.
func (n *nest) write(ctx context.Context) error {
	if len(n.nodes) > n.w.r.WriteRows {
		return fault.New(fault.Limit, "%d rows are more than the %d that one write may insert", len(n.nodes), n.w.r.WriteRows)
	}
	if err := n.wrong.err(); err != nil {
		return err
	}
	if err := n.find(ctx); err != nil {
		return err
	}
	err := n.writeAll(ctx)
	if err == nil || fault.KindOf(err) == fault.Internal {
		return err
	}
	var unseen violations
	for _, c := range n.keys {
		if c.unseen {
			unseen.add(c.notThere())
		}
	}
	if hidden := unseen.err(); hidden != nil {
		return marked(err, hidden)
	}
	return err
}

func (n *nest) writeAll(ctx context.Context) error {
	if err := n.plan(ctx); err != nil {
		return err
	}
	batches := n.batches()
	for _, b := range batches {
		if err := n.fill(b); err != nil {
			return err
		}
	}
	if err := n.wrong.err(); err != nil {
		return err
	}
	for _, b := range batches {
		if err := n.put(ctx, b); err != nil {
			return err
		}
	}
	if err := n.moveRows(ctx); err != nil {
		return err
	}
	return n.checkAll(ctx)
}

// find looks the named rows up, those of one type and key at once.
func (n *nest) find(ctx context.Context) error {
	groups := map[string][]*connected{}
	var order []string
	for _, c := range n.keys {
		id := c.typ.Name + ":" + names(c.key.Of) + ":" + names(c.need)
		if groups[id] == nil {
			order = append(order, id)
		}
		groups[id] = append(groups[id], c)
	}
	for _, id := range order {
		group := groups[id]
		if err := n.w.mayAsk(group[0].key.Of); err != nil {
			return below(group[0].path, err)
		}
		var keys []schema.Value
		for _, c := range group {
			keys = append(keys, c.key.Values...)
		}
		err := n.w.lookup(ctx, by(group[0].typ, group[0].key.Of, group[0].need, true), keys, func(i int, row []schema.Value) error {
			group[i].values = row
			return nil
		})
		if err != nil {
			return err
		}
		if err := n.see(ctx, group); err != nil {
			return err
		}
	}
	return n.wrong.err()
}

// see notes which rows of a group are not there, and which are but not for the caller.
func (n *nest) see(ctx context.Context, group []*connected) error {
	var found []*connected
	var keys []schema.Value
	for _, c := range group {
		if c.values == nil {
			n.wrong.add(c.notThere())
			continue
		}
		found, keys = append(found, c), append(keys, c.primary()...)
	}
	seen, err := n.may(ctx, query.Read, group[0].typ, keys)
	if err != nil {
		return err
	}
	for i, c := range found {
		c.unseen = !seen[i]
	}
	return nil
}

func (c *connected) notThere() error {
	return fault.New(fault.NotFound, "there is no such %s", c.typ.Name).At(c.path...)
}

// batches are the nodes in the order in which they are written, those of one type together.
func (n *nest) batches() [][]*node {
	ranks := map[string]int{}
	var all [][]*node
	for _, x := range n.nodes {
		x.rank = rankOf(x)
	}
	sorted := slices.Clone(n.nodes)
	slices.SortStableFunc(sorted, func(a, b *node) int { return a.rank - b.rank })
	for _, x := range sorted {
		id := fmt.Sprint(x.rank, " ", x.typ.Name, " ", x.there != nil)
		i, known := ranks[id]
		if !known {
			i = len(all)
			ranks[id], all = i, append(all, nil)
		}
		all[i] = append(all[i], x)
	}
	return all
}

func rankOf(x *node) int {
	if x.rank == 0 {
		x.rank = 1
		for _, before := range x.after {
			x.rank = max(x.rank, rankOf(before)+1)
		}
	}
	return x.rank
}

// value is a column of a row that is written; false while only the database knows it.
func (x *node) value(f *schema.Field) (schema.Value, bool) {
	if x.there != nil {
		return x.read[f], true
	}
	i := slices.Index(x.columns, f)
	if i < 0 {
		return schema.Null, !f.Assigned()
	}
	return x.row[i], !slices.Contains(x.pending, i) && (!f.Assigned() || !x.row[i].IsNull())
}

func (x *node) key() []schema.Value {
	if x.there != nil {
		return x.there
	}
	key := make([]schema.Value, len(x.typ.Primary))
	for i, f := range x.typ.Primary {
		key[i], _ = x.value(f)
	}
	return key
}

// of is the value that a fill gives its ith column.
func (f *fill) of(i int) (schema.Value, bool) {
	switch {
	case f.null:
		return schema.Null, true
	case f.row != nil:
		return f.row.value(f.from[i]), true
	}
	return f.node.value(f.from[i])
}

// given is what a row is made of, with the keys that its links fill, and which of these only the
// database will tell.
func (x *node) given() (Doc, map[*schema.Field]bool) {
	doc := slices.Clip(x.doc)
	var waits map[*schema.Field]bool
	for _, f := range x.fills {
		for j, to := range f.to {
			v, known := f.of(j)
			doc = append(doc, FieldValue{Field: to, Value: v})
			if !known {
				if waits == nil {
					waits = map[*schema.Field]bool{}
				}
				waits[to] = true
			}
		}
	}
	return doc, waits
}

// fill makes the rows of a batch as they will be stored, and validates them.
func (n *nest) fill(batch []*node) error {
	if batch[0].there != nil {
		return nil
	}
	t := batch[0].typ
	docs := make([]Doc, len(batch))
	waits := make([]map[*schema.Field]bool, len(batch))
	for i, x := range batch {
		docs[i], waits[i] = x.given()
	}
	columns, _ := n.w.columns(t, docs)
	made := map[*schema.Field]bool{}
	for _, key := range t.Primary { // the database makes it; it has a place for what it makes
		if key.Assigned() && !slices.Contains(columns, key) {
			columns, made[key] = slices.Concat(columns, []*schema.Field{key}), true
		}
	}
	f := n.w.filler(t, columns)
	given := make([]bool, len(columns))
	for i, x := range batch {
		x.columns, x.row = columns, make([]schema.Value, len(columns))
		clear(given)
		f.row(x.row, given, docs[i])
		f.pending = maps.Clone(made)
		maps.Copy(f.pending, waits[i])
		f.check(x.row, func() []any { return x.path })
		for to := range waits[i] {
			x.pending = append(x.pending, f.place[to.Index])
		}
	}
	for _, err := range f.wrong.list {
		n.wrong.add(err)
	}
	n.wrong.more += f.wrong.more
	return nil
}

// put writes a batch.
func (n *nest) put(ctx context.Context, batch []*node) error {
	if batch[0].there != nil {
		return n.change(ctx, batch[0])
	}
	t := batch[0].typ
	for _, x := range batch {
		x.settle()
	}
	columns := batch[0].columns
	inserted := columns
	for last := len(columns) - 1; last >= 0 && columns[last].IsPrimary && columns[last].Assigned() && n.unknown(batch, last); last-- {
		inserted = columns[:last]
	}
	rows := make([][]schema.Value, len(batch))
	for i, x := range batch {
		rows[i] = x.row[:len(inserted)]
	}
	q := query.Write{Verb: query.Create, Type: t, Columns: inserted, Rows: rows, WantKeys: true}
	if t.Owned {
		_, err := n.w.txs[n.w.db(t)].Write(ctx, rules.SystemWrite(q), query.Binding{})
		return err
	}
	ours := n.unasked(batch)
	links := batch[0].links
	for _, x := range batch[1:] {
		for _, f := range x.links {
			if !slices.Contains(links, f) {
				links = append(slices.Clip(links), f)
			}
		}
	}
	check, err := n.w.checks(t, query.Create, slices.Concat(inserted, links), ours)
	if err != nil {
		return below(batch[0].path, err)
	}
	q.Readable = check.asksAfter()
	done, err := n.w.write(ctx, q, nil, ours)
	if err != nil {
		path := func(i int) []any { return batch[i].path }
		return cmp.Or(check.instead(ctx, n.w, err, inserted, rows, path), n.located(err, batch))
	}
	width := len(t.Primary)
	for i, x := range batch {
		for j, f := range t.Primary {
			x.row[slices.Index(x.columns, f)] = done.Keys[i*width+j]
		}
	}
	n.later = append(n.later, later{check, done.Keys, func(i int) []any { return batch[i].path }})
	return nil
}

// located puts the way to the only row of a batch before what the database says of it.
func (n *nest) located(err error, batch []*node) error {
	if len(batch) == 1 {
		return below(batch[0].path, err)
	}
	return err
}

// below puts a path before those of an error.
func below(path []any, err error) error {
	var v violations
	for _, f := range fault.All(err) {
		v.list = append(v.list, f.At(slices.Concat(path, f.Path)...))
	}
	return marked(err, v.err())
}

// settle takes over what the database has made since.
func (x *node) settle() {
	for _, f := range x.fills {
		for i, to := range f.to {
			v, _ := f.of(i)
			x.row[slices.Index(x.columns, to)] = v
		}
	}
	x.pending = nil
}

func (n *nest) unknown(batch []*node, place int) bool {
	return !slices.ContainsFunc(batch, func(x *node) bool { return !x.row[place].IsNull() })
}

// unasked are the columns that the server fills in every row of a batch.
func (n *nest) unasked(batch []*node) []*schema.Field {
	var ours []*schema.Field
	for _, f := range batch[0].columns {
		asked := slices.ContainsFunc(batch, func(x *node) bool {
			_, taken := x.taken[f]
			return taken || slices.ContainsFunc(x.fills, func(g fill) bool { return slices.Contains(g.to, f) })
		})
		if !asked {
			ours = append(ours, f)
		}
	}
	return ours
}

// change updates the row that the nest begins with.
func (n *nest) change(ctx context.Context, x *node) error {
	c := &Change{Type: x.typ, Set: slices.Clip(x.set)}
	for _, f := range x.fills {
		for i, to := range f.to {
			v, _ := f.of(i)
			a := query.Assign{Field: to, Value: query.Operand{Kind: query.Constant, Value: v, Scalar: to.Scalar}}
			c.Set = append(c.Set, Assign{a, at(x.path, to.Name)})
		}
	}
	set := n.w.own(x.typ)
	ours := fieldsOf(set)
	if len(c.Set) > 0 {
		var err error
		if set, err = n.w.assignments(c); err != nil {
			return err
		}
	}
	check, err := n.w.checks(x.typ, query.Update, slices.Concat(fieldsOf(set), x.links), ours)
	if err != nil {
		return err
	}
	check.computed(c.Set)
	if len(set) > 0 {
		q := query.Write{
			Verb: query.Update, Type: x.typ, Set: set, ByKeys: true,
			Readable: check.asksAfter() && constrained(x.typ, fieldsOf(set)),
		}
		done, err := n.w.write(ctx, q, x.there, ours)
		if err != nil {
			return cmp.Or(assigned(set).insteadOf(ctx, n.w, err, check, x.there, nil), err)
		}
		if done.Affected == 0 {
			return fault.New(fault.Denied, "update of this %s is not allowed", x.typ.Name)
		}
	}
	n.later = append(n.later, later{check, x.there, func(int) []any { return nil }})
	return nil
}

// checkAll asks what waited: the rules and checks of what was written, and whether the caller may
// read what was connected.
func (n *nest) checkAll(ctx context.Context) error {
	var wrong violations
	for _, l := range n.later {
		err := l.check.run(ctx, n.w, l.keys, l.path)
		if fault.KindOf(err) == fault.Conflict && l.isOne() {
			return below(l.path(0), err)
		}
		if err != nil && fault.KindOf(err) != fault.Validation {
			return err
		}
		if err != nil {
			for _, f := range fault.All(err) {
				wrong.add(f)
			}
		}
	}
	groups := map[*schema.Type][]*connected{}
	var order []*schema.Type
	for _, c := range n.keys {
		if groups[c.typ] == nil {
			order = append(order, c.typ)
		}
		groups[c.typ] = append(groups[c.typ], c)
	}
	for _, t := range order {
		var keys []schema.Value
		for _, c := range groups[t] {
			keys = append(keys, c.primary()...)
		}
		seen, err := n.may(ctx, query.Read, t, keys)
		if err != nil {
			return err
		}
		for i, c := range groups[t] {
			if !seen[i] {
				wrong.add(c.notThere())
			}
		}
	}
	return wrong.err()
}

// may is for each key whether the caller may read its row, or change it.
func (n *nest) may(ctx context.Context, verb query.Verb, t *schema.Type, keys []schema.Value) ([]bool, error) {
	seen := make([]bool, len(keys)/len(t.Primary))
	if len(keys) == 0 {
		return seen, nil
	}
	l := query.Level{Type: t, Via: &query.Via{Single: true}, Lock: verb != query.Read}
	for _, f := range t.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	narrowed, err := n.w.r.Rules.Level(n.w.caller, verb, l)
	if err != nil {
		if refused(err) {
			return seen, nil
		}
		return nil, err
	}
	return seen, n.w.read(ctx, narrowed, keys, func(rows driver.Rows) error {
		seen[rows.Parent()] = true
		return nil
	})
}

package resolvers

import (
	"context"
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// pointing are the links of all types by the type that their key points to: those that are kept, and those of
// join tables of ours, whose rows go with either side, wherever that is.
func pointing(s *schema.Schema) map[*schema.Type][]*schema.Field {
	to := map[*schema.Type][]*schema.Field{}
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if f.IsKept() || f.IsLink() && t.Owned {
				to[f.Link.Target] = append(to[f.Link.Target], f)
			}
		}
	}
	return to
}

// goesWith are the databases of what may go with a row of each type, where that is not its own.
func goesWith(s *schema.Schema, pointing map[*schema.Type][]*schema.Field) map[*schema.Type][]string {
	all := map[*schema.Type][]string{}
	for _, root := range s.Types {
		seen := map[*schema.Type]bool{}
		var visit func(*schema.Type)
		visit = func(t *schema.Type) {
			if seen[t] {
				return
			}
			seen[t] = true
			if t.DB != root.DB && !slices.Contains(all[root], t.DB) {
				all[root] = append(all[root], t.DB)
			}
			for _, f := range pointing[t] {
				if f.Link.OnDelete == schema.Cascade {
					visit(f.Owner)
				}
			}
		}
		visit(root)
	}
	return all
}

// cascade is what goes with rows that are deleted: rows that link to them are deleted or lose
// their key, or keep all of it from happening. It is the server's own act: the caller needs the
// delete rule of the first rows only.
//
// It is planned before the first row goes, and done from the far end. The foreign keys of the
// database say the same, where it has any, and so take what a circle of links leaves.
type cascade struct {
	w      *writing
	doomed map[*schema.Type]*rowSet
	nulled map[*schema.Field]*rowSet
	kept   map[*schema.Field]*rowSet
	order  []*schema.Field // of nulled and kept, as found
	rows   int
}

// rowSet are primary keys, each once.
type rowSet struct {
	seen map[string]bool
	keys []schema.Value // flat
}

func (s *rowSet) add(key []schema.Value) bool {
	p := packed(key)
	if s.seen[p] {
		return false
	}
	s.seen[p] = true
	s.keys = append(s.keys, key...)
	return true
}

func (s *rowSet) has(key []schema.Value) bool { return s != nil && s.seen[packed(key)] }

func setOf[K comparable](sets map[K]*rowSet, k K) *rowSet {
	if sets[k] == nil {
		sets[k] = &rowSet{seen: map[string]bool{}}
	}
	return sets[k]
}

// cascades is whether rows that link to rows of t go with them, are changed, or have to be looked for
// because the database does not.
func (w *writing) cascades(t *schema.Type) bool {
	return slices.ContainsFunc(w.r.pointing[t], func(f *schema.Field) bool {
		return f.Link.OnDelete != schema.Restrict && !f.Owner.Owned || !f.Link.Enforced
	})
}

// deleteRows deletes rows that the caller may delete, with all that goes with them. Before is called when it is
// known that they can go.
func (w *writing) deleteRows(ctx context.Context, t *schema.Type, keys []schema.Value, before func() error) error {
	c := &cascade{
		w: w, doomed: map[*schema.Type]*rowSet{}, nulled: map[*schema.Field]*rowSet{}, kept: map[*schema.Field]*rowSet{},
	}
	if err := c.doom(ctx, t, slices.Collect(slices.Chunk(keys, len(t.Primary)))); err != nil {
		return err
	}
	if err := c.restricted(t); err != nil {
		return err
	}
	if w.alone(t) && (len(c.nulled) > 0 || c.rows > len(keys)/len(t.Primary)) {
		return w.needsTransactions(t, "rows that link to this %s would have to go or change with it; do that first", t.Name)
	}
	for along := range c.doomed {
		if along != t && w.alone(along) {
			return w.needsTransactions(along, "rows of it would have to go with this %s; do that first", t.Name)
		}
	}
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	return c.run(ctx, t, keys)
}

// doom notes rows that are to be deleted, and what links to them.
func (c *cascade) doom(ctx context.Context, t *schema.Type, rows [][]schema.Value) error {
	set := setOf(c.doomed, t)
	var fresh []schema.Value
	for _, row := range rows {
		if set.add(row) {
			fresh = append(fresh, row...)
		}
	}
	if c.rows += len(fresh) / len(t.Primary); c.rows > c.w.r.WriteRows {
		return fault.New(fault.Limit, "this would delete more than %d rows with what links to them", c.w.r.WriteRows)
	}
	if len(fresh) == 0 {
		return nil
	}
	for _, f := range c.w.r.pointing[t] {
		if err := c.follow(ctx, f, fresh); err != nil {
			return err
		}
	}
	return nil
}

// follow finds the rows that link by f to the rows of keys.
func (c *cascade) follow(ctx context.Context, f *schema.Field, keys []schema.Value) error {
	link := f.Link
	ends := keys
	if !slices.Equal(link.To, link.Target.Primary) {
		ends = nil
		err := c.w.lookup(ctx, by(link.Target, link.Target.Primary, link.To, true), keys, func(_ int, row []schema.Value) error {
			if !anyNull(row) {
				ends = append(ends, row...)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	var rows [][]schema.Value
	l := by(f.Owner, link.From, f.Owner.Primary, false)
	l.Lock = true
	err := c.w.lookup(ctx, l, ends, func(_ int, row []schema.Value) error {
		if rows = append(rows, row); len(rows) > c.w.r.WriteRows {
			return fault.New(fault.Limit, "more than %d rows of %s link to what this would delete", c.w.r.WriteRows, f.Owner.Name)
		}
		return nil
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	switch link.OnDelete {
	case schema.Cascade:
		return c.doom(ctx, f.Owner, rows)
	case schema.SetNull:
		c.note(c.nulled, f, rows)
	default:
		c.note(c.kept, f, rows)
	}
	return nil
}

func (c *cascade) note(sets map[*schema.Field]*rowSet, f *schema.Field, rows [][]schema.Value) {
	if sets[f] == nil {
		c.order = append(c.order, f)
	}
	set := setOf(sets, f)
	for _, row := range rows {
		set.add(row)
	}
}

// restricted is the conflict of a row that still links to one that is to go, and does not go itself.
func (c *cascade) restricted(root *schema.Type) error {
	for _, f := range c.order {
		set := c.kept[f]
		if set == nil {
			continue
		}
		for key := range slices.Chunk(set.keys, len(f.Owner.Primary)) {
			if !c.doomed[f.Owner].has(key) {
				return stillLinked(root, f.Link.Target, []*schema.Field{f}, nil)
			}
		}
	}
	return nil
}

// stillLinked is the conflict of a delete; of may be another type than the one that goes with
// the deleted rows.
func stillLinked(root, of *schema.Type, links []*schema.Field, cause error) error {
	var types, ways []string
	for _, f := range links {
		if !slices.Contains(types, f.Owner.Name) {
			types = append(types, f.Owner.Name)
		}
		ways = append(ways, f.Owner.Name+"."+f.Name)
	}
	text := "rows of " + strings.Join(types, " or ") + " still link to this " + root.Name
	if of != root {
		text = "rows of " + strings.Join(types, " or ") + " still link to a " + of.Name + ", which would go with this " + root.Name
	}
	return fault.Wrap(fault.Conflict, cause, "%s (%s)", text, strings.Join(ways, ", ")).With("types", types)
}

// run writes: first the rows that lose a key, then those that go, from the far end. Whether the first rows may go
// was decided by how everything was before, of which their rule may speak. Without transactions nothing
// goes with them, and the rule is asked again, for nobody keeps the rows as they were.
func (c *cascade) run(ctx context.Context, root *schema.Type, keys []schema.Value) error {
	for _, f := range c.order {
		if c.nulled[f] == nil {
			continue
		}
		if err := c.clear(ctx, f, c.nulled[f].keys); err != nil {
			return err
		}
	}
	for _, t := range c.farFirst(root) {
		doomed := c.doomed[t].keys
		if t == root {
			doomed = c.besides(root, keys)
		}
		if err := c.delete(ctx, t, doomed); err != nil {
			return err
		}
	}
	if c.w.alone(root) {
		_, err := c.w.write(ctx, query.Write{Verb: query.Delete, Type: root, ByKeys: true}, keys, nil)
		return err
	}
	return c.delete(ctx, root, keys)
}

// besides are rows of the first type that go with those that the caller deletes.
func (c *cascade) besides(root *schema.Type, keys []schema.Value) []schema.Value {
	asked := &rowSet{seen: map[string]bool{}}
	for key := range slices.Chunk(keys, len(root.Primary)) {
		asked.add(key)
	}
	var rest []schema.Value
	for key := range slices.Chunk(c.doomed[root].keys, len(root.Primary)) {
		if !asked.has(key) {
			rest = append(rest, key...)
		}
	}
	return rest
}

// clear takes the key out of rows that stay.
func (c *cascade) clear(ctx context.Context, f *schema.Field, keys []schema.Value) error {
	var stay []schema.Value
	for key := range slices.Chunk(keys, len(f.Owner.Primary)) {
		if !c.doomed[f.Owner].has(key) {
			stay = append(stay, key...)
		}
	}
	if len(stay) == 0 {
		return nil
	}
	set := c.w.own(f.Owner)
	for _, k := range f.Link.From {
		set = append(set, query.Assign{Field: k, Value: query.Const(schema.Null)})
	}
	return c.system(ctx, query.Write{Verb: query.Update, Type: f.Owner, Set: set, ByKeys: true}, stay)
}

func (c *cascade) delete(ctx context.Context, t *schema.Type, keys []schema.Value) error {
	if len(keys) == 0 {
		return nil
	}
	return c.system(ctx, query.Write{Verb: query.Delete, Type: t, ByKeys: true}, keys)
}

func (c *cascade) system(ctx context.Context, q query.Write, keys []schema.Value) error {
	tx := c.w.txs[c.w.db(q.Type)]
	if tx == nil {
		return fault.New(fault.Invalid, "rows of database %s would go with what this deletes; delete it by a request of its own", q.Type.DB)
	}
	_, err := tx.Write(ctx, rules.SystemWrite(q), query.Binding{Keys: keys})
	return err
}

// farFirst are the types of doomed rows, each after those that link to it as far as there is no circle.
func (c *cascade) farFirst(root *schema.Type) []*schema.Type {
	var order []*schema.Type
	seen := map[*schema.Type]bool{}
	var visit func(*schema.Type)
	visit = func(t *schema.Type) {
		if seen[t] || c.doomed[t] == nil {
			return
		}
		seen[t] = true
		for _, f := range c.w.r.pointing[t] {
			visit(f.Owner)
		}
		order = append(order, t)
	}
	visit(root)
	return order
}

// remove deletes the rows that the caller may delete, and answers with them as they were.
func (w *writing) remove(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	if !c.wantsRows() && !w.cascades(c.Type) {
		written, err := w.write(ctx, query.Write{Verb: query.Delete, Type: c.Type, Where: c.where(), Chosen: c.chosen()}, nil, nil)
		if err != nil {
			return dst, w.undeleted(c, err)
		}
		return w.answer(ctx, c, written.Affected, nil, dst)
	}
	keys, err := w.find(ctx, c, query.Delete)
	if err != nil {
		return dst, err
	}
	if c.One && len(keys) == 0 {
		return dst, w.missing(ctx, c)
	}
	if err := w.bounded(keys, c.Type); err != nil {
		return dst, err
	}
	err = w.deleteRows(ctx, c.Type, keys, func() error {
		dst, err = w.answer(ctx, c, len(keys)/len(c.Type.Primary), keys, dst)
		return err
	})
	return dst, err
}

// undeleted is the error of a delete that is one statement.
func (w *writing) undeleted(c *Change, err error) error {
	if fault.KindOf(err) == fault.Conflict {
		return stillLinked(c.Type, c.Type, w.restricts(c.Type), err)
	}
	return err
}

func (w *writing) restricts(t *schema.Type) []*schema.Field {
	return slices.DeleteFunc(slices.Clone(w.r.pointing[t]), func(f *schema.Field) bool { return f.Link.OnDelete != schema.Restrict })
}

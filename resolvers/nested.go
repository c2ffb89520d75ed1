package resolvers

import (
	"context"
	"fmt"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// nest is one change with all that it writes along links: a tree of rows in the input, written
// type by type in the order that their keys need.
//
// Everything that can be wrong with the input is found before the first row is written. What
// rules and checks say is asked when all rows are as they will be.
type nest struct {
	w     *writing
	nodes []*node
	keys  []*connected
	moves []move  // rows that other rows' keys are written into
	drops []drop  // of join rows
	later []later // checks of what was written
	wrong violations
}

// node is one row that is written: inserted, or with there updated.
type node struct {
	typ   *schema.Type
	doc   Doc
	path  []any
	there []schema.Value // the primary key of a row that is updated
	set   []Assign       // of such a row
	after []*node
	rank  int
	fills []fill
	links []*schema.Field // those of its own that the input takes
	taken map[*schema.Field]string
	read  map[*schema.Field]schema.Value // of a row that is updated: what its links need

	columns []*schema.Field // as it is inserted
	row     []schema.Value
	pending []int // places of columns whose values the database has yet to make
}

// fill gives columns of a node the values of another row's.
type fill struct {
	to, from []*schema.Field
	node     *node      // the other row is written too,
	row      *connected // or is there already;
	null     bool       // or there is none
}

// connected is a row that the input names by a unique key.
type connected struct {
	typ    *schema.Type
	key    Key
	path   []any
	need   []*schema.Field
	values []schema.Value // of need; nil until it is found
}

// move is a row that is to point to another one, or with owner nil to none.
type move struct {
	link  *schema.Field // of the owner
	owner *node
	row   *connected
	away  bool
}

// drop is the end of a many-to-many link.
type drop struct {
	link  *schema.Field
	owner *node
	row   *connected
}

// later is a check that waits until everything is written.
type later struct {
	check *check
	keys  []schema.Value
	path  func(int) []any
}

// takesLinks is whether any row writes others along.
func takesLinks(docs []Doc) bool {
	return slices.ContainsFunc(docs, func(d Doc) bool {
		return slices.ContainsFunc(d, func(v FieldValue) bool { return v.Link != nil })
	})
}

// insertNested inserts the rows of a change and what hangs on them, and gives their keys.
func (w *writing) insertNested(ctx context.Context, c *Change) ([]schema.Value, error) {
	n := &nest{w: w}
	var roots []*node
	for i, doc := range c.Docs {
		roots = append(roots, n.plant(c.Type, doc, c.path(i)))
	}
	if err := n.write(ctx); err != nil {
		return nil, err
	}
	var keys []schema.Value
	for _, r := range roots {
		keys = append(keys, r.key()...)
	}
	return keys, nil
}

// updateNested changes one row and what hangs on it.
func (w *writing) updateNested(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	keys, err := w.find(ctx, c, query.Update)
	if err != nil {
		return dst, err
	}
	if len(keys) == 0 {
		return dst, w.missing(ctx, c)
	}
	n := &nest{w: w}
	root := &node{typ: c.Type, path: []any{"set"}, there: keys, set: c.Set, taken: map[*schema.Field]string{}, read: map[*schema.Field]schema.Value{}}
	for _, a := range c.Set {
		root.taken[a.Field] = a.Field.Name
	}
	n.nodes = append(n.nodes, root)
	if err := n.readKeys(ctx, root, c.Links); err != nil {
		return dst, err
	}
	for _, v := range c.Links {
		n.follow(root, v)
	}
	if err := n.write(ctx); err != nil {
		return dst, err
	}
	return w.answer(ctx, c, 1, keys, dst)
}

// readKeys reads the columns of a row that its links begin at.
func (n *nest) readKeys(ctx context.Context, of *node, links []FieldValue) error {
	need := slices.Clone(of.typ.Primary)
	for _, v := range links {
		for _, f := range v.Field.Link.From {
			if !slices.Contains(need, f) {
				need = append(need, f)
			}
		}
	}
	return n.w.lookup(ctx, by(of.typ, of.typ.Primary, need, true), of.there, func(_ int, row []schema.Value) error {
		for i, f := range need {
			of.read[f] = row[i]
		}
		return nil
	})
}

// plant makes the node of a row to insert, and of those that go along.
func (n *nest) plant(t *schema.Type, doc Doc, path []any) *node {
	x := &node{typ: t, path: path, taken: map[*schema.Field]string{}}
	n.nodes = append(n.nodes, x)
	for _, v := range doc {
		if v.Link == nil {
			x.doc = append(x.doc, v)
			x.taken[v.Field] = v.Field.Name
		}
	}
	for _, v := range doc {
		if v.Link != nil {
			n.follow(x, v)
		}
	}
	return x
}

func at(path []any, steps ...any) []any { return append(slices.Clip(path), steps...) }

// contradict notes what cannot be meant together.
func (n *nest) contradict(path []any, format string, args ...any) {
	n.wrong.add(fault.New(fault.Invalid, format, args...).At(path...))
}

// follow notes what is written along one link of a row.
func (n *nest) follow(x *node, v FieldValue) {
	f, l := v.Field, v.Link
	path := at(x.path, f.Name)
	x.links = append(x.links, f)
	if !f.Link.Many {
		given := len(l.Create) + len(l.Connect)
		if l.Clear {
			given++
		}
		if given != 1 {
			n.contradict(path, "%s.%s leads to one row: say one thing about it", f.Owner.Name, f.Name)
			return
		}
	}
	if l.Replace && len(l.Connect)+len(l.Disconnect) > 0 {
		n.contradict(path, "%s.%s: set says all that are linked, so connect and disconnect cannot stand beside it", f.Owner.Name, f.Name)
		return
	}
	switch {
	case f.Link.Through != nil:
		n.join(x, f, l, path)
	case f.Link.Owns:
		n.own(x, f, l, path)
	default:
		n.inverse(x, f, l, path)
	}
}

// take claims the columns of a link for it.
func (n *nest) take(x *node, columns []*schema.Field, by string, path []any) bool {
	for _, k := range columns {
		if first, taken := x.taken[k]; taken {
			n.contradict(path, "%s.%s is given twice: by %s and by %s; say one of them", x.typ.Name, k.Name, first, by)
			return false
		}
	}
	for _, k := range columns {
		x.taken[k] = by
	}
	return true
}

// own follows a link of which the row itself holds the key.
func (n *nest) own(x *node, f *schema.Field, l *Linked, path []any) {
	if !n.take(x, f.Link.From, f.Name, path) {
		return
	}
	filled := fill{to: f.Link.From, from: f.Link.To}
	switch {
	case l.Clear:
		filled.null = true
	case len(l.Create) > 0:
		filled.node = n.plant(f.Link.Target, l.Create[0], at(path, "create"))
		x.after = append(x.after, filled.node)
	default:
		filled.row = n.name(f, l.Connect[0], at(path, "connect"), f.Link.To)
	}
	x.fills = append(x.fills, filled)
}

// inverse follows a link to rows that hold the key of this one.
func (n *nest) inverse(x *node, f *schema.Field, l *Linked, path []any) {
	for i, doc := range l.Create {
		child := n.plantUnder(x, f, doc, step(path, "create", i, l.List))
		child.after = append(child.after, x)
		child.fills = append(child.fills, fill{to: f.Link.To, from: f.Link.From, node: x})
	}
	for i, key := range l.Connect {
		n.moves = append(n.moves, move{f, x, n.name(f, key, step(path, "connect", i, l.List), f.Link.To), false})
	}
	for i, key := range l.Disconnect {
		n.moves = append(n.moves, move{f, x, n.name(f, key, step(path, "disconnect", i, l.List), f.Link.To), true})
	}
	n.replace(x, f, l, path)
}

// plantUnder makes the node of a row that is created under another one, whose key it gets.
func (n *nest) plantUnder(x *node, f *schema.Field, doc Doc, path []any) *node {
	child := &node{typ: f.Link.Target, path: path, taken: map[*schema.Field]string{}}
	n.nodes = append(n.nodes, child)
	for _, k := range f.Link.To {
		child.taken[k] = "the " + x.typ.Name + " that it is created under"
	}
	for _, v := range doc {
		switch {
		case v.Link != nil:
		case slices.Contains(f.Link.To, v.Field):
			n.take(child, []*schema.Field{v.Field}, v.Field.Name, at(path, v.Field.Name))
		default:
			child.doc = append(child.doc, v)
			child.taken[v.Field] = v.Field.Name
		}
	}
	for _, v := range doc {
		if v.Link != nil {
			n.follow(child, v)
		}
	}
	return child
}

// join follows a many-to-many link: a row of the join type for each pair.
func (n *nest) join(x *node, f *schema.Field, l *Linked, path []any) {
	link := f.Link
	add := func(other fill, path []any) {
		row := &node{typ: link.Through, path: path, taken: map[*schema.Field]string{}}
		row.fills = []fill{{to: link.ThroughFrom, from: link.From, node: x}, other}
		row.after = []*node{x}
		if other.node != nil {
			row.after = append(row.after, other.node)
		}
		n.nodes = append(n.nodes, row)
	}
	for i, doc := range l.Create {
		path := step(path, "create", i, l.List)
		add(fill{to: link.ThroughTo, from: link.To, node: n.plant(link.Target, doc, path)}, path)
	}
	for i, key := range l.Connect {
		path := step(path, "connect", i, l.List)
		add(fill{to: link.ThroughTo, from: link.To, row: n.name(f, key, path, link.To)}, path)
	}
	for i, key := range l.Disconnect {
		n.drops = append(n.drops, drop{f, x, n.name(f, key, step(path, "disconnect", i, l.List), link.To)})
	}
	if l.Replace {
		for i, key := range l.Set {
			path := at(path, "set", i)
			add(fill{to: link.ThroughTo, from: link.To, row: n.name(f, key, path, link.To)}, path)
		}
		n.drops = append(n.drops, drop{f, x, nil})
	}
}

// replace connects what set names, and disconnects everything else.
func (n *nest) replace(x *node, f *schema.Field, l *Linked, path []any) {
	if !l.Replace && !l.Clear {
		return
	}
	for i, key := range l.Set {
		n.moves = append(n.moves, move{f, x, n.name(f, key, at(path, "set", i), f.Link.To), false})
	}
	n.moves = append(n.moves, move{link: f, owner: x, away: true})
}

// step is the way to one of several rows, or to the only one.
func step(path []any, name string, i int, list bool) []any {
	if list {
		return at(path, name, i)
	}
	return at(path, name)
}

// name notes a row that has to be there.
func (n *nest) name(f *schema.Field, key Key, path []any, need []*schema.Field) *connected {
	c := &connected{typ: f.Link.Target, key: key, path: path, need: slices.Clone(f.Link.Target.Primary)}
	for _, k := range need {
		if !slices.Contains(c.need, k) {
			c.need = append(c.need, k)
		}
	}
	n.keys = append(n.keys, c)
	return c
}

func (c *connected) value(f *schema.Field) schema.Value { return c.values[slices.Index(c.need, f)] }

func (c *connected) primary() []schema.Value { return c.values[:len(c.typ.Primary)] }

// write does all of it.
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
		for _, c := range group {
			if c.values == nil {
				n.wrong.add(c.notThere())
			}
		}
	}
	return n.wrong.err()
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
		return schema.Null, !f.AutoIncrement
	}
	return x.row[i], !slices.Contains(x.pending, i) && !(f.AutoIncrement && x.row[i].IsNull())
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

// fill makes the rows of a batch as they will be stored, and validates them.
func (n *nest) fill(batch []*node) error {
	if batch[0].there != nil {
		return nil
	}
	t := batch[0].typ
	docs := make([]Doc, len(batch))
	waits := make([]map[*schema.Field]bool, len(batch))
	for i, x := range batch {
		docs[i] = slices.Clip(x.doc)
		for _, f := range x.fills {
			for j, to := range f.to {
				v, known := f.of(j)
				docs[i] = append(docs[i], FieldValue{Field: to, Value: v})
				if !known {
					if waits[i] == nil {
						waits[i] = map[*schema.Field]bool{}
					}
					waits[i][to] = true
				}
			}
		}
	}
	columns, _ := n.w.columns(t, docs)
	for _, key := range t.Primary { // the database makes it; it has a place for what it makes
		if key.AutoIncrement && !slices.Contains(columns, key) {
			columns = slices.Concat(columns, []*schema.Field{key})
		}
	}
	f := n.w.filler(t, columns)
	given := make([]bool, len(columns))
	for i, x := range batch {
		x.columns, x.row = columns, make([]schema.Value, len(columns))
		clear(given)
		f.row(x.row, given, docs[i])
		f.pending = waits[i]
		f.check(x.row, func() []any { return x.path })
		for to := range waits[i] {
			x.pending = append(x.pending, f.place[to.Index])
		}
	}
	n.wrong.list, n.wrong.more = append(n.wrong.list, f.wrong.list...), n.wrong.more+f.wrong.more
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
	if last := len(columns) - 1; last >= 0 && columns[last].AutoIncrement && n.unknown(batch, last) {
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
	done, err := n.w.write(ctx, q, nil, ours)
	if err != nil {
		return n.located(err, batch)
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
	return v.err()
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
		q := query.Write{Verb: query.Update, Type: x.typ, Set: set, ByKeys: true}
		done, err := n.w.write(ctx, q, x.there, ours)
		if err != nil {
			return err
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
		seen, err := n.readable(ctx, t, keys)
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

// readable is for each key whether the caller may read its row.
func (n *nest) readable(ctx context.Context, t *schema.Type, keys []schema.Value) ([]bool, error) {
	seen := make([]bool, len(keys)/len(t.Primary))
	if len(keys) == 0 {
		return seen, nil
	}
	l := query.Level{Type: t, Via: &query.Via{Single: true}}
	for _, f := range t.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	narrowed, err := n.w.r.Rules.Level(n.w.caller, query.Read, l)
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

package resolvers

import (
	"context"
	"slices"

	"spacecloud/fault"
	"spacecloud/query"
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
	unseen bool           // the caller could not read it before
}

// move is a row that is to point to another one, or with owner nil to none.
type move struct {
	link  *schema.Field // of the owner
	owner *node
	row   *connected // nil for all that the link leads to but those that are named besides
	away  bool
	keys  [][]schema.Value // the primary keys of the rows that it is of
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

// isOne is whether it is about one row.
func (l later) isOne() bool { return len(l.keys) == len(l.check.typ.Primary) }

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
		n.moves = append(n.moves, move{link: f, owner: x, row: n.name(f, key, step(path, "connect", i, l.List), f.Link.To)})
	}
	for i, key := range l.Disconnect {
		n.moves = append(n.moves, move{link: f, owner: x, row: n.name(f, key, step(path, "disconnect", i, l.List), f.Link.To), away: true})
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
		n.moves = append(n.moves, move{link: f, owner: x, row: n.name(f, key, at(path, "set", i), f.Link.To)})
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

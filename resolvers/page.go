package resolvers

import (
	"context"
	"strconv"
	"strings"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// page is how a level's rows are shown as a connection. The rows are read once and each is
// written once for every list that shows it: its faces.
type page struct {
	pieces   []pagePiece
	tail     string // closes the object
	faces    []face
	width    int // cuts of a row: of the links and faces
	limit    query.Operand
	backward bool
	after    bool
	before   bool
	cursor   *query.Cursor
	keys     []int  // the cells of the sort key; nil when no cursor is shown
	total    *level // what counts the rows; nil when nobody asks
	rows     bool   // whether anything that is shown depends on the rows
}

// pagePiece is one member of the connection's object or of its pageInfo.
type pagePiece struct {
	before string
	kind   query.PageKind
	face   int // of edges, nodes and cursors
}

// face is how one list shows a row.
type face struct {
	pieces      []piece
	tail        string
	links       []*level // those in it, in order
	first       int      // place of the first of them in level.children
	cut         int      // place of the face's first cut among those of a row
	isForCursor bool
}

// paging is what the rows of a connection said besides themselves.
type paging struct {
	more   []bool  // for each key whether there are more rows than the page takes
	totals []int64 // for each key
	cursor []byte  // of the row that is being written
	hole   *hole   // instead of the cursor, when its key does not fit
}

// overflow notes that there are more rows of a key than the page takes.
func (p *paging) overflow(ordinal int) {
	for len(p.more) <= ordinal {
		p.more = append(p.more, false)
	}
	p.more[ordinal] = true
}

func (p *paging) reset() { p.more, p.totals, p.hole = p.more[:0], p.totals[:0], nil }

// shown are the items of a find, of all the lists where it is a connection, and of the nodes
// in them.
func shown(f *query.Find) []query.Item {
	if f.Page == nil {
		return f.Items
	}
	var all []query.Item
	for _, m := range f.Page.Members {
		for _, item := range m.Items {
			if item.Node != nil {
				all = append(all, item.Node...)
			} else {
				all = append(all, item)
			}
		}
	}
	return all
}

// paged compiles the level of a connection, and the one that counts.
func (k *compiler) paged(l *level, f *query.Find, via *query.Via) (*level, error) {
	q := f.Page
	l.page = &page{
		limit: q.Limit, backward: q.Backward, after: q.After != nil, before: q.Before != nil, cursor: q.Cursor,
	}
	if err := k.connection(l, q.Members); err != nil {
		return nil, err
	}
	if l.page.total != nil {
		l.page.total.n, l.page.total.joins = len(k.plan.levels), l.n
		l.page.total.typ, l.page.total.reader = f.Type, l.reader
		k.plan.levels = append(k.plan.levels, l.page.total)
		err := k.prepare(l.page.total, query.Level{Type: f.Type, Where: f.Where, Via: via, Count: true})
		if err != nil {
			return l, err
		}
	}
	orders := q.Cursor.Orders()
	asked := query.Level{Type: f.Type, Columns: l.cells, Where: f.Where, OrderBy: orders, Via: via, Limit: q.Limit}
	if q.After != nil {
		asked.Where = both(asked.Where, query.Beyond(orders, q.After))
	}
	if q.Before != nil {
		asked.Where = both(asked.Where, query.Beyond(query.Reverse(orders), q.Before))
	}
	if q.Backward {
		asked.OrderBy = query.Reverse(orders)
	}
	err := k.prepare(l, asked)
	if !l.page.rows {
		l.statement = nil
	}
	return l, err
}

func both(a, b query.Where) query.Where {
	if a == nil {
		return b
	}
	return query.And{a, b}
}

// connection lays out the connection's object.
func (k *compiler) connection(l *level, members []query.PageMember) error {
	tail, err := k.pageMembers(l, members, "{")
	l.page.tail = tail
	l.page.width = len(l.children) + len(l.page.faces)
	return err
}

func (k *compiler) pageMembers(l *level, members []query.PageMember, before string) (string, error) {
	p := l.page
	for _, m := range members {
		before += quoted(m.Name) + ":"
		piece := pagePiece{before: before, kind: m.Kind}
		var err error
		switch m.Kind {
		case query.PageConstant:
			before += quoted(m.Typename) + ","
			continue
		case query.PageInfo:
			if before, err = k.pageMembers(l, m.Info, before+"{"); err != nil {
				return "", err
			}
			before += ","
			continue
		case query.PageEdges, query.PageNodes:
			piece.face, err = k.face(l, m.Items)
		case query.PageStart, query.PageEnd:
			piece.face = cursorFace(l)
		case query.PageTotal:
			if p.total == nil {
				p.total = &level{name: "count of " + l.name, single: true}
			}
		}
		if err != nil {
			return "", err
		}
		p.rows = p.rows || m.Kind != query.PageTotal
		p.pieces = append(p.pieces, piece)
		before = ","
	}
	return strings.TrimSuffix(before, ",") + "}", nil
}

// face compiles one list's way to show a row.
func (k *compiler) face(l *level, items []query.Item) (int, error) {
	f := face{first: len(l.children), cut: len(l.children) + len(l.page.faces)}
	if hasCursor(items) {
		l.readKey()
	}
	outer := l.pieces
	l.pieces = nil
	var err error
	f.tail, err = k.members(l, items, "")
	f.pieces, f.links = l.pieces, l.children[f.first:]
	l.pieces = outer
	l.page.faces = append(l.page.faces, f)
	return len(l.page.faces) - 1, err
}

// cursorFace shows nothing of a row but its cursor, for the pageInfo.
func cursorFace(l *level) int {
	for i, f := range l.page.faces {
		if f.isForCursor {
			return i
		}
	}
	l.readKey()
	l.page.faces = append(l.page.faces, face{
		pieces: []piece{{cell: -1, child: -1, cursor: true}}, first: len(l.children),
		cut: len(l.children) + len(l.page.faces), isForCursor: true,
	})
	return len(l.page.faces) - 1
}

func hasCursor(items []query.Item) bool {
	for _, item := range items {
		if item.Cursor {
			return true
		}
	}
	return false
}

// readKey makes the level read its sort key.
func (l *level) readKey() {
	if l.page.keys != nil {
		return
	}
	for _, o := range l.page.cursor.Orders() {
		if len(o.Via) == 0 {
			l.page.keys = append(l.page.keys, l.cell(o.Field, nil))
			continue
		}
		l.cells = append(l.cells, query.Cell{Field: o.Field, Via: o.Via})
		l.page.keys = append(l.page.keys, len(l.cells)-1)
	}
}

// close makes a level answer with no rows.
func (l *level) close() {
	l.statement = nil
	if l.page != nil && l.page.total != nil {
		l.page.total.statement = nil
	}
}

// pageBounds checks what the request says for first or last; the operand is one more.
func (run *run) pageBounds(p *page) error {
	name := "first"
	if p.backward {
		name = "last"
	}
	switch more, _ := run.number(p.limit); {
	case more < 2:
		return fault.New(fault.Invalid, "%s has to be at least 1, not %d", name, more-1)
	case more-1 > int64(run.r.Rows):
		return fault.New(fault.Limit, "%s %d is more than the %d that limits.rows allows", name, more-1, run.r.Rows)
	}
	return nil
}

// isFull is whether the page of the last key has all its rows: what comes is the one more that
// was asked for. Row n is the next.
func (run *run) isFull(p *page, res *result, n int) bool {
	most, _ := run.number(p.limit)
	full := n-res.groups[len(res.groups)-1] >= int(most-1)
	for full && len(res.page.more) < len(res.groups) {
		res.page.more = append(res.page.more, false)
	}
	if full {
		res.page.more[len(res.groups)-1] = true
	}
	return full
}

// faces writes the row as every face shows it.
func (w writer) faces() {
	p, res := w.level.page, w.res
	if p.keys != nil {
		res.page.hole = nil
		res.page.cursor = p.cursor.Append(res.page.cursor[:0], w.keyPart)
	}
	for i := range p.faces {
		f := &p.faces[i]
		res.bytes = append(w.pieces(res.bytes, f.pieces), f.tail...)
		res.cuts = append(res.cuts, len(res.bytes))
	}
}

// keyPart is a part of the row's cursor. Where it does not fit there is no cursor: from where null
// stands the next page would leave rows out.
func (w writer) keyPart(i int) schema.Value {
	cell := w.level.page.keys[i]
	v := w.rows.Value(cell)
	if v.IsNull() && (w.level.required[cell] || w.rows.Misfit(cell).Found != "") {
		h := w.level.cellHole(w.rows, cell)
		w.res.page.hole = &h
	}
	return v
}

// count counts the rows of each key, where the answer says so.
func (run *run) count(ctx context.Context, p *page, res *result, keys []schema.Value) error {
	if p.total == nil {
		return nil
	}
	add := func(parent int, n int64) {
		for len(res.page.totals) <= parent {
			res.page.totals = append(res.page.totals, 0)
		}
		res.page.totals[parent] += n
	}
	return run.each(ctx, p.total, keys, func(rows driver.Rows) {
		if p.total.joined == nil {
			add(rows.Parent(), rows.Value(0).Int())
			return
		}
		for _, parent := range res.joins.parents(rows, p.total.joined.Key) {
			add(parent, 1)
		}
	})
}

// connection writes the page of the key of an ordinal.
func (run *run) connection(dst []byte, l *level, ordinal int) []byte {
	p, res := l.page, &run.results[l.n]
	from, to := 0, 0
	if ordinal >= 0 && ordinal < len(res.groups)-1 {
		from, to = res.groups[ordinal], res.groups[ordinal+1]
	}
	more := ordinal >= 0 && ordinal < len(res.page.more) && res.page.more[ordinal]
	for _, piece := range p.pieces {
		dst = append(dst, piece.before...)
		switch piece.kind {
		case query.PageEdges, query.PageNodes:
			dst = run.faces(dst, l, piece.face, from, to)
		case query.PageTotal:
			total := int64(0)
			if ordinal >= 0 && ordinal < len(res.page.totals) {
				total = res.page.totals[ordinal]
			}
			dst = strconv.AppendInt(dst, total, 10)
		case query.PageHasNext:
			dst = strconv.AppendBool(dst, p.before || !p.backward && more)
		case query.PageHasPrevious:
			dst = strconv.AppendBool(dst, p.after || p.backward && more)
		case query.PageStart, query.PageEnd:
			at := from
			if (piece.kind == query.PageEnd) != p.backward {
				at = to - 1
			}
			if from == to {
				dst = append(dst, "null"...)
			} else {
				dst = run.face(dst, l, piece.face, at)
			}
		}
	}
	return append(dst, p.tail...)
}

// faces writes rows as one face shows them, in the order of the answer.
func (run *run) faces(dst []byte, l *level, n, from, to int) []byte {
	dst = append(dst, '[')
	for i := range to - from {
		if i > 0 {
			dst = append(dst, ',')
		}
		row := from + i
		if l.page.backward {
			row = to - 1 - i
		}
		dst = run.face(dst, l, n, row)
	}
	return append(dst, ']')
}

// face puts one face of a row together with what its links found.
func (run *run) face(dst []byte, l *level, n, row int) []byte {
	if !run.fits(len(dst)) {
		return dst
	}
	res, f := &run.results[l.n], &l.page.faces[n]
	row = res.row(l, row)
	cut := row*l.page.width + f.cut
	from := 0
	if cut > 0 {
		from = res.cuts[cut-1]
	}
	for i, child := range f.links {
		dst = append(dst, res.bytes[from:res.cuts[cut+i]]...)
		from = res.cuts[cut+i]
		dst = run.linked(dst, child, res.links[f.first+i].ordinals[row])
	}
	return append(dst, res.bytes[from:res.cuts[cut+len(f.links)]]...)
}

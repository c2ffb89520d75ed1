package resolvers

import (
	"github.com/tidwall/gjson"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/schema"
)

// writer writes the current row of a level.
type writer struct {
	level *level
	rows  driver.Rows
	res   *result // nil for a level without links
	holes *holes
}

// write writes the row, and notes what it asks its links for.
func (w writer) write() {
	l, res := w.level, w.res
	if l.page != nil {
		w.faces()
	} else {
		res.bytes = w.object(res.bytes)
		res.cuts = append(res.cuts, len(res.bytes))
	}
	for i, child := range l.children {
		w.link(&res.links[i], child)
	}
}

// noKey is the ordinal of a row that has no key for a link. A hole's is less.
const noKey = -1

// link notes the key that the row asks a link for. Each cell is read once: a text is copied.
func (w writer) link(a *asked, child *level) {
	start := len(a.flat)
	for _, c := range child.keyCells {
		v := w.rows.Value(c)
		if v.IsNull() {
			clear(a.flat[start:])
			a.flat = a.flat[:start]
			a.ordinals = append(a.ordinals, w.unlinked(c))
			return
		}
		a.flat = append(a.flat, v)
	}
	before := a.keys.Len()
	a.ordinals = append(a.ordinals, a.keys.Add(keyOf(a.flat[start:])))
	if a.keys.Len() == before { // another row asks for it already
		clear(a.flat[start:])
		a.flat = a.flat[:start]
	}
}

// unlinked is the ordinal of a row without a key of a link, by the cell that should have it.
func (w writer) unlinked(cell int) int {
	if !w.level.required[cell] && w.rows.Misfit(cell).Found == "" {
		return noKey
	}
	return noKey - 1 - w.holes.add(w.level.cellHole(w.rows, cell))
}

// object writes a row; with a result it leaves a cut for each link.
func (w writer) object(dst []byte) []byte {
	return append(w.pieces(dst, w.level.pieces), w.level.tail...)
}

func (w writer) pieces(dst []byte, pieces []piece) []byte {
	for i := range pieces {
		p := &pieces[i]
		dst = append(dst, p.before...)
		switch {
		case p.members != nil:
			dst = w.embedded(dst, p)
		case p.cell >= 0:
			dst = w.cell(dst, p.cell)
		case p.cursor:
			dst = w.cursor(dst)
		case w.res != nil:
			w.res.cuts = append(w.res.cuts, len(dst))
		}
	}
	return dst
}

func (w writer) cell(dst []byte, cell int) []byte {
	start := len(dst)
	dst = w.rows.AppendJSON(dst, cell)
	if len(dst) == start || w.level.required[cell] && string(dst[start:]) == "null" {
		return w.holes.mark(dst[:start], w.level.cellHole(w.rows, cell))
	}
	return dst
}

func (w writer) cursor(dst []byte) []byte {
	if p := &w.res.page; p.hole != nil {
		return w.holes.mark(dst, *p.hole)
	}
	return append(append(append(dst, '"'), w.res.page.cursor...), '"')
}

// embedded writes what is selected of an embedded value, or of a list of them.
func (w writer) embedded(dst []byte, p *piece) []byte {
	v := w.rows.Value(p.cell)
	switch {
	case !v.IsNull():
		return w.selected(dst, gjson.Parse(v.Text()), p.cell, w.level.cells[p.cell].Field, p.members)
	case w.level.required[p.cell] || w.rows.Misfit(p.cell).Found != "":
		return w.holes.mark(dst, w.level.cellHole(w.rows, p.cell))
	}
	return append(dst, "null"...)
}

func (w writer) selected(dst []byte, v gjson.Result, cell int, of *schema.Field, members []query.Item) []byte {
	switch {
	case v.IsArray():
		dst = append(dst, '[')
		for i, e := range v.Array() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = w.selected(dst, e, cell, of, members)
		}
		return append(dst, ']')
	case !v.IsObject():
		return w.plain(dst, v, cell, of)
	}
	dst = append(dst, '{')
	for i, m := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(schema.AppendString(dst, m.Name), ':')
		dst = w.member(dst, v, cell, m)
	}
	return append(dst, '}')
}

func (w writer) member(dst []byte, object gjson.Result, cell int, m query.Item) []byte {
	if m.Field == nil {
		return schema.AppendString(dst, m.Typename)
	}
	v := object.Get(m.Field.Name)
	switch {
	case v.Type == gjson.Null && m.Field.NonNull && m.Field.Scalar != schema.JSON:
		return w.holes.mark(dst, w.level.memberHole(w.rows, cell, m.Field, missing))
	case v.Type == gjson.Null:
		return append(dst, "null"...)
	case m.Members != nil:
		return w.selected(dst, v, cell, m.Field, m.Members)
	}
	return w.plain(dst, v, cell, m.Field)
}

// plain writes what is no object, or the mark of what a driver did not find fit.
func (w writer) plain(dst []byte, v gjson.Result, cell int, of *schema.Field) []byte {
	if found, ok := driver.Unfit(v.Raw); ok {
		return w.holes.mark(dst, w.level.memberHole(w.rows, cell, of, found))
	}
	return append(dst, v.Raw...)
}

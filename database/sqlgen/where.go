package sqlgen

import (
	"spacecloud/query"
	"spacecloud/schema"
)

var compareSQL = [...]string{
	query.Eq: " = ", query.Ne: " <> ", query.Gt: " > ", query.Gte: " >= ", query.Lt: " < ", query.Lte: " <= ",
}

// Where appends a condition.
func (b *Builder) Where(w query.Where) {
	switch w := w.(type) {
	case query.And:
		b.all([]query.Where(w), " AND ", query.True)
	case query.Or:
		b.all([]query.Where(w), " OR ", query.False)
	case query.Not:
		b.Text("NOT (")
		b.Where(w.Where)
		b.Text(")")
	case query.Untrue:
		b.Text("((")
		b.Where(w.Where)
		b.Text(") IS NOT TRUE)")
	case query.Compare:
		b.compare(w)
	case query.Among:
		b.amongKeys(w)
	case query.IsNull:
		b.Text("(")
		b.Operand(w.Operand, ScalarOf(w.Operand))
		b.Text(" IS NULL)")
	case query.Empty:
		b.empty(w)
	case query.JSON:
		b.dialect.JSON(b, w)
	case query.Search:
		b.dialect.Search(b, b.scope(0), w)
	case query.Some:
		b.some(w)
	case query.One:
		b.one(w)
	case query.Count:
		b.count(w)
	case query.Exists:
		b.exists(w)
	case query.Truth:
		b.truth(w)
	default:
		b.Fail("a condition of an unknown kind")
	}
}

func (b *Builder) truth(t query.Truth) {
	if strict, ok := b.dialect.(Strict); ok && t == query.Unknown {
		b.Text(strict.Unknown())
		return
	}
	b.Text([...]string{"NULL", "FALSE", "TRUE"}[t])
}

// mostBeside is how many conditions stand beside each other. A parser makes them as many levels
// deep, of which SQLite takes a thousand, so that more are put into brackets by halves.
const mostBeside = 64

func (b *Builder) all(ws []query.Where, separator string, empty query.Truth) {
	switch n := len(ws); {
	case n == 0:
		b.Where(empty)
	case n > mostBeside:
		b.Text("(")
		b.all(ws[:n/2], separator, empty)
		b.Text(separator)
		b.all(ws[n/2:], separator, empty)
		b.Text(")")
	default:
		b.Text("(")
		list(b, ws, separator, b.Where)
		b.Text(")")
	}
}

func (b *Builder) compare(c query.Compare) {
	if c.Op >= query.Like && c.Op <= query.Regex {
		b.dialect.Match(b, c)
		return
	}
	if strict, ok := b.dialect.(Strict); ok {
		strict.Compare(b, c)
		return
	}
	switch c.Op {
	case query.In, query.Nin:
		b.in(c)
	case query.HasAny, query.HasAll:
		b.has(c)
	default:
		s := common(c.Left, c.Right)
		b.Text("(")
		b.dialect.Side(b, c.Left, s)
		b.Text(compareSQL[c.Op])
		b.dialect.Side(b, c.Right, s)
		b.Text(")")
	}
}

// common is the scalar that both sides are compared as: a column's before that of a value.
func common(left, right query.Operand) schema.Scalar {
	switch {
	case left.Kind == query.Column:
		return left.Field.Scalar
	case right.Kind == query.Column:
		return right.Field.Scalar
	case left.Scalar != schema.NoScalar:
		return left.Scalar
	}
	return right.Scalar
}

func (b *Builder) in(c query.Compare) {
	s := common(c.Left, c.Right)
	// A null list is unknown, and a sub-query of no rows would be false.
	guard := b.guard(c.Right, s)
	b.Text("(")
	b.dialect.Side(b, c.Left, s)
	if c.Op == query.Nin {
		b.Text(" NOT")
	}
	b.Text(" IN (")
	b.dialect.Elements(b, s, func() { b.listOf(c.Right, s) })
	b.Text("))")
	if guard {
		b.Text(" END")
	}
}

// amongKeys is false where a column is null, which a comparison of several columns leaves open.
func (b *Builder) amongKeys(w query.Among) {
	fields := make([]*schema.Field, len(w.Columns))
	b.Text("(")
	for i, o := range w.Columns {
		fields[i] = o.Field
		if nullable(o) {
			b.Operand(o, o.Field.Scalar)
			b.Text(" IS NOT NULL AND ")
		}
	}
	b.dialect.Among(b, w, fields)
	b.Text(")")
}

// nullable is whether a column can be null, or what leads to it.
func nullable(o query.Operand) bool {
	return !o.Field.NonNull || len(o.Via) > 0 || len(o.Inside) > 0
}

// guard begins a CASE for an operand that is not null, where one of its column may be.
func (b *Builder) guard(o query.Operand, s schema.Scalar) bool {
	if o.Kind != query.Column || !nullable(o) {
		return false
	}
	b.Text("CASE WHEN ")
	b.Operand(o, s)
	b.Text(" IS NOT NULL THEN ")
	return true
}

func (b *Builder) listOf(o query.Operand, s schema.Scalar) {
	if o.Kind == query.Column {
		b.Operand(o, s)
		return
	}
	b.Bind(Param{Bind: List, From: o, Scalar: s})
}

func (b *Builder) some(w query.Some) {
	if selective(w) {
		b.keyed(w)
		return
	}
	outer := b.scope(0)
	target := b.Alias()
	b.Text("EXISTS (SELECT 1 FROM ")
	b.reach(outer, w.Link.Link, target, w.Through)
	b.and(target, w.Where)
	b.Text(")")
}

func (b *Builder) exists(w query.Exists) {
	target := b.Alias()
	b.Text("EXISTS (SELECT 1 FROM ")
	b.Table(w.Type, target)
	b.Filter(target, w.Where)
	b.Text(")")
}

// Filter appends " WHERE …" for a row, or nothing for what is always true.
func (b *Builder) Filter(alias string, w query.Where) {
	if Always(w) {
		return
	}
	b.Text(" WHERE ")
	b.Of(alias, func() { b.Where(w) })
}

// and appends " AND …" for a row, or nothing for what is always true.
func (b *Builder) and(alias string, w query.Where) {
	if Always(w) {
		return
	}
	b.Text(" AND ")
	b.Of(alias, func() { b.Where(w) })
}

// Always is whether a condition is true whatever the row; nil is.
func Always(w query.Where) bool {
	switch w := w.(type) {
	case nil:
		return true
	case query.Truth:
		return w == query.True
	case query.And:
		for _, each := range w {
			if !Always(each) {
				return false
			}
		}
		return true
	}
	return false
}

package sqlgen

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// Operand appends a value: a placeholder, a column, or a sub-query for a column behind
// links. The scalar is what a value is bound as.
func (b *Builder) Operand(o query.Operand, s schema.Scalar) {
	switch o.Kind {
	case query.Column:
		b.column(o)
	case query.Measured:
		b.Measure(b.scope(o.Up), query.Measure{Fn: o.Fn, Field: o.Field})
	case query.Constant, query.Arg, query.Claim:
		if o.Kind == query.Constant && o.Value.IsNull() {
			b.Text("NULL")
			return
		}
		b.Bind(Param{Bind: Value, From: o, Scalar: s})
	default:
		b.Fail("a condition has an operand that is nothing")
	}
}

func (b *Builder) column(o query.Operand) {
	field, via := shorten(o.Field, o.Via)
	row := b.scope(o.Up)
	if len(via) == 0 {
		b.cellOf(row, field, o)
		return
	}
	aliases := make([]string, len(via))
	for i := range aliases {
		aliases[i] = b.Alias()
	}
	b.Text("(SELECT ")
	b.cellOf(aliases[len(aliases)-1], field, o)
	b.Text(" FROM ")
	b.Table(via[0].Link.Target, aliases[0])
	for i := 1; i < len(via); i++ {
		b.Text(" JOIN ")
		b.Table(via[i].Link.Target, aliases[i])
		b.Text(" ON ")
		b.join(aliases[i-1], via[i].Link, aliases[i], nil)
	}
	b.Text(" WHERE ")
	b.join(row, via[0].Link, aliases[0], nil)
	b.Text(" LIMIT 1)")
}

// cellOf appends the column of an operand, or its field inside of an embedded column.
func (b *Builder) cellOf(row string, f *schema.Field, o query.Operand) {
	if len(o.Inside) == 0 {
		b.Column(row, f)
		return
	}
	b.dialect.Member(b, row, o)
}

// shorten leaves out a last link that only leads to its own key: the key is in the row that
// has the link, when a foreign key says that the other row is there.
func shorten(f *schema.Field, via []*schema.Field) (*schema.Field, []*schema.Field) {
	for len(via) > 0 {
		l := via[len(via)-1].Link
		if !l.Enforced || !l.Owns || len(l.To) != 1 || l.To[0] != f {
			break
		}
		f, via = l.From[0], via[:len(via)-1]
	}
	return f, via
}

// join appends the condition that a row of to is what the link from the row of from leads
// to. Links through a join type ask for a row of it that meets through.
func (b *Builder) join(from string, l *schema.Link, to string, through query.Where) {
	if l.Through == nil {
		b.equal(to, l.To, from, l.From)
		return
	}
	b.among(to, l, through, func(join string) { b.equal(join, l.ThroughFrom, from, l.From) })
}

// among appends the condition that a row's key is among those that the rows of a link's join
// type lead to, of which meets and the condition say which count. A row that two of them lead
// to is one row.
func (b *Builder) among(to string, l *schema.Link, w query.Where, meets func(through string)) {
	through := b.Alias()
	b.tuple(l.To, func(f *schema.Field) { b.Column(to, f) })
	b.Text(" IN (SELECT ")
	b.Columns(through, l.ThroughTo)
	b.Text(" FROM ")
	b.Table(l.Through, through)
	b.Text(" WHERE ")
	meets(through)
	b.and(through, w)
	b.Text(")")
}

// reach appends "target AS to WHERE <linked to from>".
func (b *Builder) reach(from string, l *schema.Link, to string, through query.Where) {
	b.Table(l.Target, to)
	b.Text(" WHERE ")
	b.join(from, l, to, through)
}

func (b *Builder) equal(left string, ls []*schema.Field, right string, rs []*schema.Field) {
	for i := range ls {
		if i > 0 {
			b.Text(" AND ")
		}
		b.Column(left, ls[i])
		b.Text(" = ")
		b.Column(right, rs[i])
	}
}

// tuple appends one expression, or several as a row value.
func (b *Builder) tuple(fs []*schema.Field, render func(*schema.Field)) {
	if len(fs) > 1 {
		b.Text("(")
	}
	list(b, fs, ", ", render)
	if len(fs) > 1 {
		b.Text(")")
	}
}

package sqlgen

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// Measures appends what is read of groups of the rows of an alias.
func (b *Builder) Measures(g *query.Groups, row string) {
	if len(g.Measures) == 0 {
		b.Text("count(*)") // without a function it would not be a row of a group
		return
	}
	list(b, g.Measures, ", ", func(m query.Measure) { b.Measure(row, m) })
}

// Measure appends one measure.
func (b *Builder) Measure(row string, m query.Measure) {
	if strict, ok := b.dialect.(Strict); ok && (m.Fn == query.Least || m.Fn == query.Greatest) {
		strict.Extreme(b, row, m)
		return
	}
	switch m.Fn {
	case query.KeyOf:
		b.Column(row, m.Field)
	case query.CountRows:
		b.Text("count(*)")
	case query.CountDistinct:
		b.of("count(DISTINCT ", row, m.Field)
	case query.Least:
		b.of("min(", row, m.Field)
	case query.Greatest:
		b.of("max(", row, m.Field)
	default:
		b.dialect.Total(b, row, m)
	}
}

func (b *Builder) of(function, row string, f *schema.Field) {
	b.Text(function)
	b.Column(row, f)
	b.Text(")")
}

// groups appends the grouping, the condition on groups and their order.
func (b *Builder) groups(g *query.Groups, row string) {
	if len(g.By) > 0 {
		b.Text(" GROUP BY ")
		b.Columns(row, g.By)
	}
	b.Having(g, row)
	if len(g.OrderBy) == 0 {
		return
	}
	b.Text(" ORDER BY ")
	b.Of(row, func() { list(b, g.OrderBy, ", ", b.groupOrder) })
}

// Having appends " HAVING …", or nothing for what is always true.
func (b *Builder) Having(g *query.Groups, row string) {
	if Always(g.Having) {
		return
	}
	b.Text(" HAVING ")
	b.Of(row, func() { b.Where(g.Having) })
}

func (b *Builder) groupOrder(o query.GroupOrder) {
	value := func() { b.dialect.Side(b, o.Measure.Operand(), o.Measure.Scalar()) }
	b.dialect.SortKey(b, value, o.Desc, o.Measure.Nullable(), o.Nulls)
}

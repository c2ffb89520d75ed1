package sqlgen

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// one appends the condition of the row that a link leads to: a sub-query, which is null, and so
// unknown, without one.
func (b *Builder) one(w query.One) {
	outer := b.scope(0)
	target := b.Alias()
	b.Text("(SELECT ")
	b.Of(target, func() { b.Where(w.Where) })
	b.Text(" FROM ")
	b.reach(outer, w.Link.Link, target, nil)
	b.and(target, w.If)
	b.Text(" LIMIT 1)")
}

func (b *Builder) count(w query.Count) {
	outer := b.scope(0)
	target := b.Alias()
	b.Text("((SELECT count(*) FROM ")
	b.reach(outer, w.Link.Link, target, w.Through)
	b.and(target, w.Where)
	b.Text(")")
	switch w.Op {
	case query.In, query.Nin:
		if w.Op == query.Nin {
			b.Text(" NOT")
		}
		b.Text(" IN (")
		b.dialect.Elements(b, schema.BigInt, func() { b.listOf(w.Right, schema.BigInt) })
		b.Text("))")
		return
	case query.Eq, query.Ne, query.Gt, query.Gte, query.Lt, query.Lte:
		b.Text(compareSQL[w.Op])
	default:
		b.Fail("a count cannot be asked whether it %s", w.Op)
	}
	b.Operand(w.Right, schema.BigInt)
	b.Text(")")
}

func (b *Builder) empty(w query.Empty) {
	s := ScalarOf(w.Operand)
	guard := b.guard(w.Operand, s)
	b.Text("NOT EXISTS (")
	b.dialect.Elements(b, s, func() { b.listOf(w.Operand, s) })
	b.Text(")")
	if guard {
		b.Text(" END")
	}
}

// has appends HasAny or HasAll: what both sets have, or what only the wanted one has.
func (b *Builder) has(c query.Compare) {
	s := common(c.Left, c.Right)
	guard := b.guard(c.Left, s)
	between := " INTERSECT "
	if c.Op == query.HasAll {
		b.Text("NOT ")
		between = " EXCEPT "
	}
	b.Text("EXISTS (")
	b.dialect.Elements(b, s, func() { b.listOf(c.Right, s) })
	b.Text(between)
	b.dialect.Elements(b, s, func() { b.listOf(c.Left, s) })
	b.Text(")")
	if guard {
		b.Text(" END")
	}
}

// firsts appends the rest of a plain level with Distinct: its rows are numbered for each
// combination, and the first are left. The numbered rows have all columns of the table, so that
// what is read of them is said as of the table itself.
func (b *Builder) firsts(l *query.Level, row string, reached func(row string)) {
	all := b.Alias()
	b.Text("(SELECT " + all + ".*")
	b.First(l, all, "")
	b.Text(" FROM ")
	b.Table(l.Type, all)
	if reached == nil {
		b.Filter(all, l.Where)
	} else {
		b.Text(" WHERE ")
		reached(all)
		b.and(all, l.Where)
	}
	b.Text(") AS " + row + " WHERE " + row + ".sc_first = 1")
	b.OrderBy(row, l.OrderBy, "")
	b.dialect.Page(b, l.Limit, l.Offset)
}

// First appends the number of a row, as sc_first, among those that agree in key, if there is
// one, and in the columns of Distinct.
func (b *Builder) First(l *query.Level, row, key string) {
	b.Text(", row_number() OVER (PARTITION BY ")
	if key != "" {
		b.Text(key + ", ")
	}
	b.Columns(row, l.Distinct)
	b.OrderBy(row, l.OrderBy, "")
	b.Text(") AS sc_first")
}

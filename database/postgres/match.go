package postgres

import (
	"strings"
	"sync"
	"unicode"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Match gives an index of the column a range where the beginning of what matches is known.
func (d dialect) Match(b *sqlgen.Builder, c query.Compare) {
	text := func(o query.Operand) func() {
		return func() { d.shown(b, o, schema.String) }
	}
	left, right := text(c.Left), text(c.Right)
	known := c.Right.Kind != query.Column
	bind := func(as sqlgen.Bind) { b.Bind(sqlgen.Param{Bind: as, From: c.Right, Scalar: schema.String}) }
	b.Text("(")
	switch c.Op {
	case query.StartsWith:
		if known {
			d.between(b, left, func() { bind(sqlgen.Value) }, func() { bind(sqlgen.TextEnd) })
		} else {
			call(b, "starts_with(", left, ", ", right, ")")
		}
	case query.EndsWith:
		call(b, "right(", left, ", length(", right, ")) = ", right, "")
	case query.Contains:
		call(b, "strpos(", left, ", ", right, ") > 0")
	case query.Like:
		if known {
			d.between(b, left, func() { bind(sqlgen.Prefix) }, func() { bind(sqlgen.PrefixEnd) })
			call(b, " AND ", left, " LIKE ", func() { bind(likePattern) }, "")
		} else {
			call(b, "", left, " LIKE ", func() { pattern(b, right) }, "")
		}
	case query.ILike:
		if known {
			call(b, "", left, " ~ ", func() { bind(likeRegexp) }, "")
		} else {
			call(b, "", folded(b, left), " LIKE ", func() { pattern(b, folded(b, right)) }, "")
		}
	case query.IContains:
		if known {
			call(b, "", left, " ~ ", func() { bind(foldedRegexp) }, "")
		} else {
			call(b, "strpos(", folded(b, left), ", ", folded(b, right), ") > 0")
		}
	case query.Regex:
		if !known {
			b.Fail("a regular expression is a value, not a column, on PostgreSQL")
		}
		call(b, "", left, " ~ ", func() { bind(ownRegexp) }, "")
	}
	b.Text(")")
}

// call appends texts and what renders itself.
func call(b *sqlgen.Builder, parts ...any) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b.Text(part)
		case func():
			part()
		}
	}
}

func (dialect) between(b *sqlgen.Builder, left, least, end func()) {
	call(b, "", left, bytewise+" >= ", least, " AND ", left, bytewise+" < ", end, "")
}

// pattern appends the pattern of a column. A backslash that ends it stands for itself.
func pattern(b *sqlgen.Builder, right func()) {
	call(b, "(", right, ` || CASE WHEN length(substring(`, right, ` from '\\*$')) % 2 = 1 THEN '\' ELSE '' END)`)
}

// folded is a text of a column with each character as the least of those that differ from it by
// case only, as query.Holds folds them.
func folded(b *sqlgen.Builder, text func()) func() {
	return func() { call(b, "translate(", text, ", "+foldings()+")") }
}

// foldings are the characters that fold to others, and those that they fold to.
var foldings = sync.OnceValue(func() string {
	var from, to strings.Builder
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if least := foldRune(r); least != r {
			from.WriteRune(r)
			to.WriteRune(least)
		}
	}
	return "'" + from.String() + "', '" + to.String() + "'"
})

func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

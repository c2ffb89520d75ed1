package mysql

import (
	"strings"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// How a parameter of this dialect is bound.
const (
	storedList   = sqlgen.Own + iota // a list as it is stored
	listSome                         // whether a list has elements; null has
	listElement                      // an element of a list, or its last one
	likePattern                      // a pattern of LIKE, as the database takes it
	likePrefix                       // a text, as the pattern of those that begin with it
	likeRegexp                       // a pattern of LIKE without case, as a regular expression
	foldedRegexp                     // a text without case, as a regular expression
	ownRegexp                        // a regular expression, as the database writes it
	wordRegexps                      // a text of words, as a list of regular expressions
	jsonPaths                        // a variant of a path into an encoded document
	nativePaths                      // a variant of a path into a document
	jsonMember                       // the path of a member of an encoded document
	nativeMember                     // the path of a member of a document
	jsonEqual                        // a list of the encoded documents that equal one
	jsonWithin                       // a list of the encoded documents of which one has to be contained
)

// Match has LIKE for what an index of the column can serve.
func (d dialect) Match(b *sqlgen.Builder, c query.Compare) {
	text := func(o query.Operand) func() {
		return func() { b.Operand(o, schema.String) }
	}
	left, right := text(c.Left), text(c.Right)
	known := c.Right.Kind != query.Column
	bound := func(as sqlgen.Bind) func() {
		return func() { b.Bind(sqlgen.Param{Bind: as, From: c.Right, Scalar: schema.String}) }
	}
	b.Text("(")
	switch {
	case c.Op == query.StartsWith && known:
		say(b, left, " LIKE ", bound(likePrefix))
	case c.Op == query.StartsWith:
		say(b, "LEFT(", left, ", CHAR_LENGTH(", right, ")) = ", right)
	case c.Op == query.EndsWith:
		say(b, "RIGHT(", left, ", CHAR_LENGTH(", right, ")) = ", right)
	case c.Op == query.Contains:
		say(b, "LOCATE(", right, ", ", left, ") > 0")
	case c.Op == query.Like && known:
		say(b, left, " LIKE ", bound(likePattern))
	case c.Op == query.Like:
		say(b, left, " LIKE ", pattern(b, right))
	case c.Op == query.ILike && known:
		d.known(b, left, bound(likeRegexp))
	case c.Op == query.ILike:
		say(b, folded(b, left), " LIKE ", pattern(b, folded(b, right)))
	case c.Op == query.IContains && known:
		d.known(b, left, bound(foldedRegexp))
	case c.Op == query.IContains:
		say(b, "LOCATE(", folded(b, right), ", ", folded(b, left), ") > 0")
	case known:
		d.known(b, left, bound(ownRegexp))
	default:
		b.Fail("a regular expression is a value, not a column, on MySQL")
	}
	b.Text(")")
}

// say appends texts and what renders itself.
func say(b *sqlgen.Builder, parts ...any) {
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b.Text(part)
		case func():
			part()
		}
	}
}

// known is matches for an expression of which MariaDB would not see that it is null.
func (d dialect) known(b *sqlgen.Builder, text, expression func()) {
	say(b, "CASE WHEN ", expression, " IS NOT NULL THEN ", func() { d.matches(b, text, expression) }, " END")
}

func (d dialect) matches(b *sqlgen.Builder, text, expression func()) {
	before, between, after := d.server.matches()
	say(b, before, text, between, expression, after)
}

// pattern appends the pattern of a column. A backslash that ends it stands for itself.
func pattern(b *sqlgen.Builder, right func()) func() {
	return func() {
		say(b, "CONCAT(", right, ", CASE WHEN (CHAR_LENGTH(", right, `) - CHAR_LENGTH(TRIM(TRAILING '\\' FROM `, right, `))) % 2 = 1 THEN '\\' ELSE '' END)`)
	}
}

// folded is a text of a column with its letters in one case. LOWER and UPPER would take letters for
// an i that differ from it by more than case: they become characters that no text has.
func folded(b *sqlgen.Builder, text func()) func() {
	return func() { say(b, "LOWER(UPPER(REPLACE(REPLACE(", text, ", 'ı', '\U0010FFFE'), 'İ', '\U0010FFFF')))") }
}

// appendPattern appends a pattern. A backslash that ends it stands for itself.
func appendPattern(dst []byte, pattern string) []byte {
	dst = append(dst, pattern...)
	if (len(pattern)-len(strings.TrimRight(pattern, `\`)))%2 == 1 {
		dst = append(dst, '\\')
	}
	return dst
}

func appendPrefix(dst []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c == '\\' || c == '%' || c == '_' {
			dst = append(dst, '\\')
		}
		dst = append(dst, text[i])
	}
	return append(dst, '%')
}

// Search has each word be an expression that the texts of the row have to match: an index of words
// would leave some out, and has others.
func (d dialect) Search(b *sqlgen.Builder, row string, w query.Search) {
	words := b.Alias()
	b.Text("CASE WHEN ")
	b.Operand(w.Words, schema.String)
	b.Text(" IS NOT NULL THEN NOT EXISTS (SELECT 1 FROM ")
	elements(b, words, d.packed(schema.String), func() { b.Bind(sqlgen.Param{Bind: wordRegexps, From: w.Words, Scalar: schema.String}) })
	b.Text(" WHERE NOT ")
	d.matches(b, func() {
		b.Text("CONCAT_WS(' '")
		for _, f := range query.SearchFields(w.Type) {
			b.Text(", ")
			b.Column(row, f)
		}
		b.Text(")")
	}, func() { b.Text(words + ".v") })
	b.Text(") END")
}

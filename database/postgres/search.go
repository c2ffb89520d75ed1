package postgres

import (
	"strings"
	"sync"
	"unicode"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// Search has each word be an expression that the texts of the row have to match. It means the same
// as in other databases, which PostgreSQL's own text search cannot: that has other words, and
// folds by the locale. No index serves it.
func (dialect) Search(b *sqlgen.Builder, row string, w query.Search) {
	b.Text("((concat_ws(' '")
	for _, f := range query.SearchFields(w.Type) {
		b.Text(", ")
		b.Column(row, f)
	}
	b.Text(")" + bytewise + ") ~ ALL(")
	b.Bind(sqlgen.Param{Bind: wordRegexps, From: w.Words, Scalar: schema.String})
	b.Text("))")
}

// words adds an expression for each word of a text. The last one may be the beginning of a word; of
// no words nothing is found.
func (a *args) words(text string) {
	words := query.Words(text)
	expressions := make([]schema.Value, len(words))
	for i, word := range words {
		expression := "(?<!" + wordCharacter() + ")" + foldedText(word)
		if i < len(words)-1 {
			expression += "(?!" + wordCharacter() + ")"
		}
		expressions[i] = schema.Text(expression)
	}
	if len(words) == 0 {
		expressions = []schema.Value{schema.Text(nothing)}
	}
	a.list(expressions, 1, schema.String)
}

// wordCharacter is the class of what words consist of, as query.Words has it.
var wordCharacter = sync.OnceValue(func() string {
	var class translation
	var ranges []rune
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if !query.InWord(r) {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1] == r-1 {
			ranges[n-1] = r
		} else {
			ranges = append(ranges, r, r)
		}
	}
	class.class(ranges)
	return strings.Clone(class.String())
})

package query

import (
	"strings"
	"unicode"

	"spacecloud/schema"
)

// Search is whether every one of the words stands in some column of the row that has @search,
// whatever the case. The last one may be the beginning of a word. It is false without any word,
// and unknown only where Words is null.
type Search struct {
	Type  *schema.Type
	Words Operand
}

func (Search) where() {}

func (w Search) String() string { return "search " + w.Words.String() }

// SearchFields are the columns of a type that have @search.
func SearchFields(t *schema.Type) []*schema.Field {
	var fields []*schema.Field
	for _, f := range t.Columns {
		if f.Search && !f.Hidden && t.Kind == schema.Table {
			fields = append(fields, f)
		}
	}
	return fields
}

// SearchTable is the name of the full-text index of a type's table, in databases where it is a
// table itself. Names in a schema do not begin so, and its own parts do not end so.
func SearchTable(t *schema.Type) string { return "_" + t.Table + "_search" }

// Words are the words of a text: its letters, digits and marks, in one case.
func Words(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !InWord(r) })
	for i, w := range words {
		words[i] = strings.Map(foldRune, w)
	}
	return words
}

// InWord is whether words have a character.
func InWord(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.M, unicode.Co) }

func (h *holder) search(w Search) Truth {
	words := h.value(w.Words)
	if words.IsNull() {
		return Unknown
	}
	var there []string
	for _, f := range SearchFields(w.Type) {
		if v := h.row(0).Value(f); !v.IsNull() {
			there = append(there, Words(v.Text())...)
		}
	}
	wanted := Words(words.Text())
	for i, word := range wanted {
		if !stands(word, there, i == len(wanted)-1) {
			return False
		}
	}
	return truth(len(wanted) > 0)
}

func stands(word string, among []string, beginning bool) bool {
	for _, a := range among {
		if a == word || beginning && strings.HasPrefix(a, word) {
			return true
		}
	}
	return false
}

package mysql

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"
)

// The regular expressions of MariaDB (PCRE) and MySQL (ICU) are others than RE2's: \b, \w and $ mean
// something else, and (?i) folds otherwise. So an expression is parsed as RE2, and what it means is
// written with what means the same in all: characters, ranges, groups and repetitions.

// nothing matches no text.
const nothing = `(?!)`

// translate is an expression of RE2 as the database writes it. What is none matches nothing.
func translate(pattern string) string {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nothing
	}
	t := translation{}
	t.group(parsed)
	return t.String()
}

type translation struct{ strings.Builder }

const wordClass = "[0-9A-Za-z_]"

// empties are what matches the same whatever stands in the expression.
var empties = map[syntax.Op]string{
	syntax.OpNoMatch:        nothing,
	syntax.OpEmptyMatch:     `(?:)`,
	syntax.OpBeginText:      `\A`,
	syntax.OpEndText:        `\z`,
	syntax.OpBeginLine:      `(?:\A|(?<=\x{A}))`,
	syntax.OpEndLine:        `(?:\z|(?=\x{A}))`,
	syntax.OpWordBoundary:   "(?:(?<=" + wordClass + ")(?!" + wordClass + ")|(?<!" + wordClass + ")(?=" + wordClass + "))",
	syntax.OpNoWordBoundary: "(?:(?<=" + wordClass + ")(?=" + wordClass + ")|(?<!" + wordClass + ")(?!" + wordClass + "))",
	syntax.OpAnyChar:        anyCharacter,
	syntax.OpAnyCharNotNL:   `[^\x{A}]`,
}

const anyCharacter = `[\x{0}-\x{10FFFF}]`

func (t *translation) expression(re *syntax.Regexp) {
	if text, ok := empties[re.Op]; ok {
		t.WriteString(text)
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			t.WriteString(literal(r, re.Flags&syntax.FoldCase != 0))
		}
	case syntax.OpCharClass:
		t.WriteString(classOf(re.Rune))
	case syntax.OpCapture:
		t.group(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			t.group(sub)
		}
	case syntax.OpAlternate:
		for i, sub := range re.Sub {
			if i > 0 {
				t.WriteByte('|')
			}
			t.group(sub)
		}
	default:
		t.group(re.Sub[0])
		t.times(re)
	}
}

func (t *translation) group(re *syntax.Regexp) {
	t.WriteString("(?:")
	t.expression(re)
	t.WriteByte(')')
}

func (t *translation) times(re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpStar:
		t.WriteByte('*')
	case syntax.OpPlus:
		t.WriteByte('+')
	case syntax.OpQuest:
		t.WriteByte('?')
	case syntax.OpRepeat:
		if re.Max < 0 {
			fmt.Fprintf(t, "{%d,}", re.Min)
		} else {
			fmt.Fprintf(t, "{%d,%d}", re.Min, re.Max)
		}
	}
}

// classOf is a class of ranges of characters.
func classOf(ranges []rune) string {
	if len(ranges) == 0 {
		return nothing
	}
	var class strings.Builder
	class.WriteByte('[')
	for i := 0; i < len(ranges); i += 2 {
		class.WriteString(escaped(ranges[i]))
		if ranges[i] < ranges[i+1] {
			class.WriteString("-" + escaped(ranges[i+1]))
		}
	}
	class.WriteByte(']')
	return class.String()
}

// escaped is a character that stands for itself everywhere.
func escaped(r rune) string {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return string(r)
	}
	return fmt.Sprintf(`\x{%X}`, r)
}

// literal is a character, or those that differ from it by case only.
func literal(r rune, fold bool) string {
	if !fold || unicode.SimpleFold(r) == r {
		return escaped(r)
	}
	var text strings.Builder
	text.WriteString("[" + escaped(r))
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		text.WriteString(escaped(next))
	}
	return text.String() + "]"
}

func foldedText(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteString(literal(r, true))
	}
	return b.String()
}

// appendLikeRegexp appends a pattern of LIKE as the expression that matches whatever the case.
func appendLikeRegexp(dst []byte, pattern string) []byte {
	dst = append(dst, `\A(?:`...)
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '%':
			dst = append(dst, anyCharacter+"*"...)
		case r == '_':
			dst = append(dst, anyCharacter...)
		case r == '\\' && i+1 < len(runes):
			i++
			dst = append(dst, literal(runes[i], true)...)
		default:
			dst = append(dst, literal(r, true)...)
		}
	}
	return append(dst, `)\z`...)
}

package postgres

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode"

	"spacecloud/fault"
)

// PostgreSQL's regular expressions are others than RE2's: \b, \w, . and classes mean something
// else, and (?i) folds by the locale. So an expression is parsed as RE2, and what it means is
// written with what means the same in both: characters, ranges, groups and repetitions.

// nothing matches no text.
const nothing = `(?:\Z[\u0001-\U0010FFFF])`

// most is how often something may be repeated.
const most = 255

// translate is an expression of RE2 as PostgreSQL writes it. What is none matches nothing.
func translate(pattern string) (string, error) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nothing, nil //nolint:nilerr // as query.Holds has it
	}
	t := translation{}
	t.expression(parsed)
	if t.tooOften {
		return "", fault.New(fault.Invalid, "a regular expression repeats something more than %d times, which PostgreSQL does not", most)
	}
	return "(?:" + t.String() + ")", nil
}

type translation struct {
	strings.Builder

	tooOften bool
}

const wordClass = "[0-9A-Za-z_]"

// empties are what matches between characters.
var empties = map[syntax.Op]string{
	syntax.OpNoMatch:        nothing,
	syntax.OpEmptyMatch:     "(?:)",
	syntax.OpBeginText:      `(?:\A)`,
	syntax.OpEndText:        `(?:\Z)`,
	syntax.OpBeginLine:      `(?:\A|(?<=\u000A))`,
	syntax.OpEndLine:        `(?:\Z|(?=\u000A))`,
	syntax.OpWordBoundary:   "(?:(?<=" + wordClass + ")(?!" + wordClass + ")|(?<!" + wordClass + ")(?=" + wordClass + "))",
	syntax.OpNoWordBoundary: "(?:(?<=" + wordClass + ")(?=" + wordClass + ")|(?<!" + wordClass + ")(?!" + wordClass + "))",
	syntax.OpAnyChar:        `[\u0001-\U0010FFFF]`,
	syntax.OpAnyCharNotNL:   `[^\u000A]`,
}

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
		t.class(re.Rune)
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
		t.tooOften = t.tooOften || re.Min > most || re.Max > most
		if re.Max < 0 {
			fmt.Fprintf(t, "{%d,}", re.Min)
		} else {
			fmt.Fprintf(t, "{%d,%d}", re.Min, re.Max)
		}
	}
}

// class appends ranges of characters; a text has no NUL.
func (t *translation) class(ranges []rune) {
	var inside strings.Builder
	for i := 0; i < len(ranges); i += 2 {
		low, high := max(ranges[i], 1), ranges[i+1]
		if low > high {
			continue
		}
		inside.WriteString(escaped(low))
		if low < high {
			inside.WriteString("-" + escaped(high))
		}
	}
	if inside.Len() == 0 {
		t.WriteString(nothing)
		return
	}
	t.WriteString("[" + inside.String() + "]")
}

// escaped is a character that stands for itself everywhere.
func escaped(r rune) string {
	switch {
	case '0' <= r && r <= '9', 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
		return string(r)
	case r > 0xffff:
		return fmt.Sprintf(`\U%08X`, r)
	}
	return fmt.Sprintf(`\u%04X`, r)
}

// literal is a character, or those that differ from it by case only.
func literal(r rune, fold bool) string {
	if r == 0 {
		return nothing
	}
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
			dst = append(dst, `[\u0001-\U0010FFFF]*`...)
		case r == '_':
			dst = append(dst, `[\u0001-\U0010FFFF]`...)
		case r == '\\' && i+1 < len(runes):
			i++
			dst = append(dst, literal(runes[i], true)...)
		default:
			dst = append(dst, literal(r, true)...)
		}
	}
	return append(dst, `)\Z`...)
}

package sqlgen

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"

	"spacecloud/query"
	"spacecloud/schema"
)

// The regular expressions of databases are others than RE2's: \b, \w, $ and classes mean something
// else, and (?i) folds by other tables. So an expression is parsed as RE2, and what it means is
// written with what means the same in all: characters, ranges, groups and repetitions.

// Spelling is what each database writes its own way.
type Spelling struct {
	Nothing string            // matches no text
	Any     string            // matches any character
	End     string            // the end of the text; its beginning is \A
	Escape  func(rune) string // a character that is no letter or digit of ASCII, in a class and outside
	Least   rune              // the least character that a text can hold
}

// Regexps writes regular expressions in a spelling.
type Regexps struct {
	Spelling

	empties map[syntax.Op]string // what matches the same whatever stands in the expression
	word    func() string
}

const asciiWord = "[0-9A-Za-z_]"

// NewRegexps writes in a spelling.
func NewRegexps(s Spelling) *Regexps {
	newline := s.Escape('\n')
	r := &Regexps{Spelling: s, empties: map[syntax.Op]string{
		syntax.OpNoMatch:        s.Nothing,
		syntax.OpEmptyMatch:     `(?:)`,
		syntax.OpBeginText:      `(?:\A)`,
		syntax.OpEndText:        `(?:` + s.End + `)`,
		syntax.OpBeginLine:      `(?:\A|(?<=` + newline + `))`,
		syntax.OpEndLine:        `(?:` + s.End + `|(?=` + newline + `))`,
		syntax.OpWordBoundary:   "(?:(?<=" + asciiWord + ")(?!" + asciiWord + ")|(?<!" + asciiWord + ")(?=" + asciiWord + "))",
		syntax.OpNoWordBoundary: "(?:(?<=" + asciiWord + ")(?=" + asciiWord + ")|(?<!" + asciiWord + ")(?!" + asciiWord + "))",
		syntax.OpAnyChar:        s.Any,
		syntax.OpAnyCharNotNL:   `[^` + newline + `]`,
	}}
	r.word = sync.OnceValue(func() string { return r.class(wordRanges()) })
	return r
}

// Translate is an expression of RE2, and how often it repeats something at most. What is none
// matches nothing, as query.Holds has it.
func (r *Regexps) Translate(pattern string) (text string, repeats int) {
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return r.Nothing, 0
	}
	t := translation{Regexps: r}
	t.group(parsed)
	return t.String(), t.repeats
}

type translation struct {
	strings.Builder
	*Regexps

	repeats int
}

func (t *translation) expression(re *syntax.Regexp) {
	if text, ok := t.empties[re.Op]; ok {
		t.WriteString(text)
		return
	}
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			t.WriteString(t.literal(r, re.Flags&syntax.FoldCase != 0))
		}
	case syntax.OpCharClass:
		t.WriteString(t.class(re.Rune))
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
		t.repeats = max(t.repeats, re.Min, re.Max)
		if re.Max < 0 {
			fmt.Fprintf(t, "{%d,}", re.Min)
		} else {
			fmt.Fprintf(t, "{%d,%d}", re.Min, re.Max)
		}
	}
}

// class is one of ranges of characters.
func (r *Regexps) class(ranges []rune) string {
	var inside strings.Builder
	for i := 0; i < len(ranges); i += 2 {
		low, high := max(ranges[i], r.Least), ranges[i+1]
		if low > high {
			continue
		}
		inside.WriteString(r.escaped(low))
		if low < high {
			inside.WriteString("-" + r.escaped(high))
		}
	}
	if inside.Len() == 0 {
		return r.Nothing
	}
	return "[" + inside.String() + "]"
}

// escaped is a character that stands for itself everywhere.
func (r *Regexps) escaped(c rune) string {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return string(c)
	}
	return r.Escape(c)
}

// literal is a character, or those that differ from it by case only.
func (r *Regexps) literal(c rune, fold bool) string {
	if c < r.Least {
		return r.Nothing
	}
	if !fold || unicode.SimpleFold(c) == c {
		return r.escaped(c)
	}
	var text strings.Builder
	text.WriteString("[" + r.escaped(c))
	for next := unicode.SimpleFold(c); next != c; next = unicode.SimpleFold(next) {
		text.WriteString(r.escaped(next))
	}
	return text.String() + "]"
}

// Folded is a text, whatever the case.
func (r *Regexps) Folded(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteString(r.literal(c, true))
	}
	return b.String()
}

// AppendLike appends a pattern of LIKE as the expression that matches whatever the case.
func (r *Regexps) AppendLike(dst []byte, pattern string) []byte {
	dst = append(dst, `\A(?:`...)
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == '%':
			dst = append(dst, r.Any+"*"...)
		case c == '_':
			dst = append(dst, r.Any...)
		case c == '\\' && i+1 < len(runes):
			i++
			dst = append(dst, r.literal(runes[i], true)...)
		default:
			dst = append(dst, r.literal(c, true)...)
		}
	}
	return append(dst, ")"+r.End...)
}

// Words are an expression for each word of a text, as query.Search has them. The last one may be the
// beginning of a word; of no words nothing is found.
func (r *Regexps) Words(text string) []schema.Value {
	words := query.Words(text)
	if len(words) == 0 {
		return []schema.Value{schema.Text(r.Nothing)}
	}
	expressions := make([]schema.Value, len(words))
	for i, word := range words {
		expression := "(?<!" + r.word() + ")" + r.Folded(word)
		if i < len(words)-1 {
			expression += "(?!" + r.word() + ")"
		}
		expressions[i] = schema.Text(expression)
	}
	return expressions
}

// wordRanges are the ranges of the characters that words consist of, as query.Words has it.
func wordRanges() (ranges []rune) {
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
	return ranges
}

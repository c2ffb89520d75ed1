package mongodb

import (
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/query"
	"spacecloud/schema"
)

// any of the characters that there are.
const anything = `[\s\S]`

// patternOf is what a text operator looks for, as a regular expression of PCRE that says each
// character and asks for no table of MongoDB's; false for a pattern that matches nothing.
func patternOf(o query.Op, text string) (string, bool) {
	switch o {
	case query.StartsWith:
		return "^" + quoted(text, false), true
	case query.EndsWith:
		return quoted(text, false) + `\z`, true
	case query.Contains, query.IContains:
		return quoted(text, o == query.IContains), true
	case query.Like, query.ILike:
		return "^" + likePattern(text, o == query.ILike) + `\z`, true
	}
	parsed, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writePattern(&b, parsed)
	return b.String(), true
}

func quoted(text string, fold bool) string {
	var b strings.Builder
	for _, r := range text {
		writeRune(&b, r, fold)
	}
	return b.String()
}

func likePattern(text string, fold bool) string {
	var b strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			writeRune(&b, r, fold)
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(anything + "*")
		case r == '_':
			b.WriteString(anything)
		default:
			writeRune(&b, r, fold)
		}
	}
	if escaped {
		writeRune(&b, '\\', false)
	}
	return b.String()
}

// writeRune writes one character, or with fold all that differ from it by case only.
func writeRune(b *strings.Builder, r rune, fold bool) {
	if !fold || unicode.SimpleFold(r) == r {
		writeSelf(b, r)
		return
	}
	b.WriteByte('[')
	writeSelf(b, r)
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		writeSelf(b, next)
	}
	b.WriteByte(']')
}

// writeSelf writes a character that means itself, in a class or outside of one.
func writeSelf(b *strings.Builder, r rune) {
	switch {
	case r < 0x20, r == 0x7f, r == '-':
		b.WriteString(`\x{` + strconv.FormatInt(int64(r), 16) + `}`)
	case strings.ContainsRune(`^$\.*+?()[]{}|/`, r):
		b.WriteString(`\` + string(r))
	default:
		b.WriteRune(r)
	}
}

// writePattern writes a regular expression of RE2 as one of PCRE that matches the same texts.
func writePattern(b *strings.Builder, re *syntax.Regexp) {
	fold := re.Flags&syntax.FoldCase != 0
	switch re.Op {
	case syntax.OpNoMatch:
		b.WriteString(`(?!)`)
	case syntax.OpEmptyMatch:
		b.WriteString(`(?:)`)
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			writeRune(b, r, fold)
		}
	case syntax.OpCharClass:
		writeClass(b, re.Rune)
	case syntax.OpAnyCharNotNL:
		b.WriteString(`[^\x{a}]`)
	case syntax.OpAnyChar:
		b.WriteString(anything)
	case syntax.OpBeginLine:
		b.WriteString(`(?:\A|(?<=\x{a}))`)
	case syntax.OpEndLine:
		b.WriteString(`(?:\z|(?=\x{a}))`)
	case syntax.OpBeginText:
		b.WriteString(`\A`)
	case syntax.OpEndText:
		b.WriteString(`\z`)
	case syntax.OpWordBoundary:
		b.WriteString(`\b`)
	case syntax.OpNoWordBoundary:
		b.WriteString(`\B`)
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			writePattern(b, sub)
		}
	case syntax.OpAlternate:
		writeGroup(b, "|", re.Sub...)
	case syntax.OpCapture:
		writeGroup(b, "", re.Sub...)
	default:
		writeGroup(b, "", re.Sub...)
		b.WriteString(repetition(re))
	}
}

func writeGroup(b *strings.Builder, between string, subs ...*syntax.Regexp) {
	b.WriteString("(?:")
	for i, sub := range subs {
		if i > 0 {
			b.WriteString(between)
		}
		writePattern(b, sub)
	}
	b.WriteByte(')')
}

func repetition(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpStar:
		return "*"
	case syntax.OpPlus:
		return "+"
	case syntax.OpQuest:
		return "?"
	}
	most := ""
	if re.Max >= 0 {
		most = strconv.Itoa(re.Max)
	}
	return "{" + strconv.Itoa(re.Min) + "," + most + "}"
}

func writeClass(b *strings.Builder, ranges []rune) {
	if len(ranges) == 0 {
		b.WriteString(`(?!)`)
		return
	}
	b.WriteByte('[')
	for i := 0; i < len(ranges); i += 2 {
		b.WriteString(`\x{` + strconv.FormatInt(int64(ranges[i]), 16) + `}-\x{` + strconv.FormatInt(int64(ranges[i+1]), 16) + `}`)
	}
	b.WriteByte(']')
}

// text is a text operator as an expression.
func (s *scope) text(c query.Compare, want bool) any {
	as := &schema.Field{Scalar: schema.String}
	l := s.value(c.Left, as)
	if c.Right.Kind == query.Column {
		r := s.value(c.Right, as)
		return isOf(l, "string", isOf(r, "string", sure(besides(c.Op, l, r), want)))
	}
	return slot{show: c.String() + unless(want), fill: func(b *query.Binding) (any, error) {
		v, err := operand(c.Right, b)
		if err != nil || v.IsNull() {
			return false, err
		}
		inside, err := filled(l, b)
		pattern, ok := patternOf(c.Op, v.Text())
		if !ok {
			return isOf(inside, "string", !want), err
		}
		return isOf(inside, "string", sure(matches(inside, literal(pattern)), want)), err
	}}
}

func matches(text, pattern any) bson.D {
	return is("$regexMatch", bson.D{{Key: "input", Value: text}, {Key: "regex", Value: pattern}})
}

// besides is a text operator of two expressions that are texts.
func besides(o query.Op, l, r any) any {
	size := func(e any) any { return is("$strLenBytes", e) }
	switch o {
	case query.StartsWith:
		return op("$eq", op("$indexOfBytes", l, r), 0)
	case query.Contains:
		return op("$gte", op("$indexOfBytes", l, r), 0)
	case query.EndsWith:
		at := op("$subtract", size(l), size(r))
		return when(op("$gte", at, 0), op("$eq", op("$indexOfBytes", l, r, at), at), false)
	case query.IContains:
		return is("$regexMatch", bson.D{{Key: "input", Value: l}, {Key: "regex", Value: quote(r)}, {Key: "options", Value: "i"}})
	case query.Like, query.ILike:
		options := ""
		if o == query.ILike {
			options = "i"
		}
		pattern := op("$concat", "^", likeExpression(r), `\z`)
		return is("$regexMatch", bson.D{{Key: "input", Value: l}, {Key: "regex", Value: pattern}, {Key: "options", Value: options}})
	}
	return matches(l, r)
}

// quote is a text as a pattern that means it.
func quote(e any) any {
	return op("$concat", `\Q`, is("$replaceAll", bson.D{
		{Key: "input", Value: e}, {Key: "find", Value: `\E`}, {Key: "replacement", Value: `\E\\E\Q`},
	}), `\E`)
}

// likeExpression makes a pattern of a text that holds one of LIKE, character by character.
func likeExpression(r any) any {
	const c = "$$this"
	out := func(more any, escaped bool) bson.D {
		return bson.D{{Key: "out", Value: op("$concat", "$$value.out", more)}, {Key: "escaped", Value: escaped}}
	}
	branch := func(c, then any) bson.D { return bson.D{{Key: "case", Value: c}, {Key: "then", Value: then}} }
	characters := is("$map", bson.D{
		{Key: "input", Value: op("$range", 0, is("$strLenCP", r))},
		{Key: "in", Value: op("$substrCP", r, "$$this", 1)},
	})
	read := is("$reduce", bson.D{
		{Key: "input", Value: characters},
		{Key: "initialValue", Value: bson.D{{Key: "out", Value: ""}, {Key: "escaped", Value: false}}},
		{Key: "in", Value: is("$switch", bson.D{
			{Key: "branches", Value: bson.A{
				branch("$$value.escaped", out(quote(c), false)),
				branch(op("$eq", c, `\`), out("", true)),
				branch(op("$eq", c, "%"), out(anything+"*", false)),
				branch(op("$eq", c, "_"), out(anything, false)),
			}},
			{Key: "default", Value: out(quote(c), false)},
		})},
	})
	return is("$let", bson.D{
		{Key: "vars", Value: is("read", read)},
		{Key: "in", Value: op("$concat", "$$read.out", when("$$read.escaped", `\\`, ""))},
	})
}

// word is what words are made of, as query.Words has it.
const word = `\p{L}\p{N}\p{M}\p{Co}`

func (s *scope) search(w query.Search, want bool) any {
	var texts []any
	for _, f := range query.SearchFields(w.Type) {
		texts = append(texts, "$"+s.name(f))
	}
	return slot{show: w.String() + unless(want), fill: func(b *query.Binding) (any, error) {
		v, err := operand(w.Words, b)
		if err != nil || v.IsNull() {
			return false, err
		}
		words := query.Words(v.Text())
		if len(words) == 0 {
			return !want, nil
		}
		every := make([]any, len(words))
		for i, each := range words {
			pattern := `(?:\A|[^` + word + `])` + quoted(each, true)
			if i < len(words)-1 {
				pattern += `(?:\z|[^` + word + `])`
			}
			some := make([]any, len(texts))
			for j, text := range texts {
				some[j] = isOf(text, "string", matches(text, literal(pattern)))
			}
			every[i] = op("$or", some...)
		}
		return sure(op("$and", every...), want), nil
	}}
}

package query

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// MatchLike is whether text matches a LIKE pattern: % is any text, _ any one character, and a
// backslash takes away the meaning of what follows. fold ignores case. It allocates nothing.
func MatchLike(text, pattern string, fold bool) bool {
	t, p := 0, 0
	backT, backP := 0, -1 // where to go on after the last %
	for {
		if p == len(pattern) {
			if t == len(text) {
				return true
			}
		} else {
			want, size, wild := likeToken(pattern[p:])
			if wild && want == '%' {
				p += size
				backT, backP = t, p
				continue
			}
			if t < len(text) {
				got, n := char(text[t:])
				if wild || got == want || fold && foldRune(got) == foldRune(want) {
					t, p = t+n, p+size
					continue
				}
			}
		}
		if backP < 0 || backT >= len(text) {
			return false
		}
		_, n := char(text[backT:])
		backT += n
		t, p = backT, backP
	}
}

// likeToken is the next character of a pattern and whether it stands for others. A backslash
// at the end stands for itself.
func likeToken(pattern string) (r rune, size int, wild bool) {
	r, size = char(pattern)
	switch r {
	case '%', '_':
		return r, size, true
	case '\\':
		if size < len(pattern) {
			next, n := char(pattern[size:])
			return next, size + n, false
		}
	}
	return r, size, false
}

// AppendLikePrefix appends the text that whatever matches the pattern begins with.
func AppendLikePrefix(dst []byte, pattern string) []byte {
	for pattern != "" {
		_, size, wild := likeToken(pattern)
		if wild {
			break
		}
		token := pattern[:size]
		if token[0] == '\\' && size > 1 {
			token = token[1:]
		}
		dst, pattern = append(dst, token...), pattern[size:]
	}
	return dst
}

// ContainsFold is whether part is somewhere in text, whatever the case.
func ContainsFold(text, part string) bool {
	for {
		if hasPrefixFold(text, part) {
			return true
		}
		if text == "" {
			return false
		}
		_, n := char(text)
		text = text[n:]
	}
}

func hasPrefixFold(text, prefix string) bool {
	for prefix != "" {
		if text == "" {
			return false
		}
		got, n := char(text)
		want, m := char(prefix)
		if got != want && foldRune(got) != foldRune(want) {
			return false
		}
		text, prefix = text[n:], prefix[m:]
	}
	return true
}

// char is the first character of a text that is not empty. A byte that is not UTF-8 is a
// character of its own, equal to no other.
func char(s string) (rune, int) {
	if c := s[0]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		return unicode.MaxRune + 1 + rune(s[0]), 1
	}
	return r, n
}

// foldRune is the least of the characters that differ from r by case only, by Unicode's
// simple folding.
func foldRune(r rune) rune {
	switch {
	case 'a' <= r && r <= 'z':
		return r - 'a' + 'A'
	case r < utf8.RuneSelf || r > unicode.MaxRune:
		return r
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

// CompareDecimal compares two decimals by value, given as text in any notation. What is no
// number is greater than all numbers, and compares by its bytes.
func CompareDecimal(a, b string) int {
	x, xok := splitDecimal(a)
	y, yok := splitDecimal(b)
	switch {
	case !xok && !yok:
		return strings.Compare(a, b)
	case !xok:
		return 1
	case !yok:
		return -1
	}
	return x.compare(y)
}

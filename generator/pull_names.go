package generator

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"spacecloud/schema"
)

// ascii is a name in the letters that GraphQL takes: é is e, and what has no such letter is
// told by its number, so that two names stay two.
func ascii(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the accent of the letter before
		case r == 'ß':
			b.WriteString("ss")
		case r > unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			fmt.Fprintf(&b, "_u%04x_", r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// fieldName is what the field of a column is called.
func fieldName(column string) string {
	name := schema.CamelOf(ascii(column))
	switch {
	case name == "":
		return "field"
	case name[0] >= '0' && name[0] <= '9':
		return "field" + name
	case name == "true" || name == "false" || name == "null":
		return name + "Value"
	}
	return name
}

// typeName is what the type of a table is called: its last word in the singular.
func typeName(table string) string {
	camel := schema.CamelOf(ascii(table))
	if camel == "" {
		return "Table"
	}
	start := max(0, strings.LastIndexFunc(camel, unicode.IsUpper))
	if one, ok := schema.Singular(strings.ToLower(camel[start:])); ok {
		last := camel[start : start+1]
		camel = camel[:start] + last + one[1:]
	}
	if camel[0] >= '0' && camel[0] <= '9' {
		camel = "Table" + camel
	}
	return capital(camel)
}

// enumName is what a native enum is called.
func enumName(native string) string {
	name := capital(schema.CamelOf(ascii(native)))
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		return "Enum" + name
	}
	return name
}

// linkName is what the key column of a link is called after: author_id is author. Without
// such an ending it is "".
func linkName(field string) string {
	for _, ending := range []string{"Id", "ID", "Key", "Fk", "Uuid", "Ref", "Code"} {
		if stem, ok := strings.CutSuffix(field, ending); ok && stem != "" {
			return stem
		}
	}
	return ""
}

// names are those that are taken, however they are written.
type names map[string]bool

// free takes the first name that is not taken, or the last with a number.
func (n names) free(candidates ...string) string {
	for _, c := range candidates {
		if c != "" && !n[strings.ToLower(c)] {
			n[strings.ToLower(c)] = true
			return c
		}
	}
	last := candidates[len(candidates)-1]
	for i := 2; ; i++ {
		if c := fmt.Sprintf("%s%d", last, i); !n[strings.ToLower(c)] {
			n[strings.ToLower(c)] = true
			return c
		}
	}
}

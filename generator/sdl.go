package generator

import (
	"slices"
	"strings"
)

// How definitions are spelled in SDL.

// definition is one type of the API.
type definition struct {
	keyword     string // type, input, enum or scalar
	name        string
	description string
	directives  string
	members     []member
}

// member is a field, an argument or a value of an enum.
type member struct {
	name        string
	description string
	args        []member
	typ         string // "" for a value of an enum
	preset      string // default value, "" for none
}

// nonNullType is a type that is never null.
func nonNullType(typ string) string { return typ + "!" }

// listOf is a list without nulls.
func listOf(typ string) string { return "[" + typ + "!]" }

// marked is a type with the mark of non-null, or without it.
func marked(typ string, nonNull bool) string {
	if nonNull {
		return nonNullType(typ)
	}
	return typ
}

const indent = "  "

// spell writes the definition and an empty line after it.
func (d definition) spell(b *strings.Builder) {
	spellDescription(b, "", d.description)
	b.WriteString(d.keyword + " " + d.name + d.directives)
	if len(d.members) > 0 {
		b.WriteString(" {\n")
		for _, m := range d.members {
			m.spell(b, indent)
		}
		b.WriteString("}")
	}
	b.WriteString("\n\n")
}

func (m member) spell(b *strings.Builder, margin string) {
	spellDescription(b, margin, m.description)
	b.WriteString(margin)
	m.spellBare(b, margin)
	b.WriteString("\n")
}

// spellBare writes all but the description.
func (m member) spellBare(b *strings.Builder, margin string) {
	b.WriteString(m.name)
	spellArgs(b, margin, m.args)
	if m.typ != "" {
		b.WriteString(": " + m.typ)
	}
	if m.preset != "" {
		b.WriteString(" = " + m.preset)
	}
}

// spellArgs writes arguments on one line if no description needs another.
func spellArgs(b *strings.Builder, margin string, args []member) {
	switch {
	case len(args) == 0:
		return
	case slices.ContainsFunc(args, func(a member) bool { return a.description != "" }):
		b.WriteString("(\n")
		for _, a := range args {
			a.spell(b, margin+indent)
		}
		b.WriteString(margin + ")")
		return
	}
	b.WriteString("(")
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.spellBare(b, margin)
	}
	b.WriteString(")")
}

// spellDescription writes a block string, on one line where that cannot be misread.
func spellDescription(b *strings.Builder, margin, text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	text = strings.ReplaceAll(text, `"""`, `\"""`)
	if !strings.ContainsAny(text, "\r\n") && !strings.HasSuffix(text, `"`) && !strings.HasSuffix(text, `\`) {
		b.WriteString(margin + `"""` + text + `"""` + "\n")
		return
	}
	b.WriteString(margin + `"""` + "\n")
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(margin+line, " \t\r\n") + "\n")
	}
	b.WriteString(margin + `"""` + "\n")
}

// keywords is the order in which shared definitions stand.
var keywords = []string{"type", "enum", "input", "scalar"}

// byKeyword orders shared definitions so that an edit of the schema moves none of them.
func byKeyword(a, b definition) int {
	if c := slices.Index(keywords, a.keyword) - slices.Index(keywords, b.keyword); c != 0 {
		return c
	}
	return strings.Compare(a.name, b.name)
}

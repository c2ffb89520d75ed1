package drivertest

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// RandomSDL is a small random schema: keys of every kind, all that a column can hold, links of every
// sort, and rules for those who ask through an API. Chance knows little of what fits together, so not
// all of them are valid.
func RandomSDL(r *rand.Rand) string {
	names := []string{"Alpha", "Beta", "Gamma", "Delta"}[:2+r.IntN(3)]
	d := &draft{Rand: r, names: names, fields: make([]strings.Builder, len(names))}
	for i := range names {
		d.key(i)
		d.columns(i)
	}
	for i := range names {
		d.link(i)
	}
	joins := d.lists()
	var b strings.Builder
	b.WriteString("enum Kind { ONE TWO three }\n")
	b.WriteString("type Part { a: Int!  b: String  c: Kind  d: [Date!]  e: Decimal  at: DateTime  inner: Inner }\n")
	b.WriteString("type Inner { x: Float  y: BigInt }\n")
	for i, name := range names {
		fmt.Fprintf(&b, "type %s @auth(read: \"true\"%s%s%s) {\n%s}\n", name, d.rule("create"), d.rule("update"), d.rule("delete"), d.fields[i].String())
	}
	return b.String() + joins
}

// draft is a schema in the making.
type draft struct {
	*rand.Rand
	names  []string
	fields []strings.Builder // of the type of each name
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// say adds a field to a type.
func (d *draft) say(i int, format string, args ...any) {
	fmt.Fprintf(&d.fields[i], "  "+format+"\n", args...)
}

// askers are rules of a read; the last is none, which is for other verbs only.
var askers = []string{"true", "true", "auth.id != ''", "auth.role == 'admin'", "doc.own == auth.id", "doc.own == auth.id || auth.role == 'admin'", ""}

func (d *draft) rule(verb string) string {
	if text := one(d.Rand, askers...); text != "" {
		return fmt.Sprintf(" %s: %q", verb, text)
	}
	return ""
}

func (d *draft) key(i int) {
	switch d.IntN(6) {
	case 0:
		d.say(i, "id: ID! @primary @autoIncrement")
	case 1:
		d.say(i, "x: Int! @primary")
		d.say(i, "y: String! @primary")
	case 2:
		d.say(i, "day: Date! @primary")
		d.say(i, "kind: Kind! @primary")
		d.say(i, "z: BigInt! @primary")
	case 3:
		d.say(i, "key: %s! @primary", one(d.Rand, "UUID", "Date", "BigInt", "String", "Kind"))
	default:
		d.say(i, "id: ID! @primary")
	}
}

func (d *draft) columns(i int) {
	d.say(i, `own: ID @default(expr: "auth.id")`)
	for n := range 1 + d.IntN(6) {
		of := one(d.Rand, "String", "Int", "BigInt", "Float", "Decimal", "Boolean", "DateTime", "Date", "Time", "UUID", "JSON", "Bytes", "ID", "Kind", "Part")
		typ, extra := of+one(d.Rand, "", "", "!"), ""
		switch {
		case d.IntN(4) == 0:
			typ = "[" + of + "!]"
		case of == "Part" || of == "JSON":
		case d.IntN(5) == 0 && of != "Boolean" && of != "Kind":
			extra = " @unique"
		case d.IntN(4) == 0:
			extra = " @index"
		case of == "String" && d.IntN(2) == 0:
			extra = " @search"
		case d.IntN(6) == 0:
			extra = fmt.Sprintf(" @auth(read: %q)", one(d.Rand, askers[:len(askers)-1]...))
		}
		d.say(i, "f%d: %s%s", n, typ, extra)
	}
}

// link lets a type hold the key of another, or of its own, and that one often show the rows that do.
func (d *draft) link(i int) {
	to := d.IntN(i + 1)
	switch d.IntN(5) {
	case 0:
		d.say(i, "up%d: %s @link", i, d.names[to])
	case 1:
		d.say(i, "up%d: %s @link(onDelete: %s)", i, d.names[to], one(d.Rand, "CASCADE", "SET_NULL"))
	case 2:
		d.say(i, "up%d: %s @link @unique", i, d.names[to])
	case 3:
		to = (i + 1) % len(d.names)
		d.say(i, "peer%d: %s! @link", i, d.names[to])
	default:
		return
	}
	if to != i && d.IntN(3) > 0 {
		d.say(to, "down%d: [%s!]! @link", i, d.names[i])
	}
}

// lists lets types be linked by a join table that nobody declared, or by a type, which it returns.
func (d *draft) lists() string {
	i, to := d.IntN(len(d.names)), d.IntN(len(d.names))
	switch d.IntN(4) {
	case 0:
		if to != i {
			d.say(i, "many: [%s!]! @link", d.names[to])
			d.say(to, "manyBack: [%s!]! @link", d.names[i])
		}
	case 1:
		d.say(i, `joined: [%s!]! @link(through: "Pair", from: "one", to: "other")`, d.names[to])
		return fmt.Sprintf("type Pair @auth(read: \"true\"%s) {\n  id: ID! @primary\n  own: ID @default(expr: \"auth.id\")\n  one: %s! @link\n  other: %s! @link\n  n: Int\n}\n", d.rule("create"), d.names[i], d.names[to])
	}
	return ""
}

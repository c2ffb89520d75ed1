package postgres

import (
	"slices"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// appendDocument appends what jsonb tells as package schema writes it: without spaces, the
// members by their names, or of an embedded value in the order of its fields. PostgreSQL has them
// by the length of their names.
func appendDocument(dst []byte, text string, f *schema.Field) []byte {
	d := document{dst: dst, rest: text}
	d.value(f)
	return d.dst
}

// document is a document on its way; what the server tells is well-formed.
type document struct {
	dst  []byte
	rest string
}

// next skips spaces, and is what begins there, 0 at the end.
func (d *document) next() byte {
	for d.rest != "" && (d.rest[0] == ' ' || d.rest[0] == '\n' || d.rest[0] == '\t' || d.rest[0] == '\r') {
		d.rest = d.rest[1:]
	}
	if d.rest == "" {
		return 0
	}
	return d.rest[0]
}

// value writes the next value; f is what it is of, nil for any JSON.
func (d *document) value(f *schema.Field) {
	switch d.next() {
	case 0:
	case '{':
		if f != nil && f.Value != nil {
			d.object(f.Value)
		} else {
			d.object(nil)
		}
	case '[':
		d.list(f)
	case '"':
		d.text()
	default:
		end := strings.IndexAny(d.rest, ",]} \n\t\r")
		if end < 0 {
			end = len(d.rest)
		}
		word := d.rest[:end]
		d.rest = d.rest[end:]
		if f != nil && f.Scalar == schema.Float && word != "null" {
			n, _ := strconv.ParseFloat(word, 64)
			d.dst = schema.AppendFloat(d.dst, n)
			return
		}
		d.dst = append(d.dst, word...)
	}
}

func (d *document) list(f *schema.Field) {
	d.rest = d.rest[1:]
	d.dst = append(d.dst, '[')
	for first := true; d.next() != ']' && d.rest != ""; first = false {
		if !first {
			d.rest = d.rest[1:] // the comma
			d.dst = append(d.dst, ',')
		}
		d.value(f)
	}
	d.close()
	d.dst = append(d.dst, ']')
}

func (d *document) close() {
	if d.rest != "" {
		d.rest = d.rest[1:]
	}
}

// member is where one is written.
type member struct {
	name     string
	place    int // among the fields of an embedded value
	from, to int
}

func (d *document) object(t *schema.Type) {
	var room [16]member
	members := room[:0]
	d.rest = d.rest[1:]
	d.dst = append(d.dst, '{')
	start := len(d.dst)
	for first := true; d.next() != '}' && d.rest != ""; first = false {
		if !first {
			d.rest = d.rest[1:] // the comma
			d.next()
		}
		m := member{from: len(d.dst)}
		d.text()
		m.name = string(d.dst[m.from+1 : len(d.dst)-1])
		d.next()
		d.close() // the colon
		d.dst = append(d.dst, ':')
		d.value(fieldOf(t, &m))
		m.to = len(d.dst)
		members = append(members, m)
	}
	d.close()
	if !slices.IsSortedFunc(members, compareMembers) {
		d.sort(start, members)
	} else {
		d.commas(members)
	}
	d.dst = append(d.dst, '}')
}

// fieldOf is the field of an embedded value that a member holds, and says its place.
func fieldOf(t *schema.Type, m *member) *schema.Field {
	if t == nil {
		return nil
	}
	m.place = len(t.Fields)
	for i, f := range t.Fields {
		if f.Name == m.name {
			m.place = i
			if f.Scalar == schema.JSON {
				return nil
			}
			return f
		}
	}
	return nil
}

func compareMembers(a, b member) int {
	if a.place != b.place {
		return a.place - b.place
	}
	return strings.Compare(unescaped(a.name), unescaped(b.name))
}

// unescaped is a name as it is, and not as JSON writes it.
func unescaped(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	text, err := strconv.Unquote(`"` + name + `"`)
	if err != nil {
		return name
	}
	return text
}

// sort writes the members again, which stand from start on.
func (d *document) sort(start int, members []member) {
	written := string(d.dst[start:])
	slices.SortFunc(members, compareMembers)
	d.dst = d.dst[:start]
	for i, m := range members {
		if i > 0 {
			d.dst = append(d.dst, ',')
		}
		d.dst = append(d.dst, written[m.from-start:m.to-start]...)
	}
}

// commas puts commas between members that stand right.
func (d *document) commas(members []member) {
	if len(members) < 2 {
		return
	}
	d.dst = append(d.dst, make([]byte, len(members)-1)...)
	for i := len(members) - 1; i > 0; i-- {
		m := members[i]
		copy(d.dst[m.from+i:], d.dst[m.from:m.to])
		d.dst[m.from+i-1] = ','
	}
}

// text copies a string. PostgreSQL has short escapes that package schema has not.
func (d *document) text() {
	d.dst = append(d.dst, '"')
	i := 1
	for from := 1; ; i++ {
		switch d.rest[i] {
		case '"':
			d.dst = append(append(d.dst, d.rest[from:i]...), '"')
			d.rest = d.rest[i+1:]
			return
		case '\\':
			if next := d.rest[i+1]; next == 'b' || next == 'f' {
				d.dst = append(append(d.dst, d.rest[from:i]...), map[byte]string{'b': `\u0008`, 'f': `\u000c`}[next]...)
				from = i + 2
			}
			i++
		}
	}
}

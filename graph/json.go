package graph

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"spacecloud/fault"
)

// nesting is how deep JSON may nest: far beyond any filter, and no strain for the stack.
const nesting = 200

// decoder reads the JSON of a request. Unlike encoding/json it keeps the digits of numbers
// without being asked, knows each member by its exact name, and refuses what two readers could
// understand differently: a member given twice, text that is not UTF-8, half a surrogate pair.
type decoder struct {
	in      []byte
	at      int
	depth   int
	scratch []byte // of a string with escapes
}

// failf is a failure at the byte that was read last.
func (d *decoder) failf(format string, args ...any) error {
	head := d.in[:min(d.at, len(d.in))]
	line := bytes.Count(head, []byte{'\n'}) + 1
	column := utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:]) + 1
	return fault.New(fault.Invalid, "malformed JSON at line %d, column %d: "+format,
		append([]any{line, column}, args...)...)
}

// unexpected says what stands where something else is wanted.
func (d *decoder) unexpected(want string) error {
	if d.at >= len(d.in) {
		return d.failf("it ends where %s should be", want)
	}
	r, _ := utf8.DecodeRune(d.in[d.at:])
	return d.failf("%q where %s should be", r, want)
}

func (d *decoder) space() {
	for d.at < len(d.in) {
		switch d.in[d.at] {
		case ' ', '\t', '\n', '\r':
			d.at++
		default:
			return
		}
	}
}

// take steps over c, and any space before it.
func (d *decoder) take(c byte) bool {
	d.space()
	if d.at < len(d.in) && d.in[d.at] == c {
		d.at++
		return true
	}
	return false
}

// end is an error unless everything was read.
func (d *decoder) end() error {
	d.space()
	if d.at < len(d.in) {
		return d.unexpected("the end")
	}
	return nil
}

// value reads any value: nil, bool, json.Number, string, []any or map[string]any.
func (d *decoder) value() (any, error) {
	d.space()
	if d.at >= len(d.in) {
		return nil, d.unexpected("a value")
	}
	switch c := d.in[d.at]; {
	case c == '{':
		return d.object()
	case c == '[':
		return d.array()
	case c == '"':
		return d.text()
	case c == '-' || '0' <= c && c <= '9':
		return d.number()
	}
	return d.word()
}

// members reads an object and hands over the name of each member, whose value each has to read.
func (d *decoder) members(each func(name string) error) error {
	if !d.take('{') {
		return d.unexpected("an object")
	}
	if d.take('}') {
		return nil
	}
	if d.depth++; d.depth > nesting {
		return d.failf("it nests deeper than %d levels", nesting)
	}
	for {
		d.space()
		name, err := d.text()
		if err != nil {
			return err
		}
		if !d.take(':') {
			return d.unexpected("a colon")
		}
		if err := each(name); err != nil {
			return err
		}
		if d.take('}') {
			d.depth--
			return nil
		}
		if !d.take(',') {
			return d.unexpected("a comma or the end of the object")
		}
	}
}

func (d *decoder) object() (map[string]any, error) {
	object := map[string]any{}
	err := d.members(func(name string) error {
		if _, twice := object[name]; twice {
			return d.failf("the member %q is given twice", name)
		}
		v, err := d.value()
		object[name] = v
		return err
	})
	return object, err
}

func (d *decoder) array() ([]any, error) {
	d.at++
	list := []any{}
	if d.take(']') {
		return list, nil
	}
	if d.depth++; d.depth > nesting {
		return nil, d.failf("it nests deeper than %d levels", nesting)
	}
	for {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if d.take(']') {
			d.depth--
			return list, nil
		}
		if !d.take(',') {
			return nil, d.unexpected("a comma or the end of the list")
		}
	}
}

func (d *decoder) word() (any, error) {
	rest := d.in[d.at:]
	switch {
	case bytes.HasPrefix(rest, []byte("null")):
		d.at += len("null")
		return nil, nil
	case bytes.HasPrefix(rest, []byte("true")):
		d.at += len("true")
		return true, nil
	case bytes.HasPrefix(rest, []byte("false")):
		d.at += len("false")
		return false, nil
	}
	return nil, d.unexpected("a value")
}

// number reads -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?.
func (d *decoder) number() (json.Number, error) {
	start := d.at
	if d.in[d.at] == '-' {
		d.at++
	}
	if d.at < len(d.in) && d.in[d.at] == '0' {
		d.at++
	} else if !d.digits() {
		return "", d.unexpected("a digit")
	}
	if d.at < len(d.in) && d.in[d.at] == '.' {
		d.at++
		if !d.digits() {
			return "", d.unexpected("a digit")
		}
	}
	if d.at < len(d.in) && (d.in[d.at] == 'e' || d.in[d.at] == 'E') {
		d.at++
		if d.at < len(d.in) && (d.in[d.at] == '+' || d.in[d.at] == '-') {
			d.at++
		}
		if !d.digits() {
			return "", d.unexpected("a digit")
		}
	}
	return json.Number(d.in[start:d.at]), nil
}

// digits steps over digits and says whether there were any.
func (d *decoder) digits() bool {
	start := d.at
	for d.at < len(d.in) && '0' <= d.in[d.at] && d.in[d.at] <= '9' {
		d.at++
	}
	return d.at > start
}

// text reads a string.
func (d *decoder) text() (string, error) {
	if d.at >= len(d.in) || d.in[d.at] != '"' {
		return "", d.unexpected("a string")
	}
	d.at++
	start := d.at
	if err := d.run(); err != nil {
		return "", err
	}
	if d.in[d.at] == '"' {
		d.at++
		return string(d.in[start : d.at-1]), nil
	}
	return d.escaped(start)
}

// escaped reads on in a string that has escapes and began at start.
func (d *decoder) escaped(start int) (string, error) {
	d.scratch = append(d.scratch[:0], d.in[start:d.at]...)
	for d.in[d.at] != '"' {
		if err := d.escape(); err != nil {
			return "", err
		}
		from := d.at
		if err := d.run(); err != nil {
			return "", err
		}
		d.scratch = append(d.scratch, d.in[from:d.at]...)
	}
	d.at++
	return string(d.scratch), nil
}

// run steps over what stands for itself, up to a quote or a backslash.
func (d *decoder) run() error {
	for d.at < len(d.in) {
		c := d.in[d.at]
		switch {
		case c == '"' || c == '\\':
			return nil
		case c < ' ':
			return d.failf("the control character %q in a string; write it as an escape", rune(c))
		case c < utf8.RuneSelf:
			d.at++
		default:
			r, size := utf8.DecodeRune(d.in[d.at:])
			if r == utf8.RuneError && size == 1 {
				return d.failf("the byte 0x%02x is not UTF-8", c)
			}
			d.at += size
		}
	}
	return d.unexpected("the end of a string")
}

var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads one escape into scratch.
func (d *decoder) escape() error {
	if d.at+1 >= len(d.in) {
		d.at = len(d.in)
		return d.unexpected("the end of a string")
	}
	c := d.in[d.at+1]
	if plain := escapes[c]; plain != 0 {
		d.at += 2
		d.scratch = append(d.scratch, plain)
		return nil
	}
	if c != 'u' {
		return d.failf(`\%c is no escape`, c)
	}
	r, ok := d.unit()
	if !ok {
		return d.failf(`\u takes four hexadecimal digits`)
	}
	if utf16.IsSurrogate(r) {
		low, _ := d.unit()
		if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
			return d.failf("half of a surrogate pair is no character")
		}
	}
	d.scratch = utf8.AppendRune(d.scratch, r)
	return nil
}

// unit reads \uXXXX.
func (d *decoder) unit() (rune, bool) {
	const length = len(`\u0000`)
	if len(d.in)-d.at < length || d.in[d.at] != '\\' || d.in[d.at+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(d.in[d.at+2:d.at+length]), 16, 16)
	if err != nil {
		return 0, false
	}
	d.at += length
	return rune(v), true
}

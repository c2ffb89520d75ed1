package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// args are the values of one run. They are collected in one piece of memory: lists, and single values
// of types that cost PostgreSQL more to read as texts, in the binary format, and all others as texts,
// which it reads as whatever type they have there.
type args struct {
	types   []uint32 // of the statement's parameters
	bytes   []byte
	ends    []int // in bytes; of a null the end before, negated and less one
	formats []int16
	values  [][]byte
}

const (
	textFormat   = 0
	binaryFormat = 1
)

// reset begins the values of a statement.
func (a *args) reset(of *prepared) {
	a.types = of.description.ParamOIDs
	if a.bytes == nil {
		a.bytes = make([]byte, 0, 256) // an empty value is not null
	}
	a.bytes, a.ends, a.formats = a.bytes[:0], a.ends[:0], a.formats[:0]
}

// done is the value that was appended to bytes.
func (a *args) done(format int16) {
	a.ends, a.formats = append(a.ends, len(a.bytes)), append(a.formats, format)
}

func (a *args) null() {
	a.ends, a.formats = append(a.ends, -len(a.bytes)-1), append(a.formats, textFormat)
}

func (a *args) text(s string) {
	a.bytes = append(a.bytes, s...)
	a.done(textFormat)
}

// all are the values, until the next reset.
func (a *args) all() [][]byte {
	a.values = a.values[:0]
	from := 0
	for _, end := range a.ends {
		if end < 0 {
			a.values = append(a.values, nil)
			continue
		}
		a.values = append(a.values, a.bytes[from:end:end])
		from = end
	}
	return a.values
}

// params takes the values of a statement's placeholders from a binding.
func (a *args) params(of *prepared, ps []sqlgen.Param, b *query.Binding) error {
	a.reset(of)
	for i := range ps {
		if err := a.param(&ps[i], b); err != nil {
			return err
		}
	}
	return nil
}

func (a *args) param(p *sqlgen.Param, b *query.Binding) error {
	switch p.Bind {
	case sqlgen.Keys:
		return a.keys(p, b.Keys)
	case sqlgen.Among:
		v, err := operand(p.From, b)
		if err != nil {
			return err
		}
		return a.keys(p, query.Whole(v.List(), len(p.Columns)))
	case sqlgen.Key:
		if p.Key >= len(b.Keys) {
			return fault.New(fault.Internal, "a key has %d values, and value %d is needed", len(b.Keys), p.Key)
		}
		a.value(b.Keys[p.Key])
		return nil
	}
	v, err := operand(p.From, b)
	if err != nil {
		return err
	}
	switch {
	case p.Bind == sqlgen.List && v.IsNull():
		a.list([]schema.Value{schema.Null}, 1, boundScalar(*p))
	case p.Bind == sqlgen.List:
		a.list(v.List(), 1, boundScalar(*p))
	case v.IsNull():
		a.null()
	case p.Bind == sqlgen.Value || p.Bind == sqlgen.Limit || p.Bind == sqlgen.Offset:
		a.value(v)
	default:
		return a.own(p.Bind, v)
	}
	return nil
}

// operand is what an operand is in a binding.
func operand(o query.Operand, b *query.Binding) (schema.Value, error) {
	from := b.Args
	switch o.Kind {
	case query.Constant:
		return o.Value, nil
	case query.Claim:
		from = b.Claims
	}
	if o.Index < 0 || o.Index >= len(from) {
		return schema.Null, fault.New(fault.Internal, "a binding has no value for %s", o)
	}
	return from[o.Index], nil
}

// value adds a value.
func (a *args) value(v schema.Value) {
	if v.IsNull() {
		a.null()
		return
	}
	if binary, ok := appendBinary(a.bytes, v, a.types[len(a.ends)]); ok {
		a.bytes = binary
		a.done(binaryFormat)
		return
	}
	a.bytes = appendText(a.bytes, v)
	a.done(textFormat)
}

// appendBinary appends a value as the server holds one of a type; false where it is better read as a
// text, or may be none of that type, which the server then says.
func appendBinary(dst []byte, v schema.Value, oid uint32) ([]byte, bool) {
	switch v.Kind() {
	case schema.BytesValue:
		return append(dst, v.Text()...), true
	case schema.IntValue:
		switch i := v.Int(); {
		case oid == oidInt8:
			return binary.BigEndian.AppendUint64(dst, uint64(i)), true
		case oid == oidInt4 && int64(int32(i)) == i:
			return binary.BigEndian.AppendUint32(dst, uint32(i)), true
		}
	case schema.TextValue:
		if oid == oidTimestamptz {
			return appendMoment(dst, v.Text())
		}
	}
	return dst, false
}

// appendText appends a value that is not null in PostgreSQL's own notation.
func appendText(dst []byte, v schema.Value) []byte {
	switch v.Kind() {
	case schema.BoolValue:
		return strconv.AppendBool(dst, v.Bool())
	case schema.IntValue:
		return strconv.AppendInt(dst, v.Int(), 10)
	case schema.FloatValue:
		return strconv.AppendFloat(dst, v.Float(), 'g', -1, 64)
	case schema.BytesValue:
		return hex.AppendEncode(append(dst, `\x`...), []byte(v.Text()))
	case schema.ListValue:
		return appendArray(dst, v.List())
	}
	return append(dst, v.Text()...)
}

// appendArray appends a list in the notation that all types of arrays read.
func appendArray(dst []byte, vs []schema.Value) []byte {
	dst = append(dst, '{')
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		if v.IsNull() {
			dst = append(dst, "NULL"...)
			continue
		}
		dst = append(dst, '"')
		from := len(dst)
		dst = appendText(dst, v)
		if bytes.ContainsAny(dst[from:], `"\`) {
			text := string(dst[from:])
			dst = dst[:from]
			for j := range len(text) {
				if text[j] == '"' || text[j] == '\\' {
					dst = append(dst, '\\')
				}
				dst = append(dst, text[j])
			}
		}
		dst = append(dst, '"')
	}
	return append(dst, '}')
}

const (
	oidInt8        = 20
	oidText        = 25
	oidInt4        = 23
	oidTimestamptz = 1184
)

// keys adds one column of all keys.
func (a *args) keys(p *sqlgen.Param, keys []schema.Value) error {
	width := len(p.Columns)
	if width == 0 || len(keys)%width != 0 {
		return fault.New(fault.Internal, "%d values are no whole number of keys of %d columns", len(keys), width)
	}
	if len(keys) == 0 {
		a.list(nil, 1, p.Scalar)
		return nil
	}
	a.list(keys[p.Key:], width, p.Scalar)
	return nil
}

// list adds every nth value as an array in the binary format: of bigint, or of texts that are
// cast to what they say.
func (a *args) list(vs []schema.Value, n int, s schema.Scalar) {
	element := uint32(oidText)
	if isInteger(s) {
		element = oidInt8
	}
	count, nulls := 0, uint32(0)
	for i := 0; i < len(vs); i += n {
		count++
		if vs[i].IsNull() {
			nulls = 1
		}
	}
	a.header(count, nulls, element)
	for i := 0; i < len(vs); i += n {
		a.element(vs[i], element)
	}
	a.done(binaryFormat)
}

func (a *args) header(count int, nulls, element uint32) {
	dimensions := uint32(1)
	if count == 0 {
		dimensions = 0
	}
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, dimensions)
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, nulls)
	a.bytes = binary.BigEndian.AppendUint32(a.bytes, element)
	if count > 0 {
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, uint32(count))
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, 1)
	}
}

func (a *args) element(v schema.Value, element uint32) {
	switch {
	case v.IsNull():
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, 0xffffffff)
	case element == oidInt8 && v.Kind() == schema.IntValue:
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, 8)
		a.bytes = binary.BigEndian.AppendUint64(a.bytes, uint64(v.Int()))
	default:
		at := len(a.bytes)
		a.bytes = appendText(append(a.bytes, 0, 0, 0, 0), v)
		binary.BigEndian.PutUint32(a.bytes[at:], uint32(len(a.bytes)-at-4))
	}
}

// own adds what is made of a value.
func (a *args) own(b sqlgen.Bind, v schema.Value) error {
	switch b {
	case oddSteps:
		a.oddSteps(v.List())
	case jsonRight:
		a.document(v.Text())
	case sqlgen.Prefix:
		a.bytes = query.AppendLikePrefix(a.bytes, v.Text())
		a.done(textFormat)
	case sqlgen.PrefixEnd:
		a.end(query.AppendLikePrefix(nil, v.Text()))
	case sqlgen.TextEnd:
		a.end([]byte(v.Text()))
	case likePattern:
		a.bytes = append(a.bytes, v.Text()...)
		if backslashes := len(v.Text()) - len(strings.TrimRight(v.Text(), `\`)); backslashes%2 == 1 {
			a.bytes = append(a.bytes, '\\')
		}
		a.done(textFormat)
	case likeRegexp:
		a.bytes = regexps.AppendLike(a.bytes, v.Text())
		a.done(textFormat)
	case foldedRegexp:
		a.text("(?:" + regexps.Folded(v.Text()) + ")")
	case wordRegexps:
		a.list(regexps.Words(v.Text()), 1, schema.String)
	case ownRegexp:
		text, err := translate(v.Text())
		if err != nil {
			return err
		}
		a.text(text)
	default:
		return fault.New(fault.Internal, "a value is bound in a way that PostgreSQL does not know")
	}
	return nil
}

// oddSteps adds the places of the steps that PostgreSQL would take for a number of an element
// and that are none.
func (a *args) oddSteps(steps []schema.Value) {
	var places []int
	for i, step := range steps {
		text := step.Text()
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err == nil && (n < 0 || strconv.Itoa(n) != text) {
			places = append(places, i+1)
		}
	}
	a.header(len(places), 0, oidInt4)
	for _, place := range places {
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, 4)
		a.bytes = binary.BigEndian.AppendUint32(a.bytes, uint32(place))
	}
	a.done(binaryFormat)
}

// noDocument is what no column holds.
const noDocument = `"no document: 1d7b9e52-3f0a-4c55-9a94-7c1c3f6e0a8d"`

// document adds a JSON document. What is none is null; one that jsonb cannot hold is equal to no
// column's and in none.
func (a *args) document(text string) {
	switch {
	case !json.Valid([]byte(text)):
		a.null()
	case !holdable(text):
		a.text(noDocument)
	default:
		a.text(text)
	}
}

// holdable is whether jsonb holds a document: no character NUL and no number beyond numeric.
func holdable(text string) bool {
	if strings.Contains(text, `\u0000`) {
		return false
	}
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case (c == 'e' || c == 'E') && !inString && i > 0 && '0' <= text[i-1] && text[i-1] <= '9':
			end := i + 1
			for end < len(text) && strings.IndexByte("+-0123456789", text[end]) >= 0 {
				end++
			}
			if n, err := strconv.Atoi(text[i+1 : end]); err != nil || n > 10_000 || n < -10_000 {
				return false
			}
			i = end - 1
		}
	}
	return true
}

// greatest is greater than every text that means something.
var greatest = strings.Repeat(string(utf8.MaxRune), 64)

// end adds a text that is greater than whatever begins with one, and no greater than what else is:
// its last character one more.
func (a *args) end(text []byte) {
	for len(text) > 0 {
		r, size := utf8.DecodeLastRune(text)
		text = text[:len(text)-size]
		if r == utf8.MaxRune || r == utf8.RuneError && size == 1 {
			continue
		}
		if r++; r == 0xd800 {
			r = 0xe000
		}
		a.bytes = utf8.AppendRune(append(a.bytes, text...), r)
		a.done(textFormat)
		return
	}
	a.text(greatest)
}

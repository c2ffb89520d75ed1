package query

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strconv"
	"strings"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Cursor writes and reads the cursors of one list: the values of its complete sort key in one
// row, as opaque text. A cursor is good for the list, type and order that it was made for. It
// is not signed: it holds nothing but values that its owner may order by, and asks for nothing
// that a filter could not.
type Cursor struct {
	orders []Order
	mark   [markSize]byte
}

const (
	// MaxCursor is the longest cursor that is read, in bytes.
	MaxCursor = 64 << 10

	markSize = 6 // bytes that say what the cursor is of
	sumSize  = 4 // bytes that say that it is whole
)

// NewCursor is the cursors of rows of t in a complete order. Where tells lists of one type
// apart: the link that leads to it, or "". No part of the order is ours alone: a cursor shows
// all of it.
func NewCursor(where string, t *schema.Type, orders []Order) *Cursor {
	c := &Cursor{orders: slices.Clone(orders)}
	for i := range c.orders {
		c.orders[i].Ours = false
	}
	text := []byte("1 " + where + " " + t.DB + " " + t.Name)
	for _, o := range orders {
		text = append(text, ' ')
		for _, link := range o.Via {
			text = append(append(text, link.Name...), '.')
		}
		text = append(append(text, o.Field.Name...), ':')
		text = append(text, byte('0'+o.Field.Scalar))
		text = strconv.AppendBool(text, o.Desc)
		text = strconv.AppendBool(text, o.nullsFirst())
		text = strconv.AppendBool(text, o.Field.HoldsInteger())
	}
	sum := sha256.Sum256(text)
	copy(c.mark[:], sum[:])
	return c
}

// Orders are the complete sort key, all of it the client's.
func (c *Cursor) Orders() []Order { return c.orders }

// How a value is held in a cursor.
const (
	nullTag = iota
	boolTag
	intTag
	floatTag
	textTag
	bytesTag
)

// Append appends the cursor of a row, of which value gives the values of the sort key.
func (c *Cursor) Append(dst []byte, value func(i int) schema.Value) []byte {
	var room [256]byte
	raw := append(room[:0], c.mark[:]...)
	for i := range c.orders {
		raw = appendTagged(raw, value(i))
	}
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return base64.RawURLEncoding.AppendEncode(dst, raw)
}

func appendTagged(dst []byte, v schema.Value) []byte {
	switch v.Kind() {
	case schema.BoolValue:
		return binary.AppendVarint(append(dst, boolTag), v.Int())
	case schema.IntValue:
		return binary.AppendVarint(append(dst, intTag), v.Int())
	case schema.FloatValue:
		return binary.BigEndian.AppendUint64(append(dst, floatTag), math.Float64bits(v.Float()))
	case schema.TextValue, schema.BytesValue:
		tag := byte(textTag)
		if v.Kind() == schema.BytesValue {
			tag = bytesTag
		}
		dst = binary.AppendUvarint(append(dst, tag), uint64(len(v.Text())))
		return append(dst, v.Text()...)
	}
	return append(dst, nullTag)
}

// Read is the values that a cursor holds. The error is a fault.Invalid that says what is wrong
// with it.
func (c *Cursor) Read(text string) ([]schema.Value, error) {
	if len(text) > MaxCursor {
		return nil, fault.New(fault.Invalid, "a cursor is at most %d bytes long, and this is %d", MaxCursor, len(text))
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(raw) < markSize+sumSize {
		return nil, errBroken
	}
	body, sum := raw[:len(raw)-sumSize], binary.BigEndian.Uint32(raw[len(raw)-sumSize:])
	if crc32.ChecksumIEEE(body) != sum {
		return nil, errBroken
	}
	if [markSize]byte(body) != c.mark {
		return nil, errForeign
	}
	r := cursorReader{body[markSize:]}
	values := make([]schema.Value, len(c.orders))
	for i, o := range c.orders {
		v, ok := r.value()
		if ok {
			values[i], ok = o.admit(v)
		}
		if !ok {
			return nil, errBroken
		}
	}
	if len(r.rest) > 0 {
		return nil, errBroken
	}
	return values, nil
}

var (
	errBroken  = fault.New(fault.Invalid, "this is no cursor: take it as it stands in edges.cursor or pageInfo, and change nothing")
	errForeign = fault.New(fault.Invalid, "this cursor is of another list or another orderBy; begin again without one")
)

// admit is the value if the column could hold it.
func (o Order) admit(v any) (schema.Value, bool) {
	if v == nil {
		return schema.Null, o.Nullable()
	}
	if raw, ok := v.(rawBytes); ok {
		return schema.Raw(string(raw)), o.Field.Scalar == schema.Bytes
	}
	value, err := o.Field.Coerce(v)
	if err != nil {
		return schema.Null, false
	}
	// Coercion is kinder than a cursor needs to be: a number may come as a text.
	_, isText := v.(string)
	return value, isText == (value.Kind() == schema.TextValue)
}

// rawBytes is a value of Bytes.
type rawBytes string

// cursorReader reads what appendTagged appends, as decoded JSON.
type cursorReader struct{ rest []byte }

func (r *cursorReader) value() (any, bool) {
	if len(r.rest) == 0 {
		return nil, false
	}
	tag := r.rest[0]
	r.rest = r.rest[1:]
	switch tag {
	case nullTag:
		return nil, true
	case boolTag:
		i, ok := r.integer()
		return i == 1, ok && (i == 0 || i == 1)
	case intTag:
		return r.integer()
	case floatTag:
		if len(r.rest) < 8 {
			return nil, false
		}
		f := math.Float64frombits(binary.BigEndian.Uint64(r.rest))
		r.rest = r.rest[8:]
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	case textTag:
		return r.text()
	case bytesTag:
		text, ok := r.text()
		return rawBytes(text), ok
	}
	return nil, false
}

func (r *cursorReader) integer() (int64, bool) {
	i, n := binary.Varint(r.rest)
	if n <= 0 {
		return 0, false
	}
	r.rest = r.rest[n:]
	return i, true
}

func (r *cursorReader) text() (string, bool) {
	size, n := binary.Uvarint(r.rest)
	if n <= 0 || size > uint64(len(r.rest)-n) {
		return "", false
	}
	text := string(r.rest[n : n+int(size)])
	r.rest = r.rest[n+int(size):]
	return text, true
}

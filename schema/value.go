package schema

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// ValueKind is how a Value is held.
type ValueKind uint8

// The ways to hold a value.
const (
	NullValue ValueKind = iota
	BoolValue
	IntValue
	FloatValue
	TextValue  // ID, String, Decimal, DateTime, Date, Time, UUID, enums, and JSON and embedded values as JSON text
	BytesValue // Bytes, raw
	ListValue
)

// Value is one value of a column or a parameter, in the canonical form of its scalar (see
// Coerce). The zero Value is null.
type Value struct {
	kind ValueKind
	num  uint64
	str  string
	list []Value
}

// Null is the null value.
var Null Value

// Bool holds a boolean.
func Bool(b bool) Value {
	if b {
		return Value{kind: BoolValue, num: 1}
	}
	return Value{kind: BoolValue}
}

// Integer holds an Int or BigInt.
func Integer(i int64) Value { return Value{kind: IntValue, num: uint64(i)} }

// Double holds a Float; −0 is 0.
func Double(f float64) Value {
	if f == 0 {
		f = 0
	}
	return Value{kind: FloatValue, num: math.Float64bits(f)}
}

// Text holds a text.
func Text(s string) Value { return Value{kind: TextValue, str: s} }

// Raw holds bytes, as a string.
func Raw(s string) Value { return Value{kind: BytesValue, str: s} }

// List holds values.
func List(vs []Value) Value { return Value{kind: ListValue, list: vs} }

// Kind is how the value is held.
func (v Value) Kind() ValueKind { return v.kind }

// IsNull is whether it is null.
func (v Value) IsNull() bool { return v.kind == NullValue }

// Bool is the boolean held.
func (v Value) Bool() bool { return v.num != 0 }

// Int is the integer held.
func (v Value) Int() int64 { return int64(v.num) }

// Float is the float held.
func (v Value) Float() float64 { return math.Float64frombits(v.num) }

// Text is the text or the bytes held.
func (v Value) Text() string { return v.str }

// List are the values held.
func (v Value) List() []Value { return v.list }

// String shows the value, for plans and tests.
func (v Value) String() string {
	switch v.kind {
	case NullValue:
		return "null"
	case BoolValue:
		return strconv.FormatBool(v.Bool())
	case IntValue:
		return strconv.FormatInt(v.Int(), 10)
	case FloatValue:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case ListValue:
		out := "["
		var outSb99 strings.Builder
		for i, e := range v.list {
			if i > 0 {
				outSb99.WriteString(", ")
			}
			outSb99.WriteString(e.String())
		}
		out += outSb99.String()
		return out + "]"
	}
	return strconv.Quote(v.str)
}

// Compare orders values of one column: numbers by size, texts and bytes by their bytes, null first.
func (v Value) Compare(w Value) int {
	if v.kind != w.kind {
		return int(v.kind) - int(w.kind)
	}
	switch v.kind {
	case IntValue, BoolValue:
		return cmp.Compare(v.Int(), w.Int())
	case FloatValue:
		return cmp.Compare(v.Float(), w.Float())
	case ListValue:
		return slices.CompareFunc(v.list, w.list, Value.Compare)
	}
	return strings.Compare(v.str, w.str)
}

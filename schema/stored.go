package schema

import (
	"encoding/base64"
	"math"
	"strconv"
)

// AppendStored appends a list as it is stored, and as json_each reads it: JSON, in which
// integers are numbers whatever their size, and bytes are base64.
func AppendStored(dst []byte, vs []Value, s Scalar) []byte {
	dst = append(dst, '[')
	for i, v := range vs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendStoredElement(dst, v, s)
	}
	return append(dst, ']')
}

// AppendStoredElement appends one element of such a list.
func AppendStoredElement(dst []byte, v Value, s Scalar) []byte {
	switch v.Kind() {
	case NullValue:
		return append(dst, "null"...)
	case BoolValue:
		return strconv.AppendBool(dst, v.Bool())
	case IntValue:
		return strconv.AppendInt(dst, v.Int(), 10)
	case FloatValue:
		return appendStoredFloat(dst, v.Float())
	case BytesValue:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, []byte(v.Text()))
		return append(dst, '"')
	case ListValue:
		return AppendStored(dst, v.List(), s)
	}
	if s == JSON || s == Embedded {
		return append(dst, v.Text()...)
	}
	return AppendString(dst, v.Text())
}

// appendStoredFloat always has an exponent: SQLite would compare 1234567890123456800 as an integer,
// and it is no float's exact value.
func appendStoredFloat(dst []byte, f float64) []byte {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, "null"...)
	}
	return strconv.AppendFloat(dst, f, 'e', -1, 64)
}

// Assigned is whether the database has a value for the column when an insert leaves it out:
// it counts, or works out an expression.
func (f *Field) Assigned() bool { return f.AutoIncrement || f.DefaultSQL != "" }

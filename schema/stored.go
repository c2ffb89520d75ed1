package schema

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
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

// AppendStoredList appends a stored list as the API shows it. Most lists are stored so.
func AppendStoredList(dst []byte, stored string, f *Field) []byte {
	switch f.Scalar {
	case BigInt, ID, Float, DateTime, Time:
		return AppendValue(dst, f, StoredList(stored, f))
	}
	return append(dst, stored...)
}

// StoredList is a stored list in the canonical form of its field, null if it is not a list.
func StoredList(stored string, f *Field) Value {
	if f.Scalar == Embedded {
		return Text(strings.Clone(stored))
	}
	var items []json.RawMessage
	if json.Unmarshal([]byte(stored), &items) != nil {
		return Null
	}
	values := make([]Value, len(items))
	for i, item := range items {
		values[i] = storedElement(item, f.Scalar)
	}
	return List(values)
}

func storedElement(item json.RawMessage, s Scalar) Value {
	text := string(item)
	switch {
	case text == "null":
		return Null
	case s == JSON:
		return Text(text)
	case text == "true" || text == "false":
		return Bool(text == "true")
	case text[0] == '"':
		return storedText(item, s)
	case s == Float:
		f, _ := strconv.ParseFloat(text, 64)
		return Double(f)
	}
	i, _ := strconv.ParseInt(text, 10, 64)
	return Integer(i)
}

func storedText(item json.RawMessage, s Scalar) Value {
	var text string
	if json.Unmarshal(item, &text) != nil {
		return Null
	}
	if s == Bytes {
		raw, _ := base64.StdEncoding.DecodeString(text)
		return Raw(string(raw))
	}
	return Text(text)
}

// DecimalSize is how many digits a Decimal column holds, and how many of them after the point; by
// default what all databases can hold.
func (f *Field) DecimalSize() (precision, scale int) {
	if f.Precision == 0 {
		return 34, 9
	}
	return f.Precision, f.Scale
}

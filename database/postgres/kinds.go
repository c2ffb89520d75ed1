package postgres

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"unsafe"

	"spacecloud/schema"
)

// kind is how the server sends a column.
type kind uint8

const (
	asText kind = iota // in the text format: whatever is not among these
	asBool
	asInt2
	asInt4
	asInt8
	asFloat4
	asFloat8
	asNumeric
	asTimestamp
	asDate
	asTime
	asUUID
	asBytes
	asString
	asPadded // character(n): the blanks at its end mean nothing
	asJSON
	asJSONB
	asArray
)

// kinds are those of the types that are read in the binary format, by their OIDs.
var kinds = map[uint32]kind{
	16: asBool, 17: asBytes, 18: asString, 19: asString, 20: asInt8, 21: asInt2, 23: asInt4, 25: asString, 114: asJSON,
	700: asFloat4, 701: asFloat8, 1042: asPadded, 1043: asString, 1082: asDate, 1083: asTime, 1114: asTimestamp, 1184: asTimestamp,
	1700: asNumeric, 2950: asUUID, 3802: asJSONB,
}

// arrays are the arrays of those types.
var arrays = map[uint32]bool{
	1000: true, 1001: true, 1002: true, 1003: true, 1016: true, 1005: true, 1007: true, 1009: true, 199: true,
	1021: true, 1022: true, 1014: true, 1015: true, 1182: true, 1183: true, 1115: true, 1185: true,
	1231: true, 2951: true, 3807: true,
}

func kindOf(oid uint32) kind {
	if arrays[oid] {
		return asArray
	}
	return kinds[oid]
}

func viewString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// appendCell appends a cell that is not null as the API shows it.
func appendCell(dst []byte, k kind, raw []byte, f *schema.Field) []byte {
	var room [64]byte
	switch k {
	case asString, asText:
		if isDocument(f.Scalar) {
			return append(dst, raw...)
		}
		return schema.AppendString(dst, viewString(raw))
	case asPadded:
		return schema.AppendString(dst, viewString(bytes.TrimRight(raw, " ")))
	case asInt2, asInt4, asInt8:
		return appendInteger(dst, integer(k, raw), f.Scalar)
	case asFloat4, asFloat8:
		return schema.AppendFloat(dst, float(k, raw))
	case asBool:
		return strconv.AppendBool(dst, raw[0] != 0)
	case asTimestamp:
		return schema.AppendDateTime(dst, viewString(appendTimestamp(room[:0], raw)))
	case asTime:
		return schema.AppendTime(dst, viewString(appendClock(room[:0], int64(binary.BigEndian.Uint64(raw)))))
	case asDate:
		return append(appendDay(append(dst, '"'), int64(int32(binary.BigEndian.Uint32(raw)))), '"')
	case asUUID:
		return append(appendUUID(append(dst, '"'), raw), '"')
	case asNumeric:
		return appendNumber(dst, viewString(appendNumeric(room[:0], raw)), f.Scalar)
	case asBytes:
		return schema.AppendBytes(dst, raw)
	case asJSON:
		return appendDocument(dst, viewString(raw), f)
	case asJSONB:
		return appendDocument(dst, viewString(raw[1:]), f)
	}
	return appendList(dst, raw, f)
}

// appendInteger appends an integer: of an Int as a number, of an ID and a BigInt as a string.
func appendInteger(dst []byte, i int64, s schema.Scalar) []byte {
	switch s {
	case schema.Int:
		return schema.AppendInt(dst, i)
	case schema.Float:
		return schema.AppendFloat(dst, float64(i))
	case schema.Boolean:
		return strconv.AppendBool(dst, i != 0)
	}
	return schema.AppendBigInt(dst, i)
}

// appendNumber appends a numeric: of a Decimal and a BigInt as a string.
func appendNumber(dst []byte, text string, s schema.Scalar) []byte {
	switch s {
	case schema.Int:
		return append(dst, text...)
	case schema.Float:
		f, _ := strconv.ParseFloat(text, 64)
		return schema.AppendFloat(dst, f)
	}
	return append(append(append(dst, '"'), text...), '"')
}

// valueOf is a cell that is not null in the canonical form of its field.
func valueOf(k kind, raw []byte, f *schema.Field) schema.Value {
	var room [64]byte
	switch k {
	case asPadded:
		return schema.Text(string(bytes.TrimRight(raw, " ")))
	case asInt2, asInt4, asInt8:
		return integerValue(integer(k, raw), f.Scalar)
	case asFloat4, asFloat8:
		return schema.Double(float(k, raw))
	case asBool:
		return schema.Bool(raw[0] != 0)
	case asTimestamp:
		return schema.Text(string(appendTimestamp(room[:0], raw)))
	case asTime:
		return schema.Text(string(appendClock(room[:0], int64(binary.BigEndian.Uint64(raw)))))
	case asDate:
		return schema.Text(string(appendDay(room[:0], int64(int32(binary.BigEndian.Uint32(raw))))))
	case asUUID:
		return schema.Text(string(appendUUID(room[:0], raw)))
	case asNumeric:
		return numberValue(string(appendNumeric(room[:0], raw)), f.Scalar)
	case asBytes:
		return schema.Raw(string(raw))
	case asJSON:
		return schema.Text(string(appendDocument(nil, viewString(raw), f)))
	case asJSONB:
		return schema.Text(string(appendDocument(nil, viewString(raw[1:]), f)))
	case asArray:
		return listValue(raw, f)
	}
	return schema.Text(string(raw))
}

func integerValue(i int64, s schema.Scalar) schema.Value {
	switch s {
	case schema.Boolean:
		return schema.Bool(i != 0)
	case schema.Float:
		return schema.Double(float64(i))
	case schema.Decimal:
		return schema.Text(strconv.FormatInt(i, 10))
	}
	return schema.Integer(i)
}

func numberValue(text string, s schema.Scalar) schema.Value {
	switch s {
	case schema.Int, schema.BigInt:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return schema.Integer(i)
		}
	case schema.Float:
		f, _ := strconv.ParseFloat(text, 64)
		return schema.Double(f)
	}
	return schema.Text(text)
}

func integer(k kind, raw []byte) int64 {
	switch k {
	case asInt2:
		return int64(int16(binary.BigEndian.Uint16(raw)))
	case asInt4:
		return int64(int32(binary.BigEndian.Uint32(raw)))
	}
	return int64(binary.BigEndian.Uint64(raw))
}

func float(k kind, raw []byte) float64 {
	if k == asFloat4 {
		// As it is written, not as its bits are: 0.1 is 0.1.
		f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(raw))), 'g', -1, 32), 64)
		return f
	}
	return math.Float64frombits(binary.BigEndian.Uint64(raw))
}

// array calls do with each element, nil for null.
func array(raw []byte, do func(k kind, element []byte)) {
	if len(raw) < 12 || binary.BigEndian.Uint32(raw) == 0 {
		return
	}
	k := kindOf(binary.BigEndian.Uint32(raw[8:]))
	n := 1
	at := 12
	for range binary.BigEndian.Uint32(raw) { // one dimension, but a foreign writer's may have more
		n *= int(binary.BigEndian.Uint32(raw[at:]))
		at += 8
	}
	for range n {
		size := int32(binary.BigEndian.Uint32(raw[at:]))
		at += 4
		if size < 0 {
			do(k, nil)
			continue
		}
		do(k, raw[at:at+int(size):at+int(size)])
		at += int(size)
	}
}

func appendList(dst, raw []byte, f *schema.Field) []byte {
	element := *f
	element.List = false
	dst = append(dst, '[')
	first := true
	array(raw, func(k kind, e []byte) {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if e == nil {
			dst = append(dst, "null"...)
			return
		}
		dst = appendCell(dst, k, e, &element)
	})
	return append(dst, ']')
}

func listValue(raw []byte, f *schema.Field) schema.Value {
	element := *f
	element.List = false
	values := []schema.Value{}
	array(raw, func(k kind, e []byte) {
		if e == nil {
			values = append(values, schema.Null)
			return
		}
		values = append(values, valueOf(k, e, &element))
	})
	return schema.List(values)
}

func appendUUID(dst, raw []byte) []byte {
	for i, end := range [...]int{4, 6, 8, 10, 16} {
		from := [...]int{0, 4, 6, 8, 10}[i]
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, raw[from:end])
	}
	return dst
}

// appendNumeric appends a numeric in the canonical form of decimals.
func appendNumeric(dst, raw []byte) []byte {
	n := int(binary.BigEndian.Uint16(raw))
	weight := int(int16(binary.BigEndian.Uint16(raw[2:])))
	sign := binary.BigEndian.Uint16(raw[4:])
	digit := func(i int) uint16 {
		if i < 0 || i >= n {
			return 0
		}
		return binary.BigEndian.Uint16(raw[8+2*i:])
	}
	switch {
	case sign == 0xc000:
		return append(dst, "NaN"...)
	case sign == 0xd000:
		return append(dst, "Infinity"...)
	case sign == 0xf000:
		return append(dst, "-Infinity"...)
	case n == 0:
		return append(dst, '0')
	case sign == 0x4000:
		dst = append(dst, '-')
	}
	if weight < 0 {
		dst = append(dst, '0')
	}
	for i := 0; i <= weight; i++ {
		if i == 0 {
			dst = strconv.AppendUint(dst, uint64(digit(0)), 10)
		} else {
			dst = appendFour(dst, digit(i))
		}
	}
	if weight >= n-1 {
		return dst
	}
	dst = append(dst, '.')
	for i := weight + 1; i < n; i++ {
		dst = appendFour(dst, digit(i))
	}
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	if dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func appendFour(dst []byte, d uint16) []byte {
	return append(dst, byte('0'+d/1000), byte('0'+d/100%10), byte('0'+d/10%10), byte('0'+d%10))
}

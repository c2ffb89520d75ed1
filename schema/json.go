package schema

import (
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// These functions append JSON to a buffer and make no garbage: every cell of every answer
// goes through them.

// plain are the bytes that stand for themselves in a JSON string.
var plain = func() (table [256]bool) {
	for b := 0x20; b < 0x80; b++ {
		table[b] = b != '"' && b != '\\'
	}
	return table
}()

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. What is not valid UTF-8 becomes U+FFFD; nothing is
// escaped that JSON does not ask for.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if plain[b] {
			i++
			continue
		}
		if b < utf8.RuneSelf {
			dst = appendEscape(append(dst, s[start:i]...), b)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(append(dst, s[start:i]...), "\ufffd"...)
			start = i + 1
		}
		i += n
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
}

// AppendInt appends an Int: a JSON number.
func AppendInt(dst []byte, i int64) []byte { return strconv.AppendInt(dst, i, 10) }

// AppendBigInt appends a BigInt, or an ID that is held as an integer: a JSON string.
func AppendBigInt(dst []byte, i int64) []byte {
	return append(strconv.AppendInt(append(dst, '"'), i, 10), '"')
}

// AppendFloat appends the shortest number that reads back the same, as JavaScript writes it;
// null for what JSON has no number for.
func AppendFloat(dst []byte, f float64) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(dst, "null"...)
	case f == 0:
		return append(dst, '0')
	case abs >= 1e-6 && abs < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-2] == '0' { // e-07 is e-7
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// AppendDateTime appends a DateTime in its canonical form, without the zeros that end its fraction.
func AppendDateTime(dst []byte, canonical string) []byte {
	if len(canonical) != len(dateTimeForm) {
		return AppendString(dst, canonical)
	}
	dst = append(dst, '"')
	dst = append(dst, trimFraction(canonical[:len(canonical)-1])...)
	return append(dst, 'Z', '"')
}

// AppendTime appends a Time in its canonical form likewise.
func AppendTime(dst []byte, canonical string) []byte {
	if len(canonical) != len(timeForm) {
		return AppendString(dst, canonical)
	}
	dst = append(dst, '"')
	dst = append(dst, trimFraction(canonical)...)
	return append(dst, '"')
}

func trimFraction(s string) string {
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		return s[:len(s)-1]
	}
	return s
}

// AppendBytes appends Bytes: a string of base64.
func AppendBytes(dst []byte, raw []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(dst, '"'), raw), '"')
}

// appendRaw is AppendBytes of a string, by pieces so that nothing is allocated.
func appendRaw(dst []byte, raw string) []byte {
	dst = append(dst, '"')
	var piece [768]byte // a multiple of three: no padding before the end
	for len(raw) > 0 {
		n := copy(piece[:], raw)
		dst = base64.StdEncoding.AppendEncode(dst, piece[:n])
		raw = raw[n:]
	}
	return append(dst, '"')
}

// AppendValue appends a column's canonical value as the API shows it.
func AppendValue(dst []byte, f *Field, v Value) []byte {
	if v.kind != ListValue {
		return AppendScalar(dst, f.Scalar, v)
	}
	dst = append(dst, '[')
	for i, e := range v.list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendScalar(dst, f.Scalar, e)
	}
	return append(dst, ']')
}

// AppendScalar appends one canonical value of a scalar.
func AppendScalar(dst []byte, s Scalar, v Value) []byte {
	switch v.kind {
	case NullValue:
		return append(dst, "null"...)
	case BoolValue:
		return strconv.AppendBool(dst, v.Bool())
	case IntValue:
		if s == Int {
			return AppendInt(dst, v.Int())
		}
		return AppendBigInt(dst, v.Int())
	case FloatValue:
		return AppendFloat(dst, v.Float())
	case BytesValue:
		return appendRaw(dst, v.str)
	}
	switch s {
	case DateTime:
		return AppendDateTime(dst, v.str)
	case Time:
		return AppendTime(dst, v.str)
	case JSON, Embedded:
		return append(dst, v.str...)
	}
	return AppendString(dst, v.str)
}

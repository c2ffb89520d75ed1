package schema

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"spacecloud/fault"
)

// The canonical text forms. They have a fixed width, so that they sort as what they say.
const (
	dateTimeForm = "2006-01-02T15:04:05.000000Z"
	dateForm     = "2006-01-02"
	timeForm     = "15:04:05.000000"
)

// maxJSONDepth is how deep a JSON value may nest; MySQL and MongoDB hold no more.
const maxJSONDepth = 100

// Coerce makes the canonical value of a field out of decoded JSON: nil, bool, a number as
// json.Number, float64 or int64, string, []any and map[string]any. A value is never rounded
// or cut to fit. As GraphQL has it, one value stands for a list of one.
//
// A list of scalars is a ListValue; embedded values and lists of them are one TextValue, the
// JSON text with members in the order of the type's fields.
//
// Errors are *fault.Error of kind Invalid, joined when there are several, with paths from the
// field on. Validators are not asked: see Validate.
func (f *Field) Coerce(v any) (Value, error) {
	switch {
	case v == nil && f.NonNull:
		return Null, invalid("must not be null")
	case v == nil:
		return Null, nil
	case f.Value != nil:
		text, err := f.appendEmbedded(nil, v)
		if err != nil {
			return Null, err
		}
		return Text(string(text)), nil
	case f.List:
		return f.coerceList(v)
	}
	return f.coerceOne(v)
}

func invalid(format string, args ...any) error { return fault.New(fault.Invalid, format, args...) }

func (f *Field) coerceList(v any) (Value, error) {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	out := make([]Value, len(items))
	var errs []error
	for i, item := range items {
		if item == nil {
			if !f.ElemNull {
				errs = append(errs, below(invalid("must not be null"), i))
			}
			continue
		}
		e, err := f.coerceOne(item)
		if err != nil {
			errs = append(errs, below(err, i))
		}
		out[i] = e
	}
	if len(errs) > 0 {
		return Null, errors.Join(errs...)
	}
	return List(out), nil
}

// coerceOne coerces one value that is not null: the field's, or an element of its list.
func (f *Field) coerceOne(v any) (Value, error) {
	switch {
	case f.Scalar == Decimal && f.Precision > 0:
		return coerceDecimal(v, f.Precision, f.Scale)
	case f.HoldsInteger():
		if s, ok := v.(string); ok {
			return coerceInteger(BigInt, s)
		}
		return coerceInteger(BigInt, v)
	}
	return CoerceScalar(f.Scalar, f.Enum, v)
}

// below puts every fault of an error one step down a path.
func below(err error, step any) error {
	var out []error
	for _, e := range fault.All(err) {
		out = append(out, e.At(append([]any{step}, e.Path...)...))
	}
	return errors.Join(out...)
}

// appendEmbedded writes an embedded value, or a list of them.
func (f *Field) appendEmbedded(dst []byte, v any) ([]byte, error) {
	items, isList := v.([]any)
	if !f.List {
		return f.Value.appendObject(dst, v)
	}
	if !isList {
		items = []any{v}
	}
	var errs []error
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		switch {
		case item != nil:
			dst, err = f.Value.appendObject(dst, item)
		case f.ElemNull:
			dst = append(dst, "null"...)
		default:
			err = invalid("must not be null")
		}
		if err != nil {
			errs = append(errs, below(err, i))
		}
	}
	return append(dst, ']'), errors.Join(errs...)
}

// appendObject writes one embedded value as the API shows it. What is absent stays absent.
func (t *Type) appendObject(dst []byte, v any) ([]byte, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return dst, invalid("expects an object of type %s, got %s", t.Name, describe(v))
	}
	var errs []error
	dst = append(dst, '{')
	first := true
	for _, f := range t.Fields {
		member, ok := object[f.Name]
		if !ok && !f.NonNull {
			continue
		}
		var value Value
		var err error
		if ok {
			value, err = f.Coerce(member)
		} else {
			err = invalid("is missing")
		}
		if err != nil {
			errs = append(errs, below(err, f.Name))
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), f.Name...), '"', ':')
		dst = AppendValue(dst, f, value)
	}
	for _, k := range sortedKeys(object) {
		if t.byName[k] == nil {
			errs = append(errs, below(invalid("%s has no field %s%s", t.Name, clip(k), DidYouMean(k, fieldNames(t.Fields))), clip(k)))
		}
	}
	return append(dst, '}'), errors.Join(errs...)
}

// CoerceScalar makes the canonical value of a scalar, or of an enum for EnumValue. Decimals
// are held to the default precision and scale. Null stays null.
func CoerceScalar(s Scalar, e *Enum, v any) (Value, error) {
	if v == nil {
		return Null, nil
	}
	switch s {
	case ID:
		return coerceID(v)
	case String:
		return coerceString(v)
	case Int, BigInt:
		return coerceInteger(s, v)
	case Float:
		return coerceFloat(v)
	case Decimal:
		return coerceDecimal(v, defaultPrecision, defaultScale)
	case Boolean:
		if b, ok := v.(bool); ok {
			return Bool(b), nil
		}
		return Null, expects("true or false", v)
	case DateTime, Date, Time, UUID, Bytes, EnumValue:
		text, ok := v.(string)
		if !ok {
			return Null, expects(wanted(s, e), v)
		}
		return coerceText(s, e, text)
	case JSON:
		text, err := appendJSON(nil, v, 1)
		if err != nil {
			return Null, err
		}
		return Text(string(text)), nil
	}
	return Null, invalid("a %s takes no value", s)
}

func expects(what string, got any) error { return invalid("expects %s, got %s", what, describe(got)) }

// wanted says in words what the scalars take that come as strings.
func wanted(s Scalar, e *Enum) string {
	switch s {
	case DateTime:
		return "a date and time like 2026-01-31T13:37:00Z, to the microsecond"
	case Date:
		return "a date like 2026-01-31"
	case Time:
		return "a time of day like 13:37:00, to the microsecond"
	case UUID:
		return "a UUID like 0190f6a8-7b1c-7def-8a1b-0123456789ab"
	case Bytes:
		return "bytes in base64"
	}
	if e == nil {
		return "a value of an enum"
	}
	return "one of " + clip(strings.Join(e.names(), ", "))
}

// describe shows a caller's value, bounded.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return strconv.Quote(clip(v))
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return clip(fmt.Sprint(v))
}

func coerceText(s Scalar, e *Enum, text string) (Value, error) {
	ok := false
	value := text
	switch s {
	case DateTime:
		value, ok = canonicalDateTime(text)
	case Date:
		t, err := time.Parse(dateForm, text)
		ok = err == nil && t.Year() > 0
	case Time:
		value, ok = canonicalTime(text)
	case UUID:
		id, err := uuid.Parse(text)
		value, ok = id.String(), err == nil && len(text) == 36
	case EnumValue:
		ok = e != nil && e.Has(text)
	case Bytes:
		raw, err := base64.StdEncoding.Strict().DecodeString(text)
		if err == nil && !strings.ContainsAny(text, "\r\n") {
			return Raw(string(raw)), nil
		}
	}
	if !ok {
		return Null, expects(wanted(s, e), text)
	}
	return Text(value), nil
}

func coerceID(v any) (Value, error) {
	switch v.(type) {
	case string:
		return coerceString(v)
	case json.Number, float64, int64, int:
		if i, err := coerceInteger(BigInt, v); err == nil {
			return Text(strconv.FormatInt(i.Int(), 10)), nil
		}
	}
	return Null, expects("an ID: a string or an integer", v)
}

func coerceString(v any) (Value, error) {
	s, ok := v.(string)
	switch {
	case !ok:
		return Null, expects("a string", v)
	case !utf8.ValidString(s):
		return Null, invalid("expects a string of valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		return Null, invalid("expects a string without the character NUL")
	}
	return Text(s), nil
}

// coerceInteger takes what is an integer in JSON, for a BigInt also as a string.
func coerceInteger(s Scalar, v any) (Value, error) {
	bits := 64
	if s == Int {
		bits = 32
	}
	if i, ok := integer(v, s == BigInt); ok && (bits == 64 || i == int64(int32(i))) {
		return Integer(i), nil
	}
	return Null, expects(fmt.Sprintf("an integer of %d bits", bits), v)
}

func integer(v any, orText bool) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int:
		return int64(v), true
	case float64:
		return wholeFloat(v)
	case json.Number:
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return i, true
		}
		// 1e3 and 5.0 are integers in JSON; decimalText finds them without rounding.
		text, err := decimalText(string(v), 19, 0)
		if err != nil {
			return 0, false
		}
		i, err := strconv.ParseInt(text, 10, 64)
		return i, err == nil
	case string:
		if !orText || strings.HasPrefix(v, "+") {
			return 0, false
		}
		i, err := strconv.ParseInt(v, 10, 64)
		return i, err == nil
	}
	return 0, false
}

// wholeFloat is a float as an integer, as far as floats hold every integer.
func wholeFloat(f float64) (int64, bool) {
	return int64(f), f == math.Trunc(f) && math.Abs(f) <= 1<<53
}

func coerceFloat(v any) (Value, error) {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case int64:
		f = float64(v)
	case int:
		f = float64(v)
	case json.Number:
		parsed, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return Null, expects("a finite number", v)
		}
		f = parsed
	default:
		return Null, expects("a number", v)
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Null, expects("a finite number", v)
	}
	return Double(f), nil
}

// canonicalDateTime is strict where time.Parse is not: one digit hours, a comma as point and
// more digits than are kept.
func canonicalDateTime(s string) (string, bool) {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return "", false
	}
	head, rest := s[:19], s[19:]
	fraction, zone, ok := cutFraction(rest)
	if !ok || zone == "" {
		return "", false
	}
	t, err := time.Parse(time.RFC3339, head+fraction+zone)
	if err != nil {
		return "", false
	}
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return "", false
	}
	return t.Format(dateTimeForm), true
}

// cutFraction splits ".500Z" in ".500" and "Z". It is not ok with digits below the microsecond
// that say something.
func cutFraction(s string) (fraction, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return "", s, true
	}
	end := 1
	for end < len(s) && '0' <= s[end] && s[end] <= '9' {
		end++
	}
	fraction, rest = s[:end], s[end:]
	if len(fraction) > 7 {
		if strings.Trim(fraction[7:], "0") != "" {
			return "", "", false
		}
		fraction = fraction[:7]
	}
	return fraction, rest, end > 1
}

func canonicalTime(s string) (string, bool) {
	if len(s) < 8 || s[2] != ':' || s[5] != ':' {
		return "", false
	}
	fraction, rest, ok := cutFraction(s[8:])
	if !ok || rest != "" {
		return "", false
	}
	t, err := time.Parse("15:04:05", s[:8]+fraction)
	return t.Format(timeForm), err == nil
}

// appendJSON writes any JSON value without spaces and with sorted keys.
func appendJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > maxJSONDepth {
		return dst, invalid("nests deeper than %d levels", maxJSONDepth)
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case string:
		s, err := coerceString(v)
		return AppendString(dst, s.Text()), err
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case json.Number:
		return appendNumber(dst, string(v))
	case float64:
		f, err := coerceFloat(v)
		return AppendFloat(dst, f.Float()), err
	case []any:
		return appendArray(dst, v, depth)
	case map[string]any:
		return appendMembers(dst, v, depth)
	}
	return dst, invalid("expects a JSON value, got %T", v)
}

// appendNumber keeps a number as it was written, but for −0.
func appendNumber(dst []byte, s string) ([]byte, error) {
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || !json.Valid([]byte(s)):
		return dst, expects("a finite number", json.Number(s))
	case f == 0 && strings.HasPrefix(s, "-"):
		s = s[1:]
	}
	return append(dst, s...), nil
}

func appendArray(dst []byte, items []any, depth int) ([]byte, error) {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSON(dst, item, depth+1); err != nil {
			return dst, below(err, i)
		}
	}
	return append(dst, ']'), nil
}

func appendMembers(dst []byte, object map[string]any, depth int) ([]byte, error) {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	dst = append(dst, '{')
	for i, k := range keys {
		if _, err := coerceString(k); err != nil {
			return dst, err
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(AppendString(dst, k), ':')
		var err error
		if dst, err = appendJSON(dst, object[k], depth+1); err != nil {
			return dst, below(err, clip(k))
		}
	}
	return append(dst, '}'), nil
}

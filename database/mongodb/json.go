package mongodb

import (
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/schema"
)

// encodeJSON is a text of JSON as a value of BSON. Numbers keep their digits: an int or a long,
// a double that is written the same, or a decimal. An error is that of a number that none holds.
func encodeJSON(text string) (any, error) { return encodeParsed(gjson.Parse(text)) }

func encodeParsed(v gjson.Result) (any, error) {
	switch v.Type {
	case gjson.Null:
		return nil, nil //nolint:nilnil // null is a value
	case gjson.True, gjson.False:
		return v.Bool(), nil
	case gjson.String:
		return v.String(), nil
	case gjson.Number:
		return encodeNumber(v.Raw)
	}
	var err error
	if v.IsArray() {
		list := bson.A{}
		v.ForEach(func(_, e gjson.Result) bool {
			var value any
			value, err = encodeParsed(e)
			list = append(list, value)
			return err == nil
		})
		return list, err
	}
	doc := bson.D{}
	v.ForEach(func(k, e gjson.Result) bool {
		var value any
		value, err = encodeParsed(e)
		doc = append(doc, bson.E{Key: k.String(), Value: value})
		return err == nil
	})
	return doc, err
}

func encodeNumber(raw string) (any, error) {
	if i, err := strconv.ParseInt(raw, 10, 64); err == nil {
		if int64(int32(i)) == i {
			return int32(i), nil
		}
		return i, nil
	}
	if f, err := strconv.ParseFloat(raw, 64); err == nil && string(schema.AppendFloat(nil, f)) == raw {
		return f, nil
	}
	if d, err := bson.ParseDecimal128(raw); err == nil && sameDigits(d, raw) {
		return d, nil
	}
	return nil, fault.New(fault.Invalid, "MongoDB holds numbers of at most 34 digits, and not %s", raw)
}

// sameDigits is whether a decimal lost none of the digits of a number.
func sameDigits(d bson.Decimal128, raw string) bool {
	c, _, err := d.BigInt()
	if err != nil {
		return false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(raw), "e")
	digits := strings.TrimLeft(strings.NewReplacer(".", "", "-", "").Replace(mantissa), "0")
	kept := new(big.Int).Abs(c).String()
	return strings.TrimRight(kept, "0") == strings.TrimRight(digits, "0") || digits == "" && kept == "0"
}

// encodeEmbedded is an embedded value, or a list of them, as sub-documents: its members are typed
// as columns are.
func encodeEmbedded(text string, t *schema.Type) (any, error) {
	return embeddedOf(gjson.Parse(text), t)
}

func embeddedOf(v gjson.Result, t *schema.Type) (any, error) {
	var err error
	switch {
	case v.IsArray():
		list := bson.A{}
		v.ForEach(func(_, e gjson.Result) bool {
			var value any
			value, err = embeddedOf(e, t)
			list = append(list, value)
			return err == nil
		})
		return list, err
	case !v.IsObject():
		return encodeParsed(v)
	}
	doc := bson.D{}
	v.ForEach(func(k, e gjson.Result) bool {
		var value any
		value, err = memberOf(e, t.Field(k.String()))
		doc = append(doc, bson.E{Key: k.String(), Value: value})
		return err == nil
	})
	return doc, err
}

func memberOf(v gjson.Result, f *schema.Field) (any, error) {
	switch {
	case f == nil || v.Type == gjson.Null || f.Scalar == schema.JSON:
		return encodeParsed(v)
	case f.Scalar == schema.Embedded:
		return embeddedOf(v, f.Value)
	}
	plain := v.Value()
	if f.Scalar != schema.Float && f.Scalar != schema.Int && f.Scalar != schema.Boolean && v.Type == gjson.Number {
		plain = v.Raw // a number of more digits than a float
	}
	value, err := f.Coerce(plain)
	if err != nil {
		return encodeParsed(v)
	}
	return encode(value, f)
}

// appendEmbedded appends a sub-document as the canonical text of an embedded value.
func appendEmbedded(dst []byte, doc bson.Raw, t *schema.Type) []byte {
	elements, _ := doc.Elements() // the server's answers are whole
	dst = append(dst, '{')
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(schema.AppendString(dst, e.Key()), ':')
		f := t.Field(e.Key())
		if f == nil {
			dst = appendJSON(dst, e.Value())
			continue
		}
		if v, ok := decode(e.Value(), f); ok {
			dst = schema.AppendValue(dst, f, v)
		} else {
			dst = driver.AppendUnfit(dst, found(e.Value(), f))
		}
	}
	return append(dst, '}')
}

// appendJSON appends any value as JSON. What JSON has no word for is said as a text.
func appendJSON(dst []byte, v bson.RawValue) []byte {
	switch v.Type {
	case bson.TypeString:
		return schema.AppendString(dst, v.StringValue())
	case bson.TypeBoolean:
		return strconv.AppendBool(dst, v.Boolean())
	case bson.TypeInt32:
		return strconv.AppendInt(dst, int64(v.Int32()), 10)
	case bson.TypeInt64:
		return strconv.AppendInt(dst, v.Int64(), 10)
	case bson.TypeDouble:
		return schema.AppendFloat(dst, v.Double())
	case bson.TypeDecimal128:
		return appendDecimal(dst, v.Decimal128())
	case bson.TypeEmbeddedDocument:
		return appendMembers(dst, v.Document())
	case bson.TypeArray:
		return appendElements(dst, v.Array())
	case bson.TypeDateTime:
		return schema.AppendDateTime(dst, v.Time().UTC().Format(time.RFC3339Nano))
	case bson.TypeObjectID:
		return schema.AppendString(dst, v.ObjectID().Hex())
	case bson.TypeBinary:
		_, data := v.Binary()
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), data), '"')
	case bson.TypeNull, bson.TypeUndefined, 0:
		return append(dst, "null"...)
	}
	return schema.AppendString(dst, v.String())
}

func appendMembers(dst []byte, doc bson.Raw) []byte {
	elements, _ := doc.Elements() // the server's answers are whole
	dst = append(dst, '{')
	for i, e := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(append(schema.AppendString(dst, e.Key()), ':'), e.Value())
	}
	return append(dst, '}')
}

func appendElements(dst []byte, array bson.RawArray) []byte {
	values, _ := array.Values() // as above
	dst = append(dst, '[')
	for i, v := range values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, v)
	}
	return append(dst, ']')
}

// appendDecimal appends a decimal as a number with all its digits.
func appendDecimal(dst []byte, d bson.Decimal128) []byte {
	c, e, err := d.BigInt()
	if err != nil { // NaN and the infinities
		return append(dst, "null"...)
	}
	if e > 0 {
		return strconv.AppendInt(append(c.Append(dst, 10), 'e'), int64(e), 10)
	}
	return append(dst, plainDigits(c, e)...)
}

// plainDecimal is a decimal in its canonical form; false for NaN and the infinities.
func plainDecimal(d bson.Decimal128) (string, bool) {
	c, e, err := d.BigInt()
	if err != nil {
		return "", false
	}
	return canonical(plainDigits(c, e)), true
}

// canonical leaves out the zeros that end a fraction.
func canonical(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	if text == "-0" {
		return "0"
	}
	return text
}

// plainDigits is c × 10^e without an exponent.
func plainDigits(c *big.Int, e int) string {
	sign, digits := "", c.String()
	if c.Sign() < 0 {
		sign, digits = "-", digits[1:]
	}
	switch {
	case c.Sign() == 0 && e >= 0:
		return "0"
	case e >= 0:
		return sign + digits + strings.Repeat("0", e)
	}
	if missing := 1 - e - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	at := len(digits) + e
	return sign + digits[:at] + "." + digits[at:]
}

package mongodb

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// encode is the value of a column, or of one element of its list, as it is stored and compared.
func encode(v schema.Value, f *schema.Field) (any, error) {
	switch v.Kind() {
	case schema.NullValue:
		return nil, nil //nolint:nilnil // null is a value
	case schema.BoolValue:
		return v.Bool(), nil
	case schema.IntValue:
		return encodeInteger(v.Int(), f), nil
	case schema.FloatValue:
		if f.Scalar == schema.Decimal {
			return decimalOf(strconv.FormatFloat(v.Float(), 'f', -1, 64)), nil
		}
		return v.Float(), nil
	case schema.BytesValue:
		return bson.Binary{Data: []byte(v.Text())}, nil
	case schema.ListValue:
		return encodeList(v.List(), f)
	}
	return encodeText(v.Text(), f)
}

func encodeList(vs []schema.Value, f *schema.Field) (any, error) {
	list := make(bson.A, len(vs))
	for i, v := range vs {
		var err error
		if list[i], err = encode(v, f); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func encodeInteger(i int64, f *schema.Field) any {
	switch {
	case f.Scalar == schema.Float:
		return float64(i)
	case f.Scalar == schema.Decimal:
		return decimalOf(strconv.FormatInt(i, 10))
	case f.Scalar == schema.Int && int64(int32(i)) == i:
		return int32(i)
	case f.Scalar == schema.ID && !f.HoldsInteger() && f.Owner != nil, isText(f.Scalar):
		return strconv.FormatInt(i, 10)
	}
	return i
}

func isText(s schema.Scalar) bool {
	switch s {
	case schema.String, schema.Date, schema.Time, schema.UUID, schema.EnumValue:
		return true
	}
	return false
}

// encodeText is a text as its scalar is stored. What is none of the scalar stays a text: it
// equals no value of the column then.
func encodeText(text string, f *schema.Field) (any, error) {
	switch f.Scalar {
	case schema.Decimal:
		return decimalOf(text), nil
	case schema.DateTime:
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return dateOf(at), nil
		}
	case schema.JSON:
		return encodeJSON(text)
	case schema.Embedded:
		return encodeEmbedded(text, f.Value)
	case schema.ID:
		return encodeID(text, f), nil
	}
	return text, nil
}

// dateOf cuts off what is finer than a millisecond, also before 1970.
func dateOf(at time.Time) bson.DateTime {
	return bson.DateTime(at.Unix()*1000 + int64(at.Nanosecond())/int64(time.Millisecond))
}

func encodeID(text string, f *schema.Field) any {
	if f.Native == generator.ObjectID {
		if id, err := bson.ObjectIDFromHex(text); err == nil {
			return id
		}
	}
	if f.HoldsInteger() {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return i
		}
	}
	return text
}

// stored is a value as it is written, where a filter might look for anything.
func stored(v schema.Value, f *schema.Field) (any, error) {
	value, err := encode(v, f)
	if text, ok := value.(string); ok && f.Native == generator.ObjectID {
		return nil, fault.New(fault.Validation, "%s is an ObjectId, which is 24 hexadecimal digits, and not %q", f.Name, text).With("fields", []string{f.Name})
	}
	return value, err
}

// decimalOf is a decimal; a text that is none stays one.
func decimalOf(text string) any {
	d, err := bson.ParseDecimal128(text)
	if err != nil {
		return text
	}
	return d
}

// decode is a cell in the canonical form of its field; false where it holds something else.
func decode(v bson.RawValue, f *schema.Field) (schema.Value, bool) {
	if isNull(v) {
		return schema.Null, true
	}
	if f.List {
		return decodeList(v, f)
	}
	switch f.Scalar {
	case schema.Int, schema.BigInt:
		i, ok := integerIn(v)
		return schema.Integer(i), ok && (f.Scalar == schema.BigInt || int64(int32(i)) == i)
	case schema.Float:
		d, ok := floatIn(v)
		return schema.Double(d), ok
	case schema.Decimal:
		return decodeDecimal(v)
	case schema.Boolean:
		b, ok := v.BooleanOK()
		return schema.Bool(b), ok
	case schema.DateTime:
		ms, ok := v.DateTimeOK()
		return schema.Text(time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000000Z")), ok
	case schema.Bytes:
		_, data, ok := v.BinaryOK()
		return schema.Raw(string(data)), ok
	case schema.JSON:
		return schema.Text(string(appendJSON(nil, v))), true
	case schema.Embedded:
		doc, ok := v.DocumentOK()
		if !ok {
			return schema.Null, false
		}
		return schema.Text(string(appendEmbedded(nil, doc, f.Value))), true
	case schema.ID:
		return decodeID(v, f)
	}
	text, ok := v.StringValueOK()
	return schema.Text(text), ok && f.Takes(text)
}

func isNull(v bson.RawValue) bool {
	return v.Type == 0 || v.Type == bson.TypeNull || v.Type == bson.TypeUndefined
}

func decodeID(v bson.RawValue, f *schema.Field) (schema.Value, bool) {
	if id, ok := v.ObjectIDOK(); ok {
		return schema.Text(hex.EncodeToString(id[:])), true
	}
	if i, ok := integerIn(v); ok {
		if f.HoldsInteger() {
			return schema.Integer(i), true
		}
		return schema.Text(strconv.FormatInt(i, 10)), true
	}
	text, ok := v.StringValueOK()
	return schema.Text(text), ok && !f.HoldsInteger()
}

func decodeList(v bson.RawValue, f *schema.Field) (schema.Value, bool) {
	array, ok := v.ArrayOK()
	if !ok {
		return schema.Null, false
	}
	elements, err := array.Values()
	if err != nil {
		return schema.Null, false
	}
	single := *f
	single.List = false
	if f.Scalar == schema.Embedded {
		return embeddedList(elements, &single), true
	}
	values := make([]schema.Value, len(elements))
	for i, e := range elements {
		if values[i], ok = decode(e, &single); !ok {
			return schema.Null, false
		}
	}
	return schema.List(values), true
}

// embeddedList is a list of embedded values, as one text.
func embeddedList(elements []bson.RawValue, single *schema.Field) schema.Value {
	text := []byte{'['}
	for i, e := range elements {
		if i > 0 {
			text = append(text, ',')
		}
		if v, ok := decode(e, single); ok {
			text = schema.AppendValue(text, single, v)
		} else {
			text = driver.AppendUnfit(text, fmt.Sprintf("a list of which element %d is %s", i, foundOne(e, single)))
		}
	}
	return schema.Text(string(append(text, ']')))
}

// found says what is there instead of a value of a field.
func found(v bson.RawValue, f *schema.Field) string {
	array, isArray := v.ArrayOK()
	if !isArray || !f.List {
		return foundOne(v, f)
	}
	elements, _ := array.Values() // the server's answers are whole
	single := *f
	single.List = false
	for i, e := range elements {
		if _, ok := decode(e, &single); !ok {
			return fmt.Sprintf("a list of which element %d is %s", i, foundOne(e, &single))
		}
	}
	return "a list"
}

func foundOne(v bson.RawValue, f *schema.Field) string {
	switch v.Type {
	case bson.TypeString:
		if isText(f.Scalar) {
			return "another text"
		}
		return "a text"
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		switch f.Scalar {
		case schema.Int, schema.BigInt, schema.Float, schema.Decimal, schema.ID:
			return "a number that it cannot be"
		}
		return "a number"
	case bson.TypeArray:
		return "a list"
	case bson.TypeEmbeddedDocument:
		return "an object"
	case bson.TypeBinary:
		return "binary data"
	case bson.TypeObjectID:
		return "an ObjectId"
	}
	return "a " + v.Type.String() // such as boolean
}

// integerIn is a whole number of any type, as other programs may have written it.
func integerIn(v bson.RawValue) (int64, bool) {
	switch v.Type {
	case bson.TypeInt32:
		return int64(v.Int32()), true
	case bson.TypeInt64:
		return v.Int64(), true
	case bson.TypeDouble:
		f := v.Double()
		return int64(f), math.Trunc(f) == f && math.Abs(f) < 1<<53
	case bson.TypeDecimal128:
		text, ok := plainDecimal(v.Decimal128())
		i, err := strconv.ParseInt(text, 10, 64)
		return i, ok && err == nil
	}
	return 0, false
}

func floatIn(v bson.RawValue) (float64, bool) {
	switch v.Type {
	case bson.TypeDouble:
		f := v.Double()
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	case bson.TypeInt32:
		return float64(v.Int32()), true
	case bson.TypeInt64:
		return float64(v.Int64()), true
	}
	return 0, false
}

func decodeDecimal(v bson.RawValue) (schema.Value, bool) {
	switch v.Type {
	case bson.TypeDecimal128:
		text, ok := plainDecimal(v.Decimal128())
		return schema.Text(text), ok
	case bson.TypeInt32, bson.TypeInt64:
		i, _ := integerIn(v)
		return schema.Text(strconv.FormatInt(i, 10)), true
	case bson.TypeDouble:
		f, ok := floatIn(v)
		return schema.Text(strconv.FormatFloat(f, 'f', -1, 64)), ok
	}
	return schema.Null, false
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

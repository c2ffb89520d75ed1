package mysql

import (
	"database/sql/driver"
	"encoding/base64"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// args are the values of one run, in the order of the placeholders.
type args struct {
	values []driver.Value
	long   bool // whether a list has a text that is none of shortTexts
}

func (a *args) reset() { a.values, a.long = a.values[:0], false }

func (a *args) add(v driver.Value) { a.values = append(a.values, v) }

// params takes the values of a statement's placeholders from a binding.
func (a *args) params(ps []sqlgen.Param, b *query.Binding) error {
	a.reset()
	return a.more(ps, b)
}

func (a *args) more(ps []sqlgen.Param, b *query.Binding) error {
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
		return a.keys(p.Columns, b.Keys)
	case sqlgen.Key:
		if p.Key >= len(b.Keys) {
			return fault.New(fault.Internal, "a key has %d values, and value %d is needed", len(b.Keys), p.Key)
		}
		a.value(b.Keys[p.Key], p.Scalar)
		return nil
	}
	v, err := operand(p.From, b)
	if err != nil {
		return err
	}
	switch p.Bind {
	case sqlgen.Among:
		keys := query.Whole(v.List(), len(p.Columns))
		a.measure(keys)
		return a.keys(p.Columns, keys)
	case sqlgen.Value:
		a.value(v, boundScalar(*p))
	case sqlgen.List:
		a.measure(v.List())
		a.elements(v, boundScalar(*p))
	case sqlgen.Limit:
		a.bound(v, math.MaxInt64)
	case sqlgen.Offset:
		a.bound(v, 0)
	default:
		return a.own(p, v)
	}
	return nil
}

// own adds what only this dialect asks for.
func (a *args) own(p *sqlgen.Param, v schema.Value) error {
	if p.Bind == jsonPaths || p.Bind == nativePaths {
		return a.path(v, p.Key, p.Bind == jsonPaths)
	}
	if p.Bind == listSome || p.Bind == listElement {
		return a.few(v.List(), p, v.IsNull())
	}
	if v.IsNull() {
		a.add(nil)
		return nil
	}
	var dst []byte
	switch p.Bind {
	case storedList:
		if v.Kind() != schema.ListValue {
			dst = append(dst, v.Text()...) // of embedded values
		} else {
			dst = schema.AppendStored(dst, v.List(), p.Scalar)
		}
	case likePattern:
		dst = appendPattern(dst, v.Text())
	case likePrefix:
		dst = appendPrefix(dst, v.Text())
	case likeRegexp:
		dst = regexps.AppendLike(dst, v.Text())
	case foldedRegexp:
		dst = append(dst, regexps.Folded(v.Text())...)
	case ownRegexp:
		text, _ := regexps.Translate(v.Text())
		dst = append(dst, text...)
	case wordRegexps:
		dst = schema.AppendStored(dst, regexps.Words(v.Text()), schema.String)
	case jsonMember:
		dst = appendMember(append(dst, '$'), v.Text())
	case nativeMember:
		dst = schema.AppendString([]byte("$."), v.Text())
	case jsonEqual:
		dst = appendEqual(dst, v.Text())
	case jsonWithin:
		dst = appendWithin(dst, v.Text())
	default:
		return fault.New(fault.Internal, "a parameter of an unknown kind")
	}
	a.add(string(dst))
	return nil
}

// few adds an element of a short list, or whether there is one.
func (a *args) few(list []schema.Value, p *sqlgen.Param, isNull bool) error {
	switch {
	case len(list) > measures:
		return fault.New(fault.Invalid, "a list in a condition on groups has %d elements; on MySQL %d are the most", len(list), measures)
	case p.Bind == listSome:
		a.value(schema.Bool(isNull || len(list) > 0), schema.Boolean)
	case len(list) == 0:
		a.add(nil)
	default:
		a.value(list[min(p.Key, len(list)-1)], boundScalar(*p))
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

// value adds a value as what it is stored as, or compared with.
func (a *args) value(v schema.Value, s schema.Scalar) {
	switch v.Kind() {
	case schema.NullValue:
		a.add(nil)
	case schema.BoolValue:
		a.add(v.Int())
	case schema.IntValue:
		if isText(s) || s == schema.Decimal {
			a.add(strconv.FormatInt(v.Int(), 10))
		} else {
			a.add(v.Int())
		}
	case schema.FloatValue:
		if s == schema.Decimal {
			a.add(strconv.FormatFloat(v.Float(), 'f', -1, 64))
		} else {
			a.add(v.Float())
		}
	case schema.BytesValue:
		a.add([]byte(v.Text()))
	case schema.ListValue:
		a.add(string(schema.AppendStored(nil, v.List(), s)))
	default:
		a.text(v.Text(), s)
	}
}

// text adds a text. What is to be a number and says none is greater than all numbers.
func (a *args) text(text string, s schema.Scalar) {
	switch s {
	case schema.DateTime:
		a.add(moment(text))
	case schema.Int, schema.BigInt, schema.Float, schema.Boolean:
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			a.add(i)
		} else if f, err := strconv.ParseFloat(text, 64); err == nil {
			a.add(f)
		} else {
			a.add(math.MaxFloat64)
		}
	default:
		a.add(text)
	}
}

// moment is a DateTime as the database writes it.
func moment(canonical string) string {
	return strings.Replace(strings.TrimSuffix(canonical, "Z"), "T", " ", 1)
}

// measure looks for texts that are too long for shortTexts.
func (a *args) measure(list []schema.Value) {
	for _, v := range list {
		switch v.Kind() {
		case schema.TextValue:
			a.long = a.long || len(v.Text()) > shortText && utf8.RuneCountInString(v.Text()) > shortText
		case schema.BytesValue:
			a.long = a.long || base64.StdEncoding.EncodedLen(len(v.Text())) > shortText
		}
	}
}

// elements adds a list for JSON_TABLE. A null list has one element, null.
func (a *args) elements(v schema.Value, s schema.Scalar) {
	switch {
	case v.IsNull():
		a.add("[null]")
	case isDocument(s):
		a.add(string(schema.AppendStored(nil, v.List(), schema.String))) // they are compared as texts
	default:
		a.add(string(schema.AppendStored(nil, v.List(), s)))
	}
}

// keys adds the keys for JSON_TABLE: arrays of their values.
func (a *args) keys(columns []*schema.Field, keys []schema.Value) error {
	width := len(columns)
	if width == 0 || len(keys)%width != 0 {
		return fault.New(fault.Internal, "%d values are no whole number of keys of %d columns", len(keys), width)
	}
	dst := append(make([]byte, 0, 16+32*len(keys)), '[')
	for i := 0; i < len(keys); i += width {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for j, f := range columns {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = schema.AppendStoredElement(dst, keys[i+j], stored(f))
		}
		dst = append(dst, ']')
	}
	a.add(string(append(dst, ']')))
	return nil
}

// rows adds the first rows of a write for JSON_TABLE, and is how many.
func (a *args) rows(columns []*schema.Field, rows [][]schema.Value) (n int) {
	dst := []byte{'['}
	for ; n < len(rows) && len(dst) < most; n++ {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '[')
		for i, v := range rows[n] {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendWritten(dst, v, columns[i])
		}
		dst = append(dst, ']')
	}
	a.add(string(append(dst, ']')))
	return n
}

func appendWritten(dst []byte, v schema.Value, f *schema.Field) []byte {
	if v.Kind() == schema.ListValue {
		v = schema.Text(string(schema.AppendStored(nil, v.List(), f.Scalar)))
	}
	return schema.AppendStoredElement(dst, v, asWritten(f))
}

// bound adds a limit or offset.
func (a *args) bound(v schema.Value, absent int64) {
	if v.IsNull() {
		a.add(absent)
		return
	}
	a.add(v.Int())
}

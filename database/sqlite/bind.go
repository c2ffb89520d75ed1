package sqlite

import (
	"strconv"

	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// params takes the values of a statement's placeholders from a binding.
func (a *args) params(ps []sqlgen.Param, b *query.Binding) error {
	a.reset()
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
		return a.keys(p.Columns, query.Whole(v.List(), len(p.Columns)))
	case sqlgen.Value:
		a.value(v, p.Scalar)
	case sqlgen.List:
		a.elements(v, p.Scalar)
	case sqlgen.Limit:
		a.bound(v, -1)
	case sqlgen.Offset:
		a.bound(v, 0)
	case sqlgen.Words:
		a.words(v)
	default:
		a.bounds(p.Bind, v)
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

// value adds a value as it is stored.
func (a *args) value(v schema.Value, s schema.Scalar) {
	switch v.Kind() {
	case schema.NullValue:
		a.null()
	case schema.BoolValue, schema.IntValue:
		a.number(v.Int(), s)
	case schema.FloatValue:
		a.float(v.Float())
	case schema.BytesValue:
		a.string(sqlite3.SQLITE_BLOB, v.Text())
	case schema.ListValue:
		from := len(a.text)
		a.text = schema.AppendStored(a.text, v.List(), s)
		a.content(sqlite3.SQLITE_TEXT, from)
	default:
		a.string(sqlite3.SQLITE_TEXT, v.Text())
	}
}

// number adds an integer, as text where it is compared with texts.
func (a *args) number(i int64, s schema.Scalar) {
	if !isText(s) {
		a.integer(i)
		return
	}
	from := len(a.text)
	a.text = strconv.AppendInt(a.text, i, 10)
	a.content(sqlite3.SQLITE_TEXT, from)
}

// isText is whether a scalar's column is TEXT, whatever the field says besides.
func isText(s schema.Scalar) bool {
	switch s {
	case schema.String, schema.Decimal, schema.DateTime, schema.Date, schema.Time, schema.UUID, schema.JSON, schema.EnumValue, schema.Embedded:
		return true
	}
	return false
}

// elements adds a list for json_each.
func (a *args) elements(v schema.Value, s schema.Scalar) {
	from := len(a.text)
	if s == schema.JSON || s == schema.Embedded {
		s = schema.String // they are compared as texts
	}
	if v.IsNull() {
		a.text = append(a.text, "[null]"...)
	} else {
		a.text = schema.AppendStored(a.text, v.List(), s)
	}
	a.content(sqlite3.SQLITE_TEXT, from)
}

// keys adds the keys for json_each: values, or arrays of them for compound keys.
func (a *args) keys(columns []*schema.Field, keys []schema.Value) error {
	width := len(columns)
	if width == 0 || len(keys)%width != 0 {
		return fault.New(fault.Internal, "%d values are no whole number of keys of %d columns", len(keys), width)
	}
	from := len(a.text)
	a.text = append(a.text, '[')
	for i, v := range keys {
		if i > 0 {
			a.text = append(a.text, ',')
		}
		if width > 1 && i%width == 0 {
			a.text = append(a.text, '[')
		}
		a.text = schema.AppendStoredElement(a.text, v, columns[i%width].Scalar)
		if width > 1 && i%width == width-1 {
			a.text = append(a.text, ']')
		}
	}
	a.text = append(a.text, ']')
	a.content(sqlite3.SQLITE_TEXT, from)
	return nil
}

// bound adds a limit or offset.
func (a *args) bound(v schema.Value, absent int64) {
	if v.IsNull() {
		a.integer(absent)
		return
	}
	a.integer(v.Int())
}

// bounds adds an end of the range that a text operator's matches lie in.
func (a *args) bounds(b sqlgen.Bind, v schema.Value) {
	if v.IsNull() {
		a.null()
		return
	}
	from := len(a.text)
	if b == sqlgen.TextEnd {
		a.text = append(a.text, v.Text()...)
	} else {
		a.text = query.AppendLikePrefix(a.text, v.Text())
	}
	if b == sqlgen.Prefix {
		a.content(sqlite3.SQLITE_TEXT, from)
		return
	}
	a.end(from)
}

// end makes the text since from something greater than whatever begins with it: its last
// byte one more. Of the empty text that is a blob, which is greater than every text.
func (a *args) end(from int) {
	for len(a.text) > from && a.text[len(a.text)-1] == 0xff {
		a.text = a.text[:len(a.text)-1]
	}
	if len(a.text) == from {
		a.content(sqlite3.SQLITE_BLOB, from)
		return
	}
	a.text[len(a.text)-1]++
	a.content(sqlite3.SQLITE_TEXT, from)
}

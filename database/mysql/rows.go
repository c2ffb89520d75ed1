package mysql

import (
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unsafe"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/schema"
)

// rows read an answer where it stands: cells are encoded from the connection's own memory.
type rows struct {
	answer answer
	isOpen bool
	first  bool // the first row is read already
	values []sqldriver.Value
	of     *statement
	skip   int // 1 when the first column is the ordinal of the key
	err    error
}

var _ driver.Rows = (*rows)(nil)

// start reads the first row, so that what fails does so before there are rows.
func (r *rows) start(a answer, of *statement, skip int) error {
	values := r.values
	if n := len(a.Columns()); cap(values) < n {
		values = make([]sqldriver.Value, n)
	} else {
		values = values[:n]
	}
	*r = rows{answer: a, values: values, of: of, skip: skip, isOpen: true}
	err := a.Next(r.values)
	if errors.Is(err, io.EOF) {
		return r.finish(nil)
	}
	if err != nil {
		return r.finish(err)
	}
	r.first = true
	return nil
}

// finish reads what is left; err is what went wrong before.
func (r *rows) finish(err error) error {
	if !r.isOpen {
		return nil
	}
	r.isOpen = false
	closed := r.answer.Close()
	if err == nil {
		err = closed
	}
	return r.answer.conn.checked(r.answer.done(err))
}

// stop reads what is left, of which nobody wants to know.
func (r *rows) stop() { _ = r.finish(nil) }

func (r *rows) Next() bool {
	if !r.isOpen {
		return false
	}
	if !r.first {
		if err := r.answer.Next(r.values); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			r.err = r.of.explain(r.finish(err))
			return false
		}
	}
	r.first = false
	return r.total()
}

// total is whether the sums of the row are of their type.
func (r *rows) total() bool {
	for _, t := range r.of.totals {
		text, ok := r.values[t.column+r.skip].([]byte)
		if !ok || t.Field.Scalar != schema.BigInt {
			continue
		}
		if _, err := strconv.ParseInt(viewed(text), 10, 64); err != nil {
			r.stop()
			r.err = fault.Wrap(fault.Invalid, err, "%s", t.Beyond())
			return false
		}
	}
	return true
}

// Parent counts from 0, and FOR ORDINALITY from 1.
func (r *rows) Parent() int {
	if r.skip == 0 {
		return 0
	}
	n, _ := r.values[0].(int64)
	return int(n) - 1
}

// Misfit is nothing: MySQL keeps the types of columns.
func (*rows) Misfit(int) driver.Misfit { return driver.Misfit{} }

func (r *rows) Err() error { return r.err }

func (r *rows) Close() error {
	r.stop() // what nobody reads is nobody's error
	return nil
}

func (r *rows) AppendJSON(dst []byte, column int) []byte {
	f := r.of.columns[column]
	switch v := r.values[column+r.skip].(type) {
	case int64:
		return appendInteger(dst, v, f.Scalar)
	case float32:
		return schema.AppendFloat(dst, written(v))
	case float64:
		return schema.AppendFloat(dst, v)
	case []byte:
		return r.appendText(dst, v, f)
	case string:
		return r.appendText(dst, []byte(v), f)
	}
	return append(dst, "null"...)
}

// appendInteger appends an integer: of an Int as a number, of an ID and a BigInt as a string.
func appendInteger(dst []byte, i int64, s schema.Scalar) []byte {
	switch s {
	case schema.Boolean:
		return strconv.AppendBool(dst, i != 0)
	case schema.Int:
		return schema.AppendInt(dst, i)
	case schema.Float:
		return schema.AppendFloat(dst, float64(i))
	}
	return schema.AppendBigInt(dst, i)
}

// written is a float of 32 bits as it is written, not as its bits are: 0.1 is 0.1.
func written(v float32) float64 {
	f, _ := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
	return f
}

func (r *rows) appendText(dst, text []byte, f *schema.Field) []byte {
	if f.List || f.Scalar == schema.JSON || f.Scalar == schema.Embedded {
		if !r.answer.conn.server.mariadb {
			return schema.AppendValue(dst, f, document(viewed(text), f))
		}
		if f.List {
			return schema.AppendStoredList(dst, viewed(text), f)
		}
		return append(dst, text...)
	}
	switch f.Scalar {
	case schema.Int:
		return append(dst, text...)
	case schema.Decimal:
		return append(append(append(dst, '"'), decimal(text)...), '"')
	case schema.DateTime:
		return schema.AppendDateTime(dst, canonicalMoment(text))
	case schema.Time:
		return schema.AppendTime(dst, fraction(text))
	case schema.Bytes:
		return schema.AppendBytes(dst, text)
	}
	return schema.AppendString(dst, viewed(text))
}

func (r *rows) Value(column int) schema.Value {
	return value(r.values[column+r.skip], r.of.columns[column], r.answer.conn.server)
}

// value is a cell in the canonical form of its field.
func value(v sqldriver.Value, f *schema.Field, s *server) schema.Value {
	switch v := v.(type) {
	case int64:
		switch f.Scalar {
		case schema.Boolean:
			return schema.Bool(v != 0)
		case schema.Float:
			return schema.Double(float64(v))
		}
		return schema.Integer(v)
	case float32:
		return schema.Double(written(v))
	case float64:
		return schema.Double(v)
	case []byte:
		return textValue(v, f, s)
	case string:
		return textValue([]byte(v), f, s)
	}
	return schema.Null
}

func textValue(text []byte, f *schema.Field, s *server) schema.Value {
	isDocument := isDocument(f.Scalar)
	switch {
	case (f.List || isDocument) && !s.mariadb:
		return document(string(text), f)
	case f.List:
		return schema.StoredList(viewed(text), f)
	}
	switch f.Scalar {
	case schema.Int, schema.BigInt:
		i, _ := strconv.ParseInt(viewed(text), 10, 64)
		return schema.Integer(i)
	case schema.Decimal:
		return schema.Text(string(decimal(text)))
	case schema.DateTime:
		return schema.Text(canonicalMoment(text))
	case schema.Time:
		return schema.Text(fraction(text))
	case schema.Bytes:
		return schema.Raw(string(text))
	}
	return schema.Text(string(text))
}

// document is a list or document that MySQL wrote its own way, in the canonical form.
func document(text string, f *schema.Field) schema.Value {
	if f.List && f.Scalar != schema.Embedded {
		return schema.StoredList(text, f)
	}
	var plain any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&plain) != nil {
		return schema.Text(text)
	}
	v, err := f.Coerce(plain)
	if err != nil {
		return schema.Text(text)
	}
	return v
}

// decimal is a decimal without the zeros that end its fraction.
func decimal(text []byte) []byte {
	for i := range text {
		if text[i] != '.' {
			continue
		}
		end := len(text)
		for end > i+1 && text[end-1] == '0' {
			end--
		}
		if end == i+1 {
			end = i
		}
		text = text[:end]
		break
	}
	if string(text) == "-0" {
		return text[1:]
	}
	return text
}

// canonicalMoment is 2026-01-31 13:37:00.500000 as package schema writes it.
func canonicalMoment(text []byte) string {
	moment := []byte(fraction(text) + "Z")
	if len(moment) > 10 {
		moment[10] = 'T'
	}
	return string(moment)
}

// fraction is a time with the six digits after its seconds.
func fraction(text []byte) string {
	const zeros = ".000000"
	for i := range text {
		if text[i] == '.' {
			return string(text) + zeros[len(text)-i:]
		}
	}
	return string(text) + zeros
}

// viewed is a text where it stands, as long as it stands there.
func viewed(text []byte) string { return unsafe.String(unsafe.SliceData(text), len(text)) }

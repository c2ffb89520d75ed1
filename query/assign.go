package query

import (
	"slices"
	"strings"

	"github.com/cockroachdb/apd/v3"

	"spacecloud/schema"
)

// Of is what a change makes of what its column was, by a value: as the databases do it. It is null for a result
// that does not fit, which they refuse.
func (a Assign) Of(was, value schema.Value) schema.Value {
	switch a.Op {
	case Max, Min:
		if was.IsNull() || (compareValues(was, value, a.Field.Scalar == schema.Decimal) < 0) == (a.Op == Max) {
			return value
		}
		return was
	case Push:
		return pushed(was, value)
	case Pull:
		return pulled(was, value, a.Field.Scalar == schema.Decimal)
	case Inc, Mul:
		return a.number(was, value)
	}
	return value
}

// number is a sum or a product; null counts as 0.
func (a Assign) number(was, value schema.Value) schema.Value {
	switch {
	case a.Field.Scalar == schema.Decimal:
		return a.decimal(was, value)
	case a.Field.Scalar == schema.Float && a.Op == Inc:
		return schema.Double(was.Float() + value.Float())
	case a.Field.Scalar == schema.Float:
		return schema.Double(was.Float() * value.Float())
	case a.Op == Inc:
		return schema.Integer(was.Int() + value.Int())
	}
	return schema.Integer(was.Int() * value.Int())
}

// decimal is exact, and then rounded once, to the scale of the column.
func (a Assign) decimal(was, value schema.Value) schema.Value {
	if was.IsNull() {
		was = schema.Text("0")
	}
	precision, scale := a.Field.DecimalSize()
	of := apd.BaseContext.WithPrecision(uint32(2*precision + 2))
	of.Rounding = apd.RoundHalfUp
	x, _, err := apd.NewFromString(was.Text())
	if err != nil {
		return schema.Null
	}
	y, _, err := apd.NewFromString(value.Text())
	if err != nil {
		return schema.Null
	}
	do := of.Add
	if a.Op == Mul {
		do = of.Mul
	}
	if _, err := do(x, x, y); err != nil {
		return schema.Null
	}
	if _, err := of.Quantize(x, x, -int32(scale)); err != nil {
		return schema.Null
	}
	if x.Reduce(x); x.IsZero() {
		return schema.Text("0")
	}
	return schema.Text(x.Text('f'))
}

// pushed is a list with more elements. A list of embedded values is one text.
func pushed(was, more schema.Value) schema.Value {
	switch {
	case was.IsNull():
		return more
	case more.Kind() == schema.ListValue:
		return schema.List(slices.Concat(was.List(), more.List()))
	case lengthOf(was) == 0:
		return more
	case lengthOf(more) == 0:
		return was
	}
	return schema.Text(strings.TrimSuffix(was.Text(), "]") + "," + strings.TrimPrefix(more.Text(), "["))
}

// pulled is a list without the elements of another.
func pulled(was, gone schema.Value, decimal bool) schema.Value {
	if was.IsNull() {
		return was
	}
	return schema.List(slices.DeleteFunc(slices.Clone(was.List()), func(e schema.Value) bool {
		return has(gone, HasAny, schema.List([]schema.Value{e}), decimal)
	}))
}

package mongodb

import (
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/query"
	"spacecloud/schema"
)

// assigned are the fields of a $set, whose expressions all read the old document.
func assigned(w *query.Write, b *query.Binding) (bson.D, error) {
	s := newScope(nil)
	set := bson.D{}
	for _, a := range w.Set {
		set = append(set, bson.E{Key: s.name(a.Field), Value: s.assign(a)})
	}
	if len(s.stages) > 0 {
		s.fail("a value of an update cannot be taken from another row in MongoDB")
	}
	if s.err != nil {
		return nil, s.err
	}
	return filledDoc(set, b)
}

// remove takes a field away, which is how it is null.
const remove = "$$REMOVE"

// assignable is a value as an expression.
func assignable(v schema.Value, f *schema.Field) (any, error) {
	value, err := stored(v, f)
	if value == nil {
		return remove, err
	}
	return literal(value), err
}

func (s *scope) assign(a query.Assign) any {
	old := "$" + s.name(a.Field)
	value := s.value(a.Value, a.Field)
	switch a.Op {
	case query.Set:
		if a.Value.Kind == query.Column {
			return op("$ifNull", value, remove)
		}
		return slot{show: a.Value.String(), fill: func(b *query.Binding) (any, error) {
			v, err := operand(a.Value, b)
			if err != nil {
				return nil, err
			}
			return assignable(v, a.Field)
		}}
	case query.Max:
		return op("$ifNull", op("$max", old, value), remove)
	case query.Min:
		return op("$ifNull", op("$min", old, value), remove)
	case query.Push:
		return op("$concatArrays", op("$ifNull", old, bson.A{}), op("$ifNull", value, bson.A{}))
	case query.Pull:
		left := is("$filter", bson.D{{Key: "input", Value: old}, {Key: "cond", Value: not(op("$in", "$$this", op("$ifNull", value, bson.A{})))}})
		return when(isNil(old), remove, left)
	case query.Inc:
		return arithmetic("$add", old, value, a.Field)
	}
	return arithmetic("$multiply", old, value, a.Field)
}

// arithmetic is a result that fits, or an error of the conversion that it does not survive.
func arithmetic(operator, old string, value any, f *schema.Field) any {
	as := func(conversion string, e any) any { return is(conversion, op("$ifNull", e, 0)) }
	switch f.Scalar {
	case schema.Float:
		return is("$let", bson.D{
			{Key: "vars", Value: is("n", op(operator, as("$toDouble", old), as("$toDouble", value)))},
			{Key: "in", Value: when(op("$lt", is("$abs", "$$n"), math.Inf(1)), "$$n", is("$toLong", "$$n"))},
		})
	case schema.Decimal:
		return decimalResult(op(operator, as("$toDecimal", old), as("$toDecimal", value)), f)
	}
	conversion := "$toLong"
	if f.Scalar == schema.Int {
		conversion = "$toInt"
	}
	return is(conversion, op(operator, as("$toDecimal", old), as("$toDecimal", value)))
}

// sizeOf is the size of a decimal field, by default what all databases can hold.
func sizeOf(f *schema.Field) (precision, scale int) {
	if f.Precision == 0 {
		return 34, 9
	}
	return f.Precision, f.Scale
}

// decimalResult is rounded to the scale of a field. What has more digits before the point than
// the field holds is multiplied beyond every integer, so that it cannot be converted to one.
func decimalResult(e any, f *schema.Field) any {
	precision, scale := sizeOf(f)
	limit := decimalOf("1E+" + strconv.Itoa(precision-scale))
	beyond := is("$toLong", op("$multiply", "$$n", decimalOf("1E+30")))
	return is("$let", bson.D{
		{Key: "vars", Value: is("n", roundedAway(e, scale))},
		{Key: "in", Value: when(op("$lt", is("$abs", "$$n"), limit), "$$n", beyond)},
	})
}

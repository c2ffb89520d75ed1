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
		return arithmetic("$add", old, a)
	}
	return arithmetic("$multiply", old, a)
}

// arithmetic is a result that fits, or an error of the conversion that it does not survive.
func arithmetic(operator, old string, a query.Assign) any {
	f := a.Field
	was := op("$ifNull", old, 0)
	switch f.Scalar {
	case schema.Float:
		return is("$let", bson.D{
			{Key: "vars", Value: is("n", op(operator, is("$toDouble", was), number(a)))},
			{Key: "in", Value: when(op("$lt", is("$abs", "$$n"), math.Inf(1)), "$$n", is("$toLong", "$$n"))},
		})
	case schema.Decimal:
		return decimalResult(op(operator, is("$toDecimal", was), number(a)), f)
	}
	conversion := "$toLong"
	if f.Scalar == schema.Int {
		conversion = "$toInt"
	}
	return is(conversion, op(operator, was, number(a)))
}

// number is what a column is added to or multiplied by: a double, or else a decimal, of which each integer
// is one.
func number(a query.Assign) slot {
	return slot{show: a.Value.String(), fill: func(b *query.Binding) (any, error) {
		v, err := operand(a.Value, b)
		switch {
		case err != nil:
			return nil, err
		case v.IsNull():
			v = schema.Integer(0)
		}
		if a.Field.Scalar == schema.Float {
			return encode(v, a.Field)
		}
		return encode(v, &schema.Field{Scalar: schema.Decimal})
	}}
}

// decimalResult is rounded to the scale of a field. What has more digits before the point than
// the field holds is multiplied beyond every integer, so that it cannot be converted to one.
func decimalResult(e any, f *schema.Field) any {
	precision, scale := f.DecimalSize()
	limit := decimalOf("1E+" + strconv.Itoa(precision-scale))
	beyond := is("$toLong", op("$multiply", "$$n", decimalOf("1E+30")))
	return is("$let", bson.D{
		{Key: "vars", Value: is("n", roundedAway(e, scale))},
		{Key: "in", Value: when(op("$lt", is("$abs", "$$n"), limit), "$$n", beyond)},
	})
}

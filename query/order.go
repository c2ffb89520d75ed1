package query

import (
	"slices"

	"spacecloud/schema"
)

// Complete is a sort key with the ties broken by ascending primary key, so that no two rows
// are equal in it.
func Complete(t *schema.Type, orders []Order) []Order {
	all := slices.Clone(orders)
	for _, key := range t.Primary {
		if !slices.ContainsFunc(all, func(o Order) bool { return o.Field == key && len(o.Via) == 0 }) {
			all = append(all, Order{Field: key, Ours: true})
		}
	}
	return all
}

// Reverse is the sort key that gives the rows the other way round.
func Reverse(orders []Order) []Order {
	all := slices.Clone(orders)
	for i, o := range orders {
		all[i].Nulls = NullsFirst
		if o.nullsFirst() {
			all[i].Nulls = NullsLast
		}
		all[i].Desc = !o.Desc
	}
	return all
}

// Nullable is whether a row's value can be null.
func (o Order) Nullable() bool { return !o.Field.NonNull || len(o.Via) > 0 }

func (o Order) nullsFirst() bool { return o.Nulls == NullsFirst || o.Nulls == NullsDefault && o.Desc }

func (o Order) column() Operand { return Operand{Kind: Column, Field: o.Field, Via: o.Via} }

// Beyond is true for the rows that come after the row whose values of a complete sort key are
// given. It depends on no value, so one plan serves every page.
func Beyond(orders []Order, values []Operand) Where {
	o, value := orders[0], values[0]
	further := Compare{Left: o.column(), Op: Gt, Right: value}
	if o.Desc {
		further.Op = Lt
	}
	switch {
	case o.Nullable():
		return o.beyondNullable(further, orders, values)
	case len(orders) == 1:
		return further
	}
	// The first condition is one range of an index, which the second alone would not be.
	from := further
	from.Op = Gte
	if o.Desc {
		from.Op = Lte
	}
	return And{from, Or{further, Beyond(orders[1:], values[1:])}}
}

// beyondNullable counts nulls as one value before or after all others.
func (o Order) beyondNullable(further Compare, orders []Order, values []Operand) Where {
	column, value := IsNull{o.column()}, IsNull{values[0]}
	afterNull := And{column, Not{value}} // nulls are last: they come after what is none
	if o.nullsFirst() {
		afterNull = And{Not{column}, value}
	}
	after := Or{further, afterNull}
	if len(orders) == 1 {
		return after
	}
	same := Or{Compare{Left: o.column(), Op: Eq, Right: values[0]}, And{column, value}}
	return append(after, And{same, Beyond(orders[1:], values[1:])})
}

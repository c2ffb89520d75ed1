package query

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Of are the measures of each group of rows, in order: the meaning of Groups, said slowly, as
// Holds is that of Where. An error is that of Measure.Of.
func (g *Groups) Of(rows []Row, b Binding) ([][]schema.Value, error) {
	all := g.split(rows)
	var err error
	for _, each := range all {
		each.err = &err
	}
	all = slices.DeleteFunc(all, func(each *group) bool {
		return g.Having != nil && Holds(g.Having, each, b) != True
	})
	slices.SortStableFunc(all, func(x, y *group) int { return g.compare(x, y) })
	out := make([][]schema.Value, len(all))
	for i, each := range all {
		for _, m := range g.Measures {
			out[i] = append(out[i], each.measure(m))
		}
	}
	return out, err
}

// group is rows of one group. As a Row it has no columns, but measures.
type group struct {
	key  []schema.Value
	rows []Row
	err  *error
}

func (g *group) Value(*schema.Field) schema.Value { panic("a group of rows has measures, not columns") }
func (g *group) Linked(*schema.Field) []Row       { panic("a group of rows has no links") }
func (g *group) All(*schema.Type) []Row           { panic("a condition on groups asks for other rows") }

func (g *group) measure(m Measure) schema.Value {
	v, err := m.Of(g.rows)
	if err != nil {
		*g.err = err
	}
	return v
}

func (g *Groups) split(rows []Row) []*group {
	if len(g.By) == 0 {
		return []*group{{rows: rows}}
	}
	var all []*group
	for _, row := range rows {
		key := make([]schema.Value, len(g.By))
		for i, f := range g.By {
			key[i] = row.Value(f)
		}
		i := slices.IndexFunc(all, func(each *group) bool {
			return slices.EqualFunc(each.key, key, func(a, b schema.Value) bool { return a.Compare(b) == 0 })
		})
		if i < 0 {
			i = len(all)
			all = append(all, &group{key: key})
		}
		all[i].rows = append(all[i].rows, row)
	}
	return all
}

func (g *Groups) compare(x, y *group) int {
	for _, o := range g.OrderBy {
		a, b := x.measure(o.Measure), y.measure(o.Measure)
		if c := compareNullable(a, b, o, o.Measure.Scalar() == schema.Decimal); c != 0 {
			return c
		}
	}
	return 0
}

func compareNullable(a, b schema.Value, o GroupOrder, decimal bool) int {
	nullsFirst := o.Nulls == NullsFirst || o.Nulls == NullsDefault && o.Desc
	switch {
	case a.IsNull() && b.IsNull():
		return 0
	case a.IsNull() == nullsFirst && a.IsNull() != b.IsNull():
		return -1
	case a.IsNull() != b.IsNull():
		return 1
	case o.Desc:
		return compareValues(b, a, decimal)
	}
	return compareValues(a, b, decimal)
}

// Of is the measure of rows. An error is that of OfValues.
func (m Measure) Of(rows []Row) (schema.Value, error) {
	values := make([]schema.Value, len(rows))
	if m.Field != nil {
		for i, row := range rows {
			values[i] = row.Value(m.Field)
		}
	}
	return m.OfValues(values)
}

// OfValues is the measure of rows that have these values of its column, one each. An error is
// fault.Invalid: a sum that its type does not hold.
func (m Measure) OfValues(all []schema.Value) (schema.Value, error) {
	switch {
	case m.Fn == CountRows:
		return schema.Integer(int64(len(all))), nil
	case m.Fn == KeyOf && len(all) > 0:
		return all[0], nil
	}
	values := slices.DeleteFunc(slices.Clone(all), schema.Value.IsNull)
	decimal := m.Field.Scalar == schema.Decimal
	slices.SortFunc(values, func(a, b schema.Value) int { return compareValues(a, b, decimal) })
	switch {
	case m.Fn == CountDistinct:
		values = slices.CompactFunc(values, func(a, b schema.Value) bool { return a.Compare(b) == 0 })
		return schema.Integer(int64(len(values))), nil
	case len(values) == 0:
		return schema.Null, nil
	case m.Fn == Least:
		return values[0], nil
	case m.Fn == Greatest:
		return values[len(values)-1], nil
	}
	return m.total(values)
}

// total is the sum or the average of numbers.
func (m Measure) total(values []schema.Value) (schema.Value, error) {
	sum := new(big.Rat)
	digits := 0
	for _, v := range values {
		n := new(big.Rat)
		if v.Kind() == schema.FloatValue {
			n.SetFloat64(v.Float())
		} else {
			n.SetString(plainText(v)) // a canonical number
			_, part, _ := strings.Cut(v.Text(), ".")
			digits = max(digits, len(part))
		}
		sum.Add(sum, n)
	}
	if m.Fn == Avg {
		sum.Quo(sum, new(big.Rat).SetInt64(int64(len(values))))
		digits = m.Column().Scale
	}
	switch m.Scalar() {
	case schema.BigInt:
		if !sum.Num().IsInt64() {
			return schema.Null, fault.New(fault.Invalid, "%s", m.Beyond())
		}
		return schema.Integer(sum.Num().Int64()), nil
	case schema.Decimal:
		return schema.Text(canonicalDecimal(sum.FloatString(digits))), nil
	}
	f, _ := sum.Float64()
	if math.IsInf(f, 0) {
		return schema.Null, fault.New(fault.Invalid, "%s", m.Beyond())
	}
	return schema.Double(f), nil
}

// Beyond is what to say when a sum or an average is not a value of its type.
func (m Measure) Beyond() string {
	what := map[Function]string{Sum: "the sum", Avg: "the average"}[m.Fn] + " of " + m.Field.Owner.Name + "." + m.Field.Name
	switch m.Scalar() {
	case schema.BigInt:
		return what + " does not fit into 64 bits"
	case schema.Float:
		return what + " is not a finite number"
	}
	return what + " is of something that is no decimal"
}

func canonicalDecimal(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	if s == "-0" {
		return "0"
	}
	return s
}

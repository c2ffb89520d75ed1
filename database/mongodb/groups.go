package mongodb

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// grouping are the fields of groups, by what they are measures of.
type grouping struct {
	scope  *scope
	groups *query.Groups
	stage  bson.D
	names  []query.Measure // of each field m0, m1, … what it is the rows' measure of
}

// groups appends the stages that make groups of rows.
func (s *scope) groups(l *query.Level) []cell {
	g := &grouping{scope: s, groups: l.Groups}
	var key any
	if len(l.Groups.By) > 0 {
		doc := bson.D{}
		for i, f := range l.Groups.By {
			doc = append(doc, bson.E{Key: "k" + strconv.Itoa(i), Value: op("$ifNull", "$"+s.name(f), nil)})
		}
		key = doc
	}
	g.stage = bson.D{{Key: "_id", Value: key}}
	for _, m := range l.Groups.Measures {
		g.gather(m)
	}
	for _, o := range l.Groups.OrderBy {
		g.gather(o.Measure)
	}
	s.measure = func(m query.Measure) any { g.gather(m); return g.value(m) }
	having := any(true)
	if !sqlgen.Always(l.Groups.Having) {
		having = s.truth(l.Groups.Having, true)
	}
	s.stages = append(s.stages, is("$group", g.stage))
	if having != true {
		s.stage("$match", is("$expr", having))
	}
	g.sort()
	s.page(l)
	return g.project()
}

// gather has the accumulators of a measure among those of the group.
func (g *grouping) gather(m query.Measure) {
	if m.Fn == query.KeyOf || slices.Contains(g.names, m) {
		return
	}
	name := "m" + strconv.Itoa(len(g.names))
	g.names = append(g.names, m)
	add := func(suffix, accumulator string, e any) {
		g.stage = append(g.stage, bson.E{Key: name + suffix, Value: is(accumulator, e)})
	}
	if m.Fn == query.CountRows {
		add("", "$sum", 1)
		return
	}
	e := any("$" + g.scope.name(m.Field))
	switch m.Fn {
	case query.CountDistinct:
		add("", "$addToSet", when(hasValue(e), e, "$$REMOVE"))
	case query.Least:
		add("", "$min", e)
	case query.Greatest:
		add("", "$max", e)
	default:
		isNumber := is("$isNumber", e)
		add("n", "$sum", when(isNumber, 1, 0))
		add("x", "$sum", when(both(hasValue(e), not(isNumber)), 1, 0))
		e = when(isNumber, e, nil)
		switch m.Field.Scalar {
		case schema.Decimal: // the whole and the rest each have room for the digits of a sum
			add("", "$sum", is("$trunc", e))
			add("r", "$sum", op("$subtract", e, is("$trunc", e)))
		case schema.BigInt: // a sum of longs that does not fit would be a double
			add("", "$sum", is("$toDecimal", e))
		default:
			add("", "$sum", e)
		}
	}
}

func (g *grouping) name(m query.Measure) string {
	return "$m" + strconv.Itoa(slices.Index(g.names, m))
}

// value is a measure as conditions and orders have it.
func (g *grouping) value(m query.Measure) any {
	if m.Fn == query.KeyOf {
		return "$_id.k" + strconv.Itoa(slices.Index(g.groups.By, m.Field))
	}
	name := g.name(m)
	sum := any(name)
	if (m.Fn == query.Sum || m.Fn == query.Avg) && m.Field.Scalar == schema.Decimal {
		sum = op("$add", name, name+"r")
	}
	switch m.Fn {
	case query.CountDistinct:
		return is("$size", name)
	case query.Sum:
		return when(op("$gt", name+"n", 0), sum, nil)
	case query.Avg:
		average := any(is("$toDouble", op("$divide", is("$toDecimal", sum), name+"n")))
		switch m.Field.Scalar {
		case schema.Decimal:
			average = roundedAway(op("$divide", sum, name+"n"), m.Column().Scale)
		case schema.Float:
			average = op("$divide", sum, name+"n")
		}
		return when(op("$gt", name+"n", 0), average, nil)
	}
	return name
}

// roundedAway rounds a decimal half away from zero, which $round does not. What needs no rounding
// is left alone: it may have all the digits there are.
func roundedAway(e any, digits int) any {
	half := decimalOf("0.5E-" + strconv.Itoa(digits))
	away := when(op("$lt", "$$n", 0), op("$subtract", "$$n", half), op("$add", "$$n", half))
	return is("$let", bson.D{{Key: "vars", Value: is("n", e)}, {Key: "in", Value: when(op("$eq", "$$n", op("$trunc", "$$n", digits)), "$$n", op("$trunc", away, digits))}})
}

func (g *grouping) sort() {
	if len(g.groups.OrderBy) == 0 {
		return
	}
	set, key := bson.D{}, bson.D{}
	for _, o := range g.groups.OrderBy {
		e := g.value(o.Measure)
		if o.Measure.Nullable() {
			g.scope.nulls(&set, &key, e, o.Desc, o.Nulls)
		}
		name := g.scope.field()
		set = append(set, bson.E{Key: name, Value: e})
		key = appendKey(key, name, o.Desc)
	}
	g.scope.stage("$set", set)
	g.scope.stage("$sort", key)
}

// project appends what is read of each group: of totals their parts, which are put together here.
func (g *grouping) project() []cell {
	cells := make([]cell, len(g.groups.Measures))
	out := bson.D{{Key: "_id", Value: 0}, {Key: prefix, Value: literal(true)}}
	for i, m := range g.groups.Measures {
		cells[i].field = m.Column()
		cells[i].counts = m.Fn == query.CountRows || m.Fn == query.CountDistinct
		e := g.value(m)
		if m.Fn == query.Sum || m.Fn == query.Avg {
			cells[i].total = &m
			e = totalParts(g.name(m), m)
		}
		out = append(out, bson.E{Key: "c" + strconv.Itoa(i), Value: e})
	}
	g.scope.stage("$project", out)
	return cells
}

func totalParts(name string, m query.Measure) any {
	parts := bson.A{name + "n", name + "x", name}
	if m.Field.Scalar == schema.Decimal {
		parts = append(parts, name+"r")
	}
	return parts
}

// total is a measure of its parts: how many values there are, how many that cannot be added, and what
// the sums are. Found is what is wrong with the values.
func total(v bson.RawValue, m query.Measure) (value schema.Value, found string, err error) {
	array, _ := v.ArrayOK()
	parts, err := array.Values()
	if err != nil || len(parts) < 3 {
		return schema.Null, "", fault.Wrap(fault.Internal, err, "the database answered no total")
	}
	n, _ := integerIn(parts[0])
	others, _ := integerIn(parts[1])
	switch {
	case others > 0:
		return schema.Null, fmt.Sprintf("of numbers and %d other values", others), nil
	case n == 0:
		return schema.Null, "", nil
	case m.Field.Scalar == schema.Float:
		value, err = floatTotal(n, parts[2], m)
		return value, "", err
	}
	return exactTotal(n, parts[2:], m)
}

func floatTotal(n int64, sum bson.RawValue, m query.Measure) (schema.Value, error) {
	f, ok := floatIn(sum)
	if !ok {
		return schema.Null, fault.New(fault.Invalid, "%s", m.Beyond())
	}
	if m.Fn == query.Avg {
		f /= float64(n)
	}
	return schema.Double(f), nil
}

// exactTotal is a measure of n values, of the sums of their parts.
func exactTotal(n int64, sums []bson.RawValue, m query.Measure) (value schema.Value, found string, err error) {
	beyond := fault.New(fault.Invalid, "%s", m.Beyond())
	sum := new(big.Rat)
	for _, part := range sums {
		text, ok := decodeDecimal(part)
		digits, fits := new(big.Rat).SetString(text.Text())
		if !ok || !fits {
			return schema.Null, "", beyond
		}
		sum.Add(sum, digits)
	}
	if m.Fn == query.Avg {
		sum.Quo(sum, new(big.Rat).SetInt64(n))
	}
	switch m.Scalar() {
	case schema.BigInt:
		switch {
		case !sum.IsInt():
			return schema.Null, "of values that are no integers", nil
		case !sum.Num().IsInt64():
			return schema.Null, "", beyond
		}
		return schema.Integer(sum.Num().Int64()), "", nil
	case schema.Decimal:
		return schema.Text(canonical(sum.FloatString(m.Column().Scale))), "", nil
	}
	f, _ := sum.Float64()
	if math.IsInf(f, 0) {
		return schema.Null, "", beyond
	}
	return schema.Double(f), "", nil
}

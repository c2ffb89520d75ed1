package query

import (
	"slices"

	"spacecloud/schema"
)

// Groups makes a Find or a Level answer with what rows have in common instead of rows.
type Groups struct {
	// By are the columns whose values make a group; null is a value. For none, all rows are
	// one group, which is there without a row too.
	By       []*schema.Field
	Measures []Measure // what is read, by position
	Having   Where     // on Measured operands only; nil for all groups
	OrderBy  []GroupOrder
}

// Measure is what a group is asked for.
type Measure struct {
	Fn    Function
	Field *schema.Field // nil for CountRows
}

// GroupOrder is one part of a sort key of groups.
type GroupOrder struct {
	Measure Measure
	Desc    bool
	Nulls   Nulls
}

// Function makes one value of the rows of a group. But for the counts, null is not among the
// values that it sees, and it is null when it sees none.
type Function uint8

// The functions.
const (
	KeyOf         Function = iota // the value of a column of Groups.By
	CountRows                     // of rows: an Int
	CountDistinct                 // of the values that differ and are not null: an Int
	Sum                           // exact but for Float; of an Int a BigInt
	Avg                           // a Float; of a Decimal a Decimal, see AvgScale
	Least                         // by the order of the column
	Greatest
)

// AvgScale is how many digits the average of decimals has after those of the column's scale;
// it is rounded half away from zero.
const AvgScale = 4

var functionNames = [...]string{"group", "count", "countDistinct", "sum", "avg", "min", "max"}

func (f Function) String() string { return functionNames[f] }

func (m Measure) String() string {
	if m.Field == nil {
		return m.Fn.String()
	}
	return m.Fn.String() + "." + m.Field.Name
}

// Scalar is what the measure's value is.
func (m Measure) Scalar() schema.Scalar {
	switch m.Fn {
	case CountRows, CountDistinct:
		return schema.Int
	case Sum:
		if m.Field.Scalar == schema.Int {
			return schema.BigInt
		}
	case Avg:
		if m.Field.Scalar != schema.Decimal {
			return schema.Float
		}
	}
	return m.Field.Scalar
}

// Column is a column such as would hold the measure's values: how they are read, written and
// compared.
func (m Measure) Column() *schema.Field {
	switch m.Fn {
	case KeyOf, Least, Greatest:
		return m.Field
	}
	c := &schema.Field{Name: m.String(), Scalar: m.Scalar(), NonNull: !m.Nullable(), Index: -1}
	if c.Scalar == schema.Decimal && m.Field.Precision > 0 {
		// A sum has more digits than what it is of: as many as 2^63 rows can make.
		c.Precision, c.Scale = m.Field.Precision+19, m.Field.Scale
		if m.Fn == Avg {
			c.Precision, c.Scale = c.Precision+AvgScale, c.Scale+AvgScale
		}
	}
	return c
}

// Nullable is whether the measure of a group that has rows can be null.
func (m Measure) Nullable() bool {
	return m.Fn != CountRows && m.Fn != CountDistinct && !m.Field.NonNull
}

// Nothing is the measure of no rows.
func (m Measure) Nothing() schema.Value {
	if m.Fn == CountRows || m.Fn == CountDistinct {
		return schema.Integer(0)
	}
	return schema.Null
}

// Operand is the measure as one side of a condition on groups.
func (m Measure) Operand() Operand {
	return Operand{Kind: Measured, Fn: m.Fn, Field: m.Field, Scalar: m.Scalar()}
}

// Add has m read, once, and returns it for an Item.
func (g *Groups) Add(m Measure) *Measure {
	if !slices.Contains(g.Measures, m) {
		g.Measures = append(g.Measures, m)
	}
	return &m
}

// Complete is g with the ties of its order broken by the columns it groups by.
func (g *Groups) Complete() *Groups {
	c := *g
	c.OrderBy = slices.Clone(g.OrderBy)
	for _, f := range g.By {
		key := Measure{Fn: KeyOf, Field: f}
		if !slices.ContainsFunc(c.OrderBy, func(o GroupOrder) bool { return o.Measure == key }) {
			c.OrderBy = append(c.OrderBy, GroupOrder{Measure: key})
		}
	}
	return &c
}

// Fields are the columns that the groups tell something of, some more than once.
func (g *Groups) Fields() []*schema.Field {
	fields := slices.Clone(g.By)
	add := func(f *schema.Field) {
		if f != nil {
			fields = append(fields, f)
		}
	}
	for _, m := range g.Measures {
		add(m.Field)
	}
	for _, o := range g.OrderBy {
		add(o.Measure.Field)
	}
	walkWhere(g.Having, func(o Operand) { add(o.Field) })
	return fields
}

// Replace is a condition on the row itself with other operands.
func Replace(w Where, with func(Operand) Operand) Where {
	switch w := w.(type) {
	case And:
		return And(replaceAll(w, with))
	case Or:
		return Or(replaceAll(w, with))
	case Not:
		return Not{Where: Replace(w.Where, with)}
	case Untrue:
		return Untrue{Where: Replace(w.Where, with)}
	case Compare:
		return Compare{Left: with(w.Left), Op: w.Op, Right: with(w.Right)}
	case IsNull:
		return IsNull{Operand: with(w.Operand)}
	}
	return w
}

func replaceAll(ws []Where, with func(Operand) Operand) []Where {
	out := make([]Where, len(ws))
	for i, w := range ws {
		out[i] = Replace(w, with)
	}
	return out
}

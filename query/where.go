package query

import (
	"fmt"
	"strings"

	"spacecloud/schema"
)

// Where is a condition on a row, three-valued: only what is true admits. It is one of And,
// Or, Not, Untrue, Compare, Among, IsNull, Empty, JSON, Search, Some, One, Count, Exists and Truth.
type Where interface {
	fmt.Stringer
	where()
}

// And is true when all of it are; And{} is true.
type And []Where

// Or is true when one of it is; Or{} is false.
type Or []Where

// Not turns true and false around and leaves unknown.
type Not struct{ Where Where }

// Untrue is true when Where is false or unknown; never unknown.
type Untrue struct{ Where Where }

// Compare is unknown when an operand is null, or for In and Nin as SQL has it.
type Compare struct {
	Left  Operand
	Op    Op
	Right Operand // for In and Nin a list
}

// IsNull is whether an operand is null; never unknown.
type IsNull struct{ Operand Operand }

// Some is whether a row that the link leads to meets Where, in which Up: 0 is that row and
// Up: 1 this one. Never unknown.
type Some struct {
	Link *schema.Field
	// Through says which rows of the link's join type count, in which Up: 0 is such a row and
	// Up: 1 this one. Nil for all, and for a link without a join type.
	Through Where
	Where   Where
}

// Exists is whether any row of Type meets Where, in which Up: 0 is that row and Up: 1 this
// one. Never unknown.
type Exists struct {
	Type  *schema.Type
	Where Where
}

// Truth is a constant condition.
type Truth uint8

// The three truths.
const (
	Unknown Truth = iota
	False
	True
)

func (And) where()     {}
func (Or) where()      {}
func (Not) where()     {}
func (Untrue) where()  {}
func (Compare) where() {}
func (IsNull) where()  {}
func (Some) where()    {}
func (Exists) where()  {}
func (Truth) where()   {}

// Op compares two operands.
type Op uint8

// The operators. Strings compare by their bytes; the I forms fold ASCII and Unicode case.
const (
	Eq Op = iota
	Ne
	Gt
	Gte
	Lt
	Lte
	In
	Nin
	Like  // % and _, backslash escapes
	ILike // the same without case
	StartsWith
	EndsWith
	Contains
	IContains
	Regex // RE2, unanchored
	// HasAny and HasAll take Left and Right as sets, in which null is an element as any
	// other: whether one of Right, or each, is in Left.
	HasAny
	HasAll
)

var opNames = [...]string{"=", "!=", ">", ">=", "<", "<=", "in", "not in", "like", "ilike", "starts with", "ends with", "contains", "icontains", "matches", "has any of", "has all of"}

func (o Op) String() string { return opNames[o] }

// OperandKind says where an operand's value comes from.
type OperandKind uint8

// The kinds of operands.
const (
	NoOperand OperandKind = iota
	Constant              // Value
	Arg                   // Binding.Args[Index]
	Claim                 // Binding.Claims[Index]
	Column                // Field of the row Up scopes outward, after the to-one links Via
	Measured              // Fn of Field, of a group of rows; only in Groups.Having
)

// Operand is one side of a comparison, a limit or an assigned value.
type Operand struct {
	Kind OperandKind
	Fn   Function
	// Scalar says what an Arg or Claim holds, so that a driver can bind it as that.
	Scalar schema.Scalar
	Value  schema.Value
	Index  int
	Field  *schema.Field
	Via    []*schema.Field
	Up     int
	// Inside are the embedded columns that a Column's Field is inside of, outermost first:
	// none for a column of a table.
	Inside []*schema.Field
}

// Const is a constant operand.
func Const(v schema.Value) Operand { return Operand{Kind: Constant, Value: v} }

// ArgAt is a value of the request.
func ArgAt(i int) Operand { return Operand{Kind: Arg, Index: i} }

// ClaimAt is a value of the caller.
func ClaimAt(i int) Operand { return Operand{Kind: Claim, Index: i} }

// Col is a column of the row itself.
func Col(f *schema.Field) Operand { return Operand{Kind: Column, Field: f} }

// IsZero is whether there is no operand.
func (o Operand) IsZero() bool { return o.Kind == NoOperand }

func (o Operand) String() string {
	switch o.Kind {
	case Constant:
		return o.Value.String()
	case Arg:
		return fmt.Sprintf("$%d", o.Index)
	case Claim:
		return fmt.Sprintf("@%d", o.Index)
	case Column:
		var b strings.Builder
		b.WriteString(strings.Repeat("^", o.Up))
		for _, l := range o.Via {
			b.WriteString(l.Name + ".")
		}
		for _, f := range o.Inside {
			b.WriteString(f.Name + ".")
		}
		b.WriteString(o.Field.Name)
		return b.String()
	case Measured:
		return Measure{Fn: o.Fn, Field: o.Field}.String()
	}
	return "nothing"
}

func (w And) String() string    { return join([]Where(w), " and ", "true") }
func (w Or) String() string     { return join([]Where(w), " or ", "false") }
func (w Not) String() string    { return "not (" + w.Where.String() + ")" }
func (w Untrue) String() string { return "untrue (" + w.Where.String() + ")" }
func (w Compare) String() string {
	return w.Left.String() + " " + w.Op.String() + " " + w.Right.String()
}
func (w IsNull) String() string { return w.Operand.String() + " is null" }
func (w Some) String() string {
	return "some " + w.Link.Name + ifAny(" through ", w.Through) + " (" + w.Where.String() + ")"
}
func (w Exists) String() string { return "exists " + w.Type.Name + " (" + w.Where.String() + ")" }
func (t Truth) String() string  { return [...]string{"unknown", "false", "true"}[t] }

func join(ws []Where, sep, empty string) string {
	if len(ws) == 0 {
		return empty
	}
	parts := make([]string, len(ws))
	for i, w := range ws {
		parts[i] = w.String()
	}
	return "(" + strings.Join(parts, sep) + ")"
}

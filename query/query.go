// Package query is the project's sentence: what is asked of rows, with no word about
// GraphQL, REST or SQL. Doors build queries, rules narrow them, drivers answer them.
package query

import (
	"spacecloud/schema"
)

// Find asks for rows and says how the answer looks.
type Find struct {
	Type    *schema.Type
	Items   []Item // the answer's members in order
	Where   Where  // nil for all
	OrderBy []Order
	// Distinct leaves of the rows that agree in these columns the first by OrderBy. Nulls agree.
	Distinct []*schema.Field
	Limit    Operand // zero Operand for none
	Offset   Operand
	One      bool // by a unique key: the answer is an object or null, not a list
	// Groups asks for groups of the rows instead; with One for the one of all rows. OrderBy
	// is not used then.
	Groups *Groups
	// Page shows one page of the list as a connection instead.
	Page *Page
}

// Item is one member of an answer's object.
type Item struct {
	Name     string        // the response key
	Field    *schema.Field // a column; nil for others
	Members  []Item        // of a column that holds an embedded value: what to show of it
	Link     *schema.Field // a link, answered by Find
	Find     *Find
	Typename string   // not empty for __typename: the text to show
	Measure  *Measure // of groups: one of Groups.Measures
	Object   []Item   // of groups: measures and constants, as an object
	Cursor   bool     // of an edge of a page: the row's cursor
	Node     []Item   // of an edge of a page: the row
	// Of a write's answer:
	Affected  bool  // the number of rows
	Returning *Find // the rows
}

// Order is one part of a sort key.
type Order struct {
	Field *schema.Field
	Via   []*schema.Field // to-one links from the row to the field's owner
	// When is where the row that Via leads to may be read, nil for everywhere: elsewhere the key is null.
	When  Where
	Desc  bool
	Nulls Nulls
	// Ours is whether nobody asked for it: it breaks the ties of what was asked for.
	Ours bool
}

// Nulls says where nulls sort.
type Nulls uint8

// NullsDefault is last in ascending, first in descending order.
const (
	NullsDefault Nulls = iota
	NullsFirst
	NullsLast
)

// Level is one statement's worth of a Find: the rows of one type, for every parent at once
// when it is reached by a link. Drivers render it once and run it with many bindings.
type Level struct {
	Type    *schema.Type
	Columns []Cell // what to read, by position
	Where   Where
	OrderBy []Order // complete: the ties are broken by the primary key already
	// Distinct are the columns of which each combination is answered once, by the first row
	// of the order; per parent when Via is set. Nil for all rows.
	Distinct []*schema.Field
	Limit    Operand // of all rows, or per parent when Via is set
	Offset   Operand
	Via      *Via // nil for a root
	// Given asks about one row that is not stored, instead of those that are: Binding.Keys holds
	// its values of these columns, and the others are null. Nil for the stored rows.
	Given []*schema.Field
	// Lock keeps others from changing or deleting the rows that a transaction reads until it ends,
	// where they could while it writes.
	Lock bool
	// Chosen is whether a caller chose the rows of a change by Where: what becomes of them tells
	// what Where says of them, so it is asked of rows only that the caller may read, too.
	Chosen bool
	// Groups makes groups of the rows that meet Where: Groups.Measures are read instead of
	// Columns, and Groups.OrderBy is the order. With Via they are the groups of each key, and
	// By is empty; a key without rows need not have one.
	Groups *Groups
	Count  bool
}

// Cell is one column to read.
type Cell struct {
	Field *schema.Field
	Via   []*schema.Field // to-one links from the row to the field's owner
	When  Where           // null is read unless this is true; nil for always. It does not Search: rules cannot.
}

// Via says how a level's rows belong to the keys of the binding.
//
// Binding.Keys holds n keys of len(Link.From) values each (or of the primary key's columns
// when Link is nil). The answer's rows come grouped by key, the groups ascending by the
// key's ordinal, each group in the order of the level.
type Via struct {
	// Link is the link from the parents to this level's type; nil when the keys are this
	// type's own primary keys.
	Link *schema.Field
	// Single is whether at most one row answers each key.
	Single bool
	// Through says which rows of the link's join type count, in which Up: 0 is such a row. Nil
	// for all, and for a link without a join type.
	Through Where
}

// Binding gives a rendered level or write the values of its operands.
type Binding struct {
	Args   []schema.Value // of the request, by Operand.Index
	Claims []schema.Value // of the caller, by Operand.Index
	Keys   []schema.Value // flat: key by key; for Level.Via and Write.Keys
}

// Verb is what is done to rows.
type Verb uint8

// The verbs.
const (
	Read Verb = iota
	Create
	Update
	Delete
)

func (v Verb) String() string { return [...]string{"read", "create", "update", "delete"}[v] }

// Write changes rows of one type. Drivers take one at a time inside a transaction.
type Write struct {
	Verb    Verb
	Type    *schema.Type
	Columns []*schema.Field  // of an insert
	Rows    [][]schema.Value // of an insert: values in the order of Columns
	// An update may have Rows, too: then Columns begin with the primary key, which says which
	// row each is for, and the others are set to its values, beside what Set does to all.
	Set   []Assign // of an update
	Where Where    // of an update or delete; nil for all
	// Chosen is that of a Level.
	Chosen bool
	// ByKeys restricts an update or delete to Binding.Keys: flat primary keys.
	ByKeys bool
	// WantKeys asks for the primary keys of the rows that were written, in the order of
	// Rows for an insert.
	WantKeys bool
	// Returning asks for these columns of the rows that were written, as they are stored then, in
	// the order of Rows for an insert. It is for drivers with that feature.
	Returning []*schema.Field
	// Readable keeps the transaction fit to be read from when the write breaks a constraint, so
	// that somebody can ask what that means before it is rolled back.
	Readable bool
}

// SetColumns are the columns that the rows of an update set.
func (w *Write) SetColumns() []*schema.Field {
	if w.Verb != Update || len(w.Rows) == 0 {
		return nil
	}
	return w.Columns[len(w.Type.Primary):]
}

// Assign is one change of a column in an update.
type Assign struct {
	Field *schema.Field
	Op    AssignOp
	Value Operand
}

// AssignOp is how a column changes.
type AssignOp uint8

// The operators. The right-hand sides read the old row; null counts as 0 for Inc and Mul and as
// absent for Max and Min.
const (
	Set AssignOp = iota
	Inc
	Mul
	Max
	Min
	Push // appends the elements of a list; null counts as []
	Pull // takes the elements of a list out
)

func (o AssignOp) String() string {
	return [...]string{"set", "inc", "mul", "max", "min", "push", "pull"}[o]
}

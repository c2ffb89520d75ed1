// Package sqlgen says a question of package query in SQL: one text per plan with a
// placeholder for every value, and what each placeholder binds.
//
// Identifiers come from the schema only and are always quoted; values are parameters only.
// What differs between databases stands behind Dialect.
package sqlgen

import (
	"strconv"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/schema"
)

// Statement is a text and what its placeholders bind, in the order of the text.
type Statement struct {
	Text   string
	Params []Param
}

func (s Statement) String() string { return s.Text }

// Bound implements driver.Bound: the values by the number of their placeholder.
func (s Statement) Bound(b query.Binding) []string {
	texts := make([]string, len(s.Params))
	for i, p := range s.Params {
		value := "keys"
		if p.Bind != Key && p.Bind != Keys {
			value = valueOf(p.From, b)
		}
		texts[i] = strconv.Itoa(i+1) + " = " + value
	}
	return texts
}

func valueOf(o query.Operand, b query.Binding) string {
	switch o.Kind {
	case query.Arg:
		if o.Index >= len(b.Args) {
			return driver.Answered
		}
		return b.Args[o.Index].String()
	case query.Claim:
		return b.Claims[o.Index].String()
	}
	return o.Value.String()
}

// Param says what one placeholder binds.
type Param struct {
	Bind Bind
	// From is where the value comes from: a Constant, an Arg or a Claim; for Key and Keys
	// it is Binding.Keys.
	From query.Operand
	// Scalar is what the value, or the elements of the list, are compared with or stored as;
	// NoScalar when nothing says so.
	Scalar schema.Scalar
	// Key is the place in a key, for Key.
	Key int
	// Columns are the key's columns, for Keys and Among.
	Columns []*schema.Field
}

// Bind is how a placeholder gets its value.
type Bind uint8

// The ways to bind.
const (
	Value     Bind = iota // the value itself
	List                  // a list, as Dialect.Elements reads it; a null list has one element, null
	Keys                  // all keys of the binding, as the dialect reads them
	Among                 // the same of a list that is flat, without those that have nulls
	Key                   // the value at Param.Key of the binding's keys
	Prefix                // the text that every match of a LIKE pattern begins with
	PrefixEnd             // something greater than every text beginning with Prefix
	TextEnd               // something greater than every text beginning with the value
	Limit                 // null for none
	Offset                // null for 0
	Words                 // a text of words, as the database's own search takes it
	Own                   // and what follows: of the dialect alone
)

// Dialect is what one database says its own way. Its methods append to the builder.
type Dialect interface { //nolint:interfacebloat // one method for each thing that differs
	// Quote appends an identifier.
	Quote(dst []byte, name string) []byte
	// Placeholder appends the nth placeholder, from 1.
	Placeholder(dst []byte, n int) []byte
	// Side appends one side of a comparison or a sort key of a scalar, so that it compares
	// as the scalar does: by value, texts by their bytes.
	Side(b *Builder, o query.Operand, s schema.Scalar)
	// Elements appends the sub-query of a list's elements, one column; list appends the
	// list: a placeholder bound as List, or a column.
	Elements(b *Builder, s schema.Scalar, list func())
	// Among appends whether columns, none of which is null, are one of the keys of a list; fields
	// are what they hold.
	Among(b *Builder, w query.Among, fields []*schema.Field)
	// Match appends one of the text operators, Like to Regex.
	Match(b *Builder, c query.Compare)
	// Member appends the value of an operand's field, inside of an embedded column of the
	// row with that alias.
	Member(b *Builder, row string, o query.Operand)
	// JSON appends a condition on a JSON document.
	JSON(b *Builder, w query.JSON)
	// Search appends whether the row with that alias has words.
	Search(b *Builder, row string, w query.Search)
	// SortKey appends a sort key with its direction; value appends its value, and nullable is
	// whether that can be null at all.
	SortKey(b *Builder, value func(), desc, nullable bool, n query.Nulls)
	// Page appends the limit and offset, of which either may be zero.
	Page(b *Builder, limit, offset query.Operand)
	// Change appends what the column of a's field becomes, for Inc, Mul, Max and Min.
	Change(b *Builder, alias string, a query.Assign)
	// ByKeys appends the condition that the row's primary key is one of the binding's.
	ByKeys(b *Builder, alias string, t *schema.Type)
	// Total appends the sum or average of a column of the rows of a group: exact where
	// query.Measure says so, and an error where it says that.
	Total(b *Builder, row string, m query.Measure)
	// Via appends the whole statement of a level that is reached by keys, the ordinal of the
	// key as its first column.
	Via(b *Builder, l *query.Level)
}

// Strict is a dialect of a database whose expressions have types that do not bend, and which
// wants to be told them.
type Strict interface {
	Dialect
	// Typed appends the nth placeholder, from 1, as what it binds.
	Typed(dst []byte, n int, p Param) []byte
	// Compare appends a comparison by any operator but those of Match.
	Compare(b *Builder, c query.Compare)
	// Extreme appends the least or the greatest value of a column of the rows of a group.
	Extreme(b *Builder, row string, m query.Measure)
	// Lock appends the end of a query that locks its rows of an alias.
	Lock(b *Builder, row string)
	// Unknown is a condition that is neither true nor false.
	Unknown() string
}

// Arrays is a dialect that takes the values of any number of rows as an array for each column.
type Arrays interface {
	Dialect
	// Rows appends a query of any number of rows with values for columns.
	Rows(b *Builder, columns []*schema.Field)
}

// Joins is a dialect that updates rows by joining them with a table of values.
type Joins interface {
	Dialect
	// Values appends rows with values for columns as a table: one parameter.
	Values(b *Builder, columns []*schema.Field, alias string)
	// ValueOf appends the value of the i-th column in such a table.
	ValueOf(b *Builder, alias string, i int, f *schema.Field)
}

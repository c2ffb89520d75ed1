// Package schema is the project's noun: which types exist, where their rows live, how they
// are linked, what their values are and which of them are valid.
package schema

import (
	"fmt"
	"regexp"
	"strings"
)

// Schema is one checked folder of SDL. It is immutable once made.
type Schema struct {
	Types  []*Type // tables and views, then join tables that we own, in a stable order
	Values []*Type // embedded values, in a stable order
	Enums  []*Enum
	// Declared are the directives on "extend schema" and "extend type Query/Mutation/…",
	// and @trigger, @changes and the like on types: what later modules implement.
	Declared []Declaration
	// Sources are what it was made of, so that it can be made again.
	Sources []Source

	byName map[string]*Type
}

// Type is the table, view or embedded value of that name, or nil.
func (s *Schema) Type(name string) *Type { return s.byName[name] }

// Databases are the names of the databases that types live in, sorted.
func (s *Schema) Databases() []string { return databases(s) }

// Pos is a place in a source file; Line and Column count from 1.
type Pos struct {
	File         string
	Line, Column int
}

func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one thing wrong with a schema, where, and the way out.
type Problem struct {
	Pos
	Message string
}

func (p Problem) Error() string { return p.String() + ": " + p.Message }

// Problems are all that is wrong with a folder, by file and position.
type Problems []Problem

func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// Kind tells tables, views and embedded values apart.
type Kind uint8

// The kinds of types.
const (
	Table Kind = iota
	View
	Embed // an embedded value: a sub-document, one JSON column in SQL
)

// Type is a table, a view or an embedded value.
type Type struct {
	Name        string // as in the SDL: BlogPost
	Kind        Kind
	Description string
	Pos         Pos

	DB     string // name of the database, "main" by default
	Table  string // physical name: blog_posts
	Single string // API name of one: blogPost
	Plural string // API name of many: blogPosts
	SQL    string // of a view that the migration owns
	Owned  bool   // a join table that we own: not in the API, reached by links only

	Fields  []*Field // columns and links in the order of the SDL; an inferred key column stands before its link
	Columns []*Field // the fields that have a column, in order; Field.Index is the place here
	Primary []*Field // the key's columns in order; empty for values and views without a key
	Uniques []Index  // unique constraints: of one field and compound ones, without the primary key
	Indexes []Index  // plain indexes, those of link columns among them
	Checks  []Check
	Rules   Rules
	Renamed string // the name it had, from @renamed

	byName map[string]*Field
}

// Field is the field of that name, or nil.
func (t *Type) Field(name string) *Field { return t.byName[name] }

// Expr is a CEL expression with the position of its first character's string literal.
type Expr struct {
	Text string
	Pos  Pos
}

// Rules are the rules of a type or a field by verb; an empty Text is no rule.
type Rules struct {
	Read, Create, Update, Delete Expr
}

// Index is an index or unique constraint.
type Index struct {
	Name   string // physical name
	Fields []IndexField
	Where  string // raw condition of a partial index, or ""
	Pos    Pos
	// Inferred is the index of a link's key that nobody wrote.
	Inferred bool
}

// IndexField is one column of an index.
type IndexField struct {
	Field *Field
	Desc  bool
}

// Check is a validation across fields.
type Check struct {
	Rule    Expr
	Message string
}

// Scalar is what a column holds.
type Scalar uint8

// The scalars of the language; EnumValue and Embedded are columns of an enum or a value type.
const (
	NoScalar Scalar = iota // a link
	ID
	String
	Int
	BigInt
	Float
	Decimal
	Boolean
	DateTime
	Date
	Time
	UUID
	JSON
	Bytes
	EnumValue
	Embedded
)

// Field is a column or a link.
type Field struct {
	Name        string // as in the SDL and the API: authorId
	Description string
	Pos         Pos
	Owner       *Type

	Scalar   Scalar // NoScalar for links
	Enum     *Enum  // for EnumValue
	Value    *Type  // for Embedded
	List     bool   // of scalars, enums or values: one column
	NonNull  bool   // for a list: the list itself
	ElemNull bool   // the list's elements may be null

	Column string // physical name: author_id
	Native string // native type from @column(type:), or ""
	Index  int    // place in Owner.Columns; -1 for links

	IsPrimary     bool
	AutoIncrement bool
	IsUnique      bool
	IsIndexed     bool
	CreatedAt     bool
	UpdatedAt     bool
	IsVersion     bool
	Hidden        bool // never in the API
	Search        bool
	Inferred      bool // a key column that a link made

	Default     *Value // literal default, nil for none
	DefaultExpr Expr   // CEL default
	DefaultSQL  string // the column's DEFAULT, an expression that the database works out, or ""

	Size      *Bounds // characters, bytes or elements
	Range     *Bounds // of numbers: values in the scalar's own text form
	Match     string  // RE2
	Format    string  // EMAIL URL UUID SLUG IP, or ""
	Precision int     // Decimal: all digits
	Scale     int     // Decimal: digits after the point

	Rules   Rules  // Delete is not used
	Renamed string // the name it had
	Link    *Link  // nil for columns

	pattern *regexp.Regexp // Match compiled, when the schema was parsed
	integer bool           // an ID that is held as an integer
}

// IsLink tells a link from a column.
func (f *Field) IsLink() bool { return f.Link != nil }

// IsApart is whether a link leads into another database, or goes by way of one.
func (f *Field) IsApart() bool {
	l := f.Link
	return l != nil && (l.Target.DB != f.Owner.DB || l.Through != nil && l.Through.DB != f.Owner.DB)
}

// IsKept is whether a link holds a key that is kept right: the row it points to is there, and is not
// deleted against onDelete. A foreign key in the database does it or, without one, the server's own writes.
func (f *Field) IsKept() bool {
	return f.IsLink() && f.Link.Owns && !f.IsApart() && f.Owner.Kind == Table && f.Link.Target.Kind == Table
}

// WithoutForeignKeys says that a database of the schema has no foreign keys, so that nothing
// but our own writes keeps the rows that its links point to. It is said before anything is made of
// the schema.
func (s *Schema) WithoutForeignKeys(db string) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if f.IsLink() && t.DB == db {
				f.Link.Enforced = false
			}
		}
	}
}

// Bounds are the least and the most, each in the text form of the number, "" for none.
type Bounds struct{ Min, Max string }

// OnDelete is what happens to the rows that point to a deleted one.
type OnDelete uint8

// The actions of @link(onDelete:).
const (
	Restrict OnDelete = iota
	Cascade
	SetNull
)

// Link is how one row of Owner finds rows of Target.
//
// Direct: owner.From[i] = target.To[i] for all i.
// Through a join type: owner.From[i] = through.ThroughFrom[i] and through.ThroughTo[j] = target.To[j].
type Link struct {
	Target *Type
	Many   bool // a list
	From   []*Field
	To     []*Field

	Through     *Type // nil when direct
	ThroughFrom []*Field
	ThroughTo   []*Field

	Owns     bool   // the owner holds the key: From is a foreign key to To
	Enforced bool   // by a foreign key in the database, so that a non-null To row always exists
	Inverse  *Field // the link the other way, or nil
	OnDelete OnDelete
}

// Enum is an enum and its values in order.
type Enum struct {
	Name        string
	Description string
	Pos         Pos
	Values      []EnumItem
}

// EnumItem is one value of an enum.
type EnumItem struct{ Name, Description string }

// Has is whether name is one of the values.
func (e *Enum) Has(name string) bool {
	for _, v := range e.Values {
		if v.Name == name {
			return true
		}
	}
	return false
}

// Declaration is a directive of a module, kept as it was written: @trigger, @changes,
// @files, @topic, @service, @event, @cron, @function, @resolver.
type Declaration struct {
	Directive string // without the @
	On        string // the type's name, "schema", or "Query.charge" for a field
	Signature string // of a field: charge(amount: Int!): Receipt!
	Args      map[string]any
	Pos       Pos
}

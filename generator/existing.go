package generator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// Existing is what a database holds, whoever made it, as far as a schema can speak of it.
type Existing struct {
	Database string // as the configuration calls it
	Product  string // for people: SQLite 3.54.1
	Dialect  string // as Tables takes it
	Tables   []ExistingTable
	Notes    []string // what is true of all of it, in sentences
}

// ExistingTable is a table, or what is read like one.
type ExistingTable struct {
	Name        string
	What        string // table, view, materialized view, foreign table, virtual table
	Alone       string // why it cannot be in a schema, or ""
	Columns     []ExistingColumn
	Primary     []string
	Uniques     []ExistingIndex
	Indexes     []ExistingIndex
	ForeignKeys []ExistingForeignKey
	Notes       []string // what else holds for it, such as checks
	Comment     string   // what the database says of it, for people
}

// ExistingColumn is a column.
type ExistingColumn struct {
	Name      string
	Type      string // as the database spells it
	NonNull   bool
	Default   string // as SQL, "" for none
	Counted   bool   // the database assigns numbers
	Generated bool
	Updates   bool     // the database sets it whenever the row changes
	Comment   string   // what the database says of it, for people
	Collation string   // what is said of the column alone, "" for nothing
	Values    []string // the only texts that it takes, nil for all
	Form      string   // what else is known of it: json, enum (of the database), indexed (a long text)
	// Members are those of documents, and Element what arrays hold.
	Members []ExistingColumn
	Element *ExistingColumn
	// Holds is what its values are where the type does not say so: integer, wide (an integer of
	// more than 32 bits), real, text, blob, or mixed. Empty where there is no value, or no doubt,
	// and Unasked where nobody looked.
	Holds string
}

// Unasked is what a column holds of which only the type is known: to look at all values is for
// a pull, and not for each start.
const Unasked = "unasked"

// ExistingIndex is an index, or what makes columns unique.
type ExistingIndex struct {
	Name    string
	Columns []string // "-" before one that is descending
	Where   string
	Odd     string // why a schema cannot say it, or ""
}

// ExistingForeignKey is a foreign key.
type ExistingForeignKey struct {
	Name     string
	Columns  []string
	Table    string
	To       []string
	OnDelete string // as SQL: SET NULL
}

// isTable is whether rows of it can be written by key.
func (x *ExistingTable) isTable() bool { return x.What == "table" && len(x.Primary) > 0 }

func (x *ExistingTable) column(name string) *ExistingColumn {
	for i := range x.Columns {
		if x.Columns[i].Name == name {
			return &x.Columns[i]
		}
	}
	return nil
}

// reading is how a schema says what a column holds.
type reading struct {
	scalar           schema.Scalar
	list             bool
	native           string // @column(type:), "" where the scalar says it
	size             int    // characters, 0 for any
	precision, scale int
	min, max         string // @range
	values           []string
	members          []embeddedMember // of an embedded type
	whole            bool             // no element of a list is null
	literal          string           // @default(value:), as SDL
	sql              string           // @default(sql:)
	note             string           // what to know about it
	why              string           // it is left alone, because
	doubtful         bool             // the values decide about the scalar, and not the type
	any              bool             // it may hold what every scalar holds, for nobody asked
}

// embeddedMember is a field of an embedded type.
type embeddedMember struct {
	name string
	reading
	nonNull bool
}

func alone(format string, args ...any) reading { return reading{why: fmt.Sprintf(format, args...)} }

// readColumn is the reading of a column of a table, or of what is read like one.
func (d dialect) readColumn(t *ExistingTable, c *ExistingColumn) reading {
	if c.Generated {
		return alone("%s is worked out by the database, which a schema cannot say of a field", c.Type)
	}
	r := d.read(c)
	if r.why != "" || t.What != "table" {
		return r
	}
	if c.Updates && r.note == "" {
		r.note = "the database sets it whenever the row changes"
	}
	if c.Default != "" && !c.Counted {
		if r.literal = d.literal(r, c.Default); r.literal == "" && !strings.EqualFold(c.Default, "null") {
			r.sql = c.Default
		}
	}
	return r
}

// literalOf is a default in SQL, without casts, as SDL; "" where it is none.
func literalOf(r reading, sql string) string {
	quoted := strings.HasPrefix(sql, "'") && strings.HasSuffix(sql, "'") && len(sql) > 1 &&
		!strings.Contains(strings.ReplaceAll(sql[1:len(sql)-1], "''", ""), "'")
	text := ""
	if quoted {
		text = strings.ReplaceAll(sql[1:len(sql)-1], "''", "'")
	}
	switch r.scalar {
	case schema.String:
		if quoted && !r.list {
			return quoteSDL(text)
		}
	case schema.EnumValue:
		if quoted && slices.Contains(r.values, text) {
			return text
		}
	case schema.Int, schema.BigInt, schema.Float, schema.Decimal:
		if !r.list && number.MatchString(sql) {
			return strings.Trim(sql, "()")
		}
	case schema.Boolean:
		switch strings.ToLower(sql) {
		case "true", "1":
			return "true"
		case "false", "0":
			return "false"
		}
	}
	return ""
}

// Serves is whether the rows of a table can be served as those of a type just as it is: each
// field has its column, each key and link what it needs. What the table has beyond that, and
// how it names and spells things, is its own.
func Serves(e *Existing, name string, t *schema.Type) bool {
	d := dialects[e.Dialect]
	i := slices.IndexFunc(e.Tables, func(x ExistingTable) bool { return x.Name == name })
	if i < 0 || d.read == nil || e.Tables[i].Alone != "" || !e.Tables[i].isTable() {
		return false
	}
	x := &e.Tables[i]
	for _, f := range t.Columns {
		if f.Search || !d.serves(x, f) {
			return false
		}
	}
	if !sameColumns(columnsOf(t.Primary), x.Primary) {
		return false
	}
	return x.hasIndexes(t) && x.hasForeignKeys(t)
}

// ServesColumn is whether a field can be served from a column just as it is.
func ServesColumn(e *Existing, name string, f *schema.Field) bool {
	i := slices.IndexFunc(e.Tables, func(x ExistingTable) bool { return x.Name == name })
	return i >= 0 && dialects[e.Dialect].read != nil && dialects[e.Dialect].serves(&e.Tables[i], f)
}

func (d dialect) serves(x *ExistingTable, f *schema.Field) bool {
	c := x.column(f.Column)
	if c == nil {
		return false
	}
	r := d.readColumn(x, c)
	nonNull := c.NonNull || slices.Contains(x.Primary, c.Name)
	switch {
	case r.why != "", f.NonNull != nonNull, f.AutoIncrement && !c.Counted:
		return false
	case r.any:
		return !f.List && (f.Native == "" || strings.EqualFold(f.Native, cmp.Or(r.native, c.Type)))
	case f.List != r.list, !sameScalar(d, f, c, r):
		return false
	case f.Default != nil && !f.Default.IsNull():
		return r.literal != "" && sameDefault(f, r.literal)
	case f.DefaultSQL != "":
		return f.DefaultSQL == r.sql
	}
	return true
}

func sameScalar(d dialect, f *schema.Field, c *ExistingColumn, r reading) bool {
	switch {
	case f.Native != "":
		return strings.EqualFold(f.Native, cmp.Or(r.native, c.Type)) && d.fits(f, r)
	case r.native != "":
		return false
	case f.Scalar == schema.EnumValue:
		return r.scalar == schema.EnumValue && sameValues(f.Enum, r.values)
	case f.Scalar == schema.Decimal && r.scalar == schema.Decimal:
		return f.Precision == r.precision && f.Scale == r.scale
	}
	return d.fits(f, r)
}

// sizeOf is the n of a field's varchar(n), 0 for none.
func sizeOf(f *schema.Field) int {
	if f.Size == nil || f.List {
		return 0
	}
	n := 0
	_, _ = fmt.Sscan(f.Size.Max, &n)
	return n
}

func sameValues(e *schema.Enum, values []string) bool {
	return len(e.Values) == len(values) && !slices.ContainsFunc(values, func(v string) bool { return !e.Has(v) })
}

func sameDefault(f *schema.Field, literal string) bool {
	switch f.Scalar {
	case schema.String:
		return quoteSDL(f.Default.Text()) == literal
	case schema.ID:
		return f.Default.String() == literal || quoteSDL(f.Default.Text()) == literal
	case schema.Boolean:
		return strconv.FormatBool(f.Default.Bool()) == literal
	case schema.EnumValue:
		return f.Default.Text() == literal
	}
	got, err := f.Coerce(json.Number(literal))
	return err == nil && got.String() == f.Default.String()
}

func columnsOf(fields []*schema.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Column
	}
	return names
}

// sameColumns is whether two keys hold the same columns, in whatever order.
func sameColumns(a, b []string) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(c string) bool { return !slices.Contains(b, c) })
}

// hasIndexes is whether all that the type says of indexes is there, under whatever name. The
// index of a link's key is not asked for where nobody said it: whose table it is chose to
// have none.
func (x *ExistingTable) hasIndexes(t *schema.Type) bool {
	has := func(ix schema.Index, among []ExistingIndex) bool {
		columns := make([]string, len(ix.Fields))
		for i, f := range ix.Fields {
			columns[i] = f.Field.Column
			if f.Desc {
				columns[i] = "-" + columns[i]
			}
		}
		return slices.ContainsFunc(among, func(have ExistingIndex) bool {
			return have.Odd == "" && have.Where == ix.Where && slices.Equal(have.Columns, columns)
		})
	}
	for _, u := range t.Uniques {
		if !has(u, x.Uniques) {
			return false
		}
	}
	for _, ix := range t.Indexes {
		if !ix.Inferred && !has(ix, x.Indexes) {
			return false
		}
	}
	return true
}

func (x *ExistingTable) hasForeignKeys(t *schema.Type) bool {
	for _, f := range t.Fields {
		if !f.IsLink() || !f.Link.Owns || !f.Link.Enforced || f.Link.Through != nil {
			continue
		}
		l := f.Link
		if !slices.ContainsFunc(x.ForeignKeys, func(fk ExistingForeignKey) bool {
			return fk.Table == l.Target.Table && slices.Equal(fk.Columns, columnsOf(l.From)) &&
				slices.Equal(fk.To, columnsOf(l.To)) && onDeleteOf(fk.OnDelete) == l.OnDelete
		}) {
			return false
		}
	}
	return true
}

// onDeleteOf says RESTRICT for what a schema cannot say, which is that the database decides.
func onDeleteOf(sql string) schema.OnDelete {
	switch strings.ToUpper(sql) {
	case "CASCADE":
		return schema.Cascade
	case "SET NULL":
		return schema.SetNull
	}
	return schema.Restrict
}

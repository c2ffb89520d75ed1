package generator

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/schema"
)

// Pull is the SDL of a database that is there, such that serving it changes nothing in the
// database: the same text for the same database. What a schema cannot say is left alone, and
// a comment says so.
func Pull(e *Existing) (string, error) {
	d := dialects[e.Dialect]
	if d.read == nil {
		return "", fault.New(fault.Invalid, "database %s: a schema cannot be pulled from %s yet", e.Database, e.Product)
	}
	p := &pull{existing: e, dialect: d}
	p.collect()
	if len(p.types) == 0 && len(p.alone) == 0 {
		return "", fault.New(fault.NotFound, "database %s is empty: there is no table and no view to pull; write a schema and start the server, which makes them", e.Database)
	}
	p.makeLinks()
	// What the rules of the language refuse gets another name, or is left alone: the text that
	// is returned always loads.
	for range 4 * (1 + p.members()) {
		problems, err := p.problems(p.write(true))
		if err != nil {
			return "", err
		}
		if len(problems) == 0 {
			return p.write(false), nil
		}
		if !p.yield(problems) {
			return "", fault.New(fault.Internal, "the schema of database %s would not load: %v", e.Database, problems)
		}
	}
	return "", fault.New(fault.Internal, "the schema of database %s would never load", e.Database)
}

// pull is a schema in the making.
type pull struct {
	existing *Existing
	dialect  dialect
	types    []*pulledType
	alone    []string // tables that are left alone, in sentences
	lines    map[int]any
	line     int
	out      strings.Builder
	open     bool
}

type pulledType struct {
	table  *ExistingTable
	name   string
	tried  int
	fields []*pulledField
	names  names
	alone  []string
	notes  []string
}

// pulledField is a column or a link.
type pulledField struct {
	owner  *pulledType
	name   string
	column *ExistingColumn
	reading
	enum   string
	holder string // the name of the embedded type that it holds
	id     bool   // an ID rather than a String or a BigInt

	link   *ExistingForeignKey
	target *pulledType
	args   string      // of @link
	via    *pulledType // the join type of a list over one
	many   bool
	req    bool // a link that is never null
}

// what a table is, as the database calls it.
func (p *pull) what(x *ExistingTable) string {
	if x.What == "table" && p.dialect.column == nil {
		return "collection"
	}
	return x.What
}

func (p *pull) members() int {
	n := 0
	for _, t := range p.types {
		n += 1 + len(t.fields)
	}
	return n
}

// problems are what is wrong with the text, in which everything is open, so that every name
// of the API is there to clash.
func (p *pull) problems(text string) (schema.Problems, error) {
	s, err := schema.Parse(schema.Source{Name: "pulled", Text: text})
	if err == nil {
		_, err = New(s)
	}
	if err == nil && p.dialect.column == nil {
		_, err = Collections(typesOf(s, p.existing.Database))
	} else if err == nil {
		_, err = Tables(typesOf(s, p.existing.Database), p.existing.Dialect)
	}
	var problems schema.Problems
	var one schema.Problem
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &problems):
		return problems, nil
	case errors.As(err, &one):
		return schema.Problems{one}, nil
	}
	return nil, err
}

func typesOf(s *schema.Schema, db string) []*schema.Type {
	return slices.DeleteFunc(slices.Clone(s.Types), func(t *schema.Type) bool { return t.DB != db })
}

// yield changes what the first problem is about: a type gets another name, and what has none
// left, like a field or a link that cannot be, is left out. False if nothing is.
func (p *pull) yield(problems schema.Problems) bool {
	for _, problem := range problems {
		switch at := p.lines[problem.Line].(type) {
		case *pulledField:
			at.owner.leave(at, problem.Message)
			return true
		case *pulledType:
			if at.tried++; at.tried < 3 {
				at.name = at.proposal(p)
				return true
			}
			p.leave(at, problem.Message)
			return true
		}
	}
	return false
}

func (t *pulledType) proposal(p *pull) string {
	taken := names{}
	for _, o := range p.types {
		taken[strings.ToLower(o.name)] = true
	}
	return taken.free(typeName(t.table.Name)+"Row", typeName(t.table.Name)+"Table")
}

// leave takes a table out, and every link to it.
func (p *pull) leave(t *pulledType, why string) {
	p.types = slices.DeleteFunc(p.types, func(o *pulledType) bool { return o == t })
	p.alone = append(p.alone, fmt.Sprintf("%s %s: %s", p.what(t.table), t.table.Name, why))
	slices.Sort(p.alone)
	for _, o := range p.types {
		o.fields = slices.DeleteFunc(o.fields, func(f *pulledField) bool { return f.target == t || f.via == t })
	}
}

// leave takes a field out; what links by it falls with the next problems.
func (t *pulledType) leave(f *pulledField, why string) {
	t.fields = slices.DeleteFunc(t.fields, func(o *pulledField) bool { return o == f })
	if f.column == nil {
		if f.link != nil && !f.many {
			t.alone = append(t.alone, fmt.Sprintf("foreign key %s: %s", strings.Join(f.link.Columns, ", "), why))
		}
		return
	}
	t.aloneColumn(f.column, why)
}

func (t *pulledType) aloneColumn(c *ExistingColumn, why string) {
	text := fmt.Sprintf("column %s: %s", c.Name, why)
	if t.table.isTable() && c.NonNull && c.Default == "" && !c.Counted && !c.Generated {
		text += ". It takes neither null nor a default: no row can be inserted through the API as long as that is so"
	}
	t.alone = append(t.alone, text)
}

// collect makes the types and their columns.
func (p *pull) collect() {
	taken := names{}
	lower := map[string]string{}
	tables := slices.Clone(p.existing.Tables)
	slices.SortStableFunc(tables, func(a, b ExistingTable) int { return strings.Compare(a.Name, b.Name) })
	for i := range tables {
		x := &tables[i]
		if first, again := lower[strings.ToLower(x.Name)]; again {
			p.alone = append(p.alone, fmt.Sprintf("%s %s: it differs from %s only in case", p.what(x), x.Name, first))
			continue
		}
		lower[strings.ToLower(x.Name)] = x.Name
		if x.Alone != "" {
			p.alone = append(p.alone, fmt.Sprintf("%s %s: %s", p.what(x), x.Name, x.Alone))
			continue
		}
		t := &pulledType{table: x, names: names{}, notes: slices.Clone(x.Notes)}
		t.name = taken.free(typeName(x.Name), typeName(x.Name)+"Row")
		p.addColumns(t)
		if len(t.fields) == 0 {
			p.alone = append(p.alone, fmt.Sprintf("%s %s: it has no column that a schema can say", p.what(x), x.Name))
			continue
		}
		p.types = append(p.types, t)
	}
}

func (p *pull) addColumns(t *pulledType) {
	x := t.table
	for _, fk := range x.ForeignKeys { // what is the key of another row is not counted
		for _, name := range fk.Columns {
			if c := x.column(name); c != nil {
				c.Counted = false
			}
		}
	}
	for _, c := range x.Columns {
		if r := p.dialect.readColumn(x, &c); slices.Contains(x.Primary, c.Name) && !r.isKey() {
			t.notes = append(t.notes, fmt.Sprintf("its primary key has the column %s, which cannot be a key here (%s), so that the table is only read, like a view", c.Name, cmp.Or(r.why, r.scalar.String())))
			x.Primary = nil
		}
	}
	if x.What == "table" && len(x.Primary) == 0 && len(t.notes) == len(x.Notes) && p.dialect.column != nil {
		t.notes = append(t.notes, "without a primary key no row can be named: the table is only read, like a view")
	}
	for i := range x.Columns {
		c := &x.Columns[i]
		f := &pulledField{owner: t, column: c, reading: p.dialect.readColumn(x, c)}
		if f.why != "" {
			t.aloneColumn(c, f.why)
			continue
		}
		name := fieldName(c.Name)
		f.name = t.names.free(name, name+"Value")
		if slices.Equal(x.Primary, []string{c.Name}) && f.scalar == schema.String && f.native == "" && f.size == p.dialect.idSize && strings.EqualFold(c.Name, "id") {
			f.id, f.size = true, 0
		}
		if f.scalar == schema.BigInt && c.Counted && f.native == "" {
			f.id = true
		}
		if f.scalar == schema.EnumValue && f.native != "" && c.Form == "enum" {
			f.enum = enumName(c.Type)
		} else if f.scalar == schema.EnumValue {
			f.enum = t.name + capital(f.name)
		}
		f.holder = t.name + capital(f.name)
		t.fields = append(t.fields, f)
	}
}

// isKey is whether it can be a part of a primary key.
func (r reading) isKey() bool {
	if r.why != "" || r.list {
		return false
	}
	switch r.scalar {
	case schema.Float, schema.Bytes, schema.Boolean, schema.Decimal, schema.JSON, schema.Embedded:
		return false
	}
	return true
}

// primary are the columns of the key in the order of the fields, which is what a type says.
func (t *pulledType) primary() []string {
	var columns []string
	for _, f := range t.fields {
		if f.isPrimary() {
			columns = append(columns, f.column.Name)
		}
	}
	return columns
}

func (t *pulledType) isView() bool { return !t.table.isTable() }

func (t *pulledType) field(column string) *pulledField {
	for _, f := range t.fields {
		if f.column != nil && f.column.Name == column {
			return f
		}
	}
	return nil
}

func quoteSDL(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("generator: " + err.Error()) // a string cannot fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

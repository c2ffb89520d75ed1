package generator

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/schema"
)

// dialect is how one kind of database spells tables.
type dialect struct {
	schema  string // the name of the schema in statements, "" for none
	column  func(*schema.Field) (*atlas.Column, error)
	checks  func(*schema.Field) []check
	partial func(where string) atlas.Attr // nil where table refuses partial indexes
	// table adds to a finished table what only this kind of databases knows, or says why it
	// cannot be; nil for nothing.
	table func(*schema.Type, *atlas.Table) error

	// How a database that is there is read; nil for one that cannot be pulled yet.
	read    func(*ExistingColumn) reading
	literal func(r reading, sql string) string // a default as SDL, "" where it is no literal
	fits    func(*schema.Field, reading) bool  // whether a field holds what a column does
	idSize  int                                // the characters of an ID, 0 for any number
}

// check is a constraint that a column's type does not say. Its suffix is part of its name.
type check struct{ suffix, expr string }

var dialects = map[string]dialect{
	"sqlite": {
		schema:  "main",
		column:  sqliteColumn,
		checks:  sqliteChecks,
		partial: sqlitePartial,
		read:    sqliteRead,
		literal: sqliteLiteral,
		fits:    sqliteFits,
	},
	"postgres": {
		// Names are written without a schema: the connection's search path says where.
		column:  postgresColumn,
		checks:  postgresChecks,
		partial: postgresPartial,
		read:    postgresRead,
		literal: postgresLiteral,
		fits:    postgresFits,
	},
	"mysql": {
		// Names are written without a schema: the connection says in which database.
		column:  mysqlColumn,
		checks:  mysqlChecks,
		table:   mysqlTable,
		read:    mysqlRead,
		literal: mysqlLiteral,
		fits:    mysqlFits,
		idSize:  64,
	},
	"mongodb": { // which has no tables, but can be read
		read:    mongoRead,
		literal: func(reading, string) string { return "" },
	},
}

// Tables is the desired state of one database: the tables of types, which all live in it,
// in their order. The dialect is that of driver.SQL. Views are not in it, see Views.
//
// Diff it with schema.DiffNormalized(): Atlas takes checks of one name for equal otherwise,
// and misses a new value of an enum.
func Tables(types []*schema.Type, dialectName string) (*atlas.Schema, error) {
	d, ok := dialects[dialectName]
	if !ok || d.column == nil {
		return nil, fmt.Errorf("tables of the dialect %q are not known", dialectName)
	}
	m := tableMaker{dialect: d, tables: map[*schema.Type]*atlas.Table{}, columns: map[*schema.Field]*atlas.Column{}}
	made := atlas.New(d.schema)
	for _, t := range types {
		if t.Kind != schema.Table {
			continue
		}
		if err := m.add(t); err != nil {
			return nil, err
		}
		made.AddTables(m.tables[t])
	}
	for _, t := range types {
		m.addForeignKeys(t)
	}
	return made, nil
}

// View is a view that the migration owns.
type View struct{ Name, SQL string }

// Views are the views of types that have their SQL in the schema, in their order.
func Views(types []*schema.Type) []View {
	var views []View
	for _, t := range types {
		if t.Kind == schema.View && t.SQL != "" {
			views = append(views, View{Name: t.Table, SQL: t.SQL})
		}
	}
	return views
}

type tableMaker struct {
	dialect dialect
	tables  map[*schema.Type]*atlas.Table
	columns map[*schema.Field]*atlas.Column
}

// add makes a table without its foreign keys, which may lead to tables that come later.
func (m tableMaker) add(t *schema.Type) error {
	table := atlas.NewTable(t.Table)
	m.tables[t] = table
	for _, f := range t.Columns {
		column, err := m.dialect.column(f)
		if err != nil {
			return err
		}
		m.columns[f] = column
		table.AddColumns(column)
		for _, c := range m.dialect.checks(f) {
			table.AddChecks(atlas.NewCheck().SetName(constraintName(t.Table, f.Column, c.suffix)).SetExpr("(" + c.expr + ")"))
		}
	}
	if len(t.Primary) > 0 {
		table.SetPrimaryKey(atlas.NewPrimaryKey(m.columnsOf(t.Primary)...))
	}
	for _, u := range t.Uniques {
		table.AddIndexes(m.index(u).SetUnique(true))
	}
	for _, i := range t.Indexes {
		table.AddIndexes(m.index(i))
	}
	if m.dialect.table != nil {
		return m.dialect.table(t, table)
	}
	return nil
}

func (m tableMaker) index(i schema.Index) *atlas.Index {
	index := atlas.NewIndex(i.Name)
	for _, f := range i.Fields {
		index.AddParts(atlas.NewColumnPart(m.columns[f.Field]).SetDesc(f.Desc))
	}
	if i.Where != "" && m.dialect.partial != nil {
		index.AddAttrs(m.dialect.partial(i.Where))
	}
	return index
}

func (m tableMaker) columnsOf(fields []*schema.Field) []*atlas.Column {
	columns := make([]*atlas.Column, len(fields))
	for i, f := range fields {
		columns[i] = m.columns[f]
	}
	return columns
}

func (m tableMaker) addForeignKeys(t *schema.Type) {
	for _, f := range t.Fields {
		if f.IsLink() && f.Link.Owns && f.Link.Enforced && f.Link.Through == nil {
			m.addForeignKey(t, f.Link)
		}
	}
}

// addForeignKey adds the foreign key of a link once: two links may share their columns.
func (m tableMaker) addForeignKey(t *schema.Type, l *schema.Link) {
	table := m.tables[t]
	name := constraintName(t.Table, columnNames(l.From), "fkey")
	if _, there := table.ForeignKey(name); there {
		return
	}
	table.AddForeignKeys(atlas.NewForeignKey(name).
		AddColumns(m.columnsOf(l.From)...).
		SetRefTable(m.tables[l.Target]).
		AddRefColumns(m.columnsOf(l.To)...).
		SetOnDelete(onDelete[l.OnDelete]))
}

// onDelete says NO ACTION for RESTRICT: it refuses the same, but looks at the end of a
// statement, so that one delete can take all the rows of a tree.
var onDelete = map[schema.OnDelete]atlas.ReferenceOption{
	schema.Restrict: atlas.NoAction,
	schema.Cascade:  atlas.Cascade,
	schema.SetNull:  atlas.SetNull,
}

func columnNames(fields []*schema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Column
	}
	return strings.Join(names, "_")
}

// problemAt is what a database cannot do with a field.
func problemAt(f *schema.Field, format string, args ...any) error {
	return schema.Problems{{Pos: f.Pos, Message: f.Owner.Name + "." + f.Name + ": " + fmt.Sprintf(format, args...)}}
}

// maxConstraintName is how long a name may be; PostgreSQL cuts longer ones silently.
const maxConstraintName = 63

// notName is what Atlas does not find again in the name of a constraint in SQLite.
var notName = regexp.MustCompile(`\W`)

// constraintName is stable, and no longer than every database can hold: what is too long
// ends in a hash of all of it.
func constraintName(table, columns, suffix string) string {
	name := notName.ReplaceAllString(table+"_"+columns+"_"+suffix, "_")
	if len(name) <= maxConstraintName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:maxConstraintName-9] + "_" + hex.EncodeToString(sum[:4])
}

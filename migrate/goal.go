package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
	"spacecloud/schema"
)

// goal is a database as the schema wants it.
type goal struct {
	dialect

	types   []*schema.Type
	sources []schema.Source
	tables  *atlas.Schema
	views   []generator.View
	search  []generator.Search
	byName  map[string]*schema.Type // by the names of their tables
}

func newGoal(want *schema.Schema, db Database) (*goal, error) {
	d, err := dialectOf(db)
	if err != nil {
		return nil, err
	}
	g := &goal{dialect: d, sources: want.Sources, byName: map[string]*schema.Type{}}
	for _, t := range want.Types {
		if t.DB == db.Name {
			g.types = append(g.types, t)
			g.byName[t.Table] = t
		}
	}
	if g.tables, err = generator.Tables(g.types, db.SQL.Dialect()); err != nil {
		return nil, err
	}
	g.views = generator.Views(g.types)
	g.search = generator.Searches(g.types, db.SQL.Dialect())
	return g, nil
}

// names are the tables of the goal under all names that they may have in the database.
func (g *goal) names(r record) map[string]bool {
	names := map[string]bool{}
	for _, t := range g.types {
		names[t.Table] = true
		for _, was := range tablesBefore(r, t) {
			names[was] = true
		}
	}
	return names
}

func (g *goal) hasIndex(name string) bool {
	for _, t := range g.tables.Tables {
		if _, ok := t.Index(name); ok {
			return true
		}
	}
	return false
}

// field is the field of a column, or nil for a column that only the database has.
func (g *goal) field(table, column string) *schema.Field {
	t := g.byName[table]
	if t == nil {
		return nil
	}
	for _, f := range t.Columns {
		if f.Column == column {
			return f
		}
	}
	return nil
}

// fingerprint covers the statements that would make everything, what the columns hold, and
// the renames.
func (g *goal) fingerprint() string {
	var b strings.Builder
	for _, t := range g.tables.Tables {
		b.WriteString(strings.Join(g.createTable(t), ";\n") + ";\n")
	}
	for _, v := range g.views {
		b.WriteString(g.createView(v.Name, v.SQL) + ";\n")
	}
	for _, s := range g.search {
		for _, part := range s.Parts {
			b.WriteString(part.SQL + ";\n")
		}
	}
	for _, t := range g.types {
		fmt.Fprintf(&b, "%s %s %q\n", t.Name, t.Table, t.Renamed)
		for _, f := range t.Fields {
			fmt.Fprintf(&b, "  %s %s %s %q\n", f.Name, f.Column, kindOf(f), f.Renamed)
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}

func (g *goal) createView(name, sql string) string {
	return "CREATE VIEW " + g.quote(name) + " AS " + strings.TrimRight(strings.TrimSpace(sql), "; \n")
}

func quoteAll(d dialect, names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = d.quote(n)
	}
	return strings.Join(quoted, ", ")
}

// text is a string literal.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

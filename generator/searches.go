package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/query"
	"spacecloud/schema"
)

// Search is the full-text index of a table, which the migration owns.
type Search struct {
	Name  string // of the index
	Table string
	Parts []SearchPart // in the order in which they are made
}

// SearchPart is a thing that an index consists of, or with an empty Name what fills it.
type SearchPart struct {
	Kind string // table or trigger
	Name string
	SQL  string // as the database tells it back
}

// Searches are the full-text indexes of types with @search, in their order.
//
// In SQLite one is an FTS5 table without content, that triggers keep: it also knows of what
// other programs write. It finds rows by SQLite's own row key, which a table keeps as long as
// it is not made anew.
func Searches(types []*schema.Type, dialectName string) []Search {
	var searches []Search
	for _, t := range types {
		if fields := query.SearchFields(t); len(fields) > 0 && dialectName == "sqlite" {
			searches = append(searches, sqliteSearch(t, fields))
		}
	}
	return searches
}

func sqliteSearch(t *schema.Type, fields []*schema.Field) Search {
	name, table, row := query.SearchTable(t), sqliteName(t.Table), sqliteRowID(t)
	index := sqliteName(name)
	// FTS5 keeps names of columns for itself, such as rank: so they are numbered.
	columns := make([]string, len(fields))
	for i := range fields {
		columns[i] = fmt.Sprintf("c%d", i)
	}
	into := "INSERT INTO " + index + " (rowid, " + strings.Join(columns, ", ") + ") "
	add := into + "VALUES (" + sqliteColumns("new.", row, fields) + "); "
	remove := "DELETE FROM " + index + " WHERE rowid = old." + row + "; "
	s := Search{Name: name, Table: t.Table}
	s.Parts = append(s.Parts, SearchPart{"table", name, "CREATE VIRTUAL TABLE " + index + " USING fts5(" +
		strings.Join(columns, ", ") + ", content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0')"})
	trigger := func(suffix, event, body string) {
		s.Parts = append(s.Parts, SearchPart{"trigger", name + suffix,
			"CREATE TRIGGER " + sqliteName(name+suffix) + " AFTER " + event + " ON " + table + " BEGIN " + body + "END"})
	}
	trigger("_insert", "INSERT", add)
	trigger("_update", "UPDATE OF "+sqliteColumns("", "", slices.Concat(fields, t.Primary)), remove+add)
	trigger("_delete", "DELETE", remove)
	s.Parts = append(s.Parts, SearchPart{SQL: into + "SELECT " + sqliteColumns("", row, fields) + " FROM " + table})
	return s
}

func sqliteName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// sqliteColumns are columns of a row by commas, the row key first if there is one.
func sqliteColumns(of, row string, fields []*schema.Field) string {
	var names []string
	if row != "" {
		names = append(names, of+row)
	}
	for _, f := range fields {
		names = append(names, of+sqliteName(f.Column))
	}
	return strings.Join(names, ", ")
}

// sqliteRowID is a name of SQLite's row key that no column of the type has taken.
func sqliteRowID(t *schema.Type) string {
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !slices.ContainsFunc(t.Columns, func(f *schema.Field) bool { return strings.EqualFold(f.Column, name) }) {
			return name
		}
	}
	return "rowid"
}

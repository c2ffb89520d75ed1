package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
)

// ownTable is whether a table is the server's own, like the ledger: no name in a schema
// begins so.
func ownTable(name string) bool { return strings.HasPrefix(name, "_") }

// state is a database as it is.
type state struct {
	// tables are the ones that the plan may touch. Renames are done to them in place, so
	// that what is compared with the goal has the goal's names.
	tables *atlas.Schema
	// was are the names in the database of what a rename gave another, by the new ones.
	was     map[string]string            // tables
	wasCol  map[string]map[string]string // columns, by the new name of the table
	record  record                       // what we made
	foreign []string                     // tables that are neither ours nor wanted
	views   map[string]string            // statements by name
	search  map[string]object            // parts of full-text indexes by name
	// others are statements by the name of a table in the database: indexes and triggers on
	// it that we did not make. A rebuild has to make them again.
	others map[string][]string
}

// object is one line of sqlite_master.
type object struct{ kind, name, table, text string }

func inspect(ctx context.Context, conn *sql.Conn, g *goal) (*state, error) {
	objects, err := listObjects(ctx, conn)
	if err != nil {
		return nil, err
	}
	s := &state{
		was: map[string]string{}, wasCol: map[string]map[string]string{},
		record: newRecord(), views: map[string]string{}, others: map[string][]string{},
		search: map[string]object{},
	}
	if slices.ContainsFunc(objects, func(o object) bool { return o.name == ledger }) {
		if s.record, err = lastRecord(ctx, conn); err != nil {
			return nil, err
		}
	}
	names := s.sort(objects, g)
	if len(names) == 0 {
		s.tables = atlas.New("main") // no name would ask Atlas for every table
		return s, nil
	}
	engine, err := sqlite.Open(conn)
	if err != nil {
		return nil, err
	}
	s.tables, err = engine.InspectSchema(ctx, "main", &atlas.InspectOptions{Mode: atlas.InspectTables, Tables: names})
	if err != nil {
		return nil, fmt.Errorf("inspect the database: %w", err)
	}
	s.setApart()
	return s, nil
}

func listObjects(ctx context.Context, conn *sql.Conn) (_ []object, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid")
	if err != nil {
		return nil, fmt.Errorf("list the tables: %w", err)
	}
	defer rows.Close()
	var found []object
	for rows.Next() {
		var o object
		if err := rows.Scan(&o.kind, &o.name, &o.table, &o.text); err != nil {
			return nil, err
		}
		found = append(found, o)
	}
	return found, rows.Err()
}

// sort puts every object where it belongs and returns the tables to look at closely.
func (s *state) sort(objects []object, g *goal) []string {
	wanted := g.names(s.record)
	var names []string
	for _, o := range objects {
		_, ours := s.record.Tables[o.name]
		switch {
		case isSearch(o):
			s.search[o.name] = o
		case o.kind == "view":
			s.views[o.name] = o.text
		case o.kind == "table" && (ours || wanted[o.name]):
			names = append(names, o.name)
		case o.kind == "table" && !ownTable(o.name):
			s.foreign = append(s.foreign, o.name)
		case o.kind == "trigger", o.kind == "index" && !s.record.Tables[o.table].madeIndex(o.name) && !g.hasIndex(o.name):
			s.others[o.table] = append(s.others[o.table], o.text)
		}
	}
	slices.Sort(s.foreign)
	return names
}

// setApart takes indexes that we did not make out of the comparison: whoever made them
// wants them. What Atlas does not read, the collation of a column, is added.
func (s *state) setApart() {
	for _, t := range s.tables.Tables {
		t.Indexes = slices.DeleteFunc(t.Indexes, func(i *atlas.Index) bool {
			var made sqlite.CreateStmt
			return slices.ContainsFunc(s.others[t.Name], func(text string) bool {
				return has(i.Attrs, &made) && made.S == text && text != ""
			})
		})
		var made sqlite.CreateStmt
		if !has(t.Attrs, &made) {
			continue
		}
		for _, c := range t.Columns {
			if typ, ok := c.Type.Type.(*atlas.StringType); ok {
				if collation := collationOf(made.S, c.Name); collation != "" {
					typ.T += " COLLATE " + collation
				}
			}
		}
	}
}

func collationOf(create, column string) string {
	re, err := regexp.Compile(`(?is)[(,]\s*["` + "`" + `\[]?` + regexp.QuoteMeta(column) + `["` + "`" + `\]]?\s[^,]*?\bCOLLATE\s+["` + "`" + `]?(\w+)`)
	if err != nil {
		return ""
	}
	if m := re.FindStringSubmatch(create); m != nil {
		return m[1]
	}
	return ""
}

// has finds the attribute of the type of into.
func has[T any, P interface {
	*T
	atlas.Attr
}](attrs []atlas.Attr, into P) bool {
	for _, a := range attrs {
		if found, ok := a.(P); ok {
			*into = *found
			return true
		}
	}
	return false
}

// table is the name in the database of a table of the goal.
func (s *state) table(name string) string {
	if was, ok := s.was[name]; ok {
		return was
	}
	return name
}

// column is the name in the database of a column of a table of the goal.
func (s *state) column(table, name string) string {
	if was, ok := s.wasCol[table][name]; ok {
		return was
	}
	return name
}

// made is our record of a table of the goal.
func (s *state) made(table string) madeTable { return s.record.Tables[s.table(table)] }

// ourViews are the views that we made and that are there, sorted.
func (s *state) ourViews() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(s.record.Views)) {
		if _, there := s.views[name]; there {
			names = append(names, name)
		}
	}
	return names
}

package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
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
	// unfinished is whether the last migration failed in the middle, and left names the columns
	// that it had prepared, by table of the database.
	unfinished bool
	carried    memory // what it renamed and lost
	left       map[string][]string
	// others are, by the name of a table in the database, the indexes and triggers on
	// it that we did not make. A rebuild has to make them again.
	others map[string][]object
	// found are the tables of the goal that we did not make, as they are; nil where none is.
	found *generator.Existing
	// served are those of them that can be served as they are. They are not among tables.
	served map[string]bool
}

// object is a thing in a database.
type object struct{ kind, name, table, text string }

func newState() *state {
	return &state{
		was: map[string]string{}, wasCol: map[string]map[string]string{},
		record: newRecord(), views: map[string]string{}, others: map[string][]object{},
		search: map[string]object{}, left: map[string][]string{}, served: map[string]bool{},
	}
}

// objects are what a question for kind, name, table and text finds.
func objects(ctx context.Context, conn *sql.Conn, question string) ([]object, error) {
	rows, err := conn.QueryContext(ctx, question)
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
			s.others[o.table] = append(s.others[o.table], o)
		}
	}
	slices.Sort(s.foreign)
	return names
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

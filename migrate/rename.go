package migrate

import (
	"encoding/json"
	"slices"
	"strings"

	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/schema"
)

// renaming is one @renamed that applies: the old name is in the database and the new one is
// not. A directive that was followed once stays in the schema and means nothing any more.
type renaming struct {
	table    string // the new name
	column   string // empty for a table
	from, to string
}

// MarshalJSON is for the ledger.
func (r renaming) MarshalJSON() ([]byte, error) {
	return json.Marshal([4]string{r.table, r.column, r.from, r.to})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (r *renaming) UnmarshalJSON(said []byte) error {
	var parts [4]string
	if err := json.Unmarshal(said, &parts); err != nil {
		return err
	}
	r.table, r.column, r.from, r.to = parts[0], parts[1], parts[2], parts[3]
	return nil
}

func (r renaming) comment() string {
	if r.column == "" {
		return "rename table " + r.from + " to " + r.to
	}
	return "rename column " + r.table + "." + r.from + " to " + r.to
}

func (r renaming) statement(d dialect) (do, undo string) {
	if r.column == "" {
		return renameTable(d, r.from, r.to), renameTable(d, r.to, r.from)
	}
	return renameColumn(d, r.table, r.from, r.to), renameColumn(d, r.table, r.to, r.from)
}

func renameTable(d dialect, from, to string) string {
	return "ALTER TABLE " + d.quote(from) + " RENAME TO " + d.quote(to)
}

func renameColumn(d dialect, table, from, to string) string {
	return "ALTER TABLE " + d.quote(table) + " RENAME COLUMN " + d.quote(from) + " TO " + d.quote(to)
}

// tablesBefore are the names that the table of a renamed type may have: the one that the
// ledger knows for the old type, and the old name itself for a table that we did not make.
func tablesBefore(r record, t *schema.Type) []string {
	if t.Renamed == "" {
		return nil
	}
	var names []string
	if name := r.table(t.Renamed); name != "" {
		names = append(names, name)
	}
	return append(names, t.Renamed)
}

// columnsBefore are the names that the column of a renamed field may have. The key column
// that a link makes is renamed with its link.
func columnsBefore(made madeTable, f *schema.Field) []string {
	var names []string
	for _, old := range fieldsBefore(f) {
		if name := made.column(old); name != "" {
			names = append(names, name)
		}
		names = append(names, old)
	}
	return names
}

func fieldsBefore(f *schema.Field) []string {
	if f.Renamed != "" {
		return []string{f.Renamed}
	}
	if !f.Inferred {
		return nil
	}
	for _, l := range f.Owner.Fields {
		if !l.IsLink() || l.Renamed == "" || !slices.Contains(l.Link.From, f) {
			continue
		}
		if key, ok := strings.CutPrefix(f.Name, l.Name); ok {
			return []string{l.Renamed + key}
		}
	}
	return nil
}

// follow does the renames that apply to the state, and lists them in an order in which the
// database can do them: a chain of two begins at its end.
func (s *state) follow(g *goal, undo *undoing) []renaming {
	if undo != nil {
		return undo.follow(s.renameTable, func(table, from, to string) bool {
			t, ok := s.tables.Table(table)
			return ok && s.renameColumn(t, from, to)
		})
	}
	done := renameTypes(s.record, g.types, s.renameTable)
	for _, t := range g.types {
		if table, ok := s.tables.Table(t.Table); ok {
			done = append(done, renameFields(s.made(t.Table), t, func(from, to string) bool { return s.renameColumn(table, from, to) })...)
		}
	}
	return done
}

// renameTypes lists the renames of tables that rename says it has done.
func renameTypes(r record, types []*schema.Type, rename func(from, to string) bool) []renaming {
	var done []renaming
	named := func(table string) bool {
		return slices.ContainsFunc(types, func(t *schema.Type) bool { return t.Table == table })
	}
	for again := true; again; {
		again = false
		for _, t := range types {
			for _, from := range tablesBefore(r, t) {
				if !named(from) && rename(from, t.Table) {
					done, again = append(done, renaming{table: t.Table, from: from, to: t.Table}), true
				}
			}
		}
	}
	return done
}

func (s *state) renameTable(from, to string) bool {
	table, ok := s.tables.Table(from)
	if _, taken := s.tables.Table(to); !ok || taken || slices.Contains(s.foreign, to) {
		return false
	}
	s.was[to] = s.table(from)
	delete(s.was, from)
	table.Name = to
	return true
}

// renameFields lists the renames of columns that rename says it has done.
func renameFields(made madeTable, t *schema.Type, rename func(from, to string) bool) []renaming {
	var done []renaming
	for again := true; again; {
		again = false
		for _, f := range t.Columns {
			for _, from := range columnsBefore(made, f) {
				if !hasColumn(t, from) && rename(from, f.Column) {
					done, again = append(done, renaming{table: t.Table, column: f.Column, from: from, to: f.Column}), true
				}
			}
		}
	}
	return done
}

// hasColumn is whether some field's column is called so now: then it was not renamed.
func hasColumn(t *schema.Type, name string) bool {
	return slices.ContainsFunc(t.Columns, func(f *schema.Field) bool { return f.Column == name })
}

func (s *state) renameColumn(table *atlas.Table, from, to string) bool {
	column, ok := table.Column(from)
	if _, taken := table.Column(to); !ok || taken {
		return false
	}
	if s.wasCol[table.Name] == nil {
		s.wasCol[table.Name] = map[string]string{}
	}
	s.wasCol[table.Name][to] = s.column(table.Name, from)
	delete(s.wasCol[table.Name], from)
	column.Name = to
	return true
}

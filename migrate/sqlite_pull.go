package migrate

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"spacecloud/generator"
)

// cells are what a question finds, as texts; null is "".
func cells(ctx context.Context, conn *sql.Conn, question string, args ...any) ([][]string, error) {
	rows, err := conn.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, fmt.Errorf("look at what is there: %w", err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var found [][]string
	for rows.Next() {
		row, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		texts := make([]string, len(row))
		for i, cell := range row {
			texts[i] = cell.String
		}
		found = append(found, texts)
	}
	return found, rows.Err()
}

func (l sqliteDialect) existing(ctx context.Context, conn *sql.Conn, only []string) (*generator.Existing, error) {
	e := &generator.Existing{Dialect: "sqlite"}
	tables, err := cells(ctx, conn, `SELECT t.name, t.type, t.wr, coalesce(m.sql, '') FROM pragma_table_list t
		LEFT JOIN sqlite_master m ON m.name = t.name WHERE t.schema = 'main' AND t.type <> 'shadow' AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY t.name`)
	if err != nil {
		return nil, err
	}
	for _, row := range tables {
		name := row[0]
		if only != nil && !slices.Contains(only, name) || strings.HasPrefix(name, "_spacecloud") || isSearch(object{kind: "table", name: name, text: row[3]}) {
			continue
		}
		t := generator.ExistingTable{Name: name, What: row[1]}
		switch {
		case t.What == "virtual":
			t.What, t.Alone = "virtual table", "a module of SQLite keeps it"
		case ownTable(name):
			t.Alone = "names that begin with _ are the server's own"
		default:
			if err := l.readTable(ctx, conn, &t, row[3], row[2] == "1", only == nil); err != nil {
				return nil, err
			}
		}
		e.Tables = append(e.Tables, t)
	}
	sqliteNameTargets(e)
	return e, nil
}

// readTable reads a table, and with look its values. What cannot be read, like a view of a table that is gone, is left
// alone.
func (l sqliteDialect) readTable(ctx context.Context, conn *sql.Conn, t *generator.ExistingTable, create string, withoutRowid, look bool) error {
	columns, err := cells(ctx, conn, "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid", t.Name)
	if err != nil {
		t.Alone = fmt.Sprintf("it cannot be read: %v", errors.Unwrap(err))
		return nil
	}
	place := map[string]int{}
	for i, row := range columns {
		c := generator.ExistingColumn{Name: row[0], Type: row[1], NonNull: row[2] == "1", Default: row[3], Generated: row[5] == "2" || row[5] == "3"}
		if !look {
			c.Holds = generator.Unasked
		}
		c.Collation = collationOf(create, c.Name)
		c.Values, c.Form = sqliteChecked(create, c.Name)
		if row[4] != "0" {
			place[c.Name] = i
			t.Primary = append(t.Primary, c.Name)
		}
		t.Columns = append(t.Columns, c)
	}
	slices.SortFunc(t.Primary, func(a, b string) int { return cmp.Compare(columns[place[a]][4], columns[place[b]][4]) })
	if len(t.Primary) == 1 && !withoutRowid {
		c := &t.Columns[place[t.Primary[0]]]
		c.Counted = strings.EqualFold(c.Type, "INTEGER")
	}
	if look {
		if err := l.readHeld(ctx, conn, t); err != nil {
			t.Alone = fmt.Sprintf("it cannot be read: %v", errors.Unwrap(err))
			return nil
		}
	}
	if t.What != "table" {
		return nil
	}
	if err := l.readIndexes(ctx, conn, t); err != nil {
		return err
	}
	return l.readForeignKeys(ctx, conn, t)
}

// readHeld looks what the values of each column are: a type in SQLite is a wish.
func (l sqliteDialect) readHeld(ctx context.Context, conn *sql.Conn, t *generator.ExistingTable) error {
	var asked []string
	for _, c := range t.Columns {
		name := l.quote(c.Name)
		asked = append(asked, "(SELECT group_concat(kind) FROM (SELECT DISTINCT CASE typeof("+name+") WHEN 'integer' THEN CASE WHEN "+name+
			" BETWEEN -2147483648 AND 2147483647 THEN 'integer' ELSE 'wide' END ELSE typeof("+name+") END AS kind FROM "+l.quote(t.Name)+" WHERE "+name+" IS NOT NULL ORDER BY 1))")
	}
	for i, question := range asked { // one by one: a column is little, a table can be much
		found, err := cells(ctx, conn, "SELECT "+question)
		if err != nil {
			return err
		}
		kinds := strings.Split(found[0][0], ",")
		switch {
		case len(kinds) == 1:
			t.Columns[i].Holds = kinds[0]
		case !slices.ContainsFunc(kinds, func(k string) bool { return k != "integer" && k != "wide" }):
			t.Columns[i].Holds = "wide"
		case !slices.ContainsFunc(kinds, func(k string) bool { return k != "integer" && k != "wide" && k != "real" }):
			t.Columns[i].Holds = "real"
		default:
			t.Columns[i].Holds = "mixed"
		}
	}
	return nil
}

func (l sqliteDialect) readIndexes(ctx context.Context, conn *sql.Conn, t *generator.ExistingTable) error {
	list, err := cells(ctx, conn, `SELECT i.name, i."unique", i.origin, i.partial, coalesce(m.sql, '') FROM pragma_index_list(?) i
		LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = i.name WHERE i.origin <> 'pk' ORDER BY i.name`, t.Name)
	if err != nil {
		return err
	}
	for _, row := range list {
		ix := generator.ExistingIndex{Name: row[0]}
		if row[2] == "u" {
			ix.Name = "" // SQLite calls what stands in a table's definition as it likes
		}
		if row[3] == "1" {
			ix.Where = whereOf(row[4])
		}
		parts, err := cells(ctx, conn, `SELECT cid, name, "desc", coll FROM pragma_index_xinfo(?) WHERE key = 1 ORDER BY seqno`, row[0])
		if err != nil {
			return err
		}
		for _, p := range parts {
			if p[1] == "" {
				ix.Odd = "it is on an expression"
				continue
			}
			if i := slices.IndexFunc(t.Columns, func(c generator.ExistingColumn) bool { return c.Name == p[1] }); i >= 0 && !strings.EqualFold(p[3], cmp.Or(t.Columns[i].Collation, "BINARY")) {
				ix.Odd = "it sorts by " + p[3]
			}
			if p[2] == "1" {
				p[1] = "-" + p[1]
			}
			ix.Columns = append(ix.Columns, p[1])
		}
		if row[1] == "1" {
			t.Uniques = append(t.Uniques, ix)
		} else {
			t.Indexes = append(t.Indexes, ix)
		}
	}
	return nil
}

var where = regexp.MustCompile(`(?is)\)\s*WHERE\s+(.*)$`)

// whereOf is the condition of a partial index.
func whereOf(create string) string {
	if m := where.FindStringSubmatch(create); m != nil {
		return strings.TrimSpace(m[1])
	}
	return ""
}

func (l sqliteDialect) readForeignKeys(ctx context.Context, conn *sql.Conn, t *generator.ExistingTable) error {
	list, err := cells(ctx, conn, `SELECT id, "table", "from", "to", on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq`, t.Name)
	if err != nil {
		return err
	}
	for _, row := range list {
		last := len(t.ForeignKeys) - 1
		if last < 0 || t.ForeignKeys[last].Name != row[0] {
			t.ForeignKeys = append(t.ForeignKeys, generator.ExistingForeignKey{Name: row[0], Table: row[1], OnDelete: row[4]})
			last++
		}
		fk := &t.ForeignKeys[last]
		fk.Columns, fk.To = append(fk.Columns, row[2]), append(fk.To, row[3])
	}
	slices.Reverse(t.ForeignKeys) // SQLite begins with the last
	return nil
}

// sqliteNameTargets spells what foreign keys lead to as it is called itself: SQLite does not
// look at case, and a primary key need not be said.
func sqliteNameTargets(e *generator.Existing) {
	for i := range e.Tables {
		for k := range e.Tables[i].ForeignKeys {
			fk := &e.Tables[i].ForeignKeys[k]
			sqliteSpell(fk.Columns, e.Tables[i].Columns)
			at := slices.IndexFunc(e.Tables, func(t generator.ExistingTable) bool { return strings.EqualFold(t.Name, fk.Table) })
			if at < 0 {
				continue
			}
			target := e.Tables[at]
			fk.Table = target.Name
			if fk.To[0] == "" && len(fk.To) == len(target.Primary) {
				fk.To = slices.Clone(target.Primary)
			}
			sqliteSpell(fk.To, target.Columns)
		}
	}
}

func sqliteSpell(names []string, columns []generator.ExistingColumn) {
	for i, name := range names {
		for _, c := range columns {
			if strings.EqualFold(c.Name, name) {
				names[i] = c.Name
			}
		}
	}
}

const textLiteral = `'(?:[^']|'')*'`

// sqliteChecked is what the checks of a table say of one column: its only values, or that it
// is JSON.
func sqliteChecked(create, column string) (values []string, form string) {
	name := "[\"`\\[]?" + regexp.QuoteMeta(column) + "[\"`\\]]?"
	in := regexp.MustCompile(`(?is)CHECK\s*\(\s*\(?\s*` + name + `\s+IN\s*\(\s*(` + textLiteral + `(?:\s*,\s*` + textLiteral + `)*)\s*\)\s*\)`)
	if m := in.FindStringSubmatch(create); m != nil {
		return literals(m[1]), ""
	}
	if regexp.MustCompile(`(?is)CHECK\s*\(\s*\(?\s*json_valid\s*\(\s*` + name + `\s*\)\s*\)`).MatchString(create) {
		return nil, "json"
	}
	return nil, ""
}

var aLiteral = regexp.MustCompile(textLiteral)

// literals are the texts of a list of literals.
func literals(list string) []string {
	var values []string
	for _, quoted := range aLiteral.FindAllString(list, -1) {
		values = append(values, strings.ReplaceAll(quoted[1:len(quoted)-1], "''", "'"))
	}
	return values
}

// sqliteSpelled is a connection on which Atlas can read what others made: a foreign key that
// leaves the columns that it leads to unsaid, and a condition of an index in lower case.
type sqliteSpelled struct{ *sql.Conn }

func (c sqliteSpelled) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	query = strings.NewReplacer(
		"SELECT `id`, `from`, `to`, `table`, `on_update`, `on_delete` FROM pragma_foreign_key_list",
		"SELECT `id`, `from`, coalesce(`to`, (SELECT name FROM pragma_table_xinfo(`table`) p WHERE p.pk = seq + 1)), `table`, `on_update`, `on_delete` FROM pragma_foreign_key_list",
		"`il`.`partial`, `m`.`sql`", "`il`.`partial`, replace(`m`.`sql`, ' where ', ' WHERE ')",
	).Replace(query)
	return c.Conn.QueryContext(ctx, query, args...)
}

package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"spacecloud/generator"
)

func (l mysqlDialect) existing(ctx context.Context, conn *sql.Conn, only []string) (*generator.Existing, error) {
	e := &generator.Existing{Dialect: "mysql"}
	tables, err := cells(ctx, conn, "SELECT table_name, table_type, COALESCE(engine, ''), table_comment FROM information_schema.tables "+
		"WHERE table_schema = DATABASE() AND table_type <> 'SEQUENCE' ORDER BY table_name")
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, row := range tables {
		name := row[0]
		if only != nil && !slices.Contains(only, name) || strings.HasPrefix(name, "_spacecloud") {
			continue
		}
		t := generator.ExistingTable{Name: name, What: "view"}
		if row[1] != "VIEW" {
			t.What, t.Comment = "table", row[3]
			if !strings.EqualFold(row[2], "InnoDB") {
				t.Notes = append(t.Notes, fmt.Sprintf("its engine %s has no transactions: what was written stays when a request fails after it", row[2]))
			}
		}
		if ownTable(name) {
			t.Alone = "names that begin with _ are the server's own"
		}
		at[name] = len(e.Tables)
		e.Tables = append(e.Tables, t)
	}
	for _, read := range []func(context.Context, *sql.Conn, func(string) *generator.ExistingTable) error{l.readColumns, l.readIndexes, l.readChecks, l.readForeignKeys} {
		err := read(ctx, conn, func(name string) *generator.ExistingTable {
			if i, ok := at[name]; ok {
				return &e.Tables[i]
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range e.Tables {
		if err := l.readView(ctx, conn, &e.Tables[i]); err != nil {
			return nil, err
		}
	}
	e.Notes = mysqlNotes(e)
	return e, nil
}

// isMariaDB is whether a server is one, which tells some things in its own way.
func isMariaDB(ctx context.Context, conn *sql.Conn) (bool, error) {
	var version string
	err := conn.QueryRowContext(ctx, "SELECT VERSION()").Scan(&version)
	return strings.Contains(version, "MariaDB"), err
}

func (l mysqlDialect) readColumns(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	mariadb, err := isMariaDB(ctx, conn)
	if err != nil {
		return err
	}
	rows, err := cells(ctx, conn, "SELECT table_name, column_name, column_type, is_nullable, column_default, column_default IS NULL, extra, COALESCE(collation_name, ''), column_comment "+
		"FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position")
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		extra := strings.ToUpper(row[6])
		c := generator.ExistingColumn{
			Name: row[1], Type: row[2], NonNull: row[3] == "NO", Default: row[4], Collation: row[7], Comment: row[8],
			Counted: strings.Contains(extra, "AUTO_INCREMENT"), Generated: strings.Contains(extra, " GENERATED"),
			Updates: strings.Contains(extra, "ON UPDATE"),
		}
		switch {
		case c.Default == "NULL", c.Generated:
			c.Default = ""
		case !mariadb && row[5] == "0" && !strings.Contains(extra, "DEFAULT_GENERATED"):
			c.Default = text(row[4]) // MySQL tells a literal without quotes
		}
		t.Columns = append(t.Columns, c)
	}
	return nil
}

func (mysqlDialect) readIndexes(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	rows, err := cells(ctx, conn, "SELECT table_name, index_name, non_unique, COALESCE(column_name, ''), COALESCE(collation, ''), COALESCE(sub_part, ''), index_type "+
		"FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY table_name, index_name, seq_in_index")
	if err != nil {
		return err
	}
	for i := 0; i < len(rows); {
		end := i + 1
		for end < len(rows) && rows[end][0] == rows[i][0] && rows[end][1] == rows[i][1] {
			end++
		}
		if t := table(rows[i][0]); t != nil {
			mysqlIndex(t, rows[i:end])
		}
		i = end
	}
	return nil
}

// mysqlIndex adds an index, of which each row is a part.
func mysqlIndex(t *generator.ExistingTable, parts [][]string) {
	ix, unique := generator.ExistingIndex{Name: parts[0][1]}, parts[0][2] == "0"
	if kind := parts[0][6]; kind != "BTREE" {
		ix.Odd = "it is of the kind " + strings.ToLower(kind)
	}
	for _, p := range parts {
		column, sub := p[3], p[5]
		switch {
		case column == "":
			ix.Odd = "it is on an expression"
			continue
		case sub != "" && ix.Odd == "" && (unique || sub != "255"): // which is what an index of ours over a long text holds
			ix.Odd = "it holds only the beginnings of " + column
		}
		for k := range t.Columns {
			if c := &t.Columns[k]; c.Name == column && c.Type == "longtext" && c.Form == "" {
				c.Form = "indexed"
			}
		}
		if p[4] == "D" {
			column = "-" + column
		}
		ix.Columns = append(ix.Columns, column)
	}
	switch {
	case ix.Name == "PRIMARY":
		t.Primary = ix.Columns
	case unique:
		t.Uniques = append(t.Uniques, ix)
	default:
		t.Indexes = append(t.Indexes, ix)
	}
}

var (
	mysqlOnly  = regexp.MustCompile("(?i)^\\(?`((?:[^`]|``)+)` (?:in \\((.*)\\)|= (.*?))\\)?$")
	mysqlIsDoc = regexp.MustCompile("(?i)^json_valid\\(`((?:[^`]|``)+)`\\)$")
)

// readChecks finds the columns of which a check says the only values, or that they are JSON.
func (mysqlDialect) readChecks(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	mariadb, err := isMariaDB(ctx, conn)
	if err != nil {
		return err
	}
	question := "SELECT table_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() ORDER BY table_name, constraint_name"
	if !mariadb {
		question = "SELECT t.table_name, c.check_clause FROM information_schema.check_constraints c JOIN information_schema.table_constraints t " +
			"ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name WHERE c.constraint_schema = DATABASE() ORDER BY t.table_name, c.constraint_name"
	}
	rows, err := cells(ctx, conn, question)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		for i := range t.Columns {
			mysqlCheckColumn(&t.Columns[i], row[1])
		}
	}
	return nil
}

func mysqlCheckColumn(c *generator.ExistingColumn, check string) {
	name := strings.ReplaceAll(c.Name, "`", "``")
	if m := mysqlIsDoc.FindStringSubmatch(check); m != nil && m[1] == name && c.Type == "longtext" {
		c.Form = "json"
	}
	if m := mysqlOnly.FindStringSubmatch(check); m != nil && m[1] == name {
		c.Values = mysqlLiterals(m[2] + m[3])
	}
}

var mysqlLiteral = regexp.MustCompile(`(?:_utf8mb4)?\\?'((?:[^'\\]|''|\\.)*?)\\?'`)

// mysqlLiterals are the texts of a list that holds nothing else, nil for another.
func mysqlLiterals(list string) []string {
	if strings.Trim(mysqlLiteral.ReplaceAllString(list, ""), ", ") != "" {
		return nil
	}
	var values []string
	for _, m := range mysqlLiteral.FindAllStringSubmatch(list, -1) {
		values = append(values, mysqlUnquoted("'"+m[1]+"'"))
	}
	return values
}

func (mysqlDialect) readForeignKeys(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	rows, err := cells(ctx, conn, "SELECT k.table_name, k.constraint_name, k.column_name, CASE WHEN k.referenced_table_schema = DATABASE() THEN k.referenced_table_name "+
		"ELSE CONCAT(k.referenced_table_schema, '.', k.referenced_table_name) END, k.referenced_column_name, r.delete_rule "+
		"FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema "+
		"AND r.table_name = k.table_name AND r.constraint_name = k.constraint_name WHERE k.table_schema = DATABASE() AND k.referenced_table_name IS NOT NULL "+
		"ORDER BY k.table_name, k.constraint_name, k.ordinal_position")
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		last := len(t.ForeignKeys) - 1
		if last < 0 || t.ForeignKeys[last].Name != row[1] {
			t.ForeignKeys = append(t.ForeignKeys, generator.ExistingForeignKey{Name: row[1], Table: row[3], OnDelete: row[5]})
			last++
		}
		fk := &t.ForeignKeys[last]
		fk.Columns, fk.To = append(fk.Columns, row[2]), append(fk.To, row[4])
	}
	return nil
}

// readView leaves a view alone that cannot be read, like one of a table that is gone.
func (l mysqlDialect) readView(ctx context.Context, conn *sql.Conn, t *generator.ExistingTable) error {
	if t.What != "view" || t.Alone != "" {
		return nil
	}
	if _, err := cells(ctx, conn, "SELECT 1 FROM "+l.quote(t.Name)+" LIMIT 0"); err != nil {
		if ctx.Err() != nil {
			return err
		}
		t.Alone = "it cannot be read: something that it reads is gone, or not allowed to it"
	}
	return nil
}

// mysqlNotes say how times are meant that somebody else wrote.
func mysqlNotes(e *generator.Existing) []string {
	for _, t := range e.Tables {
		for _, c := range t.Columns {
			if strings.HasPrefix(c.Type, "datetime") && c.Type != "datetime(6)" {
				return []string{"Columns of datetime do not say where their clock stands: what is in them is read and written as UTC."}
			}
		}
	}
	return nil
}

// respelled is whether a default that a column has is what the schema wants, as the server
// spells it: lower(x) becomes lcase(x). The server is asked on a table that only this connection sees.
func (l mysqlDialect) respelled(ctx context.Context, conn *sql.Conn, table, column, want string) (bool, error) {
	const scratch = "`_spacecloud_spelling`"
	has, err := l.shownDefault(ctx, conn, l.quote(table), column)
	if err != nil {
		return false, err
	}
	if _, err := conn.ExecContext(ctx, "CREATE TEMPORARY TABLE "+scratch+" LIKE "+l.quote(table)); err != nil {
		return false, fmt.Errorf("ask how the server spells the default of %s.%s: %w", table, column, err)
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "DROP TEMPORARY TABLE IF EXISTS "+scratch) }()
	if _, err := conn.ExecContext(ctx, "ALTER TABLE "+scratch+" ALTER COLUMN "+l.quote(column)+" SET DEFAULT "+want); err != nil {
		return false, nil // what is wrong with it, the migration says
	}
	would, err := l.shownDefault(ctx, conn, scratch, column)
	return has == would, err
}

func (mysqlDialect) shownDefault(ctx context.Context, conn *sql.Conn, table, column string) (string, error) {
	rows, err := cells(ctx, conn, "SHOW COLUMNS FROM "+table)
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		if row[0] == column {
			return row[4] + " " + row[5], nil
		}
	}
	return "", nil
}

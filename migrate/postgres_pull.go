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

// gap separates the names of a list in one cell: no name holds it.
const gap = "\x01"

func (l postgresDialect) existing(ctx context.Context, conn *sql.Conn, only []string) (*generator.Existing, error) {
	e := &generator.Existing{Dialect: "postgres"}
	tables, err := cells(ctx, conn, "SELECT relname, CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'table' END, obj_description(oid, 'pg_class') "+
		"FROM pg_catalog.pg_class WHERE relnamespace = "+here+" AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition ORDER BY relname")
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for _, row := range tables {
		name := row[0]
		if only != nil && !slices.Contains(only, name) || strings.HasPrefix(name, "_spacecloud") {
			continue
		}
		t := generator.ExistingTable{Name: name, What: row[1], Comment: row[2]}
		if ownTable(name) {
			t.Alone = "names that begin with _ are the server's own"
		}
		at[name] = len(e.Tables)
		e.Tables = append(e.Tables, t)
	}
	for _, read := range []func(context.Context, *sql.Conn, func(string) *generator.ExistingTable) error{l.readColumns, l.readIndexes, l.readConstraints} {
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
		postgresCounted(&e.Tables[i])
	}
	if only == nil {
		e.Notes, err = l.notes(ctx, conn)
	}
	return e, err
}

func (postgresDialect) readColumns(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	rows, err := cells(ctx, conn, `
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
	CASE WHEN a.attcollation <> 0 AND a.attcollation <> 100 THEN l.collname END,
	(SELECT string_agg(enumlabel, E'\x01' ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = a.atttypid),
	col_description(c.oid, a.attnum)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = `+here+` AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		c := generator.ExistingColumn{Name: row[1], Type: row[2], NonNull: row[3] == "true", Default: row[4], Counted: row[5] != "", Generated: row[6] != "", Collation: row[7], Comment: row[9]}
		if row[8] != "" {
			c.Values, c.Form = strings.Split(row[8], gap), "enum"
		}
		t.Columns = append(t.Columns, c)
	}
	return nil
}

func (postgresDialect) readIndexes(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	rows, err := cells(ctx, conn, `
SELECT t.relname, i.relname, x.indisunique, x.indisprimary, pg_get_expr(x.indpred, x.indrelid),
	CASE WHEN x.indisexclusion THEN 'it excludes' WHEN m.amname <> 'btree' THEN 'it is of the kind ' || m.amname WHEN x.indexprs IS NOT NULL THEN 'it is on an expression'
		WHEN x.indnatts > x.indnkeyatts THEN 'it includes further columns' WHEN NOT x.indisvalid THEN 'it is not valid'
		WHEN to_jsonb(x) ->> 'indnullsnotdistinct' = 'true' THEN 'nulls are equal to it'
		WHEN bool_or(k.flags NOT IN (0, 3)) THEN 'it puts nulls at the other end' WHEN bool_or(NOT o.opcdefault) THEN 'it has a class of operators of its own'
		WHEN bool_or(k.sorting <> a.attcollation) THEN 'it sorts by another collation than its column' END,
	string_agg(CASE WHEN k.flags & 1 = 1 THEN '-' ELSE '' END || coalesce(a.attname, ''), E'\x01' ORDER BY k.n)
FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class t ON t.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid JOIN pg_catalog.pg_am m ON m.oid = i.relam
	CROSS JOIN LATERAL unnest(x.indkey::int2[], x.indoption::int2[], x.indclass::oid[], x.indcollation::oid[]) WITH ORDINALITY AS k(attnum, flags, class, sorting, n)
	LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum AND k.attnum > 0 LEFT JOIN pg_catalog.pg_opclass o ON o.oid = k.class
WHERE t.relnamespace = `+here+` AND t.relkind IN ('r', 'p') AND k.n <= x.indnkeyatts
GROUP BY t.relname, i.relname, x.*, x.indexrelid, x.indrelid, x.indisunique, x.indisprimary, x.indpred, x.indisexclusion, x.indexprs, x.indnatts, x.indnkeyatts, x.indisvalid, m.amname ORDER BY i.relname`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		ix := generator.ExistingIndex{Name: row[1], Where: row[4], Odd: row[5], Columns: strings.Split(row[6], gap)}
		switch {
		case row[3] == "true":
			t.Primary = ix.Columns
		case row[2] == "true":
			t.Uniques = append(t.Uniques, ix)
		default:
			t.Indexes = append(t.Indexes, ix)
		}
	}
	return nil
}

func (postgresDialect) readConstraints(ctx context.Context, conn *sql.Conn, table func(string) *generator.ExistingTable) error {
	rows, err := cells(ctx, conn, `
SELECT t.relname, c.conname, c.contype::text, CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' ELSE '' END,
	CASE WHEN r.relnamespace <> t.relnamespace THEN r.relnamespace::regnamespace::text || '.' ELSE '' END || r.relname, pg_get_constraintdef(c.oid),
	(SELECT string_agg(a.attname, E'\x01' ORDER BY k.n) FROM unnest(c.conkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum),
	(SELECT string_agg(a.attname, E'\x01' ORDER BY k.n) FROM unnest(c.confkey) WITH ORDINALITY AS k(attnum, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.attnum)
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class t ON t.oid = c.conrelid LEFT JOIN pg_catalog.pg_class r ON r.oid = c.confrelid
WHERE t.relnamespace = `+here+` AND c.contype IN ('f', 'c') AND c.conparentid = 0 ORDER BY t.relname, c.conname`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		t := table(row[0])
		if t == nil {
			continue
		}
		columns := strings.Split(row[6], gap)
		if row[2] == "f" {
			t.ForeignKeys = append(t.ForeignKeys, generator.ExistingForeignKey{Name: row[1], Columns: columns, Table: row[4], To: strings.Split(row[7], gap), OnDelete: row[3]})
			continue
		}
		for i := range t.Columns {
			if len(columns) == 1 && t.Columns[i].Name == columns[0] && t.Columns[i].Form == "" {
				if values := postgresChecked(row[5]); values != nil {
					t.Columns[i].Values = values
				}
			}
		}
	}
	return nil
}

// anyOf is how PostgreSQL tells a list of the only values, or the only one.
var anyOf = regexp.MustCompile(`^CHECK \(\(+[^'()]+\)?(?:::text)? = (?:ANY \(+ARRAY\[(.*)\]\)?(?:::text\[\])?\)|(` + textLiteral + `::[a-z ]+))\)\)$`)

// postgresChecked are the only values of a column, by the check of it alone.
func postgresChecked(check string) []string {
	m := anyOf.FindStringSubmatch(check)
	if m == nil {
		return nil
	}
	return literals(m[1] + m[2])
}

// postgresCounted tells keys that the database counts from other columns with numbers of its
// own: those have a default like any other, or are nobody's to write.
func postgresCounted(t *generator.ExistingTable) {
	for i := range t.Columns {
		c := &t.Columns[i]
		key := slices.Equal(t.Primary, []string{c.Name})
		switch {
		case c.Counted && !key:
			c.Counted, c.Generated = false, true
		case key && strings.HasPrefix(c.Default, "nextval("):
			c.Counted = true
		}
	}
}

func (postgresDialect) notes(ctx context.Context, conn *sql.Conn) ([]string, error) {
	var notes []string
	found, err := cells(ctx, conn, "SELECT datcollate, current_schema() FROM pg_catalog.pg_database WHERE datname = current_database()")
	if err != nil {
		return nil, err
	}
	if by := found[0][0]; by != "C" && by != "POSIX" {
		notes = append(notes, fmt.Sprintf("Texts have the collation of the database, %s. The API sorts and compares them by their bytes, as everywhere, which indexes of that collation do not serve.", by))
	}
	others, err := cells(ctx, conn, "SELECT string_agg(nspname, ', ' ORDER BY nspname) FROM pg_catalog.pg_namespace n WHERE nspname <> current_schema() "+
		"AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' AND EXISTS (SELECT 1 FROM pg_catalog.pg_class WHERE relnamespace = n.oid AND relkind IN ('r', 'p', 'v', 'm', 'f'))")
	if err == nil && others[0][0] != "" {
		notes = append(notes, fmt.Sprintf("Only the schema %s is here, which the search path names first. Left alone: %s. Another is pulled by a database of its own whose URL says search_path=….", found[0][1], others[0][0]))
	}
	return notes, err
}

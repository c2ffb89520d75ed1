package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
)

// diff asks the database how it would tell an expression back before it takes one for changed.
func (l postgresDialect) diff(ctx context.Context, d *draft, have, want *atlas.Table) ([]atlas.Change, error) {
	made := d.have.made(want.Name)
	postgresAdopt(have, want)
	changes, err := postgres.DefaultDiff.TableDiff(have, want, atlas.DiffNormalized())
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(changes, l.mayBeTold) {
		if err := l.settle(ctx, d, have, want); err != nil {
			return nil, err
		}
		if changes, err = postgres.DefaultDiff.TableDiff(have, want, atlas.DiffNormalized()); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(changes, func(c atlas.Change) bool {
		switch c := c.(type) {
		case *atlas.DropIndex: // whoever made it wants it
			return !made.madeIndex(c.I.Name)
		case *atlas.DropCheck:
			return !made.Made || !ourCheck(c.C.Name)
		case *atlas.DropForeignKey:
			return !made.Made
		}
		return false
	}), nil
}

// ourCheck is whether the generator names checks so; a long name ends in a hash.
func ourCheck(name string) bool { return strings.HasSuffix(name, "_enum") || len(name) == maxName }

// maxName is the length of the longest name that PostgreSQL takes.
const maxName = 63

// postgresAdopt gives unique indexes and foreign keys that somebody else made the names of
// the wanted ones that say the same, and checks their spelling.
func postgresAdopt(have, want *atlas.Table) {
	for _, w := range want.Indexes {
		if _, there := have.Index(w.Name); there || !w.Unique {
			continue
		}
		for _, i := range have.Indexes {
			if i.Unique && slices.EqualFunc(i.Parts, w.Parts, samePart) && len(w.Attrs) == 0 && !has(i.Attrs, new(postgres.IndexPredicate)) {
				i.Name, i.Attrs = w.Name, nil
				break
			}
		}
	}
	adoptForeignKeys(have, want)
	for _, h := range checksOf(have) {
		for _, w := range checksOf(want) {
			if h.Name == w.Name && unquoted(h.Expr) == unquoted(w.Expr) {
				h.Expr = w.Expr
			}
		}
	}
}

// adoptForeignKeys gives foreign keys the names of the wanted ones that say the same.
func adoptForeignKeys(have, want *atlas.Table) {
	for _, w := range want.ForeignKeys {
		if _, there := have.ForeignKey(w.Symbol); there {
			continue
		}
		for _, fk := range have.ForeignKeys {
			if sameForeignKey(fk, w) {
				fk.Symbol = w.Symbol
				break
			}
		}
	}
}

// unquoted is an expression without the quotes that names may have or not.
func unquoted(expr string) string { return strings.ReplaceAll(expr, `"`, "") }

func checksOf(t *atlas.Table) []*atlas.Check {
	var checks []*atlas.Check
	for _, a := range t.Attrs {
		if c, ok := a.(*atlas.Check); ok {
			checks = append(checks, c)
		}
	}
	return checks
}

func sameForeignKey(a, b *atlas.ForeignKey) bool {
	sameName := func(a, b *atlas.Column) bool { return a.Name == b.Name }
	return a.RefTable.Name == b.RefTable.Name && a.OnDelete == b.OnDelete &&
		slices.EqualFunc(a.Columns, b.Columns, sameName) && slices.EqualFunc(a.RefColumns, b.RefColumns, sameName)
}

// mayBeTold is whether a change may come from how PostgreSQL spells an expression.
func (postgresDialect) mayBeTold(c atlas.Change) bool {
	switch c := c.(type) {
	case *atlas.ModifyCheck:
		return true
	case *atlas.ModifyIndex:
		return has(c.From.Attrs, new(postgres.IndexPredicate)) && has(c.To.Attrs, new(postgres.IndexPredicate))
	case *atlas.ModifyColumn:
		return c.Change.Is(atlas.ChangeDefault) && c.From.Default != nil && c.To.Default != nil
	}
	return false
}

// told are the expressions of a table as the database tells them.
type told map[string]string

// settle makes the wanted table beside the one that is there, for a moment, and gives those
// expressions of have that the database tells alike the wanted spelling.
func (l postgresDialect) settle(ctx context.Context, d *draft, have, want *atlas.Table) error {
	was, err := tell(ctx, d.conn, l.quote(d.have.table(want.Name)))
	if err != nil {
		return err
	}
	beside := *want
	beside.Name, beside.ForeignKeys = "_spacecloud_beside", nil
	statements := l.createTable(&beside)
	statements[0] = strings.Replace(statements[0], "CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
	if _, err := d.conn.ExecContext(ctx, strings.Join(statements, ";\n")); err != nil {
		return fmt.Errorf("table %s cannot be made as it is wanted: %w", want.Name, err)
	}
	is, err := tell(ctx, d.conn, "pg_temp."+beside.Name)
	if err != nil {
		return err
	}
	if _, err := d.conn.ExecContext(ctx, "DROP TABLE pg_temp."+beside.Name); err != nil {
		return err
	}
	adoptTold(have, want, was, is, func(column string) string { return d.have.column(want.Name, column) })
	return nil
}

func adoptTold(have, want *atlas.Table, was, is told, before func(string) string) {
	alike := func(old, name string) bool { return was[old] != "" && was[old] == is[name] }
	for _, w := range want.Columns {
		if h, ok := have.Column(w.Name); ok && h.Default != nil && w.Default != nil && alike("default "+before(w.Name), "default "+w.Name) {
			h.Default = w.Default
		}
	}
	for _, w := range want.Indexes {
		if h, ok := have.Index(w.Name); ok && alike("index "+w.Name, "index "+w.Name) {
			p := new(postgres.IndexPredicate)
			has(w.Attrs, p)
			h.Attrs = slices.DeleteFunc(h.Attrs, func(a atlas.Attr) bool { _, ok := a.(*postgres.IndexPredicate); return ok })
			h.AddAttrs(p)
		}
	}
	for _, w := range checksOf(want) {
		for _, h := range checksOf(have) {
			if h.Name == w.Name && alike("check "+w.Name, "check "+w.Name) {
				h.Expr = w.Expr
			}
		}
	}
}

// tell reads the expressions of a table.
func tell(ctx context.Context, conn *sql.Conn, table string) (told, error) {
	rows, err := conn.QueryContext(ctx, `
SELECT 'default ' || a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = $1::regclass
UNION ALL SELECT 'index ' || i.relname, pg_get_expr(x.indpred, x.indrelid) FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = $1::regclass AND x.indpred IS NOT NULL
UNION ALL SELECT 'check ' || conname, pg_get_expr(conbin, conrelid) FROM pg_catalog.pg_constraint
WHERE conrelid = $1::regclass AND contype = 'c'`, table)
	if err != nil {
		return nil, fmt.Errorf("read the expressions of %s: %w", table, err)
	}
	defer rows.Close()
	t := told{}
	for rows.Next() {
		var name, expr string
		if err := rows.Scan(&name, &expr); err != nil {
			return nil, err
		}
		t[name] = expr
	}
	return t, rows.Err()
}

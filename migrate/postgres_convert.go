package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"
)

func (postgresDialect) kindOf(t atlas.Type) string {
	switch t := t.(type) {
	case *atlas.IntegerType:
		if strings.EqualFold(t.T, "bigint") || strings.EqualFold(t.T, "int8") {
			return "BigInt"
		}
		return "Int"
	case *atlas.FloatType:
		return "Float"
	case *atlas.DecimalType:
		return "Decimal"
	case *atlas.BoolType:
		return "Boolean"
	case *atlas.BinaryType:
		return "Bytes"
	case *atlas.StringType:
		return "String"
	case *atlas.UUIDType:
		return "UUID"
	case *atlas.JSONType:
		return "JSON"
	case *atlas.TimeType:
		switch name := strings.ToLower(t.T); {
		case name == "date":
			return "Date"
		case strings.HasPrefix(name, "timestamp"):
			return "DateTime"
		}
		return "Time"
	case *postgres.ArrayType:
		return "[" + postgresDialect{}.kindOf(t.Type) + "]"
	}
	return ""
}

// reads is a function of ours, true of a text that PostgreSQL takes for a value of a type.
// It is in the schema for what is temporary, and no longer there than look goes on.
const reads = "pg_temp._spacecloud_reads"

func (postgresDialect) equip(ctx context.Context, conn *sql.Conn, condition string) error {
	if !strings.Contains(condition, reads) {
		return nil
	}
	_, err := conn.ExecContext(ctx, "CREATE OR REPLACE FUNCTION "+reads+"(value text, type text) RETURNS boolean LANGUAGE plpgsql AS $$ "+
		"BEGIN EXECUTE format('SELECT CAST(%L AS %s)', value, type); RETURN true; EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN RETURN false; END $$")
	if err != nil {
		return fmt.Errorf("look at values: %w", err)
	}
	return nil
}

// read is whether a text is a value of a type, null and false being the same here.
func read(value, typ string) string { return reads + "(" + value + ", '" + typ + "')" }

// postgresConversions are those that there are, by the new kind and the old one. %[1]s is the
// old value. What fails never reaches expr.
var postgresConversions = func() map[[2]string]conversion {
	all := map[[2]string]conversion{}
	add := func(c conversion, to string, froms ...string) {
		for _, from := range froms {
			all[[2]string{to, from}] = c
		}
	}
	const instant = `to_char(%[1]s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	for _, to := range []string{"String", "ID", "enum"} { // an enum's CHECK says the rest
		add(conversion{expr: "%[1]s"}, to, "String", "ID", "enum")
		add(conversion{expr: "%[1]s::text"}, to, "UUID", "Date", "Time", "JSON", "embedded")
		add(conversion{expr: instant}, to, "DateTime")
		add(conversion{expr: "trim_scale(%[1]s)::text"}, to, "Decimal")
	}
	for _, to := range []string{"String", "ID"} {
		add(conversion{expr: "%[1]s::text"}, to, "Int", "BigInt", "Float", "Boolean")
	}
	const notInt = "NOT BETWEEN -2147483648 AND 2147483647"
	const notBig = "NOT BETWEEN -9223372036854775808 AND 9223372036854775807"
	const notWhole = "%[1]s !~ '^(0|-?[1-9][0-9]{0,18})$' OR NOT "
	for to, c := range map[string]struct{ name, out string }{"Int": {"integer", notInt}, "BigInt": {"bigint", notBig}} {
		whole := "trunc(%[1]s)::" + c.name
		add(conversion{expr: whole, fails: "trunc(%[1]s::numeric) " + c.out, loses: "%[1]s <> trunc(%[1]s)"}, to, "Decimal")
		add(conversion{expr: whole, fails: "abs(%[1]s) = 'Infinity' OR %[1]s = 'NaN' OR trunc(%[1]s) " + c.out + " OR abs(%[1]s) >= 9223372036854775807", loses: "%[1]s <> trunc(%[1]s)"}, to, "Float")
		add(conversion{expr: "%[1]s::" + c.name, fails: notWhole + read("%[1]s", c.name)}, to, "String", "ID")
		add(conversion{expr: "%[1]s::integer::" + c.name}, to, "Boolean")
	}
	add(conversion{expr: "%[1]s::integer", fails: "%[1]s " + notInt}, "Int", "BigInt")
	add(conversion{expr: "%[1]s::bigint"}, "BigInt", "Int")
	add(conversion{expr: "(%[1]s = 1)", fails: "%[1]s NOT IN (0, 1)"}, "Boolean", "Int", "BigInt")
	add(conversion{expr: "(%[1]s = 'true')", fails: "%[1]s NOT IN ('true', 'false')"}, "Boolean", "String", "enum")

	const number = `%[1]s !~ '^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$' OR NOT `
	add(conversion{expr: "%[1]s::double precision"}, "Float", "Int")
	add(conversion{expr: "%[1]s::double precision", loses: "CASE WHEN abs(%[1]s::double precision) < 9.2e18 THEN %[1]s::double precision::bigint <> %[1]s ELSE true END"}, "Float", "BigInt")
	add(conversion{expr: "%[1]s::double precision", loses: "%[1]s::double precision::text::numeric <> %[1]s"}, "Float", "Decimal")
	add(conversion{expr: "%[1]s::double precision", fails: number + read("%[1]s", "double precision")}, "Float", "String", "ID")
	add(conversion{expr: "%[1]s::numeric"}, "Decimal", "Int", "BigInt")
	add(conversion{expr: "%[1]s::text::numeric", fails: "abs(%[1]s) = 'Infinity' OR %[1]s = 'NaN'"}, "Decimal", "Float")
	add(conversion{expr: "%[1]s::numeric", fails: `%[1]s !~ '^-?[0-9]{1,40}(\.[0-9]{1,40})?$'`}, "Decimal", "String", "ID")

	const date, clock = `[0-9]{4}-[0-9]{2}-[0-9]{2}`, `[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?`
	for to, c := range map[string]struct{ name, shape string }{
		"Date": {"date", date}, "Time": {"time", clock}, "DateTime": {"timestamptz", date + "T" + clock + "Z"},
		"UUID": {"uuid", "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"},
	} {
		add(conversion{expr: "%[1]s::" + c.name, fails: "%[1]s !~ '^" + c.shape + "$' OR NOT " + read("%[1]s", c.name)}, to, "String", "ID")
	}
	add(conversion{expr: "%[1]s::timestamp AT TIME ZONE 'UTC'"}, "DateTime", "Date")
	add(conversion{expr: "(%[1]s AT TIME ZONE 'UTC')::date", loses: "(%[1]s AT TIME ZONE 'UTC')::time <> '00:00'"}, "Date", "DateTime")

	add(conversion{expr: "%[1]s::jsonb", fails: "NOT " + read("%[1]s", "jsonb")}, "JSON", "String", "ID")
	add(conversion{expr: "%[1]s"}, "JSON", "embedded")
	add(conversion{expr: "to_jsonb(%[1]s)"}, "JSON", "Int", "Float", "Boolean")
	add(conversion{expr: "convert_to(%[1]s, 'UTF8')"}, "Bytes", "String", "ID")
	return all
}()

func (l postgresDialect) convert(s source, value string) (conversion, bool) {
	c, ok := postgresConversions[[2]string{s.to, s.from}]
	elem, isList := strings.CutPrefix(s.to, "[")
	switch {
	case s.from == s.to || s.from == "" || s.to == "":
		c, ok = l.recast(s), true
	case !ok && isList && strings.TrimSuffix(elem, "]") == s.from:
		c, ok = conversion{expr: "CASE WHEN %[1]s IS NOT NULL THEN ARRAY[%[1]s] END"}, true
		if s.from == "embedded" {
			c.expr = "CASE WHEN %[1]s IS NOT NULL THEN jsonb_build_array(%[1]s) END"
		}
	case !ok && s.to == "JSON" && strings.HasPrefix(s.from, "["):
		c, ok = conversion{expr: "to_jsonb(%[1]s)"}, true
	}
	if !ok {
		return conversion{}, false
	}
	return l.sized(s, c.on(value)), true
}

// recast is how values of the same kind become those of another type of it.
func (l postgresDialect) recast(s source) conversion {
	same := conversion{expr: "%[1]s"}
	if s.had == nil {
		return same
	}
	from, to := l.typeName(s.had.Type.Type), l.typeName(s.column.Type.Type)
	if from == to {
		return same
	}
	switch s.column.Type.Type.(type) {
	case *atlas.StringType:
		if _, text := s.had.Type.Type.(*atlas.StringType); !text {
			return conversion{expr: "%[1]s::text"}
		}
		return same
	case *atlas.DecimalType:
		return conversion{expr: "%[1]s::numeric", fails: "NOT " + read("%[1]s::text", "numeric")}
	case *atlas.TimeType:
		if zoned := strings.HasPrefix(to, "timestamptz"); zoned && strings.HasPrefix(from, "timestamp") && !strings.HasPrefix(from, "timestamptz") {
			return conversion{expr: "%[1]s AT TIME ZONE 'UTC'"}
		}
		return conversion{expr: "%[1]s::" + to, loses: "%[1]s::" + to + "::" + from + " <> %[1]s"}
	}
	return conversion{expr: "%[1]s::text::" + to, fails: "NOT " + read("%[1]s::text", to)}
}

// sized adds what the size of a type does not let in.
func (l postgresDialect) sized(s source, c conversion) conversion {
	if s.had != nil && l.typeName(s.had.Type.Type) == l.typeName(s.column.Type.Type) {
		return c
	}
	also := func(old, more string) string {
		if old == "" {
			return more
		}
		return "CASE WHEN " + old + " THEN true ELSE " + more + " END"
	}
	switch t := s.column.Type.Type.(type) {
	case *atlas.StringType:
		had, ok := s.hadType().(*atlas.StringType)
		if t.Size > 0 && (!ok || had.Size == 0 || had.Size > t.Size) {
			c.fails = also(c.fails, "char_length("+c.expr+") > "+strconv.Itoa(t.Size))
		}
	case *atlas.DecimalType:
		if t.Precision > 0 {
			fits := fmt.Sprintf("abs(round(%s, %d)) >= 1e%d", c.expr, t.Scale, t.Precision-t.Scale)
			c.loses = also(c.loses, fmt.Sprintf("round(%s, %d) <> %s", c.expr, t.Scale, c.expr))
			c.fails = also(c.fails, fits)
		}
	}
	return c
}

func (s source) hadType() atlas.Type {
	if s.had == nil {
		return nil
	}
	return s.had.Type.Type
}

func (postgresDialect) cast(expr, typ string) string {
	if strings.HasSuffix(expr, "::"+typ) {
		return expr
	}
	return "CAST(" + expr + " AS " + typ + ")"
}

// image has a type also where it is null, and is null where the value has no way.
func (l postgresDialect) image(s source) string {
	expr := exprOf(l, s, s.was)
	if s.had != nil {
		if c, ok := l.convert(s, l.quote(s.was)); ok && c.fails != "" {
			expr = "CASE WHEN " + c.fails + " THEN NULL ELSE " + expr + " END"
		}
	}
	return l.cast(expr, l.typeName(s.column.Type.Type))
}

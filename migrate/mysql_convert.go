package migrate

import (
	"fmt"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"
)

func (mysqlDialect) kindOf(t atlas.Type) string {
	switch t := t.(type) {
	case *atlas.IntegerType:
		if t.T == mysql.TypeBigInt || t.Unsigned {
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
	case *atlas.StringType, *atlas.EnumType:
		return "String"
	case *atlas.UUIDType:
		return "UUID"
	case *atlas.JSONType:
		return "JSON"
	case *atlas.TimeType:
		switch t.T {
		case mysql.TypeDate:
			return "Date"
		case mysql.TypeTime:
			return "Time"
		case mysql.TypeDateTime, mysql.TypeTimestamp:
			return "DateTime"
		}
	}
	return ""
}

// held is the kind of a column by which its values convert: what the schema says if the
// column's type can hold that, and else what the type says.
func (l mysqlDialect) held(kind string, t atlas.Type) string {
	is := l.kindOf(t)
	switch {
	case kind == "" || is == "":
		return kind
	case is == "String" && (kind == "ID" || kind == "enum" || kind == "UUID"),
		is == "JSON" && (kind == "embedded" || strings.HasPrefix(kind, "[")):
		return kind
	}
	return is
}

// mysqlConversions are those that there are, by the new kind and the old one. %[1]s is the
// old value; where it is also the new one, changing the column's type does the same.
var mysqlConversions = func() map[[2]string]conversion {
	all := map[[2]string]conversion{}
	add := func(c conversion, to string, froms ...string) {
		for _, from := range froms {
			all[[2]string{to, from}] = c
		}
	}
	const same = "%[1]s"
	const boolean = "CASE %[1]s WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"
	for _, to := range []string{"String", "ID", "enum"} { // an enum's CHECK says the rest
		add(conversion{expr: same}, to, "String", "ID", "enum", "UUID", "Date", "Time", "JSON", "embedded")
		add(conversion{expr: "CONCAT(REPLACE(%[1]s, ' ', 'T'), 'Z')"}, to, "DateTime")
		add(conversion{expr: mysqlTrimmed}, to, "Decimal")
	}
	for _, to := range []string{"String", "ID"} {
		add(conversion{expr: same}, to, "Int", "BigInt", "Float")
		add(conversion{expr: boolean}, to, "Boolean")
	}
	const notInt, notBig = "NOT BETWEEN -2147483648 AND 2147483647", "NOT BETWEEN -9223372036854775808 AND 9223372036854775807"
	for to, out := range map[string]string{"Int": notInt, "BigInt": notBig} {
		add(conversion{expr: "TRUNCATE(%[1]s, 0)", fails: "TRUNCATE(%[1]s, 0) " + out, loses: "%[1]s <> TRUNCATE(%[1]s, 0)"}, to, "Decimal")
		add(conversion{expr: "TRUNCATE(%[1]s, 0)", fails: "TRUNCATE(%[1]s, 0) " + out + " OR ABS(%[1]s) >= 9223372036854775807e0", loses: "%[1]s <> TRUNCATE(%[1]s, 0)"}, to, "Float")
		add(conversion{expr: same, fails: `%[1]s NOT REGEXP '^(0|-?[1-9][0-9]{0,18})\\z' OR CAST(%[1]s AS DECIMAL(20)) ` + out}, to, "String", "ID")
		add(conversion{expr: same}, to, "Boolean")
	}
	add(conversion{expr: same, fails: "%[1]s " + notInt}, "Int", "BigInt")
	add(conversion{expr: same}, "BigInt", "Int")
	add(conversion{expr: same, fails: "%[1]s NOT IN (0, 1)"}, "Boolean", "Int", "BigInt")
	add(conversion{expr: "(%[1]s = 'true')", fails: "%[1]s NOT IN ('true', 'false')"}, "Boolean", "String", "enum")

	add(conversion{expr: same}, "Float", "Int")
	add(conversion{expr: same, loses: "CAST(%[1]s + 0e0 AS DECIMAL(65)) <> %[1]s"}, "Float", "BigInt")
	add(conversion{expr: same, loses: "CAST(%[1]s + 0e0 AS DECIMAL(65, 30)) <> %[1]s"}, "Float", "Decimal")
	add(conversion{expr: same, fails: `%[1]s NOT REGEXP '^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?\\z' OR ABS(%[1]s + 0e0) >= 1.797693134862315e308`}, "Float", "String", "ID")
	add(conversion{expr: same}, "Decimal", "Int", "BigInt", "Float")
	add(conversion{expr: same, fails: `%[1]s NOT REGEXP '^-?[0-9]{1,35}(\\.[0-9]{1,30})?\\z'`}, "Decimal", "String", "ID")

	const date, clock = `[0-9]{4}-[0-9]{2}-[0-9]{2}`, `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?`
	add(conversion{expr: same, fails: "%[1]s NOT REGEXP '^" + date + `\\z' OR CAST(%[1]s AS DATE) IS NULL`}, "Date", "String", "ID")
	add(conversion{expr: same, fails: "%[1]s NOT REGEXP '^" + clock + `\\z'`}, "Time", "String", "ID")
	const moment = "REPLACE(REPLACE(%[1]s, 'T', ' '), 'Z', '')"
	add(conversion{expr: moment, fails: "%[1]s NOT REGEXP '^" + date + "T" + clock + `Z\\z' OR CAST(` + moment + " AS DATETIME(6)) IS NULL"}, "DateTime", "String", "ID")
	add(conversion{expr: same, fails: `%[1]s NOT REGEXP '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\\z'`}, "UUID", "String", "ID")
	add(conversion{expr: same}, "DateTime", "Date")
	add(conversion{expr: "CAST(%[1]s AS DATE)", loses: "%[1]s <> CAST(%[1]s AS DATE)"}, "Date", "DateTime")

	add(conversion{expr: same, fails: "NOT JSON_VALID(%[1]s)"}, "JSON", "String", "ID")
	add(conversion{expr: same}, "JSON", "embedded")
	add(conversion{expr: "CONCAT(%[1]s)"}, "JSON", "Int", "BigInt", "Float")
	add(conversion{expr: boolean}, "JSON", "Boolean")
	add(conversion{expr: same}, "Bytes", "String", "ID")
	return all
}()

// mysqlTrimmed is a decimal as a text without zeros at its end.
const mysqlTrimmed = "CASE WHEN LOCATE('.', %[1]s) > 0 THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM %[1]s)) ELSE CONCAT(%[1]s) END"

func (l mysqlDialect) convert(s source, value string) (conversion, bool) {
	from, to := s.from, s.to
	if s.had != nil {
		from, to = l.held(from, s.had.Type.Type), l.held(to, s.column.Type.Type)
	}
	c, ok := mysqlConversions[[2]string{to, from}]
	elem, isList := strings.CutPrefix(to, "[")
	switch {
	case from == to || from == "" || to == "":
		c, ok = l.recast(s), true
	case !ok && isList && strings.TrimSuffix(elem, "]") == from:
		c, ok = conversion{expr: mysqlList(from)}, true
	case !ok && to == "JSON" && strings.HasPrefix(from, "["):
		c, ok = conversion{expr: "%[1]s"}, true
	}
	if !ok {
		return conversion{}, false
	}
	return l.sized(s, c.on(value)), true
}

// mysqlList is a list of one value of a kind, as JSON.
func mysqlList(kind string) string {
	element := ""
	switch kind {
	case "Int", "Float", "JSON", "embedded":
		element = "%[1]s"
	case "Boolean":
		element = "CASE %[1]s WHEN 0 THEN 'false' ELSE 'true' END"
	case "BigInt", "Date", "Time":
		element = "'\"', %[1]s, '\"'"
	case "DateTime":
		element = "'\"', REPLACE(%[1]s, ' ', 'T'), 'Z\"'"
	case "Decimal":
		element = "'\"', " + mysqlTrimmed + ", '\"'"
	case "Bytes":
		element = "'\"', REPLACE(TO_BASE64(%[1]s), '\\n', ''), '\"'"
	default:
		return "CASE WHEN %[1]s IS NOT NULL THEN JSON_ARRAY(%[1]s) END"
	}
	return "CONCAT('[', " + element + ", ']')"
}

// recast is how values of the same kind become those of another type of it.
func (l mysqlDialect) recast(s source) conversion {
	c := conversion{expr: "%[1]s"}
	if s.had == nil {
		return c
	}
	from, to := l.typeName(s.had.Type.Type), l.typeName(s.column.Type.Type)
	if _, isTime := s.column.Type.Type.(*atlas.TimeType); isTime && from != to {
		c.loses = "%[1]s <> CAST(%[1]s AS " + strings.Replace(to, "timestamp", "datetime", 1) + ")"
	}
	return c
}

// sized adds what the size of a type does not let in.
func (l mysqlDialect) sized(s source, c conversion) conversion {
	if s.had == nil || l.typeName(s.had.Type.Type) == l.typeName(s.column.Type.Type) {
		return c
	}
	also := func(old, more string) string {
		if old == "" {
			return more
		}
		return "CASE WHEN " + old + " THEN TRUE ELSE " + more + " END"
	}
	switch t := s.column.Type.Type.(type) {
	case *atlas.StringType:
		had, ok := s.had.Type.Type.(*atlas.StringType)
		if t.Size > 0 && (!ok || had.Size == 0 || had.Size > t.Size) {
			c.fails = also(c.fails, "CHAR_LENGTH("+c.expr+") > "+strconv.Itoa(t.Size))
		}
	case *atlas.BinaryType:
		if t.Size != nil {
			c.fails = also(c.fails, "LENGTH("+c.expr+") > "+strconv.Itoa(*t.Size))
		}
	case *atlas.DecimalType:
		number := "CAST(" + c.expr + " AS DECIMAL(65, 30))"
		c.loses = also(c.loses, fmt.Sprintf("ROUND(%s, %d) <> %s", c.expr, t.Scale, c.expr))
		c.fails = also(c.fails, fmt.Sprintf("ABS(%s + 0e0) >= 1e%d OR ABS(ROUND(%s, %d)) >= CAST(1e%[2]d AS DECIMAL(65, 30))", c.expr, t.Precision-t.Scale, number, t.Scale))
	}
	return c
}

// image is compared by its bytes where it is a text, and is null where the value has no way.
func (l mysqlDialect) image(s source) string {
	expr := exprOf(l, s, s.was)
	if s.had != nil {
		if l.typeName(s.had.Type.Type) == l.typeName(s.column.Type.Type) && expr == l.quote(s.was) {
			return expr
		}
		if c, ok := l.convert(s, l.quote(s.was)); ok && c.fails != "" {
			expr = "CASE WHEN " + c.fails + " THEN NULL ELSE " + expr + " END"
		}
	}
	switch t := s.column.Type.Type.(type) {
	case *atlas.IntegerType, *atlas.BoolType:
		return "CAST(" + expr + " AS SIGNED)"
	case *atlas.FloatType:
		return "((" + expr + ") + 0e0)"
	case *atlas.DecimalType:
		return "CAST(" + expr + " AS " + l.typeName(t) + ")"
	case *atlas.TimeType:
		return "CAST(" + expr + " AS " + strings.Replace(l.typeName(t), "timestamp", "datetime", 1) + ")"
	}
	return "CAST(" + expr + " AS BINARY)"
}

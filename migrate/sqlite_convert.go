package migrate

import (
	"strings"

	atlas "ariga.io/atlas/sql/schema"
)

func (sqliteDialect) kindOf(t atlas.Type) string {
	switch t.(type) {
	case *atlas.IntegerType:
		return "BigInt"
	case *atlas.FloatType:
		return "Float"
	case *atlas.BinaryType:
		return "Bytes"
	case *atlas.StringType:
		return "String"
	}
	return ""
}

// texts are kinds that a text holds as it is.
var texts = []string{"ID", "String", "enum", "UUID", "DateTime", "Date", "Time", "Decimal"}

// conversions are those that there are, by the new kind and the old one. %[1]s is the old value.
var conversions = func() map[[2]string]conversion {
	all := map[[2]string]conversion{}
	add := func(c conversion, to string, froms ...string) {
		for _, from := range froms {
			all[[2]string{to, from}] = c
		}
	}
	for _, to := range []string{"String", "ID", "enum"} { // an enum's CHECK says the rest
		add(conversion{expr: "%[1]s"}, to, append(texts, "JSON", "embedded")...)
	}
	for _, to := range []string{"String", "ID"} {
		add(conversion{expr: "CAST(%[1]s AS TEXT)"}, to, "Int", "BigInt", "Float")
		add(conversion{expr: "CASE %[1]s WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"}, to, "Boolean")
	}
	const notInt = "%[1]s NOT BETWEEN -2147483648 AND 2147483647"
	const notWhole = "CAST(CAST(%[1]s AS INTEGER) AS TEXT) <> %[1]s"
	const fraction = "instr(%[1]s, '.') > 0 AND rtrim(substr(%[1]s, instr(%[1]s, '.') + 1), '0') <> ''"
	add(conversion{expr: "%[1]s", fails: notInt}, "Int", "BigInt")
	add(conversion{expr: "%[1]s"}, "BigInt", "Int")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: "CAST(%[1]s AS INTEGER) NOT BETWEEN -2147483648 AND 2147483647", loses: "%[1]s <> CAST(%[1]s AS INTEGER)"}, "Int", "Float")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: "abs(%[1]s) >= 9223372036854775807.0", loses: "%[1]s <> CAST(%[1]s AS INTEGER)"}, "BigInt", "Float")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: notWhole + " OR CAST(%[1]s AS INTEGER) NOT BETWEEN -2147483648 AND 2147483647"}, "Int", "String", "ID")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: notWhole}, "BigInt", "String", "ID")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: "CAST(%[1]s AS REAL) NOT BETWEEN -2147483648 AND 2147483647", loses: fraction}, "Int", "Decimal")
	add(conversion{expr: "CAST(%[1]s AS INTEGER)", fails: "abs(CAST(%[1]s AS REAL)) >= 9223372036854775807.0", loses: fraction}, "BigInt", "Decimal")
	add(conversion{expr: "%[1]s"}, "Int", "Boolean")
	add(conversion{expr: "%[1]s"}, "BigInt", "Boolean")
	add(conversion{expr: "%[1]s", fails: "%[1]s NOT IN (0, 1)"}, "Boolean", "Int", "BigInt")
	add(conversion{expr: "CASE %[1]s WHEN 'false' THEN 0 WHEN 'true' THEN 1 END", fails: "%[1]s NOT IN ('true', 'false')"}, "Boolean", "String", "enum")

	const number = "coalesce(CASE WHEN json_valid(%[1]s) THEN json_type(%[1]s) END NOT IN ('integer', 'real'), 1)"
	add(conversion{expr: "CAST(%[1]s AS REAL)"}, "Float", "Int")
	add(conversion{expr: "CAST(%[1]s AS REAL)", loses: "CAST(CAST(%[1]s AS REAL) AS INTEGER) <> %[1]s"}, "Float", "BigInt")
	add(conversion{expr: "CAST(%[1]s AS REAL)", fails: number}, "Float", "String", "ID")
	add(conversion{expr: "CAST(%[1]s AS REAL)", loses: "length(replace(replace(%[1]s, '.', ''), '-', '')) > 15"}, "Float", "Decimal")
	add(conversion{expr: "CAST(%[1]s AS TEXT)"}, "Decimal", "Int", "BigInt")
	const fixed = "rtrim(rtrim(printf('%%.9f', %[1]s), '0'), '.')"
	add(conversion{expr: fixed, fails: "abs(%[1]s) >= 1e25", loses: "CAST(" + fixed + " AS REAL) <> %[1]s"}, "Decimal", "Float")
	add(conversion{expr: "%[1]s", fails: number + " OR %[1]s GLOB '*[eE]*' OR (instr(%[1]s, '.') > 0 AND %[1]s GLOB '*0') OR %[1]s GLOB '-0'"}, "Decimal", "String", "ID")

	const digit = "[0-9]"
	date := strings.Repeat(digit, 4) + "-" + digit + digit + "-" + digit + digit
	clock := digit + digit + ":" + digit + digit + ":" + digit + digit + "." + strings.Repeat(digit, 6)
	const hex = "[0-9a-f]"
	uuid := strings.Join([]string{strings.Repeat(hex, 8), strings.Repeat(hex, 4), strings.Repeat(hex, 4), strings.Repeat(hex, 4), strings.Repeat(hex, 12)}, "-")
	for to, shape := range map[string]string{"Date": date, "Time": clock, "DateTime": date + "T" + clock + "Z", "UUID": uuid} {
		add(conversion{expr: "%[1]s", fails: "%[1]s NOT GLOB '" + shape + "'"}, to, "String", "ID")
	}
	add(conversion{expr: "%[1]s || 'T00:00:00.000000Z'"}, "DateTime", "Date")
	add(conversion{expr: "substr(%[1]s, 1, 10)", loses: "substr(%[1]s, 11) <> 'T00:00:00.000000Z'"}, "Date", "DateTime")

	add(conversion{expr: "%[1]s", fails: "NOT json_valid(%[1]s)"}, "JSON", "String", "ID")
	add(conversion{expr: "%[1]s"}, "JSON", "embedded")
	add(conversion{expr: "CAST(%[1]s AS TEXT)"}, "JSON", "Int", "Float")
	add(conversion{expr: "CASE %[1]s WHEN 0 THEN 'false' WHEN 1 THEN 'true' END"}, "JSON", "Boolean")
	add(conversion{expr: "CAST(%[1]s AS BLOB)"}, "Bytes", "String", "ID")
	return all
}()

func (sqliteDialect) convert(s source, value string) (conversion, bool) {
	c, ok := conversions[[2]string{s.to, s.from}]
	elem, isList := strings.CutPrefix(s.to, "[")
	switch {
	case s.from == s.to || s.from == "" || s.to == "":
		return conversion{expr: value}, true
	case !ok && isList && strings.TrimSuffix(elem, "]") == s.from:
		c, ok = conversion{expr: "json_array(" + elementOf(s.from) + ")"}, true
	case !ok && s.to == "JSON" && strings.HasPrefix(s.from, "["):
		c, ok = conversion{expr: "%[1]s"}, true
	}
	return c.on(value), ok
}

// elementOf is a value of a kind as an argument of json_array.
func elementOf(kind string) string {
	switch kind {
	case "Boolean":
		return "json(CASE %[1]s WHEN 0 THEN 'false' ELSE 'true' END)"
	case "BigInt":
		return "CAST(%[1]s AS TEXT)"
	case "JSON", "embedded":
		return "json(%[1]s)"
	}
	return "%[1]s"
}

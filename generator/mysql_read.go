package generator

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// mysqlWidth is how many digits an old client shows, which says nothing of what is held.
var mysqlWidth = regexp.MustCompile(`^((?:small|medium|big)?int|tinyint|year)\(\d+\)`)

// mysqlRead reads a type as information_schema tells it.
func mysqlRead(c *ExistingColumn) reading {
	full := strings.ToLower(c.Type)
	if full != "tinyint(1)" {
		full = mysqlWidth.ReplaceAllString(full, "$1")
	}
	base, _, _ := strings.Cut(full, "(")
	base, _, _ = strings.Cut(base, " ")
	unsigned := strings.Contains(full, " unsigned")
	if r, ok := mysqlIntegers[strings.TrimSuffix(full, " zerofill")]; ok {
		return r
	}
	switch base {
	case "bigint":
		return alone("%s holds numbers beyond those of BigInt", c.Type)
	case "enum", "set":
		return mysqlMembers(c, base)
	case "decimal":
		return mysqlDecimal(c, full, unsigned)
	case "double":
		return reading{scalar: schema.Float, native: mysqlOther(full, "double")}
	case "float":
		return reading{scalar: schema.Float, native: full, note: "holds 32 bits, in which 0.1 is another number: _eq finds what has no fraction, or one of halves"}
	case "datetime":
		return reading{scalar: schema.DateTime, native: mysqlOther(full, "datetime(6)")}
	case "timestamp":
		return reading{scalar: schema.DateTime, native: full}
	case "date":
		return reading{scalar: schema.Date}
	case "time":
		return reading{scalar: schema.Time, native: mysqlOther(full, "time(6)")}
	case "json":
		return reading{scalar: schema.JSON}
	case "tinyblob", "blob", "mediumblob", "longblob", "binary", "varbinary":
		return reading{scalar: schema.Bytes, native: mysqlOther(full, "longblob")}
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		return mysqlTextRead(c, full, base)
	}
	return alone("there is no scalar for %s", c.Type)
}

var mysqlIntegers = map[string]reading{
	"tinyint(1)":         {scalar: schema.Boolean},
	"tinyint":            {scalar: schema.Int, native: "tinyint", min: "-128", max: "127"},
	"tinyint unsigned":   {scalar: schema.Int, native: "tinyint unsigned", min: "0", max: "255"},
	"smallint":           {scalar: schema.Int, native: "smallint", min: "-32768", max: "32767"},
	"smallint unsigned":  {scalar: schema.Int, native: "smallint unsigned", min: "0", max: "65535"},
	"mediumint":          {scalar: schema.Int, native: "mediumint", min: "-8388608", max: "8388607"},
	"mediumint unsigned": {scalar: schema.Int, native: "mediumint unsigned", min: "0", max: "16777215"},
	"int":                {scalar: schema.Int},
	"int unsigned":       {scalar: schema.BigInt, native: "int unsigned", min: "0", max: "4294967295"},
	"bigint":             {scalar: schema.BigInt},
	"year":               {scalar: schema.Int, native: "year", min: "1901", max: "2155"},
}

// mysqlOther is a type that is not the one that we make.
func mysqlOther(name, ours string) string {
	if name == ours {
		return ""
	}
	return name
}

var mysqlMember = regexp.MustCompile(`'((?:[^']|'')*)'`)

// mysqlMembers is an enum whose values are names, and else a text.
func mysqlMembers(c *ExistingColumn, base string) reading {
	var values []string
	for _, m := range mysqlMember.FindAllStringSubmatch(c.Type, -1) {
		values = append(values, strings.ReplaceAll(m[1], "''", "'"))
	}
	if base == "set" {
		return reading{scalar: schema.String, native: c.Type, note: "a set: some of its members, with commas between them"}
	}
	if r, ok := valuesOf(&ExistingColumn{Values: values}); ok {
		r.native = c.Type
		return r
	}
	return reading{scalar: schema.String, native: c.Type, note: "takes only '" + strings.Join(values, "', '") + "'"}
}

func mysqlDecimal(c *ExistingColumn, full string, unsigned bool) reading {
	m := sizedType.FindStringSubmatch(full)
	if m == nil {
		return alone("there is no scalar for %s", c.Type)
	}
	p, _ := strconv.Atoi(m[1])
	s, _ := strconv.Atoi(m[2])
	switch {
	case p > schema.MaxDigits:
		return reading{scalar: schema.Decimal, native: full, precision: schema.MaxDigits, scale: sqliteScale, note: "has more digits than the API takes"}
	case unsigned:
		return reading{scalar: schema.Decimal, native: full, precision: p, scale: s, note: "takes no number below 0"}
	}
	return reading{scalar: schema.Decimal, precision: p, scale: s}
}

// mysqlBytewise is whether a collation compares by bytes, also blanks at the end, as ours do.
func mysqlBytewise(collation string) bool {
	return collation == "utf8mb4_nopad_bin" || collation == "utf8mb4_0900_bin"
}

func mysqlTextRead(c *ExistingColumn, full, base string) reading {
	if c.Form == "json" {
		return reading{scalar: schema.JSON}
	}
	r := reading{scalar: schema.String}
	if m := sizedType.FindStringSubmatch(full); m != nil {
		r.size, _ = strconv.Atoi(m[1])
	}
	bytewise := mysqlBytewise(c.Collation)
	switch {
	case bytewise && full == "char(36)":
		return reading{scalar: schema.UUID}
	case base != "varchar" && base != "longtext", base == "longtext" && c.Form == "indexed", r.size > mysqlMaxVarchar:
		r.native, r.size = full, 0
	}
	if e, ok := valuesOf(c); ok && bytewise {
		if full != fmt.Sprintf("varchar(%d)", max(64, longest(enumOfNames(c.Values)))) {
			e.native = full
		}
		return e
	}
	if len(c.Values) > 0 {
		r.note = "takes only '" + strings.Join(c.Values, "', '") + "'"
	}
	if !bytewise {
		r.native, r.size = full+" COLLATE "+c.Collation, 0
		r.note = "compares and sorts by " + c.Collation + ", not by bytes"
	}
	return r
}

func enumOfNames(names []string) *schema.Enum {
	e := &schema.Enum{}
	for _, n := range names {
		e.Values = append(e.Values, schema.EnumItem{Name: n})
	}
	return e
}

// mysqlLiteral takes backslashes out, which other databases have none of.
func mysqlLiteral(r reading, sql string) string {
	if len(sql) > 1 && strings.HasPrefix(sql, "'") && strings.HasSuffix(sql, "'") {
		plain := strings.NewReplacer(`\\`, `\`, `\'`, `''`, `\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(sql[1 : len(sql)-1])
		sql = "'" + plain + "'"
		switch r.scalar {
		case schema.Int, schema.BigInt, schema.Float, schema.Decimal, schema.Boolean:
			sql = plain // MySQL has all literals in quotes
		}
	}
	return literalOf(r, sql)
}

func mysqlFits(f *schema.Field, r reading) bool {
	switch {
	case f.Scalar == schema.ID && r.scalar == schema.BigInt:
		return f.HoldsInteger()
	case f.Scalar == schema.ID, f.Scalar == schema.String:
		return r.scalar == schema.String && !f.HoldsInteger() && (f.Native != "" || f.MaxLength() == r.size)
	case f.Scalar == schema.Embedded:
		return r.scalar == schema.JSON
	}
	return f.Scalar == r.scalar
}

package generator

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"spacecloud/schema"
)

var (
	number     = regexp.MustCompile(`^\(?-?(0|[1-9][0-9]*)(\.[0-9]+)?\)?$`)
	sizedType  = regexp.MustCompile(`\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\)`)
	enumValue  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	zonedStamp = regexp.MustCompile(`^timestamp(\([0-9]\))? with time zone$`)
	plainTime  = regexp.MustCompile(`^time(\([0-9]\))? without time zone$`)
)

// sqliteRead follows SQLite's rules of affinity: what a type is called says what a value
// becomes, and nothing keeps others out.
func sqliteRead(c *ExistingColumn) reading {
	if c.Holds == Unasked {
		unknown := *c
		unknown.Holds = ""
		r := sqliteRead(&unknown)
		if r.any = r.doubtful || c.Type == ""; r.any {
			r.why = ""
		}
		return r
	}
	name := strings.ToUpper(c.Type)
	is := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(name, p) {
				return true
			}
		}
		return false
	}
	if c.Holds == "mixed" {
		return alone("it holds values of several types")
	}
	var r reading
	switch {
	case name == "":
		return sqliteHeld(c)
	case is("BOOL"):
		if c.Holds != "" && c.Holds != "integer" {
			return alone("it holds %s values", c.Holds)
		}
		return reading{scalar: schema.Boolean, native: c.Type}
	case is("INT"):
		if c.Holds != "" && c.Holds != "integer" && c.Holds != "wide" {
			return alone("it is declared %s and holds %s values", c.Type, c.Holds)
		}
		return sqliteInteger(c, name)
	case is("CHAR", "CLOB", "TEXT"):
		r = sqliteTextRead(c)
	case is("BLOB"):
		return reading{scalar: schema.Bytes}
	case is("REAL", "FLOAT", "DOUBLE"):
		if c.Holds != "" && c.Holds != "real" {
			return alone("it is declared %s and holds %s values", c.Type, c.Holds)
		}
		return reading{scalar: schema.Float}
	default:
		r = sqliteNumeric(c, name)
	}
	if r.why == "" && c.Collation != "" && r.scalar != schema.Decimal {
		r.native = c.Type + " COLLATE " + c.Collation
		r.note = "compares and sorts by " + c.Collation + ", not by bytes"
	}
	return r
}

func sqliteInteger(c *ExistingColumn, name string) reading {
	switch {
	case c.Counted:
		return reading{scalar: schema.ID}
	case c.Holds == "wide" || strings.Contains(name, "BIG") || strings.Contains(name, "INT8"):
		return reading{scalar: schema.BigInt}
	}
	return reading{scalar: schema.Int}
}

func sqliteTextRead(c *ExistingColumn) reading {
	switch {
	case c.Holds == "blob":
		return alone("it is declared %s and holds bytes", c.Type)
	case c.Form == "json":
		return reading{scalar: schema.JSON}
	case strings.EqualFold(c.Collation, "DECIMAL"):
		return reading{scalar: schema.Decimal, precision: schema.MaxDigits, scale: sqliteScale}
	}
	if r, ok := valuesOf(c); ok {
		return r
	}
	r := reading{scalar: schema.String}
	if m := sizedType.FindStringSubmatch(c.Type); m != nil {
		r.size, _ = strconv.Atoi(m[1])
	}
	if len(c.Values) > 0 {
		r.note = "takes only '" + strings.Join(c.Values, "', '") + "'"
	}
	return r
}

// sqliteScale is the scale of a Decimal that says nothing of it.
const sqliteScale = 9

// valuesOf is an enum of the only values of a column, where each is a name of GraphQL.
func valuesOf(c *ExistingColumn) (reading, bool) {
	if len(c.Values) == 0 {
		return reading{}, false
	}
	for i, v := range c.Values {
		if !enumValue.MatchString(v) || strings.HasPrefix(v, "__") || v == "true" || v == "false" || v == "null" {
			return reading{}, false
		}
		if slices.Contains(c.Values[:i], v) {
			return reading{}, false
		}
	}
	return reading{scalar: schema.EnumValue, values: c.Values}, true
}

// sqliteNumeric is a type whose name means nothing to SQLite: DECIMAL, DATE, JSON, UUID.
func sqliteNumeric(c *ExistingColumn, name string) reading {
	r := reading{native: c.Type, doubtful: true}
	switch {
	case c.Holds == "text":
		r.scalar = schema.String
	case c.Holds == "integer" && (strings.Contains(name, "NUM") || strings.Contains(name, "DEC")), c.Holds == "real":
		r.scalar = schema.Float
	case c.Holds == "integer":
		r.scalar = schema.Int
	case c.Holds == "wide":
		r.scalar = schema.BigInt
	case c.Holds == "blob":
		return alone("it is declared %s and holds bytes", c.Type)
	case strings.Contains(name, "NUM"), strings.Contains(name, "DEC"):
		r.scalar = schema.Float
	default:
		r.scalar = schema.String
	}
	if r.scalar == schema.Float {
		r.note = "SQLite holds numbers of " + c.Type + " as floats"
	} else {
		r.note = c.Type + " is no type of SQLite, which keeps what is written"
	}
	return r
}

// sqliteHeld is a column without a type: of a view, or of a table that names none.
func sqliteHeld(c *ExistingColumn) reading {
	switch c.Holds {
	case "integer":
		return reading{scalar: schema.Int}
	case "wide":
		return reading{scalar: schema.BigInt}
	case "real":
		return reading{scalar: schema.Float}
	case "text":
		return reading{scalar: schema.String}
	case "blob":
		return reading{scalar: schema.Bytes}
	}
	return alone("it has no type, and no value that would show one")
}

func sqliteLiteral(r reading, sql string) string {
	if strings.HasPrefix(sql, `"`) { // which SQLite takes for a text here
		return ""
	}
	return literalOf(r, sql)
}

// sqliteFits is generous: SQLite knows no sizes, and an integer is an integer.
func sqliteFits(f *schema.Field, r reading) bool {
	switch r.scalar {
	case schema.Int, schema.BigInt:
		return f.Scalar == schema.Int || f.Scalar == schema.BigInt || f.HoldsInteger()
	case schema.ID:
		return f.Scalar == schema.Int || f.Scalar == schema.BigInt || f.HoldsInteger()
	case schema.String:
		return f.Scalar == schema.String || f.Scalar == schema.ID && !f.HoldsInteger()
	}
	return f.Scalar == r.scalar
}

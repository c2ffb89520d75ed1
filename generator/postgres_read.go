package generator

import (
	"regexp"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// postgresRead reads a type as format_type tells it.
func postgresRead(c *ExistingColumn) reading {
	if element, list := strings.CutSuffix(c.Type, "[]"); list {
		return postgresListRead(c, element)
	}
	if c.Form == "enum" {
		r, ok := valuesOf(c)
		if !ok {
			return alone("%s has values that are no names in GraphQL ('%s')", c.Type, strings.Join(c.Values, "', '"))
		}
		r.native = c.Type
		return r
	}
	r := postgresScalarRead(c.Type)
	if r.why != "" || r.scalar != schema.String {
		return r
	}
	if e, ok := valuesOf(c); ok && postgresBytes(c.Collation) {
		if c.Type != "text" {
			e.native = c.Type
		}
		return e
	}
	if len(c.Values) > 0 {
		r.note = "takes only '" + strings.Join(c.Values, "', '") + "'"
	}
	if !postgresBytes(c.Collation) {
		r.native, r.size = c.Type+` COLLATE "`+c.Collation+`"`, 0
		r.note = "has the collation " + c.Collation + ", whose indexes do not serve what sorts and compares by bytes, as the API does"
	}
	return r
}

// postgresBytes is whether a collation compares by bytes, or is the database's own.
func postgresBytes(collation string) bool {
	return collation == "" || collation == "C" || collation == "POSIX" || collation == "ucs_basic"
}

// postgresReadings are those of types without a size.
var postgresReadings = map[string]reading{
	"integer":           {scalar: schema.Int},
	"smallint":          {scalar: schema.Int, native: "smallint", min: "-32768", max: "32767"},
	"bigint":            {scalar: schema.BigInt},
	"double precision":  {scalar: schema.Float},
	"real":              {scalar: schema.Float, native: "real"},
	"boolean":           {scalar: schema.Boolean},
	"text":              {scalar: schema.String},
	"character varying": {scalar: schema.String, native: "character varying"},
	"date":              {scalar: schema.Date},
	"uuid":              {scalar: schema.UUID},
	"jsonb":             {scalar: schema.JSON},
	"json":              {scalar: schema.JSON, native: "json"},
	"bytea":             {scalar: schema.Bytes},
	"numeric":           {scalar: schema.Decimal, native: "numeric", precision: schema.MaxDigits, scale: sqliteScale},
}

func postgresScalarRead(name string) reading {
	of := func(s schema.Scalar, native string) reading { return reading{scalar: s, native: native} }
	size := func() int {
		if m := sizedType.FindStringSubmatch(name); m != nil {
			n, _ := strconv.Atoi(m[1])
			return n
		}
		return 0
	}
	if r, ok := postgresReadings[name]; ok {
		return r
	}
	switch {
	case strings.HasPrefix(name, "character varying("):
		return reading{scalar: schema.String, size: size()}
	case strings.HasPrefix(name, "character("):
		return reading{scalar: schema.String, native: name, note: "the database fills it up with blanks, which the API does not show"}
	case strings.HasPrefix(name, "numeric("):
		return postgresNumeric(name)
	case zonedStamp.MatchString(name):
		return of(schema.DateTime, postgresPrecise(name, "timestamptz"))
	case plainTime.MatchString(name):
		return of(schema.Time, postgresPrecise(name, "time"))
	case strings.HasPrefix(name, "timestamp"):
		return alone("%s does not say which moment it is; timestamptz does", name)
	}
	return alone("there is no scalar for %s", name)
}

func postgresNumeric(name string) reading {
	m := sizedType.FindStringSubmatch(name)
	if m == nil {
		return alone("there is no scalar for %s", name) // a negative scale
	}
	p, _ := strconv.Atoi(m[1])
	s, _ := strconv.Atoi(m[2])
	if p > schema.MaxDigits || s > p {
		return reading{scalar: schema.Decimal, native: name, precision: schema.MaxDigits, scale: sqliteScale, note: "has more digits than the API takes"}
	}
	return reading{scalar: schema.Decimal, precision: p, scale: s}
}

// postgresPrecise is the type of a column whose precision is not the one that we make.
func postgresPrecise(name, short string) string {
	m := sizedType.FindStringSubmatch(name)
	if m == nil || m[1] == "6" {
		return ""
	}
	return short + "(" + m[1] + ")"
}

func postgresListRead(c *ExistingColumn, element string) reading {
	r := postgresScalarRead(element)
	if r.why != "" || r.native != "" || r.size > 0 || c.Form == "enum" || r.scalar == schema.Decimal && element != "numeric(34,9)" {
		return alone("there is no list for %s", c.Type)
	}
	r.list, r.note = true, ""
	return r
}

var cast = regexp.MustCompile(`^(.*)::[a-z" ]+[a-z"](\([0-9, ]+\))?(\[\])?$`)

func postgresLiteral(r reading, sql string) string {
	if m := cast.FindStringSubmatch(sql); m != nil && (r.native == "" || r.scalar == schema.EnumValue || r.scalar == schema.String) {
		sql = m[1]
		if r.scalar != schema.String && r.scalar != schema.EnumValue {
			sql = strings.Trim(sql, "'")
		}
	}
	return literalOf(r, sql)
}

func postgresFits(f *schema.Field, r reading) bool {
	switch {
	case f.Scalar == schema.ID && r.scalar == schema.BigInt:
		return f.HoldsInteger()
	case f.Scalar == schema.ID:
		return r.scalar == schema.String && r.size == 0
	case f.Scalar == schema.String:
		return r.scalar == schema.String && (f.Native != "" || sizeOf(f) == r.size)
	case f.Scalar == schema.Embedded:
		return r.scalar == schema.JSON
	}
	return f.Scalar == r.scalar
}

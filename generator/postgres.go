package generator

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/schema"
)

// postgresTypes are the types of columns in PostgreSQL by scalar.
var postgresTypes = [...]string{
	schema.ID:        "text",
	schema.String:    "text",
	schema.Int:       "integer",
	schema.BigInt:    "bigint",
	schema.Float:     "double precision",
	schema.Decimal:   "numeric",
	schema.Boolean:   "boolean",
	schema.DateTime:  "timestamptz(6)",
	schema.Date:      "date",
	schema.Time:      "time(6)",
	schema.UUID:      "uuid",
	schema.JSON:      "jsonb",
	schema.Bytes:     "bytea",
	schema.EnumValue: "text",
	schema.Embedded:  "jsonb",
}

// postgresBytewise compares and sorts texts by their bytes, whatever the database does.
const postgresBytewise = "C"

func postgresColumn(f *schema.Field) (*atlas.Column, error) {
	typ, collation, err := postgresType(f)
	if err != nil {
		return nil, err
	}
	column := atlas.NewColumn(f.Column).SetType(typ).SetNull(!f.NonNull)
	if collation != "" {
		column.SetCollation(collation)
	}
	if f.Default != nil && !f.Default.IsNull() {
		column.SetDefault(&atlas.RawExpr{X: postgresDefault(f)})
	}
	if f.AutoIncrement {
		column.AddAttrs(&postgres.Identity{})
	}
	return column, nil
}

func postgresType(f *schema.Field) (typ atlas.Type, collation string, err error) {
	if f.Native != "" {
		return postgresNative(f)
	}
	name := postgresTypeName(f)
	if postgresIsText(f) {
		collation = postgresBytewise
	}
	if f.List && f.Scalar != schema.Embedded {
		name += "[]"
	}
	typ, err = postgres.ParseType(name)
	return typ, collation, err
}

// postgresTypeName is the type of a column, or of the elements of a list.
func postgresTypeName(f *schema.Field) string {
	switch {
	case f.HoldsInteger():
		return "bigint"
	case f.Scalar == schema.String && !f.List && f.Size != nil:
		if n, err := strconv.Atoi(f.Size.Max); err == nil && n > 0 && n <= postgresMaxVarchar {
			return fmt.Sprintf("varchar(%d)", n)
		}
	case f.Scalar == schema.Decimal && f.Precision > 0:
		return fmt.Sprintf("numeric(%d,%d)", f.Precision, f.Scale)
	case f.Scalar == schema.Decimal:
		return "numeric(34,9)"
	}
	return postgresTypes[f.Scalar]
}

// postgresMaxVarchar is the n of the longest varchar(n) that PostgreSQL takes.
const postgresMaxVarchar = 10485760

func postgresIsText(f *schema.Field) bool {
	switch f.Scalar {
	case schema.ID, schema.String, schema.EnumValue:
		return !f.HoldsInteger()
	}
	return false
}

// postgresNative is the type that @column(type:) asks for.
func postgresNative(f *schema.Field) (atlas.Type, string, error) {
	name, collation, _ := cutFold(f.Native, " COLLATE ")
	typ, err := postgres.ParseType(strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return nil, "", problemAt(f, "@column(type: %q): %v", f.Native, err)
	}
	return typ, strings.Trim(strings.TrimSpace(collation), `"`), nil
}

// postgresDefault is an expression: Atlas would not know every literal again.
func postgresDefault(f *schema.Field) string {
	v := *f.Default
	switch v.Kind() {
	case schema.BoolValue:
		return strconv.FormatBool(v.Bool())
	case schema.IntValue, schema.FloatValue:
		return v.String()
	case schema.BytesValue:
		return postgresQuoted(`\x` + hex.EncodeToString([]byte(v.Text())))
	case schema.ListValue:
		if f.Scalar == schema.Embedded {
			return postgresQuoted(string(schema.AppendStored(nil, v.List(), f.Scalar)))
		}
		return postgresQuoted(postgresArray(v.List()))
	}
	return postgresQuoted(v.Text())
}

// postgresArray is a list as PostgreSQL reads an array.
func postgresArray(elements []schema.Value) string {
	texts := make([]string, len(elements))
	for i, v := range elements {
		switch v.Kind() {
		case schema.NullValue:
			texts[i] = "NULL"
		case schema.BoolValue:
			texts[i] = strconv.FormatBool(v.Bool())
		case schema.IntValue, schema.FloatValue:
			texts[i] = v.String()
		case schema.BytesValue:
			texts[i] = `"\\x` + hex.EncodeToString([]byte(v.Text())) + `"`
		default:
			texts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v.Text()) + `"`
		}
	}
	return "{" + strings.Join(texts, ",") + "}"
}

func postgresQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func postgresName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// postgresChecks are spelled as PostgreSQL tells them back, but that it leaves out quotes
// where a name needs none.
func postgresChecks(f *schema.Field) []check {
	if f.Scalar != schema.EnumValue || f.Native != "" {
		return nil
	}
	values := make([]string, len(f.Enum.Values))
	for i, v := range f.Enum.Values {
		values[i] = postgresQuoted(v.Name) + "::text"
	}
	array := "ARRAY[" + strings.Join(values, ", ") + "]"
	if f.List {
		return []check{{"enum", postgresName(f.Column) + " <@ " + array}}
	}
	return []check{{"enum", postgresName(f.Column) + " = ANY (" + array + ")"}}
}

func postgresPartial(where string) atlas.Attr { return &postgres.IndexPredicate{P: where} }

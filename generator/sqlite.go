package generator

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"spacecloud/schema"
)

// sqliteTypes are the types of columns in SQLite by scalar.
var sqliteTypes = [...]string{
	schema.ID:        "TEXT",
	schema.String:    "TEXT",
	schema.Int:       "INTEGER",
	schema.BigInt:    "INTEGER",
	schema.Float:     "REAL",
	schema.Decimal:   "TEXT COLLATE DECIMAL", // registered by the driver; it orders by number
	schema.Boolean:   "INTEGER",
	schema.DateTime:  "TEXT",
	schema.Date:      "TEXT",
	schema.Time:      "TEXT",
	schema.UUID:      "TEXT",
	schema.JSON:      "TEXT",
	schema.Bytes:     "BLOB",
	schema.EnumValue: "TEXT",
	schema.Embedded:  "TEXT",
}

func sqliteColumn(f *schema.Field) (*atlas.Column, error) {
	typ, err := sqliteType(f)
	if err != nil {
		return nil, err
	}
	column := atlas.NewColumn(f.Column).SetType(typ).SetNull(!f.NonNull)
	if f.Default != nil && !f.Default.IsNull() {
		column.SetDefault(sqliteDefault(f))
	}
	if f.DefaultSQL != "" {
		column.SetDefault(&atlas.RawExpr{X: f.DefaultSQL})
	}
	if f.AutoIncrement {
		if len(f.Owner.Primary) != 1 || !f.IsPrimary {
			return nil, problemAt(f, "@autoIncrement: SQLite assigns numbers only to a primary key of one field")
		}
		column.AddAttrs(&sqlite.AutoIncrement{})
	}
	return column, nil
}

func sqliteType(f *schema.Field) (atlas.Type, error) {
	switch {
	case f.Native != "":
		return sqliteNative(f)
	case f.AutoIncrement, f.HoldsInteger():
		return sqliteParsed("INTEGER")
	case f.List:
		return sqliteParsed("TEXT")
	}
	return sqliteParsed(sqliteTypes[f.Scalar])
}

// sqliteNative is the type that @column(type:) asks for.
func sqliteNative(f *schema.Field) (atlas.Type, error) {
	typ, err := sqliteParsed(f.Native)
	if err != nil {
		return nil, problemAt(f, "@column(type: %q): %v", f.Native, err)
	}
	return typ, nil
}

// sqliteParsed is a type as Atlas knows it again in the database. SQLite tells a column's
// type without its collation, so Atlas has to see that alone, and to write all of it.
func sqliteParsed(native string) (atlas.Type, error) {
	name, collation, collated := cutFold(native, " COLLATE ")
	typ, err := sqlite.ParseType(name)
	if err != nil {
		return nil, err
	}
	switch t := typ.(type) {
	case *atlas.StringType:
		t.T = native
	case *atlas.DecimalType:
		t.T = native
	default:
		if collated {
			return nil, fmt.Errorf("COLLATE %s needs a type of text that SQLite knows", strings.TrimSpace(collation))
		}
	}
	return typ, nil
}

// cutFold is strings.Cut whatever the case of s; sep is in upper case.
func cutFold(s, sep string) (before, after string, found bool) {
	i := strings.Index(strings.ToUpper(s), sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// sqliteDefault is spelled as SQLite tells it back.
func sqliteDefault(f *schema.Field) atlas.Expr {
	v := *f.Default
	switch v.Kind() {
	case schema.BoolValue:
		if v.Bool() {
			return &atlas.Literal{V: "1"}
		}
		return &atlas.Literal{V: "0"}
	case schema.IntValue, schema.FloatValue:
		return &atlas.Literal{V: v.String()}
	case schema.BytesValue:
		return &atlas.RawExpr{X: "x'" + hex.EncodeToString([]byte(v.Text())) + "'"}
	case schema.ListValue:
		return sqliteText(string(schema.AppendStored(nil, v.List(), f.Scalar)))
	}
	return sqliteText(v.Text())
}

// checkLike is what Atlas takes for a constraint wherever it stands in CREATE TABLE.
var checkLike = regexp.MustCompile(`(?i)(CHEC)(K\s*\()`)

// sqliteText is a text as a default: a literal, or an expression where Atlas would not know
// the literal again. It reads a backslash as an escape, which it is not in SQLite.
func sqliteText(s string) atlas.Expr {
	quoted := sqliteQuoted(s)
	if broken := checkLike.ReplaceAllString(quoted, "$1'||'$2"); broken != quoted || strings.Contains(s, `\`) {
		return &atlas.RawExpr{X: broken}
	}
	return &atlas.Literal{V: quoted}
}

func sqliteQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// sqliteChecks hold other writers to what TEXT alone does not say. They also are how a diff
// sees that a column changed its scalar: the type of most is TEXT.
func sqliteChecks(f *schema.Field) []check {
	column := "`" + f.Column + "`"
	switch {
	case f.List, f.Scalar == schema.JSON, f.Scalar == schema.Embedded:
		return []check{{"json", "json_valid(" + column + ")"}}
	case f.Scalar == schema.EnumValue:
		return []check{{"enum", column + " IN (" + sqliteEnum(f.Enum) + ")"}}
	case f.Scalar == schema.Decimal && f.Native == "":
		return []check{{"decimal", column + " NOT GLOB '*[^0-9.eE+-]*'"}}
	}
	return nil
}

func sqliteEnum(e *schema.Enum) string {
	names := make([]string, len(e.Values))
	for i, v := range e.Values {
		names[i] = sqliteQuoted(v.Name)
	}
	return strings.Join(names, ", ")
}

func sqlitePartial(where string) atlas.Attr { return &sqlite.IndexPredicate{P: where} }

package generator

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/schema"
)

// mysqlTypes are the types of columns in MySQL and MariaDB by scalar. MariaDB holds json as
// longtext with a check.
var mysqlTypes = [...]string{
	schema.ID:        "varchar(64)",
	schema.String:    "longtext",
	schema.Int:       "int",
	schema.BigInt:    "bigint",
	schema.Float:     "double",
	schema.Decimal:   "decimal(34,9)",
	schema.Boolean:   "tinyint(1)",
	schema.DateTime:  "datetime(6)", // in UTC
	schema.Date:      "date",
	schema.Time:      "time(6)",
	schema.UUID:      "char(36)",
	schema.JSON:      "json",
	schema.Bytes:     "longblob",
	schema.EnumValue: "varchar(64)",
	schema.Embedded:  "json",
}

const (
	// mysqlMaxVarchar is the n of the longest varchar(n) that can be a key: longer ones are
	// longtext.
	mysqlMaxVarchar = mysqlMaxKey / mysqlCharacter
	mysqlMaxKey     = 3072  // bytes of an index
	mysqlMaxRow     = 65535 // bytes of a row, where each text and blob takes 12
	mysqlCharacter  = 4     // bytes
	mysqlPrefix     = 255   // how much an index that only finds rows holds of a longer text or blob
)

// MySQLStorage is how a table is stored: texts are compared and sorted by their bytes, also
// those that end in spaces. Each product has its own name for that, and runs only the comment
// that is for it.
const MySQLStorage = "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 /*M!100200 COLLATE=utf8mb4_nopad_bin */ /*!80017 COLLATE=utf8mb4_0900_bin */"

func mysqlColumn(f *schema.Field) (*atlas.Column, error) {
	typ, collation, err := mysqlType(f)
	if err != nil {
		return nil, err
	}
	column := atlas.NewColumn(f.Column).SetType(typ).SetNull(!f.NonNull)
	if collation != "" {
		column.SetCollation(collation)
	}
	if f.Default != nil && !f.Default.IsNull() {
		column.SetDefault(mysqlDefault(f, typ))
	}
	if f.DefaultSQL != "" {
		column.SetDefault(&atlas.RawExpr{X: "(" + f.DefaultSQL + ")"})
	}
	if f.AutoIncrement {
		column.AddAttrs(&mysql.AutoIncrement{})
	}
	return column, nil
}

func mysqlType(f *schema.Field) (typ atlas.Type, collation string, err error) {
	if f.Native != "" {
		return mysqlNative(f)
	}
	typ, err = mysql.ParseType(mysqlTypeName(f))
	return typ, "", err
}

func mysqlTypeName(f *schema.Field) string {
	most := f.MaxLength()
	switch {
	case f.HoldsInteger() && !f.List:
		return "bigint"
	case f.List:
		return "json"
	case f.Scalar == schema.ID && most > mysqlMaxVarchar:
		return "longtext"
	case (f.Scalar == schema.String || f.Scalar == schema.ID) && most > 0 && most <= mysqlMaxVarchar:
		return fmt.Sprintf("varchar(%d)", most)
	case f.Scalar == schema.EnumValue:
		return fmt.Sprintf("varchar(%d)", max(64, longest(f.Enum)))
	case f.Scalar == schema.Decimal && f.Precision > 0:
		return fmt.Sprintf("decimal(%d,%d)", f.Precision, f.Scale)
	case f.Scalar == schema.Bytes && (f.IsPrimary || inUnique(f)):
		return fmt.Sprintf("varbinary(%d)", mysqlBinary(f))
	}
	return mysqlTypes[f.Scalar]
}

// mysqlBinary is how many bytes a key of Bytes holds.
func mysqlBinary(f *schema.Field) int {
	if f.Size != nil {
		if n, err := strconv.Atoi(f.Size.Max); err == nil && n <= mysqlMaxKey {
			return n
		}
	}
	return 255
}

func inUnique(f *schema.Field) bool {
	for _, u := range f.Owner.Uniques {
		for _, p := range u.Fields {
			if p.Field == f {
				return true
			}
		}
	}
	return false
}

func longest(e *schema.Enum) int {
	n := 0
	for _, v := range e.Values {
		n = max(n, len(v.Name))
	}
	return n
}

// mysqlNative is the type that @column(type:) asks for.
func mysqlNative(f *schema.Field) (atlas.Type, string, error) {
	name, collation, _ := cutFold(f.Native, " COLLATE ")
	// What stands in parentheses may be values of an enum.
	head, size, sized := strings.Cut(strings.TrimSpace(name), "(")
	name = strings.ToLower(head)
	if sized {
		name += "(" + size
	}
	typ, err := mysql.ParseType(name)
	if err == nil {
		if _, unknown := typ.(*atlas.UnsupportedType); unknown {
			err = fmt.Errorf("MySQL has no type %s", name)
		}
	}
	if err != nil {
		return nil, "", problemAt(f, "@column(type: %q): %v", f.Native, err)
	}
	return typ, strings.Trim(strings.TrimSpace(collation), "`"), nil
}

// mysqlDefault is a literal, or an expression where MySQL takes no literal.
func mysqlDefault(f *schema.Field, typ atlas.Type) atlas.Expr {
	v := *f.Default
	switch v.Kind() {
	case schema.BoolValue:
		return &atlas.Literal{V: map[bool]string{true: "1", false: "0"}[v.Bool()]}
	case schema.IntValue, schema.FloatValue:
		return &atlas.Literal{V: v.String()}
	case schema.BytesValue:
		return &atlas.RawExpr{X: "(x'" + hex.EncodeToString([]byte(v.Text())) + "')"}
	case schema.ListValue:
		return &atlas.RawExpr{X: "(" + mysqlQuoted(string(schema.AppendStored(nil, v.List(), f.Scalar))) + ")"}
	}
	text := v.Text()
	switch t := typ.(type) {
	case *atlas.TimeType: // 2026-01-31 12:00:00.000000
		text = strings.NewReplacer("T", " ", "Z", "").Replace(text)
	case *atlas.DecimalType:
		return &atlas.Literal{V: text}
	case *atlas.StringType:
		if strings.HasSuffix(t.T, "text") {
			return &atlas.RawExpr{X: "(" + mysqlQuoted(text) + ")"}
		}
	default:
		return &atlas.RawExpr{X: "(" + mysqlQuoted(text) + ")"}
	}
	return &atlas.Literal{V: mysqlQuoted(text)}
}

// mysqlQuoted is a text as the database reads it unless its SQL mode is NO_BACKSLASH_ESCAPES.
func mysqlQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(s) + "'"
}

func mysqlName(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// mysqlChecks are spelled as MariaDB tells them back. That a json holds JSON it says itself.
func mysqlChecks(f *schema.Field) []check {
	if f.Scalar != schema.EnumValue || f.Native != "" || f.List || isSetNull(f) {
		return nil
	}
	values := make([]string, len(f.Enum.Values))
	for i, v := range f.Enum.Values {
		values[i] = mysqlQuoted(v.Name)
	}
	if len(values) == 1 {
		return []check{{"enum", mysqlName(f.Column) + " = " + values[0]}}
	}
	return []check{{"enum", mysqlName(f.Column) + " in (" + strings.Join(values, ",") + ")"}}
}

// isSetNull is whether a foreign key sets a column to null, of which MySQL takes no check. It has the
// values of the key that it leads to, which is checked, and needs none.
func isSetNull(f *schema.Field) bool {
	return slices.ContainsFunc(f.Owner.Fields, func(link *schema.Field) bool {
		l := link.Link
		return l != nil && l.Owns && l.Enforced && l.OnDelete == schema.SetNull && slices.Contains(l.From, f)
	})
}

// mysqlTable says how a table is stored, and that MySQL can hold it.
func mysqlTable(t *schema.Type, table *atlas.Table) error {
	table.AddAttrs(&mysql.CreateOptions{V: MySQLStorage})
	var problems schema.Problems
	problem := func(pos schema.Pos, format string, args ...any) {
		problems = append(problems, schema.Problem{Pos: pos, Message: t.Name + ": " + fmt.Sprintf(format, args...)})
	}
	row := 0
	for _, c := range table.Columns {
		row += min(mysqlBytes(c.Type.Type), mysqlMaxRow)
	}
	if row > mysqlMaxRow {
		problem(t.Pos, "a row would take %d bytes, and one of MySQL holds %d; take @size(max:) off some strings, or give them a larger one than %d, so that they are kept beside the row", row, mysqlMaxRow, mysqlMaxVarchar)
	}
	if table.PrimaryKey != nil {
		problems = append(problems, mysqlKey(t, table.PrimaryKey, "the primary key", t.Pos)...)
	}
	for _, u := range t.Uniques {
		index, _ := table.Index(u.Name)
		problems = append(problems, mysqlKey(t, index, "@unique", u.Pos)...)
	}
	for _, i := range t.Indexes {
		if i.Where != "" {
			problem(i.Pos, "@index(where: …): MySQL has no partial indexes; take the condition off")
			continue
		}
		index, _ := table.Index(i.Name)
		problems = append(problems, mysqlIndex(t, index, i.Pos)...)
	}
	if len(problems) > 0 {
		return problems
	}
	return nil
}

// mysqlKey is what keeps a key from being one: all of it has to be in the index.
func mysqlKey(t *schema.Type, index *atlas.Index, what string, pos schema.Pos) schema.Problems {
	bytes := 0
	for _, p := range index.Parts {
		if !mysqlWhole(p.C.Type.Type) {
			return schema.Problems{{Pos: pos, Message: fmt.Sprintf("%s: %s over the column %s: MySQL cannot have a %s in a key; a String takes @size(max: %d) at most there", t.Name, what, p.C.Name, typeNameOf(p.C), mysqlMaxVarchar)}}
		}
		bytes += mysqlBytes(p.C.Type.Type)
	}
	if bytes > mysqlMaxKey {
		return schema.Problems{{Pos: pos, Message: fmt.Sprintf("%s: %s takes %d bytes, and a key of MySQL holds %d; give its strings a smaller @size(max: …), a character counts as %d bytes", t.Name, what, bytes, mysqlMaxKey, mysqlCharacter)}}
	}
	return nil
}

// mysqlIndex lets an index hold only the beginnings of texts that are too long for it, which
// is enough to find rows.
func mysqlIndex(t *schema.Type, index *atlas.Index, pos schema.Pos) schema.Problems {
	bytes := 0
	for _, p := range index.Parts {
		if typ := p.C.Type.Type; mysqlWhole(typ) {
			bytes += mysqlBytes(typ)
			continue
		}
		p.AddAttrs(&mysql.SubPart{Len: mysqlPrefix})
		bytes += mysqlPrefix * mysqlCharacter
	}
	if bytes > mysqlMaxKey {
		return schema.Problems{{Pos: pos, Message: fmt.Sprintf("%s: @index takes %d bytes, and one of MySQL holds %d; give its strings a smaller @size(max: …), a character counts as %d bytes, or leave fields out", t.Name, bytes, mysqlMaxKey, mysqlCharacter)}}
	}
	return nil
}

// mysqlWhole is whether a type can be in an index with all of its value.
func mysqlWhole(t atlas.Type) bool {
	switch t := t.(type) {
	case *atlas.StringType:
		return !strings.HasSuffix(t.T, "text")
	case *atlas.BinaryType:
		return !strings.HasSuffix(t.T, "blob")
	case *atlas.JSONType, *atlas.SpatialType:
		return false
	}
	return true
}

// mysqlBytes is what a value takes at most in a row.
func mysqlBytes(t atlas.Type) int {
	switch t := t.(type) {
	case *atlas.StringType:
		if mysqlWhole(t) {
			return t.Size * mysqlCharacter
		}
		return 12
	case *atlas.BinaryType:
		if mysqlWhole(t) && t.Size != nil {
			return *t.Size
		}
		return 12
	case *atlas.JSONType:
		return 12
	case *atlas.DecimalType:
		return t.Precision/2 + 1
	case *atlas.BoolType:
		return 1
	case *atlas.IntegerType:
		if t.T == "int" {
			return 4
		}
	}
	return 8
}

func typeNameOf(c *atlas.Column) string {
	name, err := mysql.FormatType(c.Type.Type)
	if err != nil {
		return "column of an unknown type"
	}
	return name
}

package postgres

import (
	"strings"

	"spacecloud/schema"
)

// natives are the scalars whose types are those that @column(type:) may ask for besides. What is
// not among them is compared as its scalar.
var natives = map[string]schema.Scalar{
	"uuid":     schema.UUID,
	"smallint": schema.BigInt, "int2": schema.BigInt, "smallserial": schema.BigInt,
	"integer": schema.BigInt, "int": schema.BigInt, "int4": schema.BigInt, "serial": schema.BigInt,
	"bigint": schema.BigInt, "int8": schema.BigInt, "bigserial": schema.BigInt,
	"numeric": schema.Decimal, "decimal": schema.Decimal,
	"real": schema.Float, "float4": schema.Float, "float8": schema.Float, "double precision": schema.Float,
}

// baseType is a native type without its size and collation: "varchar" of "VARCHAR(20) COLLATE x".
func baseType(native string) string {
	base, _, _ := strings.Cut(strings.ToLower(native), "(")
	base, _, _ = strings.Cut(base, " collate ")
	return strings.TrimSpace(base)
}

// texts are the native types that are compared with texts as they are. Those with blanks at
// their end, which mean nothing there, are called by what has no length of its own.
var texts = map[string]string{
	"text": "text", "varchar": "text", "character varying": "text", "name": "text", "citext": "citext",
	"char": "bpchar", "character": "bpchar", "bpchar": "bpchar",
}

// ownType is the type that a value is told to be of where it meets a column whose type is not
// that of its scalar, and "" elsewhere: an enum of the database, char(n).
func ownType(f *schema.Field) string {
	base := baseType(f.Native)
	switch {
	case base == "" || f.List || !isText(stored(f)) || texts[base] == "text":
		return ""
	case texts[base] != "":
		return texts[base]
	}
	return f.Native
}

// isOpaque is whether a column holds no text, though the API shows one: an enum of the
// database, which sorts as it was declared.
func isOpaque(f *schema.Field) bool { return ownType(f) != "" && texts[baseType(f.Native)] == "" }

// isReal is whether a column holds floats of 32 bits.
func isReal(f *schema.Field) bool {
	base := baseType(f.Native)
	return base == "real" || base == "float4"
}

// columnType is the type of a column without its size.
func columnType(f *schema.Field) string {
	if f.List && f.Scalar != schema.Embedded {
		return typeOf(f.Scalar) + "[]"
	}
	if own := ownType(f); own != "" {
		return own
	}
	if base := baseType(f.Native); base != "" && natives[base] == schema.NoScalar && texts[base] == "" && !strings.Contains(base, " ") {
		return base
	}
	return typeOf(stored(f))
}

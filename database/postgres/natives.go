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

// baseType is a native type without its size: "varchar" of "VARCHAR(20)".
func baseType(native string) string {
	base, _, _ := strings.Cut(strings.ToLower(native), "(")
	return strings.TrimSpace(base)
}

// columnType is the type of a column without its size.
func columnType(f *schema.Field) string {
	if f.List && f.Scalar != schema.Embedded {
		return typeOf(f.Scalar) + "[]"
	}
	if base := baseType(f.Native); base != "" && natives[base] == schema.NoScalar && !strings.Contains(base, " ") {
		return base
	}
	return typeOf(stored(f))
}

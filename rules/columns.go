package rules

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// cannotCompare is why a column cannot be compared in that way, or "".
func cannotCompare(f *schema.Field, op query.Op) string {
	switch {
	case f.List:
		return "is a list column; a rule can only ask whether it is null"
	case f.Scalar == schema.Embedded, f.Scalar == schema.JSON, f.Scalar == schema.Bytes:
		return "is " + typeName(f) + "; a rule can only ask whether it is null"
	case op > query.Ne && (f.Scalar == schema.Boolean || f.Scalar == schema.EnumValue):
		return "is " + typeName(f) + ", which has no order; use == or in"
	}
	return ""
}

// alike is whether every database compares two columns alike.
func alike(a, b *schema.Field) bool {
	if cannotCompare(b, query.Eq) != "" {
		return false
	}
	if a.Scalar == schema.EnumValue || b.Scalar == schema.EnumValue {
		return a.Enum == b.Enum
	}
	return family(held(a)) == family(held(b))
}

// held is the scalar of a column's values: an ID may hold integers.
func held(f *schema.Field) schema.Scalar {
	if f.HoldsInteger() {
		return schema.BigInt
	}
	return f.Scalar
}

// family names scalars that compare with one another by one of them.
func family(s schema.Scalar) schema.Scalar {
	switch s {
	case schema.ID:
		return schema.String
	case schema.BigInt, schema.Float:
		return schema.Int
	}
	return s
}

// typeName is the type of a column with its article, for people.
func typeName(f *schema.Field) string {
	switch {
	case f.List:
		return "a list"
	case f.Scalar == schema.EnumValue:
		return "a " + f.Enum.Name
	case f.HoldsInteger():
		return "an integer ID"
	}
	return scalarNames[f.Scalar]
}

var scalarNames = map[schema.Scalar]string{
	schema.ID: "an ID", schema.String: "a String", schema.Int: "an Int", schema.BigInt: "a BigInt",
	schema.Float: "a Float", schema.Decimal: "a Decimal", schema.Boolean: "a Boolean",
	schema.DateTime: "a DateTime", schema.Date: "a Date", schema.Time: "a Time",
	schema.UUID: "a UUID", schema.JSON: "a JSON", schema.Bytes: "a Bytes", schema.Embedded: "an embedded value",
	schema.NoScalar: "a link",
}

// coerce is a native value in the form of a column.
func coerce(f *schema.Field, native any) (schema.Value, error) {
	return schema.CoerceScalar(held(f), f.Enum, plain(native))
}

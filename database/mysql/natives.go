package mysql

import (
	"strings"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// collationOf is what @column(type:) says of how a column compares, "" where it is by bytes.
func collationOf(f *schema.Field) string {
	at := strings.LastIndex(strings.ToUpper(f.Native), " COLLATE ")
	if at < 0 || f.List || !isText(stored(f)) {
		return ""
	}
	return strings.Trim(strings.TrimSpace(f.Native[at+len(" COLLATE "):]), "`")
}

// packedFor is packed for what is compared with a column: where it has a collation of its own,
// that decides, as it does with a single value.
func (d dialect) packedFor(f *schema.Field) string {
	if collation := collationOf(f); collation != "" {
		charset, _, _ := strings.Cut(collation, "_")
		return longTexts + charset + " COLLATE " + collation
	}
	return d.packed(stored(f))
}

// packedBeside is packed for what is compared with an operand.
func (d dialect) packedBeside(o query.Operand, s schema.Scalar) string {
	if o.Kind == query.Column && len(o.Inside) == 0 {
		return d.packedFor(o.Field)
	}
	return d.packed(s)
}

// sorted appends an operand by what it shows: an enum and a set of the database sort by the
// order in which their values were declared.
func (dialect) sorted(b *sqlgen.Builder, o query.Operand, s schema.Scalar) {
	if o.Kind != query.Column || !isCounted(o.Field) {
		b.Operand(o, s)
		return
	}
	say(b, "CAST(", func() { b.Operand(o, s) }, " AS CHAR)")
}

func isCounted(f *schema.Field) bool {
	native := strings.ToLower(f.Native)
	return strings.HasPrefix(native, "enum(") || strings.HasPrefix(native, "set(")
}

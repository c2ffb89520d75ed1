package mysql

import (
	"errors"
	"strings"

	"github.com/go-sql-driver/mysql"

	"spacecloud/database/sqlgen"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// columnsOf are the columns that what a level reads is encoded as.
func columnsOf(l *query.Level) []*schema.Field {
	if l.Count {
		return countColumns
	}
	if l.Groups == nil {
		columns := make([]*schema.Field, len(l.Columns))
		for i, c := range l.Columns {
			columns[i] = c.Field
		}
		return columns
	}
	columns := make([]*schema.Field, len(l.Groups.Measures))
	for i, m := range l.Groups.Measures {
		columns[i] = m.Column()
	}
	return columns
}

// countColumns are those of the answer of a level that counts.
var countColumns = []*schema.Field{{Name: "count", Scalar: schema.Int, NonNull: true}}

// total is a measure that may be beyond its type.
type total struct {
	column int
	query.Measure
}

// totalsOf are the sums of BigInt, which come as decimals, and those of Float, which fail.
func totalsOf(l *query.Level) []total {
	var totals []total
	if l.Groups == nil {
		return nil
	}
	for i, m := range l.Groups.Measures {
		if m.Fn == query.Sum && (m.Field.Scalar == schema.Float || m.Field.Scalar == schema.BigInt) {
			totals = append(totals, total{i, m})
		}
	}
	return totals
}

// explain says of an error what the statement knows of it.
func (s *statement) explain(err error) error {
	if m, ok := errors.AsType[*mysql.MySQLError](err); ok && m.Number == valueOutOfRange {
		for _, t := range s.totals {
			if t.Field.Scalar == schema.Float {
				return fault.Wrap(fault.Invalid, err, "%s", t.Beyond())
			}
		}
	}
	return explain(err, nil)
}

// one has as many digits after the point as a decimal can have.
var one = "1." + strings.Repeat("0", 30)

// Total has the database add up, which is exact but for floats. An average is a quotient of decimals
// with 30 digits after the point.
func (d dialect) Total(b *sqlgen.Builder, row string, m query.Measure) {
	column := func() { b.Column(row, m.Field) }
	average := func() { say(b, "SUM(", column, ") * "+one+" / COUNT(", column, ")") }
	switch {
	case m.Field.Scalar == schema.Float:
		d.floats(b, column, m.Fn == query.Avg)
	case m.Fn == query.Sum:
		say(b, "SUM(", column, ")")
	case m.Field.Scalar == schema.Decimal:
		say(b, "ROUND(", average, ", ")
		_, scale := m.Field.DecimalSize()
		b.Int(scale + query.AvgScale)
		b.Text(")")
	default:
		say(b, "CAST(", average, " AS DOUBLE)")
	}
}

// floats adds up floats. MariaDB says 0 where a sum leaves the range of floats on its way: so large
// ones are made smaller by a power of two, and what does not fit when it is undone is an error.
func (dialect) floats(b *sqlgen.Builder, column func(), average bool) {
	const small, large = "7.888609052210118e-31", "1.2676506002282294e30" // 2^-100 and 2^100
	by := func() {
		if average {
			say(b, " / COUNT(", column, ")")
		}
	}
	say(b, "CASE WHEN MAX(ABS(", column, ")) < 1e290 THEN SUM(", column, ")", by, " ELSE SUM(", column, " * "+small+")", by, " * "+large+" END")
}

package sqlite

import (
	"math"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
	sqlite3 "modernc.org/sqlite/lib"

	"spacecloud/database/driver"
)

// operation is inc or mul on the kinds of numbers.
type operation struct {
	integer func(a, b int64) (int64, bool)
	float   func(a, b float64) float64
}

var (
	add = operation{
		integer: func(a, b int64) (int64, bool) { s := a + b; return s, (s > a) == (b > 0) },
		float:   func(a, b float64) float64 { return a + b },
	}
	multiply = operation{integer: multiplyInt, float: func(a, b float64) float64 { return a * b }}
)

func multiplyInt(a, b int64) (int64, bool) {
	high, low := bits.Mul64(magnitude(a), magnitude(b))
	if (a < 0) != (b < 0) {
		return -int64(low), high == 0 && low <= 1<<63
	}
	return int64(low), high == 0 && low < 1<<63
}

func magnitude(i int64) uint64 {
	if i < 0 {
		return -uint64(i)
	}
	return uint64(i)
}

// arithmetic is f(old, value, bits), of floats when bits is 0; null counts as 0. A result that
// does not fit is an error: it neither wraps nor becomes a float.
func arithmetic(c call, op operation) {
	size := c.integer(2)
	if kind := c.kind(0); kind == sqlite3.SQLITE_TEXT || kind == sqlite3.SQLITE_BLOB || kind == sqlite3.SQLITE_FLOAT && size > 0 {
		c.refuse(driver.Unchangeable)
		return
	}
	if size == 0 {
		if f := op.float(c.float(0), c.float(1)); math.IsInf(f, 0) || math.IsNaN(f) {
			c.refuse("the result is not a finite number")
		} else {
			sqlite3.Xsqlite3_result_double(c.tls, c.context, f+0)
		}
		return
	}
	i, ok := op.integer(c.integer(0), c.integer(1))
	if !ok || size == 32 && int64(int32(i)) != i {
		c.refuse("the result does not fit into %d bits", size)
		return
	}
	sqlite3.Xsqlite3_result_int64(c.tls, c.context, i)
}

type decimalOperation func(ctx *apd.Context, d, x, y *apd.Decimal) (apd.Condition, error)

var (
	addDecimal      decimalOperation = (*apd.Context).Add
	multiplyDecimal decimalOperation = (*apd.Context).Mul
)

// decimalArithmetic is f(old, value, precision, scale), rounded half up to the scale; null
// counts as 0.
func decimalArithmetic(c call, op decimalOperation) {
	x, xok := c.decimal(0)
	y, yok := c.decimal(1)
	if !xok || !yok {
		c.refuse(driver.Unchangeable)
		return
	}
	precision, scale := c.integer(2), c.integer(3)
	var d apd.Decimal
	// Enough digits for any exact result, then rounded once.
	exact := apd.BaseContext.WithPrecision(uint32(2*precision + 2))
	rounded := apd.BaseContext.WithPrecision(uint32(precision))
	rounded.Rounding = apd.RoundHalfUp
	_, err := op(exact, &d, x, y)
	if err == nil {
		_, err = rounded.Quantize(&d, &d, -int32(scale))
	}
	if err != nil {
		c.refuse("the result does not fit into %d digits, %d of them after the point", precision, scale)
		return
	}
	c.returnText(canonical(&d))
}

func (c call) decimal(i int) (*apd.Decimal, bool) {
	if c.null(i) {
		return new(apd.Decimal), true
	}
	d, _, err := apd.NewFromString(c.text(i))
	return d, err == nil && d.Form == apd.Finite
}

// canonical is the text of a decimal as package schema writes it.
func canonical(d *apd.Decimal) string {
	d.Reduce(d)
	if d.IsZero() {
		return "0"
	}
	return d.Text('f')
}

package sqlite

import (
	"math"
	"math/big"

	"github.com/cockroachdb/apd/v3"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// whole is f(high, low, complaint): high · 2^32 + low, which is an error when it does not fit
// into 64 bits.
func whole(c call) {
	high, low := c.integer(0), c.integer(1)
	high += low >> 32 // which is not negative
	if high != int64(int32(high)) {
		c.refuse("%s", c.text(2))
		return
	}
	sqlite3.Xsqlite3_result_int64(c.tls, c.context, high<<32|low&math.MaxUint32)
}

// finite is f(value, complaint): the value, which is an error when it is no number.
func finite(c call) {
	f := c.float(0)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		c.refuse("%s", c.text(1))
		return
	}
	sqlite3.Xsqlite3_result_double(c.tls, c.context, f)
}

// total is an aggregate function over decimals.
type total struct {
	name string
	args int32
	end  func(call, *decimals)
}

var totals = []total{
	{"sc_decimal_sum", 1, func(c call, d *decimals) { c.returnText(canonical(d.sum())) }},
	{"sc_decimal_avg", 2, func(c call, d *decimals) { c.returnText(canonical(d.average())) }},
}

// decimals are those of a group that were seen: exactly added up, the usual ones as billionths.
type decimals struct {
	n          int64
	billionths int64
	others     apd.Decimal
	scale      int64 // of the average
	wrong      bool  // one of them is no decimal
}

// exactly never rounds.
var exactly = apd.BaseContext.WithPrecision(0)

func (d *decimals) add(text string) {
	d.n++
	if b, ok := billionths(text); ok {
		if sum, fits := add.integer(d.billionths, b); fits {
			d.billionths = sum
			return
		}
	}
	one, _, err := apd.NewFromString(text)
	if err != nil || one.Form != apd.Finite {
		d.wrong = true
		return
	}
	if _, err := exactly.Add(&d.others, &d.others, one); err != nil {
		d.wrong = true
	}
}

// billionths are those of a decimal that has at most nine digits on either side of its point.
func billionths(s string) (int64, bool) {
	negative := s != "" && s[0] == '-'
	if negative {
		s = s[1:]
	}
	var n int64
	digits, after := 0, -1 // after the point: -1 before it
	for i := range len(s) {
		c := s[i]
		if c == '.' && after < 0 && digits > 0 {
			after = 0
			continue
		}
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
		if after >= 0 {
			after++
		} else {
			digits++
		}
		if digits > 9 || after > 9 {
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	for range 9 - max(after, 0) {
		n *= 10
	}
	if negative {
		n = -n
	}
	return n, true
}

func (d *decimals) sum() *apd.Decimal {
	sum := apd.New(d.billionths, -9)
	_, _ = exactly.Add(sum, sum, &d.others) // what was added before can be added again
	return sum
}

// average is the sum by the number of decimals, rounded once, half away from zero.
func (d *decimals) average() *apd.Decimal {
	sum := d.sum()
	above, below := sum.Coeff.MathBigInt(), big.NewInt(d.n)
	if shift := int64(sum.Exponent) + d.scale; shift >= 0 {
		above.Mul(above, tenTo(shift))
	} else {
		below.Mul(below, tenTo(-shift))
	}
	rest := new(big.Int)
	above.QuoRem(above, below, rest)
	if rest.Lsh(rest, 1).Cmp(below) >= 0 {
		above.Add(above, big.NewInt(1))
	}
	average := apd.NewWithBigInt(new(apd.BigInt).SetMathBigInt(above), int32(-d.scale))
	average.Negative = sum.Negative
	return average
}

func tenTo(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// registerTotal registers an aggregate function. A group is known by the memory that SQLite
// keeps for it; SQLite ends every group that it begins, also those of a statement that is
// given up.
func (c *conn) registerTotal(t total) error {
	groups := map[uintptr]*decimals{}
	step := func(tls *libc.TLS, context uintptr, _ int32, values uintptr) {
		at := sqlite3.Xsqlite3_aggregate_context(tls, context, 1)
		d := groups[at]
		if d == nil {
			d = &decimals{}
			groups[at] = d
		}
		call := call{tls: tls, context: context, values: values}
		if t.args > 1 {
			d.scale = call.integer(1)
		}
		if !call.null(0) {
			d.add(call.text(0))
		}
	}
	final := func(tls *libc.TLS, context uintptr) {
		at := sqlite3.Xsqlite3_aggregate_context(tls, context, 0)
		d := groups[at]
		delete(groups, at)
		call := call{tls: tls, context: context}
		switch {
		case d == nil || d.n == 0:
			sqlite3.Xsqlite3_result_null(tls, context)
		case d.wrong:
			call.refuse("a total of something that is no decimal")
		default:
			t.end(call, d)
		}
	}
	c.callbacks = append(c.callbacks, step, final)
	name := cString(c.tls, t.name)
	defer libc.Xfree(c.tls, name)
	const flags = sqlite3.SQLITE_UTF8 | sqlite3.SQLITE_DETERMINISTIC | sqlite3.SQLITE_INNOCUOUS
	rc := sqlite3.Xsqlite3_create_function_v2(c.tls, c.db, name, t.args, flags, 0, 0, cFunction(step), cFunction(final), 0)
	if rc != sqlite3.SQLITE_OK {
		return c.failure(rc)
	}
	return nil
}

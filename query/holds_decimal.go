package query

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// digits are a decimal in plain notation, taken apart: no zeros before whole or after part,
// and nothing at all, without a sign, for 0.
type digits struct {
	negative    bool
	whole, part string
}

func splitDecimal(s string) (digits, bool) {
	d, ok := splitPlain(s)
	if ok {
		return d, true
	}
	n, _, err := apd.NewFromString(s)
	if err != nil || n.Form != apd.Finite {
		return digits{}, false
	}
	return splitPlain(n.Text('f'))
}

// splitPlain takes only what has no exponent; it allocates nothing.
func splitPlain(s string) (digits, bool) {
	var d digits
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	whole, part, _ := strings.Cut(s, ".")
	if whole == "" && part == "" || !allDigits(whole) || !allDigits(part) {
		return d, false
	}
	d.whole, d.part = strings.TrimLeft(whole, "0"), strings.TrimRight(part, "0")
	if d.whole == "" && d.part == "" {
		d.negative = false
	}
	return d, true
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (d digits) compare(e digits) int {
	if d.negative != e.negative {
		if d.negative {
			return -1
		}
		return 1
	}
	c := d.compareSize(e)
	if d.negative {
		return -c
	}
	return c
}

func (d digits) compareSize(e digits) int {
	if len(d.whole) != len(e.whole) {
		if len(d.whole) < len(e.whole) {
			return -1
		}
		return 1
	}
	if c := strings.Compare(d.whole, e.whole); c != 0 {
		return c
	}
	return strings.Compare(d.part, e.part) // a longer one with the same beginning is greater
}

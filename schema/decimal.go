package schema

import (
	"encoding/json"
	"strconv"
	"strings"
)

// How many digits a Decimal has, all of them and after the point: what the smallest of the
// databases holds (MongoDB 34), and what a field without @decimal gets.
const (
	maxPrecision     = 34
	defaultPrecision = 34
	defaultScale     = 9
)

// maxDecimalText is how long a decimal may be written: far more than its digits need.
const maxDecimalText = 100

func coerceDecimal(v any, precision, scale int) (Value, error) {
	var raw string
	switch v := v.(type) {
	case string:
		raw = v
	case json.Number:
		raw = string(v)
	case float64:
		raw = strconv.FormatFloat(v, 'g', -1, 64)
	case int64:
		raw = strconv.FormatInt(v, 10)
	case int:
		raw = strconv.Itoa(v)
	default:
		return Null, expects("a decimal number", v)
	}
	text, err := decimalText(raw, precision, scale)
	if err != nil {
		return Null, err
	}
	return Text(text), nil
}

// decimalText is the canonical form of a decimal number: no exponent, no +, no zeros that say
// nothing, no −0. It is an error if it has more digits than the precision and scale hold.
func decimalText(raw string, precision, scale int) (string, error) {
	negative, digits, point, ok := splitDecimal(raw)
	if !ok {
		return "", expects("a decimal number", raw)
	}
	trimmed := strings.TrimLeft(digits, "0")
	point -= len(digits) - len(trimmed)
	digits = strings.TrimRight(trimmed, "0")
	switch {
	case digits == "":
		return "0", nil
	case len(digits)-point > scale:
		return "", invalid("expects at most %d digits after the point, got %s", scale, clip(raw))
	case point > precision-scale:
		return "", invalid("expects at most %d digits before the point, got %s", precision-scale, clip(raw))
	}
	var b strings.Builder
	if negative {
		b.WriteByte('-')
	}
	switch {
	case point <= 0:
		b.WriteString("0." + strings.Repeat("0", -point) + digits)
	case point >= len(digits):
		b.WriteString(digits + strings.Repeat("0", point-len(digits)))
	default:
		b.WriteString(digits[:point] + "." + digits[point:])
	}
	return b.String(), nil
}

// splitDecimal reads -?digits[.digits][e[±]digits] as digits and the place of the point in them.
func splitDecimal(s string) (negative bool, digits string, point int, ok bool) {
	if len(s) > maxDecimalText {
		return false, "", 0, false
	}
	s, negative = strings.CutPrefix(s, "-")
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil || e < -1000 || e > 1000 {
			return false, "", 0, false
		}
		mantissa, exponent = s[:i], e
	}
	whole, fraction, hasPoint := strings.Cut(mantissa, ".")
	digits = whole + fraction
	if whole == "" || hasPoint && fraction == "" || strings.Trim(digits, "0123456789") != "" {
		return false, "", 0, false
	}
	return negative, digits, len(whole) + exponent, true
}

// compareDecimals compares two canonical decimals.
func compareDecimals(a, b string) int {
	a, aNegative := strings.CutPrefix(a, "-")
	b, bNegative := strings.CutPrefix(b, "-")
	switch {
	case aNegative && !bNegative:
		return -1
	case bNegative && !aNegative:
		return 1
	case aNegative:
		return comparePositive(b, a)
	}
	return comparePositive(a, b)
}

func comparePositive(a, b string) int {
	aWhole, aFraction, _ := strings.Cut(a, ".")
	bWhole, bFraction, _ := strings.Cut(b, ".")
	if len(aWhole) != len(bWhole) {
		return len(aWhole) - len(bWhole)
	}
	if c := strings.Compare(aWhole, bWhole); c != 0 {
		return c
	}
	return strings.Compare(aFraction, bFraction)
}

package query

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// compareValues orders two values that are not null: numbers by what they are, texts and
// bytes by their bytes. An ID that is held as an integer equals its text.
func compareValues(a, b schema.Value, decimal bool) int {
	if decimal {
		return CompareDecimal(plainText(a), plainText(b))
	}
	switch {
	case isText(a) && isText(b):
		return strings.Compare(a.Text(), b.Text())
	case isText(a):
		return -compareNumberText(b, a.Text())
	case isText(b):
		return compareNumberText(a, b.Text())
	}
	return compareNumbers(a, b)
}

func isText(v schema.Value) bool {
	return v.Kind() == schema.TextValue || v.Kind() == schema.BytesValue
}

func plainText(v schema.Value) string {
	switch v.Kind() {
	case schema.IntValue:
		return strconv.FormatInt(v.Int(), 10)
	case schema.FloatValue:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	}
	return v.Text()
}

// compareNumberText takes the text for the number that it says; what says none is greater
// than all numbers.
func compareNumberText(n schema.Value, text string) int {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return compareNumbers(n, schema.Integer(i))
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return compareNumbers(n, schema.Double(f))
	}
	return -1
}

func compareNumbers(a, b schema.Value) int {
	aFloat, bFloat := a.Kind() == schema.FloatValue, b.Kind() == schema.FloatValue
	switch {
	case aFloat && bFloat:
		return cmp.Compare(a.Float(), b.Float())
	case aFloat:
		return -compareIntFloat(b.Int(), a.Float())
	case bFloat:
		return compareIntFloat(a.Int(), b.Float())
	}
	return cmp.Compare(a.Int(), b.Int())
}

// compareIntFloat compares exactly: not every integer of 64 bits is a float.
func compareIntFloat(i int64, f float64) int {
	exact := new(big.Float).SetInt64(i)
	return exact.Cmp(big.NewFloat(f))
}

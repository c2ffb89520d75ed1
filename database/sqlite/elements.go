package sqlite

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"spacecloud/database/driver"
)

// push is f(list, elements): the list with the elements at its end; null counts as [].
func push(c call) {
	old, added := "[]", c.text(1)
	if !c.null(0) {
		old = strings.TrimSpace(c.text(0))
	}
	switch {
	case !isArray(old) || !isArray(added):
		c.refuse(driver.Unchangeable)
	case inside(old) == "":
		c.returnText(strings.Clone(added))
	case inside(added) == "":
		c.returnText(strings.Clone(old))
	default:
		c.returnText(old[:len(old)-1] + "," + added[1:])
	}
}

// pull is f(list, elements): the list without what equals one of the elements.
func pull(c call) {
	old, gone := c.text(0), gjson.Parse(c.text(1)).Array()
	if !isArray(strings.TrimSpace(old)) {
		c.refuse(driver.Unchangeable)
		return
	}
	var left strings.Builder
	left.WriteByte('[')
	for _, e := range gjson.Parse(old).Array() {
		if among(e, gone) {
			continue
		}
		if left.Len() > 1 {
			left.WriteByte(',')
		}
		left.WriteString(e.Raw)
	}
	left.WriteByte(']')
	c.returnText(left.String())
}

func isArray(s string) bool { return strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") }

func inside(list string) string { return strings.TrimSpace(list[1 : len(list)-1]) }

func among(e gjson.Result, list []gjson.Result) bool {
	for _, other := range list {
		if sameElement(e, other) {
			return true
		}
	}
	return false
}

// sameElement compares numbers by value, integers exactly, and texts as they read.
func sameElement(a, b gjson.Result) bool {
	switch {
	case a.Type != b.Type:
		return false
	case a.Type == gjson.String:
		return a.Str == b.Str
	case a.Type == gjson.Number:
		i, err := strconv.ParseInt(a.Raw, 10, 64)
		j, err2 := strconv.ParseInt(b.Raw, 10, 64)
		if err == nil && err2 == nil {
			return i == j
		}
		return a.Num == b.Num
	}
	return a.Raw == b.Raw
}

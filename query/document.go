package query

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"spacecloud/schema"
)

// JSON is a condition on a JSON document, or on what Path leads to in it: names of members, and
// numbers of elements from 0. What is absent is null, as is JSON's own null. All but JSONIsNull
// are unknown for null.
type JSON struct {
	Doc   Operand
	Path  Operand // a list of texts; none for the document itself
	Op    JSONOp
	Right Operand // a document, or for JSONHasKey a text; none for JSONIsNull
}

// JSONOp is what is asked of a document.
type JSONOp uint8

// The operators. Documents are equal by value: numbers by what they are (1 is 1.0), objects
// whatever the order of their members.
const (
	JSONIsNull JSONOp = iota
	JSONEqual
	// JSONContains is containment as PostgreSQL's @> has it: an object contains one of which
	// each member is contained in its own of that name, a list one of which each element is
	// contained in some of its elements, and a list, if it is the whole, its own scalars.
	JSONContains
	JSONHasKey // is an object with a member of that name
)

func (o JSONOp) String() string {
	return [...]string{"is null", "equals", "contains", "has key"}[o]
}

func (JSON) where() {}

func (w JSON) String() string {
	s := w.Doc.String()
	if !w.Path.IsZero() {
		s += " at " + w.Path.String()
	}
	if s += " " + w.Op.String(); w.Op != JSONIsNull {
		s += " " + w.Right.String()
	}
	return s
}

func (h *holder) json(w JSON) Truth {
	doc := h.value(w.Doc)
	if doc.IsNull() {
		return JSONHolds("null", nil, w.Op, "null")
	}
	var path []string
	if !w.Path.IsZero() {
		for _, step := range h.value(w.Path).List() {
			path = append(path, step.Text())
		}
	}
	right := "null"
	if !w.Right.IsZero() {
		v := h.value(w.Right)
		if v.IsNull() && w.Op != JSONIsNull {
			return Unknown
		}
		right = v.Text()
	}
	return JSONHolds(doc.Text(), path, w.Op, right)
}

// JSONHolds is what a JSON condition says of a document. Drivers may call it.
func JSONHolds(doc string, path []string, op JSONOp, right string) Truth {
	v, ok := decodeJSON(doc)
	for _, step := range path {
		v = stepInto(v, step)
	}
	switch {
	case op == JSONIsNull:
		return truth(v == nil)
	case v == nil || !ok:
		return Unknown
	case op == JSONHasKey:
		object, _ := v.(map[string]any)
		_, there := object[right]
		return truth(there)
	}
	want, ok := decodeJSON(right)
	switch {
	case !ok:
		return Unknown
	case op == JSONContains:
		return truth(contains(v, want) || elementOf(want, v))
	}
	return truth(equalJSON(v, want))
}

func decodeJSON(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, err == io.EOF
}

func stepInto(v any, step string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(v) && step == strconv.Itoa(i) {
			return v[i]
		}
	}
	return nil
}

func equalJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a.String(), b.String())
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalJSON(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name, member := range a {
			if other, there := b[name]; !there || !equalJSON(member, other) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case json.Number, []any, map[string]any:
		return false
	}
	return a == b
}

func contains(a, b any) bool {
	switch b := b.(type) {
	case map[string]any:
		a, ok := a.(map[string]any)
		if !ok {
			return false
		}
		for name, want := range b {
			if member, there := a[name]; !there || !contains(member, want) {
				return false
			}
		}
		return true
	case []any:
		a, ok := a.([]any)
		if !ok {
			return false
		}
		for _, want := range b {
			found := false
			for _, e := range a {
				found = found || contains(e, want)
			}
			if !found {
				return false
			}
		}
		return true
	}
	return equalJSON(a, b)
}

// elementOf is whether a scalar is an element of a list.
func elementOf(want, list any) bool {
	switch want.(type) {
	case map[string]any, []any:
		return false
	}
	items, _ := list.([]any)
	for _, e := range items {
		if equalJSON(e, want) {
			return true
		}
	}
	return false
}

// sameNumber is whether two numbers of JSON are one, to the last digit.
func sameNumber(a, b string) bool {
	if a == b {
		return true
	}
	x, y := scientificOf(a), scientificOf(b)
	return x == y
}

// scientific is a number as digits, without zeros around them, times a power of ten.
type scientific struct {
	negative bool
	digits   string
	power    int64
}

func scientificOf(s string) scientific {
	var n scientific
	if strings.HasPrefix(s, "-") {
		n.negative, s = true, s[1:]
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n.power, _ = strconv.ParseInt(s[i+1:], 10, 64) // beyond it, the largest there is
		s = s[:i]
	}
	whole, part, _ := strings.Cut(s, ".")
	n.digits = strings.TrimLeft(whole+part, "0")
	n.power -= int64(len(part))
	trimmed := strings.TrimRight(n.digits, "0")
	n.power += int64(len(n.digits) - len(trimmed))
	n.digits = trimmed
	if n.digits == "" {
		return scientific{}
	}
	return n
}

// Member is the canonical value of a field of an embedded value, which path, from MemberPath,
// leads to in the text of the outermost one. Drivers may call it.
func Member(text, path string, f *schema.Field) schema.Value {
	v := gjson.Get(text, path)
	switch {
	case !v.Exists() || v.Type == gjson.Null:
		return schema.Null
	case f.Scalar == schema.Embedded || f.Scalar == schema.JSON && !f.List:
		return schema.Text(v.Raw)
	}
	plain, ok := decodeJSON(v.Raw)
	if !ok {
		return schema.Null
	}
	value, err := f.Coerce(plain)
	if err != nil {
		return schema.Null
	}
	return value
}

// MemberPath is where the field of an operand is in the outermost embedded value, by the
// names of members with dots between.
func MemberPath(o Operand) string {
	var path strings.Builder
	for _, step := range o.Inside[1:] {
		path.WriteString(step.Name + ".")
	}
	return path.String() + o.Field.Name
}

package mongodb

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/query"
	"spacecloud/schema"
)

// json is a condition on a document. What it compares with decides what is asked, so it is made
// when that is known.
func (s *scope) json(w query.JSON, want bool) any {
	doc := s.value(w.Doc, &schema.Field{Scalar: schema.JSON})
	return slot{show: w.String() + unless(want), fill: func(b *query.Binding) (any, error) {
		at, err := filled(doc, b)
		if err != nil {
			return nil, err
		}
		if !w.Path.IsZero() {
			path, err := operand(w.Path, b)
			if err != nil {
				return nil, err
			}
			at = inside(at, path.List())
		}
		if w.Op == query.JSONIsNull {
			return sure(isNil(at), want), nil
		}
		right, err := operand(w.Right, b)
		if err != nil || right.IsNull() {
			return false, err
		}
		is, ok := holds(at, w.Op, right.Text())
		if !ok {
			return false, nil
		}
		return both(hasValue(at), sure(is, want)), nil
	}}
}

// inside is what is at the end of a path into a document, or missing. It is a loop, for steps that each
// hold the one before would be a pipeline of twice the size for each.
func inside(doc any, path []schema.Value) any {
	steps := bson.A{}
	for _, step := range path {
		at := bson.D{{Key: "k", Value: step.Text()}}
		if i, err := strconv.Atoi(step.Text()); err == nil && i >= 0 && step.Text() == strconv.Itoa(i) && i < 1<<31 {
			at = append(at, bson.E{Key: "i", Value: i})
		}
		steps = append(steps, at)
	}
	const value = "$$value"
	member := is("$filter", bson.D{
		{Key: "input", Value: is("$objectToArray", value)}, {Key: "as", Value: "member"}, {Key: "cond", Value: op("$eq", "$$member.k", "$$this.k")},
	})
	return is("$reduce", bson.D{
		{Key: "input", Value: literal(steps)},
		{Key: "initialValue", Value: doc},
		{Key: "in", Value: is("$switch", bson.D{
			{Key: "branches", Value: bson.A{
				bson.D{{Key: "case", Value: both(is("$isArray", bson.A{value}), hasValue("$$this.i"))}, {Key: "then", Value: op("$arrayElemAt", value, "$$this.i")}},
				bson.D{{Key: "case", Value: op("$eq", is("$type", value), "object")}, {Key: "then", Value: is("$let", bson.D{
					{Key: "vars", Value: is("found", is("$first", member))}, {Key: "in", Value: "$$found.v"},
				})}},
			}},
			{Key: "default", Value: nil},
		})},
	})
}

func memberAt(e any, name string) bson.D {
	return is("$getField", bson.D{{Key: "field", Value: literal(name)}, {Key: "input", Value: e}})
}

// holds is what a document that is not null is asked; false for a right side that is no JSON.
func holds(e any, o query.JSONOp, right string) (any, bool) {
	if o == query.JSONHasKey {
		return when(op("$eq", is("$type", e), "object"), op("$ne", is("$type", memberAt(e, right)), "missing"), false), true
	}
	if !valid(right) {
		return nil, false
	}
	v := gjson.Parse(right)
	if o == query.JSONEqual {
		return equalTo(e, v), true
	}
	inside := contains(e, v, 0)
	if v.IsObject() || v.IsArray() {
		return inside, true
	}
	return op("$or", inside, isOf(e, "array", someElement(e, 0, func(each any) any { return equalTo(each, v) }))), true
}

func valid(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	_, err := d.Token()
	return err == io.EOF
}

// equalTo compares by value: numbers by what they are, objects whatever the order of their members.
func equalTo(e any, v gjson.Result) any {
	switch {
	case v.IsObject():
		parts := []any{}
		for name, member := range members(v) {
			at := memberAt(e, name)
			parts = append(parts, op("$ne", is("$type", at), "missing"), equalTo(at, member))
		}
		size := op("$eq", is("$size", is("$objectToArray", e)), len(members(v)))
		return isOf(e, "object", both(append(parts, size)...))
	case v.IsArray():
		parts := []any{}
		for i, element := range v.Array() {
			parts = append(parts, equalTo(op("$arrayElemAt", e, i), element))
		}
		return isOf(e, "array", when(op("$eq", is("$size", e), len(parts)), both(parts...), false))
	case v.Type == gjson.Null:
		return isNil(e)
	}
	value, err := encodeParsed(v)
	if err != nil {
		return false // no value in the database has so many digits
	}
	return both(hasValue(e), op("$eq", e, literal(value)))
}

// members are the members of an object, the last of each name.
func members(v gjson.Result) map[string]gjson.Result {
	all := map[string]gjson.Result{}
	v.ForEach(func(k, e gjson.Result) bool {
		all[k.String()] = e
		return true
	})
	return all
}

// contains is containment, as query.JSONContains has it but for scalars in a list.
func contains(e any, v gjson.Result, depth int) any {
	switch {
	case v.IsObject():
		parts := []any{}
		for name, member := range members(v) {
			at := memberAt(e, name)
			parts = append(parts, op("$ne", is("$type", at), "missing"), contains(at, member, depth))
		}
		return isOf(e, "object", both(parts...))
	case v.IsArray():
		parts := []any{}
		for _, want := range v.Array() {
			parts = append(parts, someElement(e, depth, func(each any) any { return contains(each, want, depth+1) }))
		}
		return isOf(e, "array", both(parts...))
	}
	return equalTo(e, v)
}

// someElement is whether one of the elements of an array is so.
func someElement(e any, depth int, is func(each any) any) any {
	as := "e" + strconv.Itoa(depth)
	return op("$anyElementTrue", bson.D{{Key: "$map", Value: bson.D{
		{Key: "input", Value: e}, {Key: "as", Value: as}, {Key: "in", Value: is("$$" + as)},
	}}})
}

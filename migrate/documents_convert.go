package migrate

import (
	"math"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/schema"
)

// documentConversion is how values of one kind become values of another in an aggregation
// expression of MongoDB. Each part makes an expression of that of the old value.
type documentConversion struct {
	expr  func(value any) any
	fails func(value any) any // true for a value that has none; nil if each has one
	loses func(value any) any // true for a value that cannot be told from the new one; nil if none is lost
	stays bool                // expr is the value itself
}

var numbers = []string{"double", "int", "long"}

// typesOf are the types of BSON that values of a kind are of, or were written as by others.
func typesOf(kind string) []string {
	switch kind {
	case "ID", "String", "enum", "UUID", "Date", "Time":
		return []string{"string"}
	case "Int", "BigInt", "Float":
		return numbers
	case "Decimal":
		return []string{"decimal"}
	case "Boolean":
		return []string{"bool"}
	case "DateTime":
		return []string{"date"}
	case "Bytes":
		return []string{"binData"}
	case "embedded":
		return []string{"object"}
	case "JSON":
		return []string{"object", "array", "string", "double", "int", "long", "decimal", "bool"}
	}
	if strings.HasPrefix(kind, "[") {
		return []string{"array"}
	}
	return []string{kind} // a type of BSON that the schema has no word for
}

// kindOfType is what a value of a type of BSON is taken for, of which nothing else is known.
func kindOfType(name string) string {
	kinds := map[string]string{
		"string": "String", "int": "Int", "long": "BigInt", "double": "Float", "decimal": "Decimal",
		"bool": "Boolean", "date": "DateTime", "binData": "Bytes", "object": "embedded",
	}
	if kind, ok := kinds[name]; ok {
		return kind
	}
	return name
}

// op is an operator on its arguments.
func op(name string, args ...any) bson.D { return bson.D{{Key: name, Value: bson.A(args)}} }

func convertTo(to string) func(any) any {
	return func(value any) any {
		return bson.D{{Key: "$convert", Value: bson.D{{Key: "input", Value: value}, {Key: "to", Value: to}}}}
	}
}

// unconvertible is whether a value is none of a type.
func unconvertible(value any, to string) any {
	return op("$eq", bson.D{{Key: "$convert", Value: bson.D{
		{Key: "input", Value: value}, {Key: "to", Value: to}, {Key: "onError", Value: nil}, {Key: "onNull", Value: nil},
	}}}, nil)
}

func failsTo(to string) func(any) any {
	return func(value any) any { return unconvertible(value, to) }
}

// unlikeText is whether a text has not a shape.
func unlikeText(value any, shape string) any {
	return op("$not", bson.D{{Key: "$regexMatch", Value: bson.D{{Key: "input", Value: value}, {Key: "regex", Value: "^" + shape + "$"}}}})
}

func failsShape(shape string) func(any) any {
	return func(value any) any { return unlikeText(value, shape) }
}

// failsReading is whether a text has not a shape, or has it and is none of a type all the same.
func failsReading(shape, to string) func(any) any {
	return func(value any) any { return op("$or", unlikeText(value, shape), unconvertible(value, to)) }
}

// failsDate is whether a text has not a shape, or names no day: its date is written otherwise.
func failsDate(shape, format string) func(any) any {
	length := len("2026-01-31")
	if strings.Contains(format, "%L") {
		length = len("2026-01-31T13:37:00.000")
	}
	return func(value any) any {
		date := bson.D{{Key: "$convert", Value: bson.D{{Key: "input", Value: value}, {Key: "to", Value: "date"}, {Key: "onError", Value: nil}}}}
		return op("$or", unlikeText(value, shape), op("$ne", formatted(date, format), op("$substrCP", value, 0, length)))
	}
}

func formatted(value any, format string) any {
	return bson.D{{Key: "$dateToString", Value: bson.D{{Key: "date", Value: value}, {Key: "format", Value: format}, {Key: "timezone", Value: "UTC"}}}}
}

var documentStays = documentConversion{expr: func(v any) any { return v }, stays: true}

// documentConversions are those that there are, by the new kind and the old one.
var documentConversions = func() map[[2]string]documentConversion {
	all := map[[2]string]documentConversion{}
	add := func(c documentConversion, to string, froms ...string) {
		for _, from := range froms {
			all[[2]string{to, from}] = c
		}
	}
	checked := func(fails func(any) any) documentConversion {
		c := documentStays
		c.fails = fails
		return c
	}
	asText := documentConversion{expr: convertTo("string")}
	instant := documentConversion{expr: func(v any) any { return formatted(v, "%Y-%m-%dT%H:%M:%S.%L000Z") }}
	for _, to := range []string{"String", "ID", "enum"} { // of an enum, documentConvert says the rest
		add(documentStays, to, "String", "ID", "enum", "UUID", "Date", "Time")
	}
	for _, to := range []string{"String", "ID"} {
		add(asText, to, "Int", "BigInt", "Float", "Decimal", "Boolean", "objectId")
		add(instant, to, "DateTime")
	}

	const whole = `(0|-?[1-9][0-9]{0,18})`
	const decimal = `-?[0-9]{1,40}(\.[0-9]{1,40})?`
	truncated := func(v any) any { return op("$trunc", v) }
	hasFraction := func(v any) any { return op("$ne", v, truncated(v)) }
	for to, name := range map[string]string{"Int": "int", "BigInt": "long"} {
		number := documentConversion{expr: func(v any) any { return convertTo(name)(truncated(v)) }, fails: func(v any) any { return unconvertible(truncated(v), name) }, loses: hasFraction}
		add(number, to, "Float", "Decimal")
		add(documentConversion{expr: convertTo(name), fails: failsTo(name)}, to, "Int", "BigInt")
		add(documentConversion{expr: convertTo(name), fails: failsReading(whole, name)}, to, "String", "ID")
		add(documentConversion{expr: convertTo(name)}, to, "Boolean")
	}
	add(documentConversion{expr: func(v any) any { return op("$eq", v, 1) }, fails: func(v any) any { return op("$not", op("$in", v, bson.A{0, 1})) }}, "Boolean", "Int", "BigInt")
	add(documentConversion{expr: func(v any) any { return op("$eq", v, "true") }, fails: failsShape("(true|false)")}, "Boolean", "String", "enum")

	back := func(through, to string) func(any) any {
		return func(v any) any {
			return op("$ne", bson.D{{Key: "$convert", Value: bson.D{{Key: "input", Value: convertTo(through)(v)}, {Key: "to", Value: to}, {Key: "onError", Value: nil}}}}, v)
		}
	}
	add(documentConversion{expr: convertTo("double")}, "Float", "Int")
	add(documentConversion{expr: convertTo("double"), loses: back("double", "long")}, "Float", "BigInt")
	// By way of the text: what a double is written as, not the 15 digits that $toDecimal takes of it.
	byText := func(v any) any { return convertTo("decimal")(convertTo("string")(v)) }
	add(documentConversion{expr: convertTo("double"), fails: failsTo("double"), loses: func(v any) any { return op("$ne", byText(convertTo("double")(v)), v) }}, "Float", "Decimal")
	add(documentConversion{expr: convertTo("double"), fails: failsReading(`-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`, "double")}, "Float", "String", "ID")
	add(documentConversion{expr: convertTo("decimal")}, "Decimal", "Int", "BigInt")
	add(documentConversion{expr: byText, fails: func(v any) any { return op("$in", v, bson.A{math.NaN(), math.Inf(1), math.Inf(-1)}) }}, "Decimal", "Float")
	add(documentConversion{expr: convertTo("decimal"), fails: failsReading(decimal, "decimal")}, "Decimal", "String", "ID")

	const date, clock = `[0-9]{4}-[0-9]{2}-[0-9]{2}`, `([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}`
	const day, millisecond = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S.%L"
	add(checked(failsDate(date, day)), "Date", "String", "ID")
	add(checked(failsShape(clock)), "Time", "String", "ID")
	add(checked(failsShape("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")), "UUID", "String", "ID")
	add(documentConversion{
		expr: convertTo("date"), fails: failsDate(date+"T"+clock+"Z", millisecond),
		loses: func(v any) any { return unlikeText(v, ".*000Z") }, // MongoDB holds milliseconds
	}, "DateTime", "String", "ID")
	add(documentConversion{expr: convertTo("date")}, "DateTime", "Date")
	add(documentConversion{
		expr:  func(v any) any { return formatted(v, day) },
		loses: func(v any) any { return op("$ne", formatted(v, "%H:%M:%S.%L"), "00:00:00.000") },
	}, "Date", "DateTime")

	add(documentStays, "JSON", "embedded", "Int", "Float", "Boolean")
	return all
}()

// documentConvert is how values of a kind become those of a field, false where there is no way.
// MongoDB reads no JSON out of a text, and writes none.
func documentConvert(f *schema.Field, to, from string) (documentConversion, bool) {
	c, ok := documentConversions[[2]string{to, from}]
	element, isList := strings.CutPrefix(to, "[")
	switch {
	case from == to:
		c, ok = documentStays, true
	case !ok && isList && strings.TrimSuffix(element, "]") == from:
		c, ok = documentConversion{expr: func(v any) any { return bson.A{v} }}, true
	case !ok && to == "JSON" && strings.HasPrefix(from, "["):
		c, ok = documentStays, true
	}
	if ok && f.Enum != nil && !f.List {
		names := bson.A{}
		for _, v := range f.Enum.Values {
			names = append(names, v.Name)
		}
		c.fails = func(v any) any { return op("$not", op("$in", v, names)) }
	}
	return c, ok
}

package generator

import (
	"slices"
	"strings"

	"spacecloud/schema"
)

// scalar is what the API makes of a scalar.
type scalar struct {
	name        string // in SDL; "" where the field says it
	description string // of a custom scalar
	specifiedBy string // URL, or ""
	sortable    bool
	numeric     bool
	operators   string // of its filter
}

const (
	equality    = "_eq _ne _in _nin _isNull"
	comparison  = "_eq _ne _gt _gte _lt _lte _in _nin _isNull"
	textMatches = "_eq _ne _gt _gte _lt _lte _in _nin _like _ilike _startsWith _endsWith _contains _icontains _regex _isNull"
	counting    = "_eq _ne _gt _gte _lt _lte _in _nin"
	listed      = "_has _hasAny _hasAll _isEmpty _isNull"
	emptiness   = "_isEmpty"
	presence    = "_isNull"
)

var scalars = [...]scalar{
	schema.ID:     {name: "ID", sortable: true, operators: comparison},
	schema.String: {name: "String", sortable: true, operators: textMatches},
	schema.Int:    {name: "Int", sortable: true, numeric: true, operators: comparison},
	schema.BigInt: {
		name: "BigInt", sortable: true, numeric: true, operators: comparison,
		description: "A whole number of 64 bits. It is written as a string, so that JavaScript loses no digit; a number is taken too.",
	},
	schema.Float: {name: "Float", sortable: true, numeric: true, operators: comparison},
	schema.Decimal: {
		name: "Decimal", sortable: true, numeric: true, operators: comparison,
		description: `An exact decimal number, written as a string: "12.50".`,
	},
	schema.Boolean: {name: "Boolean", sortable: true, operators: equality},
	schema.DateTime: {
		name: "DateTime", sortable: true, operators: comparison,
		description: `A moment in UTC, to the microsecond: "2026-01-31T13:37:00Z". Other offsets are taken and converted.`,
		specifiedBy: "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6",
	},
	schema.Date: {
		name: "Date", sortable: true, operators: comparison,
		description: `A day: "2026-01-31".`,
		specifiedBy: "https://datatracker.ietf.org/doc/html/rfc3339#section-5.6",
	},
	schema.Time: {
		name: "Time", sortable: true, operators: comparison,
		description: `A time of day: "13:37:00".`,
	},
	schema.UUID: {
		name: "UUID", sortable: true, operators: comparison,
		description: `A UUID: "01890a5d-ac96-774b-bcce-b302099a8057".`,
		specifiedBy: "https://datatracker.ietf.org/doc/html/rfc9562",
	},
	schema.JSON: {
		name:        "JSON",
		description: "Any JSON value.",
		specifiedBy: "https://datatracker.ietf.org/doc/html/rfc8259",
	},
	schema.Bytes: {
		name: "Bytes", operators: equality,
		description: "Bytes, written in base64.",
		specifiedBy: "https://datatracker.ietf.org/doc/html/rfc4648#section-4",
	},
	schema.EnumValue: {sortable: true, operators: equality},
	schema.Embedded:  {},
}

// scalar is the name of a scalar, which is declared unless GraphQL has it.
func (d *draft) scalar(of schema.Scalar) string {
	s := scalars[of]
	if s.description == "" {
		return s.name
	}
	return d.share(s.name, func() definition {
		return definition{keyword: "scalar", description: s.description, directives: specifiedBy(s.specifiedBy)}
	})
}

func specifiedBy(url string) string {
	if url == "" {
		return ""
	}
	return ` @specifiedBy(url: "` + url + `")`
}

// operator is one member of a filter.
type operator struct {
	name        string
	shape       shape
	description string
}

// shape is what an operator takes.
type shape uint8

const (
	oneValue shape = iota
	manyValues
	aString
	aFlag
)

var operators = []operator{
	{"_eq", oneValue, "Equals; null asks for null."},
	{"_ne", oneValue, "Differs; null rows do not match."},
	{"_gt", oneValue, "Is greater."},
	{"_gte", oneValue, "Is greater or equal."},
	{"_lt", oneValue, "Is less."},
	{"_lte", oneValue, "Is less or equal."},
	{"_in", manyValues, "Is one of them; an empty list matches nothing."},
	{"_nin", manyValues, "Is none of them; null rows do not match."},
	{"_like", aString, `Is like the pattern: % is any text, _ any character, \ takes the next one as it is.`},
	{"_ilike", aString, "The same as _like, whatever the case."},
	{"_startsWith", aString, "Starts with the text."},
	{"_endsWith", aString, "Ends with the text."},
	{"_contains", aString, "Holds the text."},
	{"_icontains", aString, "Holds the text, whatever the case."},
	{"_regex", aString, "Matches the regular expression (RE2), anywhere in it."},
	{"_has", oneValue, "Has this element."},
	{"_hasAny", manyValues, "Has one of these elements; an empty list matches nothing."},
	{"_hasAll", manyValues, "Has all of these elements; an empty list matches every list."},
	{"_isEmpty", aFlag, "Has no elements, or with false has some; null rows do not match."},
	{"_isNull", aFlag, "Is null, or with false is not."},
}

// spell is the type of an operator's value in a filter of element.
func (o operator) spell(element string) string {
	switch o.shape {
	case manyValues:
		return listOf(element)
	case aString:
		return "String"
	case aFlag:
		return "Boolean"
	}
	return element
}

func operatorsOf(names, element string) []member {
	wanted := strings.Fields(names)
	var members []member
	for _, o := range operators {
		if slices.Contains(wanted, o.name) {
			members = append(members, member{name: o.name, typ: o.spell(element), description: o.description})
		}
	}
	return members
}

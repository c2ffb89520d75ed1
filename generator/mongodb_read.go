package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/schema"
)

// mongoScalars are the scalars that hold values of all these types, the first that does. Nothing
// tells a text from a date, or an ID from a text.
var mongoScalars = []schema.Scalar{
	schema.String, schema.Int, schema.BigInt, schema.Float, schema.Decimal, schema.Boolean, schema.DateTime, schema.Bytes, schema.JSON,
}

// mongoRead reads the types of the values that were seen in a field, by commas.
func mongoRead(c *ExistingColumn) reading {
	if strings.ContainsAny(c.Name, ".$") || c.Name == "" {
		return alone("names with . or $ mean something else in MongoDB")
	}
	switch c.Type {
	case "":
		return alone("it holds no value that would show what it is")
	case "objectId":
		return reading{scalar: schema.ID, native: ObjectID}
	case "object":
		return mongoEmbedded(c)
	case "array":
		return mongoList(c)
	case "string":
		if r, ok := valuesOf(c); ok {
			return r
		}
	}
	types := strings.Split(c.Type, ", ")
	for _, s := range mongoScalars {
		if slices.ContainsFunc(types, func(t string) bool { return !slices.Contains(documentTypes[s], t) }) {
			continue
		}
		r := reading{scalar: s, precision: schema.MaxDigits, scale: sqliteScale}
		if s == schema.JSON {
			r.note = "holds values of several types: " + c.Type
		}
		return r
	}
	return alone("it holds %s, for which there is no scalar", c.Type)
}

// mongoEmbedded is an embedded type, where every name in it is one of GraphQL and every value one
// that an embedded type can say, and else any JSON: what is set replaces all of it.
func mongoEmbedded(c *ExistingColumn) reading {
	r := reading{scalar: schema.Embedded}
	for i := range c.Members {
		m := &c.Members[i]
		member := mongoRead(m)
		switch {
		case !enumValue.MatchString(m.Name) || strings.HasPrefix(m.Name, "__"):
			return reading{scalar: schema.JSON, note: fmt.Sprintf("documents with a name that is none in GraphQL: %q", m.Name)}
		case member.why != "" || member.native != "" || member.scalar == schema.JSON:
			return reading{scalar: schema.JSON, note: fmt.Sprintf("documents in which %s holds %s; what JSON has not is shown as a text, and not found by one", m.Name, strings.ReplaceAll(m.Type, ", ", " and "))}
		}
		r.members = append(r.members, embeddedMember{m.Name, member, m.NonNull})
	}
	if len(r.members) == 0 {
		return reading{scalar: schema.JSON, note: "documents without members"}
	}
	return r
}

// mongoList is a list of what is in arrays.
func mongoList(c *ExistingColumn) reading {
	if c.Element == nil || c.Element.Type == "" {
		return reading{scalar: schema.JSON, note: "arrays without elements"}
	}
	r := mongoRead(c.Element)
	if r.list || r.why != "" || r.scalar == schema.JSON {
		return reading{scalar: schema.JSON, note: "arrays of " + strings.ReplaceAll(c.Element.Type, ", ", " and ")}
	}
	r.list, r.whole = true, c.Element.NonNull
	return r
}

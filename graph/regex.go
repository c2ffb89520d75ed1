package graph

import (
	"regexp/syntax"

	"spacecloud/fault"
	"spacecloud/schema"
)

// maxRegex bounds the patterns of strangers, in bytes.
const maxRegex = 1000

// coerceRegex checks a pattern before any database is asked.
func coerceRegex(v any) (schema.Value, error) {
	value, err := schema.CoerceScalar(schema.String, nil, v)
	if err != nil {
		return value, err
	}
	if len(value.Text()) > maxRegex {
		return value, fault.New(fault.Invalid, "the pattern has %d bytes; %d are the most", len(value.Text()), maxRegex)
	}
	if _, err := syntax.Parse(value.Text(), syntax.Perl); err != nil {
		return value, fault.New(fault.Invalid, "the pattern is not RE2: %s", err)
	}
	return value, nil
}

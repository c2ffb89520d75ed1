package graph

import (
	"regexp/syntax"

	"spacecloud/fault"
	"spacecloud/schema"
)

// maxPattern bounds the patterns of strangers, in bytes: what is matched step by step takes as
// many steps as text and pattern have together, multiplied.
const maxPattern = 1000

// coercePattern takes the right side of _like, _ilike and _icontains.
func coercePattern(v any) (schema.Value, error) {
	value, err := schema.CoerceScalar(schema.String, nil, v)
	if err == nil && len(value.Text()) > maxPattern {
		err = fault.New(fault.Limit, "the pattern has %d bytes; %d are the most", len(value.Text()), maxPattern)
	}
	return value, err
}

// coerceRegex checks a pattern before any database is asked.
func coerceRegex(v any) (schema.Value, error) {
	value, err := coercePattern(v)
	if err != nil {
		return value, err
	}
	if _, err := syntax.Parse(value.Text(), syntax.Perl); err != nil {
		return value, fault.New(fault.Invalid, "the pattern is not RE2: %s", err)
	}
	return value, nil
}

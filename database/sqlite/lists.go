package sqlite

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// appendStoredList appends a stored list as the API shows it. Most lists are stored so.
func appendStoredList(dst []byte, stored string, f *schema.Field) []byte {
	switch f.Scalar {
	case schema.BigInt, schema.ID, schema.Float, schema.DateTime, schema.Time:
		return schema.AppendValue(dst, f, storedList(stored, f))
	}
	return append(dst, stored...)
}

// storedList is a stored list in the canonical form of its field, null if it is not a list.
func storedList(stored string, f *schema.Field) schema.Value {
	if f.Scalar == schema.Embedded {
		return schema.Text(strings.Clone(stored))
	}
	var items []json.RawMessage
	if json.Unmarshal([]byte(stored), &items) != nil {
		return schema.Null
	}
	values := make([]schema.Value, len(items))
	for i, item := range items {
		values[i] = storedElement(item, f.Scalar)
	}
	return schema.List(values)
}

func storedElement(item json.RawMessage, s schema.Scalar) schema.Value {
	text := string(item)
	switch {
	case text == "null":
		return schema.Null
	case s == schema.JSON:
		return schema.Text(text)
	case text == "true" || text == "false":
		return schema.Bool(text == "true")
	case text[0] == '"':
		return storedText(item, s)
	case s == schema.Float:
		f, _ := strconv.ParseFloat(text, 64)
		return schema.Double(f)
	}
	i, _ := strconv.ParseInt(text, 10, 64)
	return schema.Integer(i)
}

func storedText(item json.RawMessage, s schema.Scalar) schema.Value {
	var text string
	if json.Unmarshal(item, &text) != nil {
		return schema.Null
	}
	if s == schema.Bytes {
		raw, _ := base64.StdEncoding.DecodeString(text)
		return schema.Raw(string(raw))
	}
	return schema.Text(text)
}

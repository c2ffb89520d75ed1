package query

import (
	"slices"
	"strings"

	"spacecloud/schema"
)

// Among is whether columns are, one by one, the values of a key. It is never unknown: a null equals
// nothing.
type Among struct {
	Columns []Operand // of the kind Column; none holds lists or documents
	Keys    Operand   // a list, flat: key by key
}

func (Among) where() {}

func (w Among) String() string {
	names := make([]string, len(w.Columns))
	for i, c := range w.Columns {
		names[i] = c.String()
	}
	return "(" + strings.Join(names, ", ") + ") among " + w.Keys.String()
}

// Whole are those of flat keys of so many values that have no null, which no row has.
func Whole(keys []schema.Value, width int) []schema.Value {
	if !slices.ContainsFunc(keys, schema.Value.IsNull) {
		return keys
	}
	var whole []schema.Value
	for key := range slices.Chunk(keys, width) {
		if !slices.ContainsFunc(key, schema.Value.IsNull) {
			whole = append(whole, key...)
		}
	}
	return whole
}

func (h *holder) among(w Among) Truth {
	for key := range slices.Chunk(h.value(w.Keys).List(), len(w.Columns)) {
		if h.is(w.Columns, key) {
			return True
		}
	}
	return False
}

func (h *holder) is(columns []Operand, key []schema.Value) bool {
	for i, c := range columns {
		if compared(h.value(c), Eq, key[i], isDecimal(c)) != True {
			return false
		}
	}
	return true
}

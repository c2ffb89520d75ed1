package query

import "spacecloud/schema"

// Empty is whether a list has no elements; unknown when it is null.
type Empty struct{ Operand Operand }

func (Empty) where() {}

func (w Empty) String() string { return w.Operand.String() + " is empty" }

func (h *holder) empty(w Empty) Truth {
	v := h.value(w.Operand)
	if v.IsNull() {
		return Unknown
	}
	return truth(lengthOf(v) == 0)
}

// lengthOf is how many elements a list has. A list of embedded values is one text.
func lengthOf(v schema.Value) int {
	if v.Kind() == schema.ListValue {
		return len(v.List())
	}
	list, _ := decodeJSON(v.Text())
	items, _ := list.([]any)
	return len(items)
}

// has is HasAny and HasAll: both sides are sets, in which null is an element as any other.
func has(list schema.Value, op Op, wanted schema.Value, decimal bool) bool {
	for _, want := range wanted.List() {
		found := false
		for _, e := range list.List() {
			if want.IsNull() || e.IsNull() {
				found = found || want.IsNull() && e.IsNull()
				continue
			}
			found = found || compareValues(want, e, decimal) == 0
		}
		if found != (op == HasAll) {
			return found
		}
	}
	return op == HasAll
}

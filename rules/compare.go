package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"spacecloud/query"
)

// compare is the truth of a comparison between two values of the caller. Strings and floats,
// which most claims are, never see CEL.
func compare(left any, op query.Op, right any) query.Truth {
	if left == nil || right == nil {
		return query.Unknown
	}
	switch l := left.(type) {
	case string:
		if r, ok := right.(string); ok {
			return compareText(l, op, r)
		}
	case float64:
		if r, ok := right.(float64); ok && op <= query.Lte {
			return compareFloats(l, op, r)
		}
	}
	if op == query.In {
		return member(left, right)
	}
	return compareAny(celValue(left), op, celValue(right))
}

func compareText(l string, op query.Op, r string) query.Truth {
	switch op {
	case query.Eq:
		return truth(l == r)
	case query.Ne:
		return truth(l != r)
	case query.StartsWith:
		return truth(strings.HasPrefix(l, r))
	case query.EndsWith:
		return truth(strings.HasSuffix(l, r))
	case query.Contains:
		return truth(strings.Contains(l, r))
	case query.Gt, query.Gte, query.Lt, query.Lte:
		return ordered(strings.Compare(l, r), op)
	}
	return query.Unknown
}

func compareFloats(l float64, op query.Op, r float64) query.Truth {
	switch {
	case op == query.Eq:
		return truth(l == r)
	case op == query.Ne:
		return truth(l != r)
	case l < r:
		return ordered(-1, op)
	case l > r:
		return ordered(1, op)
	}
	return ordered(0, op)
}

func compareAny(l ref.Val, op query.Op, r ref.Val) query.Truth {
	switch op {
	case query.Eq:
		return truthOf(types.Equal(l, r))
	case query.Ne:
		return negate(truthOf(types.Equal(l, r)))
	case query.Gt, query.Gte, query.Lt, query.Lte:
		if c, ok := l.(traits.Comparer); ok {
			if sign, ok := c.Compare(r).(types.Int); ok {
				return ordered(int(sign), op)
			}
		}
	}
	return query.Unknown
}

// member is SQL's IN: unknown when no element is equal and one of them is null.
func member(left, list any) query.Truth {
	elements, ok := nativeList(list)
	if !ok {
		return key(left, list)
	}
	out := query.False
	for _, e := range elements {
		switch compare(left, query.Eq, e) {
		case query.True:
			return query.True
		case query.Unknown:
			out = query.Unknown
		}
	}
	return out
}

// key is whether an object has a key of that name, which CEL calls in as well.
func key(left, object any) query.Truth {
	if m, ok := celValue(object).(traits.Mapper); ok {
		return truthOf(m.Contains(celValue(left)))
	}
	return query.Unknown
}

// nativeList are the elements of a list.
func nativeList(list any) ([]any, bool) {
	if elements, ok := list.([]any); ok {
		return elements, true
	}
	l, ok := celValue(list).(traits.Lister)
	if !ok {
		return nil, false
	}
	out := []any{}
	for i := l.Iterator(); i.HasNext() == types.True; {
		out = append(out, native(i.Next()))
	}
	return out, true
}

func ordered(sign int, op query.Op) query.Truth {
	switch op {
	case query.Gt:
		return truth(sign > 0)
	case query.Gte:
		return truth(sign >= 0)
	case query.Lt:
		return truth(sign < 0)
	}
	return truth(sign <= 0)
}

func truth(b bool) query.Truth {
	if b {
		return query.True
	}
	return query.False
}

// truthOf is the truth of a value that ought to be a boolean.
func truthOf(v any) query.Truth {
	switch b := v.(type) {
	case bool:
		return truth(b)
	case types.Bool:
		return truth(bool(b))
	}
	return query.Unknown
}

func celValue(v any) ref.Val { return types.DefaultTypeAdapter.NativeToValue(v) }

// native is a CEL value as encoding/json would have decoded it where JSON has the like.
// It is nil for null and errors.
func native(v ref.Val) any {
	switch v := v.(type) {
	case nil, types.Null, *types.Err, *types.Unknown:
		return nil
	case types.String:
		return string(v)
	case types.Bool:
		return bool(v)
	case types.Double:
		return float64(v)
	case types.Int:
		if f := float64(v); v >= -exactFloat && v <= exactFloat {
			return f
		}
		return int64(v)
	case types.Uint:
		return native(types.Int(v))
	case types.Timestamp:
		return v.Time
	}
	return v
}

// exactFloat is the largest integer up to which a float64 holds every one.
const exactFloat = 1 << 53

// plain is a value in the form that schema.CoerceScalar takes.
func plain(v any) any {
	switch v := v.(type) {
	case time.Time: // a column holds microseconds
		return v.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano)
	case types.Bytes:
		return []byte(v)
	case ref.Val:
		return nil // objects, durations and types are no value of a column
	}
	return v
}

// literalText shows a constant as the schema would spell it.
func literalText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "'" + strings.ReplaceAll(v, "'", `\'`) + "'"
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case ref.Val:
		return fmt.Sprint(v.Value())
	}
	return fmt.Sprint(v)
}

package resolvers

import (
	"slices"
	"strings"

	"spacecloud/query"
	"spacecloud/schema"
)

// layout lays out the answer's object: of a row or of a group of rows.
func (k *compiler) layout(l *level, f *query.Find) error {
	if f.Groups == nil {
		var err error
		l.tail, err = k.members(l, f.Items, "")
		return err
	}
	if err := k.r.Rules.Asks(k.caller, query.Level{Type: f.Type, Where: f.Where, Groups: f.Groups}); err != nil {
		return err
	}
	l.tail = strings.TrimSuffix(l.measures("", f.Groups, f.Items), ",")
	if len(f.Groups.By) == 0 {
		l.none = l.nothing(f.Groups)
	}
	return nil
}

// measures lays out an object of measures and of such objects, which are no more than text
// between the measures. It returns the text before the next piece.
func (l *level) measures(before string, g *query.Groups, items []query.Item) string {
	before += "{"
	for _, item := range items {
		before += quoted(item.Name) + ":"
		switch {
		case item.Measure != nil:
			l.pieces = append(l.pieces, piece{before: before, cell: slices.Index(g.Measures, *item.Measure), child: -1})
			before = ","
		case item.Object != nil:
			before = l.measures(before, g, item.Object)
		default:
			before += quoted(item.Typename) + ","
		}
	}
	return strings.TrimSuffix(before, ",") + "},"
}

// nothing is the object of the measures of no rows.
func (l *level) nothing(g *query.Groups) string {
	values := make([]schema.Value, len(g.Measures))
	for i, m := range g.Measures {
		values[i] = m.Nothing()
	}
	return string(l.measured(nil, g, values, nil))
}

// measured writes the object of the values of measures, and marks where these have holes.
func (l *level) measured(dst []byte, g *query.Groups, values []schema.Value, holes map[int]int) []byte {
	for _, p := range l.pieces {
		dst = append(dst, p.before...)
		if n, ok := holes[p.cell]; ok {
			dst = appendMark(dst, n)
		} else {
			dst = schema.AppendScalar(dst, g.Measures[p.cell].Scalar(), values[p.cell])
		}
	}
	return append(dst, l.tail...)
}

// groups are what a find asks for instead of rows, in an order that is complete.
func groups(f *query.Find) *query.Groups {
	if f.Groups == nil {
		return nil
	}
	return f.Groups.Complete()
}

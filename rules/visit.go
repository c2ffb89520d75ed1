package rules

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// visit shows every hop to other rows (link is nil for Exists) and every operand of a
// condition.
func visit(w query.Where, hop func(link *schema.Field, of *schema.Type), each func(query.Operand)) {
	switch w := w.(type) {
	case query.And:
		for _, part := range w {
			visit(part, hop, each)
		}
	case query.Or:
		for _, part := range w {
			visit(part, hop, each)
		}
	case query.Not:
		visit(w.Where, hop, each)
	case query.Untrue:
		visit(w.Where, hop, each)
	case query.Compare:
		each(w.Left)
		each(w.Right)
	case query.Among:
		for _, c := range w.Columns {
			each(c)
		}
	case query.IsNull:
		each(w.Operand)
	case query.Empty:
		each(w.Operand)
	case query.JSON:
		each(w.Doc)
	case query.Search:
		for _, f := range query.SearchFields(w.Type) {
			each(query.Col(f))
		}
	case query.Some:
		hop(w.Link, w.Link.Link.Target)
		visit(w.Through, hop, each)
		visit(w.Where, hop, each)
	case query.One:
		hop(w.Link, w.Link.Link.Target)
		visit(w.If, hop, each)
		visit(w.Where, hop, each)
	case query.Count:
		hop(w.Link, w.Link.Link.Target)
		visit(w.Through, hop, each)
		visit(w.Where, hop, each)
	case query.Exists:
		hop(nil, w.Type)
		visit(w.Where, hop, each)
	}
}

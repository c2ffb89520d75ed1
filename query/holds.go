package query

import (
	"regexp"
	"strings"

	"spacecloud/schema"
)

// Row is one row as a condition sees it.
type Row interface {
	// Value is the canonical value of a column.
	Value(column *schema.Field) schema.Value
	// Linked are the rows that a link leads to, each once.
	Linked(link *schema.Field) []Row
	// All are all rows of a type.
	All(t *schema.Type) []Row
}

// Holds is what a condition says of a row. It is the meaning of Where, said slowly: every
// driver must answer with the rows for which it is True.
func Holds(w Where, row Row, b Binding) Truth {
	return (&holder{binding: b, scopes: []Row{row}}).where(w)
}

type holder struct {
	binding Binding
	scopes  []Row // the row that Up: 0 speaks of comes last
}

func (h *holder) where(w Where) Truth {
	switch w := w.(type) {
	case nil:
		return True
	case And:
		return h.all(w, False, True)
	case Or:
		return h.all(w, True, False)
	case Not:
		return negate(h.where(w.Where))
	case Untrue:
		return truth(h.where(w.Where) != True)
	case Compare:
		return h.compare(w)
	case Among:
		return h.among(w)
	case IsNull:
		return truth(h.value(w.Operand).IsNull())
	case Empty:
		return h.empty(w)
	case JSON:
		return h.json(w)
	case Search:
		return h.search(w)
	case Some:
		return h.any(h.linked(w.Link, w.Through), w.Where)
	case One:
		return h.one(w)
	case Count:
		return h.count(w)
	case Exists:
		return h.any(h.row(0).All(w.Type), w.Where)
	case Truth:
		return w
	}
	panic("a condition of an unknown kind")
}

// all is what decides as soon as one is it, and otherwise unknown if one is, else the rest.
func (h *holder) all(ws []Where, decides, otherwise Truth) Truth {
	result := otherwise
	for _, w := range ws {
		switch h.where(w) {
		case decides:
			return decides
		case Unknown:
			result = Unknown
		}
	}
	return result
}

func (h *holder) any(rows []Row, w Where) Truth {
	for _, row := range rows {
		if h.of(row, w) == True {
			return True
		}
	}
	return False
}

func truth(b bool) Truth {
	if b {
		return True
	}
	return False
}

func negate(t Truth) Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	}
	return Unknown
}

func (h *holder) row(up int) Row { return h.scopes[len(h.scopes)-1-up] }

func (h *holder) value(o Operand) schema.Value {
	switch o.Kind {
	case Constant:
		return o.Value
	case Arg:
		return h.binding.Args[o.Index]
	case Claim:
		return h.binding.Claims[o.Index]
	case Measured:
		g, _ := h.row(0).(*group) // a condition on measures is asked of groups only
		return g.measure(Measure{Fn: o.Fn, Field: o.Field})
	}
	row := h.row(o.Up)
	for _, link := range o.Via {
		rows := row.Linked(link)
		if len(rows) == 0 {
			return schema.Null
		}
		row = rows[0]
	}
	if len(o.Inside) > 0 {
		whole := row.Value(o.Inside[0])
		if whole.IsNull() {
			return schema.Null
		}
		return Member(whole.Text(), MemberPath(o), o.Field)
	}
	return row.Value(o.Field)
}

func (h *holder) compare(c Compare) Truth {
	return compared(h.value(c.Left), c.Op, h.value(c.Right), isDecimal(c.Left) || isDecimal(c.Right))
}

func compared(left schema.Value, op Op, right schema.Value, decimal bool) Truth {
	if op == In || op == Nin {
		found := isIn(left, right, decimal)
		if op == Nin {
			return negate(found)
		}
		return found
	}
	switch {
	case left.IsNull() || right.IsNull():
		return Unknown
	case op == HasAny || op == HasAll:
		return truth(has(left, op, right, decimal))
	case op >= Like:
		return truth(matches(left.Text(), op, right.Text()))
	}
	return truth(ordered(compareValues(left, right, decimal), op))
}

func isDecimal(o Operand) bool {
	if o.Kind == Column {
		return o.Field.Scalar == schema.Decimal
	}
	return o.Scalar == schema.Decimal
}

// isIn is SQL's: nothing is in an empty list, not even null, and an element that is null
// leaves open what else it might be.
func isIn(v, list schema.Value, decimal bool) Truth {
	if list.IsNull() {
		return Unknown
	}
	found := False
	for _, e := range list.List() {
		switch {
		case v.IsNull() || e.IsNull():
			found = Unknown
		case compareValues(v, e, decimal) == 0:
			return True
		}
	}
	return found
}

func ordered(order int, op Op) bool {
	switch op {
	case Eq:
		return order == 0
	case Ne:
		return order != 0
	case Gt:
		return order > 0
	case Gte:
		return order >= 0
	case Lt:
		return order < 0
	}
	return order <= 0
}

// matches is a text operator. A pattern that is no regular expression matches nothing.
func matches(text string, op Op, pattern string) bool {
	switch op {
	case Like:
		return MatchLike(text, pattern, false)
	case ILike:
		return MatchLike(text, pattern, true)
	case StartsWith:
		return strings.HasPrefix(text, pattern)
	case EndsWith:
		return strings.HasSuffix(text, pattern)
	case Contains:
		return strings.Contains(text, pattern)
	case IContains:
		return ContainsFold(text, pattern)
	}
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(text)
}

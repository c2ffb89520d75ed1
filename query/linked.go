package query

import (
	"fmt"

	"spacecloud/schema"
)

// One is what Where is for the row that a to-one link leads to, in which Up: 0 is that row and
// Up: 1 this one; unknown when there is none.
type One struct {
	Link *schema.Field
	// If says which rows count: one for which it is not true is not there. Nil for all.
	If    Where
	Where Where
}

// Count compares how many rows that the link leads to meet Where, in which Up: 0 is such a row
// and Up: 1 this one. It is unknown when Right is null, or for In and Nin as SQL has it.
type Count struct {
	Link    *schema.Field
	Through Where // as that of Some
	Where   Where // nil for all
	Op      Op    // Eq to Nin
	Right   Operand
}

func (One) where()   {}
func (Count) where() {}

func (w One) String() string {
	return "one " + w.Link.Name + ifAny(" if ", w.If) + " (" + w.Where.String() + ")"
}

func (w Count) String() string {
	return fmt.Sprintf("count %s%s%s %s %s", w.Link.Name, ifAny(" through ", w.Through), ifAny(" where ", w.Where), w.Op, w.Right)
}

// ifAny is a condition after a word, or nothing for none.
func ifAny(word string, w Where) string {
	if w == nil {
		return ""
	}
	return word + "(" + w.String() + ")"
}

// one is what a One is: of the first row that counts, since the link is to-one.
func (h *holder) one(w One) Truth {
	for _, row := range h.row(0).Linked(w.Link) {
		if h.of(row, w.If) == True {
			return h.of(row, w.Where)
		}
	}
	return Unknown
}

func (h *holder) count(w Count) Truth {
	n := int64(0)
	for _, row := range h.linked(w.Link, w.Through) {
		if h.of(row, w.Where) == True {
			n++
		}
	}
	return compared(schema.Integer(n), w.Op, h.value(w.Right), false)
}

// of is a condition of another row.
func (h *holder) of(row Row, w Where) Truth {
	h.scopes = append(h.scopes, row)
	truth := h.where(w)
	h.scopes = h.scopes[:len(h.scopes)-1]
	return truth
}

// linked are the rows that a link leads to, by way of join rows that meet through.
func (h *holder) linked(link *schema.Field, through Where) []Row {
	from := h.row(0)
	rows := from.Linked(link)
	if through == nil {
		return rows
	}
	l := link.Link
	var joins, reached []Row
	for _, join := range from.All(l.Through) {
		if sameKey(from, l.From, join, l.ThroughFrom) && h.of(join, through) == True {
			joins = append(joins, join)
		}
	}
	for _, row := range rows {
		for _, join := range joins {
			if sameKey(join, l.ThroughTo, row, l.To) {
				reached = append(reached, row)
				break
			}
		}
	}
	return reached
}

func sameKey(a Row, as []*schema.Field, b Row, bs []*schema.Field) bool {
	for i := range as {
		x, y := a.Value(as[i]), b.Value(bs[i])
		if x.IsNull() || y.IsNull() || compareValues(x, y, false) != 0 {
			return false
		}
	}
	return true
}

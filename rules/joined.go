package rules

import (
	"spacecloud/query"
	"spacecloud/schema"
)

// Joined is how the rows of a level belong to their parents when the join rows between them are in another
// database. Those are asked for first, by the first of the Apart's questions, whose rows are the keys that they
// lead to, by the parents' keys. The level then finds every row with one of these keys, in its order: which of
// them each parent gets is for who asks.
type Joined struct {
	Key      []int // the cells of a row that hold its key
	Distinct []int // those of what was the level's Distinct
	Measures []int // for each measure of what were its Groups the cell that it is made of, -1 for none
}

// joined takes a far join type out of a level: nil when there is none.
func (s *splitter) joined(l *query.Level) *Joined {
	v := l.Via
	if v == nil || v.Link == nil || v.Link.Link.Through == nil || v.Link.Link.Through.DB == l.Type.DB {
		return nil
	}
	s.moved = true
	link, j := v.Link.Link, &Joined{}
	near := make([]query.Operand, len(link.To))
	for i, f := range link.To {
		if !sameValues(f, link.ThroughTo[i]) {
			s.refuse("%s.%s and %s.%s are compared across databases, where both have to be of one type", link.Through.Name, link.ThroughTo[i].Name, l.Type.Name, f.Name)
		}
		near[i] = query.Col(f)
		j.Key = append(j.Key, cellOf(l, f))
	}
	for _, f := range l.Distinct {
		j.Distinct = append(j.Distinct, cellOf(l, f))
	}
	if l.Groups != nil {
		for _, m := range l.Groups.Measures {
			cell := -1
			if m.Field != nil {
				cell = cellOf(l, m.Field)
			}
			j.Measures = append(j.Measures, cell)
		}
	}
	slot := s.ask(&Question{Name: v.Link.Name, of: link.Through, kind: asksKeys, width: len(link.To)}, joins(v))
	s.questions[len(s.questions)-1].text = "join rows" // of which a level has one kind, and no other level has the same
	l.Where = filter(l.Where, s.among(near, slot, true))
	l.Via, l.Distinct, l.Groups, l.Count = nil, nil, nil, false
	l.Limit, l.Offset = query.Operand{}, query.Operand{}
	return j
}

// cellOf is the place of a column that is read whatever the rules of fields say: who may not read it was
// refused, or the level's rows are those where it may be read.
func cellOf(l *query.Level, f *schema.Field) int {
	for i, c := range l.Columns {
		if c.Field == f && c.When == nil && len(c.Via) == 0 {
			return i
		}
	}
	l.Columns = append(l.Columns, query.Cell{Field: f})
	return len(l.Columns) - 1
}

// joins finds the join rows of a link by the keys that it begins at.
func joins(v *query.Via) query.Level {
	link := v.Link.Link
	l := query.Level{Type: link.Through, Where: filter(v.Through), Via: &query.Via{Link: &schema.Field{
		Name: v.Link.Name, Owner: v.Link.Owner, Index: -1,
		Link: &schema.Link{Target: link.Through, Many: true, From: link.From, To: link.ThroughFrom},
	}}}
	for _, f := range link.ThroughTo {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	return l
}

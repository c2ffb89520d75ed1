package resolvers

import (
	"context"

	"spacecloud/database/driver"
	"spacecloud/dataloader"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Links whose join rows are in another database than the rows that they lead to. The join rows are asked for
// by the parents' keys, then the rows themselves, each once, in the order of the list; they are dealt out to
// their parents here, because only here both are known.

// joins are the join rows of a level.
type joins struct {
	answer *rules.Answer        // nil while they have not been asked for
	keys   dataloader.Keys[key] // of the rows that they lead to
	of     [][]int              // for each of these the ordinals of its parents, ascending, each once
}

func (j *joins) reset() {
	j.answer = nil
	j.keys.Reset()
	clear(j.of)
	j.of = j.of[:0]
}

// add notes that a parent has a row.
func (j *joins) add(parent int, k key) {
	i := j.keys.Add(k)
	if i == len(j.of) {
		j.of = append(j.of, nil)
	}
	if of := j.of[i]; len(of) == 0 || of[len(of)-1] != parent {
		j.of[i] = append(of, parent)
	}
}

// parents are the ordinals of those that have a row, of which the given cells are the key.
func (j *joins) parents(rows driver.Rows, cells []int) []int {
	if i, ok := j.keys.Find(keyOf(values(rows, cells))); ok {
		return j.of[i]
	}
	return nil
}

func values(rows driver.Rows, cells []int) []schema.Value {
	out := make([]schema.Value, len(cells))
	for i, c := range cells {
		out[i] = rows.Value(c)
	}
	return out
}

// readyJoined asks for the join rows of a level, and is the statement of the rows that they lead to, nil
// when there are none. Binding.Keys are those of the parents.
func (run *run) readyJoined(ctx context.Context, l *level, b query.Binding) (driver.Statement, query.Binding, error) {
	j, q := &run.results[l.joins].joins, l.questions.apart.Questions[0]
	if j.answer == nil {
		if err := run.join(ctx, l, b, j); err != nil {
			return nil, b, err
		}
	}
	b.Keys = nil
	if len(j.of) == 0 {
		return nil, b, nil
	}
	known := run.apart.answers
	known[q.Text()] = j.answer
	defer delete(known, q.Text())
	return l.questions.ready(ctx, run.lend, known, b)
}

// join asks for the join rows.
func (run *run) join(ctx context.Context, l *level, b query.Binding, j *joins) error {
	p, q := l.questions.questions[0], l.questions.apart.Questions[0]
	statement, with, err := p.ready(ctx, run.lend, run.apart.answers, query.Binding{Args: b.Args, Claims: b.Claims})
	if err != nil {
		return err
	}
	with.Keys = b.Keys
	answer, n := q.Answer(), 0
	err = run.lend(ctx, p.db, func(r driver.Reader) error {
		return each(ctx, r, statement, with, func(rows driver.Rows) error {
			row := make([]schema.Value, q.Width())
			for i := range row {
				row[i] = rows.Value(i)
			}
			if anyNull(row) {
				return nil
			}
			if n++; n > run.r.Keys {
				return tooManyJoins(l, run.r.Keys)
			}
			j.add(rows.Parent(), keyOf(row))
			answer.Add(row)
			return nil
		})
	})
	if err != nil {
		return err
	}
	answer.Close(b)
	j.answer = answer
	return nil
}

func tooManyJoins(l *level, most int) error {
	q := l.questions.apart.Questions[0]
	return fault.New(fault.Limit, "more than %d %s lead to %s, and they are asked for first because they are in another database; ask for fewer rows that have %[3]s", most, q.Of().Plural, q.Name).
		With("limit", most).With("setting", "limits.keys")
}

// hand is what one parent gets.
type hand struct {
	places []int        // its rows, in order
	passed int64        // how many offset has left out
	seen   map[key]bool // the combinations of distinctOn
	cells  [][]schema.Value
	holes  map[int]int // of measures that have a cell which does not fit
}

// dealt reads the rows of a level, which come once each and in the order of the list, and deals them out to
// their parents; it is how many all of them get.
func (run *run) dealt(ctx context.Context, l *level, keys []schema.Value, res *result) (int, error) {
	var hands []hand
	n := 0
	d := run.dealing(l)
	err := run.each(ctx, l, keys, func(rows driver.Rows) {
		taken := false
		for _, parent := range run.results[l.joins].joins.parents(rows, l.joined.Key) {
			for len(hands) <= parent {
				hands = append(hands, hand{})
			}
			switch d.deal(&hands[parent], rows, n) {
			case takes:
				taken = true
			case hasEnough:
				res.page.overflow(parent)
			}
		}
		if taken && l.groups == nil {
			n++
			writer{l, rows, res, run.holes}.write()
		}
	})
	if err != nil {
		return 0, err
	}
	for i := range hands {
		res.groups = append(res.groups, len(res.places))
		if l.groups == nil {
			res.places = append(res.places, hands[i].places...)
		} else if err := l.sum(res, &hands[i]); err != nil {
			return 0, err
		}
	}
	return len(res.places), nil
}

// dealing is what a level says of how many rows a parent gets, and which.
type dealing struct {
	level   *level
	holes   *holes
	offset  int64
	limit   int64
	bounded bool
}

func (run *run) dealing(l *level) dealing {
	d := dealing{level: l, holes: run.holes}
	d.offset, _ = run.number(l.offset)
	d.limit, d.bounded = run.number(l.limit)
	if l.page != nil {
		d.limit, d.bounded = run.number(l.page.limit)
		d.limit-- // the one more tells that there are more
	}
	return d
}

// gets is what becomes of a row.
type gets uint8

const (
	leaves gets = iota
	takes
	hasEnough
)

// deal gives a parent the next of its rows, which is to be the nth that anybody takes.
func (d *dealing) deal(h *hand, rows driver.Rows, n int) gets {
	j := d.level.joined
	if len(j.Distinct) > 0 {
		k := keyOf(values(rows, j.Distinct))
		if h.seen[k] {
			return leaves
		}
		if h.seen == nil {
			h.seen = map[key]bool{}
		}
		h.seen[k] = true
	}
	switch {
	case h.passed < d.offset:
		h.passed++
		return leaves
	case d.bounded && int64(len(h.places)) >= d.limit:
		return hasEnough
	}
	h.places = append(h.places, n)
	if d.level.groups != nil {
		h.cells = append(h.cells, d.measured(h, rows))
	}
	return takes
}

// measured are the cells of a row that are measured, by measure.
func (d *dealing) measured(h *hand, rows driver.Rows) []schema.Value {
	row := make([]schema.Value, len(d.level.joined.Measures))
	for i, cell := range d.level.joined.Measures {
		if cell < 0 {
			continue
		}
		row[i] = rows.Value(cell)
		if _, known := h.holes[i]; row[i].IsNull() && !known {
			if m := rows.Misfit(cell); m.Found != "" {
				if h.holes == nil {
					h.holes = map[int]int{}
				}
				m.Found = "of values of which one is " + m.Found
				h.holes[i] = d.holes.add(hole{level: d.level, cell: i, misfit: driver.Misfit{Found: m.Found}})
			}
		}
	}
	return row
}

// sum writes what the rows of a parent add up to.
func (l *level) sum(res *result, h *hand) error {
	if len(h.cells) == 0 {
		return nil
	}
	out := make([]schema.Value, len(l.groups.Measures))
	column := make([]schema.Value, len(h.cells))
	for i, m := range l.groups.Measures {
		for row, cells := range h.cells {
			column[row] = cells[i]
		}
		var err error
		if out[i], err = m.OfValues(column); err != nil {
			return err
		}
	}
	res.bytes = l.measured(res.bytes, l.groups, out, h.holes)
	res.places = append(res.places, len(res.cuts))
	res.cuts = append(res.cuts, len(res.bytes))
	return nil
}

// row is the number of the row at a place of the groups.
func (res *result) row(l *level, place int) int {
	if l.joined == nil {
		return place
	}
	return res.places[place]
}

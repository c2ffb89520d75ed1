package rules

import (
	"fmt"
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// How a condition on rows of another database becomes a question and a comparison with its answer.

// exists is whether a row of another database meets a condition. What it says of rows of this
// one has to be that columns are equal: then the columns there are what is asked for.
func (s *splitter) exists(w query.Exists, name string, admit bool) query.Where {
	s.moved = true
	pairs, rest := tied(w)
	if query.Outward(query.And(rest)) {
		return s.refuse("%s lives in database %s, which cannot look at rows of %s: of those a condition on %[1]s can only say that a column of %[1]s equals one of theirs, beside what else it says (&&)", w.Type.Name, w.Type.DB, s.home)
	}
	for _, p := range pairs {
		if !sameValues(p.far.Field, p.near.Field) {
			return s.refuse("%s.%s and %s are compared across databases, where both have to be of one type", w.Type.Name, p.far.Field.Name, p.near)
		}
	}
	if slices.ContainsFunc(pairs, s.leadsAway) {
		return s.from(pairs, rest, w.Type, admit)
	}
	q := &Question{Name: name, of: w.Type, kind: asksKeys, width: len(pairs)}
	l := query.Level{Type: w.Type, Where: filter(rest...)}
	if len(pairs) == 0 {
		q.kind = asksAny
		l.Columns, l.Limit = []query.Cell{{Field: w.Type.Columns[0]}}, query.Const(schema.Integer(1))
	} else {
		s.readKeys(&l, farSides(pairs))
	}
	if l.Where == query.False {
		return query.False
	}
	slot := s.ask(q, l)
	if q.kind == asksAny {
		return query.Not{Where: query.IsNull{Operand: s.answer(slot, schema.Boolean)}}
	}
	return s.among(nearSides(pairs), slot, admit)
}

// from is whether a row of a type meets a condition of which the one pair begins at a row that is itself
// behind a link into another database: it is asked from there.
func (s *splitter) from(pairs []pair, rest []query.Where, of *schema.Type, admit bool) query.Where {
	near := pairs[slices.IndexFunc(pairs, s.leadsAway)].near
	if len(pairs) > 1 {
		return s.refuse("%s is read from another database, and is not all that a %s has to agree with", near, of.Name)
	}
	here := behind(near)
	here.Up = 1
	tie := query.Compare{Left: pairs[0].far, Op: query.Eq, Right: here}
	return s.where(behindOuter(near, query.Exists{Type: of, Where: and(append(rest, tie)...)}), admit)
}

// pair is a column of another database and what it has to equal here.
type pair struct{ far, near query.Operand }

func (p pair) is(other pair) bool {
	return p.far.String() == other.far.String() && p.near.String() == other.near.String()
}

// leadsAway is whether the near side is read from another database.
func (s *splitter) leadsAway(p pair) bool { return s.leaves(p.near) }

// tied are the columns by which the rows of an Exists belong to an outer row, each once, and the rest
// of its condition.
func tied(w query.Exists) (pairs []pair, rest []query.Where) {
	for _, each := range conjuncts(w.Where) {
		p, ok := pairOf(each)
		switch {
		case !ok:
			rest = append(rest, each)
		case !slices.ContainsFunc(pairs, p.is):
			pairs = append(pairs, p)
		}
	}
	return pairs, rest
}

// pairOf takes a comparison with an outer row apart; near is as seen from that of the question.
func pairOf(w query.Where) (pair, bool) {
	c, ok := w.(query.Compare)
	if !ok || c.Op != query.Eq || c.Left.Kind != query.Column || c.Right.Kind != query.Column {
		return pair{}, false
	}
	far, near := c.Left, c.Right
	if far.Up > 0 {
		far, near = near, far
	}
	if far.Up > 0 || near.Up == 0 || len(far.Via) > 0 || len(far.Inside) > 0 {
		return pair{}, false
	}
	near.Up--
	return pair{far, near}, true
}

// sameValues is whether the values of two columns are spelled alike in every database.
func sameValues(a, b *schema.Field) bool {
	text := func(f *schema.Field) schema.Scalar {
		if s := held(f); s != schema.ID {
			return s
		}
		return schema.String
	}
	return text(a) == text(b) && a.Enum == b.Enum && !a.List && !b.List
}

func farSides(pairs []pair) []*schema.Field {
	out := make([]*schema.Field, len(pairs))
	for i, p := range pairs {
		out[i] = p.far.Field
	}
	return out
}

func nearSides(pairs []pair) []query.Operand {
	out := make([]query.Operand, len(pairs))
	for i, p := range pairs {
		out[i] = p.near
	}
	return out
}

// conjuncts are the parts of a condition that all have to hold.
func conjuncts(w query.Where) []query.Where {
	switch w := w.(type) {
	case nil:
		return nil
	case query.And:
		var out []query.Where
		for _, each := range w {
			out = append(out, conjuncts(each)...)
		}
		return out
	}
	return []query.Where{w}
}

// count is a comparison of a number of rows of which one statement cannot tell.
func (s *splitter) count(w query.Count, admit bool) query.Where {
	if s.isHome(w.Link) {
		w.Through, w.Where = s.where(w.Through, true), s.where(w.Where, true)
		return w
	}
	s.moved = true
	l := w.Link.Link
	if query.Outward(w.Where) || query.Outward(w.Through) || w.Right.Kind == query.Column {
		return s.refuse("a count of %s in another database cannot look at rows of this one", w.Link.Name)
	}
	q := &Question{Name: w.Link.Name, of: l.Target, kind: asksCounts, width: len(l.From), op: w.Op, right: w.Right}
	level := query.Level{Type: l.Target, Where: filter(w.Where)}
	if l.Through == nil {
		s.readKeys(&level, l.To)
		if level.Groups != nil {
			level.Groups.Add(query.Measure{Fn: query.CountRows})
			q.counted = true
		}
	} else {
		there := w.Where
		if there == nil {
			there = query.True
		}
		level.Type, level.Where = l.Through, filter(w.Through, reached(l, there))
		s.readKeys(&level, slices.Concat(l.ThroughFrom, l.ThroughTo))
	}
	if level.Where == query.False {
		level.Where = query.Or{}
	}
	near := make([]query.Operand, len(l.From))
	for i, f := range l.From {
		near[i] = query.Col(f)
	}
	slot := s.ask(q, level)
	met, known := s.among(near, slot, false), s.among(near, slot+1, false)
	unknown := s.among(near, slot+2, false)
	elsewhere := func(flag int) query.Where {
		return query.And{query.Not{Where: query.IsNull{Operand: s.answer(slot+3+flag, schema.Boolean)}}, query.Not{Where: known}}
	}
	yes := query.Or{met, elsewhere(0)}
	if admit {
		return yes
	}
	return append(yes, query.And{query.Unknown, query.Or{unknown, elsewhere(1)}})
}

// readKeys makes a level read columns, each combination once and without nulls.
func (s *splitter) readKeys(l *query.Level, columns []*schema.Field) {
	l.Limit = query.Const(schema.Integer(int64(s.keys) + 1))
	there := []query.Where{l.Where}
	for _, f := range columns {
		if !f.NonNull {
			there = append(there, query.Not{Where: query.IsNull{Operand: query.Col(f)}})
		}
	}
	l.Where = filter(there...)
	if identify(l.Type, columns) {
		for _, f := range columns {
			l.Columns = append(l.Columns, query.Cell{Field: f})
		}
		return
	}
	l.Groups = &query.Groups{}
	for _, f := range columns {
		if !slices.Contains(l.Groups.By, f) {
			l.Groups.By = append(l.Groups.By, f)
		}
		l.Groups.Measures = append(l.Groups.Measures, query.Measure{Fn: query.KeyOf, Field: f})
	}
}

// identify is whether no two rows of a type agree in columns.
func identify(t *schema.Type, columns []*schema.Field) bool {
	has := func(f *schema.Field) bool { return slices.Contains(columns, f) }
	all := func(fs []schema.IndexField) bool {
		return !slices.ContainsFunc(fs, func(f schema.IndexField) bool { return !has(f.Field) })
	}
	if len(t.Primary) > 0 && !slices.ContainsFunc(t.Primary, func(f *schema.Field) bool { return !has(f) }) {
		return true
	}
	return slices.ContainsFunc(t.Uniques, func(u schema.Index) bool { return u.Where == "" && all(u.Fields) })
}

// ask adds a question and is the place of its answer.
func (s *splitter) ask(q *Question, l query.Level) int {
	q.Level, q.slot = Narrowed{&l}, s.slots
	q.text = fmt.Sprint(q.kind, q.op, q.right, q.counted, l.Type.Name, l.Columns, l.Groups, l.Where)
	s.questions = append(s.questions, q)
	s.slots += q.slots()
	return q.slot
}

// answer is the operand of a place in the answers.
func (s *splitter) answer(slot int, scalar schema.Scalar) query.Operand {
	o := query.ArgAt(s.first + slot)
	o.Scalar = scalar
	return o
}

// among is whether operands are one of the keys of an answer; without admit never unknown.
func (s *splitter) among(near []query.Operand, slot int, admit bool) query.Where {
	if len(near) > 1 {
		return query.Among{Columns: near, Keys: s.answer(slot, schema.NoScalar)}
	}
	o := near[0]
	in := query.Compare{Left: o, Op: query.In, Right: s.answer(slot, held(o.Field))}
	if admit || !nullable(o) {
		return in
	}
	return and(query.Not{Where: query.IsNull{Operand: o}}, in)
}

// nullable is whether a column can be null, or what leads to it.
func nullable(o query.Operand) bool {
	return !o.Field.NonNull || len(o.Via) > 0 || len(o.Inside) > 0
}

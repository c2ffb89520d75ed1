package rules

import (
	"fmt"
	"slices"

	"spacecloud/query"
	"spacecloud/schema"
)

// Apart is a level or a write that one database can answer: each of its conditions on rows of
// another database is a question of its own, and what is left of the condition compares
// columns with the answers.
type Apart struct {
	Level     Narrowed      // of a level
	Write     NarrowedWrite // of a write
	Questions []*Question   // in the order in which they are to be asked
	Joined    *Joined       // of a level whose join rows are in another database, else nil
	first     int           // Binding.Args from here on are answers
	slots     int           // how many
}

// Apart takes the conditions on rows of other databases out of a level; nil when there are
// none. The levels of the questions are as they were asked: they may have to come apart
// themselves. An error is for who wrote the condition: it says what cannot be asked. An answer has so many
// keys at most; one more is read, to know that there are more.
func (n Narrowed) Apart(keys int) (*Apart, error) {
	l := *n.level
	s := newSplitter(l.Type, keys, func(do func(query.Operand)) { query.Walk(&l, do) })
	l.Columns = slices.Clone(l.Columns)
	joined := s.joined(&l)
	l.Where = s.where(l.Where, true)
	for i, c := range l.Columns {
		l.Columns[i].When = s.where(c.When, true)
	}
	l.OrderBy = slices.Clone(l.OrderBy)
	for i, o := range l.OrderBy {
		l.OrderBy[i].When = filter(s.where(o.When, true))
	}
	l.OrderBy = telling(l.OrderBy)
	if l.Via != nil && l.Via.Through != nil {
		via := *l.Via
		via.Through = s.where(via.Through, true)
		l.Via = &via
	}
	a, err := s.apart()
	if a != nil {
		a.Level, a.Joined = Narrowed{&l}, joined
	}
	return a, err
}

// Apart takes the conditions on rows of other databases out of a write, as that of a level.
func (n NarrowedWrite) Apart(keys int) (*Apart, error) {
	w := *n.write
	s := newSplitter(w.Type, keys, func(do func(query.Operand)) { query.WalkWrite(&w, do) })
	w.Where = s.where(w.Where, true)
	a, err := s.apart()
	if a != nil {
		a.Write = NarrowedWrite{&w}
	}
	return a, err
}

// splitter takes a condition apart. Where admit is, only whether the condition is true counts;
// elsewhere false and unknown have to be told apart.
type splitter struct {
	home      string // the database that is asked
	keys      int    // the most of one answer
	first     int
	slots     int
	moved     bool // whether any condition was
	questions []*Question
	err       error
}

func newSplitter(of *schema.Type, keys int, walk func(func(query.Operand))) *splitter {
	s := &splitter{home: of.DB, keys: keys}
	walk(func(o query.Operand) {
		if o.Kind == query.Arg {
			s.first = max(s.first, o.Index+1)
		}
	})
	return s
}

func (s *splitter) apart() (*Apart, error) {
	if s.err != nil || !s.moved {
		return nil, s.err
	}
	return &Apart{Questions: s.questions, first: s.first, slots: s.slots}, nil
}

// refuse notes the first thing that cannot be asked.
func (s *splitter) refuse(format string, args ...any) query.Where {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
	return query.Unknown
}

func (s *splitter) where(w query.Where, admit bool) query.Where {
	switch w := w.(type) {
	case query.And:
		return query.And(s.each(w, admit))
	case query.Or:
		return query.Or(s.each(w, admit))
	case query.Not:
		return query.Not{Where: s.where(w.Where, false)}
	case query.Untrue:
		return query.Untrue{Where: s.where(w.Where, true)}
	case query.Compare:
		return s.compare(w, admit)
	case query.IsNull:
		return s.isNull(w, admit)
	case query.Empty:
		return s.alone(w, w.Operand)
	case query.JSON:
		return s.alone(w, w.Doc)
	case query.Some:
		return s.some(w, admit)
	case query.One:
		switch {
		case !s.isHome(w.Link):
			return s.one(w.Link, 0, w.If, w.Where, admit)
		case admit:
			return s.some(query.Some{Link: w.Link, Where: and(w.If, w.Where)}, true)
		}
		return query.One{Link: w.Link, If: s.where(w.If, true), Where: s.where(w.Where, false)}
	case query.Count:
		return s.count(w, admit)
	case query.Exists:
		if w.Type.DB != s.home {
			return s.exists(w, w.Type.Name, admit)
		}
		if pairs, rest := tied(w); slices.ContainsFunc(pairs, s.leadsAway) && !query.Outward(query.And(rest)) {
			return s.from(pairs, rest, w.Type, admit)
		}
		return query.Exists{Type: w.Type, Where: s.where(w.Where, true)}
	}
	return w
}

func (s *splitter) each(ws []query.Where, admit bool) []query.Where {
	out := make([]query.Where, len(ws))
	for i, w := range ws {
		out[i] = s.where(w, admit)
	}
	return out
}

// isHome is whether one statement can follow a link.
func (s *splitter) isHome(link *schema.Field) bool {
	l := link.Link
	return l.Target.DB == s.home && (l.Through == nil || l.Through.DB == s.home)
}

// leaves is whether an operand is read behind a link into another database.
func (s *splitter) leaves(o query.Operand) bool {
	return o.Kind == query.Column && slices.ContainsFunc(o.Via, func(l *schema.Field) bool { return l.Link.Target.DB != s.home })
}

// alone is a condition on an operand that no caller can ask about behind a link.
func (s *splitter) alone(w query.Where, o query.Operand) query.Where {
	if s.leaves(o) {
		return s.refuse("%s is read from another database, where it cannot be looked into", o)
	}
	return w
}

func (s *splitter) some(w query.Some, admit bool) query.Where {
	if s.isHome(w.Link) {
		return query.Some{Link: w.Link, Through: s.where(w.Through, true), Where: s.where(w.Where, true)}
	}
	l := w.Link.Link
	if l.Through == nil {
		return s.exists(query.Exists{Type: l.Target, Where: and(equal(l.To, l.From, 1), w.Where)}, w.Link.Name, admit)
	}
	joined := query.Exists{Type: l.Through, Where: and(equal(l.ThroughFrom, l.From, 1), w.Through, reached(l, w.Where))}
	if l.Through.DB == s.home {
		return s.where(joined, admit)
	}
	return s.exists(joined, w.Link.Name, admit)
}

// reached is whether a join row of a link leads to a row that meets w, in which Up: 1 is the row
// that the link begins at.
func reached(l *schema.Link, w query.Where) query.Where {
	return query.Exists{Type: l.Target, Where: and(equal(l.To, l.ThroughTo, 1), query.Raise(w))}
}

// compare is a comparison of what is read in another database: it is made there.
func (s *splitter) compare(w query.Compare, admit bool) query.Where {
	left, right := s.leaves(w.Left), s.leaves(w.Right)
	if !left && !right {
		return w
	}
	there, at := w, w.Left
	switch {
	case w.Left.Kind != query.Column:
		at, there.Right = w.Right, behind(w.Right)
	case w.Right.Kind != query.Column:
		there.Left = behind(w.Left)
	case len(w.Left.Via) > 0 && len(w.Right.Via) > 0 && w.Left.Via[0] == w.Right.Via[0] && w.Left.Up == w.Right.Up:
		there.Left, there.Right = behind(w.Left), behind(w.Right)
	default:
		return s.refuse("%s and %s are read from different databases, and no database can compare them; keep a copy of one beside the other", w.Left, w.Right)
	}
	found := s.at(at, there, admit)
	if w.Op != query.In && w.Op != query.Nin || admit && w.Op == query.In {
		return found
	}
	// Of an empty list it is known without a row that nothing is in it.
	absent := w
	absent.Left = query.Const(schema.Null)
	present := s.present(at)
	return query.Or{query.And{present, found}, query.And{query.Not{Where: present}, absent}}
}

// behind is an operand as seen from the row behind its first link.
func behind(o query.Operand) query.Operand {
	o.Via, o.Up = o.Via[1:], 0
	return o
}

// at is a condition of the row behind the first link of an operand, unknown without one.
func (s *splitter) at(o query.Operand, w query.Where, admit bool) query.Where {
	link := o.Via[0]
	switch {
	case !s.isHome(link):
		return s.one(link, o.Up, nil, w, admit)
	case o.Up == 0:
		return s.where(query.One{Link: link, Where: w}, admit)
	}
	met := s.where(behindOuter(o, w), true)
	if admit {
		return met
	}
	return decide(met, s.where(behindOuter(o, not(w)), true))
}

// behindOuter is whether there is a row behind the first link of an operand that meets w, which looks
// at that row alone.
func behindOuter(o query.Operand, w query.Where) query.Where {
	l := o.Via[0].Link
	return query.Exists{Type: l.Target, Where: and(equal(l.To, l.From, o.Up+1), w)}
}

// present is whether there is a row behind the first link of an operand; never unknown.
func (s *splitter) present(o query.Operand) query.Where {
	return s.where(behindOuter(o, query.True), false)
}

// isNull is whether there is no value behind links: no row, or one without it.
func (s *splitter) isNull(w query.IsNull, admit bool) query.Where {
	if !s.leaves(w.Operand) {
		return w
	}
	there := query.Not{Where: query.IsNull{Operand: behind(w.Operand)}}
	return s.where(query.Not{Where: behindOuter(w.Operand, there)}, admit)
}

// one is what w is of the row that a to-one link of the row Up steps out leads to.
func (s *splitter) one(link *schema.Field, up int, which, w query.Where, admit bool) query.Where {
	l := link.Link
	near := query.Exists{Type: l.Target, Where: and(equal(l.To, l.From, up+1), which, w)}
	met := s.exists(near, link.Name, admit)
	if admit {
		return met
	}
	near.Where = and(equal(l.To, l.From, up+1), which, not(w))
	return decide(met, s.exists(near, link.Name, false))
}

// decide is true and false where these two are true, and else unknown.
func decide(yes, no query.Where) query.Where {
	return query.Or{yes, query.And{query.Unknown, query.Not{Where: no}}}
}

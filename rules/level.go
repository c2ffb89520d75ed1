package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// Level is l for the caller: with the row rule of verb in its Where, the read rules of every
// link that l.Where and l.OrderBy take, and the field rules on its columns. A flat no is
// fault.Denied, or fault.Unauthenticated for a caller without a token.
func (s *Set) Level(c *auth.Caller, verb query.Verb, l query.Level) (Narrowed, error) {
	rule := s.row(c, l.Type, verb)
	if rule == query.False {
		return Narrowed{}, deny(c, verb, l.Type.Name)
	}
	asked := asking{set: s, caller: c}
	via, joins := asked.via(l.Via)
	where := asked.where(l.Where, false)
	l.OrderBy = asked.order(l.OrderBy)
	asked.groups(l.Groups)
	for _, f := range l.Distinct {
		asked.mayAsk(f)
	}
	chosen := asked.chosen(l.Chosen, l.Type)
	if asked.err != nil {
		return Narrowed{}, asked.err
	}
	l.Via, l.Where = via, filter(where, rule, joins, chosen)
	l.Columns = asked.cells(l.Columns)
	return Narrowed{&l}, nil
}

// filter is the And of conditions as a Level has it: nil for all.
func filter(parts ...query.Where) query.Where {
	if w := admitting(and(parts...)); w != query.True {
		return w
	}
	return nil
}

// cells are the columns, each shown where its rule and those of the links to it allow.
func (a *asking) cells(cells []query.Cell) []query.Cell {
	out := make([]query.Cell, len(cells))
	for i, cell := range cells {
		shown := a.set.field(a.caller, cell.Field, query.Read)
		if len(cell.Via) > 0 { // of a cursor, whose column was asked about
			shown = a.readable(query.Operand{Kind: query.Column, Field: cell.Field, Via: cell.Via})
		}
		out[i] = query.Cell{Field: cell.Field, Via: cell.Via, When: filter(cell.When, shown)}
	}
	return out
}

// Visible is where the caller may read a field: nil for always, query.False for never. It is
// for links, whose rule the keys of the level below must obey; Level itself minds the columns.
func (s *Set) Visible(c *auth.Caller, f *schema.Field) query.Where {
	return filter(s.field(c, f, query.Read))
}

// Uses appends the rules that Level would ask for l under verb, each once.
func (s *Set) Uses(uses []Use, l query.Level, verb query.Verb) []Use {
	uses = s.use(uses, Use{Type: l.Type, Verb: verb})
	if l.Via != nil && l.Via.Link != nil {
		uses = s.hopUses(uses, l.Via.Link)
	}
	for _, cell := range l.Columns {
		uses = s.hopUses(uses, cell.Field)
	}
	for _, f := range l.Distinct {
		uses = s.columnUses(uses, query.Col(f))
	}
	for _, o := range l.OrderBy {
		uses = s.columnUses(uses, query.Operand{Kind: query.Column, Field: o.Field, Via: o.Via})
	}
	return s.whereUses(s.groupUses(uses, l.Groups), l.Where)
}

func (s *Set) whereUses(uses []Use, w query.Where) []Use {
	visit(w, func(link *schema.Field, of *schema.Type) {
		if link != nil {
			uses = s.hopUses(uses, link)
		}
		uses = s.use(uses, Use{Type: of, Verb: query.Read})
	}, func(o query.Operand) {
		uses = s.columnUses(uses, o)
	})
	return uses
}

func (s *Set) columnUses(uses []Use, o query.Operand) []Use {
	if o.Kind != query.Column {
		return uses
	}
	for _, f := range o.Inside {
		uses = s.hopUses(uses, f)
	}
	for _, link := range o.Via {
		uses = s.hopUses(uses, link)
		uses = s.use(uses, Use{Type: link.Link.Target, Verb: query.Read})
	}
	return s.use(uses, Use{Type: o.Field.Owner, Field: o.Field, Verb: query.Read})
}

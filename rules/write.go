package rules

import (
	"slices"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// Write is w for the caller: refused flatly, or with the rule in the Where of an update or
// delete. Field rules of written columns are checked, but for those that the server filled
// and the caller did not name.
func (s *Set) Write(c *auth.Caller, w query.Write, filled ...*schema.Field) (NarrowedWrite, error) {
	rule, err := s.allowed(c, w.Type, w.Verb, without(written(w), filled))
	if err != nil {
		return NarrowedWrite{}, err
	}
	if w.Verb == query.Create {
		return NarrowedWrite{&w}, nil
	}
	asked := asking{set: s, caller: c}
	where := asked.where(w.Where, false)
	for _, a := range w.Set {
		asked.readable(a.Value)
	}
	chosen := asked.chosen(w.Chosen, w.Type)
	if asked.err != nil {
		return NarrowedWrite{}, asked.err
	}
	w.Where = filter(where, rule, chosen)
	return NarrowedWrite{&w}, nil
}

// After is the level that finds, among given primary keys, rows that the caller was not
// allowed to make: those of which the create or update rule, or that of a written field, is
// not true now. false when the claims alone allow every row.
func (s *Set) After(c *auth.Caller, t *schema.Type, verb query.Verb, written ...*schema.Field) (Narrowed, bool, error) {
	rule, err := s.allowed(c, t, verb, written)
	if err != nil || rule == query.True {
		return Narrowed{}, false, err
	}
	return amongKeys(t, untrue(rule)), true, nil
}

// amongKeys asks which of given primary keys have rows that meet the condition.
func amongKeys(t *schema.Type, w query.Where) Narrowed {
	cells := make([]query.Cell, len(t.Primary))
	for i, f := range t.Primary {
		cells[i].Field = f
	}
	return System(query.Level{Type: t, Columns: cells, Where: w, Via: &query.Via{Single: true}})
}

// allowed is what is left of a type's rule and those of written fields, or a flat no.
func (s *Set) allowed(c *auth.Caller, t *schema.Type, v query.Verb, fields []*schema.Field) (query.Where, error) {
	left := s.row(c, t, v)
	if left == query.False {
		return nil, deny(c, v, t.Name)
	}
	for _, f := range fields {
		rule := s.field(c, f, v)
		if rule == query.False {
			return nil, deny(c, v, t.Name+"."+f.Name)
		}
		left = and(left, rule)
	}
	return left, nil
}

// WriteUses appends the rules that Write and After would ask for w, each once.
func (s *Set) WriteUses(uses []Use, w query.Write) []Use {
	uses = s.use(uses, Use{Type: w.Type, Verb: w.Verb})
	for _, f := range written(w) {
		uses = s.use(uses, Use{Type: w.Type, Field: f, Verb: w.Verb})
	}
	for _, a := range w.Set {
		uses = s.columnUses(uses, a.Value)
	}
	return s.whereUses(uses, w.Where)
}

func written(w query.Write) []*schema.Field {
	if w.Verb == query.Create {
		return w.Columns
	}
	fields := slices.Clone(w.SetColumns())
	for _, a := range w.Set {
		fields = append(fields, a.Field)
	}
	return fields
}

func without(fields, filled []*schema.Field) []*schema.Field {
	if len(filled) == 0 {
		return fields
	}
	var out []*schema.Field
	for _, f := range fields {
		if !slices.Contains(filled, f) {
			out = append(out, f)
		}
	}
	return out
}

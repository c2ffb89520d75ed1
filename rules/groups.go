package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
)

// Asks refuses a level that asks about a field which the claims alone do not allow to read, as
// Level does, whether or not the rows themselves may be read. Level's refusal can stand for no
// rows; of rows that are there, a count of none would be wrong.
func (s *Set) Asks(c *auth.Caller, l query.Level) error {
	asked := asking{set: s, caller: c}
	asked.where(l.Where, false)
	asked.groups(l.Groups)
	return asked.err
}

// groups refuses what tells of such a field: neither null nor a condition could keep its values
// out of a sum.
func (a *asking) groups(g *query.Groups) {
	if g == nil {
		return
	}
	for _, f := range g.Fields() {
		a.mayAsk(f)
	}
}

func (s *Set) groupUses(uses []Use, g *query.Groups) []Use {
	if g == nil {
		return uses
	}
	for _, f := range g.Fields() {
		uses = s.use(uses, Use{Type: f.Owner, Field: f, Verb: query.Read})
	}
	return uses
}

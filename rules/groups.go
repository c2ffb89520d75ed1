package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
)

// Groups refuses groups that tell of a field which the claims alone do not allow to read:
// neither null nor a condition could keep its values out of a sum.
func (s *Set) Groups(c *auth.Caller, g *query.Groups) error {
	asked := asking{set: s, caller: c}
	asked.groups(g)
	return asked.err
}

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

package rules

import (
	celast "cel.dev/cel-go/common/ast"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// Check is one @check of a type.
type Check struct {
	// Message is for the caller whose row breaks it.
	Message string
	// Broken finds, among given primary keys, the rows that break it: of which the rule is
	// false. As in SQL's own CHECK, a rule that a null leaves unknown is not broken.
	Broken Narrowed
}

// Checks are the @check rules of a type.
func (s *Set) Checks(t *schema.Type) []Check { return s.checks[t] }

func (u unit) check(c schema.Check) {
	a := u.parse(c.Rule)
	if a == nil || !u.isCondition(c.Rule, a) {
		return
	}
	rule := u.translate(c.Rule, a, (*translator).check)
	u.lookups(c.Rule.Pos, "a check of "+u.of.Name, rule, false)
	broken := admitting(not(rule.decide(&auth.Caller{})))
	if broken == query.False {
		return
	}
	message := c.Message
	if message == "" {
		message = u.of.Name + " has to meet " + c.Rule.Text
	}
	u.set.checks[u.of] = append(u.set.checks[u.of], Check{message, amongKeys(u.of, broken)})
}

// check is a condition in which no caller takes part.
func (t *translator) check(e celast.Expr) node {
	found := false
	celast.PreOrderVisit(e, celast.NewExprVisitor(func(e celast.Expr) {
		if e.Kind() == celast.IdentKind && (e.AsIdent() == "auth" || e.AsIdent() == "request") {
			t.refuse(e, "a check looks at the row, not at %s; what a caller may do is for @auth", e.AsIdent())
			found = true
		}
	}))
	if found {
		return fixed(query.Unknown)
	}
	n := t.rule(e)
	if len(n.slots(nil)) > 0 {
		return t.refuse(e, "a check compares columns; a part of this one looks at none")
	}
	return n
}

package rules

import (
	celast "cel.dev/cel-go/common/ast"

	"spacecloud/query"
)

// answerable refuses a condition on the rule's own row that the databases cannot answer together.
func (t *translator) answerable(e celast.Expr, n node) node {
	if len(t.problems) > 0 {
		return n
	}
	asked := Narrowed{&query.Level{Type: t.rows["doc"].of, Where: query.Not{Where: whole(n)}}}
	if err := asked.answerable(); err != nil {
		return t.refuse(e, "%s: %s", t.text(e), err)
	}
	return n
}

// answerable is why a level or a question that it comes apart into cannot be asked.
func (n Narrowed) answerable() error {
	a, err := n.Apart(1)
	if err != nil || a == nil {
		return err
	}
	for _, q := range a.Questions {
		if err := q.Level.answerable(); err != nil {
			return err
		}
	}
	return nil
}

// whole is the condition of a node before any claim decides a part of it.
func whole(n node) query.Where {
	switch n := n.(type) {
	case allOf:
		return query.And(wholes(n))
	case anyOf:
		return query.Or(wholes(n))
	case inverse:
		return query.Not{Where: whole(n.node)}
	case failing:
		return query.Untrue{Where: whole(n.node)}
	case row:
		return n.where
	case some:
		return query.Some{Link: n.link, Where: whole(n.node)}
	case exists:
		return query.Exists{Type: n.of, Where: query.And{n.join, whole(n.node)}}
	}
	// What the claims decide may be anything.
	return query.Compare{Left: query.ClaimAt(0), Op: query.Eq, Right: query.ClaimAt(0)}
}

func wholes(nodes []node) []query.Where {
	out := make([]query.Where, len(nodes))
	for i, n := range nodes {
		out[i] = whole(n)
	}
	return out
}

package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
)

// condition is a part of a rule that the claims alone decide. However much is inside, it is
// one slot.
type condition interface {
	node
	slot
	claimsOnly()
}

// decided makes a condition of what tells its truth.
type decided struct{ slot }

func (n decided) decide(c *auth.Caller) query.Where { return n.truth(c) }
func (n decided) slots(dst []slot) []slot           { return append(dst, n.slot) }
func (decided) claimsOnly()                         {}

// fixed is a constant.
type fixed query.Truth

func (n fixed) decide(*auth.Caller) query.Where { return query.Truth(n) }
func (n fixed) truth(*auth.Caller) query.Truth  { return query.Truth(n) }
func (n fixed) slots(dst []slot) []slot         { return dst }
func (fixed) claimsOnly()                       {}

// every is true when all conditions are.
type every []condition

func (s every) truth(c *auth.Caller) query.Truth {
	out := query.True
	for _, each := range s {
		switch each.truth(c) {
		case query.False:
			return query.False
		case query.Unknown:
			out = query.Unknown
		}
	}
	return out
}

// either is true when one of the conditions is.
type either []condition

func (s either) truth(c *auth.Caller) query.Truth {
	out := query.False
	for _, each := range s {
		switch each.truth(c) {
		case query.True:
			return query.True
		case query.Unknown:
			out = query.Unknown
		}
	}
	return out
}

// negated turns a condition around.
type negated struct{ of slot }

func (s negated) truth(c *auth.Caller) query.Truth { return negate(s.of.truth(c)) }

// flag is a value that is a boolean itself, and unknown where it is anything else.
type flag struct{ value }

func (s flag) truth(c *auth.Caller) query.Truth { return truthOf(s.of(c)) }

// absent is whether a value is null; never unknown.
type absent struct{ value }

func (s absent) truth(c *auth.Caller) query.Truth {
	if s.of(c) == nil {
		return query.True
	}
	return query.False
}

// comparison compares two values.
type comparison struct {
	left  value
	op    query.Op
	right value
}

func (s comparison) truth(c *auth.Caller) query.Truth {
	return compare(s.left.of(c), s.op, s.right.of(c))
}

// conjunction is the And of nodes. What the claims decide becomes one condition, which is
// asked first.
func conjunction(nodes ...node) node {
	conditions, others := split(nodes)
	switch len(conditions) {
	case 0:
	case 1:
		others = append([]node{conditions[0]}, others...)
	default:
		others = append([]node{decided{every(conditions)}}, others...)
	}
	if len(others) == 1 {
		return others[0]
	}
	return allOf(others)
}

// disjunction is the Or of nodes, in the same way.
func disjunction(nodes ...node) node {
	conditions, others := split(nodes)
	switch len(conditions) {
	case 0:
	case 1:
		others = append([]node{conditions[0]}, others...)
	default:
		others = append([]node{decided{either(conditions)}}, others...)
	}
	if len(others) == 1 {
		return others[0]
	}
	return anyOf(others)
}

func split(nodes []node) (conditions []condition, others []node) {
	for _, n := range nodes {
		if c, ok := n.(condition); ok {
			conditions = append(conditions, c)
		} else {
			others = append(others, n)
		}
	}
	return conditions, others
}

// opposite is the Not of a node.
func opposite(n node) node {
	if c, ok := n.(condition); ok {
		return decided{negated{c}}
	}
	return inverse{n}
}

package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// node is one piece of a compiled rule. A rule is a tree of them, never changed once made.
type node interface {
	// decide is what is left of the node once the claims are known.
	decide(c *auth.Caller) query.Where
	// slots appends what the claims decide in the node: if all of them are the same for
	// two callers, so is decide.
	slots(dst []slot) []slot
}

// slot is one thing in a rule that the claims alone decide.
type slot interface {
	truth(c *auth.Caller) query.Truth
}

// allOf is true when all nodes are.
type allOf []node

func (n allOf) decide(c *auth.Caller) query.Where {
	parts := make([]query.Where, len(n))
	for i, each := range n {
		parts[i] = each.decide(c)
	}
	return and(parts...)
}

func (n allOf) slots(dst []slot) []slot { return slotsOf(n, dst) }

// anyOf is true when one of the nodes is.
type anyOf []node

func (n anyOf) decide(c *auth.Caller) query.Where {
	parts := make([]query.Where, len(n))
	for i, each := range n {
		parts[i] = each.decide(c)
	}
	return or(parts...)
}

func (n anyOf) slots(dst []slot) []slot { return slotsOf(n, dst) }

func slotsOf(nodes []node, dst []slot) []slot {
	for _, each := range nodes {
		dst = each.slots(dst)
	}
	return dst
}

// inverse turns true and false around.
type inverse struct{ node }

func (n inverse) decide(c *auth.Caller) query.Where { return not(n.node.decide(c)) }

// failing is true where the node is not.
type failing struct{ node }

func (n failing) decide(c *auth.Caller) query.Where { return untrue(n.node.decide(c)) }

// row is a condition on columns. It is the same for every caller, but for one who lacks a
// claim that it compares with: then it is unknown whatever the row.
type row struct {
	where query.Where
	needs []value
}

func (n row) decide(c *auth.Caller) query.Where {
	if n.truth(c) == query.Unknown {
		return query.Unknown
	}
	return n.where
}

func (n row) truth(c *auth.Caller) query.Truth {
	for _, v := range n.needs {
		if v.of(c) == nil {
			return query.Unknown
		}
	}
	return query.True
}

func (n row) slots(dst []slot) []slot {
	if len(n.needs) == 0 {
		return dst
	}
	return append(dst, n)
}

// some is whether a linked row meets the node.
type some struct {
	link *schema.Field
	node
}

func (n some) decide(c *auth.Caller) query.Where {
	return someOf(n.link, n.node.decide(c))
}

// exists is whether any row of a type meets the node.
type exists struct {
	of   *schema.Type
	join query.And // what ties the row to outer ones, or empty
	node
}

func (n exists) decide(c *auth.Caller) query.Where {
	inner := admitting(n.node.decide(c))
	if inner == query.False {
		return query.False
	}
	return query.Exists{Type: n.of, Where: and(n.join, inner)}
}

package rules

import (
	"fmt"

	celast "cel.dev/cel-go/common/ast"

	"spacecloud/query"
	"spacecloud/schema"
)

// What one rule may ask: far above what people write, and not more than a client's own filter
// may, so that every database can answer both together.
const (
	mostCharacters = 20_000
	mostNested     = 100 // expressions in expressions
	mostConditions = 500
	mostHops       = 20 // exists and links: PostgreSQL plans an order in which to join all of them
	mostHopsDeep   = 12 // hops from where hops lead
)

// weight is how much a node asks.
type weight struct{ conditions, hops, deepest int }

// weigh adds a node at a depth of hops. It ends when there are too many conditions: a node may
// stand in its tree more than once, as what decides a choice does.
func (w *weight) weigh(n any, depth int) {
	w.deepest = max(w.deepest, depth)
	if w.conditions > mostConditions {
		return
	}
	switch n := n.(type) {
	case allOf:
		w.all(n, depth)
	case anyOf:
		w.all(n, depth)
	case inverse:
		w.weigh(n.node, depth)
	case failing:
		w.weigh(n.node, depth)
	case some:
		w.hops++
		w.weigh(n.node, depth+1)
	case exists:
		w.hops++
		w.weigh(n.node, depth+1)
	case decided:
		w.weigh(n.slot, depth)
	case every:
		w.conditionsOf(n, depth)
	case either:
		w.conditionsOf(n, depth)
	case negated:
		w.weigh(n.of, depth)
	case row:
		w.conditions++
		visit(n.where, func(*schema.Field, *schema.Type) {}, func(o query.Operand) { w.deepest = max(w.deepest, depth+len(o.Via)) })
	default:
		w.conditions++
	}
}

func (w *weight) all(nodes []node, depth int) {
	for _, n := range nodes {
		w.weigh(n, depth)
	}
}

func (w *weight) conditionsOf(conditions []condition, depth int) {
	for _, n := range conditions {
		w.weigh(n, depth)
	}
}

// tooDear is what is too much about a node, or "".
func tooDear(n node) string {
	var w weight
	w.weigh(n, 0)
	switch {
	case w.conditions > mostConditions:
		return fmt.Sprintf("a rule has at most %d conditions, where what stands before ? counts twice; put what many of them say into a column", mostConditions)
	case w.deepest > mostHopsDeep:
		return fmt.Sprintf("a rule goes at most %d hops deep, from row to row by exists and links, and this one %d; hold what it needs nearer", mostHopsDeep, w.deepest)
	case w.hops > mostHops:
		return fmt.Sprintf("a rule asks for other rows at most %d times, and this one %d times; put what many of them say into one exists", mostHops, w.hops)
	}
	return ""
}

// bounded refuses a node that asks too much.
func (t *translator) bounded(e celast.Expr, n node) node {
	switch text := tooDear(n); {
	case text == "":
		return n
	case len(t.problems) == 0:
		return t.refuse(e, "%s", text)
	}
	return fixed(query.Unknown) // it is not put into another choice
}

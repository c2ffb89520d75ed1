package rules

import (
	celast "cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// clause is a part of a rule as it was written, down to where && and || end.
type clause struct {
	node
	text  string
	joint Joint
	parts []clause
}

// Joint is what joins the parts of a clause.
type Joint string

// The joints.
const (
	Whole Joint = ""   // it has no parts
	All   Joint = "&&" // it is true when all parts are
	Any   Joint = "||" // it is true when one part is
)

// clause is a condition with its parts.
func (t *translator) clause(e celast.Expr) clause {
	c := clause{text: t.text(e), joint: jointOf(e)} // the text first: a translation may change the expression
	if c.joint == Whole {
		c.node = t.condition(e)
		return c
	}
	var nodes []node
	for _, arg := range e.AsCall().Args() {
		part := t.clause(arg)
		nodes = append(nodes, part.node)
		if part.joint == c.joint {
			c.parts = append(c.parts, part.parts...)
		} else {
			c.parts = append(c.parts, part)
		}
	}
	if c.joint == All {
		c.node = conjunction(nodes...)
	} else {
		c.node = disjunction(nodes...)
	}
	return c
}

func jointOf(e celast.Expr) Joint {
	if e.Kind() == celast.CallKind {
		switch e.AsCall().FunctionName() {
		case operators.LogicalAnd:
			return All
		case operators.LogicalOr:
			return Any
		}
	}
	return Whole
}

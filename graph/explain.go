package graph

import (
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/auth"
	"spacecloud/resolvers"
)

// Explain is what the rules make of a request of a caller, root field by root field. Nothing is run.
func Explain(o Options, c *auth.Caller, q Request) ([]resolvers.Explanation, error) {
	e := newExecutable(o.withDefaults())
	doc, wrong := gqlparser.LoadQueryWithRules(e.api.Schema, q.Query, rulesOf(true)())
	if len(wrong) > 0 {
		return nil, wrong
	}
	op := newDocument(doc).operations[0].def
	oc := &graphql.OperationContext{Doc: doc, Operation: op}
	var err error
	if oc.Variables, err = validator.VariableValues(e.api.Schema, op, q.Variables); err != nil {
		return nil, err
	}
	listed(oc.Variables)
	p, err := e.compile(oc, op)
	if err != nil {
		return nil, err
	}
	args, err := p.values(nil, oc.Variables)
	if err != nil {
		return nil, err
	}
	k := &compiler{api: e.api, res: e.resolvers, vars: oc.Variables, now: true, clock: time.Now()}
	var all []resolvers.Explanation
	for i := range p.parts {
		part := &p.parts[i]
		switch {
		case part.handOn != nil: // of code, or the schema: no rows
		case op.Operation == ast.Mutation:
			change, err := k.change(part)
			if err != nil {
				return nil, err
			}
			change.Args = args
			all = append(all, o.Resolvers.Steps(c, &change))
		default:
			all = append(all, part.found.Steps(c, part.alias, args))
		}
	}
	return all, nil
}

package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// costHeader asks for extensions.cost in the answer, with the value "true".
const costHeader = "X-Cost"

// addCost says what the operation cost by the estimate that limits.complexity bounds.
func (c *call) addCost(ctx context.Context, opCtx *graphql.OperationContext, response *graphql.Response) {
	if c.header.Get(costHeader) != "true" {
		return
	}
	m := &operationOf(graphql.WithOperationContext(ctx, opCtx)).measure
	if response.Extensions == nil {
		response.Extensions = map[string]any{}
	}
	response.Extensions["cost"] = map[string]any{
		"value": m.cost.eval(opCtx.Variables), "limit": c.limits.Complexity, "depth": m.depth,
	}
}

package graph

//go:generate go run github.com/99designs/gqlgen generate

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/generator"
	"spacecloud/resolvers"
)

// executable is the graphql.ExecutableSchema of a schema. Its Exec plans and streams rows, and
// hands on to what gqlgen generated the fields that are code, introspection among them.
type executable struct {
	graphql.ExecutableSchema // generated; Schema and Complexity are its own

	api       *generator.API
	resolvers *resolvers.Resolvers
	presenter *presenter
}

var _ graphql.ExecutableSchema = (*executable)(nil)

func newExecutable(o Options) *executable {
	return &executable{
		ExecutableSchema: NewExecutableSchema(Config{Schema: o.API.Schema, Resolvers: o.Code}),
		api:              o.API,
		resolvers:        o.Resolvers,
		presenter:        newPresenter(o),
	}
}

// handOn runs root selections of the operation in ctx by the generated code and returns their
// members in order, as `"a":1,"b":2`, with what went wrong in them. Members are nil if an error
// reached the root: then data is null. They are empty, but not nil, if @skip left nothing.
func (e *executable) handOn(ctx context.Context, fields ast.SelectionSet) ([]byte, gqlerror.List) {
	ctx = graphql.WithOperationContext(ctx, restricted(graphql.GetOperationContext(ctx), fields))
	ctx = graphql.WithResponseContext(ctx, e.presenter.present, panicked)
	response := e.ExecutableSchema.Exec(ctx)(ctx)
	errs := graphql.GetErrors(ctx)
	if response == nil {
		return nil, errs
	}
	errs = append(response.Errors, errs...)
	data := bytes.TrimSpace(response.Data)
	if len(data) < len("{}") || data[0] != '{' {
		return nil, errs
	}
	return data[1 : len(data)-1], errs
}

// restricted is a copy of opCtx in which the operation selects only fields.
func restricted(opCtx *graphql.OperationContext, fields ast.SelectionSet) *graphql.OperationContext {
	operation := *opCtx.Operation
	operation.SelectionSet = fields
	return &graphql.OperationContext{
		RawQuery:               opCtx.RawQuery,
		Variables:              opCtx.Variables,
		OperationName:          opCtx.OperationName,
		Doc:                    opCtx.Doc,
		Extensions:             opCtx.Extensions,
		Headers:                opCtx.Headers,
		Operation:              &operation,
		DisableIntrospection:   opCtx.DisableIntrospection,
		RecoverFunc:            opCtx.RecoverFunc,
		ResolverMiddleware:     opCtx.ResolverMiddleware,
		RootResolverMiddleware: opCtx.RootResolverMiddleware,
		Stats:                  opCtx.Stats,
	}
}

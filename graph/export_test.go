package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Runner runs operations as a transport has them run.
type Runner struct{ executor *executor.Executor }

// NewRunner is a Runner of what a Server of the options would serve.
func NewRunner(o Options) *Runner {
	o = o.withDefaults()
	es, known := newExecutable(o), newDocuments()
	r := &Runner{executor.New(es)}
	r.executor.SetQueryCache(known)
	r.executor.SetErrorPresenter(es.presenter.present)
	r.executor.SetRecoverFunc(panicked)
	r.executor.SetDefaultRulesFn(rulesOf(false))
	r.executor.Use(guard{o.Limits, o.Introspection, known, newWords(es.Schema())})
	return r
}

// Run begins an operation.
func (r *Runner) Run(ctx context.Context, text string, vars map[string]any) (graphql.ResponseHandler, gqlerror.List) {
	req := &request{Context: ctx, id: "test"}
	start := graphql.StartOperationTrace(req)
	oc, errs := r.executor.CreateOperationContext(start, &graphql.RawParams{Query: text, Variables: vars})
	if len(errs) > 0 {
		return nil, errs
	}
	responses, _ := r.executor.DispatchOperation(start, oc)
	return responses, nil
}

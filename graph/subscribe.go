package graph

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// isOne is an error of a subscription that asks for more than one field of rows, or for none. Validation lets
// one field pass that is asked for under several names, and one that a directive leaves out.
func (p *opPlan) isOne() error {
	if len(p.parts) != 1 || p.parts[0].handOn != nil {
		return fault.New(fault.Invalid, "a subscription asks for exactly one field; send one for each")
	}
	return nil
}

// subscribe answers a subscription: first what a query would be answered, then the same again whenever it has
// changed. Nil is the end, which comes after an error that leaves nothing to wait for.
func (e *executable) subscribe(ctx context.Context, oc *graphql.OperationContext, op *operation) graphql.ResponseHandler {
	watch, refused := e.watch(ctx, oc, op)
	if refused != nil {
		return graphql.OneShot(refused)
	}
	hasEnded := false
	return func(ctx context.Context) *graphql.Response {
		if hasEnded {
			return nil
		}
		answer, err := watch.Next(ctx)
		if err != nil {
			_, hasEnded = errors.AsType[*live.End](err)
			return ended(err)
		}
		response := &graphql.Response{Data: answer.Bytes}
		if list, ok := errors.AsType[gqlerror.List](answer.Err); ok {
			response.Errors = slices.Clone(list)
		} else if answer.Err != nil {
			response.Data, response.Errors = null(), e.failed(ctx, op.def, answer.Err)
		}
		return response
	}
}

// ended is the last answer of a subscription, nil where whoever asked has gone. Its error is a live.End to
// errors.As, by which a transport can say in its own way why. Nothing is wrong, so it is not logged.
func ended(why error) *graphql.Response {
	end, ok := errors.AsType[*live.End](why)
	if !ok {
		return nil
	}
	f, _ := errors.AsType[*fault.Error](end)
	return &graphql.Response{Errors: gqlerror.List{{Err: end, Message: f.Message, Extensions: map[string]any{"code": f.Kind}}}}
}

// watch waits for the one field of a subscription, or is the only answer of one that cannot be.
func (e *executable) watch(ctx context.Context, oc *graphql.OperationContext, op *operation) (*live.Watch, *graphql.Response) {
	listed(oc.Variables)
	p, err := e.plan(oc, op, nil)
	if err != nil {
		return nil, &graphql.Response{Data: null(), Errors: e.failed(ctx, op.def, err)}
	}
	args, err := p.values(nil, oc.Variables)
	if err != nil {
		return nil, &graphql.Response{Data: null(), Errors: e.failed(ctx, op.def, err)}
	}
	part := &p.parts[0]
	id := requestOf(ctx).id
	w, err := part.found.Watch(ctx, auth.From(ctx), args, resolvers.Shown{
		As: e.told(oc, op),
		Ask: func(ctx context.Context, c *auth.Caller) ([]byte, error) {
			return e.asked(&request{Context: ctx, id: id}, c, p, args)
		},
	})
	if err == nil {
		return w, nil
	}
	data := null()
	if !part.nonNull {
		data = []byte(part.before + "null" + p.tail)
	}
	return nil, &graphql.Response{Data: data, Errors: part.failed(ctx, e, err)}
}

// told is what makes the text of an answer besides rows: the document, and the variables that decide the plan.
func (e *executable) told(oc *graphql.OperationContext, op *operation) []byte {
	text := append([]byte(oc.RawQuery), 0)
	text = append(append(text, op.def.Name...), 0)
	return appendShape(text, e.api.Schema, op.plans.structural, oc.Variables)
}

// asked is the data of a subscription as it is now, which is shared by all who wait for it, with its
// errors.
func (e *executable) asked(ctx context.Context, c *auth.Caller, p *opPlan, args []schema.Value) ([]byte, error) {
	data, errs, ok := e.answer(ctx, c, &p.parts[0], args, nil)
	data = append(data, p.tail...)
	if !ok {
		data = null()
	}
	if len(errs) > 0 {
		return data, errs
	}
	return slices.Clip(data), nil
}

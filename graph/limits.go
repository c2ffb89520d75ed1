package graph

import (
	"context"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"spacecloud/fault"
)

// Limits are what one request may ask for. Zero means the default.
type Limits struct {
	// Depth is how deep fields may nest, introspection apart. Defaults to 12.
	Depth int
	// Complexity is the most objects that the answer could hold, by the limits of its lists
	// and 10 for a list without one, introspection apart. Defaults to 10,000.
	Complexity int
	// Aliases is the most fields with another name than their own. Defaults to 50.
	Aliases int
	// Tokens is the most lexical tokens of a document. Defaults to 5,000.
	Tokens int
	// Body is the largest request body in bytes. Defaults to 1 MiB.
	Body int
	// Timeout is how long an operation may take, subscriptions apart. Defaults to 10 s.
	Timeout time.Duration
	// Sockets is the most WebSockets and streams of events of one caller. Defaults to 100.
	Sockets int
	// Operations is the most operations at the same time on one WebSocket. Defaults to 100.
	Operations int
}

func (l Limits) withDefaults() Limits {
	for _, each := range []struct {
		limit *int
		usual int
	}{{&l.Depth, 12}, {&l.Complexity, 10_000}, {&l.Aliases, 50}, {&l.Tokens, 5_000}, {&l.Body, 1 << 20}, {&l.Sockets, 100}, {&l.Operations, 100}} {
		if *each.limit == 0 {
			*each.limit = each.usual
		}
	}
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	return l
}

func (l Limits) validate() error {
	if min(l.Depth, l.Complexity, l.Aliases, l.Tokens, l.Body, l.Sockets, l.Operations) < 1 || l.Timeout < 1 {
		return fault.New(fault.Invalid, "every limit has to be at least 1")
	}
	return nil
}

// introspectionCost is the most that introspection may cost, by the formula for rows. It is
// exempt from Limits, but not free: the query of the usual tools costs 16,000, and a few
// aliases inside one another would make millions of objects.
const introspectionCost = 50_000

// guard refuses operations beyond the limits, when they are known to be valid and before they
// run. It is an extension of gqlgen's handler.
type guard struct {
	limits        Limits
	introspection bool
	documents     documents
	words         words
}

// ExtensionName implements graphql.HandlerExtension.
func (guard) ExtensionName() string { return "Limits" }

// Validate implements graphql.HandlerExtension.
func (guard) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationParameters implements graphql.OperationParameterMutator. Validation compares each
// field with each other one of its name: {id id id …} of 5,000 tokens takes it a second. So one
// name may take an eighth of the tokens. A document that is large and not known is parsed once
// more for this, because nothing can be said between parsing and validating.
func (g guard) MutateOperationParameters(_ context.Context, params *graphql.RawParams) *gqlerror.Error {
	limit := g.limits.Tokens / 8
	if len(params.Query) < 2*limit || g.documents.has(params.Query) {
		return nil
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: params.Query}, g.limits.Tokens)
	if err != nil {
		return nil //nolint:nilerr // the executor will say so
	}
	if name, times := repeated(doc); times > limit {
		return gqlerror.Wrap(exceeded("tokens", g.limits.Tokens, int64(times),
			"the document selects %s %d times, and one name may take an eighth of its tokens", brief(name), times))
	}
	return nil
}

// MutateOperationContext implements graphql.OperationContextMutator.
func (g guard) MutateOperationContext(ctx context.Context, opCtx *graphql.OperationContext) *gqlerror.Error {
	opCtx.DisableIntrospection = false // decided here, before anything runs
	if err := g.words.check(opCtx.Operation.VariableDefinitions, opCtx.Variables); err != nil {
		return gqlerror.Wrap(err)
	}
	o := operationOf(graphql.WithOperationContext(ctx, opCtx))
	o.once.Do(func() { o.measure = measureOf(o, g.limits) })
	if err := g.check(&o.measure, opCtx.Variables); err != nil {
		return gqlerror.Wrap(err)
	}
	return nil
}

// errNoIntrospection is what is said of a schema that is not to be read.
var errNoIntrospection = fault.New(fault.Denied, "introspection is off; the setting introspection turns it on")

// check is the first limit that m is beyond. It returns error, not *fault.Error: nil is nil.
func (g guard) check(m *measure, variables map[string]any) error {
	switch {
	case m.aliases > g.limits.Aliases:
		return exceeded("aliases", g.limits.Aliases, int64(m.aliases), "the operation has %d aliases", m.aliases)
	case m.depth > g.limits.Depth:
		return exceeded("depth", g.limits.Depth, int64(m.depth), "the fields nest %d deep", m.depth)
	case m.unfolded > unfolding*int64(g.limits.Complexity):
		return exceeded("complexity", g.limits.Complexity, m.unfolded,
			"the fragments unfold to %s selections, and there may be %d for each object of the answer", count(m.unfolded), unfolding)
	case m.introspects && !g.introspection:
		return errNoIntrospection
	case m.introspection.eval(nil) > introspectionCost:
		return fault.New(fault.Limit, "the operation asks for more of __schema and __type than is answered at once; ask in parts")
	}
	if cost := m.cost.eval(variables); cost > int64(g.limits.Complexity) {
		return exceeded("complexity", g.limits.Complexity, cost,
			"the answer could hold %s objects, a list without a limit counting as %d", count(cost), usualList)
	}
	return nil
}

// tokens replaces gqlparser's error of a document with too many tokens by one that names the
// setting.
func (l Limits) tokens(list gqlerror.List) gqlerror.List {
	if len(list) != 1 || !strings.HasPrefix(list[0].Message, "exceeded token limit of ") {
		return list
	}
	return gqlerror.List{gqlerror.Wrap(exceeded("tokens", l.Tokens, int64(l.Tokens)+1,
		"the document has more than %d tokens", l.Tokens))}
}

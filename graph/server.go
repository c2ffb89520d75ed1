// Package graph is the GraphQL door: a thin translation of operations to the queries and
// changes of package resolvers, behind gqlgen's handler.
package graph

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/resolvers"
)

// Options is what a Server serves. (Config is the name of a type that gqlgen generates.)
type Options struct {
	// API is what follows from the schema. Required.
	API *generator.API
	// Resolvers answer the fields that are rows. Required.
	Resolvers *resolvers.Resolvers
	// Code answers the fields that are the user's Go; nil where there are none.
	Code ResolverRoot
	// Limits are what one request may ask for.
	Limits Limits
	// Trusted are the only documents that clients may run, by name; nil for any document.
	Trusted *Trusted
	// Introspection is whether clients may read the schema of the API.
	Introspection bool
	// Suggestions is whether errors suggest names of the schema that resemble a wrong one.
	Suggestions bool
	// Origins are the browser origins that may ask besides our own, as scheme://host[:port].
	Origins []string
	// Development also lets http://localhost:* ask, checks the Host on loopback, and has a refusal
	// name its rule.
	Development bool
	// Folder is where the files of the schema are, for the names of rules.
	Folder string
	// Caller says who sends a request, or opens a WebSocket with the payload of its
	// connection_init, and is asked again for each operation on that; its error is the answer.
	// The payload is nil for other requests. Defaults to the caller of the request's context.
	Caller func(r *http.Request, payload map[string]any) (*auth.Caller, error)
	// Log takes what clients are not told. Defaults to slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Server serves /graphql for one schema. It is immutable: another schema is another Server,
// with a query cache of its own.
type Server struct {
	gate    *gate
	door    *door
	handler *handler.Server
}

// New makes a Server.
func New(o Options) (*Server, error) {
	if o.API == nil || o.Resolvers == nil {
		return nil, fault.New(fault.Invalid, "graph.Options needs API and Resolvers")
	}
	o = o.withDefaults()
	return serve(o, newExecutable(o))
}

// serve makes a Server of any executable schema.
func serve(o Options, es graphql.ExecutableSchema) (*Server, error) {
	if err := o.Limits.validate(); err != nil {
		return nil, err
	}
	gate, err := newGate(o.Origins, o.Development)
	if err != nil {
		return nil, err
	}
	d := &door{o.Limits, newPresenter(o), o.Caller, newClients(o.Limits.Sockets), usualPace}
	return &Server{gate, d, newHandler(o, es, d)}, nil
}

func newHandler(o Options, es graphql.ExecutableSchema, d *door) *handler.Server {
	h, known := handler.New(es), newDocuments()
	h.AddTransport(upgrade{d})
	h.AddTransport(post{d})
	h.AddTransport(get{d})
	h.AddTransport(other{d})
	h.SetQueryCache(known)
	h.SetParserTokenLimit(o.Limits.Tokens)
	h.SetDisableSuggestion(!o.Suggestions)
	h.SetValidationRulesFn(rulesOf(o.Suggestions))
	h.SetErrorPresenter(d.presenter.present)
	h.SetRecoverFunc(panicked)
	if o.Trusted != nil {
		h.Use(o.Trusted)
	} else {
		h.Use(newPersisted())
	}
	h.Use(guard{o.Limits, o.Introspection, known, newWords(es.Schema())})
	return h
}

// rulesOf are the rules of validation. Looking for names to suggest costs time, so where there
// are to be none, none are looked for; gqlgen's own switch reaches two of five rules.
func rulesOf(suggestions bool) func() *rules.Rules {
	return func() *rules.Rules {
		r := rules.NewDefaultRules()
		values := rules.ValuesOfCorrectTypeRule
		if !suggestions {
			values = rules.ValuesOfCorrectTypeRuleWithoutSuggestions
			r.ReplaceRule(rules.KnownArgumentNamesRule.Name, rules.KnownArgumentNamesRuleWithoutSuggestions.RuleFunc)
			r.ReplaceRule(rules.KnownTypeNamesRule.Name, rules.KnownTypeNamesRuleWithoutSuggestions.RuleFunc)
		}
		r.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, strictly(values.RuleFunc))
		return r
	}
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	identify(w, r)
	if err := s.gate.check(w.Header(), r); err != nil {
		s.door.refuse(w, r, err)
		return
	}
	// A preflight carries no token. What is refused is told behind the gate, so that the pages
	// that may ask can read it. A WebSocket's may come in its first message.
	if s.door.caller != nil && r.Method != http.MethodOptions && !(upgrade{}).Supports(r) {
		caller, err := s.door.caller(r, nil)
		if err != nil {
			s.door.refuse(w, r, refusedCaller(w.Header(), err))
			return
		}
		r = r.WithContext(auth.With(r.Context(), caller))
	}
	s.handler.ServeHTTP(w, r)
}

// Close tells those who hold a WebSocket or a stream of events to come back, for this schema is served no
// longer or the process ends. Subscriptions end at once; queries and mutations finish, unless ctx
// ends. It returns when all are gone. Other requests are answered as before.
func (s *Server) Close(ctx context.Context) { s.door.clients.close(ctx) }

// refusedCaller is the answer to a token that is not good, or that came in a way which is not
// believed.
func refusedCaller(h http.Header, err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	if f.Kind == fault.Denied {
		return &refusal{http.StatusForbidden, f}
	}
	h["Www-Authenticate"] = []string{"Bearer"}
	return &refusal{http.StatusUnauthorized, f}
}

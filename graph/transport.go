package graph

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
	"spacecloud/fault"
)

// door is the one way in for all transports: what differs is how a request is read and how the
// answer is sent.
type door struct {
	limits    Limits
	presenter *presenter
	caller    func(*http.Request, map[string]any) (*auth.Caller, error) // or nil
	clients   *clients
	pace      pace
}

// reader reads the one operation of a request into params, by way of the buffer.
type reader func(*http.Request, *buffer, *graphql.RawParams) error

const (
	allMethods = "GET, HEAD, POST, OPTIONS"
	// changing are the methods of what GET may not run.
	changing = "POST"
)

// post is the graphql.Transport of POST.
type post struct{ *door }

// Supports implements graphql.Transport.
func (post) Supports(r *http.Request) bool { return r.Method == http.MethodPost }

// Do implements graphql.Transport.
func (t post) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	t.serve(w, r, exec, t.readPOST)
}

// get is the graphql.Transport of GET and HEAD.
type get struct{ *door }

// Supports implements graphql.Transport.
func (get) Supports(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// Do implements graphql.Transport.
func (t get) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	w.Header()["Cache-Control"] = uncached
	t.serve(w, r, exec, t.readGET)
}

var uncached = []string{"private, no-store"}

// other is the graphql.Transport of every other method. It comes last.
type other struct{ *door }

// Supports implements graphql.Transport.
func (other) Supports(*http.Request) bool { return true }

// Do implements graphql.Transport.
func (t other) Do(w http.ResponseWriter, r *http.Request, _ graphql.GraphExecutor) {
	if r.Method == http.MethodOptions {
		preflight(w, r)
		return
	}
	w.Header()["Allow"] = []string{allMethods}
	t.refuse(w, r, refuse(http.StatusMethodNotAllowed, fault.Invalid,
		"the method is %s; GraphQL is served by GET and POST", r.Method))
}

// serve reads, runs and answers one operation.
func (d *door) serve(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor, read reader) {
	ctx, cancel := context.WithTimeout(r.Context(), d.limits.Timeout)
	defer cancel()
	b := buffers.Get().(*buffer) //nolint:forcetypeassert // nothing else is put there
	defer b.release()
	e := &exchange{call: call{door: d, exec: exec, header: r.Header}, w: w, r: r}
	e.request = request{Context: ctx, id: w.Header().Get(requestIDHeader), buffer: b}
	defer e.recover()
	e.run(read)
}

// refuse answers a request that is not even read.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := &exchange{call: call{door: d}, w: w, r: r}
	e.request = request{Context: r.Context(), id: w.Header().Get(requestIDHeader), buffer: &buffer{}}
	_ = e.negotiate()
	e.fail(err)
}

// call is one operation on its way through the door, whatever transport it came by.
type call struct {
	*door
	exec    graphql.GraphExecutor
	header  http.Header // of the request that brought it
	params  graphql.RawParams
	request request
}

var errNoQuery = refuse(http.StatusBadRequest, fault.Invalid, "there is no query; send {\"query\": \"…\"}")

// named is an error unless the params say what to run.
func (c *call) named() error {
	if c.params.Query == "" && c.params.Extensions["persistedQuery"] == nil && c.params.Extensions[documentID] == nil {
		return errNoQuery
	}
	return nil
}

// prepare is the operation that the params ask for, when it passes all that is checked before
// one runs.
func (c *call) prepare() (*graphql.OperationContext, gqlerror.List) {
	c.params.Headers = c.header
	opCtx, list := c.exec.CreateOperationContext(&c.request, &c.params)
	if len(list) > 0 {
		return nil, c.explained(opCtx, list)
	}
	return opCtx, nil
}

// once is the response of a query or a mutation.
func (c *call) once(opCtx *graphql.OperationContext) *graphql.Response {
	responses, ctx := c.exec.DispatchOperation(&c.request, opCtx)
	// It has run. The executor would hide the answer if the time has ended since: a change
	// that was committed would be reported as late.
	response := responses(context.WithoutCancel(ctx))
	if response == nil {
		return &graphql.Response{Errors: c.shown(gqlerror.List{gqlerror.Wrap(fault.New(fault.Internal, "there is no response"))})}
	}
	c.addCost(&c.request, opCtx, response)
	return response
}

// explained makes the executor's own errors say what to do.
func (c *call) explained(opCtx *graphql.OperationContext, list gqlerror.List) gqlerror.List {
	if opCtx.Doc != nil && opCtx.Operation == nil {
		return gqlerror.List{gqlerror.Wrap(unknownOperation(opCtx))}
	}
	return c.limits.tokens(list)
}

// shown is what a client sees of errors.
func (c *call) shown(list gqlerror.List) gqlerror.List {
	var shown gqlerror.List
	for _, g := range list[:min(len(list), errorsShown)] {
		shown = append(shown, c.presenter.present(&c.request, g))
	}
	return shown
}

// exchange is the call of one HTTP request, and its answer.
type exchange struct {
	call
	w       http.ResponseWriter
	r       *http.Request
	format  format
	streams bool // whether the answer is a stream of events
}

// recover answers a panic. One that means to break the connection off may.
func (e *exchange) recover() {
	if cause := recover(); cause != nil {
		if cause == http.ErrAbortHandler { //nolint:errorlint // it is never wrapped
			panic(cause)
		}
		e.fail(panicked(&e.request, cause))
	}
}

// negotiate is whether the client takes an answer of ours. What is refused is no stream.
func (e *exchange) negotiate() (ok bool) {
	if e.format, ok = negotiate(e.r.Header); e.format == eventStream {
		e.streams, e.format = true, responseJSON
	}
	return ok
}

func (e *exchange) run(read reader) {
	if !e.negotiate() {
		e.fail(refuse(http.StatusNotAcceptable, fault.Invalid,
			"the Accept header takes none of application/graphql-response+json, application/json and text/event-stream"))
		return
	}
	if e.streams && e.r.Method == http.MethodHead {
		e.fail(refuse(http.StatusNotAcceptable, fault.Invalid, "HEAD gets no text/event-stream; ask with GET"))
		return
	}
	if err := e.read(read); err != nil {
		e.fail(err)
		return
	}
	opCtx, list := e.prepare()
	if len(list) == 0 {
		if err := e.admit(opCtx.Operation.Operation); err != nil {
			e.fail(err)
			return
		}
	}
	switch {
	case e.streams:
		e.stream(opCtx, list)
	case len(list) > 0:
		e.failAll(list)
	default:
		e.answer(e.once(opCtx))
	}
}

// read reads the request and leaves the buffer ready for the answer.
func (e *exchange) read(read reader) error {
	b := e.request.buffer
	if err := read(e.r, b, &e.params); err != nil {
		if _, isRefusal := errors.AsType[*refusal](err); !isRefusal {
			f, _ := errors.AsType[*fault.Error](err)
			return &refusal{http.StatusBadRequest, f}
		}
		return err
	}
	b.bytes = append(b.bytes[:0], beforeData...)
	return e.named()
}

// admit refuses operations that this way of asking cannot run.
func (e *exchange) admit(kind ast.Operation) error {
	switch {
	case kind == ast.Subscription && !e.streams:
		return fault.New(fault.Invalid, "a subscription has many answers: ask by WebSocket, or with Accept: text/event-stream")
	case kind == ast.Mutation && e.r.Method != http.MethodPost:
		e.w.Header()["Allow"] = []string{changing}
		return refuse(http.StatusMethodNotAllowed, fault.Invalid, "a mutation has to be sent by POST")
	}
	return nil
}

package graph

import (
	"context"
	"errors"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/fault"
)

// door is the one way in for all transports: what differs is how the request is read.
type door struct {
	limits    Limits
	presenter *presenter
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
	c := &call{door: d, w: w, r: r, exec: exec}
	c.request = request{Context: ctx, id: w.Header().Get(requestIDHeader), buffer: b}
	defer c.recover()
	c.run(read)
}

// refuse answers a request that is not even read.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	c := &call{door: d, w: w, r: r}
	c.request = request{Context: r.Context(), id: w.Header().Get(requestIDHeader), buffer: &buffer{}}
	c.format, _ = negotiate(r.Header)
	c.fail(err)
}

// call is one request on its way through the door.
type call struct {
	*door
	w       http.ResponseWriter
	r       *http.Request
	exec    graphql.GraphExecutor
	format  format
	params  graphql.RawParams
	request request
}

// recover answers a panic. One that means to break the connection off may.
func (c *call) recover() {
	if cause := recover(); cause != nil {
		if cause == http.ErrAbortHandler { //nolint:errorlint // it is never wrapped
			panic(cause)
		}
		c.fail(panicked(&c.request, cause))
	}
}

func (c *call) run(read reader) {
	var ok bool
	if c.format, ok = negotiate(c.r.Header); !ok {
		c.fail(refuse(http.StatusNotAcceptable, fault.Invalid,
			"the Accept header takes neither application/graphql-response+json nor application/json"))
		return
	}
	if err := c.read(read); err != nil {
		c.fail(err)
		return
	}
	opCtx, list := c.exec.CreateOperationContext(&c.request, &c.params)
	if len(list) > 0 {
		c.failAll(c.explained(opCtx, list))
		return
	}
	if err := c.admit(opCtx.Operation.Operation); err != nil {
		c.fail(err)
		return
	}
	responses, ctx := c.exec.DispatchOperation(&c.request, opCtx)
	// It has run. The executor would hide the answer if the time has ended since: a change
	// that was committed would be reported as late.
	response := responses(context.WithoutCancel(ctx))
	if response == nil {
		c.fail(fault.New(fault.Internal, "there is no response"))
		return
	}
	c.addCost(&c.request, opCtx, response)
	c.answer(response)
}

// read reads the request and leaves the buffer ready for the answer.
func (c *call) read(read reader) error {
	b := c.request.buffer
	if err := read(c.r, b, &c.params); err != nil {
		if _, isRefusal := errors.AsType[*refusal](err); !isRefusal {
			f, _ := errors.AsType[*fault.Error](err)
			return &refusal{http.StatusBadRequest, f}
		}
		return err
	}
	if c.params.Query == "" && c.params.Extensions["persistedQuery"] == nil && c.params.Extensions[documentID] == nil {
		return refuse(http.StatusBadRequest, fault.Invalid, "there is no query; send {\"query\": \"…\"}")
	}
	c.params.Headers = c.r.Header
	b.bytes = append(b.bytes[:0], beforeData...)
	return nil
}

// explained makes the executor's own errors say what to do.
func (c *call) explained(opCtx *graphql.OperationContext, list gqlerror.List) gqlerror.List {
	if opCtx.Doc != nil && opCtx.Operation == nil {
		return gqlerror.List{gqlerror.Wrap(unknownOperation(opCtx))}
	}
	return c.limits.tokens(list)
}

// admit refuses operations that this way of asking cannot run.
func (c *call) admit(kind ast.Operation) error {
	switch {
	case kind == ast.Subscription:
		return fault.New(fault.Invalid, "subscriptions are not served yet; ask again with a query")
	case kind == ast.Mutation && c.r.Method != http.MethodPost:
		c.w.Header()["Allow"] = []string{changing}
		return refuse(http.StatusMethodNotAllowed, fault.Invalid, "a mutation has to be sent by POST")
	}
	return nil
}

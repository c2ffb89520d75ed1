package graph

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/fault"
)

// beforeData stands before data in an answer without errors. It is in the buffer before Exec
// runs, so that data is not moved afterwards.
const beforeData = `{"data":`

// fail answers an error of the request: one without data.
func (e *exchange) fail(err error) { e.failAll(gqlerror.List{gqlerror.Wrap(err)}) }

func (e *exchange) failAll(list gqlerror.List) {
	shown := e.shown(list)
	status := statusOf(shown[0], e.format)
	if r, ok := list[0].Err.(*refusal); ok { //nolint:errorlint // fail wrapped it
		status = r.status
	}
	e.send(status, e.appendResponse(nil, &graphql.Response{Errors: shown}))
}

// answer answers an operation that ran. Response.Data is nil if it could not begin, and null
// if an error reached the root.
func (e *exchange) answer(response *graphql.Response) {
	switch {
	case response.Data == nil && len(response.Errors) > 0:
		e.send(statusOf(response.Errors[0], e.format), e.appendResponse(nil, response))
	case len(response.Errors) > 0: // data may stand in the buffer, so the answer is made elsewhere
		e.send(http.StatusOK, e.appendResponse(nil, response))
	default:
		e.send(http.StatusOK, e.withData(response))
	}
}

// withData is an answer without errors, made in the buffer.
func (e *exchange) withData(response *graphql.Response) []byte {
	b := e.request.buffer.bytes
	if data := response.Data; within(b, data) {
		b = b[:len(b)+len(data)]
	} else {
		b = append(b, data...)
	}
	b = append(e.appendExtensions(b, response.Extensions), '}')
	e.request.buffer.bytes = b
	return b
}

// within is whether data stands where bufferOf said, after what b holds.
func within(b []byte, data json.RawMessage) bool {
	return len(data) > 0 && cap(b)-len(b) >= len(data) && &b[:cap(b)][len(b)] == &data[0]
}

// appendResponse appends an answer, its errors first.
func (c *call) appendResponse(b []byte, response *graphql.Response) []byte {
	b = append(b, '{')
	if len(response.Errors) > 0 {
		b = append(append(b, `"errors":`...), c.errors(response.Errors)...)
	}
	if response.Data != nil {
		if len(response.Errors) > 0 {
			b = append(b, ',')
		}
		b = append(append(b, `"data":`...), response.Data...)
	}
	return append(c.appendExtensions(b, response.Extensions), '}')
}

// errors is list as JSON. A detail that has no JSON is our mistake.
func (c *call) errors(list gqlerror.List) []byte {
	b, err := json.Marshal(list)
	if err != nil {
		b, _ = json.Marshal(gqlerror.List{c.presenter.present(&c.request, //nolint:errchkjson // it has no path
			fault.Wrap(fault.Internal, err, "internal error"))})
	}
	return b
}

func (c *call) appendExtensions(b []byte, extensions map[string]any) []byte {
	if len(extensions) == 0 {
		return b
	}
	text, err := json.Marshal(extensions)
	if err != nil {
		_ = c.presenter.present(&c.request, err) // logs it; the answer is good without
		return b
	}
	return append(append(b, `,"extensions":`...), text...)
}

var nosniff = []string{"nosniff"}

// send writes the answer at once.
func (e *exchange) send(status int, body []byte) {
	h := e.w.Header()
	h["Content-Type"] = contentTypes[e.format]
	h["X-Content-Type-Options"] = nosniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	e.w.WriteHeader(status)
	if e.r.Method != http.MethodHead {
		_, _ = e.w.Write(body) // a client that went away cannot be told so
	}
}

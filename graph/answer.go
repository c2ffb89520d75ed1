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
func (c *call) fail(err error) { c.failAll(gqlerror.List{gqlerror.Wrap(err)}) }

func (c *call) failAll(list gqlerror.List) {
	var shown gqlerror.List
	for _, g := range list[:min(len(list), errorsShown)] {
		shown = append(shown, c.presenter.present(&c.request, g))
	}
	status := statusOf(shown[0], c.format)
	if r, ok := list[0].Err.(*refusal); ok { //nolint:errorlint // fail wrapped it
		status = r.status
	}
	c.send(status, c.withErrors(&graphql.Response{Errors: shown}))
}

// answer answers an operation that ran. Response.Data is nil if it could not begin, and null
// if an error reached the root.
func (c *call) answer(response *graphql.Response) {
	switch {
	case response.Data == nil && len(response.Errors) > 0:
		c.send(statusOf(response.Errors[0], c.format), c.withErrors(response))
	case len(response.Errors) > 0:
		c.send(http.StatusOK, c.withErrors(response))
	default:
		c.send(http.StatusOK, c.withData(response))
	}
}

// withData is an answer without errors, made in the buffer.
func (c *call) withData(response *graphql.Response) []byte {
	b := c.request.buffer.bytes
	if data := response.Data; within(b, data) {
		b = b[:len(b)+len(data)]
	} else {
		b = append(b, data...)
	}
	b = append(c.appendExtensions(b, response.Extensions), '}')
	c.request.buffer.bytes = b
	return b
}

// within is whether data stands where bufferOf said, after what b holds.
func within(b []byte, data json.RawMessage) bool {
	return len(data) > 0 && cap(b)-len(b) >= len(data) && &b[:cap(b)][len(b)] == &data[0]
}

// withErrors is an answer with errors, which come first. Data may stand in the buffer, so it is
// made elsewhere.
func (c *call) withErrors(response *graphql.Response) []byte {
	b := append([]byte(`{"errors":`), c.errors(response.Errors)...)
	if response.Data != nil {
		b = append(append(b, `,"data":`...), response.Data...)
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
func (c *call) send(status int, body []byte) {
	h := c.w.Header()
	h["Content-Type"] = contentTypes[c.format]
	h["X-Content-Type-Options"] = nosniff
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body) // a client that went away cannot be told so
	}
}

package graph

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/fault"
)

// dialect is how a subprotocol calls what both of them know.
type dialect struct {
	name     string
	receives map[string]func(*socket, *message) error // by the type of the message
	next     string                                   // the type of a response
	beat     string                                   // the message that keeps a connection open
	// failure is the payload of an error of an operation.
	failure func(gqlerror.List) any
	// refused is said before a socket is closed whose connection_init is refused; nil for nothing.
	refused func(reason string) []byte
}

// modern is https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
var modern = &dialect{
	name: "graphql-transport-ws",
	receives: map[string]func(*socket, *message) error{
		"connection_init": (*socket).open,
		"subscribe":       (*socket).start,
		"complete":        (*socket).stop,
		"ping":            (*socket).pong,
		"pong":            func(*socket, *message) error { return nil },
	},
	next:    "next",
	beat:    `{"type":"ping"}`,
	failure: func(list gqlerror.List) any { return list },
	refused: func(string) []byte { return nil },
}

// legacy is https://github.com/apollographql/subscriptions-transport-ws/blob/master/PROTOCOL.md.
var legacy = &dialect{
	name: "graphql-ws",
	receives: map[string]func(*socket, *message) error{
		"connection_init":      (*socket).open,
		"start":                (*socket).start,
		"stop":                 (*socket).stop,
		"connection_terminate": func(*socket, *message) error { return &goodbye{websocket.CloseNormalClosure, ""} },
	},
	next:    "data",
	beat:    `{"type":"ka"}`,
	failure: func(list gqlerror.List) any { return list[0] },
	refused: func(reason string) []byte {
		return []byte(`{"type":"connection_error","payload":{"message":` + string(quoted(reason)) + `}}`)
	},
}

// dialectOf is the best of the subprotocols that a client offers, nil for none of ours.
func dialectOf(r *http.Request) *dialect {
	for _, d := range []*dialect{modern, legacy} {
		if slices.Contains(websocket.Subprotocols(r), d.name) {
			return d
		}
	}
	return nil
}

// message is what a client sends.
type message struct {
	kind, id string
	payload  map[string]any
	raw      []byte // the payload as it stands, nil for none
}

// longestID is the longest id of an operation, in bytes: it is repeated in each answer.
const longestID = 256

// readMessage reads {"type": …, "id": …, "payload": {…}}. Other members are ignored.
func readMessage(in []byte) (*message, error) {
	d, m, seen := decoder{in: in}, &message{}, map[string]bool{}
	err := d.members(func(name string) (err error) {
		switch name {
		case "type", "id", "payload":
			if seen[name] {
				return d.failf("the member %q is given twice", name)
			}
			seen[name] = true
		}
		switch name {
		case "type":
			m.kind, err = d.textOrNull(name)
		case "id":
			m.id, err = d.textOrNull(name)
		case "payload":
			d.space()
			start := d.at
			if m.payload, err = d.objectOrNull(name); m.payload != nil {
				m.raw = in[start:d.at]
			}
		default:
			_, err = d.value()
		}
		return err
	})
	if err == nil {
		err = d.end()
	}
	if err == nil && len(m.id) > longestID {
		err = fault.New(fault.Invalid, "the id is %d bytes long; %d are the most", len(m.id), longestID)
	}
	return m, err
}

// quoted is text as JSON.
func quoted(text string) []byte {
	b, _ := json.Marshal(text) //nolint:errchkjson // of a string
	return b
}

// head is the beginning of a message about an operation.
func head(id, kind string) []byte {
	b := append([]byte(`{"id":`), quoted(id)...)
	return append(append(append(b, `,"type":"`...), kind...), '"')
}

// encode is a parcel as messages.
func (s *socket) encode(p *parcel) (messages [][]byte) {
	if p.message != nil {
		return [][]byte{p.message}
	}
	if p.response != nil && p.response.Data == nil && len(p.response.Errors) > 0 {
		p.response, p.failed = nil, p.response.Errors // it could not begin
	}
	if p.response != nil {
		b := append(head(p.task.id, s.dialect.next), `,"payload":`...)
		messages = append(messages, append(p.task.appendResponse(b, p.response), '}'))
	}
	switch {
	case len(p.failed) > 0:
		messages = append(messages, s.failed(p.task, p.failed))
	case p.done:
		messages = append(messages, append(head(p.task.id, "complete"), '}'))
	}
	return messages
}

// failed is the message of an operation that could not begin, or broke off.
func (s *socket) failed(t *task, list gqlerror.List) []byte {
	payload, err := json.Marshal(s.dialect.failure(list))
	if err != nil { // a detail that has no JSON
		return s.failed(t, t.shown(gqlerror.List{gqlerror.Wrap(fault.Wrap(fault.Internal, err, "internal error"))}))
	}
	b := append(head(t.id, "error"), `,"payload":`...)
	return append(append(b, payload...), '}')
}

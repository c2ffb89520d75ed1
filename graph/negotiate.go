package graph

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// format is how an answer is labelled, which decides the status of one that failed.
type format uint8

// The formats of the GraphQL-over-HTTP draft, and that of the GraphQL-over-SSE protocol.
const (
	plainJSON    format = iota // application/json
	responseJSON               // application/graphql-response+json
	eventStream                // text/event-stream
)

// The headers are shared by all answers; nobody changes them.
var contentTypes = [...][]string{
	plainJSON:    {"application/json; charset=utf-8"},
	responseJSON: {"application/graphql-response+json; charset=utf-8"},
	eventStream:  {"text/event-stream; charset=utf-8"},
}

// negotiate is the format that a client asks for; false if it takes none of ours.
func negotiate(h http.Header) (format, bool) {
	accept := h["Accept"]
	switch {
	case len(accept) == 0:
		return plainJSON, true
	case len(accept) > 1:
		return weigh(strings.Join(accept, ","))
	}
	switch accept[0] {
	case "", "*/*", "application/json":
		return plainJSON, true
	case "application/graphql-response+json":
		return responseJSON, true
	case "text/event-stream":
		return eventStream, true
	}
	return weigh(accept[0])
}

// offer is how much a client wants one format.
type offer struct {
	quality  float64
	specific int // 0 for not named, then */*, application/*, and by its own name
	position int
}

// weigh finds the wanted one among weighed media types: the higher quality, then the one that
// is named before the other.
func weigh(accept string) (format, bool) {
	var offers [len(contentTypes)]offer
	for position, part := range strings.Split(accept, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, given := params["q"]; given {
			quality, _ = strconv.ParseFloat(q, 64)
		}
		for f := range offers {
			if s := specific(kind, format(f)); s > offers[f].specific {
				offers[f] = offer{quality, s, position}
			}
		}
	}
	best := plainJSON
	for f, o := range offers {
		if now := offers[best]; o.quality > now.quality || o.quality == now.quality && o.position < now.position {
			best = format(f)
		}
	}
	return best, offers[best].quality > 0
}

// specific is how closely a media type names f. A stream is for who asks for one.
func specific(kind string, f format) int {
	if f == eventStream {
		if kind == "text/event-stream" {
			return 3
		}
		return 0
	}
	switch kind {
	case "*/*":
		return 1
	case "application/*":
		return 2
	case "application/json":
		if f == plainJSON {
			return 3
		}
	case "application/graphql-response+json":
		if f == responseJSON {
			return 3
		}
	}
	return 0
}

package graph

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// request is the one value that an operation takes down through its context.
type request struct {
	context.Context //nolint:containedctx // it is a context
	id              string
	buffer          *buffer
	document        *document // by the query cache
	each            bool      // see sendEach
}

type requestKey struct{}

// Value makes a request a context that holds itself.
func (r *request) Value(key any) any {
	if key == (requestKey{}) {
		return r
	}
	return r.Context.Value(key)
}

// under puts the request under another context.
func (r *request) under(ctx context.Context) { r.Context = ctx }

// requestOf is the request of ctx; an empty one where there is none.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{Context: ctx}
}

// buffer takes first the body of a request and then its answer.
type buffer struct{ bytes []byte }

// grow makes room for n more bytes.
func (b *buffer) grow(n int) { b.bytes = slices.Grow(b.bytes, n) }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 4<<10)} }}

// largestKept is the largest buffer worth keeping: one large answer must not hold its memory
// for ever.
const largestKept = 1 << 20

func (b *buffer) release() {
	if cap(b.bytes) <= largestKept {
		b.bytes = b.bytes[:0]
		buffers.Put(b)
	}
}

// bufferOf is where Exec appends the bytes of data: empty, with the room that earlier answers
// needed. As long as they fit they are sent without being copied.
func bufferOf(ctx context.Context) []byte {
	b := requestOf(ctx).buffer
	if b == nil {
		return nil
	}
	return b.bytes[len(b.bytes):]
}

// sendEach says that the responses of a subscription are events, each of which has to be sent: the next is
// not asked for before. Without it they are states, and of those that a client is too slow for only the
// newest is sent.
func sendEach(ctx context.Context) { requestOf(ctx).each = true }

// operationOf is the operation that is being run, with what was computed once for it.
func operationOf(ctx context.Context) *operation {
	opCtx := graphql.GetOperationContext(ctx)
	r := requestOf(ctx)
	if r.document == nil {
		r.document = newDocument(opCtx.Doc)
	}
	return r.document.operation(opCtx.Operation)
}

const requestIDHeader = "X-Request-Id"

// identify gives a request its id and answers it: the one that a middleware already answers,
// else the client's if it is harmless, else a new one. It only has to be told apart in a log.
func identify(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if len(h[requestIDHeader]) > 0 {
		return
	}
	if given := r.Header[requestIDHeader]; len(given) == 1 && harmless(given[0]) {
		h[requestIDHeader] = given
		return
	}
	h[requestIDHeader] = []string{strconv.FormatUint(rand.Uint64(), 36)} //nolint:gosec // told apart in a log, not guessed
}

// harmless is whether a client's id can stand in a log and a header.
func harmless(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return 0 < len(id) && len(id) <= 64
}

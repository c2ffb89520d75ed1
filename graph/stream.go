package graph

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
)

// events is an answer as server-sent events, one operation a request: the "distinct connections
// mode" of the GraphQL-over-SSE protocol. A stream that breaks off without the event complete is one to
// ask for again.
type events struct {
	*exchange
	outbox
	task *task
	out  *http.ResponseController
}

var _ client = (*events)(nil)

// stream answers with a stream: what the operation gives, or the errors for which it cannot begin. A
// browser's EventSource shows its page the body of 200 only.
func (e *exchange) stream(opCtx *graphql.OperationContext, list gqlerror.List) {
	ctx, cancel := context.WithCancel(e.r.Context())
	defer cancel()
	s := &events{exchange: e, out: http.NewResponseController(e.w)}
	s.task = &task{call: &e.call, cancel: cancel}
	s.task.endless = opCtx != nil && opCtx.Operation.Operation == ast.Subscription
	s.init()
	if err := e.clients.enter(s); err != nil {
		e.fail(err)
		return
	}
	defer e.clients.exit(s)
	caller := auth.From(ctx)
	if err := e.clients.claim(s, caller); err != nil {
		e.fail(err)
		return
	}
	if until := caller.Until(); !until.IsZero() {
		defer time.AfterFunc(until.Sub(caller.Now), s.drop).Stop()
	}
	e.request.under(ctx)
	defer context.AfterFunc(ctx, s.shutDown)()
	if len(list) > 0 {
		s.finish(s.task, e.shown(list))
		s.write()
		return
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		defer s.rescue(s.task)
		s.perform(s.task, opCtx)
	})
	s.write()
}

// leave implements client.
func (s *events) leave() {
	if s.task.endless { // nobody changes it
		s.drop()
	}
}

// drop implements client.
func (s *events) drop() {
	s.shutDown() // first: the end of the task is not to be told
	s.task.cancel()
}

// comment is an event that is none. It keeps a connection open that somebody else would end.
const comment = ":\n\n"

// write sends what there is to send until the operation has ended, or the client or the server wants no
// more.
func (s *events) write() {
	h := s.w.Header()
	h["Content-Type"] = contentTypes[eventStream]
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = uncached
	h["X-Accel-Buffering"] = []string{"no"} // asks nginx to hand events on as they come
	s.w.WriteHeader(http.StatusOK)
	_ = s.out.SetReadDeadline(time.Time{}) // the request is read, and its time must not end the stream
	beat := time.NewTicker(s.pace.beat)
	defer beat.Stop()
	err := s.send([]byte(comment))
	for done := false; err == nil && !done; {
		select {
		case <-beat.C:
			err = s.send([]byte(comment))
		case <-s.news:
			done, err = s.flush()
		}
	}
	if err == nil {
		_ = s.out.SetWriteDeadline(time.Time{}) // it is not the next request's
	}
}

// flush sends what waits. It says whether that was the last.
func (s *events) flush() (done bool, err error) {
	for p := s.take(); p != nil; p = s.take() {
		if err := s.send(s.encode(p)); err != nil || p.done {
			return true, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shut, nil
}

// encode is a parcel as events.
func (s *events) encode(p *parcel) (text []byte) {
	if p.response != nil {
		text = s.appendNext(text, p.response)
	}
	if len(p.failed) > 0 {
		text = s.appendNext(text, &graphql.Response{Errors: p.failed})
	}
	if p.done {
		text = append(text, "event: complete\ndata:\n\n"...)
	}
	return text
}

// appendNext appends a response in one line: a line break of JSON is white space.
func (s *events) appendNext(text []byte, response *graphql.Response) []byte {
	text = append(text, "event: next\ndata: "...)
	start := len(text)
	text = s.appendResponse(text, response)
	for i := start; i < len(text); i++ {
		if text[i] == '\n' || text[i] == '\r' {
			text[i] = ' '
		}
	}
	return append(text, "\n\n"...)
}

// send writes events, or gives the client up.
func (s *events) send(text []byte) error {
	// A connection that cannot have a deadline is not one over a network.
	if err := s.out.SetWriteDeadline(time.Now().Add(s.pace.write)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := s.w.Write(text); err != nil {
		return err
	}
	return s.out.Flush()
}

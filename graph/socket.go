package graph

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"spacecloud/auth"
	"spacecloud/fault"
)

// pace is how long we wait for clients who stay.
type pace struct {
	open   time.Duration // from the upgrade to connection_init
	beat   time.Duration // between two signs of life of ours; without one of theirs in two of them they are gone
	write  time.Duration // until a client has taken what is sent
	linger time.Duration // until a client has closed its side, too
}

var usualPace = pace{open: 10 * time.Second, beat: 20 * time.Second, write: 10 * time.Second, linger: 2 * time.Second}

// The codes that a WebSocket is closed with, of the protocol graphql-transport-ws and of RFC 6455.
const (
	closeBadMessage     = 4400
	closeUnauthorized   = 4401
	closeForbidden      = 4403
	closeSubprotocol    = 4406
	closeInitTimeout    = 4408
	closeDuplicate      = 4409
	closeTooManyInits   = 4429
	closeComeBack       = websocket.CloseServiceRestart // clients try again, at once
	closeTooManySockets = websocket.CloseTryAgainLater
	closeInternal       = websocket.CloseInternalServerErr
)

// goodbye is why a WebSocket is closed.
type goodbye struct {
	code   int
	reason string
}

func (g *goodbye) Error() string { return strconv.Itoa(g.code) + " " + g.reason }

// upgrade is the graphql.Transport of WebSockets.
type upgrade struct{ *door }

// Supports implements graphql.Transport.
func (upgrade) Supports(r *http.Request) bool { return websocket.IsWebSocketUpgrade(r) }

// writeBuffers are for the time of a write: most sockets are idle most of the time.
var writeBuffers sync.Pool

// Do implements graphql.Transport.
func (t upgrade) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	s := &socket{door: t.door, exec: exec, r: r, id: w.Header().Get(requestIDHeader), dialect: dialectOf(r), tasks: map[string]*task{}}
	if err := t.clients.enter(s); err != nil {
		t.refuse(w, r, err)
		return
	}
	defer t.clients.exit(s)
	header := http.Header{requestIDHeader: {s.id}}
	if s.dialect != nil {
		header["Sec-Websocket-Protocol"] = []string{s.dialect.name}
	}
	upgrader := websocket.Upgrader{
		HandshakeTimeout: t.pace.write,
		WriteBufferPool:  &writeBuffers,
		CheckOrigin:      func(*http.Request) bool { return true }, // the gate has
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			w.Header()["Sec-Websocket-Version"] = []string{"13"}
			t.refuse(w, r, refuse(status, fault.Invalid, "%s", reason.Error()))
		},
	}
	conn, err := upgrader.Upgrade(w, r, header)
	if err != nil {
		return // it is answered
	}
	s.conn = conn
	s.serve()
}

// socket is one WebSocket. Who reads from it is the handler of its request; another goroutine writes,
// and each operation has one of its own.
type socket struct {
	*door
	outbox
	exec    graphql.GraphExecutor
	r       *http.Request
	conn    *websocket.Conn
	id      string // of the request
	dialect *dialect
	ctx     context.Context //nolint:containedctx // ends with the socket, as its operations do
	cancel  context.CancelFunc
	running sync.WaitGroup

	// Of who reads.
	opening *time.Timer    // until connection_init
	payload map[string]any // of connection_init
	began   int            // how many operations

	opened  bool             // guarded by mu
	tasks   map[string]*task // by id; guarded by mu
	leaving bool             // guarded by mu
	last    *goodbye         // guarded by mu
	expiry  *time.Timer      // guarded by mu; nil for a caller who does not expire
}

var _ client = (*socket)(nil)

// serve is the life of a socket. When it returns nothing is left of it.
func (s *socket) serve() {
	s.init()
	s.ctx, s.cancel = context.WithCancel(s.r.Context())
	defer s.end()
	defer func() { s.survive(recover()) }()
	s.running.Go(s.write)
	s.conn.SetReadLimit(int64(s.limits.Body))
	s.conn.SetPongHandler(func(string) error { s.alive(); return nil })
	s.alive()
	s.opening = time.AfterFunc(s.pace.open, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	defer s.opening.Stop()
	if s.dialect == nil {
		s.close(closeSubprotocol, "the subprotocols here are graphql-transport-ws and graphql-ws")
	}
	s.read()
}

// end waits until nothing of the socket runs any more.
func (s *socket) end() {
	s.drop()
	s.running.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.expiry != nil {
		s.expiry.Stop()
	}
}

// drop implements client.
func (s *socket) drop() {
	s.shutDown()
	s.cancel()
	_ = s.conn.Close() // it may be already
}

// survive ends a socket that panics, and nothing else.
func (s *socket) survive(cause any) (panics bool) {
	if cause != nil {
		text := websocket.FormatCloseMessage(closeInternal, s.reason(panicked(s.r.Context(), cause)))
		_ = s.conn.WriteControl(websocket.CloseMessage, text, time.Now().Add(s.pace.linger)) // or it is gone
	}
	return cause != nil
}

// read reads messages until the connection ends. What comes after a goodbye of ours is not looked at.
func (s *socket) read() {
	for {
		kind, in, err := s.conn.ReadMessage()
		if err != nil {
			s.drain(err)
			return
		}
		if !s.alive() {
			continue
		}
		if err := s.receive(kind, in); err != nil {
			g, ok := errors.AsType[*goodbye](err)
			if !ok {
				g = &goodbye{closeBadMessage, s.reason(err)}
			}
			s.close(g.code, g.reason)
		}
	}
}

// drain reads on after a frame that is broken or too large, which the package has said goodbye for.
func (s *socket) drain(err error) {
	if websocket.IsUnexpectedCloseError(err) || websocket.IsCloseError(err) {
		return
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) {
		return
	}
	s.close(websocket.CloseProtocolError, "")
	if s.conn.NetConn().SetReadDeadline(time.Now().Add(s.pace.linger)) == nil {
		_, _ = io.Copy(io.Discard, s.conn.NetConn())
	}
}

// alive gives the client time until its next sign of life. It says whether we still listen.
func (s *socket) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		return false
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(2*s.pace.beat + s.pace.write)) // fails where the next read will
	return true
}

func (s *socket) receive(kind int, in []byte) error {
	if kind != websocket.TextMessage {
		return fault.New(fault.Invalid, "messages are text")
	}
	m, err := readMessage(in)
	if err != nil {
		return err
	}
	do, known := s.dialect.receives[m.kind]
	if !known {
		return fault.New(fault.Invalid, "%q is not a type of messages of clients in %s", brief(m.kind), s.dialect.name)
	}
	return do(s, m)
}

// who is the caller now. It is looked at for each operation: a key may be gone that was good when the
// socket was opened, and "now" in rules is then.
func (s *socket) who() (*auth.Caller, error) {
	if s.caller == nil {
		return auth.From(s.r.Context()), nil
	}
	caller, err := s.caller(s.r, s.payload)
	if err == nil {
		return caller, nil
	}
	if kind := fault.KindOf(err); kind != fault.Unauthenticated && kind != fault.Denied {
		return nil, &goodbye{closeInternal, s.reason(err)}
	}
	return nil, &goodbye{closeForbidden, s.reason(err)}
}

// reason is what a client is told of an error.
func (s *socket) reason(err error) string { return s.presenter.present(s.r.Context(), err).Message }

// open answers connection_init.
func (s *socket) open(m *message) error {
	if s.isOpen() {
		return &goodbye{closeTooManyInits, "Too many initialisation requests"}
	}
	s.opening.Stop()
	s.payload = m.payload
	caller, err := s.who()
	if err == nil {
		if failed := s.clients.claim(s, caller); failed != nil {
			err = &goodbye{closeTooManySockets, s.reason(failed)}
		}
	}
	if g, refused := errors.AsType[*goodbye](err); refused {
		if text := s.dialect.refused(g.reason); text != nil {
			s.say(text)
		}
		return err
	}
	s.mu.Lock()
	s.opened = true
	if until := caller.Until(); !until.IsZero() {
		s.expiry = time.AfterFunc(until.Sub(caller.Now), func() { s.close(closeForbidden, "the token has expired") })
	}
	s.mu.Unlock()
	s.say([]byte(`{"type":"connection_ack"}`))
	return nil
}

func (s *socket) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

// pong answers a ping.
func (s *socket) pong(m *message) error {
	text := `{"type":"pong"}`
	if m.raw != nil {
		text = `{"type":"pong","payload":` + string(m.raw) + `}`
	}
	s.say([]byte(text))
	return nil
}

// start begins an operation. What POST refuses as a request is a bad message here.
func (s *socket) start(m *message) error {
	if !s.isOpen() {
		return &goodbye{closeUnauthorized, "Unauthorized"}
	}
	if m.id == "" {
		return fault.New(fault.Invalid, "an operation needs an id")
	}
	t := &task{id: m.id, call: &call{door: s.door, exec: s.exec, header: s.r.Header}}
	if err := decodeParams(m.raw, &t.params); err != nil {
		return err
	}
	if err := t.named(); err != nil {
		return err
	}
	who, err := s.who()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(auth.With(s.ctx, who))
	t.cancel = cancel
	s.began++
	t.request = request{Context: ctx, id: s.id + "." + strconv.Itoa(s.began)}
	if started, err := s.enlist(t); !started {
		cancel()
		return err
	}
	s.running.Go(func() { s.run(t) })
	return nil
}

// enlist takes a task in, unless there is one of that id, or the socket is about to be closed.
func (s *socket) enlist(t *task) (bool, error) {
	s.mu.Lock()
	_, twice := s.tasks[t.id]
	count, leaving := len(s.tasks), s.leaving
	if !twice && !leaving && count < s.limits.Operations {
		s.tasks[t.id] = t
		s.mu.Unlock()
		return true, nil
	}
	s.mu.Unlock()
	switch {
	case twice:
		return false, &goodbye{closeDuplicate, "Subscriber for " + t.id + " already exists"}
	case !leaving:
		s.say(s.failed(t, t.shown(gqlerror.List{gqlerror.Wrap(exceeded("operations", s.limits.Operations, int64(count)+1,
			"there are %d operations on the WebSocket already", count))})))
	}
	return false, nil
}

// run runs a task, if it passes what is checked.
func (s *socket) run(t *task) {
	defer t.cancel()
	defer s.rescue(t)
	opCtx, list := t.prepare()
	switch {
	case len(list) > 0:
		s.finish(t, t.shown(list))
	case opCtx.Operation.Operation != ast.Subscription:
		t.request.buffer = buffers.Get().(*buffer) //nolint:forcetypeassert // nothing else is put there
		s.perform(t, opCtx)
	case s.mayStay(t):
		s.perform(t, opCtx)
	}
}

// mayStay is whether a subscription may begin.
func (s *socket) mayStay(t *task) bool {
	s.mu.Lock()
	t.endless = true
	leaving := s.leaving
	s.mu.Unlock()
	if leaving {
		s.discard(t)
	}
	return !leaving
}

// stop ends an operation that the client wants no longer.
func (s *socket) stop(m *message) error {
	s.mu.Lock()
	t := s.tasks[m.id]
	s.mu.Unlock()
	if t != nil {
		s.discard(t)
	}
	return nil
}

// discard ends a task of which nobody wants to hear.
func (s *socket) discard(t *task) {
	s.forget(t)
	s.release(t)
}

// release makes room for another task.
func (s *socket) release(t *task) {
	s.mu.Lock()
	if s.tasks[t.id] == t {
		delete(s.tasks, t.id)
	}
	s.mu.Unlock()
	s.part()
}

// leave implements client.
func (s *socket) leave() {
	s.mu.Lock()
	s.leaving = true
	all := slices.Collect(maps.Values(s.tasks))
	all = slices.DeleteFunc(all, func(t *task) bool { return !t.endless })
	s.mu.Unlock()
	for _, t := range all {
		s.discard(t)
	}
	s.part()
}

// part closes a socket that is to leave when all that had to finish has, and the client has it.
func (s *socket) part() {
	s.mu.Lock()
	ready := s.leaving && len(s.tasks) == 0
	s.mu.Unlock()
	if ready {
		s.close(closeComeBack, comeBack)
	}
}

// close says goodbye: what waits of operations is not sent any more, nor that they end.
func (s *socket) close(code int, reason string) {
	defer s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last != nil {
		return
	}
	s.last = &goodbye{code, reason}
	s.sealed = true
	s.queue = slices.DeleteFunc(s.queue, func(p *parcel) bool { return p.task != nil })
	s.taken.Broadcast()
	s.tell()
}

// write writes what there is to say, until the last of it.
func (s *socket) write() {
	defer func() {
		if s.survive(recover()) {
			s.drop()
		}
	}()
	beat := time.NewTicker(s.pace.beat)
	defer beat.Stop()
	for more := true; more; {
		var err error
		select {
		case <-beat.C:
			err = s.beat()
		case <-s.news:
			more, err = s.flush()
		}
		if err != nil {
			s.drop()
			return
		}
	}
}

// beat is a sign of life, and asks for one: in the protocol for programs that watch for it, and in a frame that
// every WebSocket answers.
func (s *socket) beat() error {
	if s.isOpen() {
		if err := s.send([]byte(s.dialect.beat)); err != nil {
			return err
		}
	}
	return s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(s.pace.write))
}

// flush sends what waits. It says whether there may be more.
func (s *socket) flush() (more bool, err error) {
	for p := s.take(); p != nil; p = s.take() {
		if p.done { // before the client knows and takes the id again
			s.release(p.task)
		}
		for _, text := range s.encode(p) {
			if err := s.send(text); err != nil {
				return false, err
			}
		}
		if p.done && p.task.request.buffer != nil {
			p.task.request.buffer.release()
		}
	}
	s.mu.Lock()
	last, shut := s.last, s.shut
	s.mu.Unlock()
	if last == nil || shut {
		return !shut, nil
	}
	return false, s.bye(last)
}

// bye sends the goodbye, and gives the client some time to close its side: a connection that is closed before
// all that came on it was read may lose what was sent last.
func (s *socket) bye(g *goodbye) error {
	text := websocket.FormatCloseMessage(g.code, shorten(g.reason))
	if err := s.conn.WriteControl(websocket.CloseMessage, text, time.Now().Add(s.pace.write)); err != nil && !errors.Is(err, websocket.ErrCloseSent) {
		return err
	}
	return s.conn.SetReadDeadline(time.Now().Add(s.pace.linger))
}

// longestReason is that of RFC 6455, in bytes.
const longestReason = 123

// shorten makes a reason fit into a frame.
func shorten(reason string) string {
	if len(reason) <= longestReason {
		return reason
	}
	cut := longestReason - len("…")
	for cut > 0 && reason[cut]&0xC0 == 0x80 { // within a character
		cut--
	}
	return reason[:cut] + "…"
}

// send writes a message, or gives the client up.
func (s *socket) send(text []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.pace.write)); err != nil {
		return err
	}
	return s.conn.WriteMessage(websocket.TextMessage, text)
}

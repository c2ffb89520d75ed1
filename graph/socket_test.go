package graph

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gorilla/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/generator"
)

const streamSDL = testSDL + ` type Subscription { posts(limit: Int! = 100, where: PostWhere): [Post!]! }`

// feed is an executable schema whose subscriptions are what a test says.
type feed struct {
	*executable
	answer func(context.Context) graphql.ResponseHandler
}

func (f feed) Exec(ctx context.Context) graphql.ResponseHandler {
	if f.answer != nil && !introspects(ctx) {
		return f.answer(ctx)
	}
	return fake{executable: f.executable}.Exec(ctx)
}

func introspects(ctx context.Context) bool {
	return graphql.GetOperationContext(ctx).RawQuery == "{__typename}"
}

// place is a server on a real connection.
type place struct {
	*httptest.Server
	t     testing.TB
	graph *Server
}

// serving serves what answer says to operations other than {__typename}.
func serving(t testing.TB, o Options, p pace, answer func(context.Context) graphql.ResponseHandler) *place {
	t.Helper()
	s, err := validator.LoadSchema(validator.Prelude, &ast.Source{Input: streamSDL})
	if err != nil {
		t.Fatal(err)
	}
	o.API = &generator.API{SDL: streamSDL, Schema: s}
	if o.Log == nil {
		o.Log = quiet
	}
	o = o.withDefaults()
	server, err := serve(o, feed{newExecutable(o), answer})
	if err != nil {
		t.Fatal(err)
	}
	server.door.pace = p
	w := &place{httptest.NewServer(server), t, server}
	t.Cleanup(w.Close)
	return w
}

// Close sees to it that nothing is left of the clients.
func (w *place) Close() {
	w.t.Helper()
	w.CloseClientConnections()
	w.Server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.graph.Close(ctx)
	// The function of a timer may still be at its end.
	left := goroutines()
	for deadline := time.Now().Add(5 * time.Second); left != "" && time.Now().Before(deadline); left = goroutines() {
		runtime.Gosched()
	}
	if left != "" {
		w.t.Errorf("goroutines are left\n%s", left)
	}
	if cs := w.graph.door.clients; len(cs.open)+len(cs.held) > 0 {
		w.t.Errorf("clients are left: %v %v", cs.open, cs.held)
	}
}

// goroutines are those of clients who stay.
func goroutines() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, of := range []string{"graph.(*socket)", "graph.(*outbox)", "graph.(*events)"} {
		if strings.Contains(string(stacks), of) {
			return string(stacks)
		}
	}
	return ""
}

// line is the client of a WebSocket.
type line struct {
	*websocket.Conn
	t testing.TB
}

func (w *place) dial(protocol string, header ...string) line {
	w.t.Helper()
	d := websocket.Dialer{}
	if protocol != "" {
		d.Subprotocols = strings.Split(protocol, ",")
	}
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h[header[i]] = []string{header[i+1]}
	}
	conn, _, err := d.Dial("ws"+strings.TrimPrefix(w.URL, "http")+"/graphql", h)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	return line{conn, w.t}
}

// opened is a line that has been acknowledged.
func (w *place) opened(protocol string) line {
	w.t.Helper()
	c := w.dial(protocol)
	c.say(`{"type":"connection_init"}`)
	c.hear(`{"type":"connection_ack"}`)
	return c
}

func (c line) say(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if err := c.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			c.t.Fatal(err)
		}
	}
}

// next is the next message.
func (c line) next() string {
	c.t.Helper()
	_, text, err := c.ReadMessage()
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}

func (c line) hear(want ...string) {
	c.t.Helper()
	for _, each := range want {
		if got := c.next(); got != each {
			c.t.Fatalf("heard\n%s\nwant\n%s", got, each)
		}
	}
}

// closed is the code and the reason with which the server closes.
func (c line) closed() (code int, reason string) {
	c.t.Helper()
	for {
		_, text, err := c.ReadMessage()
		if ce, ok := errors.AsType[*websocket.CloseError](err); ok {
			return ce.Code, ce.Text
		}
		if err != nil {
			c.t.Fatal(err)
		}
		if strings.Contains(string(text), `"complete"`) {
			c.t.Errorf("before it was closed: %s", text) // a client would not ask again
		}
	}
}

// source is a subscription that gives what is put into it, and tells when it is over.
type source struct {
	in    chan string
	ended chan struct{}
}

func newSource() *source { return &source{in: make(chan string), ended: make(chan struct{}, 1)} }

func (s *source) handler(ctx context.Context) graphql.ResponseHandler {
	context.AfterFunc(ctx, func() {
		select {
		case s.ended <- struct{}{}:
		default:
		}
	})
	return func(ctx context.Context) *graphql.Response {
		select {
		case data, ok := <-s.in:
			if ok {
				return &graphql.Response{Data: json.RawMessage(data)}
			}
		case <-ctx.Done():
		}
		return nil
	}
}

const (
	modernName = "graphql-transport-ws"
	legacyName = "graphql-ws"
	initFrame  = `{"type":"connection_init"}`
	slowFrame  = `{"id":"1","type":"subscribe","payload":{"query":"subscription{posts{id}}"}}`
)

func TestCloseCodes(t *testing.T) {
	hurried := usualPace
	hurried.open = 20 * time.Millisecond
	refusing := func(_ *http.Request, payload map[string]any) (*auth.Caller, error) {
		switch payload["token"] {
		case "bad":
			return nil, fault.Wrap(fault.Unauthenticated, errors.New("hunter2"), "the token is not valid")
		case "broken":
			return nil, errors.New("the password is hunter2")
		}
		return &auth.Caller{}, nil
	}
	subscribe := func(payload string) string { return `{"id":"1","type":"subscribe","payload":` + payload + `}` }
	for name, c := range map[string]struct {
		protocol string
		frames   []string
		code     int
		reason   string
	}{
		"not JSON":                 {modernName, []string{"hello"}, 4400, "malformed JSON at line 1, column 1: 'h' where an object should be"},
		"cut off":                  {modernName, []string{`{"type":`}, 4400, "malformed JSON at line 1, column 9: it ends where a value should be"},
		"a list":                   {modernName, []string{`[]`}, 4400, "malformed JSON at line 1, column 1: '[' where an object should be"},
		"empty":                    {modernName, []string{``}, 4400, "malformed JSON at line 1, column 1: it ends where an object should be"},
		"two":                      {modernName, []string{initFrame + initFrame}, 4400, "malformed JSON at line 1, column 27: '{' where the end should be"},
		"member twice":             {modernName, []string{`{"type":"ping","type":"pong"}`}, 4400, `malformed JSON at line 1, column 23: the member "type" is given twice`},
		"not UTF-8":                {modernName, []string{"{\"type\":\"\xff\"}"}, 4400, "malformed JSON at line 1, column 10: the byte 0xff is not UTF-8"},
		"no type":                  {modernName, []string{`{}`}, 4400, `"" is not a type of messages of clients in graphql-transport-ws`},
		"unknown type":             {modernName, []string{`{"type":"start"}`}, 4400, `"start" is not a type of messages of clients in graphql-transport-ws`},
		"type of a server":         {modernName, []string{`{"type":"connection_ack"}`}, 4400, `"connection_ack" is not a type of messages of clients in graphql-transport-ws`},
		"type of the other":        {legacyName, []string{`{"type":"subscribe"}`}, 4400, `"subscribe" is not a type of messages of clients in graphql-ws`},
		"long type":                {modernName, []string{`{"type":"` + strings.Repeat("é", 300) + `"}`}, 4400, `"` + strings.Repeat("é", 59) + "…"},
		"type a number":            {modernName, []string{`{"type":1}`}, 4400, "type is a number; it has to be a string"},
		"payload a list":           {modernName, []string{`{"type":"connection_init","payload":[]}`}, 4400, "payload is a list; it has to be an object"},
		"no id":                    {modernName, []string{initFrame, `{"type":"subscribe","payload":{"query":"{__typename}"}}`}, 4400, "an operation needs an id"},
		"long id":                  {modernName, []string{initFrame, `{"id":"` + strings.Repeat("a", 257) + `","type":"subscribe"}`}, 4400, "the id is 257 bytes long; 256 are the most"},
		"no payload":               {modernName, []string{initFrame, `{"id":"1","type":"subscribe"}`}, 4400, `the body is empty; send {"query": "…"}`},
		"no query":                 {modernName, []string{initFrame, subscribe(`{}`)}, 4400, `there is no query; send {"query": "…"}`},
		"query a number":           {modernName, []string{initFrame, subscribe(`{"query":1}`)}, 4400, "query is a number; it has to be a string"},
		"variables a list":         {modernName, []string{initFrame, subscribe(`{"query":"{a}","variables":[]}`)}, 4400, "variables is a list; it has to be an object"},
		"subscribe before init":    {modernName, []string{slowFrame}, 4401, "Unauthorized"},
		"start before init":        {legacyName, []string{strings.Replace(slowFrame, "subscribe", "start", 1)}, 4401, "Unauthorized"},
		"bad token":                {modernName, []string{`{"type":"connection_init","payload":{"token":"bad"}}`}, 4403, "the token is not valid"},
		"broken verifier":          {modernName, []string{`{"type":"connection_init","payload":{"token":"broken"}}`}, 1011, "internal error"},
		"bad token, legacy":        {legacyName, []string{`{"type":"connection_init","payload":{"token":"bad"}}`}, 4403, "the token is not valid"},
		"no subprotocol":           {"", nil, 4406, "the subprotocols here are graphql-transport-ws and graphql-ws"},
		"another subprotocol":      {"soap", nil, 4406, "the subprotocols here are graphql-transport-ws and graphql-ws"},
		"no init in time":          {modernName, nil, 4408, "Connection initialisation timeout"},
		"pings are no init":        {modernName, []string{`{"type":"ping"}`}, 4408, "Connection initialisation timeout"},
		"duplicate id":             {modernName, []string{initFrame, slowFrame, slowFrame}, 4409, "Subscriber for 1 already exists"},
		"init twice":               {modernName, []string{initFrame, initFrame}, 4429, "Too many initialisation requests"},
		"terminate":                {legacyName, []string{initFrame, `{"type":"connection_terminate"}`}, 1000, ""},
		"a large message":          {modernName, []string{initFrame, `{"type":"ping","payload":{"a":"` + strings.Repeat("x", 20_000) + `"}}`}, 1009, ""},
		"long duplicate id is cut": {modernName, []string{initFrame, strings.Replace(slowFrame, `"1"`, `"`+strings.Repeat("y", 200)+`"`, 1), strings.Replace(slowFrame, `"1"`, `"`+strings.Repeat("y", 200)+`"`, 1)}, 4409, "Subscriber for " + strings.Repeat("y", 105) + "…"},
	} {
		t.Run(name, func(t *testing.T) {
			p := usualPace
			if c.code == closeInitTimeout {
				p = hurried
			}
			w := serving(t, Options{Caller: refusing, Limits: Limits{Body: 10_000}}, p, newSource().handler)
			conn := w.dial(c.protocol)
			conn.say(c.frames...)
			if code, reason := conn.closed(); code != c.code || reason != c.reason {
				t.Errorf("closed with %d %q, want %d %q", code, reason, c.code, c.reason)
			}
		})
	}
}

func TestBinaryAndBrokenFrames(t *testing.T) {
	w := serving(t, Options{}, usualPace, nil)
	other := w.opened(modernName)
	binary := w.dial(modernName)
	if err := binary.WriteMessage(websocket.BinaryMessage, []byte(initFrame)); err != nil {
		t.Fatal(err)
	}
	if code, reason := binary.closed(); code != 4400 || reason != "messages are text" {
		t.Error(code, reason)
	}
	for _, frame := range []string{"\xff\xff\xff\xff\xff", "\x81\x05hello", "\x83\x80abcd", "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		broken := w.dial(modernName)
		if _, err := broken.NetConn().Write([]byte(frame)); err != nil {
			t.Fatal(err)
		}
		if code, _ := broken.closed(); code != 1002 && code != 1009 {
			t.Errorf("%q: %d", frame, code)
		}
	}
	other.say(`{"type":"ping"}`)
	other.hear(`{"type":"pong"}`)
}

func TestSocketConversation(t *testing.T) {
	first, second := newSource(), newSource()
	sources := make(chan *source, 2)
	sources <- first
	sources <- second
	w := serving(t, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler { return (<-sources).handler(ctx) })
	for name, d := range map[string]*dialect{modernName: modern, legacyName + "," + modernName: modern} {
		if c := w.dial(name); c.Subprotocol() != d.name {
			t.Errorf("%s: %q", name, c.Subprotocol())
		}
	}
	c := w.dial(modernName)
	c.say(`{"type":"ping","payload":{"a": 1}}`, `{"type":"pong"}`, `{"type":"connection_init","payload":null,"other":[]}`, `{"type":"ping"}`)
	c.hear(`{"type":"pong","payload":{"a": 1}}`, `{"type":"connection_ack"}`, `{"type":"pong"}`)

	c.say(`{"payload":{"query":"{__typename}"},"type":"subscribe","id":"a\"b"}`)
	c.hear(`{"id":"a\"b","type":"next","payload":{"data":`+constant+`}}`, `{"id":"a\"b","type":"complete"}`)
	c.say(`{"id":"e","type":"subscribe","payload":{"query":"{nope}"}}`)
	c.hear(`{"id":"e","type":"error","payload":[{"message":"Cannot query field \"nope\" on type \"Query\".","locations":[{"line":1,"column":2}],"extensions":{"code":"BAD_USER_INPUT"}}]}`)

	c.say(slowFrame)
	for _, data := range []string{`{"a":1}`, `{"a":2}`} {
		first.in <- data
		c.hear(`{"id":"1","type":"next","payload":{"data":` + data + `}}`)
	}
	close(first.in)
	c.hear(`{"id":"1","type":"complete"}`)

	c.say(slowFrame) // the id is free again
	second.in <- `{"a":3}`
	c.hear(`{"id":"1","type":"next","payload":{"data":{"a":3}}}`)
	c.say(`{"id":"1","type":"complete"}`, `{"id":"1","type":"complete"}`, `{"id":"never","type":"complete"}`)
	<-second.ended
	c.say(`{"type":"ping"}`)
	c.hear(`{"type":"pong"}`)
}

func TestLegacyConversation(t *testing.T) {
	s := newSource()
	w := serving(t, Options{}, usualPace, s.handler)
	c := w.opened(legacyName)
	c.say(`{"id":"q","type":"start","payload":{"query":"{__typename}"}}`)
	c.hear(`{"id":"q","type":"data","payload":{"data":`+constant+`}}`, `{"id":"q","type":"complete"}`)
	c.say(`{"id":"e","type":"start","payload":{"query":"{"}}`)
	c.hear(`{"id":"e","type":"error","payload":{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"BAD_USER_INPUT"}}}`)
	c.say(strings.Replace(slowFrame, "subscribe", "start", 1))
	s.in <- `{"a":1}`
	c.hear(`{"id":"1","type":"data","payload":{"data":{"a":1}}}`)
	c.say(`{"id":"1","type":"stop"}`)
	<-s.ended
}

func TestLegacyRefusalSaysWhy(t *testing.T) {
	w := serving(t, Options{Caller: func(*http.Request, map[string]any) (*auth.Caller, error) {
		return nil, fault.New(fault.Unauthenticated, "the token is not valid")
	}}, usualPace, nil)
	c := w.dial(legacyName)
	c.say(initFrame)
	c.hear(`{"type":"connection_error","payload":{"message":"the token is not valid"}}`)
	if code, _ := c.closed(); code != 4403 {
		t.Error(code)
	}
}

// A subscription that cannot begin is an error, also where it is found out by who answers it.
func TestSubscriptionThatCannotBegin(t *testing.T) {
	w := serving(t, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		p := newPresenter(Options{Log: quiet, Suggestions: true})
		return graphql.OneShot(&graphql.Response{Errors: p.all(ctx, fault.New(fault.Denied, "posts may not be read"), nil, nil)})
	})
	c := w.opened(modernName)
	c.say(slowFrame)
	c.hear(`{"id":"1","type":"error","payload":[{"message":"posts may not be read","extensions":{"code":"FORBIDDEN"}}]}`)
}

func TestSocketsBeat(t *testing.T) {
	p := usualPace
	p.beat = 20 * time.Millisecond
	w := serving(t, Options{}, p, nil)
	c := w.opened(modernName)
	c.hear(`{"type":"ping"}`, `{"type":"ping"}`)
	c = w.opened(legacyName)
	c.hear(`{"type":"ka"}`, `{"type":"ka"}`)
}

// Who gives no sign of life is gone.
func TestSilentClientsAreGone(t *testing.T) {
	p := pace{open: time.Minute, beat: 10 * time.Millisecond, write: 10 * time.Millisecond, linger: 10 * time.Millisecond}
	w := serving(t, Options{}, p, nil)
	c := w.opened(modernName)
	c.SetPingHandler(func(string) error { return nil })
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			return
		}
	}
}

// Who takes nothing is closed when the time for a write has gone by, and holds nobody up until then.
func TestSlowReader(t *testing.T) {
	p := usualPace
	p.write = 100 * time.Millisecond
	ended := make(chan bool)
	var given atomic.Int64
	large := json.RawMessage(`{"a":"` + strings.Repeat("x", 1<<20) + `"}`)
	w := serving(t, Options{}, p, func(ctx context.Context) graphql.ResponseHandler {
		context.AfterFunc(ctx, func() { close(ended) })
		return func(context.Context) *graphql.Response {
			given.Add(1)
			return &graphql.Response{Data: large}
		}
	})
	c := w.opened(modernName)
	c.say(slowFrame)
	if <-ended; given.Load() < 100 { // as many do not fit on their way
		t.Errorf("the source was held up after %d responses", given.Load())
	}
}

// Of what was not sent, the newest is.
func TestLatestWins(t *testing.T) {
	var o outbox
	o.init()
	a, b := &task{id: "a", cancel: func() {}}, &task{id: "b", cancel: func() {}}
	responses := make([]*graphql.Response, 4)
	for i := range responses {
		responses[i] = &graphql.Response{Data: json.RawMessage(strconv.Itoa(i))}
	}
	o.respond(a, responses[0])
	o.respond(b, responses[1])
	o.respond(a, responses[2])
	o.say([]byte("pong"))
	o.finish(b, nil)
	if p := o.take(); p.task != a || p.response != responses[2] || p.done {
		t.Errorf("%+v", p)
	}
	if p := o.take(); p.task != b || p.response != responses[1] || !p.done {
		t.Errorf("%+v", p)
	}
	o.respond(a, responses[3])
	o.forget(a)
	o.respond(a, responses[3])
	if p := o.take(); string(p.message) != "pong" {
		t.Errorf("%+v", p)
	}
	if p := o.take(); p != nil {
		t.Errorf("%+v", p)
	}
}

// Of what has to be sent each, none is skipped, however slow the client is.
func TestEachIsSent(t *testing.T) {
	const many = 500
	w := serving(t, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		sendEach(ctx)
		n := 0
		return func(context.Context) *graphql.Response {
			if n++; n > many {
				return nil
			}
			return &graphql.Response{Data: json.RawMessage(strconv.Itoa(n))}
		}
	})
	c := w.opened(modernName)
	c.say(slowFrame)
	for n := range many {
		c.hear(fmt.Sprintf(`{"id":"1","type":"next","payload":{"data":%d}}`, n+1))
	}
	c.hear(`{"id":"1","type":"complete"}`)
}

func TestOperationsOfASocketAreLimited(t *testing.T) {
	w := serving(t, Options{Limits: Limits{Operations: 2}}, usualPace, func(context.Context) graphql.ResponseHandler {
		return func(ctx context.Context) *graphql.Response { <-ctx.Done(); return nil }
	})
	c := w.opened(modernName)
	for i := range 10_000 {
		c.say(strings.Replace(slowFrame, `"1"`, strconv.Quote(strconv.Itoa(i)), 1))
		if i < 2 {
			continue
		}
		c.hear(fmt.Sprintf(`{"id":"%d","type":"error","payload":[{"message":"there are 2 operations on the WebSocket already; limits.operations allows 2",`+
			`"extensions":{"code":"LIMIT_EXCEEDED","limit":2,"setting":"limits.operations","value":3}}]}`, i))
	}
	c.say(`{"id":"0","type":"complete"}`, `{"id":"q","type":"subscribe","payload":{"query":"{__typename}"}}`)
	c.hear(`{"id":"q","type":"next","payload":{"data":`+constant+`}}`, `{"id":"q","type":"complete"}`)
}

// Who asks and asks and does not read is not listened to, and then closed: nothing grows.
func TestFloodWithoutReading(t *testing.T) {
	p := usualPace
	p.write = 100 * time.Millisecond
	w := serving(t, Options{}, p, nil)
	c := w.opened(modernName)
	ping := []byte(`{"type":"ping","payload":{"a":"` + strings.Repeat("x", 100_000) + `"}}`)
	for {
		if err := c.WriteMessage(websocket.TextMessage, ping); err != nil {
			return
		}
	}
}

func TestSocketsOfACallerAreLimited(t *testing.T) {
	w := serving(t, Options{Limits: Limits{Sockets: 2}, Caller: func(r *http.Request, payload map[string]any) (*auth.Caller, error) {
		name, _ := payload["token"].(string)
		if r.Header.Get("X-Name") != "" {
			name = r.Header.Get("X-Name")
		}
		return &auth.Caller{SignedIn: name != "", Claims: map[string]any{"sub": name}}, nil
	}}, usualPace, newSource().handler)
	open := func(name string) line {
		c := w.dial(modernName)
		c.say(`{"type":"connection_init","payload":{"token":"` + name + `"}}`)
		return c
	}
	var held []line
	for _, name := range []string{"ann", "ann", "ben", "", ""} {
		c := open(name)
		c.hear(`{"type":"connection_ack"}`)
		held = append(held, c)
	}
	for _, name := range []string{"ann", ""} {
		if code, reason := open(name).closed(); code != 1013 || reason != "the caller has 2 WebSockets and streams already; limits.sockets allows 2" {
			t.Error(code, reason)
		}
	}
	a := w.post(`{"query":"{__typename}"}`, "Accept", "text/event-stream", "X-Name", "ann")
	if a.status != 429 || !strings.Contains(a.body, "LIMIT_EXCEEDED") {
		t.Error(a.status, a.body)
	}
	held[0].say(`{"type":"complete"}`, `oops`)
	held[0].closed()
	held[0].Close()
	held[1].Close()
	for w.held("0:ann") > 0 {
		runtime.Gosched()
	}
	open("ann").hear(`{"type":"connection_ack"}`)
}

func (w *place) held(whose string) int {
	cs := w.graph.door.clients
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.held[whose]
}

// A panic ends what panics: an operation, or the connection whose opening it was.
func TestPanicsEndOneOnly(t *testing.T) {
	text := logged(func(log *slog.Logger) {
		w := serving(t, Options{Log: log, Caller: func(_ *http.Request, payload map[string]any) (*auth.Caller, error) {
			if payload["token"] == "panic" {
				panic("the password is hunter2")
			}
			return &auth.Caller{}, nil
		}}, usualPace, func(context.Context) graphql.ResponseHandler {
			return func(context.Context) *graphql.Response { panic("the password is hunter3") }
		})
		c := w.opened(modernName)
		for _, query := range []string{"subscription{posts{id}}", "{posts{id}}"} {
			c.say(strings.Replace(slowFrame, "subscription{posts{id}}", query, 1))
			if got := c.next(); !strings.HasPrefix(got, `{"id":"1","type":"error","payload":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":`) {
				t.Error(got)
			}
		}
		other := w.dial(modernName)
		other.say(`{"type":"connection_init","payload":{"token":"panic"}}`)
		if code, reason := other.closed(); code != 1011 || reason != "internal error" {
			t.Error(code, reason)
		}
		c.say(`{"type":"ping"}`)
		c.hear(`{"type":"pong"}`)
	})
	if strings.Count(text, "hunter2") != 1 || strings.Count(text, "hunter3") != 2 {
		t.Error(text)
	}
}

// A token that ends ends what was asked with it.
func TestTokensExpire(t *testing.T) {
	s := newSource()
	w := serving(t, Options{Caller: func(*http.Request, map[string]any) (*auth.Caller, error) {
		now := time.Now()
		return &auth.Caller{SignedIn: true, Now: now, Expires: now.Add(-time.Minute + 50*time.Millisecond)}, nil
	}}, usualPace, s.handler)
	c := w.opened(modernName)
	c.say(slowFrame)
	if code, reason := c.closed(); code != 4403 || reason != "the token has expired" {
		t.Error(code, reason)
	}
	<-s.ended
	a := w.post(`{"query":"subscription{posts{id}}"}`, "Accept", "text/event-stream")
	if <-s.ended; a.body != comment {
		t.Errorf("%q", a.body)
	}
}

// A key that is withdrawn is not believed for the next operation, as it would not be for the next request.
func TestEachOperationIsOfTheCallerNow(t *testing.T) {
	asked := 0
	w := serving(t, Options{Caller: func(*http.Request, map[string]any) (*auth.Caller, error) {
		if asked++; asked > 2 {
			return nil, fault.New(fault.Unauthenticated, "the token is not valid")
		}
		return &auth.Caller{Now: time.Unix(int64(asked), 0)}, nil
	}}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Data: json.RawMessage(strconv.FormatInt(auth.From(ctx).Now.Unix(), 10))})
	})
	c := w.opened(modernName)
	query := strings.Replace(slowFrame, "subscription", "", 1)
	c.say(query)
	c.hear(`{"id":"1","type":"next","payload":{"data":2}}`, `{"id":"1","type":"complete"}`)
	c.say(query)
	if code, _ := c.closed(); code != 4403 {
		t.Error(code)
	}
}

// When another schema is served, or the process ends, what changes rows finishes and is told, what goes on
// ends, and clients are sent to come back.
func TestComeBack(t *testing.T) {
	began, finish := make(chan bool), make(chan bool)
	s := newSource()
	w := serving(t, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
			return s.handler(ctx)
		}
		began <- true
		select {
		case <-finish:
		case <-ctx.Done():
			t.Error("the change was broken off")
		}
		return graphql.OneShot(&graphql.Response{Data: json.RawMessage(`{"deletePost":null}`)})
	})
	idle, fresh, busy := w.opened(modernName), w.dial(legacyName), w.opened(modernName)
	busy.say(slowFrame, `{"id":"m","type":"subscribe","payload":{"query":"mutation{deletePost(id:1){id}}"}}`)
	<-began
	s.in <- `{"a":1}`
	busy.hear(`{"id":"1","type":"next","payload":{"data":{"a":1}}}`)
	gone := make(chan bool)
	go func() {
		w.graph.Close(context.Background())
		close(gone)
	}()
	for _, c := range []line{idle, fresh} {
		if code, reason := c.closed(); code != 1012 || reason != comeBack {
			t.Error(code, reason)
		}
	}
	<-s.ended
	busy.say(strings.Replace(slowFrame, `"1"`, `"late"`, 1))
	finish <- true
	busy.hear(`{"id":"m","type":"next","payload":{"data":{"deletePost":null}}}`, `{"id":"m","type":"complete"}`)
	if code, _ := busy.closed(); code != 1012 {
		t.Error(code)
	}
	<-gone
	d := websocket.Dialer{Subprotocols: []string{modernName}}
	_, r, err := d.Dial("ws"+strings.TrimPrefix(w.URL, "http"), nil)
	if err == nil || r.StatusCode != 503 {
		t.Error(err, r)
	}
	if a := w.post(`{"query":"{__typename}"}`); a.status != 200 {
		t.Error(a.status, a.body)
	}
	if a := w.post(`{"query":"{__typename}"}`, "Accept", "text/event-stream"); a.status != 503 || !strings.Contains(a.body, "UNAVAILABLE") {
		t.Error(a.status, a.body)
	}
}

// Who does not finish in time is dropped.
func TestCloseHasAnEnd(t *testing.T) {
	began := make(chan bool)
	w := serving(t, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		began <- true
		<-ctx.Done()
		return graphql.OneShot(&graphql.Response{Data: json.RawMessage("{}")})
	})
	c := w.opened(modernName)
	c.say(strings.Replace(slowFrame, "subscription", "", 1))
	<-began
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w.graph.Close(ctx)
	if _, _, err := c.ReadMessage(); err == nil {
		t.Error("the socket is open")
	}
}

// The pages that may not ask by POST may not open a socket, and an upgrade that is none is refused in JSON.
func TestUpgradesAreChecked(t *testing.T) {
	w := serving(t, Options{Origins: []string{"https://app.example.com"}}, usualPace, nil)
	for origin, status := range map[string]int{"": 101, "https://app.example.com": 101, w.URL: 101, "https://evil.example": 403, "null": 403} {
		h := http.Header{}
		if origin != "" {
			h["Origin"] = []string{origin}
		}
		d := websocket.Dialer{Subprotocols: []string{modernName}}
		conn, r, err := d.Dial("ws"+strings.TrimPrefix(w.URL, "http"), h)
		if r == nil || r.StatusCode != status || r.Header.Get(requestIDHeader) == "" {
			t.Errorf("%q: %v %v", origin, r, err)
		}
		if conn != nil {
			if conn.EnableWriteCompression(true); r.Header.Get("Sec-Websocket-Extensions") != "" {
				t.Error("compressed")
			}
			conn.Close()
		}
	}
	for _, change := range []func(*http.Request){
		func(r *http.Request) { r.Method = http.MethodPost },
		func(r *http.Request) { r.Header.Del("Sec-Websocket-Key") },
		func(r *http.Request) { r.Header.Set("Sec-Websocket-Version", "8") },
		func(*http.Request) {}, // but not over a connection that can be upgraded
	} {
		r := getRequest()
		r.Header = http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}}
		change(r)
		a := ask(t, w.graph, r)
		if a.status < 400 || len(a.Errors) != 1 || a.header.Get("Sec-Websocket-Version") != "13" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

// Whatever comes, the server says why it closes, or goes on.
func FuzzFrames(f *testing.F) {
	for _, v := range values {
		f.Add(v)
		f.Add(`{"id":"1","type":"subscribe","payload":` + v + `}`)
		f.Add(`{"id":"1","type":"subscribe","payload":{"query":"{__typename}","variables":` + v + `}}`)
		f.Add(`{"type":` + v + `,"id":` + v + `}`)
	}
	f.Add(slowFrame)
	f.Add(`{"id":"x","type":"complete"}`)
	w := serving(f, Options{}, usualPace, func(ctx context.Context) graphql.ResponseHandler {
		return graphql.OneShot(&graphql.Response{Data: json.RawMessage("{}")})
	})
	f.Fuzz(func(t *testing.T, in string) {
		w := &place{w.Server, t, w.graph}
		c := w.opened(modernName)
		c.say(in, `{"type":"ping","payload":{"mine":true}}`)
		for {
			_, text, err := c.ReadMessage()
			if ce, ok := errors.AsType[*websocket.CloseError](err); ok {
				if ce.Code != 4400 && ce.Code != 4429 && ce.Code != 1009 {
					t.Fatal(ce)
				}
				break
			}
			if err != nil || !json.Valid(text) {
				t.Fatal(err, string(text))
			}
			if string(text) == `{"type":"pong","payload":{"mine":true}}` {
				break
			}
		}
		c.Close()
	})
}

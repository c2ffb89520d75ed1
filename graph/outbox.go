package graph

import (
	"context"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// outbox is what is to be sent to one client who stays. It is bounded, and nobody but who reads
// from the client waits for it: of a subscription it holds the newest response, of a query or a mutation
// its only one, and of messages a few.
type outbox struct {
	news chan struct{} // holds one where there is something to look at

	mu       sync.Mutex
	taken    sync.Cond // of mu: something was taken out, or nothing will be
	queue    []*parcel // guarded by mu
	messages int       // how many of the queue are; guarded by mu
	sealed   bool      // nothing gets in any more; guarded by mu
	shut     bool      // nothing comes out any more; guarded by mu
}

// messagesKept is how many messages wait before the client is not listened to.
const messagesKept = 32

// parcel is what is sent at a time: a message, or what there is of a task.
type parcel struct {
	message  []byte
	task     *task
	response *graphql.Response // or nil
	done     bool              // whether the task has ended
	failed   gqlerror.List     // why, where it could not begin or broke off
}

// task is one operation of a client who stays.
type task struct {
	*call
	id      string
	cancel  context.CancelFunc
	endless bool    // whether it is a subscription; guarded by the outbox's mu
	waiting *parcel // in the queue, or nil; guarded by the outbox's mu
	gone    bool    // whether nobody wants to hear of it; guarded by the outbox's mu
}

func (o *outbox) init() {
	o.news = make(chan struct{}, 1)
	o.taken.L = &o.mu
}

// tell says that there is something to look at.
func (o *outbox) tell() {
	select {
	case o.news <- struct{}{}:
	default:
	}
}

// say puts a message in, when there is room.
func (o *outbox) say(message []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.messages >= messagesKept && !o.sealed {
		o.taken.Wait()
	}
	if o.sealed {
		return
	}
	o.messages++
	o.queue = append(o.queue, &parcel{message: message})
	o.tell()
}

// put lets do change what waits of a task.
func (o *outbox) put(t *task, do func(*parcel)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed || t.gone {
		return
	}
	if t.waiting == nil {
		t.waiting = &parcel{task: t}
		o.queue = append(o.queue, t.waiting)
	}
	do(t.waiting)
	o.tell()
}

// respond puts a response in, in the place of one that was not sent.
func (o *outbox) respond(t *task, r *graphql.Response) {
	o.put(t, func(p *parcel) { p.response = r })
}

// finish says that a task has ended, and why if not by itself.
func (o *outbox) finish(t *task, failed gqlerror.List) {
	o.put(t, func(p *parcel) { p.done, p.failed = true, failed })
}

// settle waits until what waits of a task is taken out, or never will be.
func (o *outbox) settle(t *task) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for t.waiting != nil && !t.gone && !o.sealed {
		o.taken.Wait()
	}
}

// forget takes out what waits of a task, takes no more of it, and ends it: in this order, for its end is not to
// be told.
func (o *outbox) forget(t *task) {
	defer t.cancel()
	o.mu.Lock()
	defer o.mu.Unlock()
	t.gone = true
	o.queue = slices.DeleteFunc(o.queue, func(p *parcel) bool { return p.task == t })
	o.taken.Broadcast()
}

// take takes the next parcel out; nil where there is none.
func (o *outbox) take() *parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut || len(o.queue) == 0 {
		return nil
	}
	p := o.queue[0]
	o.queue = slices.Delete(o.queue, 0, 1)
	if p.task != nil {
		p.task.waiting = nil
	} else {
		o.messages--
	}
	o.taken.Broadcast()
	return p
}

// shutDown lets nothing in or out any more.
func (o *outbox) shutDown() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed, o.shut = true, true
	o.taken.Broadcast()
	o.tell()
}

// perform runs a task, and puts its responses into the outbox as they come.
func (o *outbox) perform(t *task, opCtx *graphql.OperationContext) {
	if opCtx.Operation.Operation == ast.Subscription {
		o.follow(t, opCtx)
		return
	}
	ctx, cancel := context.WithTimeout(t.request.Context, t.limits.Timeout)
	defer cancel()
	defer o.rescue(t)
	t.request.under(ctx)
	response := t.once(opCtx)
	o.put(t, func(p *parcel) { p.response, p.done = response, true })
}

// follow runs a subscription. Several of its responses may exist at a time, so none is made in the buffer.
func (o *outbox) follow(t *task, opCtx *graphql.OperationContext) {
	t.request.buffer = nil
	responses, ctx := t.exec.DispatchOperation(&t.request, opCtx)
	for first := true; ; first = false {
		response := responses(ctx)
		switch {
		case response == nil:
			o.finish(t, nil)
			return
		case response.Data == nil && len(response.Errors) > 0:
			o.finish(t, response.Errors)
			return
		}
		if first {
			t.addCost(ctx, opCtx, response)
		}
		o.respond(t, response)
		if t.request.each {
			o.settle(t)
		}
	}
}

// rescue ends a task that panics, and nothing else.
func (o *outbox) rescue(t *task) {
	if cause := recover(); cause != nil {
		o.finish(t, t.shown(gqlerror.List{gqlerror.Wrap(panicked(&t.request, cause))}))
	}
}

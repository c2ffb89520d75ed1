package live

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"spacecloud/fault"
)

// group is all who wait for one answer. All of it is guarded by hub.mu.
type group struct {
	hub     *Hub
	at      place
	query   Query
	watches map[*Watch]struct{}

	heard  uint64 // how many changes it was told of
	known  uint64 // of how many of them the answer knows
	answer *Answer
	begun  time.Time // when it was last asked for

	asking bool        // or about to be
	cancel func()      // ends the asking that is under way
	soon   bool        // whether the timer is for a change
	timer  func() bool // stops the timer, nil without one
}

// Answer is what all who wait for the same are told. It is never changed.
type Answer struct {
	Bytes []byte
	Err   error // what is wrong with it, or nil
}

// same is whether two answers tell the same.
func (a *Answer) same(b *Answer) bool {
	return a == b || a != nil && b != nil && bytes.Equal(a.Bytes, b.Bytes) && text(a.Err) == text(b.Err)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// touch notes a change.
func (g *group) touch() {
	g.heard++
	if !g.asking && !g.soon {
		g.askSoon()
	}
}

// askSoon has the group asked for as soon as Pause allows.
func (g *group) askSoon() {
	if left := Pause - g.hub.config.Clock.Now().Sub(g.begun); left > 0 {
		g.soon = true
		g.after(left)
		return
	}
	g.enqueue()
}

// after has the group asked for after d, and not before for what the last timer was for.
func (g *group) after(d time.Duration) {
	g.stop()
	g.timer = g.hub.config.Clock.AfterFunc(d, g.due)
}

func (g *group) stop() {
	if g.timer != nil {
		g.timer()
		g.timer = nil
	}
}

// due is called by the timer.
func (g *group) due() {
	g.hub.mu.Lock()
	defer g.hub.mu.Unlock()
	if len(g.watches) > 0 && !g.asking {
		g.enqueue()
	}
}

// enqueue has the group asked for when its turn comes.
func (g *group) enqueue() {
	g.stop()
	g.asking, g.soon = true, false
	h := g.hub
	h.queue = append(h.queue, g)
	if h.workers < h.config.AtOnce {
		h.workers++
		go h.work()
	}
}

// work asks for what is in the queue, until there is nothing.
func (h *Hub) work() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) > 0 {
		g := h.queue[0]
		h.queue[0] = nil
		if h.queue = h.queue[1:]; len(g.watches) > 0 {
			g.ask()
		}
	}
	h.queue = nil
	h.workers--
}

// ask asks for the answer, for which it lets go of the lock.
func (g *group) ask() {
	heard, clock := g.heard, g.hub.config.Clock
	ctx, cancel := context.WithTimeout(context.Background(), g.hub.config.Timeout)
	defer cancel()
	g.begun, g.cancel = clock.Now(), cancel
	now := g.begun
	g.hub.mu.Unlock()
	answer := g.query.caught(ctx, now)
	g.hub.mu.Lock()
	g.asking, g.cancel = false, nil
	if len(g.watches) > 0 {
		g.tell(answer, heard)
	}
}

// caught is what is answered. A panic is an error: it must not take those along who wait for
// something else.
func (q *Query) caught(ctx context.Context, now time.Time) (a *Answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = &Answer{Err: fault.Wrap(fault.Internal, fmt.Errorf("%v\n%s", cause, debug.Stack()), "internal error")}
		}
	}()
	text, err := q.Ask(ctx, now)
	return &Answer{Bytes: text, Err: err}
}

// tell gives the answer to all who have not got it, and sees to it that the next is asked for.
func (g *group) tell(a *Answer, heard uint64) {
	if a.same(g.answer) {
		a = g.answer
	}
	g.answer, g.known = a, heard
	for w := range g.watches {
		if g.known >= w.least {
			w.offer(a)
		}
	}
	switch {
	case g.heard > g.known:
		g.askSoon()
	case g.query.Timely:
		g.after(Timely)
	default:
		g.after(Idle)
	}
}

// leave ends a group for which nobody waits any more.
func (g *group) leave() {
	g.stop()
	if g.cancel != nil {
		g.cancel()
	}
	delete(g.hub.byKey, g.at)
	g.hub.index.remove(g)
	g.hub.groups.Add(-1)
}

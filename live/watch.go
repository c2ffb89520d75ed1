package live

import "context"

// Watch is one who waits. Next may be called by one goroutine at a time.
type Watch struct {
	group  *group
	caller string
	ready  chan struct{} // has one when there is something to say
	expire func() bool   // stops the timer of the token, nil without one
	forget func() bool   // of the context

	// Guarded by group.hub.mu:
	least uint64  // of how many changes the first answer has to know
	next  *Answer // nil for nothing new
	last  *Answer // what was taken last
	ended error   // why there is no more
	left  bool
}

// Next is the next answer that differs from the one before; answers that came meanwhile are left out but for
// the last. The error is why there are no more: that of the context, or an End.
func (w *Watch) Next(ctx context.Context) (*Answer, error) {
	for {
		if a, err := w.take(); a != nil || err != nil {
			return a, err
		}
		select {
		case <-w.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take is what there is to say.
func (w *Watch) take() (*Answer, error) {
	h := w.group.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case w.ended != nil:
		return nil, w.ended
	case w.next == nil:
		return nil, nil //nolint:nilnil // there is nothing to say
	}
	w.last, w.next = w.next, nil
	return w.last, nil
}

// offer gives an answer, instead of one that was not taken.
func (w *Watch) offer(a *Answer) {
	if a.same(w.last) {
		w.next = nil
		return
	}
	w.next = a
	w.signal()
}

func (w *Watch) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// Leave ends the waiting. It may be called more than once.
func (w *Watch) Leave() {
	w.group.hub.mu.Lock()
	defer w.group.hub.mu.Unlock()
	w.end(context.Canceled)
}

func (w *Watch) expired() {
	w.group.hub.mu.Lock()
	defer w.group.hub.mu.Unlock()
	w.end(Expired)
}

// end ends the waiting, and the group's with the last.
func (w *Watch) end(why error) {
	if w.left {
		return
	}
	w.left, w.ended, w.next, w.last = true, why, nil, nil
	if w.expire != nil {
		w.expire()
	}
	w.forget()
	g := w.group
	if g.hub.callers[w.caller]--; g.hub.callers[w.caller] == 0 {
		delete(g.hub.callers, w.caller)
	}
	if delete(g.watches, w); len(g.watches) == 0 {
		g.leave()
	}
	w.signal()
}

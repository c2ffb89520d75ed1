package database

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"spacecloud/fault"
)

const (
	// askTimeout is how long a database may take to say that it is there.
	askTimeout = 2 * time.Second
	// respite is how many times as long as it took to find a database down nobody asks it again: a
	// refused connection costs next to nothing and is tried by each request, a host that does
	// not answer takes askTimeout and makes few wait.
	respite = 4
)

// gate keeps requests from waiting, one after the other, for a database that is down. It has no
// timer: requests that come later ask, one for all that come meanwhile.
type gate struct {
	now  func() time.Time
	down atomic.Bool // the only thing that requests look at while it is up

	mu    sync.Mutex
	err   error     // why it is down; guarded by mu
	until time.Time // nobody asks before; guarded by mu
	try   *try      // under way, or nil; guarded by mu
}

// try is one question whether a database is there, for all who want to know.
type try struct {
	done chan struct{} // closed when err is set
	err  error
}

// ready is nil unless the database is known to be down, and is still.
func (db *DB) ready(ctx context.Context) error {
	g := &db.gate
	if !g.down.Load() {
		return nil
	}
	g.mu.Lock()
	err, wait := g.err, g.now().Before(g.until)
	g.mu.Unlock()
	if err != nil && wait {
		return err
	}
	return db.ask(ctx)
}

// isDown is whether a database failed as if it were down: of a request that is over nobody knows why it failed.
func isDown(ctx context.Context, err error) bool {
	kind := fault.KindOf(err)
	return (kind == fault.Unavailable || kind == fault.Timeout) && ctx.Err() == nil
}

// suspect looks whether the database is down when it failed as if it were.
func (db *DB) suspect(ctx context.Context, err error) {
	if !isDown(ctx, err) {
		return
	}
	if db.gate.down.Load() {
		return
	}
	_ = db.ask(ctx) // the gate keeps what it says
}

// ask asks the database whether it is there, once for all who ask at the same time, and closes or
// opens the gate. The end of ctx ends the wait of this one only.
func (db *DB) ask(ctx context.Context) error {
	g := &db.gate
	g.mu.Lock()
	t := g.try
	if t == nil {
		t = &try{done: make(chan struct{})}
		g.try = t
		go db.run(context.WithoutCancel(ctx), t)
	}
	g.mu.Unlock()
	select {
	case <-t.done:
		return t.err
	case <-ctx.Done():
		return fault.Wrap(fault.Timeout, ctx.Err(), "the request ended before the database answered")
	}
}

func (db *DB) run(ctx context.Context, t *try) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	g := &db.gate
	began := g.now()
	err := db.driver.Ping(ctx)
	if err != nil {
		t.err = fault.Wrap(fault.Unavailable, fmt.Errorf("database %s: %w", db.name, err), "the database does not answer")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.try, g.err = nil, t.err
	g.until = g.now().Add(respite * g.now().Sub(began))
	g.down.Store(t.err != nil)
	close(t.done)
}

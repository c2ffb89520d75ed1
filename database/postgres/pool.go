package postgres

import (
	"context"
	"runtime"
	"sync"
	"time"

	"spacecloud/database/driver"
	"spacecloud/fault"
)

// pool lends connections, opens them when they are first needed, and lends the one that
// came back last, whose caches are warm.
type pool struct {
	open  func(context.Context) (*conn, error)
	slots chan struct{} // one for each connection that may be lent

	mu   sync.Mutex
	idle []*conn // guarded by mu
	over bool    // guarded by mu
}

// defaultSize is how many connections there are at most, unless the URL says pool_max_conns.
func defaultSize() int { return max(4, 4*runtime.GOMAXPROCS(0)) }

// doubtful is how long a connection may have been idle before it is asked whether the server is still
// there.
const doubtful = time.Second

func newPool(size int, open func(context.Context) (*conn, error)) *pool {
	return &pool{open: open, slots: make(chan struct{}, size)}
}

func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case p.slots <- struct{}{}:
	default:
		if err := p.wait(ctx); err != nil {
			return nil, err
		}
	}
	c, err := p.pop(ctx)
	if c == nil && err == nil {
		c, err = p.open(ctx)
	}
	if err != nil {
		<-p.slots
		return nil, explain(err, nil)
	}
	return c, nil
}

func (p *pool) wait(ctx context.Context) error {
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return driver.Waited(context.Cause(ctx))
	}
}

// pop is an idle connection that is good, or nil.
func (p *pool) pop(ctx context.Context) (*conn, error) {
	for {
		c, err := p.last()
		if c == nil || c.good(ctx) {
			return c, err
		}
		c.close()
	}
}

func (p *pool) last() (*conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return nil, fault.New(fault.Unavailable, "the database is closed")
	}
	if len(p.idle) == 0 {
		return nil, nil
	}
	c := p.idle[len(p.idle)-1]
	p.idle = p.idle[:len(p.idle)-1]
	return c, nil
}

// give takes a connection back, and ends what was left open on it. One that cannot be cleaned
// is closed.
func (p *pool) give(c *conn) {
	if c.clean() {
		c.since = time.Now()
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	} else {
		if c.pg.IsClosed() {
			p.doubt()
		}
		c.close()
	}
	<-p.slots
}

// doubt has the connections that are idle asked before they are lent: one was lost, and perhaps
// the server with it.
func (p *pool) doubt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.since = time.Time{}
	}
}

// close waits until all are back, and closes them.
func (p *pool) close() {
	p.mu.Lock()
	already := p.over
	p.over = true
	p.mu.Unlock()
	if already {
		return
	}
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		c.close()
	}
	p.idle = nil
	for range cap(p.slots) {
		<-p.slots
	}
}

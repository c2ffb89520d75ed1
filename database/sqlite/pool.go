package sqlite

import (
	"context"
	"runtime"
	"sync"

	"spacecloud/database/driver"
	"spacecloud/fault"
)

// pool lends connections, opens them when they are first needed, and lends the one that
// came back last, whose caches are warm.
type pool struct {
	open  func() (*conn, error)
	slots chan struct{} // one for each connection that may be lent

	mu   sync.Mutex
	idle []*conn // guarded by mu
	over bool    // guarded by mu
}

// readers is how many readers there are at most: some wait for the disk while others work.
func readers() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

func newPool(size int, open func() (*conn, error)) *pool {
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
	c, err := p.pop()
	if c == nil && err == nil {
		c, err = p.open()
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

func (p *pool) pop() (*conn, error) {
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
	if err := c.clean(); err != nil {
		c.close()
	} else {
		p.mu.Lock()
		p.idle = append(p.idle, c)
		p.mu.Unlock()
	}
	<-p.slots
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

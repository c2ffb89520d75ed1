package served

import (
	"sync"
	"time"
)

// Clock is a live.Clock that stands still until it is moved.
type Clock struct {
	mu    sync.Mutex
	now   time.Time          // guarded by mu
	waits map[*wait]struct{} // guarded by mu
}

type wait struct {
	at time.Time
	do func()
}

// NewClock is a clock that stands at a time.
func NewClock(now time.Time) *Clock { return &Clock{now: now, waits: map[*wait]struct{}{}} }

// Now is where it stands.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// AfterFunc calls do when the clock is moved to d from now or beyond.
func (c *Clock) AfterFunc(d time.Duration, do func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &wait{c.now.Add(d), do}
	c.waits[w] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waited := c.waits[w]
		delete(c.waits, w)
		return waited
	}
}

// Waiting is how many wait for the clock.
func (c *Clock) Waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waits)
}

// Move moves the clock on, and calls whose time has come.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for w := range c.waits {
		if !w.at.After(c.now) {
			due = append(due, w.do)
			delete(c.waits, w)
		}
	}
	c.mu.Unlock()
	for _, do := range due {
		do()
	}
}

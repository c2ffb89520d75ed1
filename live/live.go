// Package live says who waits for what: who is woken by a change of rows, when they are asked
// for again, what each of those who wait is told, and when they leave. It knows nothing of how
// an answer is made.
//
// Those who wait for the same are one group: it is asked for once, and all of them get the same
// bytes. A group hears of every change from before it is first asked for, so nothing between is
// lost. A change that comes while it is being asked for, or less than Pause after it was, makes it
// be asked for once more when that has ended: changes that come together are answered together.
package live

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"spacecloud/fault"
)

// Config is how a Hub behaves. All of it has a default.
type Config struct {
	// PerCaller is the most that one caller may wait for (limits.live). Defaults to 100.
	PerCaller int
	// Timeout is how long one answer may take to be made. Defaults to 10 s.
	Timeout time.Duration
	// AtOnce is how many answers are made at the same time. Defaults to 8.
	AtOnce int
	// Clock defaults to the real one.
	Clock Clock
}

// How often a group is asked for.
const (
	// Pause is the shortest time between two times.
	Pause = 20 * time.Millisecond
	// Idle is the longest, for what others write into the database.
	Idle = 30 * time.Second
	// Timely is that of a group whose answer changes with the time alone.
	Timely = 10 * time.Second
)

func (c Config) withDefaults() Config {
	if c.PerCaller == 0 {
		c.PerCaller = 100
	}
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.AtOnce == 0 {
		c.AtOnce = 8
	}
	if c.Clock == nil {
		c.Clock = realClock{}
	}
	return c
}

// Clock tells the time and calls back.
type Clock interface {
	Now() time.Time
	// AfterFunc calls do after d, unless it is stopped before.
	AfterFunc(d time.Duration, do func()) (stop func() bool)
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) AfterFunc(d time.Duration, do func()) func() bool {
	return time.AfterFunc(d, do).Stop
}

// End is why there are no more answers, while whoever waited may ask again: with a new token, or as it is.
type End struct{ fault *fault.Error }

func (e *End) Error() string { return e.fault.Error() }

// Unwrap is the fault, as clients are told it.
func (e *End) Unwrap() error { return e.fault }

// The ends.
var (
	Expired = &End{fault.New(fault.Unauthenticated, "the token has expired; ask again with a new one")}
	Swapped = &End{fault.New(fault.Unavailable, "the schema has changed; ask again")}
)

// Hub is all who wait in this process. It runs nothing while nothing changes.
type Hub struct {
	config Config
	groups atomic.Int64 // how many there are, for who only wants to know whether there are any

	mu      sync.Mutex
	byKey   map[place]*group // guarded by mu, as is all below and in groups and watches
	index   index
	callers map[string]int
	queue   []*group
	workers int
}

// place is where a group is found.
type place struct {
	scope *Scope
	key   Key
}

// New makes a hub in which nobody waits.
func New(c Config) *Hub {
	return &Hub{config: c.withDefaults(), byKey: map[place]*group{}, index: index{}, callers: map[string]int{}}
}

// Scope is those of a Hub who wait for answers of one schema.
type Scope struct {
	hub   *Hub
	ended *End // guarded by hub.mu
}

// Scope begins a scope.
func (h *Hub) Scope() *Scope { return &Scope{hub: h} }

// Hub is that of the scope.
func (s *Scope) Hub() *Hub { return s.hub }

// End ends all who wait in the scope, and who come from now on.
func (s *Scope) End(why *End) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.ended = why
	for at, g := range s.hub.byKey {
		if at.scope == s {
			for w := range g.watches {
				w.end(why)
			}
		}
	}
}

// Watched is whether anybody waits. Who joins after it was false reads what was committed before.
func (h *Hub) Watched() bool { return h.groups.Load() > 0 }

// Tell wakes those whom one of these changes can touch. They are told after the commit.
func (h *Hub) Tell(changes []Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	touched := map[*group]bool{}
	for i := range changes {
		h.index.touched(&changes[i], func(g *group) { touched[g] = true })
	}
	for g := range touched {
		g.touch()
	}
}

// Join waits for what q asks for, until ctx ends or Leave. The first answer comes as soon as one is there that
// knows of all changes told until now.
func (s *Scope) Join(ctx context.Context, q Query) (*Watch, error) {
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s.ended != nil:
		return nil, s.ended
	case h.callers[q.Caller] >= h.config.PerCaller:
		return nil, fault.New(fault.Limit, "a caller may hold %d live queries; end one first", h.config.PerCaller).
			With("limit", h.config.PerCaller).With("setting", "limits.live")
	}
	g := h.byKey[place{s, q.Key}]
	if g == nil {
		g = h.begin(place{s, q.Key}, q)
	}
	w := &Watch{group: g, caller: q.Caller, least: g.heard, ready: make(chan struct{}, 1)}
	h.callers[q.Caller]++
	g.watches[w] = struct{}{}
	if g.answer != nil && g.known >= w.least {
		w.offer(g.answer)
	}
	if !q.Expires.IsZero() {
		w.expire = h.config.Clock.AfterFunc(q.Expires.Sub(h.config.Clock.Now()), w.expired)
	}
	w.forget = context.AfterFunc(ctx, w.Leave)
	return w, nil
}

// begin makes a group, which hears of changes before it is first asked for.
func (h *Hub) begin(at place, q Query) *group {
	g := &group{hub: h, at: at, query: q, watches: map[*Watch]struct{}{}}
	h.byKey[at] = g
	h.groups.Add(1)
	h.index.add(g)
	g.enqueue()
	return g
}

package graph

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"sync"

	"spacecloud/auth"
	"spacecloud/fault"
)

// comeBack is said to those who are to ask for what they have again, here or at another node.
const comeBack = "another schema is served from now on, or the server ends; come back"

// clients are those who stay: the open WebSockets and streams of events.
type clients struct {
	limit int // of one caller

	mu      sync.Mutex
	open    map[client]string // whose each is, "" while that is not known; guarded by mu
	held    map[string]int    // how many a caller has; guarded by mu
	leaving bool              // guarded by mu
	gone    sync.WaitGroup    // counts open
}

// client is one of them.
type client interface {
	// leave asks it to end in good order, and drop ends it at once. Neither waits.
	leave()
	drop()
}

func newClients(limit int) *clients {
	return &clients{limit: limit, open: map[client]string{}, held: map[string]int{}}
}

// enter adds a client, unless no more are to come.
func (cs *clients) enter(c client) error {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.leaving {
		return refuse(http.StatusServiceUnavailable, fault.Unavailable, comeBack)
	}
	cs.open[c] = ""
	cs.gone.Add(1)
	return nil
}

// claim says whose a client is. The error is that of one too many.
func (cs *clients) claim(c client, caller *auth.Caller) error {
	whose, known := caller.Identity()
	if !known {
		whose = "at " + caller.Request.IP
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.held[whose] >= cs.limit {
		return &refusal{http.StatusTooManyRequests, exceeded("sockets", cs.limit, int64(cs.limit)+1,
			"the caller has %d WebSockets and streams already", cs.limit)}
	}
	cs.open[c] = whose
	cs.held[whose]++
	return nil
}

// exit takes a client out.
func (cs *clients) exit(c client) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if whose := cs.open[c]; whose != "" {
		if cs.held[whose]--; cs.held[whose] == 0 {
			delete(cs.held, whose)
		}
	}
	delete(cs.open, c)
	cs.gone.Done()
}

// close asks all to leave, and drops those who are not gone when ctx ends.
func (cs *clients) close(ctx context.Context) {
	cs.mu.Lock()
	cs.leaving = true
	all := slices.Collect(maps.Keys(cs.open))
	cs.mu.Unlock()
	for _, c := range all {
		c.leave()
	}
	gone := make(chan struct{})
	go func() { cs.gone.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-ctx.Done():
		for _, c := range all {
			c.drop()
		}
		<-gone
	}
}

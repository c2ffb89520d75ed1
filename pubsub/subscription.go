package pubsub

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// What waits for one slow subscriber; what comes beyond it is lost, and told as ErrMissed.
const (
	maxPending      = 4096
	maxPendingBytes = 8 << 20
)

// ErrMissed says that messages may have been lost: the connection was, that of a publisher was, or the subscriber is
// too slow. It is told once for however many, and the subscription goes on.
var ErrMissed = errors.New("messages may have been missed")

// Message is something that was said.
type Message struct {
	Subject string
	Data    []byte // not to be changed: others have the same
}

// Subscription is what is said on a subject from its beginning on.
type Subscription struct {
	bus    *Bus
	inner  *nats.Subscription
	heard  chan Message
	missed chan struct{} // holds one
	ended  chan struct{}
	once   sync.Once
}

// Subscribe listens to a subject, where * stands for any name and > at the end for one or more. The server it is connected to
// knows of it when it returns; other servers of a cluster learn of it a moment later. Close it.
func (b *Bus) Subscribe(ctx context.Context, subject string) (*Subscription, error) {
	if err := checkSubject(subject, true); err != nil {
		return nil, err
	}
	s := &Subscription{bus: b, heard: make(chan Message), missed: make(chan struct{}, 1), ended: make(chan struct{})}
	if err := s.begin(subject); err != nil {
		return nil, b.unavailable(err)
	}
	if err := b.flush(ctx); err != nil {
		s.Close()
		return nil, b.unavailable(err)
	}
	return s, nil
}

// begin is under the lock, so that whatever is missed finds it.
func (s *Subscription) begin(subject string) error {
	s.bus.mu.Lock()
	defer s.bus.mu.Unlock()
	if s.bus.life.Err() != nil {
		return nats.ErrConnectionClosed
	}
	var err error
	if s.inner, err = s.bus.conn.Subscribe(said+subject, s.hear); err != nil {
		return err
	}
	s.bus.subscriptions[s.inner] = s
	return s.inner.SetPendingLimits(maxPending, maxPendingBytes)
}

// hear is called by NATS for one message at a time; the others wait there, within their limits.
func (s *Subscription) hear(m *nats.Msg) {
	select {
	case s.heard <- Message{strings.TrimPrefix(m.Subject, said), m.Data}:
	case <-s.ended:
	case <-s.bus.life.Done():
	}
}

// miss never waits.
func (s *Subscription) miss() {
	select {
	case s.missed <- struct{}{}:
	default: // it is told that already
	}
}

// Next waits for the next message, or for ErrMissed, which goes before messages that wait. ErrClosed is the end.
func (s *Subscription) Next(ctx context.Context) (Message, error) {
	select {
	case <-s.missed:
		return Message{}, ErrMissed
	default:
	}
	select {
	case <-s.missed:
		return Message{}, ErrMissed
	case m := <-s.heard:
		return m, nil
	case <-s.ended:
	case <-s.bus.life.Done():
	case <-ctx.Done():
		return Message{}, context.Cause(ctx)
	}
	return Message{}, ErrClosed
}

// Close ends it.
func (s *Subscription) Close() {
	s.once.Do(func() {
		close(s.ended)
		_ = s.inner.Unsubscribe() // or the connection is closed, which ends it as well
		s.bus.mu.Lock()
		defer s.bus.mu.Unlock()
		delete(s.bus.subscriptions, s.inner)
	})
}

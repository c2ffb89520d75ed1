package pubsub

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrLost says that a lease was lost while something was done under it.
var ErrLost = errors.New("the lease was lost")

// Hold waits until nobody holds the lease of that name, here or on another node, does do, and hands the
// lease over when that returns. The context of do ends when ctx or the Bus does, or when the lease is lost, which is
// before another may have it. Hold returns the error of do, and ErrLost with it where the lease was lost.
//
// A process that stands still, as a machine that is suspended, may wake up after its lease went to another, and not know for
// a moment. What has to be written by one alone is written by Stream.Append or in a transaction.
func (b *Bus) Hold(ctx context.Context, name string, do func(context.Context) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	l, err := b.take(ctx, name)
	if err != nil {
		return err
	}
	return l.keep(ctx, do)
}

// lease is one that is held.
type lease struct {
	bucket   jetstream.KeyValue
	name     string
	holder   string // who: no other has this text
	ttl      time.Duration
	revision uint64    // of the holder's last word
	until    time.Time // when to stop, unless it is renewed
}

// take waits for the lease. A watch tells when it is free; that it may also fail is why it is tried
// now and then besides.
func (b *Bus) take(ctx context.Context, name string) (*lease, error) {
	bucket, err := b.bucket(ctx)
	if err != nil {
		return nil, b.waited(ctx, err)
	}
	watch, err := bucket.Watch(ctx, name)
	if err != nil {
		return nil, b.waited(ctx, err)
	}
	defer watch.Stop() //nolint:errcheck // a watch that is not there any more has ended as well
	l := &lease{bucket: bucket, name: name, holder: rand.Text(), ttl: b.ttl}
	for {
		err := l.create(ctx)
		if err == nil && ctx.Err() != nil {
			l.giveBack(context.WithoutCancel(ctx))
			return nil, context.Cause(ctx)
		}
		if err == nil {
			return l, nil
		}
		if refused, ok := errors.AsType[*jetstream.APIError](err); !ok || !isMoved(refused) {
			return nil, b.waited(ctx, err)
		}
		if err := free(ctx, watch, l.ttl); err != nil {
			return nil, err
		}
	}
}

// waited is why something did not work that took ctx along.
func (b *Bus) waited(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return b.unavailable(err)
}

// bucket is where leases are: the server forgets those that are not renewed, and says so to who watches.
// Leases of the server inside the process end with it.
func (b *Bus) bucket(ctx context.Context) (bucket jetstream.KeyValue, err error) {
	storage := jetstream.FileStorage
	if b.server != nil {
		storage = jetstream.MemoryStorage
	}
	err = b.make(ctx, func(ctx context.Context) error {
		bucket, err = b.js.KeyValue(ctx, leases)
		if errors.Is(err, jetstream.ErrBucketNotFound) {
			bucket, err = b.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: leases, TTL: b.ttl, LimitMarkerTTL: max(b.ttl, time.Second),
				Storage: storage, Replicas: b.replicas(),
			})
		}
		return err
	})
	return bucket, err
}

// free waits until the lease is given back or forgotten, or for its time to live.
func free(ctx context.Context, watch jetstream.KeyWatcher, ttl time.Duration) error {
	timer := time.NewTimer(ttl)
	defer timer.Stop()
	updates := watch.Updates()
	for {
		select {
		case e, open := <-updates:
			if !open {
				updates = nil // the timer is left
			} else if e != nil && e.Operation() != jetstream.KeyValuePut {
				return nil
			}
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// create hears the answer whether or not ctx ends meanwhile: a lease of which nobody knows stays until it is forgotten.
func (l *lease) create(ctx context.Context) (err error) {
	sent := time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(l.ttl, closeTimeout))
	defer cancel()
	l.revision, err = l.bucket.Create(ctx, l.name, []byte(l.holder))
	l.stopAfter(sent)
	return err
}

// stopAfter leaves a quarter of the time for what is done to stop in.
func (l *lease) stopAfter(sent time.Time) { l.until = sent.Add(l.ttl * 3 / 4) }

// keep does do, renewing the lease meanwhile.
func (l *lease) keep(ctx context.Context, do func(context.Context) error) error {
	held, lose := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	renewing.Go(func() { l.renew(held, lose) })
	defer func() { // whatever do does
		lose(context.Canceled)
		renewing.Wait()
		l.giveBack(context.WithoutCancel(ctx))
	}()
	err := do(held)
	if errors.Is(context.Cause(held), ErrLost) && !errors.Is(err, ErrLost) {
		return errors.Join(ErrLost, err)
	}
	return err
}

// renew says that the holder is there, until ctx ends or the lease is lost.
func (l *lease) renew(ctx context.Context, lose context.CancelCauseFunc) {
	tick := time.NewTicker(l.ttl / 4)
	defer tick.Stop()
	for {
		last := time.NewTimer(time.Until(l.until))
		select {
		case <-ctx.Done():
		case <-last.C:
		case <-tick.C:
		}
		last.Stop()
		if ctx.Err() != nil {
			return
		}
		if !l.prolong(ctx) && ctx.Err() == nil {
			lose(ErrLost)
			return
		}
	}
}

// prolong is whether the lease may still be the holder's.
func (l *lease) prolong(ctx context.Context) bool {
	sent := time.Now()
	ctx, cancel := context.WithDeadline(ctx, l.until)
	defer cancel()
	revision, err := l.bucket.Update(ctx, l.name, []byte(l.holder), l.revision)
	if errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return l.isMine(ctx)
	}
	if err == nil {
		l.revision = revision
		l.stopAfter(sent)
	}
	return time.Now().Before(l.until)
}

// isMine is whether the last word is the holder's own: an answer of which nobody heard. It does not prolong it.
func (l *lease) isMine(ctx context.Context) bool {
	e, err := l.bucket.Get(ctx, l.name)
	if err != nil {
		return !errors.Is(err, jetstream.ErrKeyNotFound) && time.Now().Before(l.until)
	}
	l.revision = e.Revision()
	return string(e.Value()) == l.holder
}

// giveBack lets another have it at once. Where that fails it is free after its time to live.
func (l *lease) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	_ = l.bucket.Delete(ctx, l.name, jetstream.LastRevision(l.revision))
}

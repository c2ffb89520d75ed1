package database_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
)

// switched is a database that can be down, with what it was asked.
type switched struct {
	fake
	down         atomic.Bool
	views, pings atomic.Int64
	hold         chan struct{} // pings wait for it when there is one
}

func (s *switched) gone() error {
	if s.down.Load() {
		return fault.New(fault.Unavailable, "gone")
	}
	return nil
}

func (s *switched) Ping(context.Context) error {
	s.pings.Add(1)
	if s.hold != nil {
		<-s.hold
	}
	return s.gone()
}

func (s *switched) View(ctx context.Context, do func(driver.Reader) error) error {
	s.views.Add(1)
	if err := s.gone(); err != nil {
		return err
	}
	return s.fake.View(ctx, do)
}

func view(ctx context.Context, db *database.DB) error {
	return db.View(ctx, func(driver.Reader) error { return nil })
}

// clock is a time that moves when it is told to, and by so much at each look.
type clock struct {
	mu   sync.Mutex
	at   time.Time
	each time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(c.each)
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// A database that is refused at once is asked again by each request, and works when it is back.
func TestADatabaseComesBackByItself(t *testing.T) {
	s, c := &switched{}, &clock{}
	db := database.NewAt("x", s, c.now)
	for _, down := range []bool{false, true, true, false, true, false, false} {
		s.down.Store(down)
		err := view(t.Context(), db)
		if (fault.KindOf(err) == fault.Unavailable) != down || (err != nil) != down {
			t.Fatalf("down %v: %v", down, err)
		}
		tx := db.Tx(t.Context(), func(driver.Tx) error { return nil })
		if down && fault.KindOf(tx) != fault.Unavailable || !down && tx != nil {
			t.Fatalf("down %v: %v", down, tx)
		}
	}
}

// One that it takes long to find down is left alone for a while: requests fail at once.
func TestADatabaseThatIsDownKeepsFewWaiting(t *testing.T) {
	s, c := &switched{}, &clock{each: time.Second}
	db := database.NewAt("x", s, c.now)
	s.down.Store(true)
	_ = view(t.Context(), db)
	if got := s.pings.Load(); got != 1 {
		t.Fatalf("%d pings", got)
	}
	c.each = 0
	views := s.views.Load()
	for range 10 {
		if err := view(t.Context(), db); fault.KindOf(err) != fault.Unavailable {
			t.Fatal(err)
		}
	}
	if s.pings.Load() != 1 || s.views.Load() != views {
		t.Errorf("%d pings, %d views while it is known to be down", s.pings.Load(), s.views.Load()-views)
	}
	s.down.Store(false)
	c.pass(time.Minute)
	if err := view(t.Context(), db); err != nil {
		t.Errorf("it is back: %v", err)
	}
}

// Who asks at the same time asks once; who gives up waits no longer.
func TestADatabaseIsAskedOnceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &switched{hold: make(chan struct{})}
		db := database.New("x", s)
		s.down.Store(true)
		const askers = 10
		errs := make(chan error, askers)
		for range askers {
			go func() { errs <- db.Ping(t.Context()) }()
		}
		synctest.Wait()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Ping(over); fault.KindOf(err) != fault.Timeout {
			t.Errorf("a request that is over: %v", err)
		}
		close(s.hold)
		for range askers {
			if err := <-errs; fault.KindOf(err) != fault.Unavailable {
				t.Error(err)
			}
		}
		if got := s.pings.Load(); got != 1 {
			t.Errorf("%d pings", got)
		}
	})
}

// What else goes wrong says nothing of the database.
func TestErrorsOfRequestsCloseNothing(t *testing.T) {
	s := &switched{}
	db := database.New("x", s)
	for _, kind := range []fault.Kind{fault.Invalid, fault.Internal, fault.Unavailable, fault.Timeout} {
		err := db.View(t.Context(), func(driver.Reader) error { return fault.New(kind, "of the request") })
		if fault.KindOf(err) != kind {
			t.Error(err)
		}
		if err := view(t.Context(), db); err != nil {
			t.Errorf("after %s: %v", kind, err)
		}
	}
}

func BenchmarkView(b *testing.B) {
	db := database.New("x", &fake{})
	do := func(driver.Reader) error { return nil }
	b.ReportAllocs()
	for b.Loop() {
		_ = db.View(b.Context(), do)
	}
}

package pubsub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/fault"
)

// What a Bus promises it promises wherever the server is.
func TestEverywhere(t *testing.T) {
	for _, at := range places {
		t.Run(at.name, func(t *testing.T) {
			nodes := at.nodes(t)
			for _, c := range []struct {
				name string
				run  func(t *testing.T, here, there *Bus)
			}{
				{"PublishersAreHeardInOrder", publishersAreHeardInOrder},
				{"SubjectsAreChosenByName", subjectsAreChosenByName},
				{"TheSlowAreToldAndNobodyWaits", theSlowAreToldAndNobodyWaits},
				{"ASubscriptionEnds", aSubscriptionEnds},
				{"AnEntryIsPublishedOnce", anEntryIsPublishedOnce},
				{"WritersAppendOneAfterTheOther", writersAppendOneAfterTheOther},
				{"ReadersMissNothing", readersMissNothing},
				{"WhatIsGoneIsSaid", whatIsGoneIsSaid},
				{"OneHoldsALease", oneHoldsALease},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, nodes[0], nodes[1]) })
			}
		})
	}
}

func listen(t testing.TB, b *Bus, subject string) *Subscription {
	t.Helper()
	s, err := b.Subscribe(t.Context(), subject)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func say(t testing.TB, b *Bus, subject, data string) {
	t.Helper()
	if err := b.Publish(subject, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

// hear is the next message, which comes.
func hear(t testing.TB, s *Subscription) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	m, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return m.Subject + " " + string(m.Data)
}

// meet waits until the server of from knows of s, which another server of a cluster learns a moment later.
func meet(t testing.TB, from *Bus, s *Subscription, subject string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	var asking sync.WaitGroup
	heard := make(chan struct{})
	asking.Go(func() {
		for round := 0; ; round++ {
			select {
			case <-heard:
				say(t, from, subject, "met")
				return
			default:
				say(t, from, subject, "meet")
				from.flush(ctx)
			}
		}
	})
	if _, err := s.Next(ctx); err != nil {
		t.Fatal(err)
	}
	close(heard)
	asking.Wait()
	for {
		m, err := s.Next(ctx)
		if errors.Is(err, ErrMissed) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(m.Data) == "met" {
			return
		}
	}
}

func publishersAreHeardInOrder(t *testing.T, here, there *Bus) {
	const each = 500
	s := listen(t, there, "order.*")
	meet(t, here, s, "order.meet")
	var publishing sync.WaitGroup
	for p := range 3 {
		publishing.Go(func() {
			for i := range each {
				say(t, here, fmt.Sprint("order.", p), strconv.Itoa(i))
			}
		})
	}
	next := map[string]int{}
	for range 3 * each {
		m, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(m.Data), strconv.Itoa(next[m.Subject]); got != want {
			t.Fatalf("%s: %s, want %s", m.Subject, got, want)
		}
		next[m.Subject]++
	}
	publishing.Wait()
}

func subjectsAreChosenByName(t *testing.T, here, there *Bus) {
	all, one, name := listen(t, there, "names.>"), listen(t, there, "names.*.x"), listen(t, there, "names.a.x")
	for _, s := range []*Subscription{all, one, name} {
		meet(t, here, s, "names.a.x")
	}
	for _, subject := range []string{"names.a.x", "names.b.x", "names.b.Ünï=/$", "other.a.x", "names.end.x", "names.a.x"} {
		say(t, here, subject, "!")
	}
	heard := func(s *Subscription, last string, times int) (subjects []string) {
		for times > 0 {
			text := hear(t, s)
			if text[len(text)-1] != '!' {
				continue // of another that met
			}
			subjects = append(subjects, text[:len(text)-2])
			if subjects[len(subjects)-1] == last {
				times--
			}
		}
		return subjects
	}
	for _, c := range []struct {
		s    *Subscription
		want []string
	}{
		{all, []string{"names.a.x", "names.b.x", "names.b.Ünï=/$", "names.end.x", "names.a.x"}},
		{one, []string{"names.a.x", "names.b.x", "names.end.x", "names.a.x"}},
		{name, []string{"names.a.x", "names.a.x"}},
	} {
		if got := heard(c.s, "names.a.x", 2); !slices.Equal(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func theSlowAreToldAndNobodyWaits(t *testing.T, here, there *Bus) {
	slow, quick := listen(t, there, "slow.all"), listen(t, there, "slow.last")
	meet(t, here, slow, "slow.all")
	meet(t, here, quick, "slow.last")
	for range 2 * maxPending {
		say(t, here, "slow.all", "x")
	}
	say(t, here, "slow.last", "x")
	if got := hear(t, quick); got != "slow.last x" { // the others were before it
		t.Error(got)
	}
	untilMissed(t, slow)
	for heard := 0; ; heard++ {
		if heard > 2*maxPending {
			t.Fatalf("%d messages waited", heard)
		}
		say(t, here, "slow.all", "y") // it goes on where there is room again
		m, err := slow.Next(t.Context())
		if err != nil && !errors.Is(err, ErrMissed) {
			t.Fatal(err)
		}
		if string(m.Data) == "y" {
			return
		}
	}
}

// untilMissed hears what there is until something is missed.
func untilMissed(t testing.TB, s *Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	for {
		if _, err := s.Next(ctx); errors.Is(err, ErrMissed) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func aSubscriptionEnds(t *testing.T, here, _ *Bus) {
	s := listen(t, here, "end")
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := s.Next(ctx); !errors.Is(err, why) {
		t.Error(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := s.Next(t.Context())
		ended <- err
	}()
	s.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	s.Close()
}

func newStream(t testing.TB, b *Bus, c StreamConfig) *Stream {
	t.Helper()
	s, err := b.Stream(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func anEntryIsPublishedOnce(t *testing.T, here, there *Bus) {
	a, b := newStream(t, here, StreamConfig{Name: "once"}), newStream(t, there, StreamConfig{Name: "once"})
	for i, c := range []struct {
		s    *Stream
		e    Entry
		want uint64
	}{
		{a, Entry{ID: "1", Data: []byte("one")}, 1},
		{b, Entry{ID: "1", Data: []byte("one")}, 1},
		{b, Entry{Data: []byte("two")}, 2},
		{a, Entry{Data: []byte("two")}, 3},
	} {
		if seq, err := c.s.Publish(t.Context(), c.e); err != nil || seq != c.want {
			t.Fatal(i, seq, err)
		}
	}
	e, err := b.Get(t.Context(), 1)
	if err != nil || e.ID != "1" || string(e.Data) != "one" || e.Seq != 1 || time.Since(e.Time).Abs() > time.Hour {
		t.Error(e, err)
	}
	if _, err := b.Get(t.Context(), 4); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
	if _, err := b.Append(t.Context(), 3, Entry{ID: "1"}); fault.KindOf(err) != fault.Conflict {
		t.Error(err)
	}
	if _, err := a.Publish(t.Context(), Entry{Data: make([]byte, maxData+1)}); fault.KindOf(err) != fault.Limit {
		t.Error(err)
	}
	if seq, err := a.Publish(t.Context(), Entry{Data: make([]byte, maxData)}); err != nil || seq != 4 {
		t.Error(seq, err)
	}
}

// Whoever appends after what he saw last, and looks again when another was first: nothing is twice or
// between.
func writersAppendOneAfterTheOther(t *testing.T, here, there *Bus) {
	const total = 600
	var writing sync.WaitGroup
	for w, b := range []*Bus{here, there} {
		s := newStream(t, b, StreamConfig{Name: "writers"})
		writing.Go(func() {
			for last := uint64(0); last < total; {
				part := numbers(last, min(uint64(w*400+7), total-last)) // more than a window, and less
				next, err := s.Append(t.Context(), last, part...)
				if fault.KindOf(err) == fault.Conflict {
					bounds, err := s.Bounds(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					next = bounds.Last
				} else if err != nil {
					t.Error(err)
					return
				}
				last = next
			}
		})
	}
	writing.Wait()
	checkNumbers(t, newStream(t, here, StreamConfig{Name: "writers"}), 1, total)
	bounds, err := newStream(t, there, StreamConfig{Name: "writers"}).Bounds(t.Context())
	if err != nil || bounds.First != 1 || bounds.Last != total || bounds.Created.IsZero() {
		t.Error(bounds, err)
	}
}

// numbers are n entries after last, each of which says its number.
func numbers(last, n uint64) []Entry {
	var entries []Entry
	for i := range n {
		entries = append(entries, Entry{Data: strconv.AppendUint(nil, last+i+1, 10)})
	}
	return entries
}

// checkNumbers reads entries that say their number.
func checkNumbers(t testing.TB, s *Stream, from, to uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longEnough)
	defer cancel()
	next := from
	for e, err := range s.Read(ctx, from) {
		if err != nil {
			t.Fatal(next, err)
		}
		if e.Seq != next || string(e.Data) != strconv.FormatUint(next, 10) {
			t.Fatalf("%d %s, want %d", e.Seq, e.Data, next)
		}
		if next++; e.Seq == to {
			return
		}
	}
}

func readersMissNothing(t *testing.T, here, there *Bus) {
	const total = 300
	s := newStream(t, here, StreamConfig{Name: "readers"})
	if _, err := s.Append(t.Context(), 0, numbers(0, 10)...); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	for _, from := range []uint64{1, 5, 11} {
		reading.Go(func() { checkNumbers(t, newStream(t, there, StreamConfig{Name: "readers"}), from, total) })
	}
	for last := uint64(10); last < total; last++ {
		if _, err := s.Append(t.Context(), last, numbers(last, 1)...); err != nil {
			t.Fatal(err)
		}
	}
	reading.Wait()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	why := errors.New("enough")
	for _, err := range s.Read(ctx, total) {
		if err != nil && !errors.Is(err, why) {
			t.Error(err)
		}
		cancel(why)
	}
}

func whatIsGoneIsSaid(t *testing.T, here, there *Bus) {
	const room = 20
	c := StreamConfig{Name: "gone", Age: time.Hour, Bytes: room * 1000}
	s := newStream(t, here, c)
	for last := range uint64(3 * room) {
		if _, err := s.Append(t.Context(), last, Entry{Data: make([]byte, 1000)}); err != nil {
			t.Fatal(err)
		}
	}
	s = newStream(t, there, c)
	bounds, err := s.Bounds(t.Context())
	if err != nil || bounds.Last != 3*room || bounds.First <= 2*room || bounds.First > bounds.Last {
		t.Fatal(bounds, err)
	}
	for _, from := range []uint64{0, 1, bounds.First - 1, bounds.Last + 2} {
		for e, err := range s.Read(t.Context(), from) {
			if !errors.Is(err, ErrGone) {
				t.Errorf("%d: %d, %v", from, e.Seq, err)
			}
		}
	}
	for e, err := range s.Read(t.Context(), bounds.First) {
		if err != nil || e.Seq != bounds.First {
			t.Error(e.Seq, err)
		}
		break
	}
	// Who reads slowly is overtaken, and hears of it.
	const more = 3 * window
	for e, err := range s.Read(t.Context(), bounds.Last) {
		switch {
		case errors.Is(err, ErrGone):
			return
		case err != nil:
			t.Fatal(err)
		case e.Seq == bounds.Last:
			if _, err := newStream(t, here, c).Append(t.Context(), bounds.Last, slices.Repeat([]Entry{{Data: make([]byte, 1000)}}, more)...); err != nil {
				t.Fatal(err)
			}
		case e.Seq == bounds.Last+more:
			t.Fatal("there was room for all")
		}
	}
}

// Leases live for an hour here, so that only handing them over lets all have their turn.
func oneHoldsALease(t *testing.T, here, there *Bus) {
	const each = 5
	var holding, terms atomic.Int32
	var all sync.WaitGroup
	for i := range 2 * each {
		b := []*Bus{here, there}[i%2]
		all.Go(func() {
			err := b.Hold(t.Context(), "one", func(context.Context) error {
				if n := holding.Add(1); n != 1 {
					t.Errorf("%d hold it", n)
				}
				terms.Add(1)
				holding.Add(-1)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := terms.Load(); n != 2*each {
		t.Errorf("%d terms", n)
	}
	err := here.Hold(t.Context(), "one", func(ctx context.Context) error {
		return there.Hold(ctx, "another", func(context.Context) error { return fault.New(fault.Limit, "x") })
	})
	if fault.KindOf(err) != fault.Limit {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	err = here.Hold(t.Context(), "one", func(context.Context) error {
		cancel(fault.New(fault.Timeout, "x"))
		return there.Hold(ctx, "one", func(context.Context) error { t.Error("it was held"); return nil })
	})
	if fault.KindOf(err) != fault.Timeout {
		t.Error(err)
	}
}

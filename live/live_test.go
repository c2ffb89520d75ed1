package live_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/tests/served"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a hub on a clock that is moved, and a value that is asked for.
type world struct {
	*testing.T
	*live.Hub
	*live.Scope
	clock *served.Clock
	mu    sync.Mutex
	value string // guarded by mu
	err   error  // guarded by mu
	asked atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clock: served.NewClock(noon), value: "first"}
	w.Hub = live.New(live.Config{Clock: w.clock, PerCaller: 3})
	w.Scope = w.Hub.Scope()
	return w
}

func (w *world) set(value string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.value, w.err = value, err
}

var posts = live.Table{Database: "main", Name: "posts"}

// query asks for the value and reads posts.
func (w *world) query(name string, where ...live.Equal) live.Query {
	return live.Query{
		Key: live.KeyOf([]byte(name)), Caller: name, Reads: []live.Read{{Table: posts, Where: where}},
		Ask: func(context.Context, time.Time) ([]byte, error) {
			w.asked.Add(1)
			w.mu.Lock()
			defer w.mu.Unlock()
			return []byte(w.value), w.err
		},
	}
}

func (w *world) join(q live.Query) *live.Watch {
	w.Helper()
	watch, err := w.Join(w.Context(), q)
	if err != nil {
		w.Fatal(err)
	}
	return watch
}

// next is what somebody is told next: the answer, or what is wrong.
func (w *world) next(watch *live.Watch, want string) {
	w.Helper()
	if got := told(watch.Next(w.Context())); got != want {
		w.Errorf("told %q, want %q", got, want)
	}
}

// once is what somebody is told who comes and goes.
func (w *world) once(name, want string) {
	w.Helper()
	watch := w.join(w.query(name))
	defer watch.Leave()
	w.next(watch, want)
}

// nothing is that somebody has nothing to be told.
func (w *world) nothing(watch *live.Watch) {
	w.Helper()
	over, end := context.WithCancel(w.Context())
	end()
	if got, err := watch.Next(over); !errors.Is(err, context.Canceled) {
		w.Errorf("told %q", told(got, err))
	}
}

func told(a *live.Answer, err error) string {
	if err != nil {
		return "end: " + err.Error()
	}
	if a.Err != nil {
		return "error: " + a.Err.Error()
	}
	return string(a.Bytes)
}

// touched is a change of any row of posts.
func touched() []live.Change { return []live.Change{{Table: posts}} }

func TestOneExecutionForAllWhoWaitForTheSame(t *testing.T) {
	w := newWorld(t)
	var all []*live.Watch
	for i := range 1_000 {
		q := w.query("posts")
		q.Caller = strconv.Itoa(i)
		all = append(all, w.join(q))
	}
	for _, watch := range all {
		w.next(watch, "first")
	}
	w.clock.Move(live.Pause)
	w.set("second", nil)
	w.Tell(touched())
	for _, watch := range all {
		w.next(watch, "second")
	}
	if n := w.asked.Load(); n != 2 {
		t.Errorf("asked %d times for one answer and one change", n)
	}
}

func TestChangesWithinAPauseAreAnsweredTogether(t *testing.T) {
	w := newWorld(t)
	watch := w.join(w.query("posts"))
	w.next(watch, "first")
	w.clock.Move(live.Pause)
	w.set("second", nil)
	w.Tell(touched()) // after a pause: at once
	w.next(watch, "second")
	for i := range 50 {
		w.set("third "+strconv.Itoa(i), nil)
		w.Tell(touched())
	}
	w.nothing(watch)
	w.clock.Move(live.Pause)
	w.next(watch, "third 49")
	if n := w.asked.Load(); n != 3 {
		t.Errorf("asked %d times, want 3", n)
	}
}

// A change that comes while the answer is made is not lost, whether the answer knows of it or not.
func TestNothingBetweenIsLost(t *testing.T) {
	w := newWorld(t)
	q := w.query("posts")
	begun, goOn := make(chan struct{}), make(chan struct{})
	ask := q.Ask
	q.Ask = func(ctx context.Context, now time.Time) ([]byte, error) {
		answer, err := ask(ctx, now)
		if w.asked.Load() == 1 {
			close(begun)
			<-goOn
		}
		return answer, err
	}
	early := w.join(q)
	<-begun
	w.set("second", nil)
	w.Tell(touched())
	late := w.join(q) // after the change: must not be told what was before
	close(goOn)
	w.next(early, "first")
	w.nothing(late)
	w.clock.Move(live.Pause)
	w.next(late, "second")
	w.next(early, "second")
}

func TestIdenticalAnswersAreNotSent(t *testing.T) {
	w := newWorld(t)
	watch, other := w.join(w.query("posts")), w.join(w.query("others"))
	w.next(watch, "first")
	w.next(other, "first")
	w.clock.Move(live.Pause)
	w.Tell(touched())
	w.once("posts", "first") // comes when the change was answered
	w.nothing(watch)
	// Who reads slowly gets the last, and nothing if that is what he has.
	for _, value := range []string{"second", "first"} {
		w.clock.Move(live.Pause)
		w.set(value, nil)
		w.Tell(touched())
		w.once("posts", value)
		w.once("others", value)
	}
	w.nothing(watch)
}

func TestErrorsAreToldAndTheGroupLivesOn(t *testing.T) {
	w := newWorld(t)
	watch := w.join(w.query("posts"))
	w.next(watch, "first")
	w.set("", errors.New("down"))
	w.clock.Move(live.Idle)
	w.next(watch, "error: down")
	w.set("first", nil)
	w.clock.Move(live.Idle)
	w.next(watch, "first")
}

func TestPanicsAreErrors(t *testing.T) {
	w := newWorld(t)
	q := w.query("posts")
	q.Ask = func(context.Context, time.Time) ([]byte, error) { panic("oh") }
	a, err := w.join(q).Next(t.Context())
	if err != nil || fault.KindOf(a.Err) != fault.Internal {
		t.Errorf("%v, %v", a, err)
	}
}

func TestAskedAgainWithoutAChange(t *testing.T) {
	w := newWorld(t)
	usual, timely := w.query("usual"), w.query("timely")
	timely.Timely = true
	a, b := w.join(usual), w.join(timely)
	w.next(a, "first")
	w.next(b, "first")
	w.set("second", nil)
	w.clock.Move(live.Timely)
	w.next(b, "second")
	w.nothing(a)
	w.clock.Move(live.Idle - live.Timely)
	w.next(a, "second")
}

func TestEnds(t *testing.T) {
	w := newWorld(t)
	q := w.query("posts")
	q.Expires = noon.Add(time.Minute)
	expiring, staying := w.join(q), w.join(w.query("posts"))
	w.next(expiring, "first")
	w.next(staying, "first")
	w.clock.Move(time.Minute)
	w.next(expiring, "end: "+live.Expired.Error())
	w.nothing(staying)
	elsewhere, err := w.Hub.Scope().Join(t.Context(), w.query("posts"))
	if err != nil {
		t.Fatal(err)
	}
	w.End(live.Swapped)
	w.next(staying, "end: "+live.Swapped.Error())
	if _, err := w.Join(t.Context(), w.query("posts")); !errors.Is(err, live.Swapped) {
		t.Errorf("joined a scope that has ended: %v", err)
	}
	w.next(elsewhere, "first")
}

func TestLeavesNothingBehind(t *testing.T) {
	w := newWorld(t)
	ctx, end := context.WithCancel(t.Context())
	for i := range 3 {
		q := w.query("posts", live.Equal{Column: "id", Values: []string{strconv.Itoa(i)}})
		q.Key, q.Expires = live.KeyOf([]byte{byte(i)}), noon.Add(time.Hour)
		watch, err := w.Join(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		w.next(watch, "first")
	}
	_, err := w.Join(ctx, w.query("posts"))
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind != fault.Limit {
		t.Errorf("one more than a caller may hold: %v", err)
	}
	last := w.join(w.query("last"))
	w.next(last, "first")
	end()
	for w.Held() > 1 { // they leave by themselves, at once
		w.join(w.query("again")).Leave()
	}
	last.Leave()
	last.Leave()
	if left := w.Left(); left != "" || w.Watched() || w.clock.Waiting() > 0 {
		t.Errorf("left behind: %s, %d timers", left, w.clock.Waiting())
	}
}

// A change wakes those whose columns may hold what it knows of the rows, and nobody else.
func TestWakesByValue(t *testing.T) {
	w := newWorld(t)
	is := func(column string, values ...string) live.Equal { return live.Equal{Column: column, Values: values} }
	reads := map[string][]live.Equal{
		"all": nil, "id 1": {is("id", "1")}, "id 1 or 2": {is("id", "1", "2")}, "of ann": {is("owner", "ann")},
		"id 1 of ann": {is("id", "1"), is("owner", "ann")}, "none": {is("id")},
	}
	watches := map[string]*live.Watch{}
	for name, where := range reads {
		watches[name] = w.join(w.query(name, where...))
		w.next(watches[name], "first")
	}
	type values = map[string][]string
	for i, c := range []struct {
		change live.Change
		want   []string
	}{
		{live.Change{Table: posts}, []string{"all", "id 1", "id 1 of ann", "id 1 or 2", "none", "of ann"}},
		{live.Change{Table: live.Table{Database: "main"}}, []string{"all", "id 1", "id 1 of ann", "id 1 or 2", "none", "of ann"}},
		{live.Change{Table: live.Table{Database: "main", Name: "users"}}, nil},
		{live.Change{Table: live.Table{Database: "other"}}, nil},
		{live.Change{Table: posts, Values: values{"id": {"1"}}}, []string{"all", "id 1", "id 1 of ann", "id 1 or 2", "of ann"}},
		{live.Change{Table: posts, Values: values{"id": {"2"}}}, []string{"all", "id 1 or 2", "of ann"}},
		{live.Change{Table: posts, Values: values{"id": {"1"}, "owner": {"bob"}}}, []string{"all", "id 1", "id 1 or 2"}},
		{live.Change{Table: posts, Values: values{"owner": {"bob", "ann"}}}, []string{"all", "id 1", "id 1 of ann", "id 1 or 2", "none", "of ann"}},
		{live.Change{Table: posts, Values: values{"id": {}}}, []string{"all", "of ann"}},
	} {
		w.clock.Move(live.Pause)
		value := strconv.Itoa(i)
		w.set(value, nil)
		w.Tell([]live.Change{c.change})
		for _, name := range c.want {
			w.next(watches[name], value)
		}
		for name, watch := range watches {
			if !slices.Contains(c.want, name) {
				w.nothing(watch)
			}
		}
	}
}

// Whatever comes and goes, and however fast, everybody who stays ends with the last state.
func TestNobodyMissesTheLastState(t *testing.T) {
	hub := live.New(live.Config{PerCaller: 1_000})
	scope := hub.Scope()
	var states [4]atomic.Int64
	query := func(n int) live.Query {
		return live.Query{
			Key: live.KeyOf([]byte{byte(n)}), Reads: []live.Read{{Table: posts, Where: []live.Equal{{Column: "id", Values: []string{strconv.Itoa(n)}}}}},
			Ask: func(context.Context, time.Time) ([]byte, error) { return fmt.Append(nil, states[n].Load()), nil },
		}
	}
	const last = 200
	var all sync.WaitGroup
	for i := range 40 {
		n := i % len(states)
		all.Go(func() {
			for range rand.N(5) { // comes and goes
				if w, err := scope.Join(t.Context(), query(n)); err == nil {
					w.Leave()
				}
			}
			watch, err := scope.Join(t.Context(), query(n))
			for err == nil {
				var a *live.Answer
				if a, err = watch.Next(t.Context()); err == nil && string(a.Bytes) == strconv.Itoa(last) {
					return
				}
			}
			t.Error(err)
		})
	}
	for n := range states {
		all.Go(func() {
			for i := range int64(last) {
				states[n].Store(i + 1)
				hub.Tell([]live.Change{{Table: posts, Values: map[string][]string{"id": {strconv.Itoa(n)}}}})
			}
		})
	}
	all.Wait()
}

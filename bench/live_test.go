package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/live"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// waiters is a server, and who waits at it without any door.
type waiters struct {
	*testing.B
	handler *graph.Server
	rows    *resolvers.Resolvers
	posts   *schema.Type
	clock   *served.Clock
}

func newWaiters(b *testing.B, d driver.Driver) *waiters {
	b.Helper()
	s := benchSchema(b)
	w := &waiters{B: b, posts: s.Type("Post"), clock: served.NewClock(time.Now())}
	set, err := rules.Compile(s)
	check(b, err)
	w.rows, err = resolvers.New(resolvers.Config{
		Schema: s, Rules: set, Databases: map[string]*database.DB{"main": database.New("main", d)},
		Live: live.New(live.Config{PerCaller: 1 << 20, Clock: w.clock}).Scope(),
	})
	check(b, err)
	api, err := generator.New(s)
	check(b, err)
	w.handler, err = graph.New(graph.Options{API: api, Resolvers: w.rows})
	check(b, err)
	return w
}

// post finds a post by its key.
func (w *waiters) post() *resolvers.Found {
	f := &query.Find{Type: w.posts, One: true, Where: query.Compare{Left: query.Col(w.posts.Field("id")), Op: query.Eq, Right: query.ArgAt(0)}}
	for _, name := range []string{"id", "title", "views"} {
		f.Items = append(f.Items, query.Item{Name: name, Field: w.posts.Field(name)})
	}
	return w.rows.Find(f)
}

// wait has somebody wait for a post, who has got his first answer.
func (w *waiters) wait(f *resolvers.Found, id string) *live.Watch {
	w.Helper()
	args := []schema.Value{schema.Text(id)}
	caller := &auth.Caller{SignedIn: true, Claims: map[string]any{"sub": "ann", "id": "ann"}, Now: time.Now()}
	watch, err := f.Watch(w.Context(), caller, args, resolvers.Shown{
		As:  []byte("post"),
		Ask: func(ctx context.Context, c *auth.Caller) ([]byte, error) { return f.Run(ctx, c, args, nil) },
	})
	check(w.B, err)
	w.told(watch)
	return watch
}

func (w *waiters) told(watch *live.Watch) {
	if _, err := watch.Next(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// touch changes a post.
func (w *waiters) touch(id string) {
	ask(w.B, w.handler, fmt.Appendf(nil, `{"query":"mutation($id: ID!) { updatePosts(where: {id: {_eq: $id}}, inc: {views: 1}) { affected } }","variables":{"id":%q}}`, id))
}

// BenchmarkLive is what live queries cost: the memory of one that is idle, how long after a write is sent
// one of ten thousand is told, and how long until a thousand are.
func BenchmarkLive(b *testing.B) {
	for _, on := range []struct {
		name string
		open func(*testing.B) driver.Driver
	}{
		{"sqlite", func(b *testing.B) driver.Driver {
			path := b.TempDir() + "/live.db"
			check(b, fill(path, 10, 10_000, 0))
			d, err := sqlite.Open(b.Context(), "sqlite:"+path)
			check(b, err)
			b.Cleanup(func() { _ = d.Close() })
			return d
		}},
		{"postgres", func(b *testing.B) driver.Driver {
			path := b.TempDir() + "/live.db"
			check(b, fill(path, 10, 10_000, 0))
			d, _, _ := copyToPostgres(b, path)
			return d
		}},
	} {
		b.Run(on.name, func(b *testing.B) {
			w := newWaiters(b, on.open(b))
			b.Run("wake", w.wake)
			b.Run("fan-out", w.fanOut)
		})
	}
}

// wake is one of ten thousand that wait for rows of their own.
func (w *waiters) wake(b *testing.B) {
	const n = 10_000
	w.B = b
	f := w.post()
	alone := w.latencies(b, 200, func(i int) { w.touch(postID(i)) })
	before := heap()
	watches := make([]*live.Watch, n)
	for i := range watches {
		watches[i] = w.wait(f, postID(i))
	}
	each := float64(heap()-before) / n
	w.clock.Move(live.Pause)
	i := 0
	written := w.latencies(b, 200, func(int) { i++; w.touch(postID(i % n)); w.told(watches[i%n]) })
	b.ResetTimer()
	for b.Loop() {
		if i++; i%n == 0 {
			w.clock.Move(live.Pause)
		}
		w.touch(postID(i % n))
		w.told(watches[i%n])
	}
	b.ReportMetric(each, "B/query")
	b.ReportMetric(alone[len(alone)/2], "write-µs")
	b.ReportMetric(written[len(written)/2], "told-µs")
	b.ReportMetric(written[len(written)*99/100], "told-p99-µs")
	for _, watch := range watches {
		watch.Leave()
	}
}

// latencies are how long some runs took, ascending, in µs.
func (w *waiters) latencies(b *testing.B, runs int, do func(int)) []float64 {
	b.Helper()
	took := make([]float64, runs)
	for i := range took {
		began := time.Now()
		do(i)
		took[i] = float64(time.Since(began).Nanoseconds()) / 1e3
	}
	slices.Sort(took)
	return took
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// fanOut is a thousand who wait for the same, each in a goroutine of his own as at a door.
func (w *waiters) fanOut(b *testing.B) {
	const n = 1_000
	w.B = b
	f := w.post()
	var all sync.WaitGroup
	again := make([]chan struct{}, n)
	var watches []*live.Watch
	for i := range again {
		again[i] = make(chan struct{}, 1)
		watches = append(watches, w.wait(f, postID(0)))
	}
	var told sync.WaitGroup
	for i, watch := range watches {
		all.Go(func() {
			for range again[i] {
				w.told(watch)
				told.Done()
			}
		})
	}
	for b.Loop() {
		w.clock.Move(live.Pause)
		told.Add(n)
		for i := range again {
			again[i] <- struct{}{}
		}
		w.touch(postID(0))
		told.Wait()
	}
	for i, watch := range watches {
		close(again[i])
		watch.Leave()
	}
	all.Wait()
}

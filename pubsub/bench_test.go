package pubsub

import (
	"context"
	"errors"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// From Publish to Next, one message at a time.
func BenchmarkLook(b *testing.B) {
	for _, at := range benched(b) {
		b.Run(at.name, func(b *testing.B) {
			s := listen(b, at.bus, "x")
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				began := time.Now()
				say(b, at.bus, "x", "look")
				hear(b, s)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}

// As many as one publisher and one subscriber manage.
func BenchmarkLooks(b *testing.B) {
	for _, at := range benched(b) {
		b.Run(at.name, func(b *testing.B) {
			s := listen(b, at.bus, "x")
			room := make(chan struct{}, maxPending/2)
			var publishing sync.WaitGroup
			publishing.Go(func() {
				for range b.N {
					room <- struct{}{}
					say(b, at.bus, "x", "look")
				}
			})
			b.ResetTimer()
			for range b.N {
				if _, err := s.Next(b.Context()); err != nil {
					b.Error(err)
				}
				<-room
			}
			publishing.Wait()
		})
	}
}

// Entries of 300 bytes, alone and a window at a time, which is counted per entry.
func BenchmarkAppend(b *testing.B) {
	for _, at := range benched(b) {
		for name, n := range map[string]int{"one": 1, "window": window} {
			b.Run(at.name+"/"+name, func(b *testing.B) {
				s := newStream(b, at.bus, StreamConfig{Name: "s", Bytes: 64 << 20})
				bounds, err := s.Bounds(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				entries := slices.Repeat([]Entry{{Data: make([]byte, 300)}}, n)
				last := bounds.Last
				b.ResetTimer()
				for range b.N {
					if last, err = s.Append(b.Context(), last, entries...); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/1e3/float64(b.N*n), "µs/entry")
			})
		}
	}
}

// The server inside the process, with a stream and a lease: how long until it is ready, and what it takes when
// nothing is asked of it.
func BenchmarkOpen(b *testing.B) {
	folder := b.TempDir()
	var ready, ended time.Duration
	var memory uint64
	for range b.N {
		before := resident()
		began := time.Now()
		bus, err := Open(b.Context(), Config{Folder: folder})
		if err != nil {
			b.Fatal(err)
		}
		ready += time.Since(began)
		newStream(b, bus, StreamConfig{Name: "s"})
		err = bus.Hold(b.Context(), "x", func(context.Context) error {
			memory += resident() - before
			return nil
		})
		began = time.Now()
		if err := errors.Join(err, bus.Close()); err != nil {
			b.Fatal(err)
		}
		ended += time.Since(began)
	}
	b.ReportMetric(float64(ready.Microseconds())/1e3/float64(b.N), "ms-ready")
	b.ReportMetric(float64(ended.Microseconds())/1e3/float64(b.N), "ms-closed")
	b.ReportMetric(float64(int64(memory))/float64(b.N)/(1<<20), "MiB")
}

// resident is what is in use after a collection: objects and stacks.
func resident() uint64 {
	runtime.GC()
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() + samples[1].Value.Uint64()
}

type bench struct {
	name string
	bus  *Bus
}

func benched(b *testing.B) []bench {
	elsewhere := newServer(b, &server.Options{StoreDir: b.TempDir()})
	return []bench{
		{"embedded", openBus(b, Config{Folder: b.TempDir()})},
		{"loopback", openBus(b, Config{URL: elsewhere.url()})},
	}
}

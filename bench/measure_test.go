package bench

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// requestsATurn makes a turn of the cheapest query last a few tenths of a millisecond, which
// the kernel's clock of CPU time resolves.
const requestsATurn = 40

// cost is what one request takes of this process, the garbage collector's work included, and of the
// database's processes.
type cost struct{ cpu, bytes, allocs, database float64 } // µs, B, number, µs

// measure does n requests.
func measure(n int, do func(i int)) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	for i := range n {
		do(i)
	}
	spent := cpuTime() - start
	runtime.ReadMemStats(&after)
	return cost{
		cpu:    float64(spent.Nanoseconds()) / 1e3 / float64(n),
		bytes:  float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
		allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
	}
}

// median is the median of each.
func median(turns []cost) cost {
	of := func(value func(cost) float64) float64 {
		all := make([]float64, len(turns))
		for i, t := range turns {
			all[i] = value(t)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{
		cpu:    of(func(c cost) float64 { return c.cpu }),
		bytes:  of(func(c cost) float64 { return c.bytes }),
		allocs: of(func(c cost) float64 { return c.allocs }),

		database: of(func(c cost) float64 { return c.database }),
	}
}

// cpuTime is what this process has used of all processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only a wrong pointer can do that
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// answer is an http.ResponseWriter that keeps its memory for the next answer, so that only
// the handler's own is counted.
type answer struct {
	header http.Header
	status int
	body   []byte
}

func (a *answer) Header() http.Header    { return a.header }
func (a *answer) WriteHeader(status int) { a.status = status }
func (a *answer) Write(p []byte) (int, error) {
	a.body = append(a.body, p...)
	return len(p), nil
}

var (
	kept     = answer{header: http.Header{}}
	template = newRequest()
)

func newRequest() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	return r
}

// ask posts a body and gives the answer's, which is valid until the next call.
func ask(tb testing.TB, h http.Handler, body []byte) []byte {
	clear(kept.header)
	kept.status, kept.body = http.StatusOK, kept.body[:0]
	r := *template
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	h.ServeHTTP(&kept, &r)
	if kept.status != http.StatusOK {
		tb.Fatalf("status %d: %s", kept.status, kept.body)
	}
	return kept.body
}

// peakHeap is the most bytes that the heap's objects took above what they took before, while
// do ran; looked at every millisecond.
func peakHeap(do func()) uint64 {
	runtime.GC()
	before, stop, peak := heapBytes(), make(chan struct{}), make(chan uint64)
	go func() {
		most := before
		for tick := time.Tick(time.Millisecond); ; {
			select {
			case <-tick:
				most = max(most, heapBytes())
			case <-stop:
				peak <- most - before
				return
			}
		}
	}()
	do()
	close(stop)
	return <-peak
}

func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// startToReady starts a server and says how long it took until url answered.
func startToReady(b *testing.B, cmd *exec.Cmd, url string) time.Duration {
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	for time.Since(began) < 30*time.Second {
		if r, err := http.Get(url); err == nil {
			_ = r.Body.Close()
			return time.Since(began)
		}
		time.Sleep(time.Millisecond)
	}
	b.Fatalf("%s did not answer within 30 s", url)
	return 0
}

// residentMB is the memory that a process holds, in MB.
func residentMB(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("no /proc to read the memory from")
	}
	var kb float64
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(after, &kb); err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

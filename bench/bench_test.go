package bench

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"text/tabwriter"

	"spacecloud/tests/served"
)

// target is one way to answer the queries.
type target struct {
	name     string
	handler  http.Handler
	database databaseCPU // nil where the database runs in this process
}

// measure is what a request costs this process and the database's.
func (t target) measure(n int, do func(i int)) cost {
	if t.database == nil {
		return measure(n, do)
	}
	before := t.database()
	c := measure(n, do)
	c.database = float64((t.database() - before).Nanoseconds()) / 1e3 / float64(n)
	return c
}

// BenchmarkQueries runs every read query against every target in small turns, so that what
// else the machine does falls on all of them alike. A cost is the median of the turns.
func BenchmarkQueries(b *testing.B) {
	targets := openTargets(b)
	for _, q := range Queries() {
		b.Run(q.Name, func(b *testing.B) {
			checkEqual(b, targets, q)
			costs := compare(b, targets, q)
			for i, t := range targets {
				b.ReportMetric(costs[i].cpu, "cpu-µs/"+t.name)
				b.ReportMetric(costs[i].bytes, "B/"+t.name)
				b.ReportMetric(costs[i].allocs, "allocs/"+t.name)
			}
			b.ReportMetric(0, "ns/op") // of all targets together: says nothing
			summary = append(summary, result{q.Name, targets, costs})
		})
	}
}

// openTargets are the floor, the same by SQLite's own functions, and the server when there is one.
func openTargets(b *testing.B) []target {
	path, err := Data()
	if err != nil {
		b.Fatal(err)
	}
	targets := []target{{name: "floor", handler: openFloor(b, path, ByDriver)}, {name: "bare", handler: openFloor(b, path, ByLibrary)}}
	if s := server(b, path); s != nil {
		targets = append(targets, target{name: "server", handler: s})
	}
	return targets
}

func openFloor(b *testing.B, path string, access Access) *Floor {
	f := NewFloor(path, access)
	b.Cleanup(func() {
		if err := f.Close(); err != nil {
			b.Error(err)
		}
	})
	return f
}

// checkEqual asks every target for everything once: they have to answer the same bytes. It
// warms them up, too.
func checkEqual(b *testing.B, targets []target, q Query) {
	for _, body := range q.Bodies {
		want := slices.Clone(ask(b, targets[0].handler, body))
		for _, t := range targets[1:] {
			if got := ask(b, t.handler, body); !bytes.Equal(got, want) {
				b.Fatalf("%s\n%s: %.2000s\n%s: %.2000s", body, targets[0].name, want, t.name, got)
			}
		}
	}
}

// compare is the cost of q for each target.
func compare(b *testing.B, targets []target, q Query) []cost {
	turns := make([][]cost, len(targets))
	next := 0
	for b.Loop() {
		for i, t := range targets {
			turns[i] = append(turns[i], t.measure(requestsATurn, func(n int) {
				ask(b, t.handler, q.Bodies[(next+n)%len(q.Bodies)])
			}))
		}
		next += requestsATurn
	}
	costs := make([]cost, len(targets))
	for i := range targets {
		costs[i] = median(turns[i])
	}
	return costs
}

// result is a line of the summary.
type result struct {
	query   string
	targets []target
	costs   []cost
}

var summary []result

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		Lessen()
	}
	code := served.Run(m)
	if len(summary) > 0 {
		printSummary()
	}
	os.Exit(code)
}

// printSummary shows the costs of each target, and how many times the floor's CPU it takes.
func printSummary() {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "query\ttarget\tCPU µs\tB\tallocs\t× floor\tdatabase µs\t× floor\t")
	for _, r := range summary {
		for i, t := range r.targets {
			c := r.costs[i]
			fmt.Fprintf(w, "%s\t%s\t%.1f\t%.0f\t%.0f\t%.2f\t", r.query, t.name, c.cpu, c.bytes, c.allocs, c.cpu/r.costs[0].cpu)
			if c.database > 0 {
				fmt.Fprintf(w, "%.1f\t%.2f\t", c.database, c.database/r.costs[0].database)
			}
			fmt.Fprintln(w)
		}
	}
	w.Flush()
}

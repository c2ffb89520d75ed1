// Package writes holds the laws of changes: all or nothing, and what operators compute.
package writes

import (
	"context"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

// world is a whole server on new databases, whose statements in main can be counted and made
// to fail.
type world struct {
	*testing.T
	*served.Server
	driver *faulty
	now    time.Time
}

func newWorld(t *testing.T, on served.Kind, sdl string) *world {
	t.Helper()
	return newWorldOf(t, on, sdl, resolvers.Config{})
}

func newWorldOf(t *testing.T, on served.Kind, sdl string, limits resolvers.Config) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	w.Server = served.Text(t, on, sdl, served.Options{Limits: limits, Decorate: func(name string, d driver.Driver) driver.Driver {
		f := &faulty{Driver: d}
		if name == "main" {
			w.driver = f
		}
		if alone, ok := d.(driver.Alone); ok {
			return faultyAlone{f, alone}
		}
		return f
	}})
	return w
}

// ask sends a request as ann; headers are name, value, ….
func (w *world) ask(text string, variables any, headers ...string) string {
	w.Helper()
	caller := &auth.Caller{Now: w.now, SignedIn: true, Claims: map[string]any{"sub": "ann", "id": "ann"}}
	header := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	return string(w.Ask(caller, text, variables, header).Body)
}

// faulty is a driver of which the nth statement in transactions fails.
type faulty struct {
	driver.Driver
	mu         sync.Mutex
	statements int
	failAt     int // 0 for never
	crowd      int // how many times it fails, each in a try of its own, because others got in the way
	before     func()
}

func (f *faulty) Unwrap() driver.Driver { return f.Driver }

func (f *faulty) Begin(ctx context.Context) (driver.Tx, error) {
	tx, err := f.Driver.Begin(ctx)
	return faultyTx{tx, f}, err
}

type errFault struct{}

func (errFault) Error() string { return "fault" }

func (f *faulty) step() error {
	f.mu.Lock()
	f.statements++
	n := f.statements
	f.mu.Unlock()
	if f.before != nil {
		f.before()
	}
	switch {
	case n != f.failAt:
		return nil
	case f.crowd == 0:
		return errFault{}
	}
	if f.crowd--; f.crowd == 0 {
		f.failAt = 0
	}
	f.statements = 0
	return driver.Retry(fault.New(fault.Unavailable, "a deadlock"))
}

// faultyAlone is such a driver that has the power of another: its writes fail before they are done,
// for with them they are committed.
type faultyAlone struct {
	*faulty
	alone driver.Alone
}

func (f faultyAlone) WriteAlone(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	if err := f.step(); err != nil {
		return driver.Written{}, err
	}
	return f.alone.WriteAlone(ctx, w, b)
}

type faultyTx struct {
	driver.Tx
	f *faulty
}

func (t faultyTx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if err := t.f.step(); err != nil {
		return nil, err
	}
	return t.Tx.Find(ctx, s, b)
}

func (t faultyTx) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	done, err := t.Tx.Write(ctx, w, b)
	if failed := t.f.step(); failed != nil {
		return driver.Written{}, failed // after it was done: worse than before
	}
	return done, err
}

func (t faultyTx) Commit(ctx context.Context) error {
	if err := t.f.step(); err != nil {
		_ = t.Rollback(ctx)
		return err
	}
	return t.Tx.Commit(ctx)
}

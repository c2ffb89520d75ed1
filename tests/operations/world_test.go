// Package operations asks whatever an API says it can be asked. It knows the API by
// introspection only, so it asks for what was added last as well.
package operations

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

// now is when every request is made.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is one server with its database.
type world struct {
	*served.Server
	t         testing.TB
	log       *journal
	committed *commits
}

// commits counts the transactions that wrote something and were committed.
type commits struct {
	driver.Driver
	n atomic.Int64
}

func (c *commits) Begin(ctx context.Context) (driver.Tx, error) {
	tx, err := c.Driver.Begin(ctx)
	return &committing{Tx: tx, commits: c}, err
}

// WriteAlone is a transaction, too.
func (c *commits) WriteAlone(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	done, err := database.New("alone", c.Driver).WriteAlone(ctx, w, b)
	if err == nil && done.Affected > 0 {
		c.n.Add(1)
	}
	return done, err
}

func (c *commits) Unwrap() driver.Driver { return c.Driver }

type committing struct {
	driver.Tx
	commits *commits
	wrote   bool
}

func (t *committing) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	done, err := t.Tx.Write(ctx, w, b)
	t.wrote = t.wrote || done.Affected > 0
	return done, err
}

func (t *committing) Commit(ctx context.Context) error {
	if t.wrote {
		t.commits.n.Add(1)
	}
	return t.Tx.Commit(ctx)
}

// journal keeps what the server logs, to show with a failure.
type journal struct {
	mu   sync.Mutex
	text []byte // guarded by mu
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, p...)
	return len(p), nil
}

// last is what was logged since it was asked for, without most of the stacks.
func (j *journal) last() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	text := string(j.text)
	j.text = nil
	return text[:min(len(text), 3000)]
}

// open serves a schema on a new database.
func open(t testing.TB, on served.Kind, sources ...schema.Source) *world {
	t.Helper()
	w := &world{t: t, log: &journal{}}
	w.Server = served.Sources(t, on, served.Options{Log: w.log, Decorate: func(_ string, d driver.Driver) driver.Driver {
		w.committed = &commits{Driver: d}
		return w.committed
	}}, sources...)
	return w
}

// read is the files of a schema.
func read(t testing.TB, files ...string) []schema.Source {
	t.Helper()
	var sources []schema.Source
	for _, file := range files {
		text := served.Must(os.ReadFile(file))(t)
		sources = append(sources, schema.Source{Name: filepath.Base(file), Text: string(text)})
	}
	return sources
}

// version changes when somebody writes to the database.
func (w *world) version() int64 { return w.committed.n.Load() }

func (w *world) ask(c *auth.Caller, query string, variables map[string]any) served.Answer {
	w.t.Helper()
	header := http.Header{"Accept": {"application/graphql-response+json"}}
	if variables == nil {
		return w.Ask(c, query, nil, header)
	}
	return w.Ask(c, query, variables, header)
}

func nobody() *auth.Caller { return &auth.Caller{Now: now, Claims: map[string]any{}} }

func caller(id, role string) *auth.Caller {
	claims := map[string]any{"sub": id, "id": id}
	if role != "" {
		claims["role"] = role
	}
	return &auth.Caller{Now: now, SignedIn: true, Claims: claims}
}

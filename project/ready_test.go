package project

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
)

// switched is a database that can be down. Its Product tells what must not be shown.
type switched struct {
	driver.Driver
	down atomic.Bool
}

func (s *switched) Product() string { return "SQLite 3.0 at secret" }

func (s *switched) Ping(context.Context) error {
	if s.down.Load() {
		return fault.New(fault.Unavailable, "no secret@host")
	}
	return nil
}

func (s *switched) Close() error { return nil }

// A node is ready while it can answer something: it says which databases are there, and nothing
// about them that is secret.
func TestReadyTellsOfEachDatabase(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	w.load()
	if err := w.databases["main"].Close(); err != nil {
		t.Fatal(err)
	}
	main, shop := &switched{}, &switched{}
	w.databases["main"], w.databases["shop"] = database.New("main", main), database.New("shop", shop)
	for _, c := range []struct {
		name       string
		main, shop string
		status     int
		answer     string
	}{
		{"all are there", "answers", "answers", http.StatusOK, "ready"},
		{"one is down", "answers", "does not answer", http.StatusOK, "degraded"},
		{"none is there", "does not answer", "does not answer", http.StatusServiceUnavailable, "unavailable"},
		{"one is back", "does not answer", "answers", http.StatusOK, "degraded"},
		{"all are back", "answers", "answers", http.StatusOK, "ready"},
	} {
		shop.down.Store(c.shop != "answers")
		main.down.Store(c.main != "answers")
		status, body := w.get("/readyz")
		want := `{"status":"` + c.answer + `","schema":"served","databases":{"main":{"kind":"SQLite","status":"` + c.main + `"},"shop":{"kind":"SQLite","status":"` + c.shop + `"}}}`
		if status != c.status || strings.TrimSpace(body) != want {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, body, c.status, want)
		}
	}
}

// Before there is a schema nothing can be answered, whatever is there.
func TestNothingIsReadyWithoutASchema(t *testing.T) {
	w := newWorld(t, map[string]string{"a.graphql": posts})
	if status, body := w.get("/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"status":"unavailable","schema":"not served yet"`) {
		t.Errorf("%d %s", status, body)
	}
}

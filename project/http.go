package project

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"spacecloud/auth"
	"spacecloud/fault"
)

// Handler is everything that is served over HTTP. It asks for the backend at each request.
func (p *Project) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusOK, jsonType, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", p.ready)
	mux.Handle("/graphql", p.loaded(func(w http.ResponseWriter, r *http.Request) { p.now.Load().graph.ServeHTTP(w, r) }))
	if p.Settings.Introspection {
		explorer := func(w http.ResponseWriter, r *http.Request) { p.now.Load().explorer.ServeHTTP(w, r) }
		for _, path := range []string{"/playground", "/playground/", "GET /{$}"} {
			mux.HandleFunc(path, p.loaded(explorer))
		}
	}
	mux.HandleFunc("/", notFound)
	return mux
}

// loaded tells a request before the first Load to come again.
func (p *Project) loaded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.now.Load() == nil {
			refuse(w, http.StatusServiceUnavailable, fault.New(fault.Unavailable, "the schema is not served yet; try again"))
			return
		}
		next(w, r)
	}
}

// caller is who sends a request, or opens a connection with a payload. A bad token is refused also where
// none is needed.
func (p *Project) caller(r *http.Request, payload map[string]any) (*auth.Caller, error) {
	caller, err := p.verifier.FromPayload(r, payload)
	if err != nil {
		p.Log.InfoContext(r.Context(), "a token was refused", "error", err)
	}
	return caller, err
}

// refuse answers a GraphQL request that does not reach the door.
func refuse(w http.ResponseWriter, status int, err error) {
	var list []map[string]any
	for _, f := range fault.All(err) {
		list = append(list, map[string]any{"message": f.Message, "extensions": map[string]any{"code": f.Kind}})
	}
	sendJSON(w, status, jsonType, map[string]any{"errors": list})
}

const (
	jsonType    = "application/json; charset=utf-8"
	problemType = "application/problem+json"
)

func sendJSON(w http.ResponseWriter, status int, mime string, v any) {
	h := w.Header()
	h.Set("Content-Type", mime)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	body, err := json.Marshal(v)
	if err != nil { // of strings and numbers: cannot be
		status, body = http.StatusInternalServerError, []byte("{}")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a client that went away cannot be told so
}

func notFound(w http.ResponseWriter, r *http.Request) {
	sendJSON(w, http.StatusNotFound, problemType, map[string]any{
		"type": "about:blank", "title": "Not Found", "status": http.StatusNotFound,
		"detail": "there is nothing at this path; the API is at /graphql", "instance": r.URL.Path,
	})
}

// readiness is what /readyz answers.
type readiness struct {
	// Status is "ready", "degraded" when some databases answer and others do not, or "unavailable".
	Status    string                       `json:"status"`
	Schema    string                       `json:"schema"`
	Databases map[string]databaseReadiness `json:"databases"`
}

// databaseReadiness is what may be known of a database by everybody.
type databaseReadiness struct {
	Kind   string `json:"kind"`   // "SQLite", without the version
	Status string `json:"status"` // "answers" or "does not answer"
}

// ready is whether requests can be answered: a schema is served, and some database is there. A
// node without one of several still serves the rest, and no other node would serve more.
func (p *Project) ready(w http.ResponseWriter, r *http.Request) {
	answer := readiness{"ready", "served", p.askAll(r.Context())}
	answering := 0
	for _, db := range answer.Databases {
		if db.Status == "answers" {
			answering++
		}
	}
	status := http.StatusOK
	if answering < len(answer.Databases) {
		answer.Status = "degraded"
	}
	served := p.now.Load() != nil
	if !served {
		answer.Schema = "not served yet"
	}
	if !served || answering == 0 {
		status, answer.Status = http.StatusServiceUnavailable, "unavailable"
	}
	sendJSON(w, status, jsonType, answer)
}

// askAll asks all databases at the same time whether they are there.
func (p *Project) askAll(ctx context.Context) map[string]databaseReadiness {
	var asking sync.WaitGroup
	names := slices.Sorted(maps.Keys(p.databases))
	errs := make([]error, len(names))
	for i, name := range names {
		asking.Go(func() { errs[i] = p.databases[name].Ping(ctx) })
	}
	asking.Wait()
	found := map[string]databaseReadiness{}
	for i, name := range names {
		kind, _, _ := strings.Cut(p.databases[name].Driver().Product(), " ")
		found[name] = databaseReadiness{kind, "answers"}
		if errs[i] != nil {
			p.Log.WarnContext(ctx, "a database does not answer", "database", name, "error", errs[i])
			found[name] = databaseReadiness{kind, "does not answer"}
		}
	}
	return found
}

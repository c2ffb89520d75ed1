package project

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"time"

	"spacecloud/auth"
	"spacecloud/fault"
)

// pingTimeout is how long a database may take to say that it is there.
const pingTimeout = 2 * time.Second

// Handler is everything that is served over HTTP. It asks for the backend at each request.
func (p *Project) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusOK, jsonType, map[string]string{"status": "alive"})
	})
	mux.HandleFunc("GET /readyz", p.ready)
	mux.Handle("/graphql", p.identified(func(w http.ResponseWriter, r *http.Request) { p.now.Load().graph.ServeHTTP(w, r) }))
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

// identified puts the caller into the request. A bad token is refused also where none is
// needed.
func (p *Project) identified(next http.HandlerFunc) http.HandlerFunc {
	return p.loaded(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions { // which carries no token
			next(w, r)
			return
		}
		caller, err := p.verifier.FromRequest(r)
		if err != nil {
			p.Log.InfoContext(r.Context(), "a token was refused", "error", err)
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, err)
			return
		}
		next(w, r.WithContext(auth.With(r.Context(), caller)))
	})
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

// ready is whether requests can be answered: a schema is served, and its databases are there.
func (p *Project) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pingTimeout)
	defer cancel()
	status, answer := http.StatusOK, map[string]string{"schema": "served"}
	if p.now.Load() == nil {
		status, answer["schema"] = http.StatusServiceUnavailable, "not served yet"
	}
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		answer["database "+name] = "answers"
		if err := p.databases[name].Ping(ctx); err != nil {
			p.Log.WarnContext(ctx, "a database does not answer", "database", name, "error", err)
			status, answer["database "+name] = http.StatusServiceUnavailable, "does not answer"
		}
	}
	sendJSON(w, status, jsonType, answer)
}

// Package sockets_test uses whole servers by WebSockets and streams of events.
package sockets_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/project"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

const notes = `type Note @auth(read: "doc.owner == auth.id", create: "doc.owner == auth.id") { id: ID! @primary  owner: String! }`

const secret = "a secret of thirty-two bytes …"

// opened is a project of a folder with the notes, which are whose the token says.
func opened(t *testing.T) (p *project.Project, file string) {
	t.Helper()
	folder := t.TempDir()
	file = filepath.Join(folder, "schema", "notes.graphql")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, file, notes)
	p = served.Must(project.Open(t.Context(), project.Config{
		Settings: config.Config{
			Schema: filepath.Dir(file), Data: folder, Introspection: true,
			Databases: map[string]config.Database{"main": {URL: config.URL("sqlite:" + filepath.Join(folder, "main.db"))}},
			Auth:      config.Auth{Keys: []config.Key{{Alg: "HS256", Secret: secret}}, Cookie: config.Cookie{Name: "session"}},
			Limits:    config.Limits{Timeout: 10 * time.Second},
		},
		Drivers: database.Drivers{"sqlite": func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) }},
		Log:     slog.New(slog.DiscardHandler),
	}))(t)
	t.Cleanup(func() { _ = p.Close() })
	served.Must(p.Load(t.Context()))(t)
	return p, file
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func token(t *testing.T) string {
	t.Helper()
	return served.Must(auth.Mint(auth.Key{Alg: "HS256", Secret: []byte(secret)}, map[string]any{"sub": "ann"}, time.Hour))(t)
}

// The client of graphql-ws asks, is told of a change, is sent away by a schema swap, comes back by itself with what it asked for
// live, and learns that a token is not good.
func TestClientOfGraphQLWS(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("the client needs node")
	}
	if _, err := os.Stat(filepath.Join("node_modules", "graphql-ws")); err != nil {
		t.Skip("the client needs its modules: run npm ci in tests/sockets")
	}
	p, file := opened(t)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := exec.CommandContext(ctx, "node", "client.mjs", "ws"+strings.TrimPrefix(server.URL, "http")+"/graphql", token(t))
	client.Stderr = t.Output()
	out := served.Must(client.StdoutPipe())(t)
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if lines.Text() == "close null" {
			write(t, file, strings.Replace(notes, "owner: String!", "owner: String!  text: String", 1))
			served.Must(p.Load(t.Context()))(t)
		}
	}
	if err := client.Wait(); err != nil {
		t.Error(err)
	}
	want := `live {"data":{"notes":[]}}
mutation {"data":{"insertNote":{"id":"a","owner":"ann"}}}
live {"data":{"notes":[{"id":"a"}]}}
query {"data":{"notes":[{"id":"a"}]}}
error "Cannot query field \"nope\" on type \"Query\". Did you mean \"note\" or \"notes\"?"
close null
closed 1012
again {"data":{"notes":[{"id":"a","text":null}]}}
live {"data":{"notes":[{"id":"a"}]}}
refused [4403,"the token is not valid"]`
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("the client said\n%s\nwant\n%s", got, want)
	}
}

// The cookie is believed in an upgrade as in any request: of our own pages. What the first message says counts
// before it.
func TestCookiesOfUpgrades(t *testing.T) {
	p, _ := opened(t)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	for _, c := range []struct {
		name, origin, init string
		code               int // 0 for an acknowledgement
	}{
		{"our own page", server.URL, `{"type":"connection_init"}`, 0},
		{"no page", "", `{"type":"connection_init"}`, 4403},
		{"another page", "http://localhost:3000", `{"type":"connection_init"}`, 4403},
		{"another page with a token", "http://localhost:3000", `{"type":"connection_init","payload":{"token":"` + token(t) + `"}}`, 0},
	} {
		header := http.Header{"Cookie": {"session=" + token(t)}}
		if c.origin != "" {
			header["Origin"] = []string{c.origin}
		}
		conn := dial(t, server.URL, header)
		say(t, conn, c.init)
		_, text, err := conn.ReadMessage()
		if c.code == 0 && string(text) != `{"type":"connection_ack"}` || c.code != 0 && !websocket.IsCloseError(err, c.code) {
			t.Errorf("%s: %s %v", c.name, text, err)
		}
	}
}

func dial(t *testing.T, url string, header http.Header) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}
	conn, r, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/graphql", header)
	if err != nil {
		t.Fatal(err, r)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func say(t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// On every kind of database, rows are written by one transport and read by another.
func TestRowsByAllTransports(t *testing.T) {
	served.Each(t, func(t *testing.T, k served.Kind) {
		s := served.Text(t, k, strings.ReplaceAll(notes, "doc.owner == auth.id", "true"), served.Options{})
		server := httptest.NewServer(s)
		defer server.Close()
		conn := dial(t, server.URL, nil)
		say(t, conn, `{"type":"connection_init"}`)
		say(t, conn, `{"id":"1","type":"subscribe","payload":{"query":"mutation { insertNotes(docs: [{id: \"a\", owner: \"ann\"}, {id: \"b\", owner: \"ben\"}]) { affected } }"}}`)
		for _, want := range []string{`{"type":"connection_ack"}`, `{"id":"1","type":"next","payload":{"data":{"insertNotes":{"affected":2}}}}`, `{"id":"1","type":"complete"}`} {
			if _, text, err := conn.ReadMessage(); string(text) != want {
				t.Fatalf("%s %v, want %s", text, err, want)
			}
		}
		r := served.Must(http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/graphql", strings.NewReader(`{"query":"{ notes { id owner } }"}`)))(t)
		r.Header = http.Header{"Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
		answer := served.Must(server.Client().Do(r))(t)
		defer answer.Body.Close()
		text := served.Must(io.ReadAll(answer.Body))(t)
		if want := ":\n\nevent: next\ndata: {\"data\":{\"notes\":[{\"id\":\"a\",\"owner\":\"ann\"},{\"id\":\"b\",\"owner\":\"ben\"}]}}\n\nevent: complete\ndata:\n\n"; string(text) != want {
			t.Errorf("%s", text)
		}
	})
}

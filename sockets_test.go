package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
)

// When the process is asked to end, who holds a WebSocket is sent to come back, and nobody is waited for.
func TestEndSendsSocketsAway(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "schema", "a.graphql")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(`type Post @auth(read: "true") { id: ID! @primary }`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, out := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, process{[]string{"--listen", "127.0.0.1:0", "--schema", filepath.Dir(file), "--data", dir}, nil, out, t.Output()})
		out.Close()
	}()
	conn, r, err := (&websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}}).Dial("ws://"+address(t, said)+"/graphql", nil)
	if err != nil {
		t.Fatal(err, r)
	}
	defer conn.Close()
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`)); err != nil {
		t.Fatal(err)
	}
	if _, text, err := conn.ReadMessage(); string(text) != `{"type":"connection_ack"}` {
		t.Fatal(string(text), err)
	}
	cancel()
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseServiceRestart) {
		t.Error(err)
	}
	if status := <-ended; status != 0 {
		t.Errorf("it ended with %d", status)
	}
}

// address is where the server says that it listens; what it says afterwards is thrown away.
func address(t *testing.T, said io.Reader) string {
	t.Helper()
	var text strings.Builder
	for b := make([]byte, 1<<10); ; {
		n, err := said.Read(b)
		text.Write(b[:n])
		if found := regexp.MustCompile(`http://([0-9.:]+)/graphql`).FindStringSubmatch(text.String()); found != nil {
			go io.Copy(io.Discard, said)
			return found[1]
		}
		if err != nil {
			t.Fatal(text.String())
		}
	}
}

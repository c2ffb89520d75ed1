package faults

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/database/mongodb"
	"spacecloud/database/mysql"
	"spacecloud/database/postgres"
	"spacecloud/tests/mariadb"
	"spacecloud/tests/mongo"
	private "spacecloud/tests/postgres"
	"spacecloud/tests/served"
)

// wire is a way to a database that can be cut.
type wire struct {
	tb              testing.TB
	network, server string
	commit          []byte // what one that is asked for commits is answered with, or asks by
	asks            bool   // commit is what asks
	listener        net.Listener

	mu    sync.Mutex
	open  map[net.Conn]bool // guarded by mu
	down  bool              // guarded by mu
	deaf  bool              // guarded by mu; nobody hears how a commit ended
	heard int               // guarded by mu; commits whose answer nobody heard
}

// wired are kinds of databases at the end of a wire. SQLite has none.
var wired = map[string]func(testing.TB) (driver.Driver, *wire){
	"postgres": func(tb testing.TB) (driver.Driver, *wire) {
		at := served.Must(url.Parse(private.URL(tb)))(tb)
		q := at.Query()
		w := &wire{tb: tb, network: "unix", server: filepath.Join(q.Get("host"), ".s.PGSQL.5432"), commit: []byte("COMMIT\x00")}
		dir := tb.TempDir()
		w.listen(filepath.Join(dir, ".s.PGSQL.5432"))
		q.Set("host", dir)
		at.RawQuery = q.Encode()
		return served.Must(postgres.Open(tb.Context(), at.String()))(tb), w
	},
	"mysql": func(tb testing.TB) (driver.Driver, *wire) {
		at := served.Must(url.Parse(mariadb.URL(tb)))(tb)
		q := at.Query()
		if q.Get("socket") == "" {
			tb.Skip("the server has no socket")
		}
		w := &wire{tb: tb, network: "unix", server: q.Get("socket"), commit: []byte("COMMIT"), asks: true}
		socket := filepath.Join(tb.TempDir(), "s")
		w.listen(socket)
		q.Set("socket", socket)
		at.RawQuery = q.Encode()
		return served.Must(mysql.Open(tb.Context(), at.String()))(tb), w
	},
	"mongodb": func(tb testing.TB) (driver.Driver, *wire) {
		at := served.Must(url.Parse(mongo.URL(tb)))(tb)
		w := &wire{tb: tb, network: "tcp", server: at.Host, commit: []byte("commitTransaction"), asks: true}
		w.listen("127.0.0.1:0")
		at.Host = w.listener.Addr().String()
		q := at.Query()
		q.Set("directConnection", "true")
		q.Set("serverSelectionTimeoutMS", "1500")
		at.RawQuery = q.Encode()
		return served.Must(mongodb.Open(tb.Context(), at.String()))(tb), w
	},
}

// each runs a test at the end of a wire of each kind that has one.
func each(t *testing.T, run func(*testing.T, served.Kind, *wire)) {
	t.Helper()
	served.Each(t, func(t *testing.T, k served.Kind) {
		open := wired[k.Name]
		if open == nil {
			t.Skip("there is no wire to cut: " + k.Name)
		}
		d, w := open(t)
		run(t, served.Given(d), w)
	})
}

func (w *wire) listen(at string) {
	w.tb.Helper()
	w.open = map[net.Conn]bool{}
	w.listener = served.Must(net.Listen(w.network, at))(w.tb)
	w.tb.Cleanup(func() { _ = w.listener.Close(); w.cut() })
	go func() {
		for {
			c, err := w.listener.Accept()
			if err != nil {
				return
			}
			go w.carry(c)
		}
	}()
}

func (w *wire) carry(client net.Conn) {
	server, err := net.Dial(w.network, w.server)
	if err != nil || !w.add(client, server) {
		_ = client.Close()
		return
	}
	var asked sync.Map
	go w.copy(server, client, func(b []byte) bool {
		if w.asks && w.isDeaf() && bytes.Contains(b, w.commit) {
			asked.Store("commit", true)
		}
		return true
	})
	w.copy(client, server, func(b []byte) bool {
		_, waits := asked.Load("commit")
		if !waits && (w.asks || !w.isDeaf() || !bytes.Contains(b, w.commit)) {
			return true
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.heard++
		return false
	})
}

// copy carries what pass lets through, and ends both connections when it does not.
func (w *wire) copy(to, from net.Conn, pass func([]byte) bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if n > 0 && !pass(b[:n]) {
			return
		}
		if _, failed := io.Copy(to, bytes.NewReader(b[:n])); err != nil || failed != nil {
			return
		}
	}
}

func (w *wire) add(cs ...net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range cs {
		if w.down {
			_ = c.Close()
		}
		w.open[c] = true
	}
	return !w.down
}

func (w *wire) isDeaf() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deaf
}

// cut ends all that is under way.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
	}
	clear(w.open)
}

// set makes the wire down, or nobody hear of commits.
func (w *wire) set(down, deaf bool) {
	w.mu.Lock()
	w.down, w.deaf = down, deaf
	w.mu.Unlock()
	if down {
		w.cut()
	}
}

func oneLine(text []byte) string { return strings.TrimSpace(string(text)) }

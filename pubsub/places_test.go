package pubsub

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// longTTL is a lease's in tests that are not about its end.
const longTTL = time.Hour

// longEnough is how long something may take that should take milliseconds.
const longEnough = 30 * time.Second

// place is where a Bus can be. Each node of nodes is a Bus there; where that is one process, they are the same.
type place struct {
	name  string
	nodes func(*testing.T) [2]*Bus
}

var places = []place{
	{"embedded", func(t *testing.T) [2]*Bus {
		b := openBus(t, Config{Folder: t.TempDir()})
		return [2]*Bus{b, b}
	}},
	{"server", func(t *testing.T) [2]*Bus {
		s := newServer(t, &server.Options{StoreDir: t.TempDir(), Username: "ours", Password: "p:w"})
		return [2]*Bus{openBus(t, Config{URL: s.url("ours", "p:w")}), openBus(t, Config{URL: s.url("ours", "p:w")})}
	}},
	{"cluster", func(t *testing.T) [2]*Bus {
		c := newCluster(t)
		return [2]*Bus{openBus(t, Config{URL: c[0].url()}), openBus(t, Config{URL: c[1].url()})}
	}},
}

// openBus is a Bus until the test ends.
func openBus(t testing.TB, c Config) *Bus {
	t.Helper()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.ttl = cmp.Or(c.ttl, longTTL)
	b, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// external is a NATS server that is not ours. It can go, and come back.
type external struct {
	*server.Server
	options *server.Options
}

func newServer(t testing.TB, o *server.Options) *external {
	t.Helper()
	o.Host, o.Port, o.NoSigs, o.NoLog, o.JetStream = "127.0.0.1", server.RANDOM_PORT, true, true, true
	e := &external{options: o}
	e.run(t)
	t.Cleanup(e.stop)
	o.Port = e.Addr().(*net.TCPAddr).Port // for the next time
	return e
}

func (e *external) run(t testing.TB) {
	t.Helper()
	s, err := server.NewServer(e.options.Clone())
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(longEnough) {
		t.Fatal("the server does not start")
	}
	e.Server = s
}

func (e *external) stop() {
	e.Shutdown()
	e.WaitForShutdown()
}

// url is its address, for a user and his password if it wants them.
func (e *external) url(user ...string) string {
	u := url.URL{Scheme: "nats", Host: e.Addr().String()}
	if len(user) == 2 {
		u.User = url.UserPassword(user[0], user[1])
	}
	return u.String()
}

// newCluster is three servers that know each other and have a leader.
func newCluster(t testing.TB) [3]*external {
	t.Helper()
	var all [3]*external
	ports := freePorts(t, len(all))
	var routes []string
	for _, port := range ports {
		routes = append(routes, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	for i := range all {
		all[i] = newServer(t, &server.Options{
			ServerName: fmt.Sprint("s", i), StoreDir: t.TempDir(), Routes: server.RoutesFromStr(strings.Join(routes, ",")),
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]},
		})
	}
	until(t, "the cluster has a leader that knows all", func() bool {
		for _, each := range all {
			if each.JetStreamIsLeader() {
				return len(each.JetStreamClusterPeers()) == len(all)
			}
		}
		return false
	})
	return all
}

func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// until looks whether something is so that nobody tells.
func until(t testing.TB, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(longEnough); !so(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("not: %s", what)
		}
	}
}

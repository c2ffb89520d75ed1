// Package mongo lends tests a server that speaks MongoDB's protocol: one for a test program,
// gone with the program; and in it a database of its own for each test.
//
// The server is server.mjs beside this file, which is no MongoDB: it answers as MongoDB's
// documentation says, in memory. Env may name a real one.
package mongo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Env may name a server to use instead of the double, by URL: a replica set, for the tests
// of transactions.
const Env = "TEST_SPACECLOUD_MONGODB"

// errMissing is that there is nothing to start.
var errMissing = errors.New("the double of MongoDB needs node and its packages (npm ci in tests/mongo), and " + Env + " names no server")

var (
	replicated = &double{}
	standalone = &double{args: []string{"0", "standalone"}}
	databases  atomic.Int64
)

// double is a server that is started when it is first asked for.
type double struct {
	args    []string
	once    sync.Once
	address string
	err     error
	stop    func() // nil until it runs
}

// Run runs the tests of a program, a *testing.M, and stops the servers after them, for TestMain.
func Run(m interface{ Run() int }) int {
	defer func() {
		for _, d := range []*double{replicated, standalone} {
			if d.stop != nil {
				d.stop()
			}
		}
	}()
	return m.Run()
}

// URL is the address of a database of the test's own, which is gone after it. The test is
// skipped where there is no server.
func URL(tb testing.TB) string {
	tb.Helper()
	if address := os.Getenv(Env); address != "" {
		return lent(tb, address, nil)
	}
	return replicated.lend(tb)
}

// StandaloneURL is such an address on a server that is no replica set and so has no transactions:
// always the double.
func StandaloneURL(tb testing.TB) string {
	tb.Helper()
	return standalone.lend(tb)
}

func (d *double) lend(tb testing.TB) string {
	tb.Helper()
	d.once.Do(func() { d.address, d.err = d.start() })
	return lent(tb, d.address, d.err)
}

// lent is a new database of a server.
func lent(tb testing.TB, server string, err error) string {
	tb.Helper()
	if errors.Is(err, errMissing) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	address, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databases.Add(1))
	address.Path = "/" + name
	tb.Cleanup(func() {
		if err := drop(server, name); err != nil {
			tb.Error(err)
		}
	})
	return address.String()
}

// Open opens such a database.
func Open(tb testing.TB) *mongo.Database {
	tb.Helper()
	address := URL(tb)
	client, err := mongo.Connect(options.Client().ApplyURI(address))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database(address[strings.LastIndex(address, "/")+1 : strings.IndexByte(address+"?", '?')])
}

func drop(server, name string) error {
	ctx := context.Background()
	client, err := mongo.Connect(options.Client().ApplyURI(server))
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(ctx) }()
	return client.Database(name).Drop(ctx)
}

// start is the address of a server that runs.
func (d *double) start() (string, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errMissing
	}
	dir := folder()
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "bson")); err != nil {
		return "", errMissing
	}
	return d.serve(node, dir)
}

// folder is where this file is.
func folder() string {
	_, file, _, _ := runtime.Caller(0) //nolint:dogsled // nobody else says it
	return filepath.Dir(file)
}

// serve starts the double, which says its port once it listens. It dies with this program:
// the kernel sees to that, as long as the thread that started it lives.
func (d *double) serve(node, dir string) (string, error) {
	server := exec.CommandContext(context.Background(), node, append([]string{"server.mjs"}, d.args...)...) //nolint:gosec // the arguments are ours
	server.Dir, server.Stderr = dir, os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := server.StdoutPipe()
	if err != nil {
		return "", err
	}
	failed, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := server.Start()
		failed <- err
		if err == nil {
			<-ended
		}
	}()
	if err := <-failed; err != nil {
		return "", err
	}
	d.stop = func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		close(ended)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the double of MongoDB did not start: %w", err)
	}
	return "mongodb://127.0.0.1:" + strings.TrimSpace(strings.TrimPrefix(line, "LISTEN")) + "/", nil
}

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
const Env = "SPACECLOUD_TEST_MONGODB"

// errMissing is that there is nothing to start.
var errMissing = errors.New("the double of MongoDB needs node and its packages (npm ci in tests/mongo), and " + Env + " names no server")

var (
	started   = sync.OnceValues(start)
	stop      = func() {} // set by start
	databases atomic.Int64
)

// Run runs the tests of a program, a *testing.M, and stops the server after them, for TestMain.
func Run(m interface{ Run() int }) int {
	defer func() { stop() }()
	return m.Run()
}

// URL is the address of a database of the test's own, which is gone after it. The test is
// skipped where there is no server.
func URL(tb testing.TB) string {
	tb.Helper()
	server, err := started()
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
func start() (string, error) {
	if address := os.Getenv(Env); address != "" {
		return address, nil
	}
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Dir(file)
	node, err := exec.LookPath("node")
	if err != nil {
		return "", errMissing
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "bson")); err != nil {
		return "", errMissing
	}
	return serve(node, dir)
}

// serve starts the double, which says its port once it listens. It dies with this program:
// the kernel sees to that, as long as the thread that started it lives.
func serve(node, dir string) (string, error) {
	server := exec.CommandContext(context.Background(), node, "server.mjs") //nolint:gosec // the node that is installed
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
	stop = func() {
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

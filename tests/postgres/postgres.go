// Package postgres lends tests a real PostgreSQL: one server for a test program, private,
// without a port, gone with the program; and in it a schema of its own for each test.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
)

// Env may name a server to use instead of a private one, by URL.
const Env = "SPACECLOUD_TEST_POSTGRES"

// errMissing is that there is nothing to start.
var errMissing = errors.New("PostgreSQL is not installed (apt-get install postgresql), and " + Env + " names none")

var (
	started = sync.OnceValues(start)
	stop    = func() {} // set by start
	schemas atomic.Int64
)

// Run runs the tests of a program and stops the server after them, for TestMain.
func Run(m *testing.M) int {
	defer func() { stop() }()
	return m.Run()
}

// URL is the address of a schema of the test's own, which is gone after it. The test is
// skipped where there is no PostgreSQL.
func URL(tb testing.TB) string {
	tb.Helper()
	server, err := started()
	if errors.Is(err, errMissing) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1))
	exec := func(statement string) {
		tb.Helper()
		if err := run(server, statement); err != nil {
			tb.Fatal(err)
		}
	}
	exec("CREATE SCHEMA " + name)
	tb.Cleanup(func() { exec("DROP SCHEMA " + name + " CASCADE") })
	address, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	query := address.Query()
	query.Set("search_path", name)
	address.RawQuery = query.Encode()
	return address.String()
}

// Open opens such a schema.
func Open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("pgx", URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func run(server, statement string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// start is the address of a server that runs.
func start() (string, error) {
	if address := os.Getenv(Env); address != "" {
		return address, nil
	}
	programs, err := programs()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "spacecloud-postgres-")
	if err != nil {
		return "", err
	}
	stop = func() { _ = os.RemoveAll(dir) }
	owner, err := ownerOf(dir)
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(context.Background(), filepath.Join(programs, "initdb"), "-D", data, "-U", "postgres", "--locale=C", "--encoding=UTF8", "--auth=trust", "--no-sync") //nolint:gosec // the server that is installed
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: owner}, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if err := serve(programs, dir, data, owner); err != nil {
		return "", err
	}
	address := "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	return address, await(address)
}

// serve starts the server. It dies with this program: the kernel sees to that, as long as
// the thread that started it lives.
func serve(programs, dir, data string, owner *syscall.Credential) error {
	server := exec.CommandContext(context.Background(), filepath.Join(programs, "postgres"), "-D", data, //nolint:gosec // as above
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB")
	server.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT}
	server.Dir = dir
	failed, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		err := server.Start()
		failed <- err
		if err == nil {
			_ = server.Wait()
		}
		close(ended)
	}()
	if err := <-failed; err != nil {
		return err
	}
	stop = func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		<-ended
		_ = os.RemoveAll(dir)
	}
	return nil
}

func await(address string) error {
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = run(address, "SELECT 1"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("PostgreSQL does not answer: %w", err)
}

// programs is the folder of initdb and postgres, of the newest version that is installed.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(strings.TrimPrefix(path, "/usr/lib/postgresql/"), "/")[0])
		return n
	}
	slices.SortStableFunc(found, func(a, b string) int { return version(b) - version(a) })
	return filepath.Dir(found[0]), nil
}

// ownerOf gives the folder to the user postgres where we are root, whom PostgreSQL refuses.
func ownerOf(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMissing, err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}

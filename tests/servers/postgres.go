// Package servers lends tests servers of databases of their own.
package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// PostgresVariable names the environment variable with the URL of a server to use instead, of which the
// user may create databases.
const PostgresVariable = "SPACECLOUD_TEST_POSTGRES"

// Postgres is a PostgreSQL of which each test gets databases of its own.
type Postgres struct {
	url    string // of a database that is always there, with %s for another name
	absent string // why there is none
	stop   func()
}

var databases atomic.Int64

// Run is for TestMain: it starts the server, runs the tests and stops it.
//
//	func TestMain(m *testing.M) { os.Exit(server.Run(m)) }
func (s *Postgres) Run(m *testing.M) int {
	// The thread that starts a process has to live as long: see Pdeathsig.
	runtime.LockOSThread()
	if err := s.start(); err != nil {
		s.absent = err.Error()
	}
	if s.stop != nil {
		defer s.stop()
	}
	return m.Run()
}

// URL is that of a new, empty database, which goes when the test ends.
func (s *Postgres) URL(tb testing.TB) string {
	tb.Helper()
	if s.absent != "" {
		tb.Skipf("there is no PostgreSQL to test with: %s", s.absent)
	}
	name := fmt.Sprintf("sc_%d_%d", os.Getpid(), databases.Add(1))
	s.exec(tb, `CREATE DATABASE "`+name+`"`)
	tb.Cleanup(func() { s.exec(tb, `DROP DATABASE "`+name+`" WITH (FORCE)`) })
	return fmt.Sprintf(s.url, name)
}

func (s *Postgres) exec(tb testing.TB, text string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgconn.Connect(ctx, fmt.Sprintf(s.url, "postgres"))
	if err != nil {
		tb.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, text).ReadAll(); err != nil {
		tb.Fatal(err)
	}
}

func (s *Postgres) start() error {
	if url := os.Getenv(PostgresVariable); url != "" {
		at := strings.LastIndex(url, "/")
		_, rest, _ := strings.Cut(url[at+1:], "?")
		s.url = strings.ReplaceAll(url[:at+1], "%", "%%") + "%s?" + strings.ReplaceAll(rest, "%", "%%")
		return nil
	}
	bin, err := binaries()
	if err != nil {
		return err
	}
	// Sockets have short paths, and the directory is not the user's who runs the tests.
	dir, err := os.MkdirTemp("/tmp", "scpg")
	if err != nil {
		return err
	}
	s.stop = func() { _ = os.RemoveAll(dir) }
	credential, err := owner(dir)
	if err != nil {
		return err
	}
	data := filepath.Join(dir, "data")
	initdb := command(dir, credential, filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "--auth=trust", "--locale=C", "--encoding=UTF8", "--no-sync")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return s.serve(dir, data, command(dir, credential, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB"))
}

func (s *Postgres) serve(dir, data string, postgres *exec.Cmd) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	postgres.Stdout, postgres.Stderr = log, log
	if err := postgres.Start(); err != nil {
		return err
	}
	s.stop = func() {
		_ = postgres.Process.Signal(syscall.SIGINT) // a fast shutdown
		_ = postgres.Wait()
		_ = os.RemoveAll(dir)
	}
	s.url = "postgres:///%s?host=" + dir + "&user=postgres"
	return await(fmt.Sprintf(s.url, "postgres"), data)
}

// await is until the server answers.
func await(url, data string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		c, err := pgconn.Connect(ctx, url)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the server in %s does not answer: %w", data, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// binaries is the folder of initdb and postgres.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("initdb is not in /usr/lib/postgresql/*/bin nor on the PATH; install postgresql, or set " + PostgresVariable + " to a URL")
}

// owner is who runs the server, and owns the folder: PostgreSQL does not run as root.
func owner(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil //nolint:nilnil // who runs the tests
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
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

func command(dir string, credential *syscall.Credential, path string, args ...string) *exec.Cmd {
	c := exec.CommandContext(context.Background(), path, args...)
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: credential, Pdeathsig: syscall.SIGINT}
	return c
}

// Package postgres lends tests a real PostgreSQL: one server for a test program, private,
// without a port, gone with the program; and in it a schema of its own for each test. A test that
// needs a server to kill starts one.
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
const Env = "TEST_SPACECLOUD_POSTGRES"

// errMissing is that there is nothing to start.
var errMissing = errors.New("PostgreSQL is not installed (apt-get install postgresql), and " + Env + " names none")

var (
	shared  *Server // of the program; set by started
	started = sync.OnceValue(func() (err error) {
		shared, err = newServer()
		return err
	})
	collated = sync.OnceValue(func() error {
		return run(shared.URL(), "CREATE DATABASE collated TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'")
	})
	schemas atomic.Int64
)

// Run runs the tests of a program and stops the server after them, for TestMain.
func Run(m interface{ Run() int }) int {
	defer func() {
		if shared != nil {
			shared.remove()
		}
	}()
	return m.Run()
}

// URL is the address of a schema of the test's own, which is gone after it. The test is
// skipped where there is no PostgreSQL.
func URL(tb testing.TB) string {
	tb.Helper()
	ask(tb)
	return inSchema(tb, shared.URL())
}

// Collated is URL in a database that sorts texts as English has them, and not by their bytes.
func Collated(tb testing.TB) string {
	tb.Helper()
	ask(tb)
	if shared.data == "" {
		tb.Skip(Env + " names a server, where no database is made")
	}
	if err := collated(); err != nil {
		tb.Fatal(err)
	}
	return inSchema(tb, shared.url("collated"))
}

func ask(tb testing.TB) {
	tb.Helper()
	switch err := started(); {
	case errors.Is(err, errMissing):
		tb.Skip(err)
	case err != nil:
		tb.Fatal(err)
	}
}

func inSchema(tb testing.TB, server string) string {
	tb.Helper()
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

// Server is one server, whose data is gone with it.
type Server struct {
	dir, data string // data is empty for a server that somebody else runs
	programs  string
	owner     *syscall.Credential
	address   string // of a server that somebody else runs
	process   *os.Process
	ended     chan struct{}
}

// Start is a server of the test's own, to be stopped and started. The test is skipped where
// there is no PostgreSQL to start.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s, err := makeServer()
	if errors.Is(err, errMissing) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.remove)
	s.Start(tb)
	return s
}

// Start starts the server again.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.serve(); err != nil {
		tb.Fatal(err)
	}
}

// Kill ends the server as a crash does.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Signal(syscall.SIGQUIT)
		<-s.ended
		s.process = nil
	}
}

// URL is the address of its database postgres, for its superuser.
func (s *Server) URL() string { return s.url("postgres") }

func (s *Server) url(database string) string {
	if s.address != "" {
		return s.address
	}
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(s.dir)
}

// For is the address of a database for another user, whom the server asks for the password.
func (s *Server) For(user, password, database string) string {
	return "postgres://" + user + ":" + password + "@/" + database + "?host=" + url.QueryEscape(s.dir)
}

func (s *Server) remove() {
	s.Kill()
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// newServer is a server that runs.
func newServer() (*Server, error) {
	if address := os.Getenv(Env); address != "" {
		return &Server{address: address}, nil
	}
	s, err := makeServer()
	if err == nil {
		err = s.serve()
	}
	return s, err
}

// makeServer is a server that is to be started. It asks all users but its own for a password.
func makeServer() (*Server, error) {
	programs, err := programs()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs}
	if s.dir, err = os.MkdirTemp("", "spacecloud-postgres-"); err != nil {
		return nil, err
	}
	if s.owner, err = ownerOf(s.dir); err != nil {
		s.remove()
		return nil, err
	}
	s.data = filepath.Join(s.dir, "data")
	initdb := exec.CommandContext(context.Background(), filepath.Join(programs, "initdb"), "-D", s.data, "-U", "postgres", "--locale=C", "--encoding=UTF8", "--auth=trust", "--no-sync") //nolint:gosec // the server that is installed
	initdb.SysProcAttr, initdb.Dir = &syscall.SysProcAttr{Credential: s.owner}, s.dir
	if out, err := initdb.CombinedOutput(); err != nil {
		s.remove()
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return s, os.WriteFile(filepath.Join(s.data, "pg_hba.conf"), []byte("local all postgres trust\nlocal all all scram-sha-256\n"), 0o644) //nolint:gosec // the server is another user
}

// serve starts the server. It dies with this program: the kernel sees to that, as long as
// the thread that started it lives.
func (s *Server) serve() error {
	server := exec.CommandContext(context.Background(), filepath.Join(s.programs, "postgres"), "-D", s.data, //nolint:gosec // as above
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.dir,
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=16MB")
	server.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Pdeathsig: syscall.SIGQUIT}
	server.Dir = s.dir
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
	s.process, s.ended = server.Process, ended
	return s.await()
}

func (s *Server) await() error {
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = run(s.URL(), "SELECT 1"); err == nil {
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

// Package mariadb lends tests a real MariaDB: one server for a test program, private,
// without a port, gone with the program; and in it a database of its own for each test.
package mariadb

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
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Env may name a server to use instead of a private one, by URL: MariaDB or MySQL, and a
// user who may create databases.
const Env = "TEST_SPACECLOUD_MYSQL"

// errMissing is that there is nothing to start.
var errMissing = errors.New("MariaDB is not installed (apt-get install mariadb-server), and " + Env + " names no server")

var (
	started   = sync.OnceValues(start)
	stop      = func() {} // set by start
	databases atomic.Int64
)

// Run runs the tests of a program and stops the server after them, for TestMain.
func Run(m interface{ Run() int }) int {
	defer func() { stop() }()
	return m.Run()
}

// URL is the address of an empty database of the test's own, which is gone after it. The
// test is skipped where there is no MariaDB.
func URL(tb testing.TB) string {
	tb.Helper()
	server, err := started()
	if errors.Is(err, errMissing) {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	name := fmt.Sprintf("t%d_%d", os.Getpid(), databases.Add(1))
	exec := func(statement string) {
		tb.Helper()
		if err := run(server, statement); err != nil {
			tb.Fatal(err)
		}
	}
	exec("CREATE DATABASE " + name + " CHARACTER SET utf8mb4")
	tb.Cleanup(func() { exec("DROP DATABASE " + name) })
	own := *server
	own.Path = "/" + name
	return own.String()
}

// Open opens such a database, as it is without the settings of the driver.
func Open(tb testing.TB) *sql.DB {
	tb.Helper()
	address, err := url.Parse(URL(tb))
	if err != nil {
		tb.Fatal(err)
	}
	db, err := open(address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = db.Close() })
	return db
}

func open(address *url.URL) (*sql.DB, error) {
	connector, err := mysql.NewConnector(config(address))
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// Config is how go-sql-driver connects to the database of a URL.
func Config(tb testing.TB, text string) *mysql.Config {
	tb.Helper()
	address, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return config(address)
}

func config(address *url.URL) *mysql.Config {
	config := mysql.NewConfig()
	config.User = address.User.Username()
	config.Passwd, _ = address.User.Password()
	config.Net, config.Addr = "tcp", address.Host
	if address.Port() == "" {
		config.Addr += ":3306"
	}
	if socket := address.Query().Get("socket"); socket != "" {
		config.Net, config.Addr = "unix", socket
	}
	if len(address.Path) > 1 {
		config.DBName = address.Path[1:]
	}
	config.TLSConfig = address.Query().Get("tls")
	config.Logger = &mysql.NopLogger{}
	return config
}

func run(server *url.URL, statement string) error {
	db, err := open(server)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// start is the address of a server that runs.
func start() (*url.URL, error) {
	if address := os.Getenv(Env); address != "" {
		return url.Parse(address)
	}
	install, err := program("mariadb-install-db", "/usr/bin")
	if err != nil {
		return nil, err
	}
	serverProgram, err := program("mariadbd", "/usr/sbin")
	if err != nil {
		return nil, err
	}
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "spacecloud-mariadb-")
	if err != nil {
		return nil, err
	}
	stop = func() { _ = os.RemoveAll(dir) }
	common := []string{
		"--no-defaults", "--user=" + me.Username, "--datadir=" + filepath.Join(dir, "data"),
		"--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=0",
	}
	out, err := exec.CommandContext(context.Background(), install, append(common,
		"--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("mariadb-install-db: %w\n%s", err, out)
	}
	socket := filepath.Join(dir, "s")
	if err := serve(dir, serverProgram, append(common, "--socket="+socket)); err != nil {
		return nil, err
	}
	address := &url.URL{Scheme: "mysql", User: url.User("root"), Host: "localhost", Path: "/", RawQuery: url.Values{"socket": {socket}}.Encode()}
	return address, await(address, filepath.Join(dir, "log"))
}

// serve starts the server. It dies with this program: the kernel sees to that, as long as
// the thread that started it lives.
func serve(dir, program string, options []string) error {
	server := exec.CommandContext(context.Background(), program, append(options, //nolint:gosec // as above
		"--skip-networking", "--innodb-flush-method=nosync", "--sync-binlog=0", "--skip-log-bin",
		"--pid-file="+filepath.Join(dir, "pid"), "--log-error="+filepath.Join(dir, "log"), "--tmpdir="+dir)...)
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
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
		_ = server.Process.Kill()
		<-ended
		_ = os.RemoveAll(dir)
	}
	return nil
}

func await(address *url.URL, log string) error {
	var err error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = run(address, "SELECT 1"); err == nil {
			return nil
		}
	}
	said, _ := os.ReadFile(log)
	return fmt.Errorf("MariaDB does not answer: %w\n%s", err, said)
}

// program finds one of the server's programs: in the path, or where packages put it.
func program(name, folder string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		return "", errMissing
	}
	return path, nil
}

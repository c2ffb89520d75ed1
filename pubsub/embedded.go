package pubsub

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"spacecloud/fault"
)

// internal is the name of this process at its own server.
const internal = "spacecloud"

const (
	startTimeout = 10 * time.Second
	startStep    = 100 * time.Millisecond // after which it may have said why it does not
	syncEvery    = time.Second
	maxMemory    = 64 << 20 // of what is kept in memory only: leases
)

// embedded is the server inside the process.
type embedded struct {
	*server.Server
	password string // of this process
	lock     *os.File
}

// start has the folder for itself, and is ready when it returns.
func start(c Config) (*embedded, error) {
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "the folder %s for streams cannot be made", c.Folder)
	}
	lock, err := lockFile(filepath.Join(c.Folder, "lock"))
	if err != nil {
		return nil, err
	}
	e := &embedded{password: rand.Text(), lock: lock}
	heard := &complaints{log: c.Log}
	if e.Server, err = server.NewServer(e.options(c)); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e.SetLogger(heard, false, false)
	e.Start()
	for end := time.Now().Add(startTimeout); !e.ReadyForConnections(startStep); {
		if heard.isFatal() || time.Now().After(end) {
			return nil, errors.Join(heard.fatal(), e.stop())
		}
	}
	return e, nil
}

func (e *embedded) options(c Config) *server.Options {
	options := &server.Options{
		ServerName:                 "spacecloud",
		DontListen:                 c.Listen == "",
		JetStream:                  true,
		StoreDir:                   c.Folder,
		JetStreamMaxMemory:         maxMemory,
		SyncInterval:               syncEvery,
		NoSigs:                     true, // the process has its own
		NoSystemAccount:            true,
		DisableJetStreamBanner:     true,
		CustomClientAuthentication: doorkeeper{e.password, c.Token},
	}
	if c.Listen != "" {
		host, port, _ := net.SplitHostPort(c.Listen) // validated
		options.Host = host
		if options.Port, _ = strconv.Atoi(port); options.Port == 0 {
			options.Port = server.RANDOM_PORT
		}
	}
	return options
}

// stop is for none, too.
func (e *embedded) stop() error {
	if e == nil {
		return nil
	}
	e.Shutdown()
	e.WaitForShutdown()
	if err := e.lock.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// doorkeeper says who may connect: this process to all, and services with the token to what is not ours.
type doorkeeper struct{ password, token string }

// Check is called for each connection.
func (d doorkeeper) Check(c server.ClientAuthentication) bool {
	shown := c.GetOpts()
	switch {
	case shown.Username == internal && same(shown.Password, d.password):
		c.RegisterUser(&server.User{Username: internal})
	case same(shown.Token, d.token): // both may be empty, at loopback
		c.RegisterUser(&server.User{Username: "service", Permissions: forServices()})
	default:
		return false
	}
	return true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// forServices is all but what is ours, and what streams and leases are reached by.
func forServices() *server.Permissions {
	ours := &server.SubjectPermission{Deny: []string{prefix + ">", "$JS.>", "$KV.>", "$O.>", "$SYS.>"}}
	return &server.Permissions{Publish: ours, Subscribe: ours}
}

// complaints passes on what the server says of trouble, and keeps why it does not start.
type complaints struct {
	log *slog.Logger

	mu  sync.Mutex
	why string // guarded by mu
}

var _ server.Logger = (*complaints)(nil)

// Fatalf is why the server does not start.
func (c *complaints) Fatalf(format string, v ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.why = fmt.Sprintf(format, v...)
}

func (c *complaints) isFatal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why != ""
}

func (c *complaints) fatal() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fault.New(fault.Invalid, "the NATS server inside the process does not start: %s", c.why)
}

// Errorf is for the log.
func (c *complaints) Errorf(format string, v ...any) { c.say(slog.LevelError, format, v) }

// Warnf is for the log.
func (c *complaints) Warnf(format string, v ...any) { c.say(slog.LevelWarn, format, v) }

func (c *complaints) say(level slog.Level, format string, v []any) {
	c.log.Log(context.Background(), level, fmt.Sprintf("NATS: "+format, v...))
}

// Noticef, Debugf and Tracef are for who operates a server of its own.
func (*complaints) Noticef(string, ...any) {}

// Debugf says nothing.
func (*complaints) Debugf(string, ...any) {}

// Tracef says nothing.
func (*complaints) Tracef(string, ...any) {}

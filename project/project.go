// Package project answers what is served now: it makes one backend of a folder of SDL, all of
// it or nothing, brings the databases up to it, and swaps it for the one before.
package project

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"spacecloud/auth"
	"spacecloud/config"
	"spacecloud/database"
	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/migrate"
)

// Config is what a Project stands on.
type Config struct {
	// Settings are the deployment's. Required, and valid.
	Settings config.Config
	// Drivers open the databases of Settings. Required.
	Drivers database.Drivers
	// Version is that of this program, for the ledger of migrations.
	Version string
	// Out is told of edits: a line for each that is served, the problems of each that is not.
	// Defaults to nowhere.
	Out io.Writer
	// Log takes what clients are not told. Defaults to slog.Default().
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	c.Out = cmp.Or(c.Out, io.Discard)
	c.Log = cmp.Or(c.Log, slog.Default())
	return c
}

// Project is a folder of SDL, its databases, and the backend that serves them now.
type Project struct {
	Config
	databases map[string]*database.DB
	verifier  *auth.Verifier
	hub       *live.Hub // of all backends: what is written by way of one that was just replaced wakes who waits at the next

	now     atomic.Pointer[backend] // nil until the first Load
	leaving sync.WaitGroup          // clients of backends that were served before

	mu   sync.Mutex // one Load at a time
	seen string     // the folder's content at the last Load; guarded by mu
	said string     // what was last wrong with it; guarded by mu
}

// Open makes the data folder, opens the databases and reads the keys for tokens.
func Open(ctx context.Context, c Config) (*Project, error) {
	p := &Project{
		Config: c.withDefaults(), databases: map[string]*database.DB{},
		hub: live.New(live.Config{PerCaller: c.Settings.Limits.Live, Timeout: c.Settings.Limits.Timeout}),
	}
	if err := makeFolder(c.Settings.Data); err != nil { // for the files of databases, too
		return nil, err
	}
	var err error
	if p.verifier, err = newVerifier(c.Settings, p.Log); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(c.Settings.Databases)) {
		db, err := c.Drivers.Open(ctx, name, string(c.Settings.Databases[name].URL))
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.databases[name] = db
	}
	return p, nil
}

// RefreshKeys keeps the keys that issuers of tokens publish fresh until ctx ends. Until it runs
// and an issuer has answered, his tokens are refused.
func (p *Project) RefreshKeys(ctx context.Context) { p.verifier.Run(ctx) }

// Leave tells clients with a WebSocket or a stream of events to come back, when the process is asked to end: see
// graph.Server.Close.
func (p *Project) Leave(ctx context.Context) {
	if b := p.now.Load(); b != nil {
		b.graph.Close(ctx)
	}
}

// Close waits for clients of earlier schemas, and for what the databases are asked now, and closes them.
func (p *Project) Close() error {
	p.leaving.Wait()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		errs = append(errs, p.databases[name].Close())
	}
	return errors.Join(errs...)
}

// Databases are the open databases as migrations need them, by name.
func (p *Project) Databases() ([]migrate.Database, error) {
	var targets []migrate.Database
	for _, name := range slices.Sorted(maps.Keys(p.databases)) {
		target, err := migrate.Target(name, p.databases[name].Driver())
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
	}
	return targets, nil
}

func makeFolder(name string) error {
	if err := os.MkdirAll(name, 0o755); err != nil {
		return fault.New(fault.Invalid, "the data folder %s cannot be made: %v; make it, or name another with --data", name, cause(err))
	}
	probe, err := os.CreateTemp(name, ".write-*")
	if err != nil {
		return fault.New(fault.Invalid, "the data folder %s cannot be written to: %v; allow it, or name another with --data", name, cause(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// cause is an error without the name of the file, which the message has already.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

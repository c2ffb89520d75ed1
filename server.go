// Command spacecloud serves a folder of GraphQL SDL as a backend.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"spacecloud/config"
	"spacecloud/fault"
	"spacecloud/project"
)

// grace is how long requests may take to finish when the process is asked to end.
const grace = 15 * time.Second

func main() { os.Exit(execute()) }

// execute lends the process: its arguments, its streams and its signals.
func execute() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	return run(ctx, process{os.Args[1:], os.Environ(), os.Stdout, os.Stderr})
}

// process is what a command may use of it.
type process struct {
	args     []string
	environ  []string
	out, err io.Writer
}

// serve is the command: open, load, listen, and let requests finish.
func serve(ctx context.Context, ps process, c config.Config) (err error) {
	began := time.Now()
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	// A folder that cannot be served is refused before anything is made beside it.
	if _, _, err := project.Read(c.Schema); err != nil {
		return err
	}
	p, err := project.Open(ctx, project.Config{Settings: c, Drivers: drivers, Version: version(), Out: ps.out, Log: logger(ps)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	loaded, err := p.Load(ctx)
	if err != nil {
		return err
	}
	seeded, err := seed(ctx, p, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var beside sync.WaitGroup
	beside.Go(func() { watch(ctx, ps, p) })
	beside.Go(func() { p.RefreshKeys(ctx) })
	defer func() { cancel(); beside.Wait() }()
	fmt.Fprint(ps.out, welcome(p, c, listener.Addr(), loaded, seeded, time.Since(began)))
	return handle(ctx, listener, p, c)
}

// listen takes the address first: what is taken is said before anything is changed.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.New(fault.Conflict, "%s is taken; stop the program that listens there, or use another address with --listen", address)
	case err != nil:
		return nil, fault.New(fault.Invalid, "cannot listen on %s: %v; use another address with --listen", address, err)
	}
	return l, nil
}

func seed(ctx context.Context, p *project.Project, c config.Config) (int, error) {
	if c.Production {
		return 0, nil
	}
	return p.Seed(ctx)
}

// watch serves edits until ctx ends. Without it the server is still of use, so that it only
// says why.
func watch(ctx context.Context, ps process, p *project.Project) {
	if p.Settings.Production {
		return
	}
	if err := p.Watch(ctx); err != nil {
		fmt.Fprintf(ps.err, "spacecloud: edits are not served until the next start: %s\n", project.Explain(err))
	}
}

// handle serves until ctx ends, and then lets requests finish and sockets close.
func handle(ctx context.Context, l net.Listener, p *project.Project, c config.Config) error {
	server := &http.Server{
		Handler:           p.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      c.Limits.Timeout + 30*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	var leaving sync.WaitGroup
	leaving.Go(func() { p.Leave(ending) })
	defer leaving.Wait()
	if err := server.Shutdown(ending); err != nil {
		return errors.Join(fmt.Errorf("requests did not finish within %s", grace), server.Close())
	}
	return nil
}

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
	"strings"
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
	listener, err := listen(c.Listen)
	if err != nil {
		return err
	}
	defer listener.Close()
	// A folder that cannot be served is refused before anything is made beside it.
	if _, err := project.Read(c.Schema); err != nil {
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
	watching := make(chan error, 1)
	go func() { watching <- watch(ctx, p, c) }()
	defer func() { cancel(); err = errors.Join(err, <-watching) }()
	fmt.Fprint(ps.out, welcome(p, c, listener.Addr(), loaded, seeded, time.Since(began)))
	return handle(ctx, listener, p.Handler(), c)
}

// listen takes the address first: what is taken is said before anything is changed.
func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
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

func watch(ctx context.Context, p *project.Project, c config.Config) error {
	if c.Production {
		return nil
	}
	return p.Watch(ctx)
}

// handle serves until ctx ends, and then lets requests finish.
func handle(ctx context.Context, l net.Listener, h http.Handler, c config.Config) error {
	server := &http.Server{
		Handler:           h,
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
	if err := server.Shutdown(ending); err != nil {
		return errors.Join(fmt.Errorf("requests did not finish within %s", grace), server.Close())
	}
	return nil
}

// welcome is the block that a start prints.
func welcome(p *project.Project, c config.Config, at net.Addr, l project.Loaded, seeded int, took time.Duration) string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "  %-10s %s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "Space Cloud %s\n", version())
	line("api", "http://%s/graphql", at)
	if c.Introspection && c.Trusted.Documents == "" { // the explorer asks what it likes
		line("explorer", "http://%s/playground", at)
	}
	for _, text := range p.Describe(l) {
		line("database", "%s", text)
	}
	if seeded > 0 {
		line("seed", "%d changes from %s/seed.graphql", seeded, c.Schema)
	}
	if !c.Production && len(c.Auth.Keys) == 0 {
		line("token", "spacecloud token --claims '{\"sub\": \"me\"}'")
	}
	line("ready", "in %d ms", took.Milliseconds())
	return b.String()
}

package main

import (
	"fmt"
	"net"
	"strings"
	"time"

	"spacecloud/config"
	"spacecloud/project"
)

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
	for _, w := range l.Warnings {
		line("warning", "%s", w.Error())
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

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spacecloud/config"
	"spacecloud/database/sqlite"
	"spacecloud/fault"
	"spacecloud/migrate"
	"spacecloud/project"
	"spacecloud/schema"
)

func pullFlags(set *flag.FlagSet) {
	set.String("db", "main", "the `NAME` of the database in the settings")
	set.String("out", "", "the `FILE` to write; by default the schema is printed")
	set.Bool("overwrite", false, "write the file though it is there already")
}

// schemaPull looks at the one database only: others may be down.
func schemaPull(ctx context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	name, out := set.Lookup("db").Value.String(), set.Lookup("out").Value.String()
	settings, ok := c.Databases[name]
	if !ok {
		names := slices.Sorted(maps.Keys(c.Databases))
		return fault.New(fault.Invalid, "there is no database %q in the settings%s; known are %s (databases: {%s: {url: …}} in the file of settings adds one)",
			name, schema.DidYouMean(name, slices.Clone(names)), strings.Join(names, ", "), name)
	}
	if out != "" {
		if err := mayWrite(c.Schema, name, out, set.Lookup("overwrite").Value.String() == "true"); err != nil {
			return err
		}
	}
	if url := string(settings.URL); strings.HasPrefix(url, "sqlite:") {
		if err := sqlite.Existing(url); err != nil {
			return fault.Wrap(fault.KindOf(err), err, "database %s: %v", name, err)
		}
	}
	c.Databases = map[string]config.Database{name: settings}
	text, err := pulled(ctx, ps, c)
	switch {
	case err != nil:
		return err
	case out == "":
		fmt.Fprint(ps.out, text)
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(out, []byte(text), 0o644); err != nil { //nolint:gosec // a schema is no secret
		return err
	}
	fmt.Fprintf(ps.out, "wrote %s: all of it is closed; say who may do what with @auth, as its first lines show\n", out)
	return nil
}

func pulled(ctx context.Context, ps process, c config.Config) (text string, err error) {
	p, err := project.Open(ctx, project.Config{Settings: c, Drivers: drivers, Version: version(), Log: logger(ps)})
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	targets, err := p.Databases()
	if err != nil {
		return "", err
	}
	return migrate.Pull(ctx, targets[0])
}

// mayWrite refuses a file that is there, and one that would say of tables for a second time
// what the folder says already.
func mayWrite(folder, db, out string, overwrite bool) error {
	if _, err := os.Stat(out); !errors.Is(err, fs.ErrNotExist) && !overwrite {
		return fault.New(fault.Invalid, "%s is there already; name another file with --out, or say --overwrite", out)
	}
	within, err := filepath.Rel(folder, out)
	if err != nil || strings.HasPrefix(within, "..") || filepath.Ext(out) != ".graphql" {
		return nil //nolint:nilerr // it is not in the folder
	}
	s, err := schema.Load(os.DirFS(folder))
	if err != nil {
		return nil //nolint:nilerr // of an empty folder, or one with problems, `schema check` tells
	}
	for _, t := range s.Types {
		if t.DB == db && t.Pos.File != filepath.ToSlash(within) {
			return fault.New(fault.Invalid, "the folder %s has types of database %s already, such as %s in %s: pull to a file outside of the folder with --out, and move over the types that are missing",
				folder, db, t.Name, filepath.Join(folder, t.Pos.File))
		}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"spacecloud/config"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/mongodb"
	"spacecloud/database/mysql"
	"spacecloud/database/postgres"
	"spacecloud/database/sqlite"
	"spacecloud/fault"
	"spacecloud/migrate"
	"spacecloud/project"
	"spacecloud/schema"
)

// drivers are the kinds of databases in this binary.
var drivers = database.Drivers{
	"sqlite":      func(ctx context.Context, url string) (driver.Driver, error) { return sqlite.Open(ctx, url) },
	"postgres":    openPostgres,
	"postgresql":  openPostgres,
	"mysql":       openMySQL,
	"mariadb":     openMySQL,
	"mongodb":     openMongoDB,
	"mongodb+srv": openMongoDB,
}

func openMongoDB(ctx context.Context, url string) (driver.Driver, error) {
	return mongodb.Open(ctx, url)
}

func openMySQL(ctx context.Context, url string) (driver.Driver, error) { return mysql.Open(ctx, url) }

func openPostgres(ctx context.Context, url string) (driver.Driver, error) {
	return postgres.Open(ctx, url)
}

func logger(ps process) *slog.Logger { return slog.New(slog.NewTextHandler(ps.err, nil)) }

// withDatabases opens the databases of the settings for do, and reads the schema.
func withDatabases(ctx context.Context, ps process, c config.Config, do func(*schema.Schema, []migrate.Database) error) error {
	s, _, err := project.Read(c.Schema)
	if err != nil {
		return err
	}
	return openDatabases(ctx, ps, c, func(targets []migrate.Database) error { return do(s, targets) })
}

// openDatabases opens the databases of the settings for do.
func openDatabases(ctx context.Context, ps process, c config.Config, do func([]migrate.Database) error) (err error) {
	p, err := project.Open(ctx, project.Config{Settings: c, Drivers: drivers, Version: version(), Log: logger(ps)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	targets, err := p.Databases()
	if err != nil {
		return err
	}
	return do(targets)
}

func migratePlan(ctx context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	return withDatabases(ctx, ps, c, func(s *schema.Schema, targets []migrate.Database) error {
		for _, db := range targets {
			plan, err := migrate.Make(ctx, db, s, migrate.Options{})
			if err != nil {
				return err
			}
			fmt.Fprint(ps.out, plan)
		}
		return nil
	})
}

func migrateFlags(set *flag.FlagSet) {
	set.Bool("allow-destructive", false, "also do what loses data")
	set.Bool("keep", false, "leave what the schema no longer has, for servers of an older version")
}

// migrateApply asks all databases before it changes the first: there is no transaction over
// two.
func migrateApply(ctx context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	o := migrate.Options{Version: version(), AllowDestroy: set.Lookup("allow-destructive").Value.String() == "true"}
	if set.Lookup("keep").Value.String() == "true" {
		o.Policy = migrate.Keep
	}
	return withDatabases(ctx, ps, c, func(s *schema.Schema, targets []migrate.Database) error {
		for _, db := range targets {
			plan, err := migrate.Make(ctx, db, s, o)
			if err != nil {
				return err
			}
			if err := plan.Refused(o.AllowDestroy); err != nil {
				return err
			}
		}
		for _, db := range targets {
			plan, err := migrate.Apply(ctx, db, s, o)
			if err != nil {
				return err
			}
			fmt.Fprint(ps.out, plan)
		}
		return nil
	})
}

func downFlags(set *flag.FlagSet) {
	set.String("db", "", "only the database of this `name`")
	set.Bool("allow-destructive", false, "also do what loses data")
	set.Bool("structure-only", false, "also undo a migration that lost data, which does not come back")
}

// migrateDown shows what it will do in all databases before it does it in the first. The schema
// folder is not asked: the ledger knows what was before.
func migrateDown(ctx context.Context, ps process, c config.Config, set *flag.FlagSet) error {
	flag := func(name string) string { return set.Lookup(name).Value.String() }
	o := migrate.Options{Version: version(), AllowDestroy: flag("allow-destructive") == "true", StructureOnly: flag("structure-only") == "true"}
	return openDatabases(ctx, ps, c, func(targets []migrate.Database) error {
		targets, err := named(targets, flag("db"))
		if err != nil {
			return err
		}
		var undoing []migrate.Database
		var refused error
		for _, db := range targets {
			plan, err := migrate.MakeDown(ctx, db, o)
			switch {
			case fault.KindOf(err) == fault.NotFound:
				fmt.Fprintf(ps.out, "%s (%s): no migration is left to undo\n", db.Name, db.Product)
				continue
			case err != nil:
				return err
			}
			fmt.Fprint(ps.out, plan)
			undoing, refused = append(undoing, db), errors.Join(refused, plan.Refused(o.AllowDestroy))
		}
		if refused != nil {
			return refused
		}
		for _, db := range undoing {
			plan, err := migrate.ApplyDown(ctx, db, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(ps.out, "%s: migration %d is undone\n", db.Name, plan.Undoes.ID)
		}
		return nil
	})
}

// named are the databases of a name, or all without one.
func named(targets []migrate.Database, name string) ([]migrate.Database, error) {
	if name == "" {
		return targets, nil
	}
	var names []string
	for _, db := range targets {
		if db.Name == name {
			return []migrate.Database{db}, nil
		}
		names = append(names, db.Name)
	}
	return nil, usage{fmt.Sprintf("there is no database %q; the settings have %s", name, strings.Join(names, ", "))}
}

func migrateStatus(ctx context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	return withDatabases(ctx, ps, c, func(s *schema.Schema, targets []migrate.Database) error {
		for _, db := range targets {
			entries, err := migrate.Status(ctx, db)
			if err != nil {
				return err
			}
			plan, err := migrate.Make(ctx, db, s, migrate.Options{})
			if err != nil {
				return err
			}
			fmt.Fprintf(ps.out, "%s (%s)\n", db.Name, db.Product)
			printEntries(ps.out, entries)
			printState(ps.out, plan)
		}
		return nil
	})
}

// printEntries prints the ledger, a line for each entry.
func printEntries(out io.Writer, entries []migrate.Entry) {
	undone := map[int64]int64{}
	for _, e := range entries {
		if e.Kind == "down" {
			undone[e.Undoes] = e.ID
		}
	}
	for _, e := range entries {
		what, _, _ := strings.Cut(e.Plan, "\n")
		if _, after, plan := strings.Cut(what, "): "); plan {
			what = after
		}
		if by := undone[e.ID]; by != 0 {
			what += fmt.Sprintf(" (undone by %d)", by)
		}
		fmt.Fprintf(out, "  %3d  %s  %-10s  %s, by %s on %s\n", e.ID, e.At.Format(time.RFC3339), e.Kind, what, e.Version, e.Host)
	}
	if len(entries) == 0 {
		fmt.Fprintln(out, "  nothing was done here yet")
	}
}

// printState prints how a database is now, and what the schema would change.
func printState(out io.Writer, plan migrate.Plan) {
	if plan.Unfinished {
		fmt.Fprintln(out, "  unfinished: the last migration did not end; spacecloud migrate apply goes on from where it is")
	}
	for _, d := range plan.Drift {
		fmt.Fprintf(out, "  changed outside: %s\n    %s\n", d.What, d.Right)
	}
	if plan.Empty() {
		fmt.Fprintln(out, "  the schema: nothing to do")
		return
	}
	fmt.Fprintf(out, "  the schema: %s; spacecloud migrate plan says all of it\n", plan.Summary())
	for _, step := range plan.Steps {
		for _, c := range step.Changes {
			fmt.Fprintf(out, "    %s%s\n", c.Comment, map[migrate.Verdict]string{migrate.Destroys: " (destroys)", migrate.Impossible: " (not possible)"}[c.Verdict])
		}
	}
}

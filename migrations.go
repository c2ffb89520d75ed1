package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
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
func withDatabases(ctx context.Context, ps process, c config.Config, do func(*schema.Schema, []migrate.Database) error) (err error) {
	s, err := project.Read(c.Schema)
	if err != nil {
		return err
	}
	p, err := project.Open(ctx, project.Config{Settings: c, Drivers: drivers, Version: version(), Log: logger(ps)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	targets, err := p.Databases()
	if err != nil {
		return err
	}
	return do(s, targets)
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

func migrateStatus(ctx context.Context, ps process, c config.Config, _ *flag.FlagSet) error {
	return withDatabases(ctx, ps, c, func(s *schema.Schema, targets []migrate.Database) error {
		for _, db := range targets {
			entries, err := migrate.Status(ctx, db)
			if err != nil {
				return err
			}
			for _, e := range entries {
				first, _, _ := strings.Cut(e.Plan, "\n")
				fmt.Fprintf(ps.out, "%s  %s  %-7s  by %s on %s: %s\n", e.At.Format(time.RFC3339), db.Name, e.Kind, e.Version, e.Host, first)
			}
			plan, err := migrate.Make(ctx, db, s, migrate.Options{})
			if err != nil {
				return err
			}
			fmt.Fprintf(ps.out, "%s: %s\n", db.Name, plan.Summary())
		}
		return nil
	})
}

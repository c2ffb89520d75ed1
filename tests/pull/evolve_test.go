package pull

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/database/sqlite"
	"spacecloud/migrate"
	"spacecloud/tests/postgres"
)

// A field that is added to every type of a pulled schema is all that a migration adds: what
// else was there, and a schema cannot say, stays as it is.
func TestOnlyWhatIsAddedIsAdded(t *testing.T) {
	for name, open := range map[string]func(*testing.T) migrate.Database{"sqlite.txtar": openSQLite, "postgres.txtar": openPostgres} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			fill(t, db, string(read(t, name).file("dump.sql").Data))
			fill(t, db, "DROP VIEW IF EXISTS broken") // as long as it is there, SQLite drops no column of any table
			text, err := migrate.Pull(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			more, added := addField(text)
			plan, err := migrate.Apply(t.Context(), db, parse(t, more), migrate.Options{Policy: migrate.Tidy})
			if err != nil {
				t.Fatalf("%v\n%s", err, plan)
			}
			for _, step := range plan.Steps {
				for _, c := range step.Changes {
					if !strings.HasPrefix(c.Comment, "add column ") || !strings.HasSuffix(c.Comment, ".added_now") {
						t.Errorf("%s\n%s", c.Comment, strings.Join(step.Statements, "\n"))
					}
				}
			}
			if len(plan.Steps) != added {
				t.Errorf("%d steps, want %d", len(plan.Steps), added)
			}
			again, err := migrate.Make(t.Context(), db, parse(t, more), migrate.Options{})
			if err != nil || !again.Empty() {
				t.Errorf("then there is, %v,\n%s", err, again)
			}
			plan, err = migrate.Apply(t.Context(), db, parse(t, text), migrate.Options{AllowDestroy: true})
			if err != nil || len(plan.Steps) != added {
				t.Errorf("back there is, %v,\n%s", err, plan)
			}
			if last, err := migrate.Pull(t.Context(), db); err != nil || last != text {
				t.Errorf("after all it is, %v,\n%s", err, last)
			}
			gone, err := migrate.Apply(t.Context(), db, parse(t, `type Other @auth(read: "true") { id: ID! @primary }`), migrate.Options{AllowDestroy: true})
			if err != nil || len(gone.Steps) != 1 {
				t.Errorf("without them there is, %v,\n%s", err, gone)
			}
		})
	}
}

// addField adds a field to each type that is a table, and says to how many.
func addField(sdl string) (string, int) {
	var b strings.Builder
	added, table := 0, false
	for line := range strings.Lines(sdl) {
		if strings.HasPrefix(line, "type ") {
			table = !strings.Contains(line, "@view")
		}
		if line == "}\n" && table {
			b.WriteString("  addedNow: String\n")
			added, table = added+1, false
		}
		b.WriteString(line)
	}
	return b.String(), added
}

func openSQLite(t *testing.T) migrate.Database {
	t.Helper()
	d, err := sqlite.Open(context.WithoutCancel(t.Context()), "sqlite:"+filepath.Join(t.TempDir(), "main.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return migrate.Database{Name: "main", Product: "SQLite", SQL: d}
}

func openPostgres(t *testing.T) migrate.Database {
	t.Helper()
	return migrate.Database{Name: "main", Product: "PostgreSQL", SQL: opener{postgres.Open(t)}}
}

package pull

import (
	"strings"
	"testing"

	"spacecloud/migrate"
	"spacecloud/tests/served"
)

// A field that is added to every type of a pulled schema is all that a migration adds: what
// else was there, and a schema cannot say, stays as it is.
func TestOnlyWhatIsAddedIsAdded(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		if on.Name == "mongodb" {
			t.Skip("MongoDB has no columns to add, and a collection that others made keeps its validator")
		}
		db := served.Must(migrate.Target("main", on.Open(t)))(t)
		fill(t, db, read(t, on.Name+".txtar").dump())
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

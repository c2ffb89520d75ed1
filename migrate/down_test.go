package migrate

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"spacecloud/fault"
	"spacecloud/schema"
)

// base is a database of any kind, and what the tests of all kinds do to it.
type base struct {
	*testing.T
	db Database
}

// onEvery tests what holds in each kind of database, documents among them.
func onEvery(t *testing.T, do func(*testing.T, base)) {
	t.Helper()
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) { do(t, base{t, kind.open(t)}) })
	}
	t.Run("MongoDB", func(t *testing.T) { do(t, base{t, newStore(t).db}) })
}

func (b base) sql() world {
	return world{b.T, b.db, kinds[map[string]string{"sqlite": "SQLite", "postgres": "PostgreSQL", "mysql": "MySQL"}[b.db.SQL.Dialect()]]}
}

func (b base) store() store { return store(b) }

func (b base) schema(sdl string) *schema.Schema { return world{T: b.T}.schema(sdl) }

func (b base) apply(sdl string, o Options) Plan {
	b.Helper()
	plan, err := Apply(b.Context(), b.db, b.schema(sdl), o)
	if err != nil {
		b.Fatalf("%v\n%s", err, plan)
	}
	return plan
}

func (b base) plan(sdl string, p Policy) Plan {
	b.Helper()
	plan, err := Make(b.Context(), b.db, b.schema(sdl), Options{Policy: p})
	if err != nil {
		b.Fatal(err)
	}
	return plan
}

// down undoes one migration, and looks that the structure is that of a schema.
func (b base) down(sdl string, o Options) Plan {
	b.Helper()
	plan, err := ApplyDown(b.Context(), b.db, o)
	if err != nil {
		b.Fatalf("%v\n%s", err, plan)
	}
	if sdl == "" {
		return plan
	}
	if left := b.plan(sdl, Exact); !left.Empty() || len(left.Drift) > 0 {
		b.Fatalf("after\n%s\nthere is still\n%s", plan, left)
	}
	return plan
}

func (b base) refused(o Options, want ...string) {
	b.Helper()
	plan, err := ApplyDown(b.Context(), b.db, o)
	if err == nil {
		b.Fatalf("was undone; want it refused for %q", want)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			b.Errorf("refused with\n%v\nwhich does not say\n%s\n%s", err, part, plan)
		}
	}
}

// run says one thing in SQL or as a command.
func (b base) run(sql, command string) {
	b.Helper()
	if b.db.Mongo != nil {
		b.store().run(command)
		return
	}
	b.sql().exec(sql)
}

// cells are the values of a type's column, or field, by the order of keys.
func (b base) cells(table, column string) string {
	b.Helper()
	if b.db.Mongo == nil {
		return b.sql().ask("SELECT " + column + " FROM " + table + " ORDER BY id")
	}
	var values []string
	for line := range strings.SplitSeq(b.store().ask(table), "\n") {
		var d map[string]any
		if err := json.Unmarshal([]byte(line), &d); err == nil {
			values = append(values, fmt.Sprint(d[column]))
		}
	}
	return strings.Join(values, ";")
}

func (b base) shape() string {
	b.Helper()
	said, err := json.MarshalIndent(b.shapeNow(), "", " ")
	if err != nil {
		b.Fatal(err)
	}
	return string(said)
}

// shapeNow is the shape by the newest entry of the ledger, which has to be that of the database.
func (b base) shapeNow() shape {
	b.Helper()
	entries, err := Status(b.Context(), b.db)
	if err != nil || len(entries) == 0 {
		b.Fatalf("the ledger is %v, %v", entries, err)
	}
	last, _, err := b.db.engine().recall(b.Context(), entries[len(entries)-1].ID)
	if err != nil {
		b.Fatal(err)
	}
	return last.Shape
}

const one = `type Post @auth(read: "true") { id: ID! @primary  title: String! }`

func (b base) posts() {
	b.Helper()
	b.apply(one, Options{})
	b.run("INSERT INTO posts (id, title) VALUES ('p1', 'One'), ('p2', 'Two')",
		`{"insert": "posts", "documents": [{"_id": "p1", "title": "One"}, {"_id": "p2", "title": "Two"}]}`)
}

func TestDownUndoesOneMigrationAfterTheOther(t *testing.T) {
	onEvery(t, func(t *testing.T, b base) {
		b.posts()
		first := b.shape()
		const two = `type Post @auth(read: "true") { id: ID! @primary  title: String! @index  note: String }
type Tag @auth(read: "true") { id: ID! @primary }`
		const three = `type Article @auth(read: "true") @renamed(from: "Post") { id: ID! @primary  headline: String! @renamed(from: "title") @index  note: String  likes: Int! @default(value: 1) }
type Tag @auth(read: "true") { id: ID! @primary }`
		b.apply(two, Options{})
		b.apply(three, Options{})
		b.refused(Options{}, " was not undone", "drop ", "posts.likes: 2 ", "spacecloud migrate down --allow-destructive")
		plan := b.down(two, Options{AllowDestroy: true, Version: "v1"})
		if !strings.Contains(plan.String(), "undo migration ") {
			t.Errorf("the plan is\n%s", plan)
		}
		if got := b.cells("posts", "title"); got != "One;Two" {
			t.Errorf("the titles are %s", got)
		}
		b.down(one, Options{})
		if got := b.shape(); got != first {
			t.Errorf("the structure is\n%s\nand was\n%s", got, first)
		}
		b.apply(two, Options{}) // and forward again
		b.down(one, Options{})
		b.refused(Options{}, "drop ", "posts: it holds 2 ")
		b.down("", Options{AllowDestroy: true})
		if _, err := ApplyDown(t.Context(), b.db, Options{}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("undone once more: %v", err)
		}
		entries, err := Status(t.Context(), b.db)
		if err != nil || len(entries) != 8 || entries[3].Kind != "down" || entries[3].Undoes != entries[2].ID || entries[3].Version != "v1" {
			t.Errorf("the ledger is %+v, %v", entries, err)
		}
	})
}

func TestDownSaysWhatDoesNotComeBack(t *testing.T) {
	onEvery(t, func(t *testing.T, b base) {
		const full = `type Post @auth(read: "true") { id: ID! @primary  title: String!  note: String  empty: String }`
		b.apply(full, Options{})
		b.run("INSERT INTO posts (id, title, note) VALUES ('p1', 'One', 'x'), ('p2', 'Two', NULL)",
			`{"insert": "posts", "documents": [{"_id": "p1", "title": "One", "note": "x"}, {"_id": "p2", "title": "Two"}]}`)
		b.apply(one, Options{AllowDestroy: true})
		b.refused(Options{AllowDestroy: true}, "what it lost does not come back: what 1 ", " of posts held in note", "spacecloud migrate down --structure-only")
		plan := b.down(full, Options{StructureOnly: true})
		if strings.Contains(plan.String(), "held in empty") || !strings.Contains(plan.String(), "lost for good: what 1 ") {
			t.Errorf("the plan is\n%s", plan)
		}
		if got := b.cells("posts", "title"); got != "One;Two" {
			t.Errorf("the titles are %s", got)
		}
	})
}

func TestDownLooksAtTheRowsOfNow(t *testing.T) {
	onEvery(t, func(_ *testing.T, b base) {
		b.posts()
		b.apply(strings.Replace(one, "String!", "String", 1), Options{})
		b.run("INSERT INTO posts (id) VALUES ('p3')", `{"insert": "posts", "documents": [{"_id": "p3"}]}`)
		b.refused(Options{AllowDestroy: true, StructureOnly: true}, "1 ", "of posts.title (with key p3) is null; fill it first")
		b.run("DELETE FROM posts WHERE id = 'p3'", `{"delete": "posts", "deletes": [{"q": {"_id": "p3"}, "limit": 1}]}`)
		b.down(one, Options{})
	})
}

func TestDownKeepsWhatWasKept(t *testing.T) {
	onEvery(t, func(t *testing.T, b base) {
		const full = `type Post @auth(read: "true") { id: ID! @primary  title: String!  note: String! }`
		b.apply(full, Options{})
		b.run("INSERT INTO posts (id, title, note) VALUES ('p1', 'One', 'x')", `{"insert": "posts", "documents": [{"_id": "p1", "title": "One", "note": "x"}]}`)
		b.apply(one, Options{Policy: Tidy})
		b.apply(strings.Replace(one, "title", "extra: String  title", 1), Options{Policy: Tidy})
		b.down("", Options{})
		if got := b.cells("posts", "note"); got != "x" {
			t.Errorf("what was kept before is %s", got)
		}
		b.down(full, Options{})
		if got := b.cells("posts", "note"); got != "x" {
			t.Errorf("what was kept is %s", got)
		}
	})
}

func TestDownIsDoneOnceByTwo(t *testing.T) {
	onEvery(t, func(t *testing.T, b base) {
		b.posts()
		b.apply(strings.Replace(one, "title", "a: Int  title", 1), Options{})
		b.apply(strings.Replace(one, "title", "a: Int  b: Int  title", 1), Options{})
		want, o, err := b.db.down(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() { _, errs[i] = b.db.engine().apply(t.Context(), want, o) })
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if !strings.Contains(err.Error(), "was migrated by another program meanwhile") {
				t.Error(err)
			}
		}
		if entries, err := Status(t.Context(), b.db); done != 1 || err != nil || len(entries) != 4 {
			t.Errorf("%d were done, the ledger has %d entries, %v", done, len(entries), err)
		}
	})
}

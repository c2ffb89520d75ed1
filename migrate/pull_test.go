package migrate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// The law: whatever schema made a database, once nobody knows that any more, what is pulled
// from it loads and changes nothing, and so does the schema that made it, and the same is
// pulled after it was served; and a new database of what is pulled is like the one it came from.
func TestWhatIsPulledIsWhatIsThere(t *testing.T) {
	seeds := 40
	if testing.Short() {
		seeds = 10
	}
	t.Run("SQLite", func(t *testing.T) { testPullLaw(t, seeds, newWorld) })
	t.Run("PostgreSQL", func(t *testing.T) { testPullLaw(t, seeds/2, newPostgres) })
	t.Run("MariaDB", func(t *testing.T) { testPullLaw(t, seeds/2, newMySQL) })
}

func testPullLaw(t *testing.T, seeds int, open func(*testing.T) world) {
	open(t) // skips all of it where there is no such database
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 11))
			w := open(t)
			m := randomModel(r)
			w.apply(m.sdl(), Options{})
			w.fill(r, m)
			w.forget()
			text := w.pull()
			before := w.dump()
			for _, sdl := range []string{text, m.sdl()} {
				for _, policy := range []Policy{Exact, Keep, Tidy} {
					if plan := w.plan(sdl, policy); !plan.Empty() || len(plan.Kept) > 0 {
						t.Errorf("serving would change it:\n%s\n%s", plan, sdl)
					}
				}
			}
			w.apply(text, Options{})
			w.equal("the database that was served", w.dump(), before)
			w.equal("what is pulled again", w.pull(), text)
			other := open(t)
			other.apply(text, Options{})
			other.equal("a new database", other.structure(), w.structure())
		})
	}
}

func (w world) forget() {
	w.Helper()
	w.exec("DROP TABLE " + w.quote(ledger))
}

func (w world) pull() string {
	w.Helper()
	text, err := Pull(w.Context(), w.db)
	if err != nil {
		w.Fatal(err)
	}
	return text
}

// structure is what there is, with no word of where.
func (w world) structure() string {
	w.Helper()
	text := w.ask(w.kind.structure)
	if w.db.SQL.Dialect() == "postgres" {
		text = strings.ReplaceAll(text, w.ask("SELECT current_schema()")+".", "")
	}
	return text
}

// A pulled table is not touched when it leaves the schema, whether it holds rows or not, and
// neither is what points from it.
func TestAPulledTableThatIsNoLongerServedStays(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.exec(
			"CREATE TABLE users (id varchar(20) NOT NULL PRIMARY KEY)",
			"CREATE TABLE posts (id varchar(20) NOT NULL PRIMARY KEY, user_id varchar(20) REFERENCES users (id), note TEXT DEFAULT 'x')",
			"INSERT INTO users VALUES ('u')", "INSERT INTO posts VALUES ('p', 'u', NULL)")
		w.apply(w.pull()+"\ntype Mine { id: ID! @primary }", Options{})
		before := w.dump()
		for _, o := range []Options{{Policy: Tidy}, {Policy: Keep}, {AllowDestroy: true}} {
			w.apply("type Mine { id: ID! @primary }", o)
		}
		w.equal("the database", w.dump(), before)
	})
}

// A column that is there becomes what the schema says of it, where the schema says something
// else; what it does not say stays.
func TestAPulledColumnChangesWhenTheSchemaSaysSo(t *testing.T) {
	w := newPostgres(t)
	w.exec("CREATE TABLE users (id text PRIMARY KEY, name text, at timestamptz DEFAULT now(), note varchar(20) DEFAULT 'x')", "INSERT INTO users VALUES ('u', 'Ann')")
	plan := w.apply(strings.NewReplacer("name: String", "name: String!", "max: 20", "max: 30").Replace(w.pull()), Options{})
	if len(plan.Steps) != 1 || len(plan.Steps[0].Changes) != 2 {
		t.Errorf("the plan is\n%s", plan)
	}
	w.equal("the default", w.ask("SELECT column_default FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'users' AND column_name = 'at'"), "now()")
}

func TestATableOfOthersIsNotMadeAnewInSQLite(t *testing.T) {
	w := newWorld(t)
	w.exec("CREATE TABLE users (id TEXT NOT NULL PRIMARY KEY, name TEXT COLLATE RTRIM, CHECK (length(name) < 9))")
	w.refuse(strings.Replace(w.pull(), "name: String", "name: String!", 1), Options{}, "SQLite would have to make the table users anew, which was not made here")
}

// A default that the database works out is made, is found again, and can be changed.
func TestDefaultsInSQL(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		const sdl = `type Post @auth(read: "true", create: "true") { id: ID! @primary  slug: String! @default(sql: "%s")  n: Int @default(sql: "1 + 1") }`
		w.apply(fmt.Sprintf(sdl, "lower('ABC')"), Options{})
		w.exec("INSERT INTO posts (id) VALUES ('a')")
		w.equal("posts", w.ask("SELECT * FROM posts"), "a,abc,2")
		w.apply(fmt.Sprintf(sdl, "upper('abc')"), Options{})
		w.exec("INSERT INTO posts (id) VALUES ('b')")
		w.equal("posts", w.ask("SELECT * FROM posts ORDER BY id"), "a,abc,2;b,ABC,2")
	})
}

func TestAnEmptyDatabaseIsNotPulled(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		if _, err := Pull(t.Context(), w.db); err == nil || !strings.Contains(err.Error(), "database main is empty") {
			t.Errorf("got %v", err)
		}
	})
}

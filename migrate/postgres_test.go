package migrate

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Whatever the stories of the generator say is made, and is found again as it was wanted.
func TestStoriesHaveNoSecondPlanOnPostgres(t *testing.T) {
	paths, err := filepath.Glob("../generator/testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == "schema.graphql" {
				t.Run(filepath.Base(path), func(t *testing.T) {
					newPostgres(t).apply(strings.ReplaceAll(string(f.Data), "NOCASE", "POSIX"), Options{})
				})
			}
		}
	}
}

func TestAPlanOfPostgresIsReadable(t *testing.T) {
	w := newPostgres(t)
	w.blog()
	plan := w.plan(strings.NewReplacer("price: Decimal", `price: String  state: State @default(value: OPEN)  editor: User @link`,
		"posts: [Post!]! @link", `posts: [Post!]! @link(to: "authorId")`).Replace(blog)+"enum State { OPEN }", Exact)
	w.equal("the plan", plan.String(), `main (PostgreSQL): 2 steps

1. posts
   add the values of posts.state to those of State
     checked: every row of posts meets it
   change column posts.price: from Decimal to String
   add column posts.state
   add column posts.editor_id
   add index on posts (editor_id)
   locks: posts, for everyone, until the migration ends; 2 rows are rewritten
`+statementsOf(Plan{Steps: plan.Steps[:1]})+`
2. posts
   add foreign key posts (editor_id) to users
     checked: every posts.editor_id is there in users
   locks: posts and the table it leads to, for writers, until the migration ends; 2 rows are checked
     ALTER TABLE "posts" ADD CONSTRAINT "posts_editor_id_fkey" FOREIGN KEY ("editor_id") REFERENCES "users" ("id") ON DELETE NO ACTION;
     way back: ALTER TABLE "posts" DROP CONSTRAINT "posts_editor_id_fkey";
`)
}

// What PostgreSQL spells in its own way is not taken for a change, and a change is seen.
func TestSpellingIsNoChangeOnPostgres(t *testing.T) {
	w := newPostgres(t)
	const sdl = `
enum Order { ASC DESC }
type Group @auth(read: "true") @index(fields: ["end"], where: "\"order\" = 'ASC' and  %s > 3", name: "partial") {
  id: ID! @primary  order: Order! @default(value: ASC)  user: [Order!]  end: Int! @default(value: %s)
  at: DateTime @default(value: "2026-01-31T12:00:00+02:00")  json: JSON @default(value: {a: 1})  tags: [String!] @default(value: ["a"])
  price: Decimal @default(value: "1.50")
}`
	w.apply(fmt.Sprintf(sdl, `\"end\"`, "1"), Options{})
	if again := w.plan(fmt.Sprintf(sdl, `( \"end\" )`, "1"), Exact); !again.Empty() {
		t.Errorf("there is a change:\n%s", again)
	}
	if again := w.plan(fmt.Sprintf(sdl, `2 * \"end\"`, "1"), Exact); again.Empty() {
		t.Error("another condition of an index is not seen")
	}
	if again := w.plan(fmt.Sprintf(sdl, `\"end\"`, "2"), Exact); again.Empty() {
		t.Error("another default is not seen")
	}
	w.apply(fmt.Sprintf(sdl, `2 * \"end\"`, "2"), Options{})
	w.exec("INSERT INTO groups (id) VALUES ('a')")
	w.refuse("enum Order { DESC }\ntype Group @auth(read: \"true\") { id: ID! @primary  order: Order! }", Options{AllowDestroy: true},
		"1 row of groups.order (with key a) holds a value that is not among them")
}

// Values of every kind become those of every other, or the plan says why not: what it allows
// never fails in the database.
func TestKindsOfPostgresConvertOrSaySo(t *testing.T) {
	samples := map[string][]string{
		"String":               {"''", "'12'", "'-0.5'", "'1e400'", "'true'", "'2026-02-31'", "'2026-01-31'", "'24:00:01'", "'2026-01-31T12:00:00Z'", "'{'", "'é'", "'99999999999999999999'"},
		"ID":                   {"'12'"},
		"Int":                  {"0", "1", "-2147483648"},
		"BigInt":               {"0", "9223372036854775807", "-9223372036854775808"},
		"Float":                {"0", "0.1", "1e300", "'NaN'", "'-Infinity'", "9.3e18"},
		"Decimal":              {"0", "1.5", "-9999999999999999999999999.999999999"},
		"Boolean":              {"true", "false"},
		"DateTime":             {"'2026-01-31T12:00:00Z'", "'0001-01-01T00:00:00Z'"},
		"Date":                 {"'2026-01-31'"},
		"Time":                 {"'13:37:00.5'"},
		"UUID":                 {"'0190a6b2-0000-7000-8000-000000000001'"},
		"JSON":                 {"'{}'", "'null'", "'3'"},
		"Bytes":                {`'\x00ff'`},
		"Color":                {"'RED'"},
		"Place":                {`'{"city": "x"}'`},
		"[String!]":            {"'{a,b}'"},
		"[Int!]":               {"'{1}'"},
		"[Place!]":             {`'[{"city": "x"}]'`},
		"String @size(max: 2)": {"'ab'"},
		"Decimal @decimal(precision: 4, scale: 1)": {"12.5"},
	}
	var kinds []string
	for k := range samples {
		kinds = append(kinds, k)
	}
	slices.Sort(kinds)
	sdl := func(from string, to func(int) string) string {
		var b strings.Builder
		b.WriteString("enum Color { RED }\ntype Place { city: String }\ntype Thing @auth(read: \"true\") {\n id: ID! @primary\n")
		for i := range kinds {
			fmt.Fprintf(&b, "  c%d: %s\n", i, to(i))
		}
		return b.String() + "}"
	}
	done := 0
	for _, from := range kinds {
		for _, value := range samples[from] {
			t.Run(from+" "+value, func(t *testing.T) {
				w := newPostgres(t)
				w.apply(sdl(from, func(int) string { return from }), Options{})
				w.exec("INSERT INTO things VALUES ('r'" + strings.Repeat(", "+value, len(kinds)) + ")")
				plan := w.plan(sdl(from, func(i int) string { return kinds[i] }), Exact)
				refused := map[string]bool{}
				for _, c := range plan.with(Impossible) {
					for word := range strings.FieldsSeq(c.Comment) {
						refused[strings.TrimRight(word, ":")] = true
					}
				}
				w.apply(sdl(from, func(i int) string {
					if refused[fmt.Sprintf("things.c%d", i)] {
						return from
					}
					done++
					return kinds[i]
				}), Options{AllowDestroy: true})
			})
		}
	}
	t.Logf("%d values were converted", done)
}

func TestSizesOfPostgresAreChecked(t *testing.T) {
	w := newPostgres(t)
	const sdl = `type Post @auth(read: "true") { id: ID! @primary  name: String%s  price: Decimal%s }`
	w.apply(fmt.Sprintf(sdl, "", ""), Options{})
	w.exec("INSERT INTO posts VALUES ('a', 'long', 12.55)")
	w.refuse(fmt.Sprintf(sdl, " @size(max: 3)", ""), Options{AllowDestroy: true}, "1 row of posts.name (with key a) is longer than 3 characters; shorten it first")
	w.refuse(fmt.Sprintf(sdl, "", " @decimal(precision: 3, scale: 2)"), Options{AllowDestroy: true}, "1 row of posts.price (with key a) is no numeric(3,2)")
	w.refuse(fmt.Sprintf(sdl, "", " @decimal(precision: 3, scale: 1)"), Options{}, "1 row of posts.price (with key a) would lose a part of its value")
	w.apply(fmt.Sprintf(sdl, " @size(max: 4)", " @decimal(precision: 3, scale: 1)"), Options{AllowDestroy: true})
	w.equal("posts", w.ask("SELECT * FROM posts"), "a,long,12.6")
}

// Keys change their type though others point to them, and tables that point to each other
// come and go.
func TestForeignKeysOfPostgresStandInNobodysWay(t *testing.T) {
	w := newPostgres(t)
	const names = `
type Ant @auth(read: "true") { id: %[1]s! @primary  bee: Bee @link(from: "beeId", to: "id")  beeId: %[1]s  next: Ant @link(from: "nextId", to: "id")  nextId: %[1]s }
type Bee @auth(read: "true") { id: %[1]s! @primary  ant: Ant @link(from: "antId", to: "id")  antId: %[1]s }
type Top @view(sql: "SELECT a.id FROM ants a JOIN bees b ON a.bee_id = b.id") @auth(read: "true") { id: %[1]s }`
	w.apply(fmt.Sprintf(names, "ID"), Options{})
	w.exec("INSERT INTO ants (id) VALUES ('1')", "INSERT INTO bees VALUES ('2', '1')", "UPDATE ants SET bee_id = '2', next_id = '1'")
	w.apply(fmt.Sprintf(names, "BigInt"), Options{})
	w.equal("the view", w.ask("SELECT id + 1 FROM tops"), "2")
	w.apply(`type Cow @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
	w.equal("tables", w.tables(), "cows")
}

func TestViewsOfPostgresReadEachOther(t *testing.T) {
	w := newPostgres(t)
	const sdl = `
type Lower @view(sql: "SELECT id, n FROM uppers") @auth(read: "true") { id: ID  n: Int }
type Upper @view(sql: "SELECT id, n %s AS n FROM posts") @auth(read: "true") { id: ID  n: Int }
type Post @auth(read: "true") { id: ID! @primary  n: %s  m: Int }`
	w.apply(fmt.Sprintf(sdl, "", "Int"), Options{})
	w.exec("INSERT INTO posts VALUES ('a', 1, 2)")
	w.apply(fmt.Sprintf(sdl, "+ 1", "Int"), Options{})
	w.equal("the view", w.ask("SELECT n FROM lowers"), "2")
	w.apply(fmt.Sprintf(sdl, "+ 2", "BigInt"), Options{})
	w.equal("the view", w.ask("SELECT n FROM lowers"), "3")
	w.apply(`type Post @auth(read: "true") { id: ID! @primary  n: BigInt }`, Options{AllowDestroy: true})
	w.equal("views", w.ask(w.kind.views), "0")
}

func TestWhatOthersMadeIsLeftAloneOnPostgres(t *testing.T) {
	w := newPostgres(t)
	w.blog()
	w.exec(
		"CREATE TABLE legacy (x int)",
		"ALTER TABLE posts ADD COLUMN theirs text, ADD CONSTRAINT their_check CHECK (views >= 0)",
		"CREATE INDEX theirs_idx ON posts (theirs)",
		"CREATE UNIQUE INDEX their_unique ON posts (lower(title))",
		"CREATE VIEW their_view AS SELECT title FROM posts",
		"CREATE MATERIALIZED VIEW their_copy AS SELECT body FROM posts",
		"CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO legacy VALUES (1); RETURN NEW; END $$",
		"CREATE TRIGGER their_trigger AFTER INSERT ON posts FOR EACH ROW EXECUTE FUNCTION theirs()",
		"UPDATE posts SET theirs = 'x'")
	plan := w.apply(w.edit("title: String!", "title: String! @default(value: \"untitled\")"), Options{AllowDestroy: true})
	w.equal("the foreign tables", fmt.Sprint(plan.Foreign), "[legacy]")
	w.exec("INSERT INTO posts (id, author_id) VALUES ('p9', 'u1')")
	w.equal("their trigger", w.ask("SELECT count(*) FROM legacy"), "1")
	w.equal("their view", w.ask("SELECT title FROM their_view WHERE title = 'untitled'"), "untitled")
	w.equal("their indexes", w.ask("SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'their%' ORDER BY 1"), "their_unique;theirs_idx")
	w.equal("their check", w.ask("SELECT count(*) FROM pg_constraint WHERE connamespace = "+here+" AND conname = 'their_check'"), "1")
	// What they read can neither go nor become another thing.
	w.refuse(w.edit("body: String ", ""), Options{AllowDestroy: true}, "drop column posts.body: view their_copy reads it and was not made here; drop it first, and make it again after")
	w.refuse(w.edit("title: String!", "title: JSON!"), Options{AllowDestroy: true}, "change column posts.title: ")
	w.exec("UPDATE posts SET title = substr(id, 2)")
	w.refuse(w.edit("title: String!", "title: Int!"), Options{AllowDestroy: true}, "view their_view reads it")
	w.refuse(`type User @auth(read: "true") { id: ID! @primary  name: String!  email: String @unique }`, Options{AllowDestroy: true}, "drop table posts: view their_copy, their_view read it")
	// A foreign key of theirs is seen only by the database, which says so.
	w.exec("DROP MATERIALIZED VIEW their_copy", "DROP VIEW their_view", "CREATE TABLE pointing (post text REFERENCES posts)")
	w.refuse(`type User @auth(read: "true") { id: ID! @primary  name: String!  email: String @unique }`, Options{AllowDestroy: true}, "constraint pointing_post_fkey on table pointing depends on table posts")
}

func TestATableOfOthersIsServedOnPostgres(t *testing.T) {
	w := newPostgres(t)
	w.exec(
		"CREATE TABLE users (id text PRIMARY KEY, email varchar(50) UNIQUE, age int CHECK (age > 0))",
		"CREATE TABLE posts (id text PRIMARY KEY, user_id text CONSTRAINT theirs REFERENCES users, other text REFERENCES users)")
	plan := w.plan(`
type User @auth(read: "true") { id: ID! @primary  email: String @size(max: 50) @unique  age: Int }
type Post @auth(read: "true") { id: ID! @primary  user: User @link  other: String }`, Exact)
	for _, s := range plan.Steps {
		for _, c := range s.Changes {
			if c.Comment != "add index on posts (user_id)" {
				t.Errorf("unexpected: %s", c.Comment)
			}
		}
	}
}

// Each step that has a way back leads back.
func TestTheWayBackLeadsBackOnPostgres(t *testing.T) {
	w := newPostgres(t)
	w.blog()
	before := w.dump()
	plan := w.apply(strings.NewReplacer("views: Int @default(value: 0)", `views: String @default(value: "none")`, "body: String ", "body: String @index  state: State! @default(value: OPEN)  on: Date @unique ", "name: String!", "name: String").Replace(blog)+
		"enum State { OPEN }\ntype Extra @auth(read: \"true\") { id: ID! @primary  post: Post @link }", Options{})
	for _, s := range slices.Backward(plan.Steps) {
		if len(s.Reverse) == 0 {
			t.Fatalf("%s has no way back:\n%s", s.Object, plan)
		}
		w.exec(s.Reverse...)
	}
	w.equal("the database", w.dump(), before)
}

package migrate

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Whatever the stories of the generator say is made, and is found again as it was wanted.
func TestStoriesHaveNoSecondPlanOnMySQL(t *testing.T) {
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
			if f.Name == "schema.graphql" && !strings.Contains(string(f.Data), "@search") {
				t.Run(filepath.Base(path), func(t *testing.T) {
					newMySQL(t).apply(strings.ReplaceAll(string(f.Data), "NOCASE", "utf8mb4_general_ci"), Options{})
				})
			}
		}
	}
}

// What MySQL spells in its own way is not taken for a change, and a change is seen.
func TestSpellingIsNoChangeOnMySQL(t *testing.T) {
	w := newMySQL(t)
	const sdl = `
enum Order { ASC DESC }
type Group @auth(read: "true") @index(fields: ["-end", "order"]) {
  id: ID! @primary  order: Order! @default(value: ASC)  user: [Order!]  end: Int! @default(value: %s)
  at: DateTime @default(value: "2026-01-31T12:00:00+02:00")  clock: Time @default(value: "13:37:00.5")  stamp: DateTime @column(type: "timestamp(3)") @default(value: "2026-01-31T12:00:00.120Z")
  json: JSON @default(value: {a: "it's \\ \"x\"\n"})  tags: [String!] @default(value: ["a"])  bytes: Bytes @default(value: "AP8n")
  price: Decimal @default(value: "1.50")  exact: Decimal @default(value: "-1234567890123456789012345.123456789")  on: Boolean @default(value: true)
  text: String @default(value: "it's\\ (so)\n\"")  short: String @size(max: 20) @default(value: "%s")  ratio: Float @default(value: 0.25)  native: String @column(type: "varchar(20) COLLATE latin1_bin") @default(value: "x")
}`
	w.apply(fmt.Sprintf(sdl, "1", "(a)"), Options{})
	if again := w.plan(fmt.Sprintf(sdl, "2", "(a)"), Exact); again.Empty() {
		t.Error("another default is not seen")
	}
	if again := w.plan(fmt.Sprintf(sdl, "1", "((a))"), Exact); again.Empty() {
		t.Error("another text is not seen")
	}
	if again := w.plan(strings.Replace(fmt.Sprintf(sdl, "1", "(a)"), "latin1_bin", "latin1_swedish_ci", 1), Exact); again.Empty() {
		t.Error("another collation is not seen")
	}
	w.apply(strings.Replace(fmt.Sprintf(sdl, "1", "(a)"), "latin1_bin", "latin1_swedish_ci", 1), Options{})
	w.apply(strings.Replace(fmt.Sprintf(sdl, "1", "(a)"), `"-end"`, `"end"`, 1), Options{})
}

func TestAPlanOfMySQLIsReadable(t *testing.T) {
	w := newMySQL(t)
	w.blog()
	plan := w.plan(strings.NewReplacer("price: Decimal", `price: String  state: State @default(value: OPEN)  editor: User @link`,
		"posts: [Post!]! @link", `posts: [Post!]! @link(to: "authorId")`).Replace(blog)+"enum State { OPEN }", Exact)
	w.equal("the plan", plan.String(), `main (MariaDB): 2 steps

1. posts
   add the values of posts.state to those of State
     checked: every row of posts meets it
   change column posts.price: from Decimal to String
   add column posts.state
   add column posts.editor_id
   add index on posts (editor_id)
   locks: posts, for writers, while 2 rows are copied
`+statementsOf(Plan{Steps: plan.Steps[:1]})+`
2. posts
   add foreign key posts (editor_id) to users
     checked: every posts.editor_id is there in users
   locks: posts and the table it leads to, for writers, while 2 rows are copied and checked
     ALTER TABLE `+"`posts` ADD CONSTRAINT `posts_editor_id_fkey` FOREIGN KEY (`editor_id`) REFERENCES `users` (`id`) ON DELETE NO ACTION"+`;
     way back: ALTER TABLE `+"`posts` DROP FOREIGN KEY `posts_editor_id_fkey`"+`;
`)
}

// Values of every kind become those of every other, or the plan says why not: what it allows
// never fails in the database, and no value is another one afterwards.
func TestKindsOfMySQLConvertOrSaySo(t *testing.T) {
	samples := map[string][]string{
		"String":               {"''", "'12'", `'12\n'`, "'-0.5'", "'1e400'", "'true'", "'2026-02-31'", "'2026-01-31'", "'24:00:01'", "'13:37:00'", "'2026-01-31T12:00:00Z'", "'2026-01-31T12:61:00Z'", "'{'", "'é'", "'99999999999999999999'", "'9223372036854775808'"},
		"ID":                   {"'12'"},
		"Int":                  {"0", "1", "-2147483648"},
		"BigInt":               {"0", "9223372036854775807", "-9223372036854775808", "9007199254740993"},
		"Float":                {"0", "0.1", "1e300", "9.3e18", "-1.5"},
		"Decimal":              {"0", "1.5", "100", "-9999999999999999999999999.999999999"},
		"Boolean":              {"true", "false"},
		"DateTime":             {"'2026-01-31 12:00:00'", "'1000-01-01 00:00:00'"},
		"Date":                 {"'2026-01-31'"},
		"Time":                 {"'13:37:00.5'"},
		"UUID":                 {"'0190a6b2-0000-7000-8000-000000000001'"},
		"JSON":                 {"'{}'", "'null'", "'3'"},
		"Bytes":                {`x'00ff'`},
		"Color":                {"'RED'"},
		"Place":                {`'{"city": "x"}'`},
		"[String!]":            {`'["a", "b"]'`},
		"[Int!]":               {"'[1]'"},
		"[Decimal!]":           {"'[\"1.5\"]'"},
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
				w := newMySQL(t)
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

// What values become is what they would be if they had been written so.
func TestWhatValuesOfMySQLBecome(t *testing.T) {
	for _, c := range []struct{ from, value, to, want string }{
		{"String", "'2026-01-31T12:00:00.5Z'", "DateTime", "2026-01-31 12:00:00.500000"},
		{"DateTime", "'2026-01-31 12:00:00.5'", "String", "2026-01-31T12:00:00.500000Z"},
		{"DateTime", "'2026-01-31 00:00:00'", "Date", "2026-01-31"},
		{"Decimal", "'1.50'", "String", "1.5"},
		{"Decimal", "'100'", "String", "100"},
		{"Decimal @decimal(precision: 5, scale: 0)", "'100'", "String", "100"},
		{"Decimal", "'-7'", "Int", "-7"},
		{"Float", "9007199254740993", "BigInt", "9007199254740992"},
		{"BigInt", "9007199254740993", "String", "9007199254740993"},
		{"BigInt", "9007199254740993", "[BigInt!]", `["9007199254740993"]`},
		{"Boolean", "true", "JSON", "true"},
		{"Boolean", "true", "String", "true"},
		{"String", "'true'", "Boolean", "1"},
		{"String", "'a\"b'", "[String!]", `["a\"b"]`},
		{"DateTime", "'2026-01-31 12:00:00.5'", "[DateTime!]", `["2026-01-31T12:00:00.500000Z"]`},
		{"Decimal", "'1.50'", "[Decimal!]", `["1.5"]`},
		{"Place", `'{"city": "x"}'`, "[Place!]", `[{"city": "x"}]`},
		{"Bytes", "x'00ff'", "[Bytes!]", `["AP8="]`},
	} {
		t.Run(c.from+" to "+c.to, func(t *testing.T) {
			w := newMySQL(t)
			const sdl = `type Place { city: String }
type Thing @auth(read: "true") @index(fields: ["n", "id"]) { id: ID! @primary  n: Int @unique  value: %s  last: Int }`
			w.apply(fmt.Sprintf(sdl, c.from), Options{})
			w.exec("INSERT INTO things (id, value) VALUES ('a', " + c.value + "), ('b', NULL)")
			w.apply(fmt.Sprintf(sdl, c.to), Options{})
			w.equal("the value", w.ask("SELECT value FROM things ORDER BY id"), c.want+";<nil>")
			w.equal("the columns", w.ask("SELECT group_concat(column_name ORDER BY ordinal_position) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'things'"), "id,n,value,last")
		})
	}
}

// A column that another takes the place of keeps its keys.
func TestKeysStayOnMySQL(t *testing.T) {
	w := newMySQL(t)
	const sdl = `type Thing @auth(read: "true") @index(fields: ["at", "n"]) @unique(fields: ["n", "at"]) { id: ID! @primary  n: Int  at: %s! @primary  other: Int @index }`
	w.apply(fmt.Sprintf(sdl, "DateTime"), Options{})
	w.exec("INSERT INTO things (id, at) VALUES ('a', '2026-01-31 12:00:00')", "CREATE INDEX theirs ON things (at, other)")
	const keys = "SELECT index_name, group_concat(column_name ORDER BY seq_in_index) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'things' GROUP BY 1 ORDER BY 1"
	before := w.ask(keys)
	w.apply(strings.Replace(fmt.Sprintf(sdl, "String"), "String!", "String! @size(max: 30)", 1), Options{})
	w.equal("the keys", w.ask(keys), before)
	w.equal("the row", w.ask("SELECT at FROM things"), "2026-01-31T12:00:00.000000Z")
}

func TestSizesOfMySQLAreChecked(t *testing.T) {
	w := newMySQL(t)
	const sdl = `type Post @auth(read: "true") { id: ID! @primary  name: String%s  price: Decimal%s }`
	w.apply(fmt.Sprintf(sdl, "", ""), Options{})
	w.exec("INSERT INTO posts VALUES ('a', 'éé', '12.5')", "INSERT INTO posts VALUES ('b', 'ééé', '123.25')")
	w.refuse(fmt.Sprintf(sdl, " @size(max: 2)", ""), Options{}, "1 row of posts.name (with key b) is longer than 2 characters; shorten it first")
	w.refuse(fmt.Sprintf(sdl, "", " @decimal(precision: 4, scale: 2)"), Options{}, "1 row of posts.price (with key b) is no decimal(4,2)")
	w.refuse(fmt.Sprintf(sdl, "", " @decimal(precision: 4, scale: 1)"), Options{}, "1 row of posts.price (with key b) would lose a part of its value")
	w.apply(fmt.Sprintf(sdl, " @size(max: 3)", " @decimal(precision: 5, scale: 2)"), Options{})
	w.apply(fmt.Sprintf(sdl, "", ""), Options{})
	w.equal("posts", w.ask("SELECT * FROM posts ORDER BY id"), "a,éé,12.500000000;b,ééé,123.250000000")
}

// Foreign keys are set aside while the columns on both of their sides change.
func TestKeysThatPointInCirclesChangeOnMySQL(t *testing.T) {
	w := newMySQL(t)
	const names = `
type Ant @auth(read: "true") { id: %[1]s! @primary  bee: Bee @link(from: "beeId", to: "id")  beeId: %[1]s  next: Ant @link(from: "nextId", to: "id")  nextId: %[1]s }
type Bee @auth(read: "true") { id: %[1]s! @primary  ant: Ant @link(from: "antId", to: "id")  antId: %[1]s }
type Top @view(sql: "SELECT a.id FROM ants a JOIN bees b ON a.bee_id = b.id") @auth(read: "true") { id: %[1]s }`
	w.apply(fmt.Sprintf(names, "ID"), Options{})
	w.exec("INSERT INTO ants (id) VALUES ('1')", "INSERT INTO bees VALUES ('2', '1')", "UPDATE ants SET bee_id = '2', next_id = '1'")
	w.apply(fmt.Sprintf(names, "BigInt"), Options{})
	w.equal("the view", w.ask("SELECT id + 1 FROM tops"), "2")
	w.apply(fmt.Sprintf(names, "ID"), Options{})
	w.apply(`type Cow @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
	w.equal("tables", w.tables(), "cows")
}

func TestNumbersBeginAndEndOnMySQL(t *testing.T) {
	w := newMySQL(t)
	const sdl = `type Post @auth(read: "true") { id: %s @primary%s  comments: [Comment!]! @link }
type Comment @auth(read: "true") { id: ID! @primary  post: Post @link }`
	w.apply(fmt.Sprintf(sdl, "ID!", ""), Options{})
	w.exec("INSERT INTO posts VALUES ('7'), ('8')", "INSERT INTO comments VALUES ('c', '7')")
	w.apply(fmt.Sprintf(sdl, "ID!", " @autoIncrement"), Options{})
	w.exec("INSERT INTO posts VALUES ()")
	w.equal("posts", w.ask("SELECT id FROM posts ORDER BY id"), "7;8;9")
	w.equal("comments", w.ask("SELECT post_id + 1 FROM comments"), "8")
	w.apply(fmt.Sprintf(sdl, "ID!", ""), Options{})
	w.equal("posts", w.ask("SELECT id FROM posts ORDER BY id"), "7;8;9")
}

func TestViewsOfMySQLReadEachOther(t *testing.T) {
	w := newMySQL(t)
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

func TestWhatOthersMadeIsLeftAloneOnMySQL(t *testing.T) {
	w := newMySQL(t)
	w.blog()
	w.exec(
		"CREATE TABLE legacy (x int)",
		"ALTER TABLE posts ADD COLUMN theirs varchar(20) COLLATE utf8mb4_general_ci, ADD CONSTRAINT their_check CHECK (views >= 0)",
		"CREATE INDEX theirs_idx ON posts (theirs)",
		"CREATE VIEW their_view AS SELECT title FROM posts",
		"CREATE TRIGGER their_trigger AFTER INSERT ON posts FOR EACH ROW INSERT INTO legacy VALUES (1)",
		"UPDATE posts SET theirs = 'x'")
	plan := w.apply(w.edit("title: String!", "title: String! @default(value: \"untitled\")"), Options{AllowDestroy: true})
	w.equal("the foreign tables", fmt.Sprint(plan.Foreign), "[legacy]")
	w.exec("INSERT INTO posts (id, author_id) VALUES ('p9', 'u1')")
	w.equal("their trigger", w.ask("SELECT count(*) FROM legacy"), "1")
	w.equal("their view", w.ask("SELECT title FROM their_view WHERE title = 'untitled'"), "untitled")
	w.equal("their column", w.ask("SELECT count(*) FROM posts WHERE theirs = 'X'"), "2")
	w.equal("their index", w.ask("SELECT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND index_name LIKE 'their%'"), "theirs_idx")
	w.equal("their check", w.ask("SELECT count(*) FROM information_schema.check_constraints WHERE constraint_schema = DATABASE() AND constraint_name = 'their_check'"), "1")
	w.exec("CREATE TABLE pointing (post varchar(64) COLLATE utf8mb4_nopad_bin, CONSTRAINT theirs FOREIGN KEY (post) REFERENCES posts (id))")
	_, err := Apply(t.Context(), w.db, w.schema(`type User @auth(read: "true") { id: ID! @primary  name: String!  email: String @unique }`), Options{AllowDestroy: true})
	if err == nil || !strings.Contains(err.Error(), "a foreign key constraint fails") || !strings.Contains(err.Error(), "MySQL cannot take back") {
		t.Errorf("a table that others point to was dropped: %v", err)
	}
	w.exec("DROP TABLE pointing")
	w.apply(`type User @auth(read: "true") { id: ID! @primary  name: String!  email: String @unique }`, Options{AllowDestroy: true})
	w.equal("tables", w.tables(), "legacy;users")
}

// A column of a table that somebody else made keeps its collation.
func TestCollationsOfOthersStayOnMySQL(t *testing.T) {
	w := newMySQL(t)
	w.exec("CREATE TABLE users (id varchar(200) PRIMARY KEY, name varchar(20) COLLATE utf8mb4_unicode_ci, mail text) CHARSET utf8mb4 COLLATE utf8mb4_general_ci", "INSERT INTO users VALUES ('a', 'Ann', 'x')")
	w.apply(`type User @auth(read: "true") { id: ID! @primary  name: String! @size(max: 50)  mail: String  more: String }`, Options{})
	w.equal("users", w.ask("SELECT column_name, column_type, collation_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'users' ORDER BY 1"),
		"id,varchar(200),utf8mb4_general_ci;mail,longtext,utf8mb4_general_ci;more,longtext,utf8mb4_general_ci;name,varchar(50),utf8mb4_unicode_ci")
}

// Each step that has a way back leads back.
func TestTheWayBackLeadsBackOnMySQL(t *testing.T) {
	w := newMySQL(t)
	w.blog()
	before := w.dump()
	plan := w.apply(strings.NewReplacer("views: Int @default(value: 0)", `views: String @default(value: "none")`, "price: Decimal", "price: String", "body: String ", "body: String @index  state: State! @default(value: OPEN)  on: Date @unique ", "name: String!", "name: String").Replace(blog)+
		"enum State { OPEN }\ntype Extra @auth(read: \"true\") { id: ID! @primary  post: Post @link }", Options{})
	for _, s := range slices.Backward(plan.Steps) {
		if len(s.Reverse) == 0 {
			t.Fatalf("%s has no way back:\n%s", s.Object, plan)
		}
		w.exec(s.Reverse...)
	}
	w.equal("the database", w.dump(), before)
}

// A key of an enum is checked by the key that it leads to where MySQL takes no check.
func TestKeysOfEnumsCanBeSetToNull(t *testing.T) {
	w := newMySQL(t)
	const sdl = `
enum Kind { ONE TWO }
type Sort @auth(read: "true") { kind: Kind! @primary }
type Thing @auth(read: "true") { id: ID! @primary  sort: Sort @link(onDelete: %s) }`
	for _, onDelete := range []string{"RESTRICT", "SET_NULL", "CASCADE", "SET_NULL", "RESTRICT"} {
		w.apply(fmt.Sprintf(sdl, onDelete), Options{})
	}
	w.apply(fmt.Sprintf(sdl, "SET_NULL"), Options{})
	w.exec("INSERT INTO sorts VALUES ('ONE'), ('TWO')", "INSERT INTO things VALUES ('a', 'ONE')", "DELETE FROM sorts WHERE kind = 'ONE'")
	w.equal("the key", w.ask("SELECT ifnull(sort_kind, 'null') FROM things"), "null")
	w.conn(func(c *sql.Conn) {
		if _, err := c.ExecContext(t.Context(), "INSERT INTO things VALUES ('b', 'THREE')"); err == nil {
			t.Error("a key that is no value of the enum was taken")
		}
	})
}

// Wherever a migration fails, or the program ends, the next one goes on from there and leads
// to what one that did not fail leads to.
func TestAMigrationGoesOnFromWhereItFailedOnMySQL(t *testing.T) {
	pairs := 12
	if testing.Short() {
		pairs = 6
	}
	failures, done := 0, 0
	for seed := range uint64(pairs) {
		r := rand.New(rand.NewPCG(seed, 11))
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			from := randomModel(r)
			to := from.edited(r)
			fill := rand.New(rand.NewPCG(seed, 12))
			straight, broken := newMySQL(t), newMySQL(t)
			for _, w := range []world{straight, broken} {
				w.apply(from.sdl(), Options{})
				w.fill(rand.New(rand.NewPCG(fill.Uint64(), 0)), from)
				fill = rand.New(rand.NewPCG(seed, 12))
			}
			n := broken.failEverywhere(r, to.sdl())
			_, err := Apply(t.Context(), straight.db, straight.schema(to.sdl()), Options{AllowDestroy: true})
			if err != nil {
				return
			}
			failures, done = failures+n, done+1
			broken.apply(to.sdl(), Options{AllowDestroy: true})
			broken.equal("the structure", broken.ask(broken.kind.structure), straight.ask(straight.kind.structure))
			got, want := broken.values(to), straight.values(to)
			for cell, value := range want {
				if got[cell] != value && !strings.Contains(cell, ".r/") { // when a row was made
					t.Errorf("%s is %s, want %s", cell, got[cell], value)
				}
			}
			// What is ours is known: all of it can be dropped.
			broken.apply(`type Last @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
			broken.equal("the tables", broken.tables(), "lasts")
		})
	}
	t.Logf("%d migrations failed %d times", done, failures)
	if !t.Failed() && failures < pairs/2 {
		t.Error("too few failures to show anything")
	}
}

// failEverywhere begins the migration again and again and ends it at some statement each time.
func (w world) failEverywhere(r *rand.Rand, sdl string) (failures int) {
	w.Helper()
	for range 12 {
		plan := w.plan(sdl, Exact)
		if plan.Statements() == 0 || len(plan.with(Impossible)) > 0 {
			return failures
		}
		w.run(plan.failing(r.IntN(min(plan.Statements(), 4)), ending(r.IntN(3))), sdl)
		failures++
	}
	return failures
}

// ending is how a migration fails at a statement.
type ending int

const (
	refused  ending = iota // by the database
	killed                 // with the program, before the statement
	unheard                // with the program, after the statement and before anything else
	allWrong               // how many there are
)

// failing is the plan with something at its statement of that number that fails.
func (p Plan) failing(at int, how ending) Plan {
	p.Steps = slices.Clone(p.Steps)
	for i, s := range p.Steps {
		if at >= len(s.Statements) {
			at -= len(s.Statements)
			continue
		}
		s.Statements = slices.Clone(s.Statements)
		switch how {
		case refused:
			s.Statements[at] = "no SQL"
		case killed:
			s.Statements[at], s.undo = "no SQL", nil
		case unheard:
			s.Statements, s.undo = slices.Insert(s.Statements, at+1, "no SQL"), nil
		}
		p.Steps[i] = s
		break
	}
	return p
}

// Names that change and values that become others of the same type are where a plan that
// was made again could do a thing twice.
func TestNothingIsDoneTwiceOnMySQL(t *testing.T) {
	const from = `
type Place { city: String }
type User @auth(read: "true") { id: ID! @primary  name: String!  home: Place  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  home: Place  at: DateTime @index  old: Int  author: User! @link }
type Gone @auth(read: "true") { id: ID! @primary }
type Top @view(sql: "SELECT id, old AS n FROM posts") @auth(read: "true") { id: ID  n: Int }`
	const to = `
type Place { city: String }
type Person @auth(read: "true") @renamed(from: "User") { id: ID! @primary  fullName: String! @renamed(from: "name")  home: [Place!]  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  home: [Place!]  at: String @index  fresh: Int! @version  createdAt: DateTime! @createdAt  writer: Person! @link @renamed(from: "author") }
type Extra @auth(read: "true") { id: ID! @primary  post: Post @link }
type Top @view(sql: "SELECT id, fresh AS n FROM posts") @auth(read: "true") { id: ID  n: Int }`
	begin := func(t *testing.T) world {
		w := newMySQL(t)
		w.apply(from, Options{})
		w.exec(`INSERT INTO users VALUES ('u', 'Ann', '{"city": "x"}')`, `INSERT INTO posts VALUES ('p', '{"city": "y"}', '2026-01-31 12:00:00', 1, 'u')`)
		return w
	}
	const rows = "SELECT p.id, p.home, p.at, p.fresh, p.writer_id, u.full_name, u.home, t.n FROM posts p JOIN people u ON u.id = p.writer_id JOIN tops t ON t.id = p.id"
	straight := begin(t)
	plan := straight.plan(to, Exact)
	straight.apply(to, Options{AllowDestroy: true})
	want := straight.ask(rows)
	straight.equal("the rows", want, `p,[{"city": "y"}],2026-01-31T12:00:00.000000Z,1,u,Ann,[{"city": "x"}],1`)
	for at := range plan.Statements() {
		for how := range allWrong {
			t.Run(fmt.Sprintf("%d %d", at, how), func(t *testing.T) {
				w := begin(t)
				w.run(w.plan(to, Exact).failing(at, how), to)
				w.apply(to, Options{AllowDestroy: true})
				w.equal("the rows", w.ask(rows), want)
				w.equal("the structure", w.ask(w.kind.structure), straight.ask(straight.kind.structure))
				entries, err := Status(t.Context(), w.db)
				if err != nil || slices.ContainsFunc(entries, func(e Entry) bool { return e.Kind == unfinished }) {
					t.Errorf("the ledger is %v, %v", entries, err)
				}
				w.apply(`type Last @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
				w.equal("the tables", w.tables(), "lasts")
			})
		}
	}
	t.Logf("%d statements failed in %d ways", plan.Statements(), allWrong)
}

func (w world) run(plan Plan, sdl string) {
	w.Helper()
	w.conn(func(c *sql.Conn) {
		g, err := newGoal(w.schema(sdl), w.db)
		if err != nil {
			w.Fatal(err)
		}
		err = g.locked(context.Background(), w.db, c, func() error { return plan.run(context.Background(), c, g, "") })
		if err == nil || !strings.Contains(err.Error(), "no SQL") {
			w.Fatalf("did not fail at the statement that is none: %v", err)
		}
	})
}

// A migration that failed and was finished by another is undone as one.
func TestAMigrationThatGoesOnIsUndoneOnMySQL(t *testing.T) {
	const next = `
type Person @auth(read: "true") @renamed(from: "User") { id: ID! @primary  fullName: String! @renamed(from: "name")  email: String @unique  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  title: String!  views: Int @default(value: 0)  price: Decimal  author: Person! @link(onDelete: CASCADE) }
type Tag @auth(read: "true") { id: ID! @primary }`
	count := func() int { w := newMySQL(t); w.blog(); return w.plan(next, Exact).Statements() }()
	for at := range count {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			w := newMySQL(t)
			w.blog()
			w.run(w.plan(next, Exact).failing(at, unheard), next)
			if plan := w.plan(next, Exact); !plan.Unfinished || len(plan.Drift) > 0 {
				t.Errorf("the plan does not say that the last one did not end:\n%s", plan)
			}
			if _, err := ApplyDown(t.Context(), w.db, Options{AllowDestroy: true}); err == nil || !strings.Contains(err.Error(), "the last migration did not end") {
				t.Errorf("another migration was undone: %v", err)
			}
			w.apply(next, Options{AllowDestroy: true})
			_, err := ApplyDown(t.Context(), w.db, Options{AllowDestroy: true})
			if err == nil || !strings.Contains(err.Error(), "does not come back: what 1 row of posts held in body") {
				t.Errorf("what was lost is not said: %v", err)
			}
			if _, err := ApplyDown(t.Context(), w.db, Options{AllowDestroy: true, StructureOnly: true}); err != nil {
				t.Fatal(err)
			}
			if left := w.plan(blog, Exact); !left.Empty() || len(left.Drift) > 0 {
				t.Errorf("undone, there is still\n%s", left)
			}
			w.equal("users", w.ask("SELECT id, name FROM users ORDER BY id"), "u1,Ann;u2,Bob")
		})
	}
}

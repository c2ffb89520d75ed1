package migrate

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"spacecloud/database/sqlite"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
	double "spacecloud/tests/mongo"
	private "spacecloud/tests/postgres"
)

// world is a database, and what the tests do to it.
type world struct {
	*testing.T
	db   Database
	kind kind
}

// kind is how a test asks one kind of databases.
type kind struct {
	open func(*testing.T) Database
	// what there is, without the ledger
	structure string
	tables    string
	views     string // how many
	hasColumn string // %s table, column
	cell      string // key and value of %s column, table
	yes, no   string // as a value, and as a literal
	noKeys    string // a statement that lets rows point to such as come later
	keys      string // and one that does not
	key       string // the type of a text that can be a key
	list      func(values ...string) string
	moment    func(string) string // as a literal
	// partly is whether a migration that fails in the middle leaves what it did before.
	partly bool
}

var kinds = map[string]kind{
	"SQLite": {
		open:      openSQLite,
		structure: "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_spacecloud%' ESCAPE '\\' ORDER BY name",
		tables:    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_spacecloud%' ESCAPE '\\' ORDER BY name",
		views:     "SELECT count(*) FROM sqlite_master WHERE type = 'view'",
		hasColumn: "SELECT count(*) FROM pragma_table_info('%s') WHERE name = '%s'",
		cell:      "SELECT hex(id), quote(%s) FROM %s",
		yes:       "1", no: "0",
		noKeys: "PRAGMA foreign_keys = OFF", keys: "PRAGMA foreign_keys = ON", key: "TEXT",
		list: jsonList,
	},
	"PostgreSQL": {
		open: openPostgres,
		structure: `SELECT 'column ' || c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
			FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
			WHERE c.relnamespace = ` + here + ` AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, convalidated, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = ` + here + `
			AND conrelid::regclass::text NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'index', tablename, indexname, true, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'view', viewname, '', true, definition FROM pg_views WHERE schemaname = current_schema() ORDER BY 1, 2, 3`,
		tables:    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT LIKE '\\_spacecloud%' ORDER BY tablename",
		views:     "SELECT count(*) FROM pg_views WHERE schemaname = current_schema()",
		hasColumn: "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('%s') AND attname = '%s' AND NOT attisdropped",
		cell:      "SELECT encode(convert_to(id, 'UTF8'), 'hex'), quote_nullable(%s) FROM %s",
		yes:       "true", no: "false",
		noKeys: "SELECT 1", keys: "SELECT 1", key: "TEXT",
		list: func(values ...string) string { return "{" + strings.Join(values, ",") + "}" },
	},
	"MySQL": {
		open: openMySQL,
		structure: `SELECT 'column', table_name, column_name, column_type, is_nullable, column_default, extra, collation_name FROM information_schema.columns
			WHERE table_schema = DATABASE() AND table_name NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'constraint', table_name, constraint_name, constraint_type, '', '', '', '' FROM information_schema.table_constraints
			WHERE table_schema = DATABASE() AND table_name NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'check', table_name, constraint_name, check_clause, '', '', '', '' FROM information_schema.check_constraints
			WHERE constraint_schema = DATABASE()
			UNION ALL SELECT 'foreign', table_name, constraint_name, delete_rule, referenced_table_name, '', '', '' FROM information_schema.referential_constraints
			WHERE constraint_schema = DATABASE()
			UNION ALL SELECT 'index', table_name, index_name, column_name, non_unique, seq_in_index, collation, sub_part FROM information_schema.statistics
			WHERE table_schema = DATABASE() AND table_name NOT LIKE '\_spacecloud%'
			UNION ALL SELECT 'view', table_name, REPLACE(view_definition, DATABASE(), 'here'), '', '', '', '', '' FROM information_schema.views WHERE table_schema = DATABASE() ORDER BY 1, 2, 3, 6`,
		tables:    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' AND table_name NOT LIKE '\\_spacecloud%' ORDER BY 1",
		views:     "SELECT count(*) FROM information_schema.views WHERE table_schema = DATABASE()",
		hasColumn: "SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '%s' AND column_name = '%s'",
		cell:      "SELECT hex(id), quote(%s) FROM %s",
		yes:       "1", no: "0",
		noKeys: "SET foreign_key_checks = 0", keys: "SET foreign_key_checks = 1", key: "varchar(255) COLLATE utf8mb4_nopad_bin",
		list: jsonList, partly: true,
		moment: func(s string) string { return strings.NewReplacer("T", " ", "Z", "").Replace(s) },
	},
}

func jsonList(values ...string) string {
	quoted, _ := json.Marshal(append([]string{}, values...))
	return string(quoted)
}

func TestMain(m *testing.M) { os.Exit(double.Run(with{with{m, private.Run}, mariadb.Run})) }

// with are tests that borrow another server.
type with struct {
	tests interface{ Run() int }
	lend  func(interface{ Run() int }) int
}

func (w with) Run() int { return w.lend(w.tests) }

// newWorld is one in SQLite.
func newWorld(t *testing.T) world {
	t.Helper()
	return world{t, openSQLite(t), kinds["SQLite"]}
}

// newPostgres is one in PostgreSQL.
func newPostgres(t *testing.T) world {
	t.Helper()
	return world{t, openPostgres(t), kinds["PostgreSQL"]}
}

// newMySQL is one in MariaDB.
func newMySQL(t *testing.T) world {
	t.Helper()
	return world{t, openMySQL(t), kinds["MySQL"]}
}

// onAll tests what holds in each kind of database.
func onAll(t *testing.T, do func(*testing.T, world)) {
	t.Helper()
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) { do(t, world{t, kind.open(t), kind}) })
	}
}

func openSQLite(t *testing.T) Database {
	t.Helper()
	d, err := sqlite.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "main.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return Database{Name: "main", Product: "SQLite", SQL: d}
}

func openPostgres(t *testing.T) Database {
	t.Helper()
	return Database{Name: "main", Product: "PostgreSQL", SQL: opened{private.Open(t), "postgres", ""}}
}

// openMySQL has connections on which || joins texts, as on those of other databases.
func openMySQL(t *testing.T) Database {
	t.Helper()
	return Database{Name: "main", Product: "MariaDB", SQL: opened{mariadb.Open(t), "mysql", "SET SESSION sql_mode = 'PIPES_AS_CONCAT,STRICT_ALL_TABLES'"}}
}

// opened is a driver, as far as a migration knows it.
type opened struct {
	*sql.DB
	dialect string
	first   string // is said on each connection, unless empty
}

func (o opened) Dialect() string { return o.dialect }

func (o opened) Conn(ctx context.Context) (*sql.Conn, error) {
	conn, err := o.DB.Conn(ctx)
	if err == nil && o.first != "" {
		_, err = conn.ExecContext(ctx, o.first)
	}
	return conn, err
}

func (w world) tables() string { return w.ask(w.kind.tables) }

func (w world) schema(sdl string) *schema.Schema {
	w.Helper()
	s, err := schema.Parse(schema.Source{Name: "a.graphql", Text: sdl})
	if err != nil {
		w.Fatalf("%v\n%s", err, sdl)
	}
	return s
}

func (w world) plan(sdl string, p Policy) Plan {
	w.Helper()
	plan, err := Make(w.Context(), w.db, w.schema(sdl), Options{Policy: p})
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

// apply applies, and looks that nothing is left to do.
func (w world) apply(sdl string, o Options) Plan {
	w.Helper()
	plan, err := Apply(w.Context(), w.db, w.schema(sdl), o)
	if err != nil {
		w.Fatalf("%v\n%s", err, plan)
	}
	if again := w.plan(sdl, o.Policy); !again.Empty() {
		w.Fatalf("after\n%s\nthere is still\n%s", plan, again)
	}
	return plan
}

func (w world) refuse(sdl string, o Options, want ...string) {
	w.Helper()
	before := w.dump()
	_, err := Apply(w.Context(), w.db, w.schema(sdl), o)
	if err == nil {
		w.Fatalf("was applied; want it refused for %q", want)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			w.Errorf("refused with\n%v\nwhich does not say\n%s", err, part)
		}
	}
	if w.kind.partly && strings.Contains(err.Error(), "cannot be read") {
		return // which is seen when it is there
	}
	if after := w.dump(); after != before {
		w.Errorf("a refused migration changed the database from\n%s\nto\n%s", before, after)
	}
}

func (w world) exec(statements ...string) {
	w.Helper()
	w.conn(func(c *sql.Conn) {
		for _, s := range statements {
			if _, err := c.ExecContext(w.Context(), s); err != nil {
				w.Fatalf("%v: %s", err, s)
			}
		}
	})
}

// ask is an answer as one line: values by comma, rows by semicolon.
func (w world) ask(query string) string {
	w.Helper()
	var lines []string
	w.conn(func(c *sql.Conn) {
		// A text of its own each time: a prepared one does not survive a change of its table.
		rows, err := c.QueryContext(w.Context(), fmt.Sprintf("%s -- %d", query, asked.Add(1)))
		if err != nil {
			w.Fatalf("%v: %s", err, query)
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			w.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				w.Fatal(err)
			}
			words := make([]string, len(values))
			for i, v := range values {
				words[i] = fmt.Sprint(v)
				if b, ok := v.([]byte); ok {
					words[i] = string(b)
				}
			}
			lines = append(lines, strings.Join(words, ","))
		}
		if err := rows.Err(); err != nil {
			w.Fatal(err)
		}
	})
	return strings.Join(lines, ";")
}

var asked atomic.Int64

func (w world) conn(do func(*sql.Conn)) {
	w.Helper()
	if err := borrow(context.Background(), w.db, func(c *sql.Conn) error { do(c); return nil }); err != nil {
		w.Fatal(err)
	}
}

// dump is everything in the database but the ledger.
func (w world) dump() string {
	out := w.ask(w.kind.structure)
	for t := range strings.SplitSeq(w.tables(), ";") {
		if t != "" {
			out += "\n" + t + ": " + w.ask("SELECT * FROM "+w.quote(t)+" ORDER BY 1")
		}
	}
	return out
}

func (w world) equal(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s is\n%s\nwant\n%s", what, got, want)
	}
}

const blog = `
type User @auth(read: "true", create: "true") { id: ID! @primary  name: String!  email: String @unique  posts: [Post!]! @link }
type Post @auth(read: "true", create: "true") { id: ID! @primary  title: String!  body: String  views: Int @default(value: 0)  price: Decimal  author: User! @link(onDelete: CASCADE) }
`

func (w world) blog() {
	w.Helper()
	w.apply(blog, Options{})
	w.exec(
		"INSERT INTO users (id, name, email) VALUES ('u1', 'Ann', 'ann@x'), ('u2', 'Bob', NULL)",
		"INSERT INTO posts (id, title, body, views, price, author_id) VALUES ('p1', 'One', 'text', 3, '1.5', 'u1'), ('p2', 'Two', NULL, 0, NULL, 'u2')")
}

func (w world) edit(was, is string) string {
	w.Helper()
	if !strings.Contains(blog, was) {
		w.Fatalf("the blog has no %q", was)
	}
	return strings.Replace(blog, was, is, 1)
}

func TestTheFirstMigrationMakesEverythingOnce(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		plan := w.apply(blog, Options{Version: "v1"})
		if len(plan.Steps) != 2 || plan.Destroys() {
			t.Errorf("unexpected plan\n%s", plan)
		}
		w.apply(blog, Options{})
		entries, err := Status(t.Context(), w.db)
		if err != nil || len(entries) != 1 || entries[0].Version != "v1" || !strings.Contains(entries[0].Plan, "create table posts") {
			t.Errorf("the ledger is %+v, %v", entries, err)
		}
	})
}

func TestAPlanIsReadable(t *testing.T) {
	w := newWorld(t)
	w.blog()
	plan := w.plan(w.edit("body: String ", "subtitle: String @index  body: String! "), Exact)
	w.equal("the plan", plan.String(), "main (SQLite): 1 step, 1 change that the data does not allow\n"+`
1. posts
   change column posts.body: required
     NOT POSSIBLE: 1 row of posts.body (with key p2) is null; give it @default(value: …), fill it first, or take off the !
   add column posts.subtitle
   add index on posts (subtitle)
   locks: the database, for writers, while 2 rows are copied
`+statementsOf(plan))
	reversible := w.plan(w.edit("body: String ", "subtitle: String  body: String "), Exact)
	w.equal("the plan", reversible.String(), "main (SQLite): 1 step\n"+`
1. posts
   add column posts.subtitle
     ALTER TABLE `+"`posts` ADD COLUMN `subtitle` text NULL;\n     way back: ALTER TABLE `posts` DROP COLUMN `subtitle`;\n")
}

// statementsOf are the statements of a plan as it prints them; what is in them is not what
// the test is about.
func statementsOf(p Plan) string {
	var b strings.Builder
	for _, s := range p.Steps {
		printStatements(&b, "", s.Statements)
		printStatements(&b, "way back: ", s.Reverse)
	}
	return b.String()
}

func TestARebuildLosesNoRowAndCascadesNothing(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		w.apply(w.edit("name: String!", "name: String! @default(value: \"nobody\")"), Options{}) // users is made anew; posts cascade from it
		w.equal("users", w.ask("SELECT * FROM users ORDER BY id"), "u1,Ann,ann@x;u2,Bob,<nil>")
		w.equal("posts", w.ask("SELECT id, author_id FROM posts ORDER BY id"), "p1,u1;p2,u2")
		w.conn(func(c *sql.Conn) {
			if _, err := c.ExecContext(t.Context(), "INSERT INTO users (id, name, email) VALUES ('u3', 'Cyd', 'ann@x')"); err == nil {
				t.Error("the unique index is gone after the rebuild")
			}
			if _, err := c.ExecContext(t.Context(), "INSERT INTO posts (id, title, author_id) VALUES ('p3', 'x', 'nobody')"); err == nil {
				t.Error("the foreign key is gone, or off, after the rebuild")
			}
		})
		w.exec("DELETE FROM users WHERE id = 'u1'")
		w.equal("posts after a delete", w.ask("SELECT id FROM posts"), "p2")
	})
}

func TestWhatIsRefusedSaysWhyAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		data     string
		say      []string
	}{
		"a required column for rows without one": {"body: String ", "body: String  slug: String! ", "", []string{"add column posts.slug", "posts has 2 rows", "@default(value: …)"}},
		"required over nulls":                    {"email: String ", "email: String! ", "", []string{"1 row of users.email (with key u2) is null"}},
		"unique over doubles":                    {"title: String!", "title: String! @unique", "UPDATE posts SET title = 'Same'", []string{"2 rows of posts (title) (with key p1, p2) share"}},
		"text that is no number":                 {"title: String!", "title: Int!", "UPDATE posts SET title = '7' WHERE id = 'p1'", []string{"1 row of posts.title (with key p2) is no Int"}},
		"text that is no date":                   {"body: String ", "body: DateTime ", "", []string{"1 row of posts.body (with key p1) is no DateTime"}},
		"kinds without a way":                    {"views: Int @default(value: 0)", "views: DateTime", "", []string{"no value of Int becomes one of DateTime", "add a field of another name"}},
		"dropped column":                         {"body: String ", "", "", []string{"drop column posts.body: 1 row of posts holds a value in it", "@renamed", "--allow-destructive"}},
		"a fraction":                             {"price: Decimal", "price: Int", "", []string{"1 row of posts.price (with key p1) would lose a part of its value"}},
	} {
		t.Run(name, func(t *testing.T) {
			onAll(t, func(_ *testing.T, w world) {
				w.blog()
				if c.data != "" {
					w.exec(c.data)
				}
				w.refuse(w.edit(c.old, c.new), Options{}, c.say...)
			})
		})
	}
}

func TestWhatIsAllowedIsDone(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		w.apply(w.edit("body: String ", "slug: String! @default(value: \"none\")  "), Options{AllowDestroy: true})
		w.equal("posts", w.ask("SELECT id, title, slug FROM posts ORDER BY id"), "p1,One,none;p2,Two,none")
		w.apply(`type User { id: ID! @primary  name: String! }`, Options{AllowDestroy: true})
		w.equal("tables", w.tables(), "users")
	})
}

func TestValuesConvert(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		w.exec("UPDATE posts SET title = CASE id WHEN 'p1' THEN '-12' ELSE '7' END, price = '2'")
		sdl := strings.NewReplacer("title: String!", "title: BigInt!", "views: Int @default(value: 0)", "views: String", "price: Decimal", "price: Float").Replace(blog)
		w.apply(sdl, Options{})
		w.equal("posts", w.ask("SELECT title + 1, views || '!', price / 4 FROM posts ORDER BY id"), "-11,3!,0.5;8,0!,0.5")
		w.apply(blog, Options{})
		w.equal("posts", w.ask("SELECT title || '!', views + 1 FROM posts ORDER BY id"), "-12!,4;7!,1")
	})
}

func TestRenamesKeepTheData(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		renamed := `
type Person @auth(read: "true") @renamed(from: "User") { id: ID! @primary  fullName: String! @renamed(from: "name")  email: String @unique  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  title: String!  body: String  views: Int @default(value: 0)  price: Decimal  writer: Person! @link(onDelete: CASCADE) @renamed(from: "author") }
`
		plan := w.apply(renamed, Options{})
		if plan.Destroys() {
			t.Errorf("a rename destroys:\n%s", plan)
		}
		w.equal("people", w.ask("SELECT id, full_name, email FROM people ORDER BY id"), "u1,Ann,ann@x;u2,Bob,<nil>")
		w.equal("posts", w.ask("SELECT id, writer_id FROM posts ORDER BY id"), "p1,u1;p2,u2")
		w.exec("DELETE FROM people WHERE id = 'u1'")
		w.equal("posts after a delete", w.ask("SELECT id FROM posts"), "p2")
		w.apply(renamed, Options{})
	})
}

func TestALinkOverRowsThatPointNowhereIsRefused(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		const sdl = `type User @auth(read: "true") { id: ID! @primary }
type Post @auth(read: "true") { id: ID! @primary  authorId: ID %s }`
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.exec("INSERT INTO users VALUES ('u1')", "INSERT INTO posts VALUES ('p1', 'u1'), ('p2', 'gone'), ('p3', NULL)")
		linked := fmt.Sprintf(sdl, `author: User @link(from: "authorId", to: "id")`)
		w.refuse(linked, Options{AllowDestroy: true}, "1 row of posts.author_id (with key p2) points to a row of users that is not there")
		w.exec("DELETE FROM posts WHERE id = 'p2'")
		w.apply(linked, Options{})
		w.equal("posts", w.ask("SELECT * FROM posts ORDER BY id"), "p1,u1;p3,<nil>")
	})
}

func TestACompoundKeyNamesItsRows(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		const sdl = `type Seat @auth(read: "true") { row: String! @primary  number: Int! @primary  taken: String%s }`
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.exec("INSERT INTO seats VALUES ('A', 1, NULL), ('A', 2, 'x')")
		w.refuse(fmt.Sprintf(sdl, "!"), Options{}, "1 row of seats.taken (with key A/1) is null")
	})
}

func TestEnumValues(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		const sdl = "enum State { OPEN CLOSED %s}\ntype Task @auth(read: \"true\") { id: ID! @primary  state: State! }"
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.exec("INSERT INTO tasks VALUES ('t1', 'OPEN'), ('t2', 'CLOSED')")
		w.apply(fmt.Sprintf(sdl, "LATER "), Options{})
		w.exec("INSERT INTO tasks VALUES ('t3', 'LATER')")
		w.refuse(fmt.Sprintf(sdl, ""), Options{AllowDestroy: true}, "1 row of tasks.state (with key t3) holds a value that is not among them")
		w.exec("DELETE FROM tasks WHERE id = 't3'")
		w.apply(fmt.Sprintf(sdl, ""), Options{})
	})
}

func TestDevelopmentKeepsWhatIsGoneFromTheSchema(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		plan := w.apply(`type Post @auth(read: "true", create: "true") { id: ID! @primary  subtitle: String }`, Options{Policy: Tidy})
		for _, say := range []string{"stays: table users with 2 rows", "stays: column posts.title with 2 values", "add column posts.subtitle"} {
			if !strings.Contains(plan.String(), say) {
				t.Errorf("the plan does not say %q:\n%s", say, plan)
			}
		}
		w.exec("INSERT INTO posts (id, subtitle) VALUES ('p3', 'new')", "DELETE FROM users WHERE id = 'u2'")
		w.equal("posts", w.ask("SELECT id, title, body, author_id, subtitle FROM posts ORDER BY id"), "p1,One,text,u1,<nil>;p2,Two,<nil>,u2,<nil>;p3,<nil>,<nil>,<nil>,new")

		// What stayed is still ours: the exact migration says so and drops it.
		w.refuse(`type Post @auth(read: "true", create: "true") { id: ID! @primary  subtitle: String }`, Options{}, "drop table users: it holds 1 row", "drop column posts.title")

		// And when the schema has it again, it is what it was.
		w.exec("DELETE FROM posts WHERE id <> 'p1'")
		w.apply(blog, Options{Policy: Tidy})
		w.equal("posts", w.ask("SELECT id, title, body, author_id FROM posts"), "p1,One,text,u1")
	})
}

func TestDevelopmentDropsWhatIsEmpty(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.apply(blog, Options{Policy: Tidy})
		plan := w.apply(`type Post @auth(read: "true") { id: ID! @primary  titel: String! }`, Options{Policy: Tidy})
		if len(plan.Kept) > 0 {
			t.Errorf("nothing is worth keeping:\n%s", plan)
		}
		w.equal("tables", w.tables(), "posts")
	})
}

func TestARollingDeployKeepsWhatIsEmptyToo(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.apply(blog, Options{})
		plan := w.apply(w.edit("body: String ", ""), Options{Policy: Keep})
		if !plan.Empty() || len(plan.Kept) != 1 {
			t.Errorf("older servers still ask for posts.body:\n%s", plan)
		}
	})
}

func TestWhatOthersMadeIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.blog()
	w.exec(
		"CREATE TABLE legacy (x)",
		"ALTER TABLE posts ADD COLUMN theirs TEXT COLLATE NOCASE",
		"CREATE INDEX theirs_idx ON posts (theirs)",
		"CREATE VIEW their_view AS SELECT title FROM posts",
		"CREATE TABLE log (id)",
		"CREATE TRIGGER their_trigger AFTER INSERT ON posts BEGIN INSERT INTO log VALUES (new.id); END",
		"UPDATE posts SET theirs = 'x'")
	plan := w.apply(w.edit("title: String!", "title: String! @default(value: \"untitled\")"), Options{AllowDestroy: true})
	w.equal("the foreign tables", fmt.Sprint(plan.Foreign), "[legacy log]")
	w.exec("INSERT INTO posts (id, author_id) VALUES ('p9', 'u1')")
	w.equal("their column", w.ask("SELECT count(*) FROM posts WHERE theirs = 'X'"), "2")
	w.equal("their trigger", w.ask("SELECT id FROM log"), "p9")
	w.equal("their view", w.ask("SELECT title FROM their_view WHERE title = 'untitled'"), "untitled")
	w.equal("their index", w.ask("SELECT name FROM sqlite_master WHERE name = 'theirs_idx'"), "theirs_idx")
}

func TestATableThatWasThereIsServedAndNeverDropped(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.exec(
			"CREATE TABLE posts (id "+w.kind.key+" NOT NULL PRIMARY KEY, title "+w.kind.key+" UNIQUE, code "+w.kind.key+" NOT NULL)",
			"INSERT INTO posts VALUES ('p1', 'One', 'c')")
		w.refuse(`type Post @auth(read: "true", create: "true") { id: ID! @primary  title: String @unique }`, Options{}, "column posts.code is not in the schema", "no row could be inserted")
		const readOnly = `type Post @auth(read: "true") { id: ID! @primary  title: String @unique }`
		w.apply(readOnly, Options{})
		if entries, err := Status(t.Context(), w.db); err != nil || len(entries) > 0 {
			t.Errorf("nothing had to be done, and the ledger is %v, %v", entries, err)
		}
		w.apply(`type Post @auth(read: "true") { id: ID! @primary  title: String @unique  extra: String }`, Options{})
		w.apply(`type Other @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
		w.equal("posts", w.ask("SELECT id, title, code FROM posts"), "p1,One,c")
	})
}

func TestNumbersAreNotGivenTwice(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		const sdl = `type Order @auth(read: "true", create: "true") { id: ID! @primary @autoIncrement  note: String%s }`
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.exec("INSERT INTO orders (note) VALUES ('a'), ('b'), ('c')", "DELETE FROM orders WHERE id = 3")
		w.apply(fmt.Sprintf(sdl, ` @default(value: "x")`), Options{})
		w.exec("INSERT INTO orders (note) VALUES ('d')")
		w.equal("orders", w.ask("SELECT id, note FROM orders"), "1,a;2,b;4,d")
		w.exec("DELETE FROM orders")
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.exec("INSERT INTO orders (note) VALUES ('e')")
		w.equal("orders", w.ask("SELECT id, note FROM orders"), "5,e")
	})
}

func TestViewsFollow(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		view := func(sql string) string {
			return blog + `type Top @view(sql: "` + sql + `") @auth(read: "true") { id: ID!  title: String }`
		}
		w.apply(view("SELECT id, title FROM posts WHERE views > 1"), Options{})
		w.exec("INSERT INTO users (id, name) VALUES ('u1', 'Ann')", "INSERT INTO posts (id, title, views, author_id) VALUES ('p1', 'One', 3, 'u1')")
		w.equal("the view", w.ask("SELECT id, title FROM tops"), "p1,One")
		changed := view("SELECT id, upper(title) AS title FROM posts")
		w.apply(strings.Replace(changed, "title: String!", `title: String! @default(value: "x")`, 1), Options{})
		w.equal("the view", w.ask("SELECT id, title FROM tops"), "p1,ONE")
		w.refuse(view("SELECT id FROM posts"), Options{}, "view Top cannot be read", "title")
		w.apply(blog, Options{})
		w.equal("views", w.ask(w.kind.views), "0")
	})
}

func TestTwoServersStartAtOnceAndOneMigrates(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		s := w.schema(blog)
		results := make(chan error)
		for range 8 {
			go func() {
				_, err := Apply(context.Background(), w.db, s, Options{})
				results <- err
			}()
		}
		for range 8 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if entries, err := Status(t.Context(), w.db); err != nil || len(entries) != 1 {
			t.Errorf("the ledger has %d entries, %v", len(entries), err)
		}
	})
}

func TestProductionServesWithMoreThanItNeeds(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		older := w.edit("body: String ", "")
		if lacks := w.plan(older, Keep).Lacks(); len(lacks) > 0 {
			t.Errorf("a database of a newer version lacks %v", lacks)
		}
		newer := w.edit("body: String ", "body: String  slug: String ")
		if lacks := w.plan(newer, Keep).Lacks(); len(lacks) != 1 || lacks[0].Comment != "add column posts.slug" {
			t.Errorf("a database of an older version lacks %v", lacks)
		}
		const state = "enum State { OPEN CLOSED }\ntype Post @auth(read: \"true\") { id: ID! @primary  state: State  slug: String @size(max: 20) }"
		fresh := world{t, w.kind.open(t), w.kind}
		fresh.apply(strings.NewReplacer("CLOSED", "CLOSED LATER", "20", "30").Replace(state), Options{})
		if lacks := fresh.plan(state, Keep).Lacks(); len(lacks) > 0 {
			t.Errorf("a database that takes more values and longer ones lacks %v", lacks)
		}
		if lacks := fresh.plan(strings.Replace(state, "CLOSED", "CLOSED OTHER", 1), Keep).Lacks(); len(lacks) != 1 {
			t.Errorf("a database that does not take a value lacks %v", lacks)
		}
		required := w.edit("title: String!", "")
		if lacks := w.plan(required, Keep).Lacks(); len(lacks) != 1 {
			t.Errorf("a required column that the schema does not know is no lack: %v", lacks)
		}
	})
}

func TestCreatedAtIsFilledForRowsThatAreThere(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		w.blog()
		w.apply(w.edit("body: String ", "body: String  createdAt: DateTime! @createdAt  version: Int! @version "), Options{})
		w.equal("posts", w.ask("SELECT created_at IS NOT NULL, version FROM posts"), w.kind.yes+",1;"+w.kind.yes+",1")
	})
}

func TestSeedsAreForUntouchedDatabases(t *testing.T) {
	onAll(t, func(t *testing.T, w world) {
		s := w.schema(blog)
		w.apply(blog, Options{})
		untouched := func(want bool) {
			t.Helper()
			if got, err := Untouched(t.Context(), w.db, s); err != nil || got != want {
				t.Errorf("untouched is %v, %v", got, err)
			}
		}
		untouched(true)
		w.exec("INSERT INTO users (id, name) VALUES ('u1', 'Ann')")
		untouched(false)
		w.exec("DELETE FROM users")
		untouched(true)
		if err := Seeded(t.Context(), w.db, "v1"); err != nil {
			t.Fatal(err)
		}
		untouched(false)
	})
}

func (w world) quote(name string) string {
	d, err := dialectOf(w.db)
	if err != nil {
		w.Fatal(err)
	}
	return d.quote(name)
}

func TestAColumnIsAddedInPlaceOnSQLite(t *testing.T) {
	w := newWorld(t)
	w.blog()
	w.exec("CREATE INDEX theirs ON posts (body)", "CREATE TABLE log (id)", "CREATE TRIGGER their_trigger AFTER INSERT ON posts BEGIN INSERT INTO log VALUES (new.id); END")
	plan := w.apply(w.edit("body: String ", `likes: Int! @default(value: 7) @index  body: String `), Options{})
	if strings.Contains(plan.String(), "CREATE TABLE") || !strings.Contains(plan.String(), "way back: ALTER TABLE `posts` DROP COLUMN `likes`") {
		t.Errorf("the table is made anew:\n%s", plan)
	}
	w.equal("posts", w.ask("SELECT id, likes FROM posts ORDER BY id"), "p1,7;p2,7")
	w.equal("what others made", w.ask("SELECT name FROM sqlite_master WHERE name IN ('theirs', 'their_trigger') ORDER BY name"), "their_trigger;theirs")
}

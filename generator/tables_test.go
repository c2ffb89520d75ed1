package generator_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ariga.io/atlas/sql/migrate"
	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"
	driver "modernc.org/sqlite"

	"spacecloud/generator"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
	private "spacecloud/tests/postgres"
)

func TestMain(m *testing.M) {
	// The collation that the driver of SQLite has; here any order by number will do.
	driver.MustRegisterCollationUtf8("DECIMAL", func(a, b string) int {
		x, _ := strconv.ParseFloat(a, 64)
		y, _ := strconv.ParseFloat(b, 64)
		return cmp.Compare(x, y)
	})
	os.Exit(mariadb.Run(servers{m}))
}

// servers are tests that borrow a PostgreSQL.
type servers struct{ *testing.M }

func (s servers) Run() int { return private.Run(s.M) }

type database struct {
	*sql.DB
	migrate.Driver
}

func openSQLite(t *testing.T) database {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "test.db")+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1) // a rebuild of a table turns foreign keys off for its connection
	drv, err := sqlite.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	return database{db, drv}
}

// diff is what lacks to the tables of the schema.
func (db database) diff(t *testing.T, sdl string) []atlas.Change {
	t.Helper()
	have, err := db.InspectSchema(context.Background(), "main", nil)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := db.SchemaDiff(have, tables(t, parse(t, sdl)), atlas.DiffNormalized())
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func (db database) migrate(t *testing.T, sdl string) {
	t.Helper()
	if err := db.ApplyChanges(context.Background(), db.diff(t, sdl)); err != nil {
		t.Fatal(err)
	}
	if left := db.diff(t, sdl); len(left) > 0 {
		t.Fatalf("the second diff is not empty:\n%s", describe(left))
	}
}

func (db database) mustExec(t *testing.T, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func describe(changes []atlas.Change) string {
	var b strings.Builder
	for _, c := range changes {
		if m, ok := c.(*atlas.ModifyTable); ok {
			fmt.Fprintf(&b, "%s: %s", m.T.Name, describe(m.Changes))
			continue
		}
		fmt.Fprintf(&b, "%T %+v\n", c, c)
	}
	return b.String()
}

// Applied to an empty database, the tables of every story are what is found again.
func TestAppliedTablesHaveNoDiff(t *testing.T) {
	for _, story := range stories(t) {
		t.Run(story.name(), func(t *testing.T) {
			openSQLite(t).migrate(t, string(story.file("schema.graphql").Data))
		})
	}
}

// A change of the schema is seen, applied, and gone from the next diff; the rows stay.
func TestChangesOfASchemaAreSeen(t *testing.T) {
	const frame = `type Post @index(fields: ["-n"]%[2]s) { id: ID! @primary  n: Int  %[1]s }  enum Status { %[3]s }`
	type variant struct{ field, where, values string }
	old := variant{`value: String  status: Status  other: Status`, ``, `A B`}
	for name, changed := range map[string]variant{
		"text to decimal":   {`value: Decimal  status: Status  other: Status`, ``, `A B`},
		"text to JSON":      {`value: JSON  status: Status  other: Status`, ``, `A B`},
		"text to a list":    {`value: [String!]  status: Status  other: Status`, ``, `A B`},
		"text to a number":  {`value: Int  status: Status  other: Status`, ``, `A B`},
		"text to an enum":   {`value: Status  status: Status  other: Status`, ``, `A B`},
		"a default":         {`value: String @default(value: "it's")  status: Status  other: Status`, ``, `A B`},
		"a new enum value":  {`value: String  status: Status  other: Status`, ``, `A B C`},
		"a column less":     {`value: String  status: Status`, ``, `A B`},
		"a unique column":   {`value: String @unique  status: Status  other: Status`, ``, `A B`},
		"a partial index":   {`value: String  status: Status  other: Status`, `, where: "n > 1"`, `A B`},
		"a required column": {`value: String! @default(value: "x")  status: Status  other: Status`, ``, `A B`},
	} {
		t.Run(name, func(t *testing.T) {
			spell := func(v variant) string { return fmt.Sprintf(frame, v.field, v.where, v.values) }
			db := openSQLite(t)
			db.migrate(t, spell(old))
			db.mustExec(t, "INSERT INTO posts (id, n) VALUES ('a', 1)")
			if len(db.diff(t, spell(changed))) == 0 {
				t.Fatal("the change is not seen")
			}
			db.migrate(t, spell(changed))
			var rows int
			if err := db.QueryRow("SELECT count(*) FROM posts WHERE id = 'a'").Scan(&rows); err != nil || rows != 1 {
				t.Fatalf("%d rows, %v", rows, err)
			}
		})
	}
}

// Whatever a default is, the database gives it back, and a diff is quiet about it.
func TestDefaultsAreWhatTheyAre(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`String @default(value: "")`, ``},
		{`String @default(value: "plain")`, `plain`},
		{`String @default(value: "it's")`, `it's`},
		{`String @default(value: "'quoted'")`, `'quoted'`},
		{`String @default(value: "\"double\"")`, `"double"`},
		{`String @default(value: "back\\slash")`, `back\slash`},
		{`String @default(value: "\\'x")`, `\'x`},
		{`String @default(value: "end\\")`, `end\`},
		{`String @default(value: "(paren")`, `(paren`},
		{`String @default(value: "12")`, `12`},
		{`String @default(value: "true")`, `true`},
		{`String @default(value: "x'00'")`, `x'00'`},
		{`String @default(value: "CURRENT_TIMESTAMP")`, `CURRENT_TIMESTAMP`},
		{`String @default(value: "two\nlines")`, "two\nlines"},
		{`String @default(value: "🙂 CHECK (1)")`, `🙂 CHECK (1)`},
		{`Int @default(value: -5)`, `-5`},
		{`BigInt @default(value: "1152921504606846976")`, `1152921504606846976`},
		{`Float @default(value: -0.25)`, `-0.25`},
		{`Float @default(value: 1e300)`, `1e+300`},
		{`Boolean @default(value: true)`, `1`},
		{`Boolean @default(value: false)`, `0`},
		{`[String!] @default(value: ["a", "it's \"b\" \\ c"])`, `["a","it's \"b\" \\ c"]`},
		{`[Int!] @default(value: [])`, `[]`},
		{`Status @default(value: "OPEN")`, `OPEN`},
	} {
		t.Run(c.field, func(t *testing.T) {
			db := openSQLite(t)
			db.migrate(t, `type Post { id: ID! @primary  value: `+c.field+` }  enum Status { OPEN }`)
			db.mustExec(t, "INSERT INTO posts (id) VALUES ('a')")
			var got string
			if err := db.QueryRow("SELECT value FROM posts").Scan(&got); err != nil || got != c.want {
				t.Fatalf("got %q, want %q (%v)", got, c.want, err)
			}
		})
	}
}

// A native type is the column's type, whatever the case, and a diff is quiet about it.
func TestNativeTypesAreHonoured(t *testing.T) {
	for _, native := range []string{"VARCHAR(20)", "TEXT COLLATE NOCASE", "NUMERIC(10, 2)", "double precision", "POINT", "datetime"} {
		db := openSQLite(t)
		db.migrate(t, `type Post { id: ID! @primary  value: String @column(type: "`+native+`") }`)
		var got string
		if err := db.QueryRow("SELECT type FROM pragma_table_info('posts') WHERE name = 'value'").Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want, _, _ := strings.Cut(native, " COLLATE"); !strings.EqualFold(got, want) {
			t.Errorf("%s became %q", native, got)
		}
	}
}

// A text column that becomes a Decimal gets its collation, though SQLite calls both TEXT.
func TestDecimalsSortByNumber(t *testing.T) {
	db := openSQLite(t)
	db.migrate(t, `type Post { id: ID! @primary  price: String }`)
	db.migrate(t, `type Post { id: ID! @primary  price: Decimal }`)
	db.mustExec(t, "INSERT INTO posts VALUES ('a', '10'), ('b', '9.5'), ('c', '-1')")
	var order string
	if err := db.QueryRow("SELECT group_concat(id, '') FROM (SELECT id FROM posts ORDER BY price)").Scan(&order); err != nil || order != "cba" {
		t.Errorf("sorted as %s, want cba (%v)", order, err)
	}
}

func TestWhatSQLiteCannotDoIsAProblem(t *testing.T) {
	for sdl, want := range map[string]string{
		`type Post { id: ID! @primary  value: String @column(type: "POINT COLLATE NOCASE") }`: "schema.graphql:1:31: Post.value",
		`type Post { id: ID! @primary  value: Int @autoIncrement }`:                           "schema.graphql:1:31: Post.value",
	} {
		s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
		if err == nil {
			_, err = generator.Tables(inMain(s), "sqlite")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", sdl, err)
		}
	}
}

func TestViewsAreThoseWithSQL(t *testing.T) {
	s := parse(t, `
type Mine @view(sql: "SELECT 1 AS one") { one: Int }
type Other @view { two: Int }`)
	views := generator.Views(s.Types)
	if len(views) != 1 || views[0] != (generator.View{Name: "mines", SQL: "SELECT 1 AS one"}) {
		t.Errorf("got %+v", views)
	}
}

func TestForeignKeysActOnDelete(t *testing.T) {
	db := openSQLite(t)
	db.migrate(t, `
type User { id: ID! @primary }
type Kept { id: ID! @primary  user: User! @link }
type Gone { id: ID! @primary  user: User! @link(onDelete: CASCADE) }
type Left { id: ID! @primary  user: User @link(onDelete: SET_NULL) }
type Node { id: ID! @primary  up: Node @link }`)
	for _, statement := range []string{
		"INSERT INTO users VALUES ('a'), ('b')",
		"INSERT INTO kepts VALUES ('k', 'a')",
		"INSERT INTO gones VALUES ('g', 'b')",
		"INSERT INTO lefts VALUES ('l', 'b')",
		"INSERT INTO nodes VALUES ('root', NULL), ('leaf', 'root')",
		"DELETE FROM users WHERE id = 'b'",
		"DELETE FROM nodes",
	} {
		db.mustExec(t, statement)
	}
	if _, err := db.Exec("DELETE FROM users WHERE id = 'a'"); err == nil {
		t.Error("a row that another needs was deleted")
	}
	var gone, left int
	if err := db.QueryRow("SELECT (SELECT count(*) FROM gones), (SELECT count(*) FROM lefts WHERE user_id IS NULL)").Scan(&gone, &left); err != nil {
		t.Fatal(err)
	}
	if gone != 0 || left != 1 {
		t.Errorf("%d rows left to cascade, %d set to null", gone, left)
	}
}

func TestChecksRefuseOtherWriters(t *testing.T) {
	db := openSQLite(t)
	db.migrate(t, `type Post { id: ID! @primary  status: Status  meta: JSON  tags: [String!]  price: Decimal }  enum Status { OPEN }`)
	for column, values := range map[string][2]string{
		"status": {"OPEN", "open"}, "meta": {"{}", "{"}, "tags": {"[]", "["}, "price": {"-1.50", "a lot"},
	} {
		insert := func(value string) error {
			_, err := db.Exec("INSERT INTO posts (id, "+column+") VALUES (?, ?)", column+value, value)
			return err
		}
		if err := insert(values[0]); err != nil {
			t.Errorf("%s = %s: %v", column, values[0], err)
		}
		if insert(values[1]) == nil {
			t.Errorf("%s = %s was taken", column, values[1])
		}
	}
}

func TestAnUnknownDialectIsRefused(t *testing.T) {
	if _, err := generator.Tables(nil, "oracle"); err == nil {
		t.Error("tables of an unknown dialect")
	}
}

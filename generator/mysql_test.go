package generator_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
)

type mysqlDatabase struct {
	*testing.T
	*sql.DB
}

func openMySQL(t *testing.T) mysqlDatabase {
	t.Helper()
	return mysqlDatabase{t, mariadb.Open(t)}
}

// create makes the tables of a schema.
func (db mysqlDatabase) create(sdl string) {
	db.Helper()
	want, err := generator.Tables(inMain(parse(db.T, sdl)), "mysql")
	if err != nil {
		db.Fatal(err)
	}
	var changes []atlas.Change
	for _, table := range want.Tables {
		changes = append(changes, &atlas.AddTable{T: table})
	}
	plan, err := mysql.DefaultPlan.PlanChanges(context.Background(), "create", changes)
	if err != nil {
		db.Fatal(err)
	}
	for _, c := range plan.Changes {
		if _, err := db.Exec(c.Cmd); err != nil {
			db.Fatalf("%v: %s", err, c.Cmd)
		}
	}
}

// ask is one value as text.
func (db mysqlDatabase) ask(query string, args ...any) string {
	db.Helper()
	var got sql.NullString
	if err := db.QueryRow(query, args...).Scan(&got); err != nil {
		db.Fatalf("%s: %v", query, err)
	}
	return got.String
}

func TestStoriesHaveTablesOnMySQL(t *testing.T) {
	for _, story := range stories(t) {
		t.Run(story.name(), func(t *testing.T) {
			sdl := string(story.file("schema.graphql").Data)
			openMySQL(t).create(forMySQL(sdl))
		})
	}
}

// forMySQL is a story without what is for SQLite only.
func forMySQL(sdl string) string {
	return strings.NewReplacer("NOCASE", "utf8mb4_general_ci").Replace(sdl)
}

func TestTypesOfMySQL(t *testing.T) {
	db := openMySQL(t)
	db.create(`
type Post @index(fields: ["-at", "long"]) {
  id: ID! @primary @autoIncrement
  key: ID  text: String  short: String @size(max: 20)  whole: String @size(max: 768)  long: String @size(max: 769)  once: String @unique
  int: Int  big: BigInt  float: Float  decimal: Decimal  money: Decimal @decimal(precision: 10, scale: 2)
  bool: Boolean  at: DateTime  day: Date  clock: Time  uuid: UUID  json: JSON  bytes: Bytes  hash: Bytes @unique @size(max: 32)
  state: State  place: Place
  texts: [String!]  states: [State!]  places: [Place!]
  native: String @column(type: "VARCHAR(7) COLLATE latin1_bin")  stamp: DateTime @column(type: "TIMESTAMP(3)")  kind: String @column(type: "enum('A','b')")
  other: Other @link
}
type Other { id: ID! @primary  posts: [Post!]! @link }
enum State { OPEN  CLOSED }
type Place { city: String }`)
	for name, want := range map[string]string{
		"id": "bigint", "key": "varchar(64) bytewise", "text": "longtext bytewise", "short": "varchar(20) bytewise", "whole": "varchar(768) bytewise",
		"long": "longtext bytewise", "once": "varchar(255) bytewise", "int": "int", "big": "bigint", "float": "double", "decimal": "decimal(34,9)", "money": "decimal(10,2)",
		"bool": "tinyint(1)", "at": "datetime(6)", "day": "date", "clock": "time(6)", "uuid": "char(36) bytewise", "json": "json",
		"bytes": "longblob", "hash": "varbinary(32)", "state": "varchar(64) bytewise", "place": "json", "texts": "json", "states": "json", "places": "json",
		"native": "varchar(7) latin1_bin", "stamp": "timestamp(3)", "kind": "enum('A','b') bytewise", "other_id": "varchar(64) bytewise",
	} {
		got := db.ask(`SELECT concat_ws(' ', CASE WHEN collation_name = 'utf8mb4_bin' THEN 'json' ELSE regexp_replace(column_type, '^(int|bigint)\\([0-9]+\\)$', '\\1') END,
			CASE WHEN collation_name IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin') THEN 'bytewise' WHEN collation_name = 'utf8mb4_bin' THEN NULL ELSE collation_name END)
			FROM information_schema.columns WHERE table_schema = database() AND table_name = 'posts' AND column_name = ?`, name)
		if got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	for column, values := range map[string][2]string{
		"state": {"OPEN", "open"}, "states": {`["OPEN"]`, `[OPEN]`}, "short": {"12345678901234567890", "123456789012345678901"},
		"json": {"{}", "{"}, "other_id": {"", "nobody"},
	} {
		if _, err := db.Exec("INSERT INTO posts ("+column+") VALUES (?)", sql.NullString{String: values[0], Valid: values[0] != ""}); err != nil {
			t.Errorf("%s = %s: %v", column, values[0], err)
		}
		if _, err := db.Exec("INSERT INTO posts ("+column+") VALUES (?)", values[1]); err == nil {
			t.Errorf("%s = %s was taken", column, values[1])
		}
	}
}

// Texts are what their bytes are: also to a unique key, and also at their ends.
func TestTextsOfMySQLAreTheirBytes(t *testing.T) {
	db := openMySQL(t)
	db.create(`type Name { id: ID! @primary  name: String @unique }`)
	names := []string{"", " ", "A", "B", "a", "a ", "a\t", "á", "a\u0301", "é", "😀"}
	for i, name := range names {
		if _, err := db.Exec("INSERT INTO names VALUES (?, ?)", fmt.Sprint(i), name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if got := db.ask("SELECT count(*) FROM names WHERE name = 'a'"); got != "1" {
		t.Errorf("%s names are a", got)
	}
	if wrong := db.ask("SELECT count(*) FROM names x JOIN names y ON (x.name < y.name) <> (CAST(x.name AS binary) < CAST(y.name AS binary))"); wrong != "0" {
		t.Errorf("%s pairs are not in the order of their bytes", wrong)
	}
}

// Whatever a default is, MySQL gives it back.
func TestDefaultsOfMySQL(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`String @default(value: "")`, ``},
		{`String @default(value: "it's")`, `it's`},
		{`String @default(value: "'quoted'") @size(max: 20)`, `'quoted'`},
		{`String @default(value: "back\\slash")`, `back\slash`},
		{`String @default(value: "ends\\") @size(max: 20)`, `ends\`},
		{`String @default(value: "it's\\'") @size(max: 20)`, `it's\'`},
		{`String @default(value: "0x41") @size(max: 20)`, `0x41`},
		{`String @default(value: "uuid()") @size(max: 20)`, `uuid()`},
		{`String @default(value: "\"") @size(max: 20)`, `"`},
		{`String @default(value: "two\nlines") @size(max: 20)`, "two\nlines"},
		{`Int @default(value: -5)`, `-5`},
		{`BigInt @default(value: "1152921504606846976")`, `1152921504606846976`},
		{`Float @default(value: -0.25)`, `-0.25`},
		{`Float @default(value: 1e300)`, `1e+300`},
		{`Decimal @default(value: "1.50")`, `1.500000000`},
		{`Decimal @default(value: "-1234567890123456789012345.123456789")`, `-1234567890123456789012345.123456789`},
		{`Boolean @default(value: true)`, `1`},
		{`[String!] @default(value: ["a", "it's \"b\" \\ c", ""])`, `["a","it's \"b\" \\ c",""]`},
		{`[Int!] @default(value: [])`, `[]`},
		{`Status @default(value: "OPEN")`, `OPEN`},
		{`JSON @default(value: {a: "x\\y"})`, `{"a":"x\\y"}`},
		{`DateTime @default(value: "2026-01-31T14:00:00.5+02:00")`, `2026-01-31 12:00:00.500000`},
		{`Date @default(value: "2026-01-31")`, `2026-01-31`},
		{`Time @default(value: "13:37:00")`, `13:37:00.000000`},
		{`UUID @default(value: "0190a6b2-0000-7000-8000-000000000001")`, `0190a6b2-0000-7000-8000-000000000001`},
		{`Bytes @default(value: "AP8n")`, "\x00\xff'"},
	} {
		t.Run(c.field, func(t *testing.T) {
			db := openMySQL(t)
			db.create(`type Post { id: ID! @primary  value: ` + c.field + ` }  enum Status { OPEN }`)
			if _, err := db.Exec("INSERT INTO posts (id) VALUES ('a')"); err != nil {
				t.Fatal(err)
			}
			if got := db.ask("SELECT value FROM posts"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWhatMySQLCannotDoIsAProblem(t *testing.T) {
	wide := ""
	for i := range 22 {
		wide += fmt.Sprintf("  s%d: String @size(max: 768)", i)
	}
	for sdl, want := range map[string]string{
		`type Post @index(fields: ["id"], where: "id > 3") { id: ID! @primary }`:                         "schema.graphql:1:12: Post: @index(where: …): MySQL has no partial indexes; take the condition off",
		`type Post { id: ID! @primary  value: String @unique @size(max: 769) }`:                          "Post: @unique over the column value: MySQL cannot have a longtext in a key; a String takes @size(max: 768) at most there",
		`type Post @unique(fields: ["a", "b"]) { id: ID! @primary  a: String @size(max: 768)  b: Int! }`: "Post: @unique takes 3076 bytes, and a key of MySQL holds 3072; give its strings a smaller @size(max: …)",
		`type Post { a: String! @primary @size(max: 700)  b: String! @primary }`:                         "Post: the primary key takes 3820 bytes",
		`type Post @index(fields: ["a", "b"]) { id: ID! @primary  a: String @size(max: 768)  b: Int! }`:  "Post: @index takes 3076 bytes",
		`type Post { id: ID! @primary ` + wide + ` }`:                                                    "Post: a row would take 67840 bytes, and one of MySQL holds 65535",
		`type Post { id: ID! @primary  value: String @column(type: "money") }`:                           `Post.value: @column(type: "money"): MySQL has no type money`,
	} {
		s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: sdl})
		if err == nil {
			_, err = generator.Tables(inMain(s), "mysql")
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", sdl, err)
		}
	}
}

package generator_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	atlasdriver "ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/generator"
	private "spacecloud/tests/postgres"
)

type postgresDatabase struct {
	*testing.T
	*sql.DB
	atlasdriver.Driver
}

func openPostgres(t *testing.T) postgresDatabase {
	t.Helper()
	db := private.Open(t)
	drv, err := postgres.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	return postgresDatabase{t, db, drv}
}

func (db postgresDatabase) diff(sdl string) []atlas.Change {
	db.Helper()
	have, err := db.InspectSchema(context.Background(), "", nil)
	if err != nil {
		db.Fatal(err)
	}
	want, err := generator.Tables(inMain(parse(db.T, sdl)), "postgres")
	if err != nil {
		db.Fatal(err)
	}
	have.Name = ""
	unquoted(have)
	unquoted(want)
	changes, err := db.SchemaDiff(have, want, atlas.DiffNormalized())
	if err != nil {
		db.Fatal(err)
	}
	return changes
}

// unquoted takes the quotes from the names in checks, which PostgreSQL writes where it must.
func unquoted(s *atlas.Schema) {
	for _, t := range s.Tables {
		for _, a := range t.Attrs {
			if c, ok := a.(*atlas.Check); ok {
				c.Expr = strings.ReplaceAll(c.Expr, `"`, "")
			}
		}
	}
}

func (db postgresDatabase) apply(sdl string) {
	db.Helper()
	want, err := generator.Tables(inMain(parse(db.T, sdl)), "postgres")
	if err != nil {
		db.Fatal(err)
	}
	var changes []atlas.Change
	for _, table := range want.Tables {
		changes = append(changes, &atlas.AddTable{T: table})
	}
	if err := db.ApplyChanges(context.Background(), changes); err != nil {
		db.Fatal(err)
	}
	if left := db.diff(sdl); len(left) > 0 {
		db.Fatalf("the second diff is not empty:\n%s", describe(left))
	}
}

// ask is one value as text.
func (db postgresDatabase) ask(query string) string {
	db.Helper()
	var got sql.NullString
	if err := db.QueryRow(query).Scan(&got); err != nil {
		db.Fatalf("%s: %v", query, err)
	}
	return got.String
}

func TestAppliedTablesHaveNoDiffOnPostgres(t *testing.T) {
	for _, story := range stories(t) {
		t.Run(story.name(), func(t *testing.T) {
			sdl := string(story.file("schema.graphql").Data)
			openPostgres(t).apply(strings.ReplaceAll(sdl, "NOCASE", "POSIX"))
		})
	}
}

func TestTypesOfPostgres(t *testing.T) {
	db := openPostgres(t)
	db.apply(`
type Post {
  id: ID! @primary @autoIncrement
  text: String  short: String @size(max: 20)  int: Int  big: BigInt  float: Float  decimal: Decimal  money: Decimal @decimal(precision: 10, scale: 2)
  bool: Boolean  at: DateTime  day: Date  clock: Time  uuid: UUID  json: JSON  bytes: Bytes  state: State  place: Place
  texts: [String!]  ints: [Int!]  decimals: [Decimal!]  states: [State!]  places: [Place!]  ats: [DateTime!]
  native: String @column(type: "VARCHAR(7) COLLATE \"POSIX\"")  stamp: DateTime @column(type: "timestamptz(3)")
}
enum State { OPEN  CLOSED }
type Place { city: String }`)
	got := map[string]string{}
	rows, err := db.Query(`SELECT a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' COLLATE ' || c.collname, '') || CASE WHEN a.attidentity = 'd' THEN ' identity' ELSE '' END
		FROM pg_attribute a LEFT JOIN pg_collation c ON c.oid = a.attcollation AND c.collname <> 'default' WHERE a.attrelid = 'posts'::regclass AND a.attnum > 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			t.Fatal(err)
		}
		got[name] = typ
	}
	for name, want := range map[string]string{
		"id": `bigint identity`, "text": `text COLLATE C`, "short": `character varying(20) COLLATE C`,
		"int": `integer`, "big": `bigint`, "float": `double precision`, "decimal": `numeric(34,9)`, "money": `numeric(10,2)`,
		"bool": `boolean`, "at": `timestamp with time zone`, "day": `date`, "clock": `time without time zone`, "uuid": `uuid`,
		"json": `jsonb`, "bytes": `bytea`, "state": `text COLLATE C`, "place": `jsonb`,
		"texts": `text[] COLLATE C`, "ints": `integer[]`, "decimals": `numeric(34,9)[]`, "states": `text[] COLLATE C`, "places": `jsonb`,
		"ats": `timestamp with time zone[]`, "native": `character varying(7) COLLATE POSIX`, "stamp": `timestamp(3) with time zone`,
	} {
		if got[name] != want && got[name] != strings.Replace(want, "zone", "zone(6)", 1) && got[name] != strings.Replace(strings.Replace(want, "time without", "time(6) without", 1), "timestamp with ", "timestamp(6) with ", 1) {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	for column, values := range map[string][2]string{
		"state": {"OPEN", "open"}, "states": {"{OPEN,CLOSED}", "{OPEN,open}"}, "short": {"12345678901234567890", "123456789012345678901"},
	} {
		if _, err := db.Exec("INSERT INTO posts ("+column+") VALUES ($1)", values[0]); err != nil {
			t.Errorf("%s = %s: %v", column, values[0], err)
		}
		if _, err := db.Exec("INSERT INTO posts ("+column+") VALUES ($1)", values[1]); err == nil {
			t.Errorf("%s = %s was taken", column, values[1])
		}
	}
}

// Whatever a default is, PostgreSQL gives it back.
func TestDefaultsOfPostgres(t *testing.T) {
	for _, c := range []struct{ field, want string }{
		{`String @default(value: "")`, ``},
		{`String @default(value: "it's")`, `it's`},
		{`String @default(value: "'quoted'")`, `'quoted'`},
		{`String @default(value: "back\\slash")`, `back\slash`},
		{`String @default(value: "12")`, `12`},
		{`String @default(value: "a::text")`, `a::text`},
		{`String @default(value: "two\nlines")`, "two\nlines"},
		{`Int @default(value: -5)`, `-5`},
		{`BigInt @default(value: "1152921504606846976")`, `1152921504606846976`},
		{`Float @default(value: -0.25)`, `-0.25`},
		{`Float @default(value: 1e300)`, `1e+300`},
		{`Decimal @default(value: "1.50")`, `1.500000000`},
		{`Boolean @default(value: true)`, `true`},
		{`[String!] @default(value: ["a", "it's \"b\" \\ c", ""])`, `{a,"it's \"b\" \\ c",""}`},
		{`[Int!] @default(value: [])`, `{}`},
		{`[Int] @default(value: [1, null])`, `{1,NULL}`},
		{`Status @default(value: "OPEN")`, `OPEN`},
		{`DateTime @default(value: "2026-01-31T12:00:00Z")`, `2026-01-31 12:00:00+00`},
	} {
		t.Run(c.field, func(t *testing.T) {
			db := openPostgres(t)
			want, err := generator.Tables(parse(t, `type Post { id: ID! @primary  value: `+c.field+` }  enum Status { OPEN }`).Types, "postgres")
			if err != nil {
				t.Fatal(err)
			}
			if err := db.ApplyChanges(t.Context(), []atlas.Change{&atlas.AddTable{T: want.Tables[0]}}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec("INSERT INTO posts (id) VALUES ('a')"); err != nil {
				t.Fatal(err)
			}
			value := "value::text"
			if strings.HasPrefix(c.field, "DateTime") {
				value = "(value AT TIME ZONE 'UTC')::text || '+00'"
			}
			if got := db.ask("SELECT " + value + " FROM posts"); got != c.want {
				t.Fatalf("got %q, want %q", got, c.want)
			}
		})
	}
}

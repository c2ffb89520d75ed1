package migrate

import (
	"strings"
	"testing"
)

const watched = `enum State { OPEN CLOSED }
type User @auth(read: "true", create: "true") { id: ID! @primary }
type Post @auth(read: "true", create: "true") { id: ID! @primary  title: String! @size(max: 200)  slug: String @size(max: 100) @unique  note: String  state: State  views: Int @index }`

// beside is one thing that others do to a database, and what is said of it.
type beside struct {
	sqlite, postgres, mysql, mongo []string
	say                            string // of the drift; %s is the kind's own word
	right                          string // by which plan; "" for one that is left alone
}

const rebuilt = "CREATE TABLE t (id TEXT NOT NULL, title %s, slug TEXT, note TEXT, state TEXT %s, views INTEGER, PRIMARY KEY (id))"

// remade makes the table anew, as somebody has to who changes a column in SQLite.
func remade(title, check string) []string {
	return []string{
		strings.Replace(strings.Replace(rebuilt, "%s", title, 1), "%s", check, 1),
		"INSERT INTO t SELECT id, title, slug, note, state, views FROM posts", "DROP TABLE posts", "ALTER TABLE t RENAME TO posts",
		"CREATE UNIQUE INDEX posts_slug_key ON posts (slug)", "CREATE INDEX posts_views_idx ON posts (views)",
	}
}

var check = "CHECK (state IN ('OPEN', 'CLOSED'))"

// lax is a validator that says little of posts.
const lax = `{"collMod": "posts", "validator": {"$jsonSchema": {"bsonType": ["object"], "properties": {"_id": {"bsonType": ["string"]}}}}}`

var besides = map[string]beside{
	"a column dropped": {
		sqlite: []string{"ALTER TABLE posts DROP COLUMN note"}, postgres: []string{"ALTER TABLE posts DROP COLUMN note"}, mysql: []string{"ALTER TABLE posts DROP COLUMN note"},
		mongo: []string{lax},
		say:   "posts.note is gone, was ", right: "put right by step 1: ",
	},
	"a column of another type": {
		sqlite: remade("INTEGER NOT NULL", check), postgres: []string{"ALTER TABLE posts ALTER COLUMN title TYPE varchar(100)"}, mysql: []string{"ALTER TABLE posts MODIFY COLUMN title varchar(100) NOT NULL"},
		say: "posts.title is ", right: "put right by step 1: change column posts.title: from ",
	},
	"an index dropped": {
		sqlite: []string{"DROP INDEX posts_views_idx"}, postgres: []string{"DROP INDEX posts_views_idx"}, mysql: []string{"DROP INDEX posts_views_idx ON posts"},
		mongo: []string{`{"dropIndexes": "posts", "index": "posts_views_idx"}`},
		say:   "index posts_views_idx of posts is gone, was ", right: "put right by step 1: add index on posts (views)",
	},
	"NOT NULL taken": {
		sqlite: remade("TEXT", check), postgres: []string{"ALTER TABLE posts ALTER COLUMN title DROP NOT NULL"}, mysql: []string{"ALTER TABLE posts MODIFY COLUMN title varchar(200) NULL"},
		say: "posts.title takes null, but did not", right: "put right by step 1: change column posts.title: required",
	},
	"a check dropped": {
		sqlite: remade("TEXT NOT NULL", ""), postgres: []string{"ALTER TABLE posts DROP CONSTRAINT posts_state_enum"}, mysql: []string{"ALTER TABLE posts DROP CONSTRAINT posts_state_enum"},
		mongo: []string{`{"collMod": "posts", "validator": {}}`},
		say:   " of posts is gone", right: "put right by step 1: ",
	},
	"a column more": {
		sqlite: []string{"ALTER TABLE posts ADD COLUMN extra TEXT"}, postgres: []string{"ALTER TABLE posts ADD COLUMN extra text"}, mysql: []string{"ALTER TABLE posts ADD COLUMN extra text"},
		say: "posts.extra is there, of the type text",
	},
	"an index more": {
		sqlite: []string{"CREATE INDEX fast ON posts (note)"}, postgres: []string{"CREATE INDEX fast ON posts (note)"}, mysql: []string{"CREATE INDEX fast ON posts (note(20))"},
		mongo: []string{`{"createIndexes": "posts", "indexes": [{"key": {"note": 1}, "name": "fast"}]}`},
		say:   "index fast of posts is there, ",
	},
	"a table dropped": {
		sqlite: []string{"DROP TABLE users"}, postgres: []string{"DROP TABLE users"}, mysql: []string{"DROP TABLE users"}, mongo: []string{`{"drop": "users"}`},
		say: "users is gone", right: ": create ",
	},
}

func (b base) beside(c beside) bool {
	b.Helper()
	if b.db.Mongo != nil {
		b.store().run(c.mongo...)
		return len(c.mongo) > 0
	}
	statements := map[string][]string{"sqlite": c.sqlite, "postgres": c.postgres, "mysql": c.mysql}[b.db.SQL.Dialect()]
	b.sql().exec(statements...)
	return len(statements) > 0
}

// What others changed is told apart from what the schema wants, undoes nothing, and is put right.
func TestWhatOthersChangedIsSaid(t *testing.T) {
	for name, c := range besides {
		t.Run(name, func(t *testing.T) {
			onEvery(t, func(t *testing.T, b base) {
				b.apply(watched, Options{})
				b.run("INSERT INTO posts (id, title) VALUES ('p1', 'One')", `{"insert": "posts", "documents": [{"_id": "p1", "title": "One"}]}`)
				if plan := b.plan(watched, Keep); len(plan.Drift) > 0 || !plan.Empty() {
					t.Fatalf("nobody changed anything:\n%s", plan)
				}
				if !b.beside(c) {
					t.Skip("there is no such thing in this kind of database")
				}
				next := strings.Replace(watched, "views: Int", "likes: Int  views: Int", 1)
				plan := b.plan(next, Keep)
				text := plan.String()
				if !strings.Contains(text, "changed outside: ") || !strings.Contains(text, c.say) {
					t.Fatalf("the plan does not say %q\n%s", c.say, text)
				}
				if c.right == "" && !strings.Contains(text, "not ours, left alone: drop it in the database, or say it in the schema") || !strings.Contains(text, c.right) {
					t.Errorf("the plan does not say how it is put right: %q\n%s", c.right, text)
				}
				if lacks := b.plan(watched, Keep).Lacks(); (len(lacks) > 0) != (c.right != "") {
					t.Errorf("the schema lacks %v", lacks)
				}
				b.refused(Options{AllowDestroy: true, StructureOnly: true}, " was not undone", "changed outside: ", c.say)
				b.apply(watched, Options{AllowDestroy: true})
				if c.right == "" {
					return
				}
				if left := b.plan(watched, Exact); !left.Empty() || len(left.Drift) > 0 {
					t.Errorf("it was not put right:\n%s", left)
				}
			})
		})
	}
}

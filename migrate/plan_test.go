package migrate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the plans in testdata")

// TestPlansReadWell holds what a plan of an edit says, of everything that can be said, in each kind
// of database: a file for each, to be read by people.
func TestPlansReadWell(t *testing.T) {
	const from = `
enum State { OPEN CLOSED LATER }
type User @auth(read: "true", create: "true") { id: ID! @primary  email: String  name: String! @size(max: 100)  joined: String }
type Post @auth(read: "true", create: "true") {
  id: ID! @primary  title: String! @size(max: 100)  body: String  views: Int  price: Decimal  state: State  authorId: ID  slug: String @size(max: 100)  mood: String  label: String
}
type Draft @auth(read: "true", create: "true") { id: ID! @primary }
type Empty @auth(read: "true", create: "true") { id: ID! @primary }`
	const to = `
enum State { OPEN CLOSED }
type User @auth(read: "true", create: "true") { id: ID! @primary  email: String!  name: String! @size(max: 3)  joined: DateTime }
type Post @auth(read: "true", create: "true") {
  id: ID! @primary  headline: String! @size(max: 100) @renamed(from: "title")  views: String  price: Int  state: State  authorId: ID  slug: String @size(max: 100) @unique
  mood: String! @default(value: "calm")  kind: String!  likes: Int! @default(value: 0) @index  author: User @link(from: "authorId", to: "id")  label: DateTime
}
type Tag @auth(read: "true", create: "true") { id: ID! @primary  post: Post @link }`
	onEvery(t, func(t *testing.T, b base) {
		b.apply(from, Options{})
		for i := range 20 {
			email, author, slug, state := "NULL", "u1", fmt.Sprint("s", i), "OPEN"
			if i > 16 {
				email, author, slug, state = fmt.Sprintf("'%d@x'", i), "gone", "same", "LATER"
			}
			b.run(fmt.Sprintf("INSERT INTO users (id, email, name, joined) VALUES ('u%d', %s, 'Ann%d', '2026')", i, email, i),
				strings.ReplaceAll(strings.ReplaceAll(fmt.Sprintf(`{"insert": "users", "documents": [{"_id": "u%d", "email": %s, "name": "Ann%d", "joined": "2026"}]}`, i, email, i), "'", `"`), "NULL", "null"))
			b.run(fmt.Sprintf("INSERT INTO posts (id, title, body, views, price, state, author_id, slug) VALUES ('p%02d', 'One', 'text', %d, '1.5', '%s', '%s', '%s')", i, i, state, author, slug),
				fmt.Sprintf(`{"insert": "posts", "documents": [{"_id": "p%02d", "title": "One", "body": "text", "views": %d, "price": {"$numberDecimal": "1.5"}, "state": "%s", "author_id": "%s", "slug": "%s"}]}`, i, i, state, author, slug))
		}
		b.run("INSERT INTO drafts (id) VALUES ('d1')", `{"insert": "drafts", "documents": [{"_id": "d1"}]}`)
		got := b.plan(to, Exact).String()
		got = regexp.MustCompile(`sc_[0-9a-z_]+\.|"renameCollection":"[^".]+\.|"to":"[^".]+\.`).ReplaceAllString(got, "…")
		file := filepath.Join("testdata", "plans", strings.ToLower(filepath.Base(t.Name()))+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != got {
			t.Errorf("the plan is not that of %s (%v; -update rewrites it):\n%s", file, err, got)
		}
	})
}

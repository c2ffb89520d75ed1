package writes

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/tests/served"
)

const threads = `
type Post @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  title: String  comments: [Comment!]! @link  tags: [Tag!]! @link }
type Comment @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  body: String  post: Post @link(onDelete: CASCADE) }
type Tag @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  name: String @unique  n: Int  posts: [Post!]! @link }
`

// Rows that are written along cost statements by type, not by row. The commit is one of them.
func TestStatementsAreAsManyAsTypes(t *testing.T) { served.Each(t, statementsAreAsManyAsTypes) }

func statementsAreAsManyAsTypes(t *testing.T, on served.Kind) {
	w := newWorld(t, on, threads)
	many := func(n int, of string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(of, i))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	single, told := 2, 3 // a write and a commit; with a row to read between them
	if _, ok := w.driver.Driver.(driver.Alone); ok {
		single = 1
	}
	if w.driver.Features().Returning {
		told = 1
	}
	for _, c := range []struct {
		what, text string
		most       int
	}{
		{"1 + 10", `mutation { insertPost(doc: {id: "a", comments: {create: ` + many(10, `{id: "%d"}`) + `}}) { id } }`, 4},
		{"20 × (1 + 10)", `mutation { insertPosts(docs: ` + many(20, `{id: "p%d", comments: {create: `+strings.ReplaceAll(many(10, `{body: "%d"}`), "%", "%%")+`}}`) + `) { affected } }`, 3},
		{"a post with 10 new tags and 10 tags", `mutation { a: insertTags(docs: ` + many(10, `{id: "%d"}`) + `) { affected }
			insertPost(doc: {id: "b", tags: {create: ` + many(10, `{id: "n%d"}`) + `, connect: ` + many(10, `{id: "%d"}`) + `}}) { id } }`, 9},
		{"10 comments moved", `mutation { updatePost(id: "b", set: {comments: {connect: ` + many(10, `{id: "%d"}`) + `}}) { id } }`, 9},
		{"an upsert of 10 new and 10 old", `mutation { upsertTags(docs: ` + many(20, `{id: "%d", n: 1}`) + `) { affected } }`, 5},
		{"one write, of which nobody asks for rows", `mutation { insertTags(docs: [{id: "z"}, {id: "y"}]) { affected } }`, single},
		{"one row that tells its columns", `mutation { updateTag(id: "z", inc: {n: 1}) { n name } }`, told},
		{"one new row that tells its columns", `mutation { insertTag(doc: {id: "x"}) { id n } }`, told},
		{"a delete that takes nothing along", `mutation { deleteComments(where: {id: {_eq: "none"}}) { affected } }`, single},
		{"a delete with its comments and tags", `mutation { deletePost(id: "b") { id } }`, 8},
	} {
		if !w.driver.Features().ForeignKeys {
			c.most++ // whether the posts of the comments are there
		}
		w.driver.statements = 0
		answer := w.ask(c.text, nil)
		if w.driver.statements > c.most || strings.Contains(answer, "errors") {
			t.Errorf("%s: %d statements, want at most %d\n%s", c.what, w.driver.statements, c.most, answer)
		}
	}
}

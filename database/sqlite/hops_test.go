package sqlite

import (
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// No hop reads a table from its beginning to its end, whatever the rows of the root: the keys
// of links are indexed, and full-text indexes are asked once.
func TestHopsAreServedByIndexes(t *testing.T) {
	s := parse(t, `
type User { id: ID! @primary  name: String!  posts: [Post!]! @link  groups: [Group!]! @link(through: "Membership") }
type Post { id: ID! @primary  title: String! @search  author: User @link  tags: [Tag!]! @link }
type Tag { id: ID! @primary  name: String!  posts: [Post!]! @link }
type Group { id: ID! @primary  name: String! }
type Membership { id: ID! @primary  user: User! @link  group: Group! @link  open: Boolean }`)
	d := openFile(t, s.Types)
	user, post := s.Type("User"), s.Type("Post")
	named := func(of string) query.Where {
		return query.Compare{Left: query.Col(s.Type(of).Field("name")), Op: query.Eq, Right: query.ArgAt(0)}
	}
	open := query.Compare{Left: query.Col(s.Type("Membership").Field("open")), Op: query.Eq, Right: query.Const(schema.Bool(true))}
	count := func(f *schema.Field, w query.Where) query.Where {
		return query.Count{Link: f, Where: w, Op: query.Gt, Right: query.ArgAt(0)}
	}
	for _, l := range []query.Level{
		{Type: post, Where: query.One{Link: post.Field("author"), Where: named("User")}},
		{Type: post, Where: query.Some{Link: post.Field("author"), Where: named("User")}},
		{Type: post, Where: query.Some{Link: post.Field("tags"), Where: named("Tag")}},
		{Type: post, Where: query.Not{Where: query.Some{Link: post.Field("tags"), Where: query.Untrue{Where: named("Tag")}}}},
		{Type: post, Where: count(post.Field("tags"), nil)},
		{Type: user, Where: count(user.Field("posts"), nil)},
		{Type: user, Where: query.Some{Link: user.Field("posts"), Where: query.Some{Link: post.Field("tags"), Where: named("Tag")}}},
		{Type: user, Where: query.Some{Link: user.Field("groups"), Through: open, Where: named("Group")}},
		{Type: user, Where: query.Count{Link: user.Field("groups"), Through: open, Where: named("Group"), Op: query.Eq, Right: query.ArgAt(0)}},
		{Type: post, Where: query.Search{Type: post, Words: query.ArgAt(0)}},
		{Type: post, OrderBy: []query.Order{{Field: user.Field("name"), Via: []*schema.Field{post.Field("author")}}}},
	} {
		l.Columns = cells(l.Type, "id")
		plan := explained(t, d, l)
		for line := range strings.Lines(plan) {
			if strings.Contains(line, "SCAN") && !strings.Contains(line, "SCAN t0") && !strings.Contains(line, "VIRTUAL TABLE") {
				t.Errorf("%s\n%s", l.Where, plan)
			}
		}
	}
}

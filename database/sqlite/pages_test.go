package sqlite

import (
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// A page after a cursor begins where an index says: nothing before it is read, and nothing is
// sorted.
func TestPagesUseIndexes(t *testing.T) {
	s := parse(t, `
type User { id: ID! @primary  posts: [Post!]! @link }
type Post @index(fields: ["-at", "id"]) @index(fields: ["views", "id"]) @index(fields: ["authorId", "-at", "id"]) {
  id: ID! @primary
  views: Int!
  at: DateTime!
  nullable: Int @index
  author: User! @link
}`)
	d := openFile(t, s.Types)
	post, links := s.Type("Post"), s.Type("User").Field("posts")
	arg := func(i int, f *schema.Field) query.Operand {
		return query.Operand{Kind: query.Arg, Index: i, Scalar: f.Scalar}
	}
	for _, test := range []struct {
		name  string
		order []query.Order
		via   *query.Via
		want  string
	}{
		{"by key", nil, nil, "SEARCH t0 USING INDEX sqlite_autoindex_posts_1 (id>?)"},
		{"descending", []query.Order{{Field: post.Field("at"), Desc: true}}, nil, "SEARCH t0 USING INDEX posts_at_id_idx (at<?)"},
		{"ascending", []query.Order{{Field: post.Field("views")}}, nil, "SEARCH t0 USING INDEX posts_views_id_idx (views>?)"},
		{
			"of parents",
			[]query.Order{{Field: post.Field("at"), Desc: true}},
			&query.Via{Link: links},
			"SEARCH t2 USING INDEX posts_author_id_at_id_idx (author_id=? AND at<?)",
		},
		{
			"backward", query.Reverse([]query.Order{{Field: post.Field("at"), Desc: true}, {Field: post.Field("id")}}), nil,
			"SEARCH t0 USING INDEX posts_at_id_idx (at>?)",
		},
	} {
		orders := query.Complete(post, test.order)
		values := make([]query.Operand, len(orders))
		for i, o := range orders {
			values[i] = arg(i, o.Field)
		}
		l := query.Level{
			Type: post, Columns: cells(post, "id"), Where: query.Beyond(orders, values), OrderBy: orders, Via: test.via,
			Limit: query.Const(schema.Integer(21)),
		}
		plan := strings.ReplaceAll(explained(t, d, l), "COVERING ", "")
		sorts := test.via == nil && strings.Contains(plan, "TEMP B-TREE")
		if !strings.Contains(plan, test.want) || strings.Contains(plan, "MULTI-INDEX") || sorts {
			t.Errorf("%s: %s\nis done by\n%s", test.name, query.Beyond(orders, values), plan)
		}
	}
}

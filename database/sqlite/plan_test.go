package sqlite

import (
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// explained is SQLite's plan for a level, a line each step.
func explained(t *testing.T, d *Driver, l query.Level) string {
	t.Helper()
	prepared, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.readers.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer d.readers.give(c)
	s, err := c.prepare("EXPLAIN QUERY PLAN " + prepared.String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.finalize()
	var lines []string
	for {
		more, err := s.step()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, string(s.content(3)))
	}
}

// Every key and every link goes by an index, and what an index orders is not sorted.
func TestPlans(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	user, post, tag := s.Type("User"), s.Type("Post"), s.Type("Tag")
	n := query.Const(schema.Integer(3))
	compare := func(f *schema.Field, op query.Op) query.Where {
		return query.Compare{Left: query.Col(f), Op: op, Right: query.ArgAt(0)}
	}
	posts := &query.Via{Link: user.Field("posts")}
	tags := &query.Via{Link: post.Field("tags")}
	byID := []query.Order{{Field: post.Field("id")}}
	byTime := []query.Order{{Field: post.Field("at")}, byID[0]}
	byTag := []query.Order{{Field: tag.Field("id")}}
	for _, c := range []struct {
		name   string
		level  query.Level
		want   []string
		sorted bool // by SQLite, in memory
	}{
		{"to-many", query.Level{Type: post, Via: posts, OrderBy: byID}, []string{"posts_author_id_idx"}, true},
		{"to-many, paged", query.Level{Type: post, Via: posts, OrderBy: byID, Limit: n}, []string{"posts_author_id_idx", "INTEGER PRIMARY KEY"}, true},
		{"to-one", query.Level{Type: user, Via: &query.Via{Link: post.Field("author"), Single: true}}, []string{"sqlite_autoindex_users_1 (id=?)"}, false},
		{"by key", query.Level{Type: user, Via: &query.Via{Single: true}}, []string{"sqlite_autoindex_users_1 (id=?)"}, false},
		{"through", query.Level{Type: tag, Via: tags, OrderBy: byTag}, []string{"sqlite_autoindex_tags_1 (id=?)", "(post_id=?)"}, true},
		{"through, paged", query.Level{Type: tag, Via: tags, OrderBy: byTag, Limit: n}, []string{"sqlite_autoindex_tags_1 (id=?)", "(post_id=?)"}, true},
		{"order by key", query.Level{Type: post, OrderBy: byID, Limit: n}, []string{"sqlite_autoindex_posts_1"}, false},
		{"order by a nullable column", query.Level{Type: post, OrderBy: byTime[:1], Limit: n}, []string{"posts_at_idx"}, false},
		{"starts with", query.Level{Type: user, Where: compare(user.Field("email"), query.StartsWith)}, []string{"users_email_key (email>? AND email<?)"}, false},
		{"like", query.Level{Type: user, Where: compare(user.Field("email"), query.Like)}, []string{"users_email_key (email>? AND email<?)"}, false},
		{"in", query.Level{Type: user, Where: compare(user.Field("id"), query.In)}, []string{"sqlite_autoindex_users_1 (id=?)"}, false},
		{"some", query.Level{Type: user, Where: query.Some{Link: user.Field("posts"), Where: query.True}}, []string{"posts_author_id_idx (author_id=?)"}, false},
		{"the key behind a link", query.Level{Type: post, Where: query.Compare{
			Left: query.Operand{Kind: query.Column, Field: user.Field("id"), Via: []*schema.Field{post.Field("author")}}, Right: query.ClaimAt(0),
		}}, []string{"posts_author_id_idx (author_id=?)"}, false},
	} {
		c.level.Columns = cells(c.level.Type, "id")
		plan := explained(t, d, c.level)
		for _, want := range c.want {
			if !strings.Contains(plan, want) {
				t.Errorf("%s: the plan has no %s\n%s", c.name, want, plan)
			}
		}
		if sorts := strings.Contains(plan, "B-TREE FOR ORDER BY"); sorts != c.sorted {
			t.Errorf("%s: sorted %t\n%s", c.name, sorts, plan)
		}
	}
}

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

func TestPlan(t *testing.T) {
	s := parse(t, blog)
	d := openFile(t, s.Types)
	user, post, tag := s.Type("User"), s.Type("Post"), s.Type("Tag")
	n := query.Const(schema.Integer(3))
	byID := []query.Order{{Field: post.Field("id")}}
	for _, c := range []query.Level{
		{Type: post, Columns: cells(post, "id"), Via: &query.Via{Link: user.Field("posts")}, OrderBy: byID},
		{Type: post, Columns: cells(post, "id"), Via: &query.Via{Link: user.Field("posts")}, OrderBy: byID, Limit: n},
		{Type: user, Columns: cells(user, "id"), Via: &query.Via{Link: post.Field("author"), Single: true}},
		{Type: tag, Columns: cells(tag, "id"), Via: &query.Via{Link: post.Field("tags")}, OrderBy: []query.Order{{Field: tag.Field("id")}}},
		{Type: tag, Columns: cells(tag, "id"), Via: &query.Via{Link: post.Field("tags")}, OrderBy: []query.Order{{Field: tag.Field("id")}}, Limit: n},
		{Type: post, Columns: cells(post, "id"), OrderBy: byID},
		{Type: post, Columns: cells(post, "id"), OrderBy: []query.Order{{Field: post.Field("at")}, byID[0]}, Limit: n},
		{Type: post, Columns: cells(post, "id"), OrderBy: []query.Order{{Field: post.Field("at"), Desc: true}, byID[0]}, Limit: n},
		{Type: user, Columns: cells(user, "id"), Where: query.Compare{Left: query.Col(user.Field("email")), Op: query.StartsWith, Right: query.ArgAt(0)}},
		{Type: user, Columns: cells(user, "id"), Where: query.Compare{Left: query.Col(user.Field("email")), Op: query.Like, Right: query.ArgAt(0)}},
		{Type: user, Columns: cells(user, "id"), Where: query.Compare{Left: query.Col(user.Field("id")), Op: query.In, Right: query.ArgAt(0)}},
		{Type: user, Columns: cells(user, "id"), Where: query.Some{Link: user.Field("posts"), Where: query.True}},
		{Type: post, Columns: cells(post, "id"), Where: query.Compare{Left: query.Operand{Kind: query.Column, Field: user.Field("id"), Via: []*schema.Field{post.Field("author")}}, Op: query.Eq, Right: query.ClaimAt(0)}},
		{Type: post, Columns: cells(post, "id"), Where: query.Some{Link: post.Field("tags"), Where: query.Compare{Left: query.Col(tag.Field("name")), Op: query.Eq, Right: query.ClaimAt(0)}}},
	} {
		p, _ := d.Prepare(rules.System(c))
		t.Logf("%s\n%s\n", p, explained(t, d, c))
	}
}

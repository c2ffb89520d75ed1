package mysql

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const blog = `
type User { id: ID! @primary  name: String!  email: String @unique  posts: [Post!]! @link  groups: [Group!]! @link(through: "Membership") }
type Post @index(fields: ["-at", "id"]) @index(fields: ["views", "title"]) @index(fields: ["authorId", "-at", "id"]) {
  id: ID! @primary  title: String! @size(max: 100)  views: Int!  nullable: Int @index  author: User! @link  tags: [Tag!]! @link  at: DateTime!
}
type Tag { id: ID! @primary @autoIncrement  name: String! @unique  posts: [Post!]! @link }
type Group { id: ID! @primary  name: String! }
type Membership { id: ID! @primary  user: User! @link  group: Group! @link }
`

func blogDriver(t *testing.T) (*Driver, *schema.Schema) {
	s, err := schema.Parse(schema.Source{Name: "blog.graphql", Text: blog})
	if err != nil {
		t.Fatal(err)
	}
	d := openDriver(t)
	createTables(t, d, s.Types)
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	join := s.Type("Post").Field("tags").Link
	for _, text := range []string{
		"CREATE TEMPORARY TABLE n (i INT PRIMARY KEY)",
		"INSERT INTO n WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 1000) SELECT i FROM r",
		"INSERT INTO n SELECT i + 1000 FROM n",
		"INSERT INTO users (id, name, email) SELECT CONCAT('u', i), 'Somebody', CONCAT('u', i) FROM n",
		"INSERT INTO posts (id, title, views, nullable, author_id, at) SELECT CONCAT('p', i), 'Title', i, i, CONCAT('u', 1 + i % 1000), NOW() - INTERVAL i SECOND FROM n",
		"INSERT INTO tags (id, name) SELECT i, CONCAT('t', i) FROM n WHERE i <= 500",
		"INSERT INTO `groups` (id, name) SELECT CONCAT('g', i), 'Group' FROM n WHERE i <= 100",
		"INSERT INTO memberships (id, user_id, group_id) SELECT CONCAT('m', i), CONCAT('u', i), CONCAT('g', 1 + i % 100) FROM n",
		fmt.Sprintf("INSERT INTO %s (%s, %s) SELECT CONCAT('p', i), 1 + i %% 500 FROM n", join.Through.Table, join.ThroughFrom[0].Column, join.ThroughTo[0].Column),
		"ANALYZE TABLE users, posts, tags, `groups`, memberships, " + join.Through.Table,
	} {
		if _, err := c.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	return d, s
}

// step is how a plan reads one table: by which index, and what it says besides.
type step struct{ kind, table, how, key, extra string }

// explained is the plan for a level with these values.
func explained(t *testing.T, d *Driver, l query.Level, b query.Binding) (plan []step, text string) {
	t.Helper()
	prepared, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	s := prepared.(*statement)
	of := &s.Statement
	if s.width > 0 && len(b.Keys) == s.width {
		of = s.one
	}
	var values args
	if err := values.params(of.Params, &b); err != nil {
		t.Fatal(err)
	}
	bound := make([]any, len(values.values))
	for i, v := range values.values {
		bound[i] = v
	}
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	rows, err := c.QueryContext(t.Context(), "EXPLAIN "+of.Text, bound...)
	if err != nil {
		t.Fatalf("%v\n%s", err, of.Text)
	}
	defer rows.Close()
	for rows.Next() {
		var cells [10]sql.NullString
		into := make([]any, len(cells))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, step{cells[1].String, cells[2].String, cells[3].String, cells[5].String, cells[9].String})
	}
	return plan, of.Text
}

// seen is whether a post is one of two by columns of an index.
func seen(post *schema.Type) query.Among {
	return query.Among{
		Columns: []query.Operand{query.Col(post.Field("views")), query.Col(post.Field("title"))},
		Keys:    query.Const(schema.List([]schema.Value{schema.Integer(1), schema.Text("Title"), schema.Integer(2), schema.Text("Title")})),
	}
}

// Every key, link, hop and list goes by an index, and what an index orders is not sorted.
func TestPlans(t *testing.T) {
	d, s := blogDriver(t)
	user, post, tag := s.Type("User"), s.Type("Post"), s.Type("Tag")
	text := func(n int) (vs []schema.Value) {
		for i := range n {
			vs = append(vs, schema.Text(fmt.Sprint("u", i+1)))
		}
		return vs
	}
	n := query.Const(schema.Integer(20))
	is := func(f *schema.Field, op query.Op, v schema.Value) query.Where {
		return query.Compare{Left: query.Col(f), Op: op, Right: query.Const(v)}
	}
	five := schema.List(text(5))
	posts, tags := &query.Via{Link: user.Field("posts")}, &query.Via{Link: post.Field("tags")}
	byID := []query.Order{{Field: post.Field("id")}}
	newest := []query.Order{{Field: post.Field("at"), Desc: true}, byID[0]}
	among := seen(post)
	for _, c := range []struct {
		name   string
		level  query.Level
		keys   []schema.Value
		want   string // the indexes, by tables
		sorted bool
	}{
		{"by key", query.Level{Type: user, Via: &query.Via{Single: true}}, text(5), "PRIMARY", true},
		{"by one key", query.Level{Type: user, Via: &query.Via{Single: true}}, text(1), "PRIMARY", false},
		{"list", query.Level{Type: post, OrderBy: newest, Limit: n}, nil, "posts_at_id_idx", false},
		{"list by key", query.Level{Type: post, OrderBy: byID, Limit: n}, nil, "PRIMARY", false},
		{"list by a nullable column", query.Level{Type: post, OrderBy: []query.Order{{Field: post.Field("nullable")}}, Limit: n}, nil, "posts_nullable_idx", true},
		{"to-many", query.Level{Type: post, Via: posts, OrderBy: newest}, text(5), "posts_author_id_at_id_idx", true},
		{"to-many, some", query.Level{Type: post, Via: posts, OrderBy: newest, Limit: n}, text(5), "PRIMARY posts_author_id_at_id_idx", true},
		{"to-many, of one", query.Level{Type: post, Via: posts, OrderBy: newest, Limit: n}, text(1), "posts_author_id_at_id_idx", false},
		{"to-one", query.Level{Type: user, Via: &query.Via{Link: post.Field("author"), Single: true}}, text(5), "PRIMARY", true},
		{"through", query.Level{Type: tag, Via: tags, OrderBy: []query.Order{{Field: tag.Field("id")}}}, text(5), "PRIMARY PRIMARY", true},
		{"counts", query.Level{Type: post, Via: posts, Count: true}, text(5), "posts_author_id_at_id_idx", true},
		{"equal", query.Level{Type: user, Where: is(user.Field("email"), query.Eq, text(1)[0])}, nil, "users_email_key", false},
		{"starts with", query.Level{Type: user, Where: is(user.Field("email"), query.StartsWith, schema.Text("u99"))}, nil, "users_email_key", false},
		{"in", query.Level{Type: user, Where: is(user.Field("id"), query.In, five)}, nil, "PRIMARY", false},
		{"in a nullable column", query.Level{Type: user, Where: is(user.Field("email"), query.In, five)}, nil, "users_email_key", false},
		{"keys of several columns", query.Level{Type: post, Where: among}, nil, "posts_views_title_idx", false},
		{"some", query.Level{Type: user, Where: query.Some{Link: user.Field("posts"), Where: is(post.Field("views"), query.Eq, schema.Integer(7))}}, nil, "PRIMARY posts_views_title_idx", false},
		{"some tag", query.Level{Type: post, Where: query.Some{Link: post.Field("tags"), Where: is(tag.Field("name"), query.Eq, schema.Text("t7"))}}, nil, "tags_name_key posts_tags_tag_id_idx PRIMARY", false},
		{"one", query.Level{Type: post, Where: query.And{is(post.Field("nullable"), query.Eq, schema.Integer(7)), query.One{Link: post.Field("author"), Where: is(user.Field("name"), query.Eq, schema.Text("x"))}}}, nil, "posts_nullable_idx PRIMARY", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.level.Columns = []query.Cell{{Field: c.level.Type.Field("id")}}
			plan, statement := explained(t, d, c.level, query.Binding{Keys: c.keys})
			var keys []string
			for _, s := range plan {
				if s.key != "" && !strings.HasPrefix(s.table, "<") {
					keys = append(keys, s.key)
				}
				if !strings.HasPrefix(s.table, "<") && !strings.Contains(s.extra, "json_table") && (s.how == "ALL" || s.how == "index" && c.level.Limit.IsZero()) {
					t.Errorf("it reads all of %s", s.table)
				}
				if !c.sorted && strings.Contains(s.extra, "filesort") {
					t.Errorf("it sorts %s", s.table)
				}
			}
			if got := strings.Join(keys, " "); got != c.want {
				t.Errorf("by %s, not by %s", got, c.want)
			}
			if t.Failed() {
				t.Logf("%+v\n%s", plan, statement)
			}
		})
	}
}

// Where no index leads to the rows, a list is kept by its values, and not gone through for each row.
func TestListsAreKept(t *testing.T) {
	d, s := blogDriver(t)
	post := s.Type("Post")
	titles := query.Compare{Left: query.Col(post.Field("title")), Op: query.In, Right: query.Const(schema.List([]schema.Value{schema.Text("a"), schema.Text("b")}))}
	for _, w := range []query.Where{
		query.Not{Where: titles},
		query.Or{query.IsNull{Operand: query.Col(post.Field("nullable"))}, titles},
		query.Not{Where: seen(post)},
		query.Or{query.IsNull{Operand: query.Col(post.Field("nullable"))}, seen(post)},
	} {
		l := query.Level{Type: post, Columns: []query.Cell{{Field: post.Field("id")}}, Where: w}
		plan, statement := explained(t, d, l, query.Binding{})
		if len(plan) != 2 || plan[1].kind != "MATERIALIZED" {
			t.Errorf("%+v\n%s", plan, statement)
		}
	}
}

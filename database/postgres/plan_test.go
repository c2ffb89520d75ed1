package postgres

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// explained is the plan for a level, whatever its parameters will be, a line each step. Tables are
// small here, so what would be right for large ones has to be said.
func explained(t *testing.T, d *Driver, l query.Level, one bool) string {
	t.Helper()
	prepared, err := d.Prepare(rules.System(l))
	if err != nil {
		t.Fatal(err)
	}
	s := prepared.(*statement)
	text, params := s.Text, len(s.Params)
	if one {
		text, params = s.one.Text, len(s.one.Params)
	}
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	execute := "EXECUTE asked"
	if params > 0 {
		execute += "(" + strings.TrimSuffix(strings.Repeat("NULL, ", params), ", ") + ")"
	}
	for _, say := range []string{"SET enable_seqscan = off", "SET plan_cache_mode = force_generic_plan", "PREPARE asked AS " + text} {
		if _, err := c.ExecContext(t.Context(), say); err != nil {
			t.Fatalf("%v\n%s", err, say)
		}
	}
	defer c.ExecContext(t.Context(), "DEALLOCATE asked")
	rows, err := c.QueryContext(t.Context(), "EXPLAIN (COSTS off) "+execute)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

const blog = `
type User { id: ID! @primary  name: String!  email: String @unique  posts: [Post!]! @link  age: Int  groups: [Group!]! @link(through: "Membership") }
type Post @index(fields: ["-at", "id"]) @index(fields: ["views", "id"]) @index(fields: ["authorId", "-at", "id"]) {
  id: ID! @primary  title: String!  views: Int!  nullable: Int @index  author: User! @link  tags: [Tag!]! @link  at: DateTime!
}
type Tag { id: ID! @primary @autoIncrement  name: String! @unique  posts: [Post!]! @link }
type Group { id: ID! @primary  name: String! }
type Membership { id: ID! @primary  user: User! @link  group: Group! @link  open: Boolean }
`

func blogDriver(t *testing.T) (*Driver, *schema.Schema) {
	s := parse(t, blog)
	d := openDriver(t)
	createTables(t, d, s.Types)
	run(t, d, `INSERT INTO users (id, name, email) SELECT 'u' || i, 'Somebody', 'u' || i FROM generate_series(1, 2000) i;
		INSERT INTO posts (id, title, views, nullable, author_id, at) SELECT 'p' || i, 'Title', i, i, 'u' || (1 + i % 2000), now() - i * interval '1 s' FROM generate_series(1, 20000) i;
		INSERT INTO tags (id, name) SELECT i, 't' || i FROM generate_series(1, 500) i;
		INSERT INTO groups (id, name) SELECT 'g' || i, 'Group' FROM generate_series(1, 100) i;
		INSERT INTO memberships (id, user_id, group_id) SELECT 'm' || i, 'u' || i, 'g' || (1 + i % 100) FROM generate_series(1, 2000) i`)
	join := s.Type("Post").Field("tags").Link
	run(t, d, fmt.Sprintf(`INSERT INTO %s (%s, %s) SELECT 'p' || i, 1 + i %% 500 FROM generate_series(1, 20000) i; ANALYZE`,
		quoted(join.Through.Table), quoted(join.ThroughFrom[0].Column), quoted(join.ThroughTo[0].Column)))
	return d, s
}

// Every key, link and hop goes by an index, what an index orders is not sorted, and nothing is
// sorted above the rows of keys.
func TestPlans(t *testing.T) {
	d, s := blogDriver(t)
	user, post, tag := s.Type("User"), s.Type("Post"), s.Type("Tag")
	n := query.Operand{Kind: query.Arg, Index: 1, Scalar: schema.Int}
	compare := func(f *schema.Field, op query.Op) query.Where {
		return query.Compare{Left: query.Col(f), Op: op, Right: query.Operand{Kind: query.Arg, Scalar: f.Scalar}}
	}
	posts, tags := &query.Via{Link: user.Field("posts")}, &query.Via{Link: post.Field("tags")}
	byID := []query.Order{{Field: post.Field("id")}}
	newest := []query.Order{{Field: post.Field("at"), Desc: true}, byID[0]}
	name := func(typ string) query.Where { return compare(s.Type(typ).Field("name"), query.Eq) }
	for _, c := range []struct {
		name   string
		level  query.Level
		one    bool // of one key
		want   []string
		sorted bool
	}{
		{"to-many", query.Level{Type: post, Via: posts, OrderBy: newest, Limit: n}, false, []string{"posts_author_id_at_id_idx", "WITH ORDINALITY|Function Scan on unnest"}, false},
		{"to-many, of one", query.Level{Type: post, Via: posts, OrderBy: newest, Limit: n}, true, []string{"posts_author_id_at_id_idx"}, false},
		{"to-many, all", query.Level{Type: post, Via: posts, OrderBy: newest}, false, []string{"posts_author_id_at_id_idx"}, true}, // a few rows: a bitmap and a sort are as good
		{"to-one", query.Level{Type: user, Via: &query.Via{Link: post.Field("author"), Single: true}}, false, []string{"users_pkey"}, false},
		{"by key", query.Level{Type: user, Via: &query.Via{Single: true}}, false, []string{"users_pkey"}, false},
		{"by one key", query.Level{Type: user, Via: &query.Via{Single: true}}, true, []string{"users_pkey"}, false},
		{"through", query.Level{Type: tag, Via: tags, OrderBy: []query.Order{{Field: tag.Field("id")}}, Limit: n}, false, []string{"tags_pkey", "posts_tags"}, true},
		{"counts", query.Level{Type: post, Via: posts, Count: true}, false, []string{"posts_author_id"}, false},
		{"groups", query.Level{Type: post, Via: &query.Via{Link: user.Field("posts"), Single: true}, Groups: &query.Groups{Measures: []query.Measure{{Fn: query.CountRows}}}}, false, []string{"posts_author_id"}, false},
		{"order by key", query.Level{Type: post, OrderBy: byID, Limit: n}, false, []string{"posts_pkey"}, false},
		{"order by a nullable column", query.Level{Type: post, OrderBy: []query.Order{{Field: post.Field("nullable")}}, Limit: n}, false, []string{"posts_nullable_idx"}, false},
		{"descending, too", query.Level{Type: post, OrderBy: []query.Order{{Field: post.Field("nullable"), Desc: true}}, Limit: n}, false, []string{"posts_nullable_idx"}, false},
		{"starts with", query.Level{Type: user, Where: compare(user.Field("email"), query.StartsWith)}, false, []string{"users_email_key", "Index Cond"}, false},
		{"like", query.Level{Type: user, Where: compare(user.Field("email"), query.Like)}, false, []string{"users_email_key", "Index Cond"}, false},
		{"in", query.Level{Type: user, Where: compare(user.Field("id"), query.In)}, false, []string{"users_pkey", "ANY"}, false},
		{"in integers", query.Level{Type: tag, Where: compare(tag.Field("id"), query.In)}, false, []string{"tags_pkey", "ANY"}, false},
		{"an Int", query.Level{Type: post, Where: compare(post.Field("nullable"), query.Eq)}, false, []string{"posts_nullable_idx"}, false},
		{"greater", query.Level{Type: user, Where: compare(user.Field("email"), query.Gt), OrderBy: []query.Order{{Field: user.Field("id")}}, Limit: n}, false, []string{"users_"}, false},
		{"some", query.Level{Type: user, Where: query.Some{Link: user.Field("posts"), Where: compare(post.Field("title"), query.Eq)}}, false, []string{"posts_author_id"}, true},
		{"some tag", query.Level{Type: post, Where: query.Some{Link: post.Field("tags"), Where: name("Tag")}}, false, []string{"posts_tags", "tags_name_key"}, true},
		{"some group", query.Level{Type: user, Where: query.Some{Link: user.Field("groups"), Where: name("Group")}}, false, []string{"memberships_"}, true},
		{"one", query.Level{Type: post, Where: query.One{Link: post.Field("author"), Where: name("User")}}, false, []string{"users_pkey"}, false},
		{"a count", query.Level{Type: user, Where: query.Count{Link: user.Field("posts"), Op: query.Gt, Right: n}}, false, []string{"posts_author_id"}, false},
		{"order behind a link", query.Level{Type: post, OrderBy: []query.Order{{Field: user.Field("name"), Via: []*schema.Field{post.Field("author")}}}}, false, []string{"users_pkey"}, true},
	} {
		c.level.Columns = cells(c.level.Type, "id")
		plan := explained(t, d, c.level, c.one)
		for _, want := range c.want {
			if first, second, _ := strings.Cut(want, "|"); !strings.Contains(plan, first) && (second == "" || !strings.Contains(plan, second)) {
				t.Errorf("%s: the plan has no %s\n%s", c.name, want, plan)
			}
		}
		if !c.sorted && strings.Contains(plan, "Sort") {
			t.Errorf("%s: it sorts\n%s", c.name, plan)
		}
		if c.level.Via != nil && (strings.HasPrefix(plan, "Sort") || strings.HasPrefix(plan, "Incremental")) {
			t.Errorf("%s: it sorts the rows of all keys\n%s", c.name, plan)
		}
	}
}

// A page after a cursor begins where an index says: nothing before it is read, and nothing is
// sorted.
func TestPagesUseIndexes(t *testing.T) {
	d, s := blogDriver(t)
	post := s.Type("Post")
	for _, test := range []struct {
		name  string
		order []query.Order
		want  string
	}{
		{"by key", nil, "posts_pkey"},
		{"descending", []query.Order{{Field: post.Field("at"), Desc: true}}, "posts_at_id_idx"},
		{"ascending", []query.Order{{Field: post.Field("views")}}, "posts_views_id_idx"},
		{"backward", query.Reverse([]query.Order{{Field: post.Field("at"), Desc: true}, {Field: post.Field("id")}}), "posts_at_id_idx"},
	} {
		orders := query.Complete(post, test.order)
		values := make([]query.Operand, len(orders))
		for i, o := range orders {
			values[i] = query.Operand{Kind: query.Arg, Index: i, Scalar: o.Field.Scalar}
		}
		l := query.Level{
			Type: post, Columns: cells(post, "id"), Where: query.Beyond(orders, values), OrderBy: orders, Limit: query.Const(schema.Integer(21)),
		}
		plan := explained(t, d, l, false)
		if !strings.Contains(plan, test.want) || !strings.Contains(plan, "Index Cond") || strings.Contains(plan, "Sort") {
			t.Errorf("%s: %s\nis done by\n%s", test.name, query.Beyond(orders, values), plan)
		}
	}
}

// A statement is planned once and not on every run, also where it has a limit.
func TestPlansAreKept(t *testing.T) {
	d, s := blogDriver(t)
	post := s.Type("Post")
	c, err := open(t.Context(), d.config)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	keys := query.Binding{Keys: []schema.Value{schema.Text("u1"), schema.Text("u2")}, Args: []schema.Value{schema.Integer(10)}}
	newest := []query.Order{{Field: post.Field("at"), Desc: true}, {Field: post.Field("id")}}
	popular := query.Compare{Left: query.Col(post.Field("views")), Op: query.Gt, Right: query.Operand{Kind: query.Arg, Scalar: schema.Int}}
	for name, l := range map[string]query.Level{
		"a list":       {Type: post, Where: popular, OrderBy: newest, Limit: query.Const(schema.Integer(20)), Offset: query.Const(schema.Integer(5))},
		"a link":       {Type: post, Via: &query.Via{Link: s.Type("User").Field("posts")}, OrderBy: newest, Limit: query.Const(schema.Integer(5))},
		"by keys":      {Type: s.Type("User"), Via: &query.Via{Single: true}},
		"in an answer": {Type: post, Where: query.Some{Link: post.Field("tags"), Where: query.Compare{Left: query.Col(s.Type("Tag").Field("id")), Op: query.Eq, Right: query.Operand{Kind: query.Arg, Scalar: schema.ID}}}},
	} {
		l.Columns = cells(l.Type, "id")
		prepared, err := d.Prepare(rules.System(l))
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			rows, err := reader{c}.Find(t.Context(), prepared, keys)
			if err != nil {
				t.Fatal(name, err)
			}
			if err := rows.Close(); err != nil {
				t.Fatal(name, err)
			}
		}
		text := prepared.String()
		name := c.cache.byText[text].description.Name
		answers, err := c.pg.Exec(t.Context(), "SELECT generic_plans FROM pg_prepared_statements WHERE name = '"+name+"'").ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if generic := string(answers[0].Rows[0][0]); generic != "5" {
			t.Errorf("%s of 10 runs needed no planning after the first 5: %s", generic, text)
		}
	}
}

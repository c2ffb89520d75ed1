package resolvers_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

var update = flag.Bool("update", false, "rewrite the golden plans")

// fill makes parents users, each with two posts of which one is public, with two comments each.
func (w *world) fill(parents int) {
	w.t.Helper()
	var users, posts, comments []map[string]any
	for u := range parents {
		user := fmt.Sprintf("u%04d", u)
		users = append(users, map[string]any{
			"id": user, "name": "Name " + user, "age": int64(u), "mail": user + "@example.org", "city": "Berlin", "bio": strings.Repeat("x", 40),
		})
		for p := range 2 {
			post := fmt.Sprintf("%s-%d", user, p)
			posts = append(posts, map[string]any{"id": post, "title": "Title", "public": p == 0, "authorId": user})
			for c := range 2 {
				comments = append(comments, map[string]any{"id": fmt.Sprintf("%s-%d", post, c), "body": "Body", "postId": post, "authorId": user})
			}
		}
	}
	w.insert("User", users...)
	w.insert("Post", posts...)
	w.insert("Comment", comments...)
}

// deep is users with their posts with their comments with their authors: four levels.
func (w *world) deep() *query.Find {
	author := w.link("Comment", "author", 0, w.columns("User", "name")...)
	comments := w.link("Post", "comments", 10, append(w.columns("Comment", "body"), author)...)
	posts := w.link("User", "posts", 10, append(w.columns("Post", "title"), comments)...)
	return w.find("User", 1000, append(w.columns("User", "id"), posts)...)
}

// Round trips are as many as levels, whatever the number of rows, and all see one state.
func TestRoundTripsAreLevels(t *testing.T) {
	for _, parents := range []int{1, 1000} {
		w := open(t, nil)
		w.fill(parents)
		found := w.Find(w.deep())
		w.count.Reset()
		answer, err := found.Run(t.Context(), caller("ann", "admin"), nil, nil)
		check(t, err)
		if got := w.count.Counts(); got.Finds != 4 || got.Views != 1 {
			t.Errorf("%d parents: %+v, want 4 finds in 1 view", parents, got)
		}
		if n := strings.Count(string(answer), `"body"`); n != 4*parents {
			t.Errorf("%d parents: %d comments", parents, n)
		}
	}
}

// A level that no row leads to is not asked.
func TestNoKeysNoRoundTrip(t *testing.T) {
	w := open(t, nil)
	w.insert("User", map[string]any{"id": "u", "name": "U"})
	w.count.Reset()
	answer, err := w.Find(w.deep()).Run(t.Context(), caller("ann", "admin"), nil, nil)
	check(t, err)
	if got := w.count.Counts(); got.Finds != 2 || string(answer) != `[{"id":"u","posts":[]}]` {
		t.Errorf("%+v for %s", got, answer)
	}
}

// What the claims alone decide is in the plan: no statement where no row can come, no residue
// where every row may be seen.
func TestPlansPrint(t *testing.T) {
	w := open(t, nil)
	one := w.find("User", 0, w.columns("User", "id", "mail")...)
	one.One = true
	one.Where = query.Compare{Left: query.Col(one.Type.Field("name")), Op: query.Eq, Right: query.ArgAt(0)}
	sorted := w.find("Post", 5, w.columns("Post", "title")...)
	sorted.OrderBy = []query.Order{{Field: sorted.Type.Field("title"), Desc: true}}
	sorted.Offset = query.ArgAt(0)
	var out strings.Builder
	for _, f := range []struct {
		name string
		find *query.Find
	}{{"deep", w.deep()}, {"one by a unique key", one}, {"a sorted page", sorted}} {
		found := w.Find(f.find)
		for _, c := range []struct {
			name   string
			caller *auth.Caller
		}{{"nobody", caller("", "")}, {"ann", caller("ann", "")}, {"an admin", caller("root", "admin")}} {
			plan, err := found.Explain(c.caller)
			check(t, err)
			fmt.Fprintf(&out, "# %s, for %s\n%s\n", f.name, c.name, plan)
		}
	}
	golden(t, "testdata/plans.txt", out.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		check(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	check(t, err)
	if got != string(want) {
		t.Errorf("%s: got\n%s", file, got)
	}
}

// Callers of equal shapes share a plan; callers of other shapes never do.
func TestPlansAreNotMixed(t *testing.T) {
	w := open(t, nil)
	w.insert("User", map[string]any{"id": "ann", "name": "Ann", "mail": "a@x"}, map[string]any{"id": "bob", "name": "Bob", "mail": "b@x"})
	w.insert("Post",
		map[string]any{"id": "1", "title": "a", "public": false, "authorId": "ann"},
		map[string]any{"id": "2", "title": "b", "public": true, "authorId": "ann"},
		map[string]any{"id": "3", "title": "c", "public": false, "authorId": "bob"})
	found := w.Find(w.find("User", 0, append(w.columns("User", "mail"), w.link("User", "posts", 10, w.columns("Post", "title")...))...))
	for range 2 {
		for _, test := range []struct {
			caller *auth.Caller
			want   string
		}{
			{caller("", ""), `[{"mail":null,"posts":[{"title":"b"}]},{"mail":null,"posts":[]}]`},
			{caller("root", "admin"), `[{"mail":null,"posts":[{"title":"a"},{"title":"b"}]},{"mail":null,"posts":[{"title":"c"}]}]`},
			{caller("ann", ""), `[{"mail":"a@x","posts":[{"title":"a"},{"title":"b"}]},{"mail":null,"posts":[]}]`},
			{caller("bob", ""), `[{"mail":null,"posts":[{"title":"b"}]},{"mail":"b@x","posts":[{"title":"c"}]}]`},
		} {
			got, err := found.Run(t.Context(), test.caller, nil, nil)
			check(t, err)
			if string(got) != test.want {
				t.Errorf("%v: %s, want %s", test.caller.Claims, got, test.want)
			}
		}
	}
}

// A request of 1,000 rows of 6 fields costs at most 64 allocations more than reading and
// encoding the same cells with the driver alone.
func TestAllocations(t *testing.T) {
	w := open(t, nil)
	w.fill(1000)
	names := []string{"id", "name", "age", "mail", "city", "bio"}
	f := w.find("User", 1000, w.columns("User", names...)...)
	found := w.Find(f)
	c := caller("ann", "")
	var dst []byte
	ours := testing.AllocsPerRun(20, func() {
		var err error
		dst, err = found.Run(t.Context(), c, nil, dst[:0])
		check(t, err)
	})
	if n := strings.Count(string(dst), `"mail"`); n != 1000 {
		t.Fatalf("%d rows", n)
	}
	drivers := testing.AllocsPerRun(20, w.discarding(f, &dst))
	t.Logf("%.0f allocations, %.0f of them the driver's", ours, drivers)
	if ours > drivers+64 {
		t.Errorf("%.0f allocations, the driver alone has %.0f", ours, drivers)
	}
}

// discarding reads the rows of a find with the driver and nothing else.
func (w *world) discarding(f *query.Find, dst *[]byte) func() {
	l := query.Level{Type: f.Type, Limit: f.Limit, OrderBy: []query.Order{{Field: f.Type.Primary[0]}}}
	for _, item := range f.Items {
		l.Columns = append(l.Columns, query.Cell{Field: item.Field})
	}
	statement, err := w.count.Prepare(rules.System(l))
	check(w.t, err)
	return func() {
		check(w.t, w.count.View(w.t.Context(), func(r driver.Reader) error {
			rows, err := r.Find(w.t.Context(), statement, query.Binding{})
			check(w.t, err)
			for rows.Next() {
				for i := range l.Columns {
					*dst = rows.AppendJSON((*dst)[:0], i)
				}
			}
			return rows.Close()
		}))
	}
}

// A link costs an allocation for each key that it is asked for, and none for its rows.
func TestAllocationsOfLinks(t *testing.T) {
	w := open(t, nil)
	w.fill(500)
	found := w.Find(w.find("User", 1000, append(w.columns("User", "id"), w.link("User", "posts", 10, w.columns("Post", "title")...))...))
	c := caller("ann", "admin")
	var dst []byte
	got := testing.AllocsPerRun(20, func() {
		var err error
		dst, err = found.Run(t.Context(), c, nil, dst[:0])
		check(t, err)
	})
	t.Logf("%.0f allocations for 500 parents and 1,000 children", got)
	if got > 600 { // one for the text of each key
		t.Errorf("%.0f allocations for 500 keys", got)
	}
}

// An answer ends at its limit of rows, all levels together.
func TestAnswerRows(t *testing.T) {
	w := open(t, nil)
	w.fill(10)
	w.AnswerRows = 25
	_, err := w.Find(w.deep()).Run(t.Context(), caller("ann", "admin"), nil, []byte("before"))
	if fault.KindOf(err) != fault.Limit {
		t.Errorf("%v", err)
	}
}

// A context that ends ends the request with TIMEOUT, and the next one is answered.
func TestCanceledReads(t *testing.T) {
	var cancel context.CancelFunc
	w := open(t, func(d driver.Driver) driver.Driver {
		return meddling{Driver: d, find: func() error {
			if cancel != nil {
				cancel()
			}
			return nil
		}}
	})
	w.fill(3)
	found := w.Find(w.deep())
	c := caller("ann", "admin")
	want, err := found.Run(t.Context(), c, nil, nil)
	check(t, err)

	ctx, stop := context.WithCancel(t.Context())
	stop()
	if dst, err := found.Run(ctx, c, nil, []byte("kept")); fault.KindOf(err) != fault.Timeout || string(dst) != "kept" {
		t.Errorf("canceled before: %q, %v", dst, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	if _, err := found.Run(ctx, c, nil, nil); fault.KindOf(err) != fault.Timeout {
		t.Errorf("canceled between: %v", err)
	}
	cancel = nil
	got, err := found.Run(t.Context(), c, nil, nil)
	check(t, err)
	if string(got) != string(want) {
		t.Errorf("afterwards: %s, want %s", got, want)
	}
}

// Limits and offsets out of their bounds are refused, and the buffer is left as it was.
func TestArgumentsAreBounded(t *testing.T) {
	w := open(t, nil)
	f := w.find("User", 0, w.columns("User", "id")...)
	f.Limit, f.Offset = query.ArgAt(0), query.ArgAt(1)
	found := w.Find(f)
	for _, test := range []struct {
		limit, offset int64
		want          fault.Kind
	}{{1, 0, ""}, {1000, 0, ""}, {0, 0, fault.Invalid}, {-1, 0, fault.Invalid}, {1001, 0, fault.Limit}, {1, -1, fault.Invalid}} {
		dst, err := found.Run(t.Context(), caller("ann", ""), []schema.Value{schema.Integer(test.limit), schema.Integer(test.offset)}, []byte("x"))
		if got := fault.KindOf(err); got != test.want {
			t.Errorf("limit %d, offset %d: %v", test.limit, test.offset, err)
		}
		if err != nil && string(dst) != "x" {
			t.Errorf("limit %d, offset %d: left %q", test.limit, test.offset, dst)
		}
	}
}

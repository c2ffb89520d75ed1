package resolvers_test

import (
	"context"
	"errors"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// meddling calls functions before a driver does something; an error is what it does instead.
type meddling struct {
	driver.Driver
	find, write, commit func() error
}

func (m meddling) View(ctx context.Context, do func(driver.Reader) error) error {
	return m.Driver.View(ctx, func(r driver.Reader) error { return do(meddlingReader{r, m}) })
}

func (m meddling) Begin(ctx context.Context) (driver.Tx, error) {
	tx, err := m.Driver.Begin(ctx)
	return meddlingTx{tx, m}, err
}

type meddlingReader struct {
	driver.Reader
	m meddling
}

func (r meddlingReader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if err := run(r.m.find); err != nil {
		return nil, err
	}
	return r.Reader.Find(ctx, s, b)
}

type meddlingTx struct {
	driver.Tx
	m meddling
}

func (t meddlingTx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	if err := run(t.m.find); err != nil {
		return nil, err
	}
	return t.Tx.Find(ctx, s, b)
}

func (t meddlingTx) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	if err := run(t.m.write); err != nil {
		return driver.Written{}, err
	}
	return t.Tx.Write(ctx, w, b)
}

func (t meddlingTx) Commit(ctx context.Context) error {
	if err := run(t.m.commit); err != nil {
		return errors.Join(err, t.Rollback(ctx))
	}
	return t.Tx.Commit(ctx)
}

func run(do func() error) error {
	if do == nil {
		return nil
	}
	return do()
}

// changes insert, update and delete users, with rows in each answer.
func (w *world) changes() []resolvers.Change {
	user := w.schema.Type("User")
	id := func(v string) query.Where {
		return query.Compare{Left: query.Col(user.Field("id")), Op: query.Eq, Right: query.Const(schema.Text(v))}
	}
	returning := func() resolvers.Answer {
		posts := w.link("User", "posts", 10, w.columns("Post", "title")...)
		found := w.Find(w.find("User", 0, append(w.columns("User", "id", "name"), posts)...))
		return resolvers.Answer{Members: []resolvers.Member{{Before: "{", Returning: found}}, Tail: "}"}
	}
	insert := w.inserts("insert", "User", map[string]any{"id": "new", "name": "New"}, map[string]any{"id": "newer", "name": "Newer"})
	insert.Answer = returning()
	set := []resolvers.Assign{{Assign: query.Assign{Field: user.Field("city"), Value: query.Const(schema.Text("Bonn"))}}}
	return []resolvers.Change{
		insert,
		{Name: "update", Verb: query.Update, Type: user, Set: set, Where: id("ann"), Answer: returning()},
		{Name: "delete", Verb: query.Delete, Type: user, Where: id("bob"), Answer: returning()},
	}
}

func (w *world) people() string {
	w.t.Helper()
	all := w.find("User", 0, append(w.columns("User", "id", "city"), w.link("User", "posts", 10, w.columns("Post", "id")...))...)
	got, err := w.Find(all).Run(w.t.Context(), caller("ann", "admin"), nil, nil)
	check(w.t, err)
	return string(got)
}

// Wherever a write fails, at any statement or at the commit, nothing of it is left, the buffer
// is as it was, and the next write succeeds.
func TestAFailedWriteLeavesNothing(t *testing.T) {
	broken := errors.New("the cable")
	left := -1
	down := func() error {
		if left--; left == -1 {
			return broken
		}
		return nil
	}
	w := open(t, func(d driver.Driver) driver.Driver {
		return meddling{Driver: d, find: down, write: down, commit: down}
	})
	w.insert("User", map[string]any{"id": "ann", "name": "Ann"}, map[string]any{"id": "bob", "name": "Bob"})
	w.insert("Post", map[string]any{"id": "p", "title": "T", "public": true, "authorId": "bob"})
	before := w.people()
	steps := 0
	for ; ; steps++ {
		left = steps
		dst, err := w.Write(t.Context(), caller("ann", "admin"), w.changes(), []byte("kept"))
		left = -1
		if err == nil {
			break
		}
		if !errors.Is(err, broken) && fault.KindOf(err) != fault.Internal {
			t.Errorf("step %d: %v", steps, err)
		}
		if string(dst) != "kept" {
			t.Errorf("step %d left %q in the buffer", steps, dst)
		}
		if after := w.people(); after != before {
			t.Fatalf("step %d left %s", steps, after)
		}
	}
	if steps < 8 {
		t.Errorf("only %d steps could fail", steps)
	}
	if got, want := w.people(), `[{"id":"ann","city":"Bonn","posts":[]},{"id":"new","city":null,"posts":[]},{"id":"newer","city":null,"posts":[]}]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A later change that is refused undoes the ones before it, and its errors name it.
func TestTheFirstErrorRollsBackAll(t *testing.T) {
	w := open(t, nil)
	w.insert("User", map[string]any{"id": "ann", "name": "Ann"})
	before := w.people()
	_, err := w.Write(t.Context(), caller("ann", ""), []resolvers.Change{
		w.inserts("one", "User", map[string]any{"id": "x", "name": "X"}),
		w.inserts("two", "User", map[string]any{"id": "y", "name": "Ann"}),
		w.inserts("three", "User", map[string]any{"id": "z", "name": "Z"}),
	}, nil)
	faults := fault.All(err)
	if len(faults) != 1 || faults[0].Kind != fault.Conflict || len(faults[0].Path) != 1 || faults[0].Path[0] != "two" {
		t.Errorf("%+v", err)
	}
	if after := w.people(); after != before {
		t.Errorf("left %s", after)
	}
}

// A context that ends during a write rolls it back with TIMEOUT.
func TestCanceledWrites(t *testing.T) {
	var cancel context.CancelFunc
	at := -1
	w := open(t, func(d driver.Driver) driver.Driver {
		return meddling{Driver: d, write: func() error {
			if at--; at == -1 {
				cancel()
			}
			return nil
		}}
	})
	w.insert("User", map[string]any{"id": "ann", "name": "Ann"}, map[string]any{"id": "bob", "name": "Bob"})
	before := w.people()
	for step := range 3 {
		var ctx context.Context
		ctx, cancel = context.WithCancel(t.Context())
		at = step
		_, err := w.Write(ctx, caller("ann", "admin"), w.changes(), nil)
		if fault.KindOf(err) != fault.Timeout {
			t.Errorf("step %d: %v", step, err)
		}
		at = -1
		cancel()
		if after := w.people(); after != before {
			t.Errorf("step %d left %s", step, after)
		}
	}
	_, err := w.Write(t.Context(), caller("ann", "admin"), w.changes(), nil)
	check(t, err)
}

// A bulk write takes as many statements whatever the rows: that of the write, and one for each
// level of its answer.
func TestRoundTripsOfWrites(t *testing.T) {
	w := open(t, nil)
	w.insert("User", map[string]any{"id": "ann", "name": "Ann"}, map[string]any{"id": "bob", "name": "Bob"})
	w.count.Reset()
	_, err := w.Write(t.Context(), caller("ann", "admin"), w.changes(), nil)
	check(t, err)
	// Two levels for each answer, the keys of what is deleted, and the rows of the two links
	// that point to it.
	if got := w.count.Counts(); got.Writes != 3 || got.Finds != 3*2+1+2 || got.Begins != 1 || got.Views != 0 {
		t.Errorf("%+v", got)
	}
}

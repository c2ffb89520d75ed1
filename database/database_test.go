package database_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
)

// fake counts how its transactions end.
type fake struct {
	driver.Driver
	committed, rolledBack int
	commitFails           bool
	again                 int // commits that others are in the way of
	failsFast             bool
}

func (f *fake) Features() driver.Features { return driver.Features{FailsFast: f.failsFast} }

func (f *fake) Begin(context.Context) (driver.Tx, error) { return &fakeTx{fake: f}, nil }
func (f *fake) Ping(context.Context) error               { return fault.New(fault.Unavailable, "gone") }

func (f *fake) View(_ context.Context, do func(driver.Reader) error) error {
	return do(&fakeTx{fake: f})
}

type fakeTx struct {
	driver.Tx
	fake *fake
}

func (t *fakeTx) Commit(context.Context) error {
	t.fake.committed++
	if t.fake.again > 0 {
		t.fake.again--
		return driver.Retry(fault.New(fault.Unavailable, "busy"))
	}
	if t.fake.commitFails {
		return fault.New(fault.Conflict, "commit failed")
	}
	return nil
}

func (t *fakeTx) Rollback(ctx context.Context) error {
	t.fake.rolledBack++
	return ctx.Err()
}

func (t *fakeTx) Find(context.Context, driver.Statement, query.Binding) (driver.Rows, error) {
	return nil, nil
}

func (t *fakeTx) Write(context.Context, rules.NarrowedWrite, query.Binding) (driver.Written, error) {
	return driver.Written{}, nil
}

func TestTxEndsOnce(t *testing.T) {
	wrong := errors.New("wrong")
	for _, c := range []struct {
		name                  string
		do                    func(driver.Tx) error
		commitFails           bool
		committed, rolledBack int
	}{
		{"done", func(driver.Tx) error { return nil }, false, 1, 0},
		{"error", func(driver.Tx) error { return wrong }, false, 0, 1},
		{"panic", func(driver.Tx) error { panic(wrong) }, false, 0, 1},
		{"commit fails", func(driver.Tx) error { return nil }, true, 1, 0},
	} {
		f := &fake{commitFails: c.commitFails}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // must not keep a rollback from happening
		func() {
			defer func() { _ = recover() }()
			err := database.New("x", f).Tx(ctx, c.do)
			if (err == nil) != (c.name == "done") {
				t.Errorf("%s: %v", c.name, err)
			}
		}()
		if f.committed != c.committed || f.rolledBack != c.rolledBack {
			t.Errorf("%s: committed %d, rolled back %d", c.name, f.committed, f.rolledBack)
		}
	}
}

// A transaction that others were in the way of is done again, a few times, unless a part of it is
// committed.
func TestTogetherBeginsAgain(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second int // commits that fail
		failsFast     bool
		runs          int
		done          bool
	}{
		{"nobody in the way", 0, 0, false, 1, true},
		{"the first database", 2, 0, false, 3, true},
		{"the second, when the first is committed", 0, 1, false, 1, false},
		{"for ever", 100, 0, false, 4, false},
		{"a database that fails fast", 7, 0, true, 8, true},
	} {
		dbs := []*database.DB{database.New("a", &fake{again: c.first, failsFast: c.failsFast}), database.New("b", &fake{again: c.second})}
		runs := 0
		err := database.Together(t.Context(), dbs, nil, func(map[*database.DB]driver.Tx, map[*database.DB]driver.Reader) error {
			runs++
			return nil
		})
		if runs != c.runs || (err == nil) != c.done {
			t.Errorf("%s: %d runs, %v", c.name, runs, err)
		}
	}
	runs := 0
	ctx, cancel := context.WithCancel(t.Context())
	err := database.New("a", &fake{}).Tx(ctx, func(driver.Tx) error {
		runs++
		if runs == 2 {
			cancel()
		}
		return driver.Retry(fault.New(fault.Conflict, "taken"))
	})
	if runs != 2 || fault.KindOf(err) != fault.Conflict {
		t.Errorf("a request that ended: %d runs, %v", runs, err)
	}
}

func TestOpenChoosesByScheme(t *testing.T) {
	drivers := database.Drivers{
		"fake": func(_ context.Context, url string) (driver.Driver, error) {
			if url != "fake:here" {
				return nil, fault.New(fault.Unavailable, "not there")
			}
			return &fake{}, nil
		},
		"other": nil,
	}
	db, err := drivers.Open(t.Context(), "main", "fake:here")
	if err != nil || db.Name() != "main" || db.Driver() == nil {
		t.Fatal(db, err)
	}
	if err := db.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "database main: gone") {
		t.Errorf("ping: %v", err)
	}
	for url, want := range map[string]string{
		"fake:secret":                "database main: not there",
		"oracle://ann:secret@host/x": "oracle: is no known scheme; known are fake:, other:",
		"secret":                     "has no scheme",
	} {
		_, err := drivers.Open(t.Context(), "main", url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestCounting(t *testing.T) {
	c := database.Count(&fake{})
	ctx := t.Context()
	find := func(r driver.Reader) error {
		_, err := r.Find(ctx, nil, query.Binding{})
		return err
	}
	_ = c.View(ctx, func(r driver.Reader) error { return errors.Join(find(r), find(r)) })
	_ = database.New("x", c).Tx(ctx, func(tx driver.Tx) error {
		_, err := tx.Write(ctx, rules.NarrowedWrite{}, query.Binding{})
		return errors.Join(err, find(tx))
	})
	if got, want := c.Counts(), (database.Counts{Finds: 3, Writes: 1, Views: 1, Begins: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	c.Reset()
	if got := c.Counts(); got != (database.Counts{}) {
		t.Errorf("%+v after reset", got)
	}
}

// crowd is a database whose transactions others get in the way of, a few times.
type crowd struct {
	fake
	failing int // commits still to fail
}

func (c *crowd) Begin(context.Context) (driver.Tx, error) {
	return &crowdTx{fakeTx{fake: &c.fake}, c}, nil
}

type crowdTx struct {
	fakeTx
	crowd *crowd
}

func (t *crowdTx) Commit(ctx context.Context) error {
	if t.crowd.failing > 0 {
		t.crowd.failing--
		return driver.Retry(fault.New(fault.Unavailable, "deadlock").At("field"))
	}
	return t.fakeTx.Commit(ctx)
}

func TestTransactionsAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		failing int
		runs    int
		kind    fault.Kind
	}{{0, 1, ""}, {1, 2, ""}, {3, 4, ""}, {4, 4, fault.Conflict}} {
		f, runs := &crowd{failing: c.failing}, 0
		err := database.New("x", f).Tx(t.Context(), func(driver.Tx) error { runs++; return nil })
		if fault.KindOf(err) != c.kind || runs != c.runs {
			t.Errorf("%d commits fail: %d runs, %v", c.failing, runs, err)
		}
		if err != nil && (len(fault.All(err)) != 1 || fault.Way(fault.All(err)[0].Path) != ".field") {
			t.Errorf("%d commits fail: the path is lost: %v", c.failing, err)
		}
	}
}

// What has committed on one database must not be done twice.
func TestNothingIsTriedAgainAfterACommit(t *testing.T) {
	first, second, runs := &fake{}, &crowd{failing: 1}, 0
	dbs := []*database.DB{database.New("a", first), database.New("b", second)}
	err := database.Together(t.Context(), dbs, nil, func(map[*database.DB]driver.Tx, map[*database.DB]driver.Reader) error { runs++; return nil })
	if fault.KindOf(err) != fault.Unavailable || runs != 1 || first.committed != 1 {
		t.Errorf("%d runs, %d commits, %v", runs, first.committed, err)
	}
	dbs[0], dbs[1] = dbs[1], dbs[0]
	second.failing = 1
	err = database.Together(t.Context(), dbs, nil, func(map[*database.DB]driver.Tx, map[*database.DB]driver.Reader) error { runs++; return nil })
	if err != nil || runs != 3 || first.committed != 2 || second.committed != 1 {
		t.Errorf("%d runs, %d and %d commits, %v", runs, first.committed, second.committed, err)
	}
}

func TestNobodyTriesForARequestThatIsOver(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	err := database.New("x", &crowd{failing: 1}).Tx(ctx, func(driver.Tx) error { runs++; cancel(); return nil })
	if fault.KindOf(err) != fault.Timeout || runs != 1 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

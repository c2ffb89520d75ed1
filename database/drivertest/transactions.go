package drivertest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// authorWrite inserts one author.
func authorWrite(b *bench, id string) rules.NarrowedWrite {
	return rules.SystemWrite(query.Write{
		Verb: query.Create, Type: b.typ("Author"), Columns: b.fields("Author", "id", "name"),
		Rows: [][]schema.Value{{schema.Text(id), schema.Text("Somebody")}},
	})
}

func rollbackLeavesNothing(t *testing.T, b *bench) {
	wrong := errors.New("wrong")
	err := b.db.Tx(t.Context(), func(tx driver.Tx) error {
		if _, err := tx.Write(t.Context(), authorWrite(b, "x"), query.Binding{}); err != nil {
			return err
		}
		return wrong
	})
	if !errors.Is(err, wrong) {
		t.Errorf("the error became %v", err)
	}
	// A broken constraint in the middle takes the rows before it along.
	err = b.db.Tx(t.Context(), func(tx driver.Tx) error {
		if _, err := tx.Write(t.Context(), authorWrite(b, "x"), query.Binding{}); err != nil {
			return err
		}
		_, err := tx.Write(t.Context(), authorWrite(b, "x"), query.Binding{})
		return err
	})
	wantConflict(t, err, "[id]")
	b.want(b.ids("Author", nil, query.Binding{}))
	b.write(*authorWrite(b, "y").Write(), query.Binding{})
	b.want(b.ids("Author", nil, query.Binding{}), `"y"`)
}

func txSeesItsOwnWrites(t *testing.T, b *bench) {
	l := query.Level{Type: b.typ("Author"), Columns: b.cells("Author", "id")}
	s := b.prepare(l)
	err := b.db.Tx(t.Context(), func(tx driver.Tx) error {
		if _, err := tx.Write(t.Context(), authorWrite(b, "x"), query.Binding{}); err != nil {
			return err
		}
		inside, err := b.read(tx, s, l, query.Binding{})
		b.want(inside, `"x"`)
		b.want(b.answer(l, query.Binding{}))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.want(b.answer(l, query.Binding{}), `"x"`)
}

func viewSeesOneState(t *testing.T, b *bench) {
	l := query.Level{Type: b.typ("Author"), Columns: b.cells("Author", "id")}
	s := b.prepare(l)
	err := b.db.View(t.Context(), func(r driver.Reader) error {
		before, err := b.read(r, s, l, query.Binding{})
		if err != nil {
			return err
		}
		b.write(*authorWrite(b, "x").Write(), query.Binding{})
		after, err := b.read(r, s, l, query.Binding{})
		b.want(after, before...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func nothingIsLost(t *testing.T, b *bench) {
	const writers, each = 16, 20
	b.insert("Thing", row{"id": "x", "int": int64(0)})
	inc := b.set("Thing", nil, b.assign("Thing.int", query.Inc, int64(1)))
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if _, err := b.tryWrite(inc, query.Binding{}); err != nil {
					t.Error(err)
				}
				b.answer(query.Level{Type: b.typ("Thing"), Columns: b.cells("Thing", "int")}, query.Binding{})
			}
		})
	}
	all.Wait()
	b.want(b.answer(query.Level{Type: b.typ("Thing"), Columns: b.cells("Thing", "int")}, query.Binding{}), "320")
}

func cancelledContexts(t *testing.T, b *bench) {
	library(b)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	s := b.prepare(query.Level{Type: b.typ("Author"), Columns: b.cells("Author", "id")})
	find := func(ctx context.Context) error {
		return b.db.View(t.Context(), func(r driver.Reader) error {
			_, err := r.Find(ctx, s, query.Binding{})
			return err
		})
	}
	write := func(tx driver.Tx) error {
		_, err := tx.Write(over, authorWrite(b, "x"), query.Binding{})
		return err
	}
	for what, err := range map[string]error{
		"find":   find(over),
		"write":  b.db.Tx(t.Context(), write),
		"commit": b.db.Tx(over, func(driver.Tx) error { return nil }),
	} {
		if fault.KindOf(err) != fault.Timeout {
			t.Errorf("%s: %v", what, err)
		}
	}
	slow(t, b)
	if err := find(t.Context()); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	b.want(b.ids("Author", nil, query.Binding{}), `"a1"`, `"a2"`, `"a3"`)
}

// slow is whether a statement that would run for minutes ends with its context.
func slow(t *testing.T, b *bench) {
	t.Helper()
	var rows []row
	for i := range 200 {
		rows = append(rows, row{"id": "slow" + string(rune('A'+i)), "text": "x"})
	}
	b.insert("Thing", rows...)
	thing := b.typ("Thing")
	text := func(up int) query.Operand {
		return query.Operand{Kind: query.Column, Field: thing.Field("text"), Up: up}
	}
	// For each row all rows of all rows, none of which is what is looked for. Neither side of Or
	// lets a planner make a join of it.
	deep := query.Where(query.Compare{Left: text(0), Op: query.Ne, Right: text(6)})
	nothing := query.Compare{Left: text(0), Op: query.Eq, Right: query.Const(schema.Text("nothing"))}
	for range 6 {
		deep = query.Exists{Type: thing, Where: query.Or{deep, nothing}}
	}
	s := b.prepare(query.Level{Type: thing, Columns: b.cells("Thing", "id"), Where: deep})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begun := time.Now()
	err := b.db.View(ctx, func(r driver.Reader) error {
		rows, err := r.Find(ctx, s, query.Binding{})
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	if took := time.Since(begun); fault.KindOf(err) != fault.Timeout || took > 5*time.Second {
		t.Errorf("a slow statement ended after %v: %v", took, err)
	}
}

func panicsReleaseConnections(t *testing.T, b *bench) {
	s := b.prepare(query.Level{Type: b.typ("Author"), Columns: b.cells("Author", "id")})
	for range 50 {
		panics(t, func() {
			_ = b.db.View(t.Context(), func(r driver.Reader) error {
				_, _ = r.Find(t.Context(), s, query.Binding{})
				panic("view")
			})
		})
		panics(t, func() {
			_ = b.db.Tx(t.Context(), func(tx driver.Tx) error {
				_, _ = tx.Write(t.Context(), authorWrite(b, "x"), query.Binding{})
				panic("tx")
			})
		})
	}
	b.want(b.ids("Author", nil, query.Binding{}))
}

func panics(t *testing.T, do func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic was swallowed")
		}
	}()
	do()
}

package drivertest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// alone are writes that are a transaction by themselves: all of one is done or nothing, however many
// statements it takes.
func alone(t *testing.T, b *bench) {
	people := func(ids ...string) query.Write {
		w := query.Write{Verb: query.Create, Type: b.typ("Author"), Columns: b.fields("Author", "id", "name")}
		for _, id := range ids {
			w.Rows = append(w.Rows, []schema.Value{schema.Text(id), schema.Text("Somebody")})
		}
		return w
	}
	many := make([]string, 300)
	for i := range many {
		many[i] = fmt.Sprint("many-", i)
	}
	twice := slices.Concat(many[:299], []string{"one"})
	for i := range twice[:299] {
		twice[i] += "-twice"
	}
	over, end := context.WithCancel(t.Context())
	end()
	everybody := query.Compare{Left: query.Col(b.field("Author.name")), Op: query.Eq, Right: query.Const(schema.Text("Somebody"))}
	for _, c := range []struct {
		name     string
		ctx      context.Context
		write    query.Write
		kind     fault.Kind
		affected int
		there    int // afterwards
	}{
		{"one row", t.Context(), people("one"), "", 1, 1},
		{"many rows", t.Context(), people(many...), "", 300, 301},
		{"no rows", t.Context(), people(), "", 0, 301},
		{"many rows, the last of which is there", t.Context(), people(twice...), fault.Conflict, 0, 301},
		{"one row that is there", t.Context(), people("one"), fault.Conflict, 0, 301},
		{"a request that is over", over, people("late"), fault.Timeout, 0, 301},
		{"an update", t.Context(), b.set("Author", everybody, b.assign("Author.name", query.Set, "Somebody")), "", 301, 301},
		{"a delete", t.Context(), query.Write{Verb: query.Delete, Type: b.typ("Author"), Where: everybody}, "", 301, 0},
	} {
		done, err := b.db.WriteAlone(c.ctx, rules.SystemWrite(c.write), query.Binding{})
		if fault.KindOf(err) != c.kind || err == nil && done.Affected != c.affected {
			t.Errorf("%s: %d affected, %v", c.name, done.Affected, err)
		}
		if driver.MayRetry(err) {
			t.Errorf("%s: it would be done again: %v", c.name, err)
		}
		if got := len(b.ids("Author", nil, query.Binding{})); got != c.there {
			t.Errorf("%s: %d rows are there, want %d", c.name, got, c.there)
		}
	}
}

// returning is that a write tells of its rows what a find would, and of inserted ones in their order.
func returning(t *testing.T, b *bench) {
	things(b)
	thing := b.typ("Thing")
	for _, r := range b.world.rows[thing] {
		id := query.Compare{Left: query.Col(thing.Field("id")), Op: query.Eq, Right: query.Const(r.values[0])}
		w := b.set("Thing", id, b.assign("Thing.id", query.Set, r.values[0].Text()))
		w.Returning, w.WantKeys = thing.Columns, true
		done := b.write(w, query.Binding{})
		if fmt.Sprint(done.Values) != fmt.Sprint(r.values) || fmt.Sprint(done.Keys) != fmt.Sprint(r.values[:1]) {
			t.Errorf("told %v of %v, which has %v", done.Values, done.Keys, r.values)
		}
		for _, verb := range []query.Verb{query.Update, query.Delete} {
			w.Verb, w.WantKeys = verb, false
			done, err := b.db.WriteAlone(t.Context(), rules.SystemWrite(w), query.Binding{})
			if err != nil || done.Affected != 1 || fmt.Sprint(done.Values) != fmt.Sprint(r.values) {
				t.Errorf("alone, %s told %v of what has %v; %v", verb, done.Values, r.values, err)
			}
		}
	}
	tags := query.Write{Verb: query.Create, Type: b.typ("Tag"), Columns: b.fields("Tag", "name"), Returning: b.fields("Tag", "name")}
	var want []schema.Value
	for i := range 100 {
		name := schema.Text(fmt.Sprint("tag ", (i*37)%100))
		want, tags.Rows = append(want, name), append(tags.Rows, []schema.Value{name})
	}
	if done := b.write(tags, query.Binding{}); fmt.Sprint(done.Values) != fmt.Sprint(want) || len(done.Keys) > 0 {
		t.Errorf("told %v of the inserted rows, not %v", done.Values, want)
	}
}

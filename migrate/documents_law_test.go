package migrate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The law of law_test.go, for documents.
func TestNoMigrationOfDocumentsLosesWhatItDoesNotSay(t *testing.T) {
	pairs := 80
	if testing.Short() {
		pairs = 20
	}
	newStore(t) // skips all of it where there is no such database
	outcomes, undone := map[bool]int{}, map[bool]int{}
	for seed := range uint64(pairs) {
		r := rand.New(rand.NewPCG(seed, 7))
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newStore(t)
			from := randomModel(r)
			to := from.edited(r)
			w.apply(from.sdl(), Options{})
			w.fill(r, from)
			for _, o := range []Options{{Policy: Keep}, {Policy: Tidy}, {AllowDestroy: true}} {
				outcomes[w.follow(from, to, o)]++
				if seed%2 == 0 { // one by one
					undone[allTheWayBack(w, w.db, from, true)]++
				}
			}
			undone[allTheWayBack(w, w.db, from, false)]++
		})
	}
	t.Logf("%d were undone, %d not", undone[true], undone[false])
	if !t.Failed() && undone[true] == 0 {
		t.Error("nothing was undone")
	}
	t.Logf("%d migrations were done, %d refused", outcomes[true], outcomes[false])
	if !t.Failed() && (outcomes[true] == 0 || outcomes[false] == 0) {
		t.Error("the pairs are too tame, or too wild, to show anything")
	}
}

// follow applies and checks the law; it says whether the migration was done.
func (w store) follow(from, to model, o Options) bool {
	w.Helper()
	before, values := w.dump(), w.values(from)
	plan, err := Apply(w.Context(), w.db, w.schema(to.sdl()), o)
	if err != nil {
		if after := w.dump(); after != before {
			w.Fatalf("refused with %v, and changed\n%s\nto\n%s", err, before, after)
		}
		if !strings.Contains(err.Error(), "was not migrated") {
			w.Errorf("the data checks did not see what the database saw:\n%v\n%s", err, plan)
		}
		return false
	}
	if again := w.plan(to.sdl(), o.Policy); !again.Empty() {
		w.Fatalf("after\n%s\nthere is still\n%s", plan, again)
	}
	w.wanted(to)
	lost := map[string]bool{} // what the plan said it destroys
	for _, c := range plan.with(Destroys) {
		for word := range strings.FieldsSeq(c.Comment) {
			lost[strings.TrimRight(word, ":")] = true
		}
	}
	after := w.values(from)
	for cell, was := range values {
		table, column, _ := strings.Cut(strings.SplitN(cell, "/", 2)[0], ".")
		switch {
		case lost[table] || lost[table+"."+column]:
		case to.has(table, column) && to.kind(table, column) != from.kind(table, column): // converted
		case after[cell] != was:
			w.Fatalf("%s was %s and is %q after\n%s", cell, was, after[cell], plan)
		}
	}
	return true
}

// wanted looks that every collection has the validator and the indexes that a schema wants, and
// only documents that meet it.
func (w store) wanted(m model) {
	w.Helper()
	g, err := documents{w.db}.goal(w.schema(m.sdl()))
	if err != nil {
		w.Fatal(err)
	}
	state, err := documents{w.db}.inspect(w.Context(), g)
	if err != nil {
		w.Fatal(err)
	}
	for _, want := range g.collections {
		have := state.collections[want.Name]
		if have == nil {
			w.Fatalf("there is no collection %s", want.Name)
		}
		for _, f := range want.Fields {
			if property, _ := have.property(f.Path); !sameDocument(property, f.Values) {
				w.Errorf("%s.%s has the rules %v, not %v", want.Name, f.Path, property, f.Values)
			}
		}
		for _, i := range want.Indexes {
			if found, there := have.index(i.Name); !there || !sameIndex(found, i) {
				w.Errorf("%s has the index %v, not %v", want.Name, found, i)
			}
		}
		n, err := w.db.Mongo.Collection(want.Name).CountDocuments(w.Context(), bson.D{{Key: "$nor", Value: bson.A{have.validator}}})
		if err != nil || n > 0 {
			w.Errorf("%d documents of %s do not meet its validator, %v", n, want.Name, err)
		}
	}
}

// fill inserts documents of valid values; some are null, and some are not there, where they may be.
func (w store) fill(r *rand.Rand, m model) {
	w.Helper()
	for _, t := range m {
		for row := range r.IntN(6) {
			members := []string{fmt.Sprintf(`"_id": "%s%d"`, t.name, row)}
			for _, f := range t.fields {
				if value := randomDocumentValue(r, f, row); value != "" {
					members = append(members, fmt.Sprintf("%q: %s", columnOf(m, f), value))
				}
			}
			w.run(fmt.Sprintf(`{"insert": %q, "documents": [{%s}]}`, tableOf(t.name), strings.Join(members, ", ")))
		}
	}
}

func randomDocumentValue(r *rand.Rand, f modelField, row int) string {
	one := func(values ...string) string { return values[r.IntN(len(values))] }
	if f.extra == " @link" || !f.required && r.IntN(3) == 0 {
		return one("null", "")
	}
	switch f.kind {
	case "Int":
		return one("0", "1", "-5", "2147483647")
	case "BigInt":
		return one(`{"$numberLong": "1"}`, `{"$numberLong": "9223372036854775807"}`, `{"$numberLong": "3000000000"}`)
	case "Float":
		return one("1.5", `{"$numberDouble": "2.0"}`, "0.1")
	case "Boolean":
		return one("true", "false")
	case "Color":
		return one(`"RED"`, `"GREEN"`)
	case "Decimal":
		return one(`{"$numberDecimal": "1.5"}`, `{"$numberDecimal": "12"}`, `{"$numberDecimal": "-0.000000001"}`)
	case "DateTime":
		return one(`{"$date": "2026-01-31T00:00:00Z"}`, `{"$date": {"$numberLong": "-1"}}`)
	case "Date":
		return one(`"2026-01-31"`, `"1969-12-31"`)
	case "JSON":
		return one(`{"a": [1, "x"]}`, "3", `"t"`)
	case "[String!]":
		return one(`["x", "y"]`, `[]`)
	}
	return fmt.Sprintf("%q", one("one", "12", "true", "2026-01-31", "RED", "it's")+fmt.Sprint(map[bool]any{true: row, false: ""}[strings.Contains(f.extra, "unique")]))
}

// values are all values that there are, by collection.field/key.
func (w store) values(m model) map[string]string {
	w.Helper()
	cells := map[string]string{}
	for _, t := range m {
		found, err := w.db.Mongo.Collection(tableOf(t.name)).Find(w.Context(), bson.D{})
		if err != nil {
			w.Fatal(err)
		}
		var all []bson.D
		if err := found.All(w.Context(), &all); err != nil {
			w.Fatal(err)
		}
		for _, d := range all {
			id, _ := valueOf(d, "_id")
			for _, f := range t.fields {
				if value, there := valueOf(d, columnOf(m, f)); there && value != nil {
					cells[fmt.Sprintf("%s.%s/%v", tableOf(t.name), columnOf(m, f), id)] = valueText(value)
				}
			}
		}
	}
	return cells
}

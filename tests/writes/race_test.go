package writes

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// Upserts of one key at once make one row: the others find it.
func TestUpsertsAtOnceMakeOneRow(t *testing.T) { onEach(t, upsertsAtOnceMakeOneRow) }

func upsertsAtOnceMakeOneRow(t *testing.T, url address) {
	w := newWorld(t, url, threads)
	const callers = 8
	answers := make([]string, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			answers[i] = w.ask(fmt.Sprintf(`mutation { upsertTag(doc: {name: "one", n: %d}, onConflict: {target: [name]}) { id } }`, i), nil)
		})
	}
	all.Wait()
	for _, a := range answers {
		if a != answers[0] || strings.Contains(a, "errors") {
			t.Errorf("%s\n%s", a, answers[0])
		}
	}
	if rows := strings.Count(w.dump(), "|one|"); rows != 1 {
		t.Errorf("%d rows", rows)
	}
}

// Increments at once lose nothing, and of changes with one version only one wins.
func TestOperatorsAtOnce(t *testing.T) { onEach(t, operatorsAtOnce) }

func operatorsAtOnce(t *testing.T, url address) {
	w := newWorld(t, url, `type Item @auth(read: "true", create: "true", update: "true") { id: ID! @primary  n: Int  v: Int! @version }`)
	w.ask(`mutation { insertItem(doc: {id: "a"}) { id } }`, nil)
	const callers = 8
	won := make([]bool, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			won[i] = !strings.Contains(w.ask(`mutation { updateItem(id: "a", inc: {n: 100}, ifVersion: 1) { id } }`, nil), "CONFLICT")
			w.ask(`mutation { updateItem(id: "a", inc: {n: 1}) { id } }`, nil)
		})
	}
	all.Wait()
	winners := 0
	for _, yes := range won {
		if yes {
			winners++
		}
	}
	want := fmt.Sprintf(`"n":%d,`, callers+100*winners)
	if got := w.ask(`{ item(id: "a") { n v } }`, nil); winners > 1 || !strings.Contains(got, want) {
		t.Errorf("%d won; %s, want %s", winners, got, want)
	}
}

// A row that somebody changes while it is to be deleted goes only as it was asked for: by version.
func TestDeletesAtOnce(t *testing.T) { onEach(t, deletesAtOnce) }

func deletesAtOnce(t *testing.T, url address) {
	w := newWorld(t, url, `
type Item @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  n: Int!  v: Int! @version  parts: [Part!]! @link }
type Part @auth(read: "true", create: "true") { id: ID! @primary @autoIncrement  item: Item! @link(onDelete: CASCADE) }`)
	const rows = 40
	for i := range rows {
		w.ask(fmt.Sprintf(`mutation { insertItem(doc: {id: "%d", n: 0, parts: {create: [{}, {}]}}) { id } }`, i), nil)
	}
	deleted, updated := make([]string, rows), make([]string, rows)
	var all sync.WaitGroup
	for i := range rows {
		all.Go(func() {
			deleted[i] = w.ask(fmt.Sprintf(`mutation { deleteItem(id: "%d", ifVersion: 1) { n } }`, i), nil)
		})
		all.Go(func() {
			updated[i] = w.ask(fmt.Sprintf(`mutation { updateItem(id: "%d", ifVersion: 1, set: {n: 1}) { n } }`, i), nil)
		})
	}
	all.Wait()
	for i := range rows {
		gone, changed := !strings.Contains(deleted[i], "errors"), !strings.Contains(updated[i], "errors")
		if gone == changed || gone && !strings.Contains(deleted[i], `"n":0`) {
			t.Errorf("item %d: %s and %s", i, deleted[i], updated[i])
		}
	}
}

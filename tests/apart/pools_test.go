package apart

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"spacecloud/database/driver"
	"spacecloud/graph"
	"spacecloud/tests/served"
)

// pair is two types, of each of which a change asks about the other.
const pair = `
type Left @table(db: "left") @auth(read: "true", create: "true", update: "doc.right.open") {
  id: ID! @primary  open: Boolean!  n: Int!
  right: Right @link(from: "id", to: "id")
}
type Right @table(db: "right") @auth(read: "true", create: "true", update: "doc.left.open") {
  id: ID! @primary  open: Boolean!  n: Int!
  left: Left @link(from: "id", to: "id")
}
`

const pairOfRows = `mutation {
  insertLefts(docs: [{id: "1", open: true, n: 0}, {id: "2", open: false, n: 0}]) { affected }
  insertRights(docs: [{id: "1", open: true, n: 0}, {id: "2", open: true, n: 0}]) { affected }
}`

// onNarrow runs a test on all kinds and mixtures with pools of one connection.
func onNarrow(t *testing.T, run func(*testing.T, served.Kind)) {
	t.Helper()
	served.EachAndMixed(t, func(t *testing.T, on served.Kind) { run(t, on.Pooled(1)) })
}

// meetingDriver has those who begin a transaction wait for each other.
type meetingDriver struct {
	driver.Driver
	meeting *meeting // nil for nobody waits
}

func (d *meetingDriver) Unwrap() driver.Driver { return d.Driver }

func (d *meetingDriver) Begin(ctx context.Context) (driver.Tx, error) {
	tx, err := d.Driver.Begin(ctx)
	if err == nil && d.meeting != nil {
		err = d.meeting.come(ctx)
	}
	return tx, err
}

// Two changes, each of which holds the only connection of its database and needs one of the other's, do not wait
// for each other.
func TestChangesDoNotWaitForEachOther(t *testing.T) { onNarrow(t, changesDoNotWaitForEachOther) }

func changesDoNotWaitForEachOther(t *testing.T, on served.Kind) {
	w := newWorld(t, on, pair, graph.Limits{Timeout: 20 * time.Second})
	w.well(pairOfRows)
	m := meet(2)
	for _, d := range w.databases {
		d.Driver = &meetingDriver{d.Driver, m}
	}
	got := w.atOnce(
		`mutation { updateLefts(where: {}, inc: {n: 1}) { affected } }`,
		`mutation { updateRights(where: {}, inc: {n: 1}) { affected } }`,
	)
	for i, want := range []string{`{"updateLefts":{"affected":2}}`, `{"updateRights":{"affected":1}}`} {
		if len(got[i].Errors) > 0 || string(got[i].Data) != want {
			t.Errorf("%s %+v, want %s", got[i].Data, got[i].Errors, want)
		}
	}
}

// Nor do many, of all forms: what rules, filters, links and answers ask for.
func TestManyChangesGoOn(t *testing.T) { onNarrow(t, manyChangesGoOn) }

func manyChangesGoOn(t *testing.T, on served.Kind) {
	w := newWorld(t, on, pair, graph.Limits{Timeout: time.Minute})
	w.well(pairOfRows)
	forms := []string{
		`mutation { updateLefts(where: {right: {n: {_gte: 0}}}, inc: {n: 1}) { returning { id right { id left { id } } } } }`,
		`mutation { updateRight(id: "1", inc: {n: 1}) { left { right { id } } } }`,
		`mutation { updateRights(where: {left: {open: {_eq: true}}}, inc: {n: 1}) { affected returning { left { id } } } }`,
		`mutation { updateLeft(id: "1", inc: {n: 1}) { id } updateRight(id: "1", inc: {n: 1}) { id } }`,
		`{ lefts { right { left { id } } } rights { left { right { id } } } }`,
	}
	var requests []string
	for range 6 {
		requests = append(requests, forms...)
	}
	for i, a := range w.atOnce(requests...) {
		if len(a.Errors) > 0 {
			t.Errorf("%s: %+v", requests[i], a.Errors)
		}
	}
	if got, want := string(w.well(`{ left(id: "1") { n } right(id: "1") { n } }`).Data), `{"left":{"n":12},"right":{"n":18}}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// atOnce asks all at the same time.
func (w *world) atOnce(requests ...string) []answer {
	answers := make([]answer, len(requests))
	var asking sync.WaitGroup
	for i, request := range requests {
		asking.Go(func() { answers[i] = w.ask(request) })
	}
	asking.Wait()
	return answers
}

// A change asks no more of a database than it needs: one whose rows nobody asks for may be down, also after
// others of the same type have asked for it.
func TestWhatIsLearntIsNotNeeded(t *testing.T) {
	onSQLiteAndMixed(t, func(t *testing.T, on served.Kind) {
		w := newWorld(t, on, `
			type Near @table(db: "left") @auth(read: "true", create: "true") { id: ID! @primary }
			type Far @table(db: "right") @auth(read: "true", create: "true", update: "auth.id == 'ann' || doc.near.id == '1'") { id: ID! @primary  n: Int!  near: Near @link }
		`, graph.Limits{})
		w.well(`mutation { insertNear(doc: {id: "1"}) { id } insertFar(doc: {id: "1", n: 0, nearId: "1"}) { id } }`)
		const filtered = `mutation { updateFars(where: {near: {id: {_eq: "1"}}}, inc: {n: 1}) { affected } }`
		w.well(filtered)
		w.down("left")
		if got := w.well(`mutation { updateFars(where: {}, inc: {n: 1}) { affected } }`); string(got.Data) != `{"updateFars":{"affected":1}}` {
			t.Errorf("%s", got.Data)
		}
		if got := w.ask(filtered); len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "UNAVAILABLE" || fmt.Sprint(got.Errors[0].Path) != "[updateFars]" {
			t.Errorf("%s %+v", got.Data, got.Errors)
		}
	})
}

package writes

import (
	"strings"
	"testing"
	"time"
)

const notes = `
type Note @auth(read: "true", create: "true") { id: ID! @primary @autoIncrement  text: String }
type Far @table(db: "other", plural: "fars") @auth(read: "true", create: "true") { id: ID! @primary }
`

const header = "Idempotency-Key"

func TestAnswersAreKeptForADay(t *testing.T) { onEach(t, answersAreKeptForADay) }

func answersAreKeptForADay(t *testing.T, url address) {
	w := newWorld(t, url, notes)
	insert := func() string { return w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, "k") }
	first := insert()
	w.now = w.now.Add(23 * time.Hour)
	if again := insert(); again != first || !strings.Contains(first, `"id":"1"`) {
		t.Errorf("%s, then %s", first, again)
	}
	w.now = w.now.Add(2 * time.Hour)
	if late := insert(); !strings.Contains(late, `"id":"2"`) {
		t.Errorf("a day later: %s", late)
	}
	if held := strings.Count(w.dump(), "|k|"); held != 1 {
		t.Errorf("%d answers are kept", held)
	}
}

func TestTheSecondIsRefusedWhileTheFirstRuns(t *testing.T) {
	onEach(t, theSecondIsRefusedWhileTheFirstRuns)
}

func theSecondIsRefusedWhileTheFirstRuns(t *testing.T, url address) {
	w := newWorld(t, url, notes)
	var second string
	w.driver.before = func() {
		w.driver.before = nil
		second = w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, "k")
	}
	first := w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, "k")
	if !strings.Contains(second, "CONFLICT") || !strings.Contains(second, "still running") || strings.Contains(first, "errors") {
		t.Errorf("first %s, second %s", first, second)
	}
}

func TestSeveralDatabasesKeepNoAnswer(t *testing.T) { onEach(t, severalDatabasesKeepNoAnswer) }

func severalDatabasesKeepNoAnswer(t *testing.T, url address) {
	w := newWorld(t, url, notes)
	answer := w.ask(`mutation { insertNote(doc: {}) { id } insertFar(doc: {id: "a"}) { id } }`, nil, header, "k")
	if !strings.Contains(answer, "changes 2 databases") || !strings.Contains(answer, "BAD_USER_INPUT") {
		t.Error(answer)
	}
}

// An answer is kept with its change, or neither is.
func TestKeepingIsPartOfTheChange(t *testing.T) { onEach(t, keepingIsPartOfTheChange) }

func keepingIsPartOfTheChange(t *testing.T, url address) {
	w := newWorld(t, url, notes)
	ask := func() string { return w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, "k") }
	w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, "other")
	before := w.dump()
	for at := 1; ; at++ {
		w.driver.statements, w.driver.failAt = 0, at
		answer := ask()
		if w.driver.statements < at {
			break
		}
		if w.dump() != before || !strings.Contains(answer, "errors") {
			t.Fatalf("a fault at %d left a trace: %s", at, answer)
		}
	}
	w.driver.failAt = 0
	if answer := ask(); strings.Contains(answer, "errors") || answer != ask() || strings.Count(w.dump(), "|x|") != 2 {
		t.Errorf("the change was not made once: %s", answer)
	}
}

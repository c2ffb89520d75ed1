package writes

import (
	"math/rand/v2"
	"strings"
	"testing"

	"spacecloud/tests/served"
)

// Wherever others get in the way of a change, and a few times, it is made as if they had not: the answer and
// the rows are those of a server that is alone.
//
// Only on SQLite: others do not give the numbers of rows again that were rolled back.
func TestACrowdChangesNothing(t *testing.T) {
	on := served.SQLite
	calm, crowded := newWorld(t, on, clubs), newWorld(t, on, clubs)
	g := gen{rand.New(rand.NewPCG(3, 4))}
	calm.ask(seed, nil)
	crowded.ask(seed, nil)
	again := 0
	for n := range 400 {
		text := g.mutation()
		calm.driver.statements = 0
		want := calm.ask(text, nil)
		statements := calm.driver.statements
		times := 1 + g.IntN(3)
		crowded.driver.statements, crowded.driver.failAt, crowded.driver.crowd = 0, 1+g.IntN(max(1, statements)), times
		got := crowded.ask(text, nil)
		again += times - crowded.driver.crowd
		crowded.driver.failAt, crowded.driver.crowd = 0, 0
		if got != want {
			t.Fatalf("%d: %s\ngot  %s\nwant %s", n, text, got, want)
		}
		if calm.Dump() != crowded.Dump() {
			t.Fatalf("%d: %s\nleft other rows", n, text)
		}
	}
	if again < 400 {
		t.Errorf("only %d tries failed", again)
	}
}

// When it never ends, nothing is changed, and the client is told to ask again.
func TestACrowdThatStaysIsAConflict(t *testing.T) { served.Each(t, aCrowdThatStaysIsAConflict) }

func aCrowdThatStaysIsAConflict(t *testing.T, on served.Kind) {
	w := newWorld(t, on, clubs)
	w.ask(seed, nil)
	before, most := w.Dump(), 4
	if w.driver.Features().FailsFast {
		most = 16
	}
	for at := 1; at <= 3; at++ {
		w.driver.statements, w.driver.failAt, w.driver.crowd = 0, at, 100
		answer := w.ask(`mutation { a: insertTag(doc: {id: "x"}) { id } b: insertTag(doc: {id: "y"}) { id } }`, nil)
		if tries := 100 - w.driver.crowd; tries != most {
			t.Errorf("%d tries", tries)
		}
		if !strings.Contains(answer, `"CONFLICT"`) || !strings.Contains(answer, "ask again") || !strings.Contains(answer, `"data":null`) || !strings.Contains(answer, `"path":["`) {
			t.Errorf("at %d: %s", at, answer)
		}
		if w.Dump() != before {
			t.Errorf("at %d: it left a trace", at)
		}
	}
}

// An answer that is kept for an Idempotency-Key is kept once, by the try that succeeds.
func TestACrowdKeepsOneAnswer(t *testing.T) { served.Each(t, aCrowdKeepsOneAnswer) }

func aCrowdKeepsOneAnswer(t *testing.T, on served.Kind) {
	w := newWorld(t, on, notes)
	ask := func(key string) string {
		return w.ask(`mutation { insertNote(doc: {text: "x"}) { id } }`, nil, header, key)
	}
	ask("first") // makes the table
	for at := 1; ; at++ {
		key := string(rune('a' + at))
		w.driver.statements, w.driver.failAt, w.driver.crowd = 0, at, 2
		got := ask(key)
		if w.driver.crowd == 2 {
			break
		}
		if again := ask(key); again != got || strings.Contains(got, "errors") {
			t.Errorf("at %d: %s, then %s", at, got, again)
		}
		if held := w.kept(key); held != 1 {
			t.Errorf("at %d: %d answers are kept", at, held)
		}
	}
}

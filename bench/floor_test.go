package bench

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// Every statement of the floor is served by indexes: nothing is scanned but in the order of
// one, and nothing is sorted. With -v it shows the plans.
func TestPlans(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plans.db")
	if err := FirstRows(path); err != nil {
		t.Fatal(err)
	}
	plans, err := Plans(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + plans)
	keyed := false // a statement that begins with the keys of linked rows sorts what it finds
	for line := range strings.Lines(plans) {
		detail, ok := strings.CutPrefix(line, "\t-- ")
		switch {
		case !ok:
			keyed = strings.Contains(line, "IN (SELECT") || keyed && !strings.HasPrefix(line, "SELECT")
		case keyed && (strings.HasPrefix(detail, "LIST SUBQUERY") || strings.HasPrefix(detail, "USE TEMP B-TREE FOR ORDER BY")):
		case !strings.Contains(detail, "INDEX "):
			t.Errorf("no index: %s", detail)
		}
	}
}

// Both ways to read give the same answers, in JSON, and the nested ones have comments.
func TestFloor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "floor.db")
	if err := fill(path, 20, 100, 5000); err != nil {
		t.Fatal(err)
	}
	driver, library := NewFloor(path, ByDriver), NewFloor(path, ByLibrary)
	for _, q := range Queries() {
		got := string(ask(t, driver, q.Bodies[0]))
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON: %.2000s", q.Name, got)
		}
		if other := string(ask(t, library, q.Bodies[0])); other != got {
			t.Errorf("%s: %.2000s\nis not: %.2000s", q.Name, other, got)
		}
		if q.Name == "Nested" && strings.Count(got, `"author"`) != 20*(1+5) {
			t.Errorf("not 20 posts with 5 comments each: %.2000s", got)
		}
	}
	if err := errors.Join(driver.Close(), library.Close()); err != nil {
		t.Error(err)
	}
}

// Whatever the text, it comes back from JSON as it was.
func TestAppendString(t *testing.T) {
	for _, s := range []string{
		"", "a", "Zoë 🙂", `"`, `\`, "\n\t\r", "\x00\x1f\x7f", "seven77", "eight888", "nine99999",
		`12345678"`, "1234567\x01", "0123456789\\0123456789\n0123456789\"",
	} {
		var back string
		if err := json.Unmarshal(appendString(nil, s), &back); err != nil || back != s {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		raw := make([]byte, r.IntN(40))
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		if !json.Valid(appendString(nil, string(raw))) {
			t.Fatalf("%q is not valid as JSON", raw)
		}
	}
}

package postgres

import (
	"math/rand/v2"
	"testing"
	"time"
)

// What is sent of an instant in the binary format is read back as that instant, in every year there is.
func TestInstantsComeBack(t *testing.T) {
	from, to := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()-1
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 10_000 {
		at := from + r.Int64N(to-from)
		switch i {
		case 0:
			at = from
		case 1:
			at = to
		}
		want := time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.000000Z")
		raw, ok := appendMoment(nil, want)
		if got := string(appendTimestamp(nil, raw)); !ok || got != want {
			t.Fatalf("%s comes back as %q, %v", want, got, ok)
		}
	}
	for _, text := range []string{"", "infinity", "2024-02-30T00:00:00.000000Z", "0000-01-01T00:00:00.000000Z", "2024-01-01T00:00:00Z"} {
		if raw, ok := appendMoment(nil, text); ok {
			t.Errorf("%q is sent as %x", text, raw)
		}
	}
}

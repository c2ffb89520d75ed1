package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestAllListsEveryFaultOnce(t *testing.T) {
	a, b := New(Invalid, "a"), Wrap(Conflict, io.EOF, "b")
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "[]"},
		{a, "[a]"},
		{fmt.Errorf("more: %w", a), "[a]"},
		{errors.Join(a, nil, errors.Join(b, fmt.Errorf("more: %w", a))), "[a b: EOF a]"},
		{Wrap(Denied, errors.Join(a, b), "outside"), "[outside: a\nb: EOF]"},
		{io.EOF, "[internal error: EOF]"},
		{errors.Join(io.EOF, io.ErrUnexpectedEOF), "[internal error: EOF\nunexpected EOF]"},
	} {
		if got := fmt.Sprint(All(c.err)); got != c.want {
			t.Errorf("All(%v) = %s, want %s", c.err, got, c.want)
		}
	}
}

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Kind
	}{
		{nil, ""},
		{io.EOF, Internal},
		{errors.Join(io.EOF, fmt.Errorf("more: %w", New(NotFound, "gone"))), NotFound},
	} {
		if got := KindOf(c.err); got != c.want {
			t.Errorf("KindOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestAFaultIsNotChangedByWhatIsAddedToACopy(t *testing.T) {
	base := New(Limit, "much").With("limit", 1)
	more := base.With("value", 2).At("a", 3)
	if len(base.Details) != 1 || base.Path != nil {
		t.Error(base.Details, base.Path)
	}
	if len(more.Details) != 2 || Way(more.Path) != ".a.3" {
		t.Error(more.Details, Way(more.Path))
	}
}

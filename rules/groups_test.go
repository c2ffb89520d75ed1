package rules_test

import (
	"bytes"
	"testing"

	"spacecloud/auth"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// A field that the claims alone do not open is in no part of groups, and callers for whom that
// differs have different shapes.
func TestGroupsTellOfNothingHidden(t *testing.T) {
	s := openShop(t)
	shelf, user := s.Type("Shelf"), s.Type("User")
	row := query.Measure{Fn: query.Greatest, Field: s.field("Shelf", "row")}
	boss := caller(map[string]any{"id": "b", "role": "boss"})
	other := caller(map[string]any{"id": "b", "role": "staff"})
	for name, g := range map[string]*query.Groups{
		"by":       {By: []*schema.Field{row.Field}},
		"measures": {Measures: []query.Measure{row}},
		"order":    {OrderBy: []query.GroupOrder{{Measure: row}}},
		"having":   {Having: query.Or{query.IsNull{Operand: row.Operand()}, query.True}},
	} {
		l := query.Level{Type: shelf, Groups: g}
		if _, err := s.set.Level(boss, query.Read, l); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, ask := range []func(*auth.Caller) error{
			func(c *auth.Caller) error { _, err := s.set.Level(c, query.Read, l); return err },
			func(c *auth.Caller) error { return s.set.Asks(c, l) },
		} {
			if err := ask(other); fault.KindOf(err) != fault.Denied || err.Error() != "read of Shelf.row is not allowed" {
				t.Errorf("%s: got %v", name, err)
			}
		}
		uses := s.set.Uses(nil, l, query.Read)
		if bytes.Equal(s.set.Shape(nil, boss, uses), s.set.Shape(nil, other, uses)) {
			t.Errorf("%s: a plan of the boss would do for others", name)
		}
	}
	for _, name := range []string{"secret", "salary"} { // hidden, and open by the row only
		g := &query.Groups{Measures: []query.Measure{{Fn: query.CountDistinct, Field: s.field("User", name)}}}
		if err := s.set.Asks(other, query.Level{Type: user, Groups: g}); fault.KindOf(err) != fault.Denied {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

package rules_test

import (
	"fmt"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

func TestClaimsAreCoercedToTheirColumns(t *testing.T) {
	for _, test := range []struct {
		rule string
		as   *auth.Caller
		want string
	}{
		{"doc.ownerId == auth.id", ann, `"ann"`},
		{"doc.ownerId == auth.level", ann, `"3"`},
		{"doc.serial.id == auth.level", ann, "3"},
		{"doc.serial.id == auth.id", ann, "null"},
		{"doc.views == auth.level", ann, "3"},
		{"doc.rate == auth.level + 0.5", ann, "3.5"},
		{"doc.views == int(auth.level) + 1", ann, "4"},
		{"doc.views == auth.id", ann, "null"},
		{"doc.price == auth.level", ann, `"3"`},
		{"doc.rate == auth.level", ann, "3"},
		{"doc.public == auth.admin", ann, "false"},
		{"doc.title == auth.level", ann, "null"},
		{"doc.title == auth.org", ann, "null"},
		{"doc.title == auth.org.id + '!'", ann, `"acme!"`},
		{"doc.title == auth.rank + '!'", ann, "null"},
		{"doc.state == auth.role", ann, "null"},
		{"doc.at > now", ann, `"2026-05-01T12:00:00.000000Z"`},
		{"doc.at > now - duration('24h')", ann, `"2026-04-30T12:00:00.000000Z"`},
		{"doc.title == request.ip", ann, `"1.2.3.4"`},
		{"doc.title == request.headers['x-tenant']", ann, `"acme"`},
		{"doc.ownerId in auth.groups", ann, `["a", "b"]`},
		{"doc.views in auth.groups", ann, "[null, null]"},
		{"doc.ownerId in auth.empty", ann, "[]"},
		{"doc.ownerId in auth.id", ann, "null"},
		{"doc.ownerId in auth.groups.map(g, g + '!')", ann, `["a!", "b!"]`},
		{"doc.ownerId in auth.org", ann, "null"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s, set, err := withRule(t, test.rule)
			if err != nil {
				t.Fatal(err)
			}
			n, err := set.Level(test.as, query.Read, query.Level{Type: s.Type("Post")})
			if err != nil {
				t.Fatal(err)
			}
			values := make([]schema.Value, set.Operands())
			set.Claims(test.as, claimsOf(n), values)
			if got := fmt.Sprint(values[0]); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

var benchmarks = []struct{ name, rule string }{
	{"signedIn", "auth.id != ''"},
	{"owner", "auth.role == 'admin' || doc.ownerId == auth.id"},
	{"team", "doc.team.members.exists(m, m.userId == auth.id && m.role in ['owner', 'editor'])"},
	{"groups", "doc.ownerId in auth.groups"},
	{"recent", "doc.at > now - duration('24h')"},
	{"computed", "auth.groups.exists(g, g == 'b') && doc.ownerId == auth.id"},
}

// BenchmarkRequest is what a request whose plan is known asks of the rules.
func BenchmarkRequest(b *testing.B) {
	for _, bench := range benchmarks {
		b.Run(bench.name, func(b *testing.B) {
			s, set, err := withRule(b, bench.rule)
			if err != nil {
				b.Fatal(err)
			}
			l := query.Level{Type: s.Type("Post")}
			uses := set.Uses(nil, l, query.Read)
			n, err := set.Level(ann, query.Read, l)
			if err != nil {
				b.Fatal(err)
			}
			used := claimsOf(n)
			values := make([]schema.Value, set.Operands())
			shape := make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				shape = set.Shape(shape[:0], ann, uses)
				set.Claims(ann, used, values)
			}
		})
	}
}

func BenchmarkLevel(b *testing.B) {
	s, set, err := withRule(b, "auth.role == 'admin' || doc.ownerId == auth.id")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := set.Level(ann, query.Read, query.Level{Type: s.Type("Post")}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompile is what an edit of a schema of 50 types with 200 rules costs.
func BenchmarkCompile(b *testing.B) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, `
type Item%d @table(plural: "item%ds") @auth(read: "doc.open || doc.ownerId == auth.id", create: "auth.id == doc.ownerId",
  update: "auth.role == 'staff' || doc.ownerId == auth.id", delete: "auth.role in ['boss', 'staff']") {
  id: ID! @primary  open: Boolean  ownerId: ID }`, i, i)
	}
	s := compile(b, text.String())
	for b.Loop() {
		if _, err := rules.Compile(s); err != nil {
			b.Fatal(err)
		}
	}
}

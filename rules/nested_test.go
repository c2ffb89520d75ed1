package rules_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Rules that look at outer rows from inside of links mean what they say.
func TestNestedScopes(t *testing.T) {
	linked := func(r *record, link string) (out []*record) {
		for _, each := range r.Linked(r.of.Field(link)) {
			out = append(out, each.(*record))
		}
		return out
	}
	name := func(r *record) string { return r.values["name"].Text() }
	some := func(rows []*record, is func(*record) bool) bool {
		return slices.ContainsFunc(rows, is)
	}
	same := func(a, b *record) bool { return name(a) != "" && name(a) == name(b) }
	for _, test := range []struct {
		rule string
		mean func(r *record, world []*record) bool
	}{
		{"doc.posts.exists(p, doc.boss.posts.exists(q, q.name == p.name))", func(r *record, _ []*record) bool {
			return some(linked(r, "posts"), func(p *record) bool {
				return some(linked(r, "boss"), func(b *record) bool {
					return some(linked(b, "posts"), func(q *record) bool { return same(p, q) })
				})
			})
		}},
		{"exists(User, u, u.id != doc.id && u.posts.exists(p, p.name == doc.name))", func(r *record, world []*record) bool {
			return some(world, func(u *record) bool {
				return u.of == r.of && u.values["id"].Text() != r.values["id"].Text() &&
					some(linked(u, "posts"), func(p *record) bool { return same(p, r) })
			})
		}},
		{"doc.posts.all(p, doc.boss != null && p.name == doc.boss.name)", func(r *record, _ []*record) bool {
			return !some(linked(r, "posts"), func(p *record) bool {
				return !some(linked(r, "boss"), func(b *record) bool { return same(b, p) })
			})
		}},
		{"doc.posts.exists(p, doc.boss == null || p.name == 'x')", func(r *record, _ []*record) bool {
			return some(linked(r, "posts"), func(p *record) bool { return len(linked(r, "boss")) == 0 || name(p) == "x" })
		}},
		{"doc.boss.boss.id == 'x' || doc.boss.boss.posts.exists(p, p.author.id == doc.id)", func(r *record, _ []*record) bool {
			return some(linked(r, "boss"), func(b *record) bool {
				return some(linked(b, "boss"), func(c *record) bool {
					return c.values["id"].Text() == r.values["id"].Text() && len(linked(c, "posts")) > 0
				})
			})
		}},
	} {
		t.Run(test.rule, func(t *testing.T) {
			s := compile(t, strings.Replace(people, `doc.open || doc.boss.name == auth.id`, test.rule, 1))
			set, err := rules.Compile(s)
			if err != nil {
				t.Fatal(err)
			}
			n, err := set.Level(ann, query.Read, query.Level{Type: s.Type("User")})
			if err != nil {
				t.Fatal(err)
			}
			random := rand.New(rand.NewPCG(7, 8))
			for range 500 {
				world := randomWorld(random, s)
				for _, r := range world {
					r.all = &world
					if r.of.Name != "User" {
						continue
					}
					want := test.mean(r, world)
					if got := query.Holds(n.Level().Where, r, query.Binding{Claims: make([]schema.Value, set.Operands())}) == query.True; got != want {
						t.Fatalf("left %s\nof %v: %v, want %v", n.Level().Where, r.values, got, want)
					}
				}
			}
		})
	}
}

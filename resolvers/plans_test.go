package resolvers

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// However many shapes callers come in, a find keeps a bounded number of plans.
func TestPlansAreBounded(t *testing.T) {
	var parts []string
	for i := range 7 {
		parts = append(parts, fmt.Sprintf("(doc.id == '%d' && auth.c%d == 'x')", i, i))
	}
	s, err := schema.Parse(schema.Source{Name: "s.graphql", Text: `type A @auth(read: "` + strings.Join(parts, " || ") + `") { id: ID! @primary }`})
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	r := &Resolvers{Config: Config{Schema: s, Rules: set, Databases: nil}.withDefaults()}
	typ := s.Type("A")
	f := r.Find(&query.Find{Type: typ, Items: []query.Item{{Name: "id", Field: typ.Field("id")}}})
	most := 0
	for n := range 1 << 7 {
		c := &auth.Caller{SignedIn: true, Claims: map[string]any{}}
		for i := range 7 {
			if n>>i&1 == 1 {
				c.Claims[fmt.Sprintf("c%d", i)] = "x"
			}
		}
		shape := string(f.r.Rules.Shape(nil, c, f.uses))
		f.keep(shape, &plan{})
		most = max(most, len(f.plans))
	}
	if most != maxPlans {
		t.Errorf("%d plans were kept, want %d at most and all of them used", most, maxPlans)
	}
}

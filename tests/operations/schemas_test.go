package operations

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"spacecloud/auth"
	"spacecloud/database/drivertest"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// Whatever schema there is, it is migrated to in one go, and what its API says it can be asked is
// answered as it says.
func TestRandomSchemasServe(t *testing.T) { served.Each(t, randomSchemasServe) }

func randomSchemasServe(t *testing.T, on served.Kind) {
	ran := 0
	for n := range uint64(24 / sparing) {
		seed := *seeded<<32 + n
		r := rand.New(rand.NewPCG(seed, 3))
		sdl := drivertest.RandomSDL(r)
		source := schema.Source{Name: "random.graphql", Text: sdl}
		if _, err := schema.Parse(source); err != nil {
			t.Logf("seed %d: %v", seed, err) // chance knows little of what fits together
			continue
		}
		ran++
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Logf("the schema:\n%s", sdl)
				}
			})
			s := stage{name: "random", sources: func(testing.TB) []schema.Source { return []schema.Source{source} }}
			s.callers = map[string]*auth.Caller{"nobody": nobody(), "ann": caller("1", ""), "admin": caller("2", "admin")}
			p := &play{stage: s, world: open(t, on, source)}
			p.api = introspect(t, p.world)
			p.reseed(seed)
			p.grow(2, 3)
			p.asksAll(t, seed)
		})
	}
	if ran < 12/sparing {
		t.Errorf("only %d schemas were served", ran)
	}
}

// asksAll asks for each root field once or twice.
func (p *play) asksAll(t *testing.T, seed uint64) {
	t.Helper()
	count := tally{}
	for _, of := range []*typ{p.api.query, p.api.mutation} {
		if of == nil {
			continue
		}
		law := trial.sameInAnotherForm
		kind := "query"
		if of == p.api.mutation {
			kind = "mutation"
			law = func(t trial) (said, error) { return t.answered(literals) }
		}
		for i, f := range of.Fields {
			for n, who := range []string{"admin", "ann"} {
				each := seed<<16 + uint64(i)<<8 + uint64(n)
				p.reseed(each)
				p.hold(t, trial{p, p.builder.root(kind, f), who, each}, law, count)
			}
		}
	}
}

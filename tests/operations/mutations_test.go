package operations

import (
	"slices"
	"strings"
	"testing"

	"spacecloud/tests/served"
)

// Whoever asks, whatever a mutation can ask is answered as the API says. On two databases with the
// same rows, asked in two forms, it is answered in the same way and does the same; and what is refused
// does nothing.
func TestMutationsDoTheSameHoweverTheyAreWritten(t *testing.T) {
	served.Each(t, mutationsDoTheSameHoweverTheyAreWritten)
}

func mutationsDoTheSameHoweverTheyAreWritten(t *testing.T, on served.Kind) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			a, b := begin(t, on, s, *seeded), begin(t, on, s, *seeded)
			count := tally{}
			for i, f := range a.api.gently() {
				a.harvest()
				for n := 0; n < max(1, 16/sparing) || sparing == 1 && n < 60 && (count[f.Name]["answers"] == 0 || !a.given(f)); n++ {
					seed := *seeded<<32 + uint64(i)<<8 + uint64(n)
					a.reseed(seed)
					a.builder.modest = n > 10 && n%2 == 0
					who := s.names()[n%len(s.callers)]
					a.twice(t, b, trial{a, a.builder.root("mutation", f), who, seed}, count)
				}
			}
			if one, other := a.Dump(), b.Dump(); one != other {
				t.Errorf("the databases differ\n%s\n\n%s", one, other)
			}
			if sparing > 1 {
				return
			}
			if s.seed == "" {
				count.judge(t, a) // the sample's rules let few through by chance
			}
			for _, f := range a.api.mutation.Fields {
				if !a.given(f) {
					t.Errorf("%s was not asked for with all its arguments", f.Name)
				}
			}
		})
	}
}

// gently are the mutations with those last that take rows away: one after the other, from the
// last type to the first, and then many.
func (a *api) gently() []*field {
	var others, one, many []*field
	for _, f := range a.mutation.Fields {
		switch {
		case !strings.HasPrefix(f.Name, "delete"):
			others = append(others, f)
		case f.arg("where") == nil:
			one = append(one, f)
		default:
			many = append(many, f)
		}
	}
	slices.Reverse(one)
	return slices.Concat(others, one, many)
}

// given is whether all arguments of a mutation were.
func (p *play) given(f *field) bool {
	return !slices.ContainsFunc(f.Args, func(in *input) bool {
		return p.builder.covered["Mutation."+f.Name+"("+in.Name+")"] == 0
	})
}

// twice asks p and another for the same.
func (p *play) twice(t *testing.T, other *play, each trial, count tally) {
	t.Helper()
	before := p.version()
	first, err := each.answered(literals)
	count.add(each.op.set[0].name, first)
	if err == nil && first.errors != nil && p.version() != before {
		t.Errorf("seed %d, as %s: refused, and the database changed\n%s", each.seed, each.caller, each.op.write(p.api, literals, 0))
	}
	again := each
	again.play = other
	f := forms[each.seed%uint64(len(forms))]
	second, err2 := again.answered(f)
	if err == nil {
		err = err2
	}
	if err == nil {
		err = differ(first, second)
	}
	if err != nil {
		t.Errorf("seed %d, as %s: %v\n%s\nanswers %.700s\n%.700s\nlogs %s %s",
			each.seed, each.caller, err, each.op.write(p.api, f, each.seed), shown(first.value), shown(second.value), p.log.last(), other.log.last())
	}
}

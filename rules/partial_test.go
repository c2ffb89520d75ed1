package rules_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"spacecloud/rules"
	"spacecloud/schema"
)

// around are rules and checks that go through links of every kind.
const around = `
type Group @check(rule: "doc.name != doc.note") @check(rule: "doc.people.exists(p, p.name == doc.note)")
  @auth(read: "doc.people.exists(p, p.boss.name == auth.id)", update: "exists(Seat, s, s.groupId == doc.id && s.person.name == auth.id)") {
  id: ID! @primary
  name: String
  note: String @default(expr: "auth.id + doc.name") @auth(read: "doc.people.all(p, p.id == doc.note)")
  people: [User!]! @link(through: "Seat")
}
type Seat { group: Group! @link @primary  person: User! @link @primary }`

// What is wrong with a schema does not make its rules panic, and of the rules it hides no more than the names that
// it lacks.
func TestRulesOfASchemaThatIsNotWhole(t *testing.T) {
	text := strings.Replace(world+around, "READ", "doc.team.members.exists(m, m.userId == auth.id) || exists(Tag, g, g.posts.exists(p, p.id == doc.id))", 1)
	parts := regexp.MustCompile(`(?m)^ *\w+: (\S+)( @link$| @primary$)?`).FindAllStringSubmatchIndex(text, -1)
	types := []string{"ID!", "String", "Strin", "Int!", "User", "Team!", "[Post!]!", "[User!]! @link", "Nothing @link", "Post @link", "Address", "JSON"}
	r := rand.New(rand.NewPCG(5, 6))
	broken := 0
	for range 300 {
		changed := text
		for range 1 + r.IntN(2) {
			p := parts[r.IntN(len(parts))]
			if p[1] < len(changed) { // an earlier change may have moved it: then it is another change
				changed = changed[:p[2]] + types[r.IntN(len(types))] + changed[p[1]:]
			}
		}
		s, err := schema.Parse(schema.Source{Name: "a.graphql", Text: changed})
		if err == nil || s == nil {
			continue
		}
		broken++
		if got := rules.Problems(s); got != nil && regexp.MustCompile(`no field|no table|is unknown`).MatchString(got.Error()) {
			t.Errorf("%s\nwith\n%v\nfor\n%s", got, err, changed)
		}
	}
	if broken < 100 {
		t.Errorf("only %d schemas were wrong", broken)
	}
}

package rules_test

import (
	"errors"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const apartWorld = `
type Team @table(db: "people") @auth(read: "true") { id: ID! @primary  region: String  size: Int  members: [Member!]! @link }
type Member @table(db: "people") @auth(read: "true") { id: ID! @primary  user: String  role: String  level: Float  rank: Int  team: Team @link }
type Doc @auth(read: "READ") {
  id: ID! @primary
  region: String
  other: String
  level: Int
  owner: String
  team: Team @link
  parent: Doc @link
}`

func splitRule(t *testing.T, rule string) (*rules.Apart, error) {
	t.Helper()
	s := compile(t, strings.ReplaceAll(apartWorld, "READ", rule))
	set, err := rules.Compile(s)
	if err != nil {
		return nil, err
	}
	narrowed, err := set.Level(&auth.Caller{SignedIn: true, Claims: map[string]any{"id": "ann"}}, query.Read, query.Level{Type: s.Type("Doc")})
	if err != nil {
		t.Fatal(err)
	}
	return narrowed.Apart(10)
}

// What a rule leaves for each database.
func TestRulesComeApart(t *testing.T) {
	for _, test := range []struct{ rule, near, far string }{
		{"doc.owner == auth.id", "", ""},
		{"doc.team.region == 'eu'", "teamId in $0", `region = "eu"`},
		{
			"!(doc.team.region == 'eu')",
			"not (((not (teamId is null) and teamId in $0) or (unknown and not ((not (teamId is null) and teamId in $1)))))",
			`region = "eu" | not (region = "eu")`,
		},
		{"doc.team == null", "not ((not (teamId is null) and teamId in $0))", "true"},
		{"doc.parent.team.region == 'eu'", "some parent (teamId in $0)", `region = "eu"`},
		{"exists(Member, m, m.user == auth.id)", "not ($0 is null)", "user = @0"},
		{"exists(Member, m, m.teamId == doc.teamId && m.user == auth.id)", "teamId in $0", "(user = @0 and not (teamId is null))"},
		{"doc.team.members.exists(m, m.user == auth.id)", "teamId in $0", "some members (user = @0)"},
		{"exists(Member, m, m.user == doc.owner && m.role == doc.region)", "(owner, region) among $0", "(not (user is null) and not (role is null))"},
		{"exists(Member, m, m.user == doc.owner && m.team.region == 'eu')", "owner in $0", "(team.region = \"eu\" and not (user is null))"},
		{"exists(Member, m, m.teamId == doc.parent.teamId)", "parent.teamId in $0", "not (teamId is null)"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			a, err := splitRule(t, test.rule)
			if err != nil {
				t.Fatal(err)
			}
			if test.near == "" {
				if a != nil {
					t.Fatalf("a rule of one database came apart: %s", a.Level.Level().Where)
				}
				return
			}
			var far []string
			for _, q := range a.Questions {
				w := q.Level.Level().Where
				if w == nil {
					w = query.True
				}
				far = append(far, w.String())
				if q.Level.Level().Type.DB != "people" {
					t.Errorf("%s is asked of %s", q.Asked(), q.Level.Level().Type.DB)
				}
			}
			if a.Level.Level().Where.String() != test.near {
				t.Errorf("here\ngot  %s\nwant %s", a.Level.Level().Where, test.near)
			}
			if got := strings.Join(far, " | "); got != test.far {
				t.Errorf("there\ngot  %s\nwant %s", got, test.far)
			}
		})
	}
}

// What no database can be asked is refused when the schema is loaded.
func TestWhatCannotComeApart(t *testing.T) {
	one := "lives in database people, which cannot look at rows of main: of those a condition on Member can only say that a column of Member equals one of theirs, beside what else it says (&&)"
	for _, test := range []struct{ rule, want string }{
		{"doc.team.region == doc.region", "1:17: doc.team.region == doc.region: team.region and region are read from different databases, and no database can compare them; keep a copy of one beside the other"},
		{"auth.id == 'x' && doc.team.size < doc.level", "1:33: doc.team.size < doc.level: team.size and level are read from different databases"},
		{"doc.parent.team.region == doc.team.region", "1:24: doc.parent.team.region == doc.team.region: parent.team.region and team.region are read from different databases"},
		{"exists(Member, m, m.user != doc.owner)", "1:7: exists(Member, m, m.user != doc.owner): Member " + one},
		{"exists(Member, m, m.user == doc.owner || m.role == 'x')", "1:7: exists(Member, m, m.user == doc.owner || m.role == \"x\"): Member " + one},
		{"exists(Member, m, !(m.user == doc.owner))", "1:7: exists(Member, m, !(m.user == doc.owner)): Member " + one},
		{"doc.team.members.exists(m, m.user == doc.owner)", "1:24: doc.team.members.exists(m, m.user == doc.owner): Team lives in database people"},
		{"exists(Member, m, m.rank == doc.level && m.user == doc.owner && m.role == doc.team.region)", "team.region is read from another database, and is not all that a Member has to agree with"},
		{"auth.id != '' && !exists(Member, m, exists(Doc, d, d.level == m.rank && d.owner == doc.owner))", "1:25: exists(Member, m, exists(Doc, d, "},
	} {
		t.Run(test.rule, func(t *testing.T) {
			_, err := splitRule(t, test.rule)
			var problems schema.Problems
			if !errors.As(err, &problems) || len(problems) != 1 {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			p := problems[0]
			before := apartWorld[:strings.Index(apartWorld, "READ")]
			p.Line -= strings.Count(before, "\n")
			p.Column -= len(before) - strings.LastIndex(before, "\n") - 1
			if got := strings.TrimPrefix(p.Error(), "world.graphql:"); !strings.Contains(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

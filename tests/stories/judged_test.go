package stories

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

const judgedRule = "doc.public || doc.ownerId == auth.id && (doc.level < auth.level || doc.text.startsWith('a')) || exists(Member, m, m.team == doc.team && m.user == auth.id) || doc.owner.boss == auth.id"

var judgedSDL = fmt.Sprintf(`
type Doc @auth(create: "true", read: %[1]q) {
  id: ID! @primary
  public: Boolean
  ownerId: ID @index
  owner: Person @link(from: "ownerId", to: "id")
  team: String
  level: Int
  text: String!
  # What the read rule is not: shown where it is false, hidden where it is unknown.
  shown: String @auth(read: "!(%[1]s)")
  often: String @auth(read: "auth.id != '' && (doc.level > 1 || !doc.public)")
}
type Person @table(db: "people") @auth(create: "true") { id: ID! @primary  boss: ID @index }
type Member @table(db: "people") @auth(create: "true") { team: String! @primary  user: ID! @primary }
`, judgedRule)

// What Judge says of a stored row is what requests show of it, on every kind of database and across
// two of them; and it tells unknown from false.
func TestRowsAreJudgedAsTheyAreShown(t *testing.T) {
	served.EachAndMixed(t, func(t *testing.T, k served.Kind) {
		s := served.Text(t, k, judgedSDL, served.Options{})
		c := resolvers.Config{Schema: s.Schema, Rules: served.Must(rules.Compile(s.Schema))(t), Databases: map[string]*database.DB{}}
		for name, d := range s.Drivers {
			c.Databases[name] = database.New(name, d)
		}
		r := served.Must(resolvers.New(c))(t)
		const rows = 24
		fillJudged(t, s, rows)
		for _, who := range []*auth.Caller{
			{}, {SignedIn: true, Claims: map[string]any{"id": "ann", "level": 2.0}}, {SignedIn: true, Claims: map[string]any{"id": "bo"}},
		} {
			shown := map[string]map[string]any{}
			var answer struct {
				Data struct{ Docs []map[string]any }
			}
			body := s.Ask(who, "{ docs { id often } }", nil, nil).Body
			if err := json.Unmarshal(body, &answer); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			for _, doc := range answer.Data.Docs {
				shown[doc["id"].(string)] = doc
			}
			explain(t, r, s.Schema.Type("Doc"), who)
			for i := range rows {
				judge(t, r, s.Schema.Type("Doc"), who, fmt.Sprintf("d%02d", i), shown)
			}
		}
	})
}

func fillJudged(t *testing.T, s *served.Server, rows int) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 7))
	some := func(values ...any) any { return values[random.IntN(len(values))] }
	var docs []map[string]any
	for i := range rows {
		docs = append(docs, map[string]any{
			"id": fmt.Sprintf("d%02d", i), "public": some(true, false, false, nil), "ownerId": some("ann", "bo", "cy", nil),
			"team": some("a", "b", nil), "level": some(1, 2, nil), "text": some("ab", "b"), "shown": "x", "often": "y",
		})
	}
	answer := s.Ask(&auth.Caller{}, `mutation ($docs: [DocInsert!]!) { insertDocs(docs: $docs) { affected } }`, map[string]any{"docs": docs}, nil)
	people := s.Ask(&auth.Caller{}, `mutation { insertPeople(docs: [{id: "ann"}, {id: "bo"}, {id: "cy", boss: "ann"}]) { affected }
		insertMembers(docs: [{team: "a", user: "bo"}]) { affected } }`, nil, nil)
	if all := string(answer.Body) + string(people.Body); strings.Contains(all, "errors") {
		t.Fatal(all)
	}
}

// explain checks that what is told of a find names its rule, and its statements the caller's values.
func explain(t *testing.T, r *resolvers.Resolvers, doc *schema.Type, who *auth.Caller) {
	t.Helper()
	told := r.Find(&query.Find{Type: doc, Items: []query.Item{{Name: "id", Field: doc.Field("id")}}}).Steps(who, "docs", nil)
	if told.Refused != nil || len(told.Steps) != 1 || told.Steps[0].Rules[0].Clause.Text != judgedRule || told.Steps[0].Rules[0].Rule.Line != 2 {
		t.Fatalf("%+v", told)
	}
	id, ok := who.Claims["id"].(string)
	all := ""
	for _, s := range told.Statements {
		if s.Text == "" {
			t.Errorf("%s asks nothing", s.About)
		}
		all += strings.Join(s.With, ", ") + "; "
	}
	if ok && !strings.Contains(all, strconv.Quote(id)) {
		t.Errorf("%s is not among the values of the statements: %s", id, all)
	}
}

func judge(t *testing.T, r *resolvers.Resolvers, doc *schema.Type, who *auth.Caller, id string, shown map[string]map[string]any) {
	t.Helper()
	uses := []rules.Use{{Type: doc, Verb: query.Read}, {Type: doc, Field: doc.Field("shown"), Verb: query.Read}, {Type: doc, Field: doc.Field("often"), Verb: query.Read}}
	judged, err := r.Judge(t.Context(), who, doc, []schema.Value{schema.Text(id)}, uses)
	if err != nil {
		t.Fatal(err)
	}
	read, not, often := judged[0].Clause.Is, judged[1].Clause.Is, judged[2].Clause.Is
	row, there := shown[id]
	if (read == query.True) != there {
		t.Errorf("%s is judged to be %v for %v, and is there: %v", id, read, who.Claims, there)
	}
	if want := query.Holds(query.Not{Where: read}, nil, query.Binding{}); not != want {
		t.Errorf("%s: what is not %v is judged to be %v for %v", id, read, not, who.Claims)
	}
	if there && (often == query.True) != (row["often"] != nil) {
		t.Errorf("%s: a field is judged to be %v for %v, and shows %v", id, often, who.Claims, row["often"])
	}
}

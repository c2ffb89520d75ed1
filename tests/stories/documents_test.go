package stories

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/auth"
	"spacecloud/database/mongodb"
	"spacecloud/database/sqlite"
	"spacecloud/fault"
	"spacecloud/tests/mongo"
	"spacecloud/tests/served"
)

// documents serves a schema on MongoDB, and lends the database itself.
func documents(t *testing.T, sdl string, log *bytes.Buffer) (*served.Server, *mongodb.Driver) {
	t.Helper()
	d, err := mongodb.Open(t.Context(), mongo.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	return served.Text(t, served.Given(d), sdl, served.Options{Log: log}), d
}

// An ID that MongoDB holds as an ObjectId is made as one, found by its digits, and pointed to.
func TestObjectIds(t *testing.T) {
	s, d := documents(t, `
type User @auth(read: "true", create: "true", update: "true") { id: ID! @primary @column(type: "objectId")  name: String  posts: [Post!]! @link }
type Post @auth(read: "true", create: "true", update: "true") { id: ID! @primary  author: User @link }
`, &bytes.Buffer{})
	ask := func(text string) string { return string(s.Ask(&auth.Caller{Now: now}, text, nil, nil).Body) }
	made := regexp.MustCompile(`"id":"([0-9a-f]{24})"`).FindStringSubmatch(ask(`mutation { insertUser(doc: {name: "Ann", posts: {create: [{id: "p"}]}}) { id } }`))
	if made == nil {
		t.Fatal("no ObjectId")
	}
	stored, err := d.Database().Collection("users").FindOne(t.Context(), bson.D{}).Raw()
	if err != nil || stored.Lookup("_id").Type != bson.TypeObjectID || stored.Lookup("_id").ObjectID().Timestamp().UTC() != now {
		t.Errorf("%s, %v", stored, err)
	}
	for text, want := range map[string]string{
		`{ user(id: "` + made[1] + `") { name posts { id author { id } } } }`:   `{"data":{"user":{"name":"Ann","posts":[{"id":"p","author":{"id":"` + made[1] + `"}}]}}}`,
		`{ users(where: {id: {_eq: "nobody"}}) { id } }`:                        `{"data":{"users":[]}}`,
		`mutation { insertUser(doc: {id: "65f000000000000000000001"}) { id } }`: `{"data":{"insertUser":{"id":"65f000000000000000000001"}}}`,
		`mutation { insertUser(doc: {id: "nobody"}) { id } }`:                   `id is an ObjectId, which is 24 hexadecimal digits`,
		`mutation { insertPost(doc: {authorId: "nobody"}) { id } }`:             `authorId is an ObjectId, which is 24 hexadecimal digits`,
		`mutation { updatePost(id: "p", set: {authorId: "no"}) { id } }`:        `authorId is an ObjectId, which is 24 hexadecimal digits`,
	} {
		if got := ask(text); !strings.Contains(got, want) {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// Without foreign keys a row may point to one that somebody else took away: no link to one row is
// promised, and no rule takes the key for the row.
func TestOrphansOfOthers(t *testing.T) {
	s, d := documents(t, `
type User @auth(read: "true", create: "true") { id: ID! @primary  name: String!  posts: [Post!]! @link }
type Post @auth(read: "doc.author.id != 'x'", create: "true", update: "true") { id: ID! @primary  title: String  author: User! @link }
type Page @auth(read: "true", create: "true", update: "true") { id: ID! @primary  title: String  author: User! @link }
`, &bytes.Buffer{})
	ask := func(text string) string { return string(s.Ask(&auth.Caller{Now: now}, text, nil, nil).Body) }
	ask(`mutation { insertUser(doc: {id: "a", name: "Ann"}) { id } insertPost(doc: {id: "p", authorId: "a"}) { id } insertPage(doc: {id: "q", authorId: "a"}) { id } }`)
	for _, c := range []struct{ text, want string }{
		{`{ __type(name: "Page") { fields { name type { kind } } } }`, `{"name":"author","type":{"kind":"OBJECT"}}`},
		{`{ posts { id author { name } } pages { author { name } } }`, `{"data":{"posts":[{"id":"p","author":{"name":"Ann"}}],"pages":[{"author":{"name":"Ann"}}]}}`},
		{"", ""},
		{`{ posts { id } pages { id author { name } } }`, `{"data":{"posts":[],"pages":[{"id":"q","author":null}]}}`},
		{`{ pages(where: {author: {_isNull: true}}) { id } }`, `{"data":{"pages":[{"id":"q"}]}}`},
		{`{ pages(orderBy: [{author: {name: ASC}}, {id: ASC}]) { id } }`, `{"data":{"pages":[{"id":"q"}]}}`},
		{`mutation { updatePage(id: "q", set: {title: "T"}) { title author { id } } }`, `{"data":{"updatePage":{"title":"T","author":null}}}`},
		{`mutation { updatePage(id: "q", set: {authorId: "a"}) { id } }`, `the author of this Page is not there`},
	} {
		if c.text == "" {
			if _, err := d.Database().Collection("users").DeleteMany(t.Context(), bson.D{}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if got := ask(c.text); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.text, got)
		}
	}
}

// misfits serves a schema over documents that others wrote.
func misfits(t *testing.T, log *bytes.Buffer) func(text string) string {
	t.Helper()
	s, d := documents(t, `
type Item @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  n: Int
  must: Int!
  at: DateTime
  kind: Kind
  day: Date
  tags: [String!]
  spot: Spot
  spots: [Spot!]
  up: Item @link
  all: [Item!]! @link
}
type Spot { x: Int  y: Int! }
enum Kind { A B }
type Secret @auth(read: "true") { id: ID! @primary @auth(read: "auth.role == 'admin'")  n: Int }
type Pair @auth(read: "true", update: "true") { a: ID! @primary  b: Int! @primary  n: Int  d: Decimal  f: Float  tags: [String!]  more: [String!] }
`, log)
	insert := func(collection string, docs ...any) {
		if _, err := d.Database().Collection(collection).InsertMany(t.Context(), docs, options.InsertMany().SetBypassDocumentValidation(true)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Database().RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "items"}, {Key: "validator", Value: bson.D{}}}).Err(); err != nil {
		t.Fatal(err)
	}
	insert("items",
		bson.D{{Key: "_id", Value: "good"}, {Key: "n", Value: 1}, {Key: "must", Value: 1}, {Key: "up_id", Value: "bad"}},
		bson.D{
			{Key: "_id", Value: "bad"},
			{Key: "n", Value: "seven"},
			{Key: "must", Value: 2},
			{Key: "at", Value: 5},
			{Key: "kind", Value: "C"},
			{Key: "day", Value: "yesterday"},
			{Key: "tags", Value: bson.A{"a", 1}},
			{Key: "up_id", Value: bson.D{}},
			{Key: "spot", Value: bson.D{{Key: "x", Value: true}, {Key: "y", Value: 3}}},
			{Key: "spots", Value: bson.A{bson.D{{Key: "y", Value: 1}}, bson.D{}}},
		},
		bson.D{{Key: "_id", Value: "gone"}, {Key: "up_id", Value: "nowhere"}, {Key: "spots", Value: bson.A{bson.D{{Key: "y", Value: 1}}, "s"}}},
	)
	insert("secrets", bson.D{{Key: "_id", Value: "hidden"}, {Key: "n", Value: "x"}})
	insert("pairs", bson.D{{Key: "a", Value: "p"}, {Key: "b", Value: 2}, {Key: "n", Value: 1.5}, {Key: "d", Value: "x"}, {Key: "f", Value: "x"}, {Key: "tags", Value: "x"}, {Key: "more", Value: 7}})
	return func(text string) string {
		return string(s.Ask(&auth.Caller{Now: now}, text, nil, nil).Body)
	}
}

// A document that is not what the schema says is read as far as it is: what does not fit is null, or the
// nearest that may be, with an error that names type, field and key, and nothing of the value.
func TestDocumentsThatDoNotFit(t *testing.T) {
	var log bytes.Buffer
	ask := misfits(t, &log)
	for _, c := range []struct {
		text string
		want []string // data, and the errors
	}{
		{`{ item(id: "good") { n must } }`, []string{`{"item":{"n":1,"must":1}}`}},
		{`{ items(orderBy: [{id: ASC}]) { id m: n } }`, []string{
			`{"items":[{"id":"bad","m":null},{"id":"gone","m":null},{"id":"good","m":1}]}`,
			`VALIDATION_FAILED.items.0.m: Item.n is a text in the Item "bad", where the schema says Int`,
		}},
		{`{ items(orderBy: [{id: ASC}]) { id must } }`, []string{
			`null`,
			`VALIDATION_FAILED.items.1.must: Item.must is missing in the Item "gone", where the schema says Int!`,
		}},
		{`{ item(id: "gone") { id must } good: item(id: "good") { must } }`, []string{
			`{"item":null,"good":{"must":1}}`,
			`VALIDATION_FAILED.item.must: Item.must is missing in the Item "gone", where the schema says Int!`,
		}},
		{`{ item(id: "bad") { id n at kind day tags spot { x y } spots { y } } }`, []string{
			`{"item":{"id":"bad","n":null,"at":null,"kind":null,"day":null,"tags":null,"spot":{"x":null,"y":3},"spots":null}}`,
			`VALIDATION_FAILED.item.n: Item.n is a text in the Item "bad", where the schema says Int`,
			`VALIDATION_FAILED.item.at: Item.at is a number in the Item "bad", where the schema says DateTime`,
			`VALIDATION_FAILED.item.kind: Item.kind is another text in the Item "bad", where the schema says Kind`,
			`VALIDATION_FAILED.item.day: Item.day is another text in the Item "bad", where the schema says Date`,
			`VALIDATION_FAILED.item.tags: Item.tags is a list of which element 1 is a number in the Item "bad", where the schema says [String!]`,
			`VALIDATION_FAILED.item.spot.x: Spot.x is a boolean in the Item "bad", where the schema says Int`,
			`VALIDATION_FAILED.item.spots.1.y: Spot.y is missing in the Item "bad", where the schema says Int!`,
		}},
		{`{ item(id: "gone") { spots { x y } } }`, []string{
			`{"item":{"spots":null}}`,
			`VALIDATION_FAILED.item.spots.1: Item.spots is a list of which element 1 is a text in the Item "gone", where the schema says [Spot!]`,
		}},
		{`{ item(id: "good") { up { id u: up { id } } } }`, []string{
			`{"item":{"up":{"id":"bad","u":null}}}`,
			`VALIDATION_FAILED.item.up.u: Item.upId is an object in the Item "bad", where the schema says ID`,
		}},
		{`{ item(id: "bad") { ...F up { id } } } fragment F on Item { upId up { n } }`, []string{
			`{"item":{"upId":null,"up":null}}`,
			`VALIDATION_FAILED.item.upId: Item.upId is an object in the Item "bad", where the schema says ID`,
			`VALIDATION_FAILED.item.up: Item.upId is an object in the Item "bad", where the schema says ID`,
		}},
		{`{ item(id: "bad") { all { id m: must } } }`, []string{`{"item":{"all":[{"id":"good","m":1}]}}`}},
		{`{ itemsConnection(first: 2, orderBy: [{n: DESC}]) { totalCount nodes { id } pageInfo { endCursor } } }`, []string{
			`{"itemsConnection":{"totalCount":3,"nodes":[{"id":"gone"},{"id":"bad"}],"pageInfo":{"endCursor":null}}}`,
			`VALIDATION_FAILED.itemsConnection.pageInfo.endCursor: Item.n is a text in the Item "bad", where the schema says Int`,
		}},
		{`{ itemsConnection(first: 2, orderBy: [{n: DESC}]) { edges { cursor node { id } } } }`, []string{
			`null`,
			`VALIDATION_FAILED.itemsConnection.edges.1.cursor: Item.n is a text in the Item "bad", where the schema says Int`,
		}},
		{`{ itemsConnection(first: 2, orderBy: [{id: ASC}]) { nodes { n } edges { node { must } } } }`, []string{
			`null`,
			`VALIDATION_FAILED.itemsConnection.nodes.0.n: Item.n is a text in the Item "bad", where the schema says Int`,
			`VALIDATION_FAILED.itemsConnection.edges.1.node.must: Item.must is missing in the Item "gone", where the schema says Int!`,
		}},
		{`{ itemsAggregate { count sum { n must } avg { n } max { n } min { n } } }`, []string{
			`{"itemsAggregate":{"count":3,"sum":{"n":null,"must":"3"},"avg":{"n":null},"max":{"n":null},"min":{"n":1}}}`,
			`VALIDATION_FAILED.itemsAggregate.sum.n: the sum of Item.n is of numbers and 1 other values in items, where the schema says Int`,
			`VALIDATION_FAILED.itemsAggregate.avg.n: the avg of Item.n is of numbers and 1 other values in items, where the schema says Int`,
			`VALIDATION_FAILED.itemsAggregate.max.n: the max of Item.n is a text in items, where the schema says Int`,
		}},
		{`{ itemsGroups(groupBy: [n]) { group { n } count } }`, []string{
			`{"itemsGroups":[{"group":{"n":1},"count":1},{"group":{"n":null},"count":1},{"group":{"n":null},"count":1}]}`,
			`VALIDATION_FAILED.itemsGroups.1.group.n: Item.n is a text in items, where the schema says Int`,
		}},
		{`{ itemsGroups(groupBy: [must]) { group { must } count } }`, []string{
			`null`,
			`VALIDATION_FAILED.itemsGroups.0.group.must: Item.must is missing in items, where the schema says Int!`,
		}},
		{`{ secrets { n } }`, []string{
			`{"secrets":[{"n":null}]}`,
			`VALIDATION_FAILED.secrets.0.n: Secret.n is a text in one Secret, where the schema says Int`,
		}},
		{`{ pairs { n } }`, []string{
			`{"pairs":[{"n":null}]}`,
			`VALIDATION_FAILED.pairs.0.n: Pair.n is a number that it cannot be in the Pair {"a":"p","b":2}, where the schema says Int`,
		}},
		{`{ items(where: {n: {_gt: 0}}) { id } }`, []string{`{"items":[{"id":"good"}]}`}},
		{`{ items(where: {_not: {tags: {_hasAny: ["a"]}}}) { id } }`, []string{`{"items":[]}`}},
		{`{ items(where: {spot: {x: {_eq: 1}}}) { id } }`, []string{`{"items":[]}`}},
		{`{ items(orderBy: [{n: ASC}, {at: ASC}]) { id } }`, []string{`{"items":[{"id":"good"},{"id":"bad"},{"id":"gone"}]}`}},
		{`mutation { updateItem(id: "bad", set: {must: 5}) { n must } other: updateItems(where: {must: {_lte: 3}}, set: {at: null}) { affected returning { n must } } }`, []string{
			`{"updateItem":{"n":null,"must":5},"other":{"affected":1,"returning":[{"n":1,"must":1}]}}`,
			`VALIDATION_FAILED.updateItem.n: Item.n is a text in the Item "bad", where the schema says Int; the change was made`,
		}},
		{`mutation { updateItem(id: "gone", set: {n: 5}) { n must } }`, []string{
			`{"updateItem":null}`,
			`VALIDATION_FAILED.updateItem.must: Item.must is missing in the Item "gone", where the schema says Int!; the change was made`,
		}},
		{`mutation { updateItem(id: "bad", set: {n: 2, at: null, tags: [], spot: null}) { n at tags spot { x } } }`, []string{`{"updateItem":{"n":2,"at":null,"tags":[],"spot":null}}`}},
		{`mutation { deleteItems(where: {must: {_isNull: true}}) { affected returning { id } } }`, []string{`{"deleteItems":{"affected":1,"returning":[{"id":"gone"}]}}`}},
	} {
		log.Reset()
		got := heard(t, ask(c.text))
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n%q\nwant\n%q", c.text, got, c.want)
		}
		if logged := log.String(); strings.Contains(logged, "panic") || strings.Contains(logged, "seven") || (len(got) > 1) != strings.Contains(logged, "level=WARN") {
			t.Errorf("%s: the log says %s", c.text, logged)
		}
	}
}

// What is computed from a value that does not fit is refused, and says why.
func TestChangesOfWhatDoesNotFit(t *testing.T) {
	ask := misfits(t, &bytes.Buffer{})
	for _, c := range []struct{ text, root string }{
		{`mutation { updateItem(id: "bad", inc: {n: 1}) { id } }`, "updateItem"},
		{`mutation { updateItems(where: {}, mul: {n: 1}) { affected } }`, "updateItems"},
		{`mutation { updatePair(a: "p", b: 2, inc: {d: "1"}) { a } }`, "updatePair"},
		{`mutation { updatePair(a: "p", b: 2, mul: {f: 2}) { a } }`, "updatePair"},
		{`mutation { updatePair(a: "p", b: 2, push: {tags: ["y"]}) { a } }`, "updatePair"},
		{`mutation { updatePair(a: "p", b: 2, pull: {more: ["y"]}) { a } }`, "updatePair"},
	} {
		want := []string{"null", "BAD_USER_INPUT." + c.root + ": a value that this would change is not what the schema says; set puts it right"}
		if got := heard(t, ask(c.text)); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.text, got, want)
		}
	}
}

// heard are the data of an answer, and its errors.
func heard(t *testing.T, body string) []string {
	t.Helper()
	var answer struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Path       []any
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	all := []string{string(answer.Data)}
	for _, e := range answer.Errors {
		all = append(all, fmt.Sprint(e.Extensions.Code, fault.Way(e.Path), ": ", e.Message))
	}
	return all
}

// However many values do not fit, the errors are bounded, and the rest is counted.
func TestManyDocumentsThatDoNotFit(t *testing.T) {
	s, d := documents(t, `type Item @auth(read: "true") { id: ID! @primary  n: Int  m: Int }`, &bytes.Buffer{})
	var docs []any
	for i := range 400 {
		docs = append(docs, bson.D{{Key: "_id", Value: fmt.Sprintf("%03d", i)}, {Key: "n", Value: "x"}, {Key: "m", Value: i}})
	}
	if _, err := d.Database().Collection("items").InsertMany(t.Context(), docs, options.InsertMany().SetBypassDocumentValidation(true)); err != nil {
		t.Fatal(err)
	}
	got := heard(t, string(s.Ask(&auth.Caller{Now: now}, `{ items(limit: 400, orderBy: [{id: ASC}]) { n m } }`, nil, nil).Body))
	last := got[len(got)-1]
	if len(got) != 1+100+1 || strings.Count(got[0], `{"n":null,"m":`) != 400 || last != "VALIDATION_FAILED.items: 300 more values of this answer are null by errors like these" {
		t.Errorf("%d errors, the last %s: %.300s", len(got)-1, last, got[0])
	}
}

// What is missing from the answer of a change is told again when the answer is.
func TestAChangeOfADocumentThatDoesNotFitIsMadeOnce(t *testing.T) {
	var log bytes.Buffer
	s, d := documents(t, `type Item @auth(read: "true", update: "true") { id: ID! @primary  n: Int!  m: Int }`, &log)
	if err := d.Database().RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "items"}, {Key: "validator", Value: bson.D{}}}).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Database().Collection("items").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "a"}, {Key: "n", Value: "x"}}); err != nil {
		t.Fatal(err)
	}
	who := &auth.Caller{SignedIn: true, Now: now, Claims: map[string]any{"sub": "ann"}}
	want := []string{
		`null`,
		`VALIDATION_FAILED.one.n: Item.n is a text in the Item "a", where the schema says Int!; the change was made`,
		`VALIDATION_FAILED.all.returning.0.x: Item.n is a text in the Item "a", where the schema says Int!; the change was made`,
	}
	for range 2 {
		answer := s.Ask(who, `mutation { one: updateItem(id: "a", inc: {m: 1}) { n m } all: updateItems(where: {}, inc: {m: 1}) { affected returning { x: n m } } }`,
			nil, http.Header{"Idempotency-Key": {"k"}})
		if got := heard(t, string(answer.Body)); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	}
	if got := heard(t, string(s.Ask(who, `{ item(id: "a") { m } }`, nil, nil).Body)); !slices.Equal(got, []string{`{"item":{"m":2}}`}) {
		t.Errorf("%q", got)
	}
}

// SQLite keeps no types of columns either: what others wrote past them is told likewise.
func TestCellsOfSQLiteThatDoNotFit(t *testing.T) {
	d, err := sqlite.Open(t.Context(), "sqlite::memory:")
	if err != nil {
		t.Fatal(err)
	}
	s := served.Text(t, served.Given(d), `type Item @auth(read: "true", update: "true") { id: ID! @primary  n: Int  f: Float  tags: [String!]  must: Boolean! }`, served.Options{})
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(t.Context(), `INSERT INTO items (id, n, f, tags, must) VALUES ('a', 'seven', 'x', '["b"]', 1), ('b', 7, 2, NULL, 'no')`); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		`{ items(orderBy: [{id: ASC}]) { n f tags } }`: {
			`{"items":[{"n":null,"f":null,"tags":["b"]},{"n":7,"f":2,"tags":null}]}`,
			`VALIDATION_FAILED.items.0.n: Item.n is a text in one Item, where the schema says Int`,
			`VALIDATION_FAILED.items.0.f: Item.f is a text in one Item, where the schema says Float`,
		},
		`{ item(id: "b") { id must } }`: {
			`{"item":null}`,
			`VALIDATION_FAILED.item.must: Item.must is a text in the Item "b", where the schema says Boolean!`,
		},
	} {
		if got := heard(t, string(s.Ask(&auth.Caller{Now: now}, text, nil, nil).Body)); !slices.Equal(got, want) {
			t.Errorf("%s:\n%q\nwant\n%q", text, got, want)
		}
	}
}

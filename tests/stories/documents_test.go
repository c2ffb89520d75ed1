package stories

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/auth"
	"spacecloud/database/mongodb"
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

// A document that is not what the schema says is an error where its wrong field is asked for, and
// nowhere else; the log names field and document.
func TestDocumentsThatDoNotFit(t *testing.T) {
	var log bytes.Buffer
	s, d := documents(t, `
type Item @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  n: Int
  at: DateTime
  tags: [String!]
  spot: Spot
  up: Item @link
  all: [Item!]! @link
}
type Spot { x: Int  y: Int }
`, &log)
	ask := func(text string) string { return string(s.Ask(&auth.Caller{Now: now}, text, nil, nil).Body) }
	_, err := d.Database().Collection("items").InsertMany(context.Background(), []any{
		bson.D{{Key: "_id", Value: "good"}, {Key: "n", Value: 1}, {Key: "up_id", Value: "bad"}},
		bson.D{{Key: "_id", Value: "bad"}, {Key: "n", Value: "seven"}, {Key: "at", Value: 5}, {Key: "tags", Value: "a"}, {Key: "spot", Value: bson.D{{Key: "x", Value: true}}}},
		bson.D{{Key: "_id", Value: "gone"}, {Key: "up_id", Value: "nowhere"}},
	}, options.InsertMany().SetBypassDocumentValidation(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, want, logged string }{
		{`{ item(id: "good") { n } }`, `{"data":{"item":{"n":1}}}`, ""},
		{`{ items(orderBy: [{id: ASC}]) { id } }`, `{"data":{"items":[{"id":"bad"},{"id":"gone"},{"id":"good"}]}}`, ""},
		{`{ items(orderBy: [{n: ASC}, {at: ASC}]) { id } }`, `"data":{"items":[`, ""},
		{`{ item(id: "bad") { n } other: item(id: "good") { n } }`, `{"message":"internal error","path":["item"]`, `Item.n in a document of items, whose _id is \"bad\", is of type string`},
		{`{ item(id: "bad") { n } other: item(id: "good") { n } }`, `"data":{"item":null,"other":{"n":1}}`, ""},
		{`{ item(id: "good") { n up { id } } }`, `{"data":{"item":{"n":1,"up":{"id":"bad"}}}}`, ""},
		{`{ item(id: "good") { n up { at } } }`, `"path":["item"]`, `Item.at in a document of items, whose _id is \"bad\"`},
		{`{ item(id: "bad") { tags } }`, `"path":["item"]`, `Item.tags in a document`},
		{`{ item(id: "bad") { spot { x } } }`, `"path":["item"]`, `Item.spot in a document`},
		{`{ item(id: "gone") { up { id } } }`, `{"data":{"item":{"up":null}}}`, ""},
		{`{ items(where: {n: {_gt: 0}}) { id } }`, `{"data":{"items":[{"id":"good"}]}}`, ""},
		{`{ items(where: {_not: {tags: {_hasAny: ["a"]}}}) { id } }`, `"data":{"items":[`, ""},
		{`{ items(where: {spot: {x: {_eq: 1}}}) { id } }`, `{"data":{"items":[]}}`, ""},
		{`{ itemsAggregate { count sum { n } } }`, `"count":3`, ""},
		{`mutation { updateItem(id: "bad", inc: {n: 1}) { id } }`, `"errors"`, ""},
		{`mutation { updateItem(id: "bad", set: {n: 2, at: null, tags: [], spot: null}) { n at tags spot { x } } }`, `{"data":{"updateItem":{"n":2,"at":null,"tags":[],"spot":null}}}`, ""},
	} {
		log.Reset()
		if got := ask(c.text); !strings.Contains(got, c.want) || !strings.Contains(log.String(), c.logged) || strings.Contains(log.String(), "panic") {
			t.Errorf("%s: %s\n%s", c.text, got, &log)
		}
	}
}

package generator_test

import (
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/generator"
)

func collections(t *testing.T, sdl string) string {
	t.Helper()
	made, err := generator.Collections(inMain(parse(t, sdl)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	line := func(what string, d bson.D) {
		text, err := bson.MarshalExtJSON(append(bson.D{}, d...), false, false)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(what + " " + string(text) + "\n")
	}
	for _, c := range made {
		b.WriteString(c.Name + "\n")
		for _, f := range c.Fields {
			line("  "+f.Path, f.Values)
		}
		for _, i := range c.Indexes {
			line("  index "+i.Name, i.Keys)
			line(map[bool]string{true: "    unique", false: "    plain"}[i.Unique], i.Partial)
		}
	}
	return b.String()
}

func TestCollections(t *testing.T) {
	got := collections(t, `
enum Color { RED GREEN }
type Node { name: String!  children: [Node!] }
type User { id: ID! @primary  name: String @unique  colors: [Color]!  color: Color  tree: Node  posts: [Post!]! @link  groups: [Group!]! @link }
type Group { id: ID! @primary @autoIncrement  members: [User!]! @link }
type Post { id: ID! @primary @column(type: "objectId")  author: User @link  at: DateTime! @index }`)
	want := `users
  _id {"bsonType":"string"}
  name {"bsonType":["string","null"]}
  colors {"bsonType":"array","items":{"enum":["RED","GREEN",null]}}
  color {"enum":["RED","GREEN",null]}
  tree {"bsonType":["object","null"],"required":["name"],"properties":{"name":{"bsonType":"string"},"children":{"bsonType":["array","null"],"items":{"bsonType":"object"}}}}
  index users_name_key {"name":1}
    unique {"name":{"$gte":""}}
groups
  _id {"bsonType":["long","int"]}
posts
  _id {"bsonType":"objectId"}
  author_id {"bsonType":["string","null"]}
  at {"bsonType":"date"}
  index posts_at_idx {"at":1}
    plain {}
  index posts_author_id_idx {"author_id":1}
    plain {}
groups_users
  group_id {"bsonType":["long","int"]}
  user_id {"bsonType":"string"}
  index groups_users_group_id_user_id_pkey {"group_id":1,"user_id":1}
    unique {}
  index groups_users_user_id_idx {"user_id":1}
    plain {}
`
	if got != want {
		t.Errorf("the collections are\n%s\nwant\n%s", got, want)
	}
}

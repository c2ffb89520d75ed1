package rules_test

import (
	"strings"
	"testing"

	"spacecloud/rules"
)

// indexed is a schema around the types under test: rows of Member and Grade are looked for.
const indexed = `
enum Kind { big small }
type Team @auth(read: "true") { id: ID! @primary  name: String  members: [Member!]! @link  posts: [Post!]! @link }
type Member @auth(read: "true") {
  id: ID! @primary  team: Team! @link  teamName: String  userId: ID!  role: String  kind: Kind  active: Boolean
}
type Grade @table(db: "far") @auth(read: "true") { id: ID! @primary  userId: ID!  postId: ID! }
type Place @view @auth(read: "true") { name: String }
`

func TestWhatAnIndexIsAdvisedFor(t *testing.T) {
	const member = "finds rows of Member by "
	for _, test := range []struct{ name, post, want string }{
		{
			"owner", `@auth(read: "doc.ownerId == auth.id") { ownerId: ID }`,
			"9:24: the read rule of Post finds rows of Post by ownerId, with which no index begins; add @index to Post.ownerId",
		},
		{"owner, turned", `@auth(read: "auth.id == doc.ownerId") { ownerId: ID }`, "9:24: the read rule of Post finds rows of Post by ownerId"},
		{"one of a caller's", `@auth(read: "doc.ownerId in auth.groups") { ownerId: ID }`, "9:24: the read rule of Post finds rows of Post by ownerId"},
		{"owner or what claims decide", `@auth(read: "auth.role == 'admin' || doc.ownerId == auth.id") { ownerId: ID }`, "9:24: the read rule of Post"},
		{"two ways", `@auth(read: "doc.ownerId == auth.id || doc.editorId == auth.id") { ownerId: ID  editorId: ID @index }`, "9:24: the read rule of Post finds rows of Post by ownerId,"},
		{
			"two columns", `@auth(read: "doc.tenant == auth.tenant && doc.ownerId == auth.id") { ownerId: ID  tenant: String }`,
			`9:24: the read rule of Post finds rows of Post by tenant, ownerId, and no index begins with one of them; add @index(fields: ["tenant", "ownerId"]) to Post`,
		},
		{"a choice beside what picks nothing", `@auth(read: "!doc.gone && (doc.ownerId == auth.id || doc.ownerId == auth.boss)") { ownerId: ID  gone: Boolean }`, "9:24: the read rule of Post finds rows of Post by ownerId,"},
		{
			"exists", `@auth(read: "true", update: "exists(Member, m, m.teamName == doc.team && m.userId == auth.id)") { team: String }`,
			`9:40: the update rule of Post ` + member + `teamName, userId, and no index begins with one of them; add @index(fields: ["teamName", "userId"]) to Member`,
		},
		{"exists of a constant", `@auth(read: "true", create: "exists(Member, m, m.role == 'x')") { team: String }`, `9:40: the create rule of Post ` + member + `role, with which no index begins; add @index to Member.role`},
		{"not exists", `@auth(read: "true", create: "!exists(Member, m, m.userId == auth.id)") { team: String }`, `9:40: the create rule of Post ` + member + `userId,`},
		{"exists in exists", `@auth(read: "exists(Team, t, t.id == doc.team && exists(Member, m, m.teamName == t.name))") { team: String @index }`, `9:24: the read rule of Post ` + member + `teamName,`},
		{
			"each way of exists", `@auth(read: "true", delete: "exists(Member, m, m.userId == auth.id || m.role == auth.role)") { team: String }`,
			"9:40: the delete rule of Post " + member + "userId,\n9:40: the delete rule of Post " + member + "role,",
		},
		{"a field rule", `@auth(read: "true") { team: String @auth(read: "exists(Member, m, m.userId == auth.id)") }`, `9:100: the read rule of Post.team ` + member + `userId,`},
		{"a check", `@auth(read: "true") @check(rule: "exists(Member, m, m.role == doc.team)") { team: String }`, `9:45: a check of Post ` + member + `role,`},
		{
			"a link over columns", `@auth(read: "true") { team: String  mates: [Member!]! @link(from: "team", to: "teamName") }`,
			"9:88: the link Post.mates " + member + "teamName, with which no index begins; add @index to Member.teamName",
		},
		{"a rule over that link", `@auth(read: "doc.mates.exists(m, m.role == 'x')") { team: String  mates: [Member!]! @link(from: "team", to: "teamName") }`, "9:118: the link Post.mates " + member + "teamName,"},
		{"one index for two rules", `@auth(read: "doc.ownerId == auth.id", update: "exists(Post, p, p.ownerId == auth.id)") { ownerId: ID }`, "9:24: the read rule of Post finds rows of Post by ownerId,"},
		{"another database is asked by what it knows", `@auth(read: "true", update: "exists(Grade, g, g.postId == doc.id && g.userId == auth.id)") { ownerId: ID }`, "9:40: the update rule of Post finds rows of Grade by userId,"},

		{"public", `@auth(read: "true") { ownerId: ID }`, ""},
		{"closed", `{ ownerId: ID }`, ""},
		{"what claims decide", `@auth(read: "auth.role == 'admin'") { ownerId: ID }`, ""},
		{"an index", `@auth(read: "doc.ownerId == auth.id") { ownerId: ID @index }`, ""},
		{"a unique column", `@auth(read: "doc.ownerId == auth.id") { ownerId: ID @unique }`, ""},
		{"the key", `@auth(read: "doc.id == auth.id") { ownerId: ID }`, ""},
		{"the key of a link", `@auth(read: "doc.ownerId == auth.id") { owner: Team @link }`, ""},
		{"an index that begins with it", `@index(fields: ["-ownerId", "at"]) @auth(read: "doc.ownerId == auth.id") { ownerId: ID at: DateTime }`, ""},
		{"an index that ends with it", `@index(fields: ["at", "ownerId"]) @auth(read: "doc.ownerId == auth.id") { ownerId: ID at: DateTime }`, "9:58: the read rule of Post"},
		{"an index of some rows", `@index(fields: ["ownerId"], where: "at is null") @auth(read: "doc.ownerId == auth.id") { ownerId: ID at: DateTime }`, "9:73: the read rule of Post"},
		{"one of two is indexed", `@auth(read: "doc.tenant == auth.tenant && doc.ownerId == auth.id") { ownerId: ID @index  tenant: String }`, ""},
		{"most rows by another way", `@auth(read: "doc.public || doc.ownerId == auth.id") { ownerId: ID  public: Boolean }`, ""},
		{"of few values", `@auth(read: "doc.kind == auth.kind") { kind: Kind }`, ""},
		{"the same rows for everybody", `@auth(read: "doc.state == 'open'") { state: String }`, ""},
		{"no equality", `@auth(read: "doc.ownerId != auth.id && doc.rank > auth.rank") { ownerId: ID  rank: Int }`, ""},
		{"a write of rows that are found otherwise", `@auth(read: "true", update: "doc.ownerId == auth.id") { ownerId: ID }`, ""},
		{"a list by its key", `@auth(read: "doc.team.members.exists(m, m.userId == auth.id)") { team: Team @link }`, ""},
		{"a path over keys", `@auth(read: "doc.team.id == auth.team && doc.team.name == 'x'") { team: Team @link }`, ""},
		{"a join table of ours", `@auth(read: "doc.teams.exists(t, t.id == auth.team)") { ownerId: ID }`, ""},
		{"few values in exists", `@auth(read: "true", update: "exists(Member, m, m.active && m.kind == 'big')") { ownerId: ID }`, ""},
		{"every row of a table", `@auth(read: "true", update: "exists(Member, m, m.userId == auth.id || m.active)") { ownerId: ID }`, ""},
		{"a view", `@auth(read: "true", update: "exists(Place, p, p.name == auth.place)") { ownerId: ID }`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			set, err := rules.Compile(compile(t, indexed+"type Post "+strings.Replace(test.post, "{ ", "{ id: ID! @primary  teams: [Team!]! @link  ", 1)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range set.Unindexed() {
				got = append(got, strings.TrimPrefix(p.Error(), "world.graphql:"))
			}
			var want []string
			if test.want != "" {
				want = strings.Split(test.want, "\n")
			}
			if len(got) != len(want) {
				t.Fatalf("got %q, want %q", got, want)
			}
			for i := range want {
				if !strings.HasPrefix(got[i], want[i]) {
					t.Errorf("got  %s\nwant %s", got[i], want[i])
				}
			}
		})
	}
}

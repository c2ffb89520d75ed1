package writes

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const clubs = `
type User @auth(read: "doc.secret == false", create: "true", update: "true", delete: "true") {
  id: ID! @primary  email: String! @unique  secret: Boolean! @default(value: false)
  boss: User @link(onDelete: SET_NULL)
  posts: [Post!]! @link(to: "authorId")
  profile: Profile @link(from: "id", to: "userId")
  teams: [Team!]! @link(through: "Member")
}
type Profile @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  user: User @link(onDelete: CASCADE) @unique  bio: String @size(max: 3) }
type Post @auth(read: "true", create: "doc.title != 'bad'", update: "doc.title != 'bad'", delete: "true") @check(rule: "doc.title != doc.sub") {
  id: ID! @primary  title: String! @size(max: 5)  sub: String  v: Int! @version
  author: User! @link(onDelete: CASCADE)
  comments: [Comment!]! @link
  tags: [Tag!]! @link
}
type Comment @auth(read: "true", create: "doc.body != 'bad'", update: "doc.body != 'bad'", delete: "true") {
  id: ID! @primary @autoIncrement  body: String! @size(max: 5)
  post: Post @link
  parent: Comment @link(onDelete: CASCADE)
  replies: [Comment!]! @link(to: "parentId")
}
type Tag @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  name: String  posts: [Post!]! @link }
type Team @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  members: [User!]! @link(through: "Member") }
type Member @auth(read: "true", create: "true", delete: "true") { team: Team! @link(onDelete: CASCADE) @primary  user: User! @link(onDelete: CASCADE) @primary }
`

const seed = `mutation {
  insertUsers(docs: [{id: "a", email: "a"}, {id: "b", email: "b", bossId: "a"}, {id: "c", email: "c"}, {id: "d", email: "d", secret: true},
    {id: "e", email: "e"}, {id: "f", email: "f"}, {id: "g", email: "g"}, {id: "h", email: "h"}]) { affected }
  insertTags(docs: [{id: "a"}, {id: "b"}, {id: "c"}, {id: "d"}, {id: "e"}, {id: "f"}, {id: "g"}, {id: "h"}]) { affected }
  insertTeams(docs: [{id: "a"}, {id: "b"}, {id: "c"}, {id: "d"}, {id: "e"}, {id: "f"}, {id: "g"}, {id: "h"}]) { affected }
  insertProfiles(docs: [{id: "a"}, {id: "b"}, {id: "c"}, {id: "d"}, {id: "e"}, {id: "f"}, {id: "g"}, {id: "h"}]) { affected }
  insertPosts(docs: [{id: "a", title: "a", authorId: "a", comments: {create: [{body: "1"}, {body: "2"}]}}, {id: "b", title: "b", authorId: "b", comments: {create: [{body: "3"}]}},
    {id: "c", title: "c", authorId: "c"}, {id: "d", title: "d", authorId: "d"}, {id: "e", title: "e", authorId: "e"}, {id: "f", title: "f", authorId: "f"},
    {id: "g", title: "g", authorId: "g"}, {id: "h", title: "h", authorId: "h", comments: {create: [{body: "4"}, {body: "5"}, {body: "6"}]}}]) { affected }
}`

// gen writes random mutations. Some of them are wrong.
type gen struct{ *rand.Rand }

func (g gen) one(of ...string) string { return of[g.IntN(len(of))] }

func (g gen) id() string { return fmt.Sprintf("%q", g.one("a", "b", "c", "d", "e", "f", "g", "h")) }

// made is a key for a new row, now and then one that is taken.
func (g gen) made() string {
	if g.IntN(30) == 0 {
		return g.id()
	}
	return fmt.Sprintf("%q", fmt.Sprint("n", g.Uint32()))
}

func (g gen) often() bool { return g.IntN(10) < 7 }

func (g gen) some(most int, of func() string) string {
	var all []string
	for range g.IntN(most + 1) {
		all = append(all, of())
	}
	return "[" + strings.Join(all, ", ") + "]"
}

func (g gen) text() string {
	return g.one(`"x"`, `"yy"`, `"zzz"`, `"four"`, `"v"`, `"w"`, `"u"`, `"uu"`, `"ww"`, `"q"`, `"bad"`, `"toolong"`)
}

func (g gen) userKey() string {
	return g.one(`{id: `+g.id()+`}`, `{email: `+g.id()+`}`)
}

func (g gen) key() string { return `{id: ` + g.id() + `}` }

func (g gen) newKey() string { return `{id: ` + g.made() + `}` }

func (g gen) number() string { return fmt.Sprintf(`{id: %d}`, g.IntN(12)) }

func (g gen) user(depth int) string {
	out := `{id: ` + g.made() + `, email: ` + g.made()
	if depth > 0 && g.IntN(3) == 0 {
		out += `, boss: ` + g.toOne(g.userKey, func() string { return g.user(depth - 1) })
	}
	if depth > 0 && g.IntN(3) == 0 {
		out += `, profile: {create: {id: ` + g.made() + `, bio: ` + g.one(`"a"`, `"abc"`, `"abcd"`) + `}}`
	}
	if depth > 0 && g.IntN(3) == 0 {
		out += `, teams: {create: ` + g.some(2, g.newKey) + `, connect: ` + g.some(2, g.key) + `}`
	}
	if depth > 0 && g.IntN(4) == 0 {
		out += `, posts: {create: ` + g.some(2, func() string { return g.post(depth-1, false) }) + `}`
	}
	return out + "}"
}

func (g gen) toOne(key, doc func() string) string {
	if g.often() {
		return `{connect: ` + key() + `}`
	}
	return `{create: ` + doc() + `}`
}

func (g gen) comment(depth int) string {
	out := `{body: ` + g.text()
	if depth > 0 && g.IntN(3) == 0 {
		out += `, replies: {create: ` + g.some(3, func() string { return g.comment(depth - 1) }) + `}`
	}
	return out + `}`
}

func (g gen) post(depth int, author bool) string {
	out := `{id: ` + g.made() + `, title: ` + g.text() + `, sub: ` + g.text()
	if author {
		out += `, author: ` + g.toOne(g.userKey, func() string { return g.user(depth - 1) })
	}
	if g.often() {
		out += `, comments: {create: ` + g.some(3, func() string { return g.comment(depth) }) + `, connect: ` + g.some(1, g.number) + `}`
	}
	if g.often() {
		out += `, tags: {create: ` + g.some(1, g.newKey) + `, connect: ` + g.some(2, g.key) + `}`
	}
	return out + "}"
}

func (g gen) change() string {
	switch g.IntN(8) {
	case 0:
		return `insertUser(doc: ` + g.user(2) + `) { id }`
	case 1:
		return `insertPost(doc: ` + g.post(2, true) + `) { id tags { id } }`
	case 2:
		return `insertTags(docs: ` + g.some(4, g.newKey) + `) { affected }`
	case 3:
		return `upsertTags(docs: ` + g.some(4, func() string { return `{id: ` + g.id() + `, name: ` + g.text() + `}` }) + `) { affected returning { id } }`
	case 4:
		return `updatePost(id: ` + g.id() + `, set: {title: ` + g.text() + `, tags: {connect: ` + g.some(2, g.key) + `, disconnect: ` + g.some(1, g.key) +
			`}, comments: ` + g.one(`{set: `+g.some(3, g.number)+`}`, `{create: `+g.some(2, func() string { return g.comment(1) })+`}`) + `}) { id }`
	case 5:
		return `updateUser(id: ` + g.id() + `, set: {profile: ` + g.one(`{disconnect: true}`, `{connect: `+g.key()+`}`) + `, teams: {set: ` + g.some(2, g.key) + `}}) { id }`
	case 6:
		if g.IntN(3) > 0 {
			return g.change()
		}
		return `deleteUser(id: ` + g.id() + `) { id posts { id } }`
	}
	return `deletePosts(where: {id: {_in: ` + g.some(2, g.id) + `}}) { affected }`
}

func (g gen) mutation() string {
	var out strings.Builder
	out.WriteString("mutation {")
	for i := range 1 + g.IntN(3) {
		fmt.Fprintf(&out, " m%d: %s", i, g.change())
	}
	return out.String() + " }"
}

// Whatever statement of a change fails, and for whatever reason it is refused, the database is
// as before; and no change is an internal error.
func TestFailedChangesLeaveNoTrace(t *testing.T) { onEach(t, failedChangesLeaveNoTrace) }

func failedChangesLeaveNoTrace(t *testing.T, url address) {
	w := newWorld(t, url, clubs)
	g := gen{rand.New(rand.NewPCG(1, 2))}
	w.ask(seed, nil)
	made := 0
	for n := range 400 {
		text, before := g.mutation(), w.dump()
		for at := 1; ; at++ {
			w.driver.statements, w.driver.failAt = 0, at
			answer := w.ask(text, nil)
			failed := w.driver.statements >= at
			after := w.dump()
			if strings.Contains(answer, `"errors"`) && after != before {
				t.Fatalf("%d: fault at %d of\n%s\nleft a trace\n%s\n%s\n%s", n, at, text, before, after, answer)
			}
			if failed && !strings.Contains(answer, `"errors"`) {
				t.Fatalf("fault at %d of\n%s\nwas swallowed: %s", at, text, answer)
			}
			if failed {
				continue
			}
			if strings.Contains(answer, "INTERNAL") {
				t.Fatalf("%s\n%s", text, answer)
			}
			if !strings.Contains(answer, `"errors"`) {
				made++
			} else if testing.Verbose() {
				t.Log(answer[:min(90, len(answer))])
			}
			break
		}
	}
	if made < 120 {
		t.Errorf("only %d of the changes were made", made)
	}
}

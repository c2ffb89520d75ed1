package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database/mongodb"
	"spacecloud/schema"
	double "spacecloud/tests/mongo"
)

// store is a database of documents, and what the tests do to it.
type store struct {
	*testing.T
	db Database
}

func newStore(t *testing.T) store {
	t.Helper()
	d, err := mongodb.Open(t.Context(), double.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	db, err := Target("main", d)
	if err != nil {
		t.Fatal(err)
	}
	db.Product = "MongoDB"
	return store{t, db}
}

func (w store) schema(sdl string) *schema.Schema { return world{T: w.T}.schema(sdl) }

func (w store) equal(what, got, want string) { w.Helper(); world{T: w.T}.equal(what, got, want) }

func (w store) edit(was, is string) string { w.Helper(); return world{T: w.T}.edit(was, is) }

func (w store) plan(sdl string, p Policy) Plan {
	w.Helper()
	plan, err := Make(w.Context(), w.db, w.schema(sdl), Options{Policy: p})
	if err != nil {
		w.Fatal(err)
	}
	return plan
}

// apply applies, and looks that nothing is left to do.
func (w store) apply(sdl string, o Options) Plan {
	w.Helper()
	plan, err := Apply(w.Context(), w.db, w.schema(sdl), o)
	if err != nil {
		w.Fatalf("%v\n%s", err, plan)
	}
	if again := w.plan(sdl, o.Policy); !again.Empty() {
		w.Fatalf("after\n%s\nthere is still\n%s", plan, again)
	}
	return plan
}

func (w store) refuse(sdl string, o Options, want ...string) {
	w.Helper()
	before := w.dump()
	_, err := Apply(w.Context(), w.db, w.schema(sdl), o)
	if err == nil {
		w.Fatalf("was applied; want it refused for %q", want)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			w.Errorf("refused with\n%v\nwhich does not say\n%s", err, part)
		}
	}
	if after := w.dump(); after != before {
		w.Errorf("a refused migration changed the database from\n%s\nto\n%s", before, after)
	}
}

// run sends commands in MongoDB's extended JSON.
func (w store) run(commands ...string) {
	w.Helper()
	for _, c := range commands {
		var command bson.D
		if err := bson.UnmarshalExtJSON([]byte(c), false, &command); err != nil {
			w.Fatalf("%v: %s", err, c)
		}
		if err := w.db.Mongo.RunCommand(w.Context(), command).Err(); err != nil {
			w.Fatalf("%v: %s", err, c)
		}
	}
}

// refuses looks that the database does not take a document.
func (w store) refuses(collection, document string) {
	w.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(document), false, &d); err != nil {
		w.Fatal(err)
	}
	if _, err := w.db.Mongo.Collection(collection).InsertOne(w.Context(), d); err == nil {
		w.Errorf("%s took %s", collection, document)
	}
}

// ask is all documents of a collection, each with its fields in the order of their names.
func (w store) ask(collection string) string {
	w.Helper()
	found, err := w.db.Mongo.Collection(collection).Find(w.Context(), bson.D{})
	if err != nil {
		w.Fatal(err)
	}
	var documents []bson.D
	if err := found.All(w.Context(), &documents); err != nil {
		w.Fatal(err)
	}
	lines := make([]string, len(documents))
	for i, d := range documents {
		slices.SortFunc(d, func(a, b bson.E) int { return strings.Compare(a.Key, b.Key) })
		lines[i] = commandText(d)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (w store) names() []string {
	w.Helper()
	names, err := w.db.Mongo.ListCollectionNames(w.Context(), bson.D{})
	if err != nil {
		w.Fatal(err)
	}
	names = slices.DeleteFunc(names, ownTable)
	slices.Sort(names)
	return names
}

// dump is everything in the database but what is the server's own.
func (w store) dump() string {
	w.Helper()
	var b strings.Builder
	for _, name := range w.names() {
		state, err := documents{w.db}.inspect(w.Context(), documentGoal{types: []*schema.Type{{Table: name}}})
		if err != nil {
			w.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %s %v\n%s\n", name, commandText(state.collections[name].validator), state.collections[name].indexes, w.ask(name))
	}
	return b.String()
}

func (w store) blog() {
	w.Helper()
	w.apply(blog, Options{})
	w.run(
		`{"insert": "users", "documents": [{"_id": "u1", "name": "Ann", "email": "ann@x"}, {"_id": "u2", "name": "Bob"}]}`,
		`{"insert": "posts", "documents": [
			{"_id": "p1", "title": "One", "body": "text", "views": {"$numberInt": "3"}, "price": {"$numberDecimal": "1.5"}, "author_id": "u1"},
			{"_id": "p2", "title": "Two", "body": null, "views": {"$numberInt": "0"}, "author_id": "u2"}]}`)
}

func TestTheFirstMigrationOfDocumentsMakesEverythingOnce(t *testing.T) {
	w := newStore(t)
	plan := w.apply(blog, Options{Version: "v1"})
	if len(plan.Steps) != 2 || plan.Destroys() {
		t.Errorf("unexpected plan\n%s", plan)
	}
	w.apply(blog, Options{})
	entries, err := Status(t.Context(), w.db)
	if err != nil || len(entries) != 1 || entries[0].Version != "v1" || entries[0].Kind != migrated || !strings.Contains(entries[0].Plan, "create collection posts") {
		t.Errorf("the ledger is %+v, %v", entries, err)
	}
}

func TestAPlanOfDocumentsIsReadable(t *testing.T) {
	w := newStore(t)
	w.blog()
	plan := w.plan(w.edit("body: String ", "subtitle: String @index  body: String! "), Exact)
	w.equal("the plan", plan.String(), "main (MongoDB): 1 step, 1 change that the data does not allow\n"+`
1. posts
   add field posts.subtitle
   change field posts.body: required
     NOT POSSIBLE: 1 document of posts.body (with key p2) is null; give it @default(value: …), fill it first, or take off the !
   add index on posts (subtitle)
   locks: posts, for a moment at the beginning and the end of indexing 2 documents
`+statementsOf(plan))
	plan = w.plan(w.edit("views: Int @default(value: 0)", "views: BigInt @default(value: 0)"), Exact)
	w.equal("the plan", plan.String(), "main (MongoDB): 1 step\n"+`
1. posts
   change field posts.views: from Int to BigInt
     checked: every value of posts.views converts
   locks: each document that changes, while it is written: up to 2 documents
     `+`{"collMod":"posts","validator":{"$jsonSchema":{"bsonType":"object","required":["_id","title","author_id"],"properties":{"_id":{"bsonType":"string"},"title":{"bsonType":"string"},"body":{"bsonType":["string","null"]},"views":{"bsonType":["long","int","null"]},"price":{"bsonType":["decimal","null"]},"author_id":{"bsonType":"string"}}}},"validationLevel":"strict","validationAction":"error"};
     {"update":"posts","updates":[{"q":{"$or":[{"$expr":{"$in":[{"$type":"$views"},["double","int","long"]]}}]},"u":[{"$set":{"views":{"$switch":{"branches":[{"case":{"$in":[{"$type":"$views"},["double","int","long"]]},"then":{"$convert":{"input":"$views","to":"long"}}}],"default":"$views"}}}}],"multi":true}],"bypassDocumentValidation":true};
`)
}

func TestValidatorsRefuseWhatTheSchemaDoesNotSay(t *testing.T) {
	w := newStore(t)
	w.apply(`enum State { OPEN CLOSED }
type Task @auth(read: "true") { id: ID! @primary  state: State!  note: String  at: DateTime  cost: Decimal  tags: [String!]!  meta: JSON  big: BigInt  data: Bytes  part: Part }
type Part { name: String! }`, Options{})
	w.run(`{"insert": "tasks", "documents": [
		{"_id": "t1", "state": "OPEN", "tags": []},
		{"_id": "t2", "state": "CLOSED", "note": null, "at": {"$date": "2026-01-31T00:00:00Z"}, "cost": {"$numberDecimal": "1.5"}, "tags": ["a"], "meta": [1, "x"],
			"big": {"$numberLong": "1152921504606846976"}, "data": {"$binary": {"base64": "AA==", "subType": "00"}}, "part": {"name": "x"}, "theirs": true}]}`)
	for _, document := range []string{
		`{"_id": "x1", "tags": []}`,
		`{"_id": "x2", "state": "LATER", "tags": []}`,
		`{"_id": "x3", "state": null, "tags": []}`,
		`{"_id": "x4", "state": "OPEN"}`,
		`{"_id": "x5", "state": "OPEN", "tags": "a"}`,
		`{"_id": "x6", "state": "OPEN", "tags": [1]}`,
		`{"_id": "x7", "state": "OPEN", "tags": [null]}`,
		`{"_id": "x8", "state": "OPEN", "tags": [], "note": 1}`,
		`{"_id": "x9", "state": "OPEN", "tags": [], "at": "2026-01-31"}`,
		`{"_id": "xa", "state": "OPEN", "tags": [], "cost": 1}`,
		`{"_id": "xb", "state": "OPEN", "tags": [], "part": "x"}`,
		`{"_id": "xc", "state": "OPEN", "tags": [], "part": {"name": 1}}`,
		`{"_id": "xd", "state": "OPEN", "tags": [], "part": {}}`,
		`{"_id": 1, "state": "OPEN", "tags": []}`,
	} {
		w.refuses("tasks", document)
	}
}

func TestUniqueFieldsMayBeNullSeveralTimes(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.run(`{"insert": "users", "documents": [{"_id": "u3", "name": "Cyd"}, {"_id": "u4", "name": "Dan", "email": null}]}`)
	w.refuses("users", `{"_id": "u5", "name": "Eve", "email": "ann@x"}`)
}

func TestWhatIsRefusedOfDocumentsSaysWhyAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		data     string
		say      []string
	}{
		"a required field for documents without one": {"body: String ", "body: String  slug: String! ", "", []string{"add field posts.slug", "posts has 2 documents", "@default(value: …)"}},
		"required over nulls":                        {"email: String ", "email: String! ", "", []string{"1 document of users.email (with key u2) is null"}},
		"unique over doubles":                        {"title: String!", "title: String! @unique", `{"$set": {"title": "Same"}}`, []string{"2 documents of posts (title) (with key p1, p2) share"}},
		"text that is no number":                     {"title: String!", "title: Int!", `[{"$set": {"title": {"$cond": [{"$eq": ["$_id", "p1"]}, "7", "Two"]}}}]`, []string{"1 document of posts.title (with key p2) is no Int"}},
		"text that is no date":                       {"body: String ", "body: DateTime ", "", []string{"1 document of posts.body (with key p1) is no DateTime"}},
		"kinds without a way":                        {"views: Int @default(value: 0)", "views: DateTime", "", []string{"no value of Int becomes one of DateTime", "add a field of another name"}},
		"dropped field":                              {"body: String ", "", "", []string{"drop field posts.body: 1 document of posts holds a value in it", "@renamed", "--allow-destructive"}},
		"a fraction":                                 {"price: Decimal", "price: Int", "", []string{"1 document of posts.price (with key p1) would lose a part of its value"}},
		"another kind of key":                        {"type Post @auth(read: \"true\", create: \"true\") { id: ID!", "type Post @auth(read: \"true\", create: \"true\") { id: BigInt!", "", []string{"2 documents of posts (with key p1, p2) have no BigInt for a key, which cannot be changed"}},
		"another key":                                {"title: String!", "title: String! @primary  old: ID", "", []string{"which cannot be changed"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newStore(t)
			w.blog()
			if c.data != "" {
				w.run(`{"update": "posts", "updates": [{"q": {}, "u": ` + c.data + `, "multi": true}]}`)
			}
			sdl := w.edit(c.old, c.new)
			if name == "another key" {
				sdl = strings.Replace(sdl, "create: \"true\") { id: ID! @primary  title", "create: \"true\") { title", 1)
			}
			w.refuse(sdl, Options{}, c.say...)
		})
	}
}

func TestWhatIsAllowedIsDoneToDocuments(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.apply(w.edit("body: String ", "slug: String! @default(value: \"none\")  "), Options{AllowDestroy: true})
	w.equal("posts", w.ask("posts"), `{"_id":"p1","author_id":"u1","price":{"$numberDecimal":"1.5"},"slug":"none","title":"One","views":3}
{"_id":"p2","author_id":"u2","slug":"none","title":"Two","views":0}`)
	w.apply(`type User { id: ID! @primary  name: String! }`, Options{AllowDestroy: true})
	w.equal("collections", fmt.Sprint(w.names()), "[users]")
}

func TestValuesOfDocumentsConvert(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.run(
		`{"update": "posts", "updates": [{"q": {"_id": "p1"}, "u": {"$set": {"title": "-12", "price": {"$numberDecimal": "2"}, "body": "2026-01-31"}}}]}`,
		`{"update": "posts", "updates": [{"q": {"_id": "p2"}, "u": {"$set": {"title": "7"}}}]}`)
	sdl := strings.NewReplacer("title: String!", "title: BigInt!", "views: Int @default(value: 0)", "views: String", "price: Decimal", "price: Float", "body: String", "body: Date").Replace(blog)
	w.apply(sdl, Options{})
	w.equal("posts", w.ask("posts"), `{"_id":"p1","author_id":"u1","body":"2026-01-31","price":2.0,"title":-12,"views":"3"}
{"_id":"p2","author_id":"u2","body":null,"title":7,"views":"0"}`)
	w.apply(strings.Replace(sdl, "body: Date", "body: DateTime", 1), Options{})
	w.equal("posts", strings.Split(w.ask("posts"), "\n")[0], `{"_id":"p1","author_id":"u1","body":{"$date":"2026-01-31T00:00:00Z"},"price":2.0,"title":-12,"views":"3"}`)
	w.apply(blog, Options{})
	w.equal("posts", w.ask("posts"), `{"_id":"p1","author_id":"u1","body":"2026-01-31T00:00:00.000000Z","price":{"$numberDecimal":"2"},"title":"-12","views":3}
{"_id":"p2","author_id":"u2","body":null,"title":"7","views":0}`)
	w.apply(strings.Replace(blog, "title: String!", "title: [String!]!", 1), Options{})
	w.equal("posts", strings.Split(w.ask("posts"), "\n")[1], `{"_id":"p2","author_id":"u2","body":null,"title":["7"],"views":0}`)
}

func TestRenamesKeepTheDocuments(t *testing.T) {
	w := newStore(t)
	w.blog()
	renamed := `
type Person @auth(read: "true") @renamed(from: "User") { id: ID! @primary  fullName: String! @renamed(from: "name")  email: String @unique  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  title: String!  body: String  views: Int @default(value: 0)  price: Decimal  writer: Person! @link(onDelete: CASCADE) @renamed(from: "author") }
`
	plan := w.apply(renamed, Options{})
	if plan.Destroys() {
		t.Errorf("a rename destroys:\n%s", plan)
	}
	w.equal("people", w.ask("people"), `{"_id":"u1","email":"ann@x","full_name":"Ann"}
{"_id":"u2","full_name":"Bob"}`)
	w.equal("posts", w.ask("posts"), `{"_id":"p1","body":"text","price":{"$numberDecimal":"1.5"},"title":"One","views":3,"writer_id":"u1"}
{"_id":"p2","body":null,"title":"Two","views":0,"writer_id":"u2"}`)
	w.equal("collections", fmt.Sprint(w.names()), "[people posts]")
	w.apply(renamed, Options{})
}

func TestARenameThatIsConverted(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.apply(w.edit("views: Int @default(value: 0)", `seen: String! @renamed(from: "views") @unique`), Options{})
	w.equal("posts", w.ask("posts"), `{"_id":"p1","author_id":"u1","body":"text","price":{"$numberDecimal":"1.5"},"seen":"3","title":"One"}
{"_id":"p2","author_id":"u2","body":null,"seen":"0","title":"Two"}`)
	w.refuses("posts", `{"_id": "p3", "title": "x", "author_id": "u1", "seen": "3"}`)
}

func TestEnumValuesOfDocuments(t *testing.T) {
	w := newStore(t)
	const sdl = "enum State { OPEN CLOSED %s}\ntype Task @auth(read: \"true\") { id: ID! @primary  state: State! }"
	w.apply(fmt.Sprintf(sdl, ""), Options{})
	w.run(`{"insert": "tasks", "documents": [{"_id": "t1", "state": "OPEN"}, {"_id": "t2", "state": "CLOSED"}]}`)
	w.apply(fmt.Sprintf(sdl, "LATER "), Options{})
	w.run(`{"insert": "tasks", "documents": [{"_id": "t3", "state": "LATER"}]}`)
	w.refuse(fmt.Sprintf(sdl, ""), Options{AllowDestroy: true}, "change the values of tasks.state to those of State: 1 document of tasks.state (with key t3) holds a value that is not among them")
	w.run(`{"delete": "tasks", "deletes": [{"q": {"_id": "t3"}, "limit": 1}]}`)
	w.apply(fmt.Sprintf(sdl, ""), Options{})
}

func TestDevelopmentKeepsDocumentsThatAreGoneFromTheSchema(t *testing.T) {
	w := newStore(t)
	w.blog()
	const small = `type Post @auth(read: "true", create: "true") { id: ID! @primary  subtitle: String }`
	plan := w.apply(small, Options{Policy: Tidy})
	for _, say := range []string{"stays: collection users with 2 documents", "stays: field posts.title with 2 values", "add field posts.subtitle"} {
		if !strings.Contains(plan.String(), say) {
			t.Errorf("the plan does not say %q:\n%s", say, plan)
		}
	}
	w.run(`{"insert": "posts", "documents": [{"_id": "p3", "subtitle": "new"}]}`)

	// What stayed is still ours: the exact migration says so and drops it.
	w.refuse(small, Options{}, "drop collection users: it holds 2 documents", "drop field posts.title: 2 documents of posts hold a value in it")

	// And when the schema has it again, it is what it was.
	w.run(`{"delete": "posts", "deletes": [{"q": {"_id": {"$ne": "p1"}}, "limit": 0}]}`)
	w.apply(blog, Options{Policy: Tidy})
	w.equal("posts", w.ask("posts"), `{"_id":"p1","author_id":"u1","body":"text","price":{"$numberDecimal":"1.5"},"title":"One","views":3}`)
}

func TestDevelopmentDropsCollectionsThatAreEmpty(t *testing.T) {
	w := newStore(t)
	w.apply(blog, Options{Policy: Tidy})
	plan := w.apply(`type Post @auth(read: "true") { id: ID! @primary  titel: String! }`, Options{Policy: Tidy})
	if len(plan.Kept) > 0 {
		t.Errorf("nothing is worth keeping:\n%s", plan)
	}
	w.equal("collections", fmt.Sprint(w.names()), "[posts]")
}

func TestARollingDeployKeepsFieldsThatAreEmptyToo(t *testing.T) {
	w := newStore(t)
	w.apply(blog, Options{})
	plan := w.apply(w.edit("body: String ", ""), Options{Policy: Keep})
	if !plan.Empty() || len(plan.Kept) != 1 {
		t.Errorf("older servers still ask for posts.body:\n%s", plan)
	}
}

func TestDocumentsThatWereThereAreServedAndNeverDropped(t *testing.T) {
	w := newStore(t)
	w.run(
		`{"insert": "posts", "documents": [{"_id": "p1", "title": "One", "code": "c"}, {"_id": "p2", "title": 2}]}`,
		`{"createIndexes": "posts", "indexes": [{"key": {"code": 1}, "name": "theirs"}]}`,
		`{"insert": "legacy", "documents": [{"_id": 1}]}`)
	w.refuse(`type Post @auth(read: "true") { id: ID! @primary  title: Boolean }`, Options{}, "correct field posts.title", "is no Boolean")
	w.refuse(`type Post @auth(read: "true") { id: BigInt! @primary }`, Options{}, "2 documents of posts (with key p1, p2) have no BigInt for a key")
	w.run(`{"update": "posts", "updates": [{"q": {"_id": "p2"}, "u": {"$set": {"title": "2"}}}]}`)
	const readOnly = `type Post @auth(read: "true") { id: ID! @primary  title: String }`
	plan := w.apply(readOnly, Options{})
	w.equal("the foreign collections", fmt.Sprint(plan.Foreign), "[legacy]")
	if entries, err := Status(t.Context(), w.db); err != nil || len(entries) > 0 {
		t.Errorf("nothing had to be done, and the ledger is %v, %v", entries, err)
	}
	before := w.ask("posts")
	w.apply(`type Post @auth(read: "true") { id: ID! @primary  title: String @index  extra: String }`, Options{})
	w.apply(`type Other @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
	w.equal("posts", w.ask("posts"), before)
	w.equal("collections", fmt.Sprint(w.names()), "[legacy others posts]")
}

func TestDriftOfAValidatorIsPutRight(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.run(
		`{"collMod": "posts", "validator": {}}`,
		`{"collMod": "users", "validationLevel": "off"}`,
		`{"dropIndexes": "users", "index": "`+w.schema(blog).Type("User").Uniques[0].Name+`"}`,
		`{"insert": "posts", "documents": [{"_id": "p3", "title": 3, "author_id": "u1"}]}`)
	plan := w.plan(blog, Exact)
	for _, say := range []string{"correct field posts.title", "set the validator of users", "add unique on users (email)"} {
		if !strings.Contains(plan.String(), say) {
			t.Errorf("the plan does not say %q:\n%s", say, plan)
		}
	}
	w.apply(blog, Options{})
	w.refuses("posts", `{"_id": "p4", "title": 4, "author_id": "u1"}`)
	w.equal("posts", strings.Split(w.ask("posts"), "\n")[2], `{"_id":"p3","author_id":"u1","title":"3"}`)
}

func TestTwoServersStartAtOnceAndOneMigratesTheDocuments(t *testing.T) {
	w := newStore(t)
	s := w.schema(blog)
	results := make(chan error)
	for range 8 {
		go func() {
			_, err := Apply(context.Background(), w.db, s, Options{})
			results <- err
		}()
	}
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if entries, err := Status(t.Context(), w.db); err != nil || len(entries) != 1 {
		t.Errorf("the ledger has %d entries, %v", len(entries), err)
	}
}

// What a server that died in the middle has done is finished by the next, and is ours.
func TestAnInterruptedMigrationIsFinished(t *testing.T) {
	const next = `
type User @auth(read: "true") { id: ID! @primary  fullName: String! @renamed(from: "name")  email: String @unique  age: Int! @default(value: 0)  posts: [Post!]! @link }
type Post @auth(read: "true") { id: ID! @primary  title: String! @unique  views: String!  price: Float  author: User! @link }
type Tag @auth(read: "true") { id: ID! @primary }`
	whole := newStore(t)
	whole.blog()
	commands := len(whole.apply(next, Options{AllowDestroy: true}).statements())
	want := whole.dump()
	for stop := range commands {
		t.Run(fmt.Sprint(stop), func(t *testing.T) {
			w := newStore(t)
			w.blog()
			m := documents{w.db}
			g, err := m.goal(w.schema(next))
			if err != nil {
				t.Fatal(err)
			}
			plan, err := m.draft(t.Context(), g, Options{AllowDestroy: true})
			if err != nil {
				t.Fatal(err)
			}
			cut := stop
			for i, step := range plan.Steps {
				n := min(cut, len(step.commands))
				plan.Steps[i].commands, cut = step.commands[:n], cut-n
			}
			died := context.Canceled
			if err := m.noted(t.Context(), plan, g, "", func() error { _ = m.run(t.Context(), plan, documentGoal{}); return died }); !errors.Is(err, died) {
				t.Fatal(err)
			}
			if plan := w.plan(next, Exact); !plan.Unfinished || len(plan.Drift) > 0 {
				t.Errorf("the plan does not say that the last one did not end:\n%s", plan)
			}
			if _, err := ApplyDown(t.Context(), w.db, Options{AllowDestroy: true}); err == nil || !strings.Contains(err.Error(), "the last migration did not end") {
				t.Errorf("another migration was undone: %v", err)
			}
			w.apply(next, Options{AllowDestroy: true})
			w.equal("the database", w.dump(), want)
			if _, err := ApplyDown(t.Context(), w.db, Options{AllowDestroy: true, StructureOnly: true}); err != nil {
				t.Error(err)
			}
			if left := w.plan(blog, Exact); !left.Empty() || len(left.Drift) > 0 {
				t.Errorf("undone, there is still\n%s", left)
			}
			if got := w.ask("users"); !strings.Contains(got, `"name":"Ann"`) {
				t.Errorf("the users are %s", got)
			}
			w.apply(next, Options{AllowDestroy: true})
			w.apply(`type Other @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
			w.equal("collections", fmt.Sprint(w.names()), "[others]")
		})
	}
}

func TestProductionServesDocumentsWithMoreThanItNeeds(t *testing.T) {
	w := newStore(t)
	w.blog()
	if lacks := w.plan(w.edit("body: String ", ""), Keep).Lacks(); len(lacks) > 0 {
		t.Errorf("a database of a newer version lacks %v", lacks)
	}
	newer := w.edit("body: String ", "body: String  slug: String ")
	if lacks := w.plan(newer, Keep).Lacks(); len(lacks) != 1 || lacks[0].Comment != "add field posts.slug" {
		t.Errorf("a database of an older version lacks %v", lacks)
	}
	if lacks := w.plan(w.edit("title: String!", ""), Keep).Lacks(); len(lacks) != 1 {
		t.Errorf("a required field that the schema does not know is no lack: %v", lacks)
	}
}

func TestCreatedAtIsFilledForDocumentsThatAreThere(t *testing.T) {
	w := newStore(t)
	w.blog()
	w.apply(w.edit("body: String ", "body: String  createdAt: DateTime! @createdAt  version: Int! @version "), Options{})
	n, err := w.db.Mongo.Collection("posts").CountDocuments(t.Context(), bson.D{{Key: "created_at", Value: bson.D{{Key: "$type", Value: "date"}}}, {Key: "version", Value: 1}})
	if err != nil || n != 2 {
		t.Errorf("%d documents are filled, %v\n%s", n, err, w.ask("posts"))
	}
}

func TestSeedsAreForUntouchedDatabasesOfDocuments(t *testing.T) {
	w := newStore(t)
	s := w.schema(blog)
	w.apply(blog, Options{})
	untouched := func(want bool) {
		t.Helper()
		if got, err := Untouched(t.Context(), w.db, s); err != nil || got != want {
			t.Errorf("untouched is %v, %v", got, err)
		}
	}
	untouched(true)
	w.run(`{"insert": "users", "documents": [{"_id": "u1", "name": "Ann"}]}`)
	untouched(false)
	w.run(`{"delete": "users", "deletes": [{"q": {}, "limit": 0}]}`)
	untouched(true)
	if err := Seeded(t.Context(), w.db, "v1"); err != nil {
		t.Fatal(err)
	}
	untouched(false)
}

func TestWhatMongoDBDoesNotHaveIsSaid(t *testing.T) {
	w := newStore(t)
	for sdl, say := range map[string]string{
		`type Top @view(sql: "SELECT 1 AS id") @auth(read: "true") { id: ID! }`:                         "a.graphql:1:6: Top: @view(sql:) is for SQL databases",
		`type A @auth(read: "true") @index(fields: ["b"], where: "b > 1") { id: ID! @primary  b: Int }`: "@index(where:) of MongoDB is a filter in JSON",
		`type A @auth(read: "true") { id: ID! @primary  b: Int @column(type: "integer") }`:              `A.b: @column(type: "integer"): of MongoDB there is only "objectId" to say`,
		`type A @auth(read: "true") { id: ID! @primary @autoIncrement @column(type: "objectId") }`:      "an ObjectId does not hold the numbers of @autoIncrement",
	} {
		if _, err := Make(t.Context(), w.db, w.schema(sdl), Options{}); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v, want %s", sdl, err, say)
		}
	}
}

func TestIndexesOfDocuments(t *testing.T) {
	w := newStore(t)
	const sdl = `type Post @auth(read: "true") @index(fields: ["title", "-views"], name: "a") @unique(fields: ["title", "slug"], name: "b") @index(fields: ["slug"], name: "c", where: "{\"views\": {\"$gt\": 1}}") {
	id: ID! @primary  title: String!  slug: String  views: Int! }`
	w.apply(sdl, Options{})
	state, err := documents{w.db}.inspect(t.Context(), documentGoal{types: w.schema(sdl).Types})
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, i := range state.collections["posts"].indexes {
		text = append(text, fmt.Sprintf("%s %s %v %s", i.Name, commandText(i.Keys), i.Unique, commandText(append(bson.D{}, i.Partial...))))
	}
	slices.Sort(text)
	w.equal("the indexes", strings.Join(text, "\n"), `a {"title":1,"views":-1} false {}
b {"title":1,"slug":1} true {"slug":{"$gte":""}}
c {"slug":1} false {"views":{"$gt":1}}`)
	w.run(`{"insert": "posts", "documents": [{"_id": "p1", "title": "x", "views": 1}, {"_id": "p2", "title": "x", "views": 1}, {"_id": "p3", "title": "x", "slug": "y", "views": 1}]}`)
	w.refuses("posts", `{"_id": "p4", "title": "x", "slug": "y", "views": 1}`)
	plan := w.apply(strings.Replace(sdl, `"-views"`, `"views"`, 1), Options{})
	if !strings.Contains(plan.String(), "change index on posts (title, views)") {
		t.Errorf("unexpected plan\n%s", plan)
	}
}

func TestACompoundKeyOfDocumentsNamesThem(t *testing.T) {
	w := newStore(t)
	const sdl = `type Seat @auth(read: "true") { row: String! @primary  number: Int! @primary  taken: String%s }`
	w.apply(fmt.Sprintf(sdl, ""), Options{})
	w.run(`{"insert": "seats", "documents": [{"row": "A", "number": 1}, {"row": "A", "number": 2, "taken": "x"}]}`)
	w.refuses("seats", `{"row": "A", "number": 1}`)
	w.refuse(fmt.Sprintf(sdl, "!"), Options{}, "1 document of seats.taken (with key A/1) is null")
	w.refuse(`type Seat @auth(read: "true") { row: String! @primary  number: Int!  taken: String }`, Options{AllowDestroy: true}, "cannot be changed")
}

func TestWhatIsInsideOfDocumentsIsLookedAt(t *testing.T) {
	w := newStore(t)
	const sdl = `enum Color { RED GREEN %s}
type Shirt @auth(read: "true") { id: ID! @primary  colors: [Color!]!  label: Label }
type Label { text: String%s  more: [Label!] }`
	w.apply(fmt.Sprintf(sdl, "BLUE ", ""), Options{})
	w.run(`{"insert": "shirts", "documents": [{"_id": "s1", "colors": ["RED", "BLUE"], "label": {"text": "x"}}, {"_id": "s2", "colors": [], "label": {}}]}`)
	w.refuse(fmt.Sprintf(sdl, "", ""), Options{AllowDestroy: true}, "1 document of shirts.colors (with key s1) holds something inside that the schema does not say")
	w.refuse(fmt.Sprintf(sdl, "BLUE ", "!"), Options{AllowDestroy: true}, "1 document of shirts.label (with key s2) holds something inside that the schema does not say")
	w.run(`{"delete": "shirts", "deletes": [{"q": {}, "limit": 0}]}`)
	w.apply(fmt.Sprintf(sdl, "", "!"), Options{})
}

func TestDefaultsOfEveryKindFillDocuments(t *testing.T) {
	w := newStore(t)
	const sdl = `enum Color { RED }
type A @auth(read: "true") { id: ID! @primary  %s }`
	w.apply(fmt.Sprintf(sdl, ""), Options{})
	w.run(`{"insert": "as", "documents": [{"_id": "a"}, {"_id": "b", "theirs": 1}]}`)
	w.apply(fmt.Sprintf(sdl, `a: Int! @default(value: 1)  b: BigInt! @default(value: 2)  c: Float! @default(value: 3)  d: Decimal! @default(value: "4.5")
		e: Boolean! @default(value: true)  f: DateTime! @default(value: "2026-01-31T00:00:00Z")  g: Color! @default(value: RED)  h: [Int!]! @default(value: [1])
		i: JSON! @default(value: {a: [1]})  j: Bytes! @default(value: "AA==")  l: String! @default(value: "$x")`), Options{})
	w.equal("the documents", strings.Split(w.ask("as"), "\n")[0], `{"_id":"a","a":1,"b":2,"c":3.0,"d":{"$numberDecimal":"4.5"},"e":true,"f":{"$date":"2026-01-31T00:00:00Z"},"g":"RED","h":[1],`+
		`"i":{"a":[1]},"j":{"$binary":{"base64":"AA==","subType":"00"}},"l":"$x"}`)
}

// The lock of one is not another's until its lease ends, and then not the first one's.
func TestALockIsHeldByOne(t *testing.T) {
	w := newStore(t)
	m := documents{w.db}
	if err := m.acquire(t.Context(), "one"); err != nil {
		t.Fatal(err)
	}
	free := bson.D{{Key: "$expr", Value: op("$lt", "$until", "$$NOW")}}
	takes := func(holder string, condition bson.D, want bool) {
		t.Helper()
		if got, err := m.take(t.Context(), holder, condition); err != nil || got != want {
			t.Errorf("%s takes the lock: %v, %v", holder, got, err)
		}
	}
	takes("other", free, false)
	takes("one", bson.D{{Key: "holder", Value: "one"}}, true)
	w.run(`{"update": "_spacecloud_locks", "updates": [{"q": {}, "u": {"$set": {"until": {"$date": "2026-01-01T00:00:00Z"}}}}]}`)
	takes("other", free, true)
	takes("one", bson.D{{Key: "holder", Value: "one"}}, false)
	if err := m.release(t.Context(), "one"); err != nil { // which is not its own any more
		t.Fatal(err)
	}
	takes("third", free, false)
	if err := m.release(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	takes("third", free, true)
}

func TestWhatComesInMeanwhileIsSaid(t *testing.T) {
	const sdl = `type Post @auth(read: "true") { id: ID! @primary  slug: String%s }`
	for change, say := range map[string]string{
		"!":        "1 document of posts came in meanwhile that is not what the schema says",
		" @unique": "this command failed, and what was done before it stays done: {\"createIndexes\"",
	} {
		w := newStore(t)
		w.apply(fmt.Sprintf(sdl, ""), Options{})
		w.run(`{"insert": "posts", "documents": [{"_id": "p1", "slug": "x"}]}`)
		m := documents{w.db}
		g, err := m.goal(w.schema(fmt.Sprintf(sdl, change)))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := m.draft(t.Context(), g, Options{})
		if err != nil || plan.Refused(false) != nil {
			t.Fatal(err, plan)
		}
		w.run(`{"insert": "posts", "documents": [{"_id": "p2"}, {"_id": "p3", "slug": "x"}]}`)
		err = m.noted(t.Context(), plan, g, "", func() error { return m.run(t.Context(), plan, g) })
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%q: %v, want %s", change, err, say)
		}
		if entries, err := Status(t.Context(), w.db); err != nil || len(entries) != 2 || entries[1].Kind != begun {
			t.Errorf("the ledger is %v, %v", entries, err)
		}
		w.run(`{"delete": "posts", "deletes": [{"q": {"_id": {"$ne": "p1"}}, "limit": 0}]}`)
		w.apply(fmt.Sprintf(sdl, change), Options{})
	}
}

// Conversions are tried on values at the edges: what is done, and what the data checks say.
func TestConversionsOfDocuments(t *testing.T) {
	for _, c := range []struct{ from, to, value, want string }{
		{"Float", "Int", "2.5", "would lose a part"},
		{"Float", "Int", `{"$numberDouble": "3e9"}`, "is no Int"},
		{"Float", "BigInt", `{"$numberDouble": "3e9"}`, "3000000000"},
		{"Float", "Decimal", "0.1", `{"$numberDecimal":"0.1"}`},
		{"Float", "Decimal", `{"$numberDouble": "NaN"}`, "is no Decimal"},
		{"Float", "String", "0.1", `"0.1"`},
		{"BigInt", "Int", `{"$numberLong": "3000000000"}`, "is no Int"},
		{"BigInt", "Float", `{"$numberLong": "9007199254740993"}`, "would lose a part"},
		{"BigInt", "String", `{"$numberLong": "9007199254740993"}`, `"9007199254740993"`},
		{"BigInt", "Decimal", `{"$numberLong": "9007199254740993"}`, `{"$numberDecimal":"9007199254740993"}`},
		{"Int", "Boolean", "1", "true"},
		{"Int", "Boolean", "2", "is no Boolean"},
		{"Boolean", "Int", "true", "1"},
		{"Boolean", "String", "false", `"false"`},
		{"String", "Boolean", `"true"`, "true"},
		{"String", "Boolean", `"yes"`, "is no Boolean"},
		{"String", "Int", `"007"`, "is no Int"},
		{"String", "Int", `"2147483648"`, "is no Int"},
		{"String", "BigInt", `"-9223372036854775808"`, "-9223372036854775808"},
		{"String", "Float", `"1e3"`, "1000.0"},
		{"String", "Float", `" 1"`, "is no Float"},
		{"String", "Decimal", `"1.50"`, `{"$numberDecimal":"1.50"}`},
		{"String", "Decimal", `"1e3"`, "is no Decimal"},
		{"String", "UUID", `"0190a2b4-0000-7000-8000-000000000000"`, `"0190a2b4-0000-7000-8000-000000000000"`},
		{"String", "UUID", `"0190A2B4-0000-7000-8000-000000000000"`, "is no UUID"},
		{"String", "Date", `"2026-02-31"`, "is no Date"},
		{"String", "Time", `"13:37:00.000000"`, `"13:37:00.000000"`},
		{"String", "DateTime", `"2026-01-31T13:37:00.123000Z"`, `{"$date":"2026-01-31T13:37:00.123Z"}`},
		{"String", "DateTime", `"2026-01-31T13:37:00.123456Z"`, "would lose a part"},
		{"String", "Color", `"RED"`, `"RED"`},
		{"String", "Color", `"red"`, "holds a value that is not among them"},
		{"String", "JSON", `"x"`, "no value of String becomes one of JSON"},
		{"String", "Bytes", `"x"`, "no value of String becomes one of Bytes"},
		{"String", "[String!]", `"x"`, `["x"]`},
		{"DateTime", "Date", `{"$date": "2026-01-31T00:00:00Z"}`, `"2026-01-31"`},
		{"DateTime", "Date", `{"$date": "2026-01-31T00:00:00.001Z"}`, "would lose a part"},
		{"DateTime", "String", `{"$date": "1969-12-31T23:59:59.999Z"}`, `"1969-12-31T23:59:59.999000Z"`},
		{"Date", "DateTime", `"1969-12-31"`, `{"$date":{"$numberLong":"-86400000"}}`},
		{"Decimal", "Float", `{"$numberDecimal": "0.1"}`, "0.1"},
		{"Decimal", "Float", `{"$numberDecimal": "0.1234567890123456789"}`, "would lose a part"},
		{"Decimal", "BigInt", `{"$numberDecimal": "12"}`, "12"},
		{"Decimal", "Int", `{"$numberDecimal": "3e9"}`, "is no Int"},
		{"Decimal", "String", `{"$numberDecimal": "1.5"}`, `"1.5"`},
		{"Part", "JSON", `{"n": 1}`, `{"n":1}`},
		{"[Int!]", "JSON", `[1]`, `[1]`},
		{"JSON", "Part", `{"n": 1}`, "no value of JSON becomes one of embedded"},
	} {
		t.Run(c.from+" to "+c.to+" of "+c.value, func(t *testing.T) {
			w := newStore(t)
			const sdl = `enum Color { RED }
type Part { n: Int }
type A @auth(read: "true") { id: ID! @primary  v: %s }`
			w.apply(fmt.Sprintf(sdl, c.from), Options{})
			w.run(`{"insert": "as", "documents": [{"_id": "a", "v": ` + c.value + `}, {"_id": "b"}]}`)
			if !strings.Contains(c.want, " ") {
				w.apply(fmt.Sprintf(sdl, c.to), Options{})
				w.equal("the document", strings.Split(w.ask("as"), "\n")[0], `{"_id":"a","v":`+c.want+`}`)
				return
			}
			w.refuse(fmt.Sprintf(sdl, c.to), Options{}, c.want)
		})
	}
}

func TestUniqueFieldsOfEveryKind(t *testing.T) {
	for scalar, value := range map[string]string{
		"ID": `"x"`, "String": `""`, "Int": "-2147483648", "BigInt": `{"$numberLong": "-9223372036854775808"}`, "Float": "-1e300", "Decimal": `{"$numberDecimal": "-1e30"}`,
		"Boolean": "false", "DateTime": `{"$date": "0001-01-01T00:00:00Z"}`, "Date": `"0001-01-01"`, "UUID": `"0190a2b4-0000-7000-8000-000000000000"`,
		"Bytes": `{"$binary": {"base64": "", "subType": "00"}}`, "Color": `"RED"`, `ID @column(type: "objectId")`: `{"$oid": "000000000000000000000000"}`,
	} {
		t.Run(scalar, func(t *testing.T) {
			w := newStore(t)
			w.apply(`enum Color { RED }
type A @auth(read: "true") { id: ID! @primary  v: `+scalar+` @unique }`, Options{})
			w.run(`{"insert": "as", "documents": [{"_id": "a"}, {"_id": "b", "v": null}, {"_id": "c"}, {"_id": "d", "v": ` + value + `}]}`)
			w.refuses("as", `{"_id": "e", "v": `+value+`}`)
		})
	}
}

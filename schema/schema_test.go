package schema

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestLoad(t *testing.T) {
	s, err := Load(fstest.MapFS{
		"a.graphql":           file("type A { id: ID! @primary  b: B @link }"),
		"sub/b.graphql":       file("\ufefftype B { id: ID! @primary }\r\n"),
		"seed.graphql":        file("mutation { insertA }"),
		".git/c.graphql":      file("nonsense"),
		"readme.md":           file("nonsense"),
		"directives.graphql":  file(Directives()),
		"sub/more/.x/y":       file("nonsense"),
		"sub/more/d.graphqls": file("nonsense"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Types) != 2 || s.Types[0].Name != "A" || s.Types[1].Name != "B" {
		t.Errorf("got %v", s)
	}
	_, err = Load(fstest.MapFS{"seed.graphql": file("")})
	if err == nil || !strings.Contains(err.Error(), "spacecloud init") {
		t.Errorf("an empty folder: %v", err)
	}
	_, err = Load(fstest.MapFS{"b.graphql": file("type B {"), "a.graphql": file("type A { id: ID @primary }")})
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != 1 || ps[0].File != "b.graphql" {
		t.Errorf("a file with a syntax error: %v", err)
	}
}

func TestParseRefusesWhatHurts(t *testing.T) {
	for name, text := range map[string]string{
		"file is not valid UTF-8": "type A { id: ID! @primary } # \xff",
		"has more than":           strings.Repeat(" ", maxFileBytes+1),
		"token limit":             strings.Repeat("{", maxTokens+1) + "",
		"nesting depth":           "type A { a: " + strings.Repeat("[", 2000) + "Int",
	} {
		if name == "token limit" {
			text = "enum A {" + strings.Repeat("A ", maxTokens+1) + "}"
		}
		_, err := Parse(Source{"a.graphql", text})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %.200v", name, err)
		}
	}
}

func TestDirectivesAreAllDeclared(t *testing.T) {
	if _, err := Parse(Source{"directives.graphql", Directives()}); err != nil {
		t.Error(err)
	}
	for name, d := range language().directives {
		if d.Description == "" {
			t.Errorf("@%s has no description", name)
		}
	}
	for name := range columnDirectives {
		if language().directives[name] == nil {
			t.Errorf("@%s is handled and not declared", name)
		}
	}
	for name := range later {
		if language().directives[name] == nil {
			t.Errorf("@%s is announced and not declared", name)
		}
	}
}

func TestPlural(t *testing.T) {
	for word, want := range map[string]string{
		"Post": "Posts", "Category": "Categories", "Day": "Days", "Box": "Boxes", "Bus": "Buses", "Class": "Classes",
		"Church": "Churches", "Dish": "Dishes", "Quiz": "Quizzes", "Hero": "Heroes", "Photo": "Photos", "Leaf": "Leaves",
		"Person": "People", "Child": "Children", "Woman": "Women", "Human": "Humans", "Mouse": "Mice", "Status": "Statuses",
		"Analysis": "Analyses", "Axis": "Axes", "Basis": "Bases", "Index": "Indexes", "Matrix": "Matrices", "Alias": "Aliases",
		"Medium": "Media", "URL": "URLs", "BlogPost": "Blog Posts", "OrderItem": "Order Items", "UserURL": "User URLs", "Key": "Keys", "Lens": "Lenses",
		"legacy_city": "legacy cities", "A": "As", "Y": "Ys", "V2": "V2s",
		"News": "", "Series": "", "Sheep": "", "Users": "", "Settings": "", "OrderData": "",
	} {
		ws, _ := pluralWords(word)
		if got := strings.Join(ws, " "); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, snake, camel string }{
		{"BlogPost", "blog_post", "blogPost"},
		{"URLMapping", "url_mapping", "urlMapping"},
		{"userID", "user_id", "userID"},
		{"oauth2Token", "oauth2_token", "oauth2Token"},
		{"legacy_item", "legacy_item", "legacyItem"},
		{"ID", "id", "id"},
		{"MD5Hash", "md5_hash", "md5Hash"},
		{"a", "a", "a"},
	} {
		if snake(c.name) != c.snake || camel(c.name) != c.camel {
			t.Errorf("%s: %s, %s", c.name, snake(c.name), camel(c.name))
		}
	}
	long := strings.Repeat("ä", 100)
	if a, b := boundedName(long), boundedName(long+"x"); len(a) > maxName || a == b || a != boundedName(long) {
		t.Errorf("%q, %q", a, b)
	}
	s := parse(t, `type Post @unique(fields: ["authorId", "slug"]) { id: ID! @primary  slug: String! @unique  author: User! @link }
		type User { id: ID! @primary }`)
	post := s.Type("Post")
	if a, b := post.KeyName(post.Uniques[0]), post.KeyName(post.Uniques[1]); a != "postBySlug" || b != "postByAuthorIdAndSlug" {
		t.Error(a, b)
	}
	if got := fmt.Sprint(s.Databases()); got != "[main]" {
		t.Error(got)
	}
}

func TestExpressionsKnowTheirPlace(t *testing.T) {
	s := parse(t, "type A @auth(read: \"true\", update: \"\"\"\n    doc.id == '1'\n\"\"\") { id: ID! @primary }")
	r := s.Type("A").Rules
	if r.Read.Pos.String() != "schema.graphql:1:21" || r.Update.Pos.String() != "schema.graphql:2:5" || r.Update.Text != "doc.id == '1'" {
		t.Errorf("%v %v %q", r.Read.Pos, r.Update.Pos, r.Update.Text)
	}
}

func TestLengths(t *testing.T) {
	s := parse(t, `type A @unique(fields: ["u1", "u2"]) { id: ID! @primary  long: String  sized: String @size(max: 10)  one: String @unique
		u1: String  u2: String @column(type: "text")  list: [String!]!  n: Int  b: B @link }
		type B { id: ID! @primary @autoIncrement }`)
	for name, want := range map[string]int{"id": 64, "long": 0, "sized": 10, "one": 255, "u1": 255, "u2": 0, "list": 0, "n": 0, "bId": 0} {
		if got := s.Type("A").Field(name).MaxLength(); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if !s.Type("A").Field("bId").HoldsInteger() || s.Type("A").Field("id").HoldsInteger() {
		t.Error("the key of a link to an integer key is an integer, and no other")
	}
}

func TestDiff(t *testing.T) {
	from := parse(t, `
enum Role { A B }
enum Gone { A }
type V { a: Int }
type Post @auth(read: "true") { id: ID! @primary  title: String  views: Int @index  author: User! @link  old: Int  flag: Boolean }
type User { id: ID! @primary  role: Role }
type Dropped { id: ID! @primary }`)
	to := parse(t, `
enum Role { A B C }
enum New { A }
type V { a: Int  b: String }
type Article @renamed(from: "Post") @auth(read: "false") { id: ID! @primary  title: String! @size(max: 5)  views: BigInt  author: User! @link(onDelete: CASCADE)  fresh: Int @renamed(from: "old") @unique }
type User @table(name: "people") { id: ID! @primary  role: Role }
type Added { id: ID! @primary }`)
	var got []string
	for _, c := range Diff(from, to) {
		line := c.String()
		if c.Destroys() {
			line = "! " + line
		}
		got = append(got, line)
	}
	want := []string{
		"rename Post to Article",
		`change table of Article from "posts" to "articles"`,
		`change single of Article from "post" to "article"`,
		`change plural of Article from "posts" to "articles"`,
		"change rules of Article from \"read \\\"true\\\"\" to \"read \\\"false\\\"\"",
		"! change Article.title: String to title: String!, size(max: 5)",
		"change Article.views: Int, indexed to views: BigInt",
		"change Article.author: User!, link authorId = User(id), owns, enforced to author: User!, link authorId = User(id), owns, enforced, cascade",
		"rename Post.old to fresh",
		"change Article.old: Int to fresh: Int, unique, was old",
		"! drop Post.flag",
		"add unique articles_fresh_key(fresh) on Article",
		"add index articles_author_id_idx(authorId) on Article",
		"drop index posts_views_idx(views) on Post",
		"drop index posts_author_id_idx(authorId) on Post",
		`change table of User from "users" to "people"`,
		"add table Added",
		"add V.b: String",
		"! drop table Dropped",
		"change enum Role from A B to A B C",
		"add enum New",
		"drop enum Gone",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// Whatever the text, Parse ends without a panic, and every problem lies within its file.
func FuzzParse(f *testing.F) {
	f.Add("type A { id: ID! @primary }", "type B { a: A @link }")
	f.Add(valuesSDL, "extend type Query { a(b: In): Int @resolver }\ninput In { a: Int = 3 }")
	f.Add("\"\"\"\n😀\n\"\"\"\ntype A @auth(read: \"\"\"\n  x\n\"\"\")", "scalar X union U = A|B interface I { a: Int } extend schema @cron(name: \"x\")")
	f.Add("type A{bs:[B!]!@link b:B@link@primary}type B{as:[A!]!@link a:A!@link(from:\"x\",to:[\"id\"])@id}", "enum E{A A true}")
	f.Add("type A{id:ID!@primary self:[A!]!@link(through:\"A\",from:\"x\") d:[Int]@default(value:[1,{a:2}])}", "type A@view(sql:\"\"){a:A}")
	f.Add("\"\"\n\"\"\"\"\n\"\"\"\x00\"", "\xe2")
	f.Fuzz(func(t *testing.T, a, b string) {
		s, err := Parse(Source{"a", a}, Source{"b", b})
		if err == nil {
			_ = s.String()
			_ = s.Unserved()
			if changes := Diff(s, s); len(changes) > 0 {
				t.Fatalf("Diff(s, s) = %v", changes)
			}
			return
		}
		var ps Problems
		if !errors.As(err, &ps) || len(ps) == 0 {
			t.Fatalf("%T: %v", err, err)
		}
		for _, p := range ps {
			inFile(t, map[string]string{"a": a, "b": b}[p.File], p)
		}
	})
}

func inFile(t *testing.T, text string, p Problem) {
	t.Helper()
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.TrimPrefix(text, "\ufeff"))
	lines := strings.Split(text, "\n")
	if p.Line < 1 || p.Line > len(lines) {
		t.Fatalf("%v: there are %d lines", p, len(lines))
	}
	if width := len([]rune(lines[p.Line-1])); p.Column < 1 || p.Column > width+1 {
		t.Fatalf("%v: the line has %d characters", p, width)
	}
}

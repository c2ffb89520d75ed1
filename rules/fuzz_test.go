package rules_test

import (
	"errors"
	"testing"

	"spacecloud/rules"
	"spacecloud/schema"
)

// FuzzCompile looks for rules that panic, in the compiler or when they are asked.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"true", "auth.id == doc.ownerId", "doc.tags.exists(t, t.name == doc.title)", "has(auth.a.b)", "!doc.public",
		"exists(Membership, m, m.userId == auth.id)", "doc.views in [1, auth.x]", "doc.at > now - duration('1h')",
		"doc.title.matches('a')", "auth.a ? doc.public : false", "doc.labels[0] == 'x'", "{'a': doc}.a == doc", "Post{id: 'x'} == doc",
		"doc.tags.map(x, x)[0].name == 'a'", "exists(User, u, exists(User, v, u.id == v.id))", "size([doc]) == 1", "type(doc) == Post",
		"doc.tags.all(t, t.posts.exists(p, p.id == doc.id))", "[1].exists(x, doc.public)", "null == null", "dyn(doc).x == 1",
	} {
		f.Add(seed)
	}
	base, err := schema.Parse(schema.Source{Name: "world.graphql", Text: world})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		base.Type("Post").Rules.Read = schema.Expr{Text: rule, Pos: schema.Pos{File: "f", Line: 1, Column: 1}}
		set, err := rules.Compile(base)
		var problems schema.Problems
		if err != nil && !errors.As(err, &problems) {
			t.Fatalf("%v is no schema.Problems", err)
		}
		if err == nil {
			readPosts(base, set, ann)
			readPosts(base, set, nobody)
		}
	})
}

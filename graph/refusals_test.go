package graph

import (
	"testing"

	"spacecloud/fault"
)

// A refusal names its rule to who develops the schema, and in production nothing of it.
func TestRulesAreNamedInDevelopmentOnly(t *testing.T) {
	f := fault.New(fault.Denied, "update of this Post is not allowed")
	f.Rules = []fault.Rule{{Of: "update of Post", File: "a/posts.graphql", Line: 3}, {Of: "update of Post.title"}}
	told := newPresenter(Options{Development: true, Folder: "schema"}.withDefaults()).present(t.Context(), f)
	if got, want := told.Extensions["rule"], "update of Post: rule at schema/a/posts.graphql:3, or update of Post.title: no rule, so nobody may"; got != want {
		t.Errorf("%v, want %s", got, want)
	}
	if untold := newPresenter(Options{Folder: "schema"}.withDefaults()).present(t.Context(), f); len(untold.Extensions) != 1 || untold.Message != f.Message {
		t.Errorf("in production it says %q, %v", untold.Message, untold.Extensions)
	}
}

package schema

import "testing"

// The singular of a plural is the word that it came from.
func TestSingularsAreUndonePlurals(t *testing.T) {
	for one, many := range map[string]string{
		"post": "posts", "category": "categories", "day": "days", "box": "boxes", "house": "houses", "address": "addresses",
		"status": "statuses", "person": "people", "salesperson": "salespeople", "mouse": "mice", "analysis": "analyses", "movie": "movies",
		"bus": "buses", "quiz": "quizzes", "lens": "lenses", "base": "bases", "cause": "causes", "virus": "viruses", "tax": "taxes", "hero": "heroes",
	} {
		if got, ok := Singular(many); !ok || got != one {
			t.Errorf("the singular of %s is %q, %v; want %s", many, got, ok, one)
		}
		if got := NamesOf("My" + upperFirst(one)); got.Plural != "my"+upperFirst(many) {
			t.Errorf("%s: %+v", one, got)
		}
	}
	for _, word := range []string{"", "news", "s", "data2", "sheep"} {
		if one, ok := Singular(word); ok {
			t.Errorf("%q has no singular, got %q", word, one)
		}
	}
}

package migrate

import (
	"strings"
	"testing"
)

const (
	unsearched = `type Post @auth(read: "true") { id: ID! @primary  title: String!  body: String  views: Int! @default(value: 0) }`
	byTitle    = `type Post @auth(read: "true") { id: ID! @primary  title: String! @search  body: String  views: Int! @default(value: 0) }`
	byBoth     = `type Post @auth(read: "true") { id: ID! @primary  title: String! @search  body: String @search  views: Int! @default(value: 0) }`
)

const findFox = "SELECT group_concat(id) FROM (SELECT id FROM posts WHERE rowid IN (SELECT rowid FROM _posts_search WHERE _posts_search MATCH 'fox') ORDER BY id)"

func (w world) found(want string) {
	w.Helper()
	if got := w.ask(findFox); got != want {
		w.Errorf("found %s, want %s", got, want)
	}
}

// A full-text index comes, changes and goes with @search, is filled from the rows that are
// there, and is kept by what is written.
func TestSearchFollowsTheSchema(t *testing.T) {
	w := newWorld(t)
	w.apply(unsearched, Options{})
	w.exec("INSERT INTO posts (id, title, body) VALUES ('a', 'fox', 'dog'), ('b', 'dog', 'fox')")
	plan := w.apply(byTitle, Options{})
	if len(plan.Foreign) > 0 || plan.Destroys() {
		t.Errorf("the plan is\n%s", plan)
	}
	w.found("a")
	w.apply(byBoth, Options{})
	w.found("a,b")
	w.exec("UPDATE posts SET title = 'cat' WHERE id = 'a'", "INSERT INTO posts (id, title) VALUES ('c', 'Fox')", "UPDATE posts SET id = 'd' WHERE id = 'b'")
	w.found("c,d")
	w.exec("DELETE FROM posts WHERE id = 'c'")
	w.found("d")
	w.apply(unsearched, Options{})
	if left := w.ask("SELECT name FROM sqlite_master WHERE name LIKE '%search%'"); left != "" {
		t.Errorf("left behind: %s", left)
	}
}

// What makes a table anew, or gives it or a column another name, leaves a filled index.
func TestSearchSurvivesChanges(t *testing.T) {
	for name, after := range map[string]string{
		"rebuilt":        strings.Replace(byTitle, "views: Int!", "views: Float!", 1),
		"column added":   strings.Replace(byTitle, "views:", "more: String  views:", 1),
		"column dropped": strings.Replace(byTitle, "body: String ", "", 1),
		"column renamed": strings.Replace(byTitle, "title: String!", `headline: String! @renamed(from: "title")`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.apply(byTitle, Options{})
			w.exec("INSERT INTO posts (id, title) VALUES ('x', 'no'), ('a', 'fox'), ('b', 'dog')", "DELETE FROM posts WHERE id = 'x'")
			w.apply(after, Options{AllowDestroy: true})
			w.found("a")
			column := "title"
			if strings.Contains(after, "headline") {
				column = "headline"
			}
			w.exec("UPDATE posts SET " + column + " = 'fox' WHERE id = 'b'")
			w.found("a,b")
		})
	}
	t.Run("table renamed", func(t *testing.T) {
		w := newWorld(t)
		w.apply(byTitle, Options{})
		w.exec("INSERT INTO posts (id, title) VALUES ('a', 'fox')")
		w.apply(strings.Replace(byTitle, "type Post", `type Article @renamed(from: "Post")`, 1), Options{})
		w.exec("INSERT INTO articles (id, title) VALUES ('b', 'fox')")
		if got := w.ask("SELECT count(*) FROM _articles_search WHERE _articles_search MATCH 'fox'"); got != "2" {
			t.Errorf("found %s rows, want 2", got)
		}
		if left := w.ask("SELECT name FROM sqlite_master WHERE name LIKE '%posts%'"); left != "" {
			t.Errorf("left behind: %s", left)
		}
	})
	t.Run("type removed", func(t *testing.T) {
		w := newWorld(t)
		w.apply(byTitle, Options{})
		w.apply(`type Other @auth(read: "true") { id: ID! @primary }`, Options{AllowDestroy: true})
		if left := w.ask("SELECT name FROM sqlite_master WHERE name LIKE '%posts%'"); left != "" {
			t.Errorf("left behind: %s", left)
		}
	})
	t.Run("trigger lost", func(t *testing.T) {
		w := newWorld(t)
		w.apply(byTitle, Options{})
		w.exec("DROP TRIGGER _posts_search_insert", "INSERT INTO posts (id, title) VALUES ('a', 'fox')")
		w.apply(byTitle, Options{})
		w.found("a")
	})
	t.Run("kept for older servers", func(t *testing.T) {
		w := newWorld(t)
		w.apply(byTitle, Options{})
		w.apply(unsearched, Options{Policy: Keep})
		w.exec("INSERT INTO posts (id, title) VALUES ('a', 'fox')")
		w.found("a")
	})
}

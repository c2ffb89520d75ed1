package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

// recipe is a file of tests of rules.
type recipe struct {
	Schema  string
	Callers map[string]map[string]any
	Rows    yaml.MapSlice
	Tests   []attempt
}

// attempt is what a caller asks, and the answer.
type attempt struct {
	Name      string
	As        any // a name of callers, or claims
	Request   string
	Variables map[string]any
	Data      any
	Refused   string // the code of the error, for an answer without data
	At        string // the path of the error
	Then      *attempt
}

// TestRecipes runs the tests of every recipe, and holds the schema that the page shows to the one that was tested.
func TestRecipes(t *testing.T) {
	files, err := filepath.Glob("../../docs/recipes/*/*.rules.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recipes: %v", err)
	}
	shown := recipesOnPage(t)
	for _, file := range files {
		folder := filepath.Dir(file)
		name := filepath.Base(folder)
		t.Run(name, func(t *testing.T) {
			if shown[name] != read(t, filepath.Join(folder, "schema.graphql")) {
				t.Error("the page does not show the schema that is tested")
			}
			served.Each(t, func(t *testing.T, on served.Kind) { cook(t, on, file) })
		})
		delete(shown, name)
	}
	for name := range shown {
		t.Errorf("the recipe %s has no tests", name)
	}
}

// recipesOnPage are the blocks of "graphql recipe NAME".
func recipesOnPage(t *testing.T) map[string]string {
	t.Helper()
	shown := map[string]string{}
	for _, b := range blocks(read(t, "../../docs/recipes.md")) {
		if name, ok := strings.CutPrefix(b.info, "graphql recipe "); ok {
			shown[name] = b.text
		}
	}
	return shown
}

func read(t *testing.T, file string) string {
	t.Helper()
	return string(served.Must(os.ReadFile(file))(t))
}

func cook(t *testing.T, on served.Kind, file string) {
	r := recipeIn(t, file)
	server := served.Text(t, on, r.schema(t, file), served.Options{})
	r.each(t, server, func(a attempt, wrong string) bool {
		if wrong != "" {
			t.Errorf("%s: %s", a.Name, wrong)
		}
		return true
	})
}

// TestEveryRuleOfARecipeIsNeeded opens one rule of a recipe after the other, which one of its tests has to notice.
func TestEveryRuleOfARecipeIsNeeded(t *testing.T) {
	for _, file := range served.Must(filepath.Glob("../../docs/recipes/*/*.rules.yaml"))(t) {
		r := recipeIn(t, file)
		text := r.schema(t, file)
		for _, at := range aRule.FindAllStringSubmatchIndex(text, -1) {
			if text[at[2]:at[3]] != `"true"` {
				opened := served.Text(t, served.SQLite, text[:at[2]]+`"true"`+text[at[3]:], served.Options{})
				noticed := false
				r.each(t, opened, func(_ attempt, wrong string) bool {
					noticed = wrong != ""
					return !noticed
				})
				if !noticed {
					t.Errorf("%s: no test needs %s", filepath.Base(file), text[at[0]:at[1]])
				}
			}
		}
	}
}

var aRule = regexp.MustCompile(`(?s)\b(?:read|create|update|delete): (""".*?"""|"[^"]*")`)

func recipeIn(t *testing.T, file string) (r recipe) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(read(t, file)), &r, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r recipe) schema(t *testing.T, file string) string {
	t.Helper()
	return read(t, filepath.Join(filepath.Dir(file), r.Schema))
}

// each makes all attempts, for as long as heard wants more: it is told what is wrong with each answer, "" for nothing.
func (r recipe) each(t *testing.T, server *served.Server, heard func(a attempt, wrong string) bool) {
	t.Helper()
	unchanged := false
	for _, a := range r.Tests {
		if !unchanged {
			r.fill(t, server)
		}
		var wrong string
		if unchanged, wrong = r.try(t, server, a); !heard(a, wrong) {
			return
		}
	}
}

// fill makes the rows of the file all there is.
func (r recipe) fill(t *testing.T, server *served.Server) {
	t.Helper()
	empty(t, server)
	for _, rows := range r.Rows {
		plural, _ := rows.Key.(string)
		of := named(t, server, plural)
		mutation := fmt.Sprintf("mutation($docs: [%sInsert!]!) { insert%s%s(docs: $docs) { affected } }", of.Name, strings.ToUpper(plural[:1]), plural[1:])
		answer := server.Ask(auth.System(now), mutation, map[string]any{"docs": plainJSON(t, rows.Value)}, nil)
		if strings.Contains(string(answer.Body), `"errors"`) {
			t.Fatalf("%s: %s", plural, answer.Body)
		}
	}
}

func named(t *testing.T, server *served.Server, plural string) *schema.Type {
	t.Helper()
	for _, table := range server.Tables() {
		if table.Plural == plural {
			return table
		}
	}
	t.Fatalf("no type is called %s", plural)
	return nil
}

// empty deletes all rows. A table that others point to waits until they are empty.
func empty(t *testing.T, server *served.Server) {
	t.Helper()
	left := server.Tables()
	for len(left) > 0 {
		var kept []*schema.Type
		var errs []error
		for _, table := range left {
			if err := clearTable(t, server.Drivers[table.DB], table); err != nil {
				kept, errs = append(kept, table), append(errs, err)
			}
		}
		if len(kept) == len(left) {
			t.Fatal(errs)
		}
		left = kept
	}
}

func clearTable(t *testing.T, d driver.Driver, table *schema.Type) error {
	t.Helper()
	tx := served.Must(d.Begin(t.Context()))(t)
	if _, err := tx.Write(t.Context(), rules.SystemWrite(query.Write{Verb: query.Delete, Type: table, Where: query.True}), query.Binding{}); err != nil {
		_ = tx.Rollback(t.Context())
		return err
	}
	return tx.Commit(t.Context())
}

// try is whether the rows are as they were, and what is wrong with the answer.
func (r recipe) try(t *testing.T, server *served.Server, a attempt) (unchanged bool, wrong string) {
	t.Helper()
	var variables any
	if a.Variables != nil {
		variables = plainJSON(t, a.Variables)
	}
	body := server.Ask(r.caller(t, a.As), a.Request, variables, nil).Body
	unchanged = a.Refused != "" || !strings.HasPrefix(strings.TrimSpace(a.Request), "mutation")
	if wrong := a.misses(t, body); wrong != "" || a.Then == nil {
		return unchanged && wrong == "", wrong
	}
	still, wrong := r.try(t, server, *a.Then)
	return unchanged && still, wrong
}

// misses is how an answer differs from the one that is expected, "" for not at all.
func (a attempt) misses(t *testing.T, body []byte) string {
	t.Helper()
	var got struct {
		Data   any
		Errors []struct {
			Path       []any
			Extensions struct{ Code string }
		}
	}
	decode(t, string(body), &got)
	switch {
	case a.Refused == "" && len(got.Errors) == 0 && reflect.DeepEqual(got.Data, plainJSON(t, a.Data)):
	case a.Refused == "":
		return fmt.Sprintf("%s\ngot  %s\nwant %v", a.Request, body, a.Data)
	case len(got.Errors) == 0 || got.Errors[0].Extensions.Code != a.Refused || a.At != "" && fmt.Sprint(got.Errors[0].Path...) != a.At:
		return fmt.Sprintf("%s\ngot  %s\nwant %s %s", a.Request, body, a.Refused, a.At)
	}
	return ""
}

func (r recipe) caller(t *testing.T, as any) *auth.Caller {
	t.Helper()
	claims, given := as.(map[string]any)
	name, _ := as.(string)
	if !given && name != "nobody" {
		if claims, given = r.Callers[name]; !given {
			t.Fatalf("no caller is called %v", as)
		}
	}
	c := &auth.Caller{Now: now.Add(123456789 * time.Nanosecond), Claims: map[string]any{}, SignedIn: given}
	if given {
		c.Claims, _ = plainJSON(t, claims).(map[string]any)
		c.Claims["id"] = c.Claims["sub"]
	}
	return c
}

// plainJSON is a value of YAML as encoding/json would have decoded it.
func plainJSON(t *testing.T, v any) any {
	t.Helper()
	var out any
	decode(t, string(served.Must(json.Marshal(v))(t)), &out)
	return out
}

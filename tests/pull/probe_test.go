package pull

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"spacecloud/generator"
	"spacecloud/schema"
	"spacecloud/tests/served"

	"github.com/vektah/gqlparser/v2/ast"
)

// probe asks of every column all that the API has for it, with a value that is there: what
// equals it is found by it, and nothing is an error.
func probe(t *testing.T, on served.Kind, server http.Handler, s *schema.Schema) {
	t.Helper()
	api := served.Must(generator.New(s))(t)
	asked := 0
	for _, x := range s.Types {
		if x.Kind != schema.Table && x.Kind != schema.View {
			continue
		}
		where := api.Schema.Types[x.Name+"Where"]
		for _, f := range x.Columns {
			if f.Scalar == schema.Embedded {
				continue // its conditions are those of its members
			}
			value, there := first(t, server, x, f)
			filter := api.Schema.Types[where.Fields.ForName(f.Name).Type.Name()]
			for _, o := range filter.Fields {
				for _, v := range valuesFor(o, value, there) {
					asked++
					query := fmt.Sprintf("{ %s(where: {%s: {%s: %s}}) { __typename } }", x.Plural, f.Name, o.Name, v)
					answer := ask(t, server, query)
					finds := (f.Scalar != schema.JSON || on.Name != "mongodb" && value != `"x"`) && (o.Name == "_eq" || o.Name == "_in" || o.Name == "_gte" || o.Name == "_lte" || o.Name == "_startsWith") // JSON shows dates of MongoDB as texts
					if strings.Contains(answer, `"errors"`) || finds && v != "null" && there && strings.Contains(answer, `[]`) {
						t.Errorf("%s\n%s", query, answer)
					}
				}
			}
			if order := api.Schema.Types[x.Name+"Order"]; order != nil && order.Fields.ForName(f.Name) != nil {
				asked++
				query := fmt.Sprintf("{ %s(orderBy: [{%s: DESC}]) { __typename } %sConnection(orderBy: [{%[2]s: ASC}], first: 1) { pageInfo { endCursor } } }", x.Plural, f.Name, x.Plural)
				if x.Kind == schema.View {
					query = fmt.Sprintf("{ %s(orderBy: [{%s: DESC}]) { __typename } }", x.Plural, f.Name)
				}
				answer := ask(t, server, query)
				if strings.Contains(answer, `"errors"`) {
					t.Errorf("%s\n%s", query, answer)
				}
				if _, cursor, ok := strings.Cut(answer, `"endCursor":"`); ok {
					cursor, _, _ = strings.Cut(cursor, `"`)
					query := fmt.Sprintf("{ %sConnection(orderBy: [{%s: ASC}], first: 1, after: %q) { nodes { __typename } } }", x.Plural, f.Name, cursor)
					if answer := ask(t, server, query); strings.Contains(answer, `"errors"`) {
						t.Errorf("%s\n%s", query, answer)
					}
				}
			}
		}
		if groups := api.Schema.Types[x.Name+"Field"]; groups != nil {
			for _, v := range groups.EnumValues {
				asked++
				query := fmt.Sprintf("{ %sGroups(groupBy: [%s]) { group { %[2]s } count } %[1]sAggregate { %[3]s } %[1]s(distinctOn: [%[2]s]) { __typename } }", x.Plural, v.Name, "count")
				if answer := ask(t, server, query); strings.Contains(answer, `"errors"`) {
					t.Errorf("%s\n%s", query, answer)
				}
			}
		}
	}
	t.Logf("%d questions", asked)
}

// keys are those of an object in JSON, which GraphQL has without quotes.
var keys = regexp.MustCompile(`"(\w+)":`)

// first is a value of a column as a literal of GraphQL.
func first(t *testing.T, server http.Handler, x *schema.Type, f *schema.Field) (string, bool) {
	t.Helper()
	answer := ask(t, server, fmt.Sprintf("{ %s(where: {%s: {_isNull: false}}, limit: 1) { v: %[2]s } }", x.Plural, f.Name))
	var got struct {
		Data map[string][]map[string]json.RawMessage
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil || got.Data[x.Plural] == nil {
		t.Errorf("%s.%s: %v, %s", x.Name, f.Name, err, answer)
	}
	if len(got.Data[x.Plural]) == 0 {
		return "", false
	}
	text := string(got.Data[x.Plural][0]["v"])
	switch f.Scalar {
	case schema.EnumValue:
		text = strings.ReplaceAll(text, `"`, "")
	case schema.JSON:
		if text = keys.ReplaceAllString(text, "$1:"); strings.Contains(text, `":`) {
			text = `"x"` // GraphQL has no literal for it
		}
	}
	return text, true
}

// valuesFor are what to give an operator.
func valuesFor(o *ast.FieldDefinition, value string, there bool) []string {
	switch {
	case o.Name == "_isNull" || o.Name == "_isEmpty":
		return []string{"true", "false"}
	case strings.Contains(o.Type.Name(), "Filter") || strings.HasSuffix(o.Type.Name(), "Where") || o.Name == "path":
		return nil
	case o.Name == "_regex" || o.Name == "_like" || o.Name == "_ilike":
		return []string{`"x"`}
	case o.Name == "_hasKey", o.Name == "_hasKeys":
		return []string{`"x"`}
	case !there:
		return nil
	case o.Name == "_has":
		element, _, _ := strings.Cut(strings.Trim(value, "[]"), ",")
		return []string{element}
	case o.Type.Elem != nil && !strings.HasPrefix(value, "["):
		return []string{"[" + value + "]"}
	}
	return []string{value}
}

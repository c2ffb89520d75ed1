package operations

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"spacecloud/auth"
)

// api is what introspection says.
type api struct {
	raw             json.RawMessage // the data of the introspection query
	types           map[string]*typ
	query, mutation *typ
	keys            map[string]bool       // Type.field that a row is asked for by
	unique          map[string][][]string // the unique keys of a type
}

type typ struct {
	Kind, Name  string
	Fields      []*field
	InputFields []*input
	EnumValues  []struct{ Name string }
}

type field struct {
	Name string
	Args []*input
	Type *ref
}

// input is an argument or a field of an input object.
type input struct {
	Name         string
	Type         *ref
	DefaultValue *string
}

func (in *input) required() bool { return in.Type.nonNull() && in.DefaultValue == nil }

type ref struct {
	Kind, Name string
	OfType     *ref
}

func (r *ref) nonNull() bool { return r.Kind == "NON_NULL" }

// bare is the type without the mark of non-null.
func (r *ref) bare() *ref {
	if r.nonNull() {
		return r.OfType
	}
	return r
}

func (r *ref) list() bool { return r.bare().Kind == "LIST" }

// named is the type without all marks.
func (r *ref) named() string {
	if r.OfType != nil {
		return r.OfType.named()
	}
	return r.Name
}

func (r *ref) String() string {
	switch r.Kind {
	case "NON_NULL":
		return r.OfType.String() + "!"
	case "LIST":
		return "[" + r.OfType.String() + "]"
	}
	return r.Name
}

// introspection asks for all that graphql-js asks for.
const introspection = `query Introspection {
  __schema {
    description
    queryType { name kind }
    mutationType { name kind }
    subscriptionType { name kind }
    types { ...Full }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...Input } }
  }
}
fragment Full on __Type {
  kind name description specifiedByURL
  fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...Input } type { ...Ref } isDeprecated deprecationReason }
  inputFields(includeDeprecated: true) { ...Input }
  interfaces { ...Ref }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...Ref }
}
fragment Input on __InputValue { name description type { ...Ref } defaultValue isDeprecated deprecationReason }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }`

// introspect reads the API of a server.
func introspect(t testing.TB, w *world) *api {
	t.Helper()
	a := w.ask(&auth.Caller{}, introspection, nil)
	var answer struct {
		Data   json.RawMessage
		Errors []any
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil || answer.Errors != nil {
		t.Fatalf("introspection: %v %s", err, a.Body)
	}
	var data struct {
		Schema struct {
			QueryType, MutationType *struct{ Name string }
			Types                   []*typ
		} `json:"__schema"`
	}
	if err := json.Unmarshal(answer.Data, &data); err != nil {
		t.Fatal(err)
	}
	of := &api{raw: answer.Data, types: map[string]*typ{}, keys: map[string]bool{}, unique: map[string][][]string{}}
	for _, each := range data.Schema.Types {
		of.types[each.Name] = each
	}
	of.query = of.types[data.Schema.QueryType.Name]
	if m := data.Schema.MutationType; m != nil {
		of.mutation = of.types[m.Name]
	}
	for _, f := range of.query.Fields {
		var key []string
		for _, in := range f.Args {
			if in.required() && of.of(in.Type).Kind != "ENUM" {
				of.keys[f.Type.named()+"."+in.Name] = true
				key = append(key, in.Name)
			}
		}
		if f.Type.Kind == "OBJECT" && key != nil {
			of.unique[f.Type.Name] = append(of.unique[f.Type.Name], key)
		}
	}
	return of
}

func (a *api) of(r *ref) *typ { return a.types[r.named()] }

// composite is whether a field of such a type has a selection.
func (a *api) composite(r *ref) bool { return a.of(r).Kind == "OBJECT" }

// link is whether an input writes other rows along, and not a column.
func (a *api) link(in *input) bool {
	name := in.Type.named()
	return a.of(in.Type).Kind == "INPUT_OBJECT" && (strings.HasSuffix(name, "Link") || strings.HasSuffix(name, "LinkSet"))
}

// heldBy is the link to one row whose key a column of a table is, or nil.
func (a *api) heldBy(table, column string) *field {
	t := a.types[table]
	if t == nil {
		return nil
	}
	for _, f := range t.Fields {
		rest, ok := strings.CutPrefix(column, f.Name)
		if !ok || rest == "" || !a.composite(f.Type) || f.Type.list() {
			continue
		}
		if a.of(f.Type).field(strings.ToLower(rest[:1])+rest[1:]) != nil {
			return f
		}
	}
	return nil
}

// table is the type of rows that a name belongs to: Post for PostWhere and PostConnection.
func (a *api) table(name string) string {
	best := ""
	for each, t := range a.types {
		if t.Kind == "OBJECT" && strings.HasPrefix(name, each) && len(each) > len(best) && a.query.field(each) == nil {
			if rest := name[len(each):]; rest == "" || slices.Contains(suffixes, rest) {
				best = each
			}
		}
	}
	return best
}

// suffixes are those of types that belong to a table, as far as values are worth aiming.
var suffixes = []string{
	"Where", "Insert", "Connect", "OnConflict", "Set", "SetMany", "Rename", "Inc", "Mul", "Max", "Min", "Push", "Pull", "Upsert", "Connection", "Mutation", "Group", "Aggregate", "Having",
}

func (t *typ) field(name string) *field {
	for _, f := range t.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func (f *field) arg(name string) *input {
	for _, a := range f.Args {
		if a.Name == name {
			return a
		}
	}
	return nil
}

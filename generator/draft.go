package generator

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"spacecloud/schema"
)

// draft is an API in the making. Names do not clash: package schema has seen to that.
type draft struct {
	schema          *schema.Schema
	query, mutation roots
	own             []definition          // of one table or view each, in the order of the schema
	shared          map[string]definition // used by many, by name
	problems        schema.Problems
	types           []*schema.Type // of the schema
}

// roots are the fields of Query or of Mutation.
type roots struct {
	members []member
	meaning map[string]Root
}

func newDraft(s *schema.Schema) *draft {
	return &draft{
		schema:   s,
		query:    roots{meaning: map[string]Root{}},
		mutation: roots{meaning: map[string]Root{}},
		shared:   map[string]definition{},
	}
}

// add adds a root field.
func (r *roots) add(m member, meaning Root) {
	r.members = append(r.members, m)
	r.meaning[m.name] = meaning
}

// define adds a definition that one table or view has for itself.
func (d *draft) define(def definition) { d.own = append(d.own, def) }

// share adds a definition that many may use, once. Its name is known before it is made, so
// that it may use itself.
func (d *draft) share(name string, build func() definition) string {
	if _, there := d.shared[name]; !there {
		d.shared[name] = definition{}
		def := build()
		def.name = name
		d.shared[name] = def
	}
	return name
}

// ErrNothingToRead is that a schema has no read rule: tables follow from it, and no API.
var ErrNothingToRead = errors.New(`no type of the schema has a read rule, so the API would have no query; ` +
	`give one, as in: type Post @auth(read: "true")`)

func (d *draft) check() error {
	if len(d.problems) > 0 {
		return d.problems
	}
	if len(d.query.members) == 0 {
		return ErrNothingToRead
	}
	return nil
}

// needsMembers finds a type without a field, which GraphQL does not know.
func (d *draft) needsMembers(t *schema.Type, members []member) {
	if len(members) == 0 {
		d.problems = append(d.problems, schema.Problem{Pos: t.Pos, Message: fmt.Sprintf(
			"every field of type %s is hidden, but the API needs one: show it, or take the rules of the type away", t.Name)})
	}
}

// sdl places the definitions: root types, then type by type, then what they share.
func (d *draft) sdl() string {
	all := []definition{{keyword: "type", name: "Query", members: d.query.members}}
	if len(d.mutation.members) > 0 {
		all = append(all, definition{
			keyword:     "type",
			name:        "Mutation",
			description: "The mutations of one request run in order, in one transaction per database: the first error undoes all of them.",
			members:     d.mutation.members,
		})
	}
	all = append(all, definition{
		keyword:     "type",
		name:        "Subscription",
		description: "Live queries: what the query of the same name answers, and again whenever a change has made another answer of it.",
		members:     d.query.members,
	})
	all = append(all, d.own...)
	all = append(all, d.sharedInOrder()...)
	var b strings.Builder
	for _, def := range all {
		def.spell(&b)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func (d *draft) sharedInOrder() []definition {
	var shared []definition
	for _, def := range d.shared {
		shared = append(shared, def)
	}
	slices.SortFunc(shared, byKeyword)
	return shared
}

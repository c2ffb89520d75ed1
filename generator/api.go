// Package generator answers what follows from a schema: the API's SDL, the tables of each
// database, and later typed Go, OpenAPI and TypeScript. All of it is made in memory.
//
// The API holds what a rule opens, and nothing else:
//
//   - A table or view with a read rule can be asked for: by primary key, by each unique key
//     and as a list; links to it exist. A link to a type without one is left out, its key
//     column stays; so is a link through a join type without one.
//   - A table with a create, update or delete rule has the mutations of that verb. If it has
//     no read rule, they return its type all the same, and the row is null.
//   - A type without any rule, a hidden field and a join table that we own are not there.
//   - A root field that would have nothing to say is left out: by a key that is hidden or
//     missing, an insert without a field to give, an update without a field to change.
//
// Each part of it is a function in sections; new parts (connections, aggregates, upserts)
// are further ones.
package generator

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"spacecloud/schema"
)

// API is the GraphQL API that follows from a schema, and what its root fields mean.
type API struct {
	SDL       string
	Schema    *ast.Schema     // SDL, built
	Queries   map[string]Root // and the subscriptions of the same names
	Mutations map[string]Root
}

// Root is the meaning of a root field.
type Root struct {
	Kind RootKind
	Type *schema.Type
	Key  []*schema.Field // the unique key that the arguments of a One, UpdateOne or DeleteOne name
}

// RootKind is what a root field does.
type RootKind uint8

// The kinds of root fields, with the arguments they take.
const (
	One        RootKind = iota // post(id), postBySlug(slug)
	List                       // posts(where, orderBy, limit, offset, distinctOn)
	InsertOne                  // insertPost(doc)
	InsertMany                 // insertPosts(docs)
	UpdateOne                  // updatePost(id, set, inc)
	UpdateMany                 // updatePosts(where, set, inc)
	DeleteOne                  // deletePost(id)
	DeleteMany                 // deletePosts(where)
	Aggregate                  // postsAggregate(where)
	Groups                     // postsGroups(groupBy, where, having, orderBy, limit, offset)
	Connection                 // postsConnection(where, orderBy, first, after, last, before)
	UpsertOne                  // upsertPost(doc, onConflict)
	UpsertMany                 // upsertPosts(docs, onConflict)
)

// New makes the API of a schema. Types that would be empty are schema.Problems.
func New(s *schema.Schema) (*API, error) {
	d := newDraft(s)
	d.types = s.Types
	for _, t := range s.Types {
		if !served(t) {
			continue
		}
		for _, write := range sections {
			write(d, t)
		}
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	sdl := d.sdl()
	built, err := validator.LoadSchema(validator.Prelude, &ast.Source{Name: "api.graphql", Input: sdl})
	if err != nil {
		return nil, err
	}
	delete(built.Directives, "defer") // gqlparser has it in every schema; it is not served
	return &API{SDL: sdl, Schema: built, Queries: d.query.meaning, Mutations: d.mutation.meaning}, nil
}

// sections are the parts of the API that one type has, in the order of the SDL.
var sections = []func(*draft, *schema.Type){
	writeObject,
	writeReads,
	writeConnection,
	writeWhere,
	writeOrder,
	writeFieldEnum,
	writeAggregates,
	writeInserts,
	writeUpserts,
	writeUpdates,
	writeDeletes,
	writeMutationResult,
}

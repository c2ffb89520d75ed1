package stories

import (
	"path/filepath"
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/generator"
	"spacecloud/graph"
	"spacecloud/migrate"
	"spacecloud/resolvers"
	"spacecloud/rules"
	"spacecloud/schema"
)

// However many measures, rows and parents there are, an aggregate is one statement.
func TestAnAggregateIsOneStatement(t *testing.T) {
	s := must(schema.Parse(schema.Source{Name: "schema.graphql", Text: `
type User @auth(read: "true", create: "true") { id: ID! @primary  posts: [Post!]! @link }
type Post @auth(read: "true", create: "true") { id: ID! @primary  views: Int!  price: Decimal  author: User @link }`}))(t)
	d := must(sqlite.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "main.db")))(t)
	t.Cleanup(func() { _ = d.Close() })
	target := migrate.Database{Name: "main", Product: d.Product(), SQL: driver.SQL(d)}
	must(migrate.Apply(t.Context(), target, s, migrate.Options{}))(t)
	counted := database.Count(d)
	res := must(resolvers.New(resolvers.Config{
		Schema: s, Rules: must(rules.Compile(s))(t),
		Databases: map[string]*database.DB{"main": database.New("main", counted)},
	}))(t)
	server := must(graph.New(graph.Options{API: must(generator.New(s))(t), Resolvers: res}))(t)
	ask(t, server, `mutation {
		insertUsers(docs: [{id: "a"}, {id: "b"}, {id: "c"}]) { affected }
		insertPosts(docs: [{id: "1", views: 1, authorId: "a"}, {id: "2", views: 2, authorId: "a"}, {id: "3", views: 3, authorId: "b"}]) { affected }
	}`)
	for query, finds := range map[string]int{
		`{ postsAggregate { count sum { views price } avg { views price } min { id } max { views } countDistinct { id views } } }`:                     1,
		`{ postsGroups(groupBy: [authorId], having: {sum: {views: {_gt: 1}}}, orderBy: [{avg: {views: ASC}}]) { count sum { views } } }`:               1,
		`{ users { id postsAggregate { count sum { views } } } }`:                                                                                      2,
		`{ users { postsAggregate { count } big: postsAggregate(where: {views: {_gt: 1}}) { count } posts { author { postsAggregate { count } } } } }`: 6,
	} {
		counted.Reset()
		if got := ask(t, server, query); strings.Contains(got, "errors") {
			t.Errorf("%s: %s", query, got)
		}
		if got := counted.Counts().Finds; got != finds {
			t.Errorf("%s took %d statements, not %d", query, got, finds)
		}
	}
}

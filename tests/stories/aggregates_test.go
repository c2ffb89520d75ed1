package stories

import (
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/tests/served"
)

// However many measures, rows and parents there are, an aggregate is one statement.
func TestAnAggregateIsOneStatement(t *testing.T) { served.Each(t, anAggregateIsOneStatement) }

func anAggregateIsOneStatement(t *testing.T, on served.Kind) {
	var counted *database.Counting
	server := served.Text(t, on, `
type User @auth(read: "true", create: "true") { id: ID! @primary  posts: [Post!]! @link }
type Post @auth(read: "true", create: "true") { id: ID! @primary  views: Int!  price: Decimal  author: User @link }`,
		served.Options{Decorate: func(_ string, d driver.Driver) driver.Driver {
			counted = database.Count(d)
			return counted
		}})
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

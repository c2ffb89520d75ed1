package bench

import (
	"encoding/json"
	"math/rand/v2"
)

// The queries that are measured. Each takes what it varies by as variables, so that a server
// cannot answer from memory.
const (
	// OneQuery is one row by key, six fields.
	OneQuery = `query One($id: ID!) {
  post(id: $id) { id title body views published createdAt }
}`
	// ListQuery is a filtered list of twenty, newest first, six fields.
	ListQuery = `query List($views: Int!) {
  posts(where: {views: {_gt: $views}}, orderBy: [{createdAt: DESC}], limit: 20) {
    id title body views published createdAt
  }
}`
	// NestedQuery is twenty posts with their author and the last five comments of each, with
	// theirs.
	NestedQuery = `query Nested($views: Int!) {
  posts(where: {views: {_gt: $views}}, orderBy: [{createdAt: DESC}], limit: 20) {
    id
    title
    author { name }
    comments(orderBy: [{createdAt: DESC}], limit: 5) { id body author { name } }
  }
}`
	// ThousandQuery is a thousand rows of six fields, about 650 KB, without variables.
	ThousandQuery = `query Thousand {
  posts(limit: 1000) { id title body views published createdAt }
}`
	// GroupsQuery is a page of twenty posts with many comments, and when the first and the last
	// came. One index holds all of it: rows all over the file would measure the page cache.
	GroupsQuery = `query Groups($id: ID!) {
  commentsGroups(groupBy: [postId], where: {postId: {_gte: $id}}, having: {count: {_gte: 8}}, limit: 20) {
    group { postId }
    count
    min { createdAt }
    max { createdAt }
  }
}`
	// LinkedQuery is the twenty newest posts that somebody commented on, six fields.
	LinkedQuery = `query Linked($id: ID!) {
  posts(where: {comments: {_some: {authorId: {_eq: $id}}}}, orderBy: [{createdAt: DESC}], limit: 20) {
    id title body views published createdAt
  }
}`
	// PageQuery is the twenty posts after a cursor, newest first, six fields, each with its own.
	PageQuery = `query Page($after: String!) {
  postsConnection(orderBy: [{createdAt: DESC}], first: 20, after: $after) {
    edges { cursor node { id title body views published createdAt } }
    pageInfo { hasNextPage endCursor }
  }
}`
	// InsertQuery inserts any number of comments.
	InsertQuery = `mutation Insert($docs: [CommentInsert!]!) {
  insertComments(docs: $docs) { affected }
}`
)

// Query is one measured query and the request bodies to ask it with, in turn.
type Query struct {
	Name   string
	Bodies [][]byte
}

// Queries are the read queries, each with up to 1,000 different requests.
func Queries() []Query { return queries(users, posts) }

// queries are those over the first users and posts.
func queries(users, posts int) []Query {
	r := rand.New(rand.NewPCG(3, 4))
	popular := func() any { return map[string]any{"views": 50_000 + r.IntN(40_000)} }
	return []Query{
		{"One", bodies(1000, "One", OneQuery, func() any { return map[string]any{"id": postID(r.IntN(posts))} })},
		{"List", bodies(1000, "List", ListQuery, popular)},
		{"Nested", bodies(1000, "Nested", NestedQuery, popular)},
		{"Groups", bodies(1000, "Groups", GroupsQuery, func() any { return map[string]any{"id": postID(r.IntN(posts * 9 / 10))} })},
		{"Page", bodies(1000, "Page", PageQuery, func() any { return map[string]any{"after": postCursor(r.IntN(posts))} })},
		{"Linked", bodies(1000, "Linked", LinkedQuery, func() any { return map[string]any{"id": userID(r.IntN(users))} })},
		{"Thousand", bodies(1, "Thousand", ThousandQuery, func() any { return nil })},
	}
}

// InsertBody is a request that inserts n comments under the first post, which with its author
// has to be there (see FirstRows).
func InsertBody(n int) []byte {
	m := newMaker(1, 1)
	docs := make([]map[string]any, n)
	for i := range docs {
		docs[i] = map[string]any{"postId": postID(0), "authorId": userID(0), "body": m.text(80)}
	}
	return body("Insert", InsertQuery, map[string]any{"docs": docs})
}

func bodies(n int, name, query string, variables func() any) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = body(name, query, variables())
	}
	return all
}

func body(name, query string, variables any) []byte {
	b, err := json.Marshal(struct {
		OperationName string `json:"operationName"`
		Query         string `json:"query"`
		Variables     any    `json:"variables,omitempty"`
	}{name, query, variables})
	if err != nil {
		panic(err) // maps of texts and numbers always encode
	}
	return b
}

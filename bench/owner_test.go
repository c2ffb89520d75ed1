package bench

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"spacecloud/auth"
	"spacecloud/database/driver"
	"spacecloud/database/sqlite"
	"spacecloud/schema"
)

// BenchmarkOwnerRule is what a rule that shows each their own costs: the same requests of the same
// caller for the same rows, without, with the rule, and with one more of a field.
func BenchmarkOwnerRule(b *testing.B) {
	path, err := Data()
	check(b, err)
	b.Run("sqlite", func(b *testing.B) {
		d, err := sqlite.Open(b.Context(), "sqlite:"+path)
		check(b, err)
		b.Cleanup(func() { _ = d.Close() })
		ownerRule(b, "SQLite ", d, nil)
	})
	b.Run("postgres", func(b *testing.B) {
		d, _, cpu := copyToPostgres(b, path)
		ownerRule(b, "PostgreSQL ", d, cpu)
	})
}

func ownerRule(b *testing.B, on string, d driver.Driver, cpu databaseCPU) {
	const rule = `@auth(read: "doc.authorId == auth.id")`
	owned := edited(b, SDL, `@auth(read: "true", create: "true", delete: "true")`, rule)
	masked := edited(b, owned, "body: String!\n  createdAt: DateTime! @createdAt\n  post:", "body: String! "+rule+"\n  createdAt: DateTime! @createdAt\n  post:")
	me := &auth.Caller{SignedIn: true, Claims: map[string]any{"id": userID(0)}, Now: time.Now()}
	who := func(*http.Request, map[string]any) (*auth.Caller, error) { return me, nil }
	var targets []target
	for _, t := range []struct{ name, sdl string }{{"without", SDL}, {"rule", owned}, {"field rule", masked}} {
		s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: t.sdl})
		check(b, err)
		targets = append(targets, target{t.name, serverOf(b, d, s, who), cpu})
	}
	for _, q := range ownedQueries(b, targets[0].handler) {
		b.Run(q.Name, func(b *testing.B) {
			checkEqual(b, targets, q)
			costs := compare(b, targets, q)
			b.ReportMetric(costs[1].cpu/costs[0].cpu, "×rule")
			b.ReportMetric(costs[2].cpu/costs[0].cpu, "×field-rule")
			b.ReportMetric(costs[1].allocs-costs[0].allocs, "allocs/rule")
			b.ReportMetric(costs[2].allocs-costs[0].allocs, "allocs/field-rule")
			b.ReportMetric(0, "ns/op")
			summary = append(summary, result{on + q.Name, targets, costs})
		})
	}
}

// edited is a text with a part of it, which is there once, replaced.
func edited(b *testing.B, text, from, to string) string {
	if strings.Count(text, from) != 1 {
		b.Fatalf("%q is not in the schema of the benchmarks once", from)
	}
	return strings.Replace(text, from, to, 1)
}

// ownedQueries ask for the comments of the first user: each by its key, and the newest twenty.
func ownedQueries(b *testing.B, h http.Handler) []Query {
	const one = `query One($id: ID!) { comment(id: $id) { id body createdAt postId authorId } }`
	const list = `query List($me: ID!) {
  comments(where: {authorId: {_eq: $me}}, orderBy: [{createdAt: DESC}], limit: 20) { id body createdAt postId authorId }
}`
	mine := body("List", list, map[string]any{"me": userID(0)})
	var answer struct {
		Data struct{ Comments []struct{ ID string } }
	}
	check(b, json.Unmarshal(ask(b, h, mine), &answer))
	if len(answer.Data.Comments) < 20 {
		b.Fatalf("the first user wrote %d comments", len(answer.Data.Comments))
	}
	var keys [][]byte
	for _, c := range answer.Data.Comments {
		keys = append(keys, body("One", one, map[string]any{"id": c.ID}))
	}
	return []Query{{"OwnedOne", keys}, {"OwnedList", [][]byte{mine}}}
}

package bench

import (
	"database/sql"
	"testing"
	"time"
)

// What the floors of databases that are servers share.

// floorRequest is all that they take.
type floorRequest struct {
	OperationName string
	Variables     struct {
		ID    string
		Views int64
		By    int64
		Docs  []newComment
	}
}

// nestedAnswer puts posts and their comments together.
type nestedAnswer struct {
	out   []byte
	posts []nestedPost
	at    int // posts that are begun
	first bool
}

type nestedPost struct{ id, title, author string }

func (a *nestedAnswer) post(id, title, author string) {
	a.posts = append(a.posts, nestedPost{id, title, author})
}

// comment adds a comment of the post at a place.
func (a *nestedAnswer) comment(place int, id, body, author string) {
	a.open(place + 1)
	if !a.first {
		a.out = append(a.out, ',')
	}
	a.first = false
	a.out = appendString(append(a.out, `{"id":`...), id)
	a.out = appendString(append(a.out, `,"body":`...), body)
	a.out = appendString(append(a.out, `,"author":{"name":`...), author)
	a.out = append(a.out, `}}`...)
}

// open begins posts up to a number of them.
func (a *nestedAnswer) open(to int) {
	for ; a.at < to; a.at++ {
		if a.at > 0 {
			a.out = append(a.out, `]},`...)
		}
		p := a.posts[a.at]
		a.out = appendString(append(a.out, `{"id":`...), p.id)
		a.out = appendString(append(a.out, `,"title":`...), p.title)
		a.out = appendString(append(a.out, `,"author":{"name":`...), p.author)
		a.out = append(a.out, `},"comments":[`...)
		a.first = true
	}
}

func (a *nestedAnswer) end() []byte {
	a.open(len(a.posts))
	if a.at > 0 {
		a.out = append(a.out, `]}`...)
	}
	return a.out
}

// eachTable calls do with each table of a file of SQLite; next is its next row, nil after the last.
func eachTable(b *testing.B, path string, do func(table string, columns []string, next func() []any)) {
	from, err := sql.Open("sqlite", "file:"+path+"?_pragma=query_only(1)")
	must(b, err)
	defer from.Close()
	for _, table := range []struct {
		name, list string
		columns    []string
	}{
		{"users", "id, name, email, created_at", []string{"id", "name", "email", "created_at"}},
		{"posts", "id, title, body, views, published, created_at, author_id", []string{"id", "title", "body", "views", "published", "created_at", "author_id"}},
		{"comments", "id, body, created_at, post_id, author_id", []string{"id", "body", "created_at", "post_id", "author_id"}},
	} {
		rows, err := from.QueryContext(b.Context(), "SELECT "+table.list+" FROM "+table.name+" ORDER BY id")
		must(b, err)
		do(table.name, table.columns, func() []any {
			if !rows.Next() {
				must(b, rows.Err())
				return nil
			}
			row := make([]any, len(table.columns))
			at := make([]any, len(row))
			for i := range row {
				at[i] = &row[i]
			}
			must(b, rows.Scan(at...))
			for i, c := range table.columns {
				switch c {
				case "created_at":
					row[i], err = time.Parse(time.RFC3339Nano, row[i].(string))
					must(b, err)
				case "published":
					row[i] = row[i].(int64) != 0
				}
			}
			return row
		})
		must(b, rows.Close())
	}
}

// smallWrites insert one comment, and add to a post by its key.
func smallWrites() []Query {
	const inc = `mutation Inc($id: ID!, $by: Int!) { updatePost(id: $id, inc: {views: $by}) { views } }`
	return []Query{
		{"Insert", [][]byte{InsertBody(1)}},
		{"Inc", [][]byte{body("Inc", inc, map[string]any{"id": postID(0), "by": 1})}},
	}
}

func against(b *testing.B, targets []target, q Query, equal bool) {
	if equal {
		checkEqual(b, targets, q)
	}
	costs := compare(b, targets, q)
	for i, t := range targets {
		b.ReportMetric(costs[i].cpu, "cpu-µs/"+t.name)
	}
	b.ReportMetric(costs[1].cpu/costs[0].cpu, "×floor")
	b.ReportMetric(costs[1].database/costs[0].database, "×floor-database")
	b.ReportMetric(0, "ns/op")
	summary = append(summary, result{q.Name, targets, costs})
}

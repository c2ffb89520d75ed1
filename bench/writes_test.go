package bench

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"modernc.org/sqlite"
)

// The floor of writes: statements written by hand for one request each, in batches, through the
// same SQLite. It takes the same JSON and answers with the same bytes.

const (
	beginWrite = iota
	commitWrite
	insertPost
	insertTen
	insertBatch
	insertOne
	incAll
)

// rowsABatch is how many rows a statement of the floor inserts; measured, more are no faster.
const rowsABatch = 64

func commentRows(n int) string {
	return "INSERT INTO comments (id, body, created_at, post_id, author_id) VALUES " + strings.TrimSuffix(strings.Repeat("(?,?,?,?,?),", n), ",")
}

var writeStatements = [...]string{
	beginWrite:  "BEGIN IMMEDIATE",
	commitWrite: "COMMIT",
	insertPost:  "INSERT INTO posts (id, title, body, views, published, created_at, author_id) VALUES (?,?,?,?,?,?,?)",
	insertTen:   commentRows(10),
	insertBatch: commentRows(rowsABatch),
	insertOne:   commentRows(1),
	incAll:      "UPDATE posts SET views = views + ? WHERE views >= ?",
}

// writeFloor is an http.Handler of the three requests, on one connection.
type writeFloor struct {
	tb    testing.TB
	stmts []driver.StmtExecContext
}

func newWriteFloor(tb testing.TB, path string) *writeFloor {
	c, err := new(sqlite.Driver).Open("file:" + path + "?_pragma=journal_mode(wal)&_pragma=synchronous(normal)&_pragma=foreign_keys(on)&_pragma=temp_store(memory)&_pragma=" + cacheSize)
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	f := &writeFloor{tb: tb}
	for _, text := range writeStatements {
		s, err := c.(driver.ConnPrepareContext).PrepareContext(context.Background(), text)
		must(tb, err)
		f.stmts = append(f.stmts, s.(driver.StmtExecContext))
	}
	return f
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func (f *writeFloor) exec(statement int, args ...any) {
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	_, err := f.stmts[statement].ExecContext(context.Background(), named)
	must(f.tb, err)
}

type newComment struct{ PostID, AuthorID, Body string }

func (f *writeFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	must(f.tb, err)
	var in struct {
		OperationName string
		Variables     struct {
			By   int64
			Docs []newComment
			Doc  struct {
				Title, Body, AuthorID string
				Comments              struct{ Create []newComment }
			}
		}
	}
	must(f.tb, json.Unmarshal(text, &in))
	now := stamp(time.Now().UTC())
	f.exec(beginWrite)
	answer := `{"data":{"insertComments":{"affected":10000}}}`
	switch v := in.Variables; in.OperationName {
	case "Nested":
		post := uuid.Must(uuid.NewV7()).String()
		f.exec(insertPost, post, v.Doc.Title, v.Doc.Body, int64(0), int64(1), now, v.Doc.AuthorID)
		f.comments(insertTen, v.Doc.Comments.Create, post, now)
		answer = `{"data":{"insertPost":{"title":"A title of a post"}}}`
	case "Inc":
		f.exec(incAll, v.By, int64(0))
		answer = `{"data":{"updatePosts":{"affected":1000}}}`
	default:
		for len(v.Docs) >= rowsABatch {
			f.comments(insertBatch, v.Docs[:rowsABatch], "", now)
			v.Docs = v.Docs[rowsABatch:]
		}
		for i := range v.Docs {
			f.comments(insertOne, v.Docs[i:i+1], "", now)
		}
	}
	f.exec(commitWrite)
	_, _ = io.WriteString(w, answer)
}

func (f *writeFloor) comments(statement int, docs []newComment, post, now string) {
	args := make([]any, 0, len(docs)*5)
	for _, d := range docs {
		if post != "" {
			d.PostID = post
		}
		args = append(args, uuid.Must(uuid.NewV7()).String(), d.Body, now, d.PostID, d.AuthorID)
	}
	f.exec(statement, args...)
}

// writeCase is one of the requests.
type writeCase struct {
	name  string
	posts int // there before
	turns int // requests a turn
	body  []byte
}

func writeCases() []writeCase {
	m := newMaker(1, 1)
	var ten []map[string]any
	for range 10 {
		ten = append(ten, map[string]any{"authorId": userID(0), "body": m.text(80)})
	}
	doc := map[string]any{"title": "A title of a post", "body": m.text(500), "authorId": userID(0), "comments": map[string]any{"create": ten}}
	return []writeCase{
		{"Nested1+10", 1, 40, body("Nested", `mutation Nested($doc: PostInsert!) { insertPost(doc: $doc) { title } }`, map[string]any{"doc": doc})},
		{"Inc1000", 1000, 20, body("Inc", `mutation Inc($by: Int!) { updatePosts(where: {views: {_gte: 0}}, inc: {views: $by}) { affected } }`, map[string]any{"by": 1})},
		{"Insert10000", 1, 1, InsertBody(10_000)},
	}
}

// BenchmarkWrites measures the CPU of changes against the floor's, in small turns.
func BenchmarkWrites(b *testing.B) {
	for _, c := range writeCases() {
		b.Run(c.name, func(b *testing.B) {
			var targets []target
			for _, name := range []string{"floor", "server"} {
				path := filepath.Join(b.TempDir(), name+".db")
				must(b, fill(path, 1, c.posts, 0))
				if name == "floor" {
					targets = append(targets, target{name: name, handler: newWriteFloor(b, path)})
				} else {
					targets = append(targets, target{name: name, handler: server(b, path)})
				}
			}
			want := string(ask(b, targets[0].handler, c.body))
			if got := string(ask(b, targets[1].handler, c.body)); got != want {
				b.Fatalf("the floor says %s, the server %s", want, got)
			}
			turns := make([][]cost, len(targets))
			for b.Loop() {
				for i, t := range targets {
					turns[i] = append(turns[i], measure(c.turns, func(int) { ask(b, t.handler, c.body) }))
				}
			}
			costs := []cost{median(turns[0]), median(turns[1])}
			for i, t := range targets {
				b.ReportMetric(costs[i].cpu, "cpu-µs/"+t.name)
			}
			b.ReportMetric(costs[1].cpu/costs[0].cpu, "×floor")
			b.ReportMetric(0, "ns/op")
			summary = append(summary, result{c.name, targets, costs})
		})
	}
}

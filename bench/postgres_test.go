package bench

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"spacecloud/database/postgres"
	"spacecloud/migrate"
	private "spacecloud/tests/postgres"
)

// The floor on PostgreSQL: statements written by hand through pgx, which prepares each once, and
// JSON appended by hand from what the server sent.

const postColumns = "id, title, body, views, published, created_at"

var postgresStatements = map[string]string{
	"One":  "SELECT " + postColumns + " FROM posts WHERE id = $1",
	"List": "SELECT " + postColumns + " FROM posts WHERE views > $1 ORDER BY created_at DESC, id LIMIT 20",
	"Linked": "SELECT " + postColumns + ` FROM posts
		WHERE id IN (SELECT post_id FROM comments WHERE author_id = $1) ORDER BY created_at DESC, id LIMIT 20`,
	"Thousand": "SELECT " + postColumns + " FROM posts ORDER BY id LIMIT 1000",
	"Groups": `SELECT post_id, count(*), min(created_at), max(created_at) FROM comments
		WHERE post_id >= $1 GROUP BY post_id HAVING count(*) >= 8 ORDER BY post_id LIMIT 20`,
	"Nested": `SELECT p.id, p.title, u.name FROM posts p JOIN users u ON u.id = p.author_id
		WHERE p.views > $1 ORDER BY p.created_at DESC, p.id LIMIT 20`,
	"comments": `SELECT k.n, c.* FROM unnest($1::text[]) WITH ORDINALITY AS k(id, n) CROSS JOIN LATERAL (
		SELECT c.id, c.body, u.name FROM comments c JOIN users u ON u.id = c.author_id
		WHERE c.post_id = k.id ORDER BY c.created_at DESC, c.id LIMIT 5) AS c ORDER BY k.n`,
	"Insert": "INSERT INTO comments (id, body, created_at, post_id, author_id) VALUES ($1, $2, $3, $4, $5)",
	"Inc":    "UPDATE posts SET views = views + $1 WHERE id = $2 RETURNING views",
}

// postgresFloor is an http.Handler on one connection.
type postgresFloor struct {
	tb   testing.TB
	conn *pgx.Conn
	out  []byte
}

func (f *postgresFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	must(f.tb, err)
	var in floorRequest
	must(f.tb, json.Unmarshal(text, &in))
	f.out = f.out[:0]
	switch v := in.Variables; in.OperationName {
	case "One":
		f.out = append(f.out, `{"data":{"post":`...)
		f.posts(in.OperationName, v.ID)
		f.out = append(f.out, `}}`...)
	case "List":
		f.list(in.OperationName, v.Views)
	case "Linked":
		f.list(in.OperationName, v.ID)
	case "Thousand":
		f.list(in.OperationName)
	case "Groups":
		f.groups(v.ID)
	case "Nested":
		f.nested(v.Views)
	case "Insert":
		d := v.Docs[0]
		_, err := f.conn.Exec(context.Background(), postgresStatements["Insert"], uuid.Must(uuid.NewV7()).String(), d.Body, time.Now().UTC(), d.PostID, d.AuthorID)
		must(f.tb, err)
		f.out = append(f.out, `{"data":{"insertComments":{"affected":1}}}`...)
	case "Inc":
		f.out = append(f.out, `{"data":{"updatePost":{"views":`...)
		f.rows("Inc", func(_ int, row [][]byte) {
			f.out = strconv.AppendInt(f.out, int64(int32(binary.BigEndian.Uint32(row[0]))), 10)
		}, v.By, v.ID)
		f.out = append(f.out, `}}}`...)
	default:
		f.tb.Fatalf("no operation %q", in.OperationName)
	}
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(f.out))}
	_, _ = w.Write(f.out)
}

// rows calls do with the number and the cells of each row, in the binary format.
func (f *postgresFloor) rows(statement string, do func(n int, row [][]byte), args ...any) {
	rows, err := f.conn.Query(context.Background(), postgresStatements[statement], args...)
	must(f.tb, err)
	for n := 0; rows.Next(); n++ {
		do(n, rows.RawValues())
	}
	must(f.tb, rows.Err())
}

func (f *postgresFloor) list(statement string, args ...any) {
	f.out = append(f.out, `{"data":{"posts":[`...)
	f.posts(statement, args...)
	f.out = append(f.out, `]}}`...)
}

func (f *postgresFloor) posts(statement string, args ...any) {
	f.rows(statement, func(n int, row [][]byte) {
		dst := appendString(append(comma(f.out, n), `{"id":`...), string(row[0]))
		dst = appendString(append(dst, `,"title":`...), string(row[1]))
		dst = appendString(append(dst, `,"body":`...), string(row[2]))
		dst = strconv.AppendInt(append(dst, `,"views":`...), int64(int32(binary.BigEndian.Uint32(row[3]))), 10)
		dst = strconv.AppendBool(append(dst, `,"published":`...), row[4][0] != 0)
		dst = appendInstant(append(dst, `,"createdAt":`...), row[5])
		f.out = append(dst, '}')
	}, args...)
}

func (f *postgresFloor) groups(from string) {
	f.out = append(f.out, `{"data":{"commentsGroups":[`...)
	f.rows("Groups", func(n int, row [][]byte) {
		dst := appendString(append(comma(f.out, n), `{"group":{"postId":`...), string(row[0]))
		dst = strconv.AppendUint(append(dst, `},"count":`...), binary.BigEndian.Uint64(row[1]), 10)
		dst = appendInstant(append(dst, `,"min":{"createdAt":`...), row[2])
		dst = appendInstant(append(dst, `},"max":{"createdAt":`...), row[3])
		f.out = append(dst, `}}`...)
	}, from)
	f.out = append(f.out, `]}}`...)
}

// nested asks for the posts and then for the comments of all of them, in one state of the data.
func (f *postgresFloor) nested(views int64) {
	ctx := context.Background()
	tx, err := f.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	must(f.tb, err)
	var answer nestedAnswer
	var ids []string
	f.rows("Nested", func(_ int, row [][]byte) {
		answer.post(string(row[0]), string(row[1]), string(row[2]))
		ids = append(ids, string(row[0]))
	}, views)
	answer.out = append(f.out, `{"data":{"posts":[`...)
	f.rows("comments", func(_ int, row [][]byte) {
		answer.comment(int(binary.BigEndian.Uint64(row[0]))-1, string(row[1]), string(row[2]), string(row[3]))
	}, ids)
	f.out = append(answer.end(), `]}}`...)
	must(f.tb, tx.Commit(ctx))
}

// appendInstant appends a timestamptz of the binary format.
func appendInstant(dst, raw []byte) []byte {
	const epoch = 946_684_800_000_000 // 2000, in µs since 1970
	t := time.UnixMicro(int64(binary.BigEndian.Uint64(raw)) + epoch).UTC()
	return t.AppendFormat(dst, `"2006-01-02T15:04:05.999999Z"`)
}

// openPostgres are the floor and the server over a copy of a file of the benchmarks.
func openPostgres(b *testing.B, path string) []target {
	d, conn, cpu := copyToPostgres(b, path)
	return []target{{"floor", &postgresFloor{tb: b, conn: conn}, cpu}, {"server", serverOver(b, d), cpu}}
}

// copyToPostgres is a database with a copy of a file of the benchmarks, for the server and by hand.
func copyToPostgres(b *testing.B, path string) (*postgres.Driver, *pgx.Conn, databaseCPU) {
	// A commit that does not wait wakes a process of the server, which costs the slower one more often.
	url := private.URL(b) + "&synchronous_commit=on"
	d, err := postgres.Open(b.Context(), url)
	must(b, err)
	b.Cleanup(func() { _ = d.Close() })
	_, err = migrate.Apply(b.Context(), migrate.Database{Name: "main", Product: d.Product(), SQL: d}, benchSchema(b), migrate.Options{})
	must(b, err)
	conn, err := pgx.Connect(b.Context(), url)
	must(b, err)
	b.Cleanup(func() { _ = conn.Close(context.Background()) })
	copyTables(b, path, conn)
	server := parentOf(b, int(conn.PgConn().PID()))
	return d, conn, func() time.Duration { return childrenOf(server) }
}

// copyTables fills the tables from a file of SQLite.
func copyTables(b *testing.B, path string, to *pgx.Conn) {
	_, err := to.Exec(b.Context(), "SET session_replication_role = replica") // the file's rows point to each other already
	must(b, err)
	eachTable(b, path, func(table string, columns []string, next func() []any) {
		_, err := to.CopyFrom(b.Context(), pgx.Identifier{table}, columns, pgx.CopyFromFunc(func() ([]any, error) { return next(), nil }))
		must(b, err)
	})
	_, err = to.Exec(b.Context(), "RESET session_replication_role") // what is inserted from now on is checked as ours is
	must(b, err)
	_, err = to.Exec(b.Context(), "VACUUM ANALYZE")
	must(b, err)
}

// BenchmarkPostgres runs the read queries against the floor on PostgreSQL, in the same small turns;
// it has no floor of pages. What both cost the database is measured beside it.
func BenchmarkPostgres(b *testing.B) {
	path, err := Data()
	must(b, err)
	targets := openPostgres(b, path)
	for _, q := range Queries() {
		if postgresStatements[q.Name] != "" {
			b.Run(q.Name, func(b *testing.B) { against(b, targets, q, true) })
		}
	}
}

// BenchmarkPostgresWrites inserts one comment, and adds to a post by its key.
func BenchmarkPostgresWrites(b *testing.B) {
	path := filepath.Join(b.TempDir(), "first.db")
	must(b, FirstRows(path))
	targets := openPostgres(b, path)
	for _, q := range smallWrites() {
		b.Run(q.Name, func(b *testing.B) { against(b, targets, q, false) })
	}
}

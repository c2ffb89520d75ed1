package bench

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	ours "spacecloud/database/mysql"
	"spacecloud/migrate"
	private "spacecloud/tests/mariadb"
)

// The floor on MariaDB: statements written by hand, each prepared once on one connection of the same
// library beneath database/sql, and JSON appended by hand from what the server sent.

var mariadbStatements = map[string]string{
	"One":      "SELECT " + postColumns + " FROM posts WHERE id = ?",
	"List":     "SELECT " + postColumns + " FROM posts WHERE views > ? ORDER BY created_at DESC, id LIMIT 20",
	"Linked":   "SELECT " + postColumns + " FROM posts WHERE id IN (SELECT post_id FROM comments WHERE author_id = ?) ORDER BY created_at DESC, id LIMIT 20",
	"Thousand": "SELECT " + postColumns + " FROM posts ORDER BY id LIMIT 1000",
	"Groups": `SELECT post_id, COUNT(*), MIN(created_at), MAX(created_at) FROM comments
		WHERE post_id >= ? GROUP BY post_id HAVING COUNT(*) >= 8 ORDER BY post_id LIMIT 20`,
	"Nested": `SELECT p.id, p.title, u.name FROM (SELECT id, title, author_id, created_at FROM posts
			WHERE views > ? ORDER BY created_at DESC, id LIMIT 20) AS p
		STRAIGHT_JOIN users u ON u.id = p.author_id ORDER BY p.created_at DESC, p.id`,
	"comments": `SELECT r.n, c.id, c.body, u.name FROM (
			SELECT k.n, c.id, ROW_NUMBER() OVER (PARTITION BY k.n ORDER BY c.created_at DESC, c.id) AS place
			FROM JSON_TABLE(?, '$[*]' COLUMNS (n FOR ORDINALITY, id varchar(255) PATH '$')) AS k
			STRAIGHT_JOIN comments c ON c.post_id = CONVERT(k.id USING utf8mb4) COLLATE utf8mb4_nopad_bin) AS r
		STRAIGHT_JOIN comments c ON c.id = r.id STRAIGHT_JOIN users u ON u.id = c.author_id
		WHERE r.place <= 5 ORDER BY r.n, r.place`,
	"begin":  "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
	"work":   "START TRANSACTION",
	"commit": "COMMIT",
	"Insert": "INSERT INTO comments (id, body, created_at, post_id, author_id) VALUES (?, ?, ?, ?, ?)",
	"Inc":    "UPDATE posts SET views = views + ? WHERE id = ?",
	"views":  "SELECT views FROM posts WHERE id = ?",
}

// mariadbFloor is an http.Handler on one connection.
type mariadbFloor struct {
	tb    testing.TB
	stmts map[string]driver.Stmt
	row   [8]driver.Value
	out   []byte
}

func newMariaDBFloor(tb testing.TB, config *mysql.Config) *mariadbFloor {
	connector, err := mysql.NewConnector(config)
	must(tb, err)
	c, err := connector.Connect(context.Background())
	must(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	f := &mariadbFloor{tb: tb, stmts: map[string]driver.Stmt{}}
	for name, text := range mariadbStatements {
		f.stmts[name], err = c.Prepare(text)
		must(tb, err)
	}
	return f
}

func (f *mariadbFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
		f.exec("Insert", uuid.Must(uuid.NewV7()).String(), d.Body, time.Now().UTC().Format("2006-01-02 15:04:05.000000"), d.PostID, d.AuthorID)
		f.out = append(f.out, `{"data":{"insertComments":{"affected":1}}}`...)
	case "Inc":
		f.inc(v.By, v.ID)
	default:
		f.tb.Fatalf("no operation %q", in.OperationName)
	}
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(f.out))}
	_, _ = w.Write(f.out)
}

func (f *mariadbFloor) exec(statement string, args ...driver.Value) {
	_, err := f.stmts[statement].Exec(args) //nolint:staticcheck // as the driver does
	must(f.tb, err)
}

// rows calls do with the number and the cells of each row.
func (f *mariadbFloor) rows(statement string, do func(n int, row []driver.Value), args ...driver.Value) {
	rows, err := f.stmts[statement].Query(args) //nolint:staticcheck // as the driver does
	must(f.tb, err)
	row := f.row[:len(rows.Columns())]
	for n := 0; ; n++ {
		if err = rows.Next(row); err != nil {
			break
		}
		do(n, row)
	}
	if !errors.Is(err, io.EOF) {
		f.tb.Fatal(err)
	}
	must(f.tb, rows.Close())
}

// inc changes the row and reads it, in one transaction: MariaDB cannot return what it updates.
func (f *mariadbFloor) inc(by int64, id string) {
	f.exec("work")
	f.exec("Inc", by, id)
	f.out = append(f.out, `{"data":{"updatePost":{"views":`...)
	f.rows("views", func(_ int, row []driver.Value) { f.out = strconv.AppendInt(f.out, row[0].(int64), 10) }, id)
	f.out = append(f.out, `}}}`...)
	f.exec("commit")
}

func (f *mariadbFloor) list(statement string, args ...driver.Value) {
	f.out = append(f.out, `{"data":{"posts":[`...)
	f.posts(statement, args...)
	f.out = append(f.out, `]}}`...)
}

func (f *mariadbFloor) posts(statement string, args ...driver.Value) {
	f.rows(statement, func(n int, row []driver.Value) {
		dst := appendRaw(append(comma(f.out, n), `{"id":`...), row[0])
		dst = appendRaw(append(dst, `,"title":`...), row[1])
		dst = appendRaw(append(dst, `,"body":`...), row[2])
		dst = strconv.AppendInt(append(dst, `,"views":`...), row[3].(int64), 10)
		dst = strconv.AppendBool(append(dst, `,"published":`...), row[4].(int64) != 0)
		dst = appendMoment(append(dst, `,"createdAt":`...), row[5])
		f.out = append(dst, '}')
	}, args...)
}

func (f *mariadbFloor) groups(from string) {
	f.out = append(f.out, `{"data":{"commentsGroups":[`...)
	f.rows("Groups", func(n int, row []driver.Value) {
		dst := appendRaw(append(comma(f.out, n), `{"group":{"postId":`...), row[0])
		dst = strconv.AppendInt(append(dst, `},"count":`...), row[1].(int64), 10)
		dst = appendMoment(append(dst, `,"min":{"createdAt":`...), row[2])
		dst = appendMoment(append(dst, `},"max":{"createdAt":`...), row[3])
		f.out = append(dst, `}}`...)
	}, from)
	f.out = append(f.out, `]}}`...)
}

// nested asks for the posts and then for the comments of all of them, in one state of the data.
func (f *mariadbFloor) nested(views int64) {
	f.exec("begin")
	var answer nestedAnswer
	keys := []byte{'['}
	f.rows("Nested", func(n int, row []driver.Value) {
		answer.post(text(row[0]), text(row[1]), text(row[2]))
		keys = appendString(comma(keys, n), text(row[0]))
	}, views)
	answer.out = append(f.out, `{"data":{"posts":[`...)
	f.rows("comments", func(_ int, row []driver.Value) {
		answer.comment(int(row[0].(int64))-1, text(row[1]), text(row[2]), text(row[3]))
	}, string(append(keys, ']')))
	f.out = append(answer.end(), `]}}`...)
	f.exec("commit")
}

func text(v driver.Value) string { return string(v.([]byte)) }

func appendRaw(dst []byte, v driver.Value) []byte { return appendString(dst, text(v)) }

// appendMoment appends a datetime(6), which the library gives as a text.
func appendMoment(dst []byte, v driver.Value) []byte {
	t := strings.TrimRight(strings.Replace(text(v), " ", "T", 1), "0")
	return append(append(append(dst, '"'), strings.TrimSuffix(t, ".")...), `Z"`...)
}

// openMariaDB are the floor and the server over a copy of a file of the benchmarks.
func openMariaDB(b *testing.B, path string) []target {
	url := private.URL(b)
	d, err := ours.Open(b.Context(), url)
	must(b, err)
	b.Cleanup(func() { _ = d.Close() })
	_, err = migrate.Apply(b.Context(), migrate.Database{Name: "main", Product: d.Product(), SQL: d}, benchSchema(b), migrate.Options{})
	must(b, err)
	config := private.Config(b, url)
	connector, err := mysql.NewConnector(config)
	must(b, err)
	db := sql.OpenDB(connector)
	defer db.Close()
	copyToMariaDB(b, path, db)
	var file string
	must(b, db.QueryRowContext(b.Context(), "SELECT @@pid_file").Scan(&file))
	content, err := os.ReadFile(file)
	if err != nil {
		b.Skip("the server's process is not known: ", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(content)))
	must(b, err)
	cpu := func() time.Duration { return threadsOf(pid) }
	return []target{{"floor", newMariaDBFloor(b, config), cpu}, {"server", serverOver(b, d), cpu}}
}

// copyToMariaDB fills the tables from a file of SQLite.
func copyToMariaDB(b *testing.B, path string, to *sql.DB) {
	conn, err := to.Conn(b.Context())
	must(b, err)
	defer conn.Close()
	run := func(text string, args ...any) {
		_, err := conn.ExecContext(b.Context(), text, args...)
		must(b, err)
	}
	run("SET foreign_key_checks = 0, unique_checks = 0, autocommit = 0")
	eachTable(b, path, func(table string, columns []string, next func() []any) {
		row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
		insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
		var args []any
		for values := next(); ; values = next() {
			args = append(args, values...)
			if n := len(args) / len(columns); n == 500 || values == nil && n > 0 {
				run(insert+strings.TrimSuffix(strings.Repeat(row+",", n), ","), args...)
				args = args[:0]
			}
			if values == nil {
				break
			}
		}
		run("COMMIT")
		run("ANALYZE TABLE " + table)
	})
}

// BenchmarkMariaDB runs the read queries against the floor on MariaDB, as BenchmarkPostgres does.
func BenchmarkMariaDB(b *testing.B) {
	path, err := Data()
	must(b, err)
	targets := openMariaDB(b, path)
	for _, q := range Queries() {
		if mariadbStatements[q.Name] != "" {
			b.Run(q.Name, func(b *testing.B) { against(b, targets, q, true) })
		}
	}
}

// BenchmarkMariaDBWrites inserts one comment, and adds to a post by its key.
func BenchmarkMariaDBWrites(b *testing.B) {
	path := filepath.Join(b.TempDir(), "first.db")
	must(b, FirstRows(path))
	targets := openMariaDB(b, path)
	for _, q := range smallWrites() {
		b.Run(q.Name, func(b *testing.B) { against(b, targets, q, false) })
	}
}

// Package bench answers what a request costs next to the same request written by hand. It
// makes the data once, holds the hand-written handler (the floor) and measures both in one run:
//
//	go test -bench Queries -benchtime 3s ./bench
//
// CPU time is what counts, of the whole process and so with the garbage collector's; it stays
// steady where the time on the clock does not.
package bench

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// How much data there is.
var users, posts, comments = 10_000, 100_000, 500_000

// Lessen leaves a twentieth of the data, for those who want answers and not what they cost. It is called
// before anything else.
func Lessen() { users, posts, comments = users/20, posts/20, comments/20 }

// SDL is the schema that the server serves for the benchmarks.
//
//go:embed schema.graphql
var SDL string

// source is this file: data made by another generator is other data.
//
//go:embed data.go
var source string

// tables are what the server's migration makes of SDL, and indexes what it puts on them.
var (
	tables = []string{
		`CREATE TABLE "users" ("id" TEXT NOT NULL PRIMARY KEY, "name" TEXT NOT NULL, "email" TEXT NOT NULL, "created_at" TEXT NOT NULL)`,
		`CREATE TABLE "posts" ("id" TEXT NOT NULL PRIMARY KEY, "title" TEXT NOT NULL, "body" TEXT NOT NULL, "views" INTEGER NOT NULL DEFAULT 0, "published" INTEGER NOT NULL DEFAULT 1, "created_at" TEXT NOT NULL, "author_id" TEXT NOT NULL REFERENCES "users" ("id"))`,
		`CREATE TABLE "comments" ("id" TEXT NOT NULL PRIMARY KEY, "body" TEXT NOT NULL, "created_at" TEXT NOT NULL, "post_id" TEXT NOT NULL REFERENCES "posts" ("id"), "author_id" TEXT NOT NULL REFERENCES "users" ("id"))`,
	}
	indexes = []string{
		`CREATE UNIQUE INDEX "users_email_key" ON "users" ("email")`,
		`CREATE INDEX "posts_created_at_id_idx" ON "posts" ("created_at" DESC, "id")`,
		`CREATE INDEX "posts_author_id_idx" ON "posts" ("author_id")`,
		`CREATE INDEX "comments_post_id_created_at_id_idx" ON "comments" ("post_id", "created_at" DESC, "id")`,
		`CREATE INDEX "comments_author_id_idx" ON "comments" ("author_id")`,
	}
)

// epoch is when the first row was made; every later row is later.
var epoch = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// Data is the path of the benchmarks' SQLite file, made now if this generator has not made
// one yet. Nobody may write to it.
func Data() (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(fmt.Append([]byte(source+SDL), users, posts, comments))
	path := filepath.Join(dir, "bench-"+hex.EncodeToString(sum[:8])+".db")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	making := path + ".making"
	if err := errors.Join(remove(making), fill(making, users, posts, comments)); err != nil {
		return "", fmt.Errorf("make the benchmark data: %w", err)
	}
	return path, os.Rename(making, path)
}

// FirstRows makes a new file with the first user and post only, for benchmarks that write.
func FirstRows(path string) error {
	return fill(path, 1, 1, 0)
}

func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "spacecloud")
	return dir, os.MkdirAll(dir, 0o755)
}

func remove(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// fill makes a new file with so many rows in each table.
func fill(path string, nUsers, nPosts, nComments int) error {
	m := newMaker(nUsers, nPosts)
	return load(path, func(tx *sql.Tx) error {
		return errors.Join(
			insert(tx, "users", 4, nUsers, m.user),
			insert(tx, "posts", 7, nPosts, m.post),
			insert(tx, "comments", 5, nComments, m.comment),
		)
	})
}

// load makes the tables, lets rows fill them, and makes the indexes after that.
func load(path string, rows func(*sql.Tx) error) error {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(off)&_pragma=synchronous(off)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(context.Background(), nil)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	if err := errors.Join(execAll(tx, tables), rows(tx), execAll(tx, indexes)); err != nil {
		return errors.Join(err, tx.Rollback(), db.Close())
	}
	return errors.Join(tx.Commit(), toWAL(db), db.Close())
}

// toWAL leaves the file in the journal mode that servers use.
func toWAL(db *sql.DB) error {
	_, err := db.Exec("PRAGMA journal_mode = wal")
	return err
}

func execAll(tx *sql.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func insert(tx *sql.Tx, table string, columns, n int, row func(i int) []any) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", columns), ", ")
	stmt, err := tx.Prepare(fmt.Sprintf("INSERT INTO %q VALUES (%s)", table, marks))
	if err != nil {
		return err
	}
	for i := range n {
		if _, err := stmt.Exec(row(i)...); err != nil {
			return errors.Join(fmt.Errorf("row %d of %s: %w", i, table, err), stmt.Close())
		}
	}
	return stmt.Close()
}

// maker makes rows that point to the first users and posts; the same ones every time.
type maker struct {
	r            *rand.Rand
	users, posts int
}

func newMaker(users, posts int) *maker {
	return &maker{r: rand.New(rand.NewPCG(1, 2)), users: users, posts: posts}
}

func (m *maker) user(i int) []any {
	name := firstNames[m.r.IntN(len(firstNames))] + " " + lastNames[m.r.IntN(len(lastNames))]
	return []any{userID(i), name, fmt.Sprintf("user%d@example.com", i), stamp(madeAt(i, users))}
}

func (m *maker) post(i int) []any {
	published := 1
	if m.r.IntN(10) == 0 {
		published = 0
	}
	return []any{
		postID(i), m.title(), m.text(500), m.r.IntN(100_000), published,
		stamp(madeAt(i, posts)), userID(m.r.IntN(m.users)),
	}
}

func (m *maker) comment(i int) []any {
	return []any{
		commentID(i), m.text(40 + m.r.IntN(80)), stamp(madeAt(i, comments)),
		postID(m.r.IntN(m.posts)), userID(m.r.IntN(m.users)),
	}
}

func (m *maker) title() string {
	t := strings.ReplaceAll(m.text(30+m.r.IntN(30)), "\n", " ")
	return strings.ToUpper(t[:1]) + t[1:]
}

// text is n bytes of words, with a quote or a line break now and then, as people write.
func (m *maker) text(n int) string {
	b := make([]byte, 0, n+16)
	for len(b) < n {
		b = append(b, words[m.r.IntN(len(words))]...)
		switch m.r.IntN(60) {
		case 0:
			b = append(b, '\n')
		case 1:
			b = append(b, ` "so" `...)
		default:
			b = append(b, ' ')
		}
	}
	return string(b[:n])
}

// The keys look like the UUIDv7 that the server makes, and ascend with the time like them.

func userID(i int) string    { return id(1, i, users) }
func postID(i int) string    { return id(2, i, posts) }
func commentID(i int) string { return id(3, i, comments) }

func id(table, i, n int) string {
	ms := madeAt(i, n).UnixMilli()
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, table, i>>24, uint64(i)*0x9e3779b9&0xffffffffffff)
}

// madeAt spreads n rows over two years, each at its own microsecond.
func madeAt(i, n int) time.Time {
	step := 2 * 365 * 24 * time.Hour / time.Duration(n)
	return epoch.Add(time.Duration(i)*step + time.Duration(i%997)*time.Microsecond)
}

func stamp(t time.Time) string { return t.Format("2006-01-02T15:04:05.000000Z") }

var (
	firstNames = strings.Fields("Ann Bob Carla David Elif Farid Grace Hana Ivan Jun Kofi Lena Marta Noor Otto Priya Quentin Rosa Sven Tariq Uma Vera Wim Ximena Yara Zoë")
	lastNames  = strings.Fields("Adler Baker Costa Dubois Eriksen Fischer García Haddad Ito Jansen Kowalski Lindqvist Moreau Nakamura Okafor Petrov Quist Rossi Silva Tanaka Urban Varga Weber Xu Yılmaz Zeman")
	words      = strings.Fields("a about after again all and another any are around as ask at away back because before between both bread by came can coffee could day did do door each early every far few first for found from garden give go good had hand has have he her here him his house how I if in into is it just kind know last late left less life light like line little long look made make man many may me mind more morning most much must my name near never new next night no not now of off old on once one only open or other our out over own paper part people place quite rain read right road room said same saw say second see she should side small so some soon still story such table take than that the their them then there these they thing think this those three through time to too town train tree two under until up us use very walk want was water way we well went were what when where which while white who why window winter with without woman word work world would write year yes you young")
)

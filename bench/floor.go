package bench

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The statements of the floor, in the order of the constants below.
var statements = [...]string{
	one: `SELECT id, title, body, views, published, created_at FROM posts WHERE id = ?`,
	list: `SELECT id, title, body, views, published, created_at FROM posts
		WHERE views > ? ORDER BY created_at DESC, id LIMIT 20`,
	page: `SELECT id, title, body, views, published, created_at FROM posts
		WHERE created_at <= ?1 AND (created_at < ?1 OR id > ?2) ORDER BY created_at DESC, id LIMIT 21`,
	thousand: `SELECT id, title, body, views, published, created_at FROM posts ORDER BY id LIMIT 1000`,
	parents: `SELECT p.id, p.title, u.name FROM posts p CROSS JOIN users u ON u.id = p.author_id
		WHERE p.views > ? ORDER BY p.created_at DESC, p.id LIMIT 20`,
	lastComments: `SELECT c.id, c.body, u.name FROM comments c CROSS JOIN users u ON u.id = c.author_id
		WHERE c.post_id = ? ORDER BY c.created_at DESC, c.id LIMIT 5`,
	commented: `SELECT post_id, count(*), min(created_at), max(created_at) FROM comments
		WHERE post_id >= ? GROUP BY post_id HAVING count(*) >= 8 ORDER BY post_id LIMIT 20`,
	linked: `SELECT id, title, body, views, published, created_at FROM posts
		WHERE id IN (SELECT post_id FROM comments WHERE author_id = ?) ORDER BY created_at DESC, id LIMIT 20`,
}

const (
	one = iota
	list
	page
	thousand
	parents
	lastComments
	commented
	linked
)

// Floor answers the read queries by hand: a net/http handler that reads the request, runs
// prepared SQL and appends JSON. It does not read the GraphQL text; the operation's name says
// what is asked.
type Floor struct {
	path   string
	access Access

	mu     sync.Mutex
	idle   []connection // guarded by mu; the one used last is used next, for it is warm
	opened []connection // guarded by mu
}

// connection is a Cursor for each statement.
type connection struct {
	cursors []Cursor
	close   func() error
}

// NewFloor is the floor over the file.
func NewFloor(path string, access Access) *Floor { return &Floor{path: path, access: access} }

// Close closes the connections; no request may be under way.
func (f *Floor) Close() error {
	var errs []error
	for _, c := range f.opened {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// borrow gives an idle connection, or a new one: there are as many as requests at a time.
func (f *Floor) borrow() (connection, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.idle); n > 0 {
		c := f.idle[n-1]
		f.idle = f.idle[:n-1]
		return c, nil
	}
	cursors, closed, err := f.access(f.path, statements[:])
	if err != nil {
		return connection{}, err
	}
	c := connection{cursors, closed}
	f.opened = append(f.opened, c)
	return c, nil
}

func (f *Floor) giveBack(c connection) {
	f.mu.Lock()
	f.idle = append(f.idle, c)
	f.mu.Unlock()
}

// Plans are SQLite's plans of the floor's statements.
func Plans(path string) (string, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=query_only(1)")
	if err != nil {
		return "", err
	}
	defer db.Close()
	var b strings.Builder
	for _, s := range statements {
		b.WriteString(s + "\n")
		if err := writePlan(&b, db, s); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func writePlan(b *strings.Builder, db *sql.DB, statement string) error {
	rows, err := db.Query("EXPLAIN QUERY PLAN "+statement, slices.Repeat([]any{nil}, strings.Count(statement, "?"))...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return err
		}
		fmt.Fprintf(b, "\t-- %s\n", detail)
	}
	return rows.Err()
}

// request is what the floor reads of a body.
type request struct {
	OperationName string
	Variables     struct {
		ID    string
		Views int64
		After string
	}
}

// exchange is the memory of one request.
type exchange struct {
	in, out []byte
	request request
}

var (
	exchanges   = sync.Pool{New: func() any { return new(exchange) }}
	contentType = []string{"application/json"}
)

func (f *Floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchanges.Get().(*exchange)
	defer exchanges.Put(x)
	if err := x.read(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if err := f.answer(x); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(x.out))}
	_, _ = w.Write(x.out) // a client that went away needs no answer
}

func (x *exchange) read(body io.Reader) (err error) {
	if x.in, err = readAll(x.in[:0], body); err != nil {
		return err
	}
	x.request = request{}
	return json.Unmarshal(x.in, &x.request)
}

// readAll is io.ReadAll into memory that is there.
func readAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, make([]byte, 512)...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func (f *Floor) answer(x *exchange) (err error) {
	conn, err := f.borrow()
	if err != nil {
		return err
	}
	defer f.giveBack(conn)
	c, v := conn.cursors, &x.request.Variables
	switch x.out = x.out[:0]; x.request.OperationName {
	case "One":
		x.out, err = appendOne(x.out, c[one], v.ID)
	case "List":
		x.out, err = appendList(x.out, c[list], v.Views)
	case "Page":
		x.out, err = appendPage(x.out, c[page], v.After)
	case "Linked":
		x.out, err = appendList(x.out, c[linked], v.ID)
	case "Thousand":
		x.out, err = appendList(x.out, c[thousand])
	case "Nested":
		x.out, err = appendNested(x.out, c, v.Views)
	case "Groups":
		x.out, err = appendGroups(x.out, c[commented], v.ID)
	default:
		err = fmt.Errorf("no operation %q", x.request.OperationName)
	}
	return err
}

func appendOne(dst []byte, c Cursor, id string) ([]byte, error) {
	if err := c.start(id); err != nil {
		return dst, err
	}
	dst = append(dst, `{"data":{"post":`...)
	if c.next() {
		dst = appendPost(dst, c)
	} else {
		dst = append(dst, `null`...)
	}
	return append(dst, `}}`...), c.end()
}

func appendList(dst []byte, c Cursor, args ...any) ([]byte, error) {
	if err := c.start(args...); err != nil {
		return dst, err
	}
	dst = append(dst, `{"data":{"posts":[`...)
	for n := 0; c.next(); n++ {
		dst = appendPost(comma(dst, n), c)
	}
	return append(dst, `]}}`...), c.end()
}

func appendPost(dst []byte, c Cursor) []byte {
	dst = appendString(append(dst, `{"id":`...), c.text(0))
	dst = appendString(append(dst, `,"title":`...), c.text(1))
	dst = appendString(append(dst, `,"body":`...), c.text(2))
	dst = strconv.AppendInt(append(dst, `,"views":`...), c.int(3), 10)
	dst = strconv.AppendBool(append(dst, `,"published":`...), c.int(4) != 0)
	dst = appendTime(append(dst, `,"createdAt":`...), c.text(5))
	return append(dst, '}')
}

// appendNested asks for the comments post by post while the posts are read: the open Cursor
// on the posts keeps all of it one state of the data.
func appendNested(dst []byte, c []Cursor, views int64) ([]byte, error) {
	p := c[parents]
	if err := p.start(views); err != nil {
		return dst, err
	}
	dst = append(dst, `{"data":{"posts":[`...)
	var failed error
	for n := 0; failed == nil && p.next(); n++ {
		id := p.text(0)
		dst = appendString(append(comma(dst, n), `{"id":`...), id)
		dst = appendString(append(dst, `,"title":`...), p.text(1))
		dst = appendString(append(dst, `,"author":{"name":`...), p.text(2))
		dst = append(dst, `},"comments":[`...)
		dst, failed = appendComments(dst, c[lastComments], id)
		dst = append(dst, `]}`...)
	}
	return append(dst, `]}}`...), errors.Join(failed, p.end())
}

func appendComments(dst []byte, c Cursor, post string) ([]byte, error) {
	if err := c.start(post); err != nil {
		return dst, err
	}
	for n := 0; c.next(); n++ {
		dst = appendString(append(comma(dst, n), `{"id":`...), c.text(0))
		dst = appendString(append(dst, `,"body":`...), c.text(1))
		dst = appendString(append(dst, `,"author":{"name":`...), c.text(2))
		dst = append(dst, `}}`...)
	}
	return dst, c.end()
}

func appendGroups(dst []byte, c Cursor, from string) ([]byte, error) {
	if err := c.start(from); err != nil {
		return dst, err
	}
	dst = append(dst, `{"data":{"commentsGroups":[`...)
	for n := 0; c.next(); n++ {
		dst = appendString(append(comma(dst, n), `{"group":{"postId":`...), c.text(0))
		dst = strconv.AppendInt(append(dst, `},"count":`...), c.int(1), 10)
		dst = appendTime(append(dst, `,"min":{"createdAt":`...), c.text(2))
		dst = appendTime(append(dst, `},"max":{"createdAt":`...), c.text(3))
		dst = append(dst, `}}`...)
	}
	return append(dst, `]}}`...), c.end()
}

func comma(dst []byte, n int) []byte {
	if n > 0 {
		dst = append(dst, ',')
	}
	return dst
}

// appendString appends s as a JSON string; a stretch without anything to escape is copied whole.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		n := plain(s)
		dst = append(dst, s[:n]...)
		if n == len(s) {
			return append(dst, '"')
		}
		dst = appendEscaped(dst, s[n])
		s = s[n+1:]
	}
}

// plain is how many bytes of s stand in JSON as they are; it looks at eight at a time.
func plain(s string) int {
	const (
		ones  = 0x0101010101010101
		highs = ones * 0x80
	)
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := binary.LittleEndian.Uint64([]byte(s[i : i+8]))
		control, quote, slash := w-ones*0x20, w^ones*'"', w^ones*'\\'
		if (control&^w|(quote-ones)&^quote|(slash-ones)&^slash)&highs != 0 {
			break
		}
	}
	for i < len(s) && s[i] >= 0x20 && s[i] != '"' && s[i] != '\\' {
		i++
	}
	return i
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, `\n`...)
	case '\t':
		return append(dst, `\t`...)
	case '\r':
		return append(dst, `\r`...)
	default:
		const hex = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
}

// appendTime appends a time of the fixed width it is stored in without the zeros at the end of
// its fraction.
func appendTime(dst []byte, stored string) []byte {
	short := strings.TrimRight(strings.TrimSuffix(stored, "Z"), "0")
	dst = append(append(dst, '"'), strings.TrimSuffix(short, ".")...)
	return append(dst, `Z"`...)
}

package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/database/mongodb"
	"spacecloud/migrate"
	private "spacecloud/tests/mongo"
)

// The floor on MongoDB: commands written by hand through the same driver, and JSON appended by hand from
// the bytes that the server sent. The server is the double of the tests, which has no index and is slow: there
// are few rows, and what the database needs says nothing.

// The rows of the benchmark.
const (
	mongoUsers    = 100
	mongoPosts    = 200
	mongoComments = 2000
	mongoBodies   = 50 // requests of each kind
)

// mongoFloor is an http.Handler on one client.
type mongoFloor struct {
	tb  testing.TB
	db  *mongo.Database
	out []byte
}

var (
	postFields = bson.D{{Key: "title", Value: 1}, {Key: "body", Value: 1}, {Key: "views", Value: 1}, {Key: "published", Value: 1}, {Key: "created_at", Value: 1}}
	newest     = bson.D{{Key: "created_at", Value: -1}, {Key: "_id", Value: 1}}
)

func field(name string, v any) bson.D { return bson.D{{Key: name, Value: v}} }

func (f *mongoFloor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	must(f.tb, err)
	var in floorRequest
	must(f.tb, json.Unmarshal(text, &in))
	f.out = f.out[:0]
	switch v := in.Variables; in.OperationName {
	case "One":
		f.one(v.ID)
	case "List":
		f.list(bson.A{field("$match", field("views", field("$gt", v.Views))), field("$sort", newest), field("$limit", 20), field("$project", postFields)})
	case "Thousand":
		f.list(bson.A{field("$sort", field("_id", 1)), field("$limit", 1000), field("$project", postFields)})
	case "Groups":
		f.groups(v.ID)
	case "Nested":
		f.nested(v.Views)
	case "Insert":
		f.insert(v.Docs[0])
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

func (f *mongoFloor) one(id string) {
	doc, err := f.db.Collection("posts").FindOne(context.Background(), field("_id", id), options.FindOne().SetProjection(postFields)).Raw()
	must(f.tb, err)
	f.out = append(f.post(append(f.out, `{"data":{"post":`...), doc), `}}`...)
}

// rows calls do with the number and the document of each row.
func (f *mongoFloor) rows(ctx context.Context, collection string, pipeline bson.A, do func(n int, doc bson.Raw)) {
	var cursor *mongo.Cursor
	var err error
	if collection == "" {
		cursor, err = f.db.Aggregate(ctx, pipeline)
	} else {
		cursor, err = f.db.Collection(collection).Aggregate(ctx, pipeline)
	}
	must(f.tb, err)
	for n := 0; cursor.Next(ctx); n++ {
		do(n, cursor.Current)
	}
	must(f.tb, cursor.Err())
	must(f.tb, cursor.Close(ctx))
}

func (f *mongoFloor) list(pipeline bson.A) {
	f.out = append(f.out, `{"data":{"posts":[`...)
	f.rows(context.Background(), "posts", pipeline, func(n int, doc bson.Raw) { f.out = f.post(comma(f.out, n), doc) })
	f.out = append(f.out, `]}}`...)
}

func (f *mongoFloor) post(dst []byte, doc bson.Raw) []byte {
	var id, title, body string
	var views int32
	var published bool
	var at time.Time
	elements, err := doc.Elements()
	must(f.tb, err)
	for _, e := range elements {
		switch v := e.Value(); e.Key() {
		case "_id":
			id = v.StringValue()
		case "title":
			title = v.StringValue()
		case "body":
			body = v.StringValue()
		case "views":
			views = v.Int32()
		case "published":
			published = v.Boolean()
		case "created_at":
			at = v.Time()
		}
	}
	dst = appendString(append(dst, `{"id":`...), id)
	dst = appendString(append(dst, `,"title":`...), title)
	dst = appendString(append(dst, `,"body":`...), body)
	dst = strconv.AppendInt(append(dst, `,"views":`...), int64(views), 10)
	dst = strconv.AppendBool(append(dst, `,"published":`...), published)
	return append(appendMillis(append(dst, `,"createdAt":`...), at), '}')
}

func appendMillis(dst []byte, at time.Time) []byte {
	return at.UTC().AppendFormat(dst, `"2006-01-02T15:04:05.999Z"`)
}

func (f *mongoFloor) groups(from string) {
	pipeline := bson.A{
		field("$match", field("post_id", field("$gte", from))),
		field("$group", bson.D{{Key: "_id", Value: "$post_id"}, {Key: "n", Value: field("$sum", 1)}, {Key: "from", Value: field("$min", "$created_at")}, {Key: "to", Value: field("$max", "$created_at")}}),
		field("$match", field("n", field("$gte", 8))), field("$sort", field("_id", 1)), field("$limit", 20),
	}
	f.out = append(f.out, `{"data":{"commentsGroups":[`...)
	f.rows(context.Background(), "comments", pipeline, func(n int, doc bson.Raw) {
		dst := appendString(append(comma(f.out, n), `{"group":{"postId":`...), doc.Lookup("_id").StringValue())
		dst = strconv.AppendInt(append(dst, `},"count":`...), doc.Lookup("n").AsInt64(), 10)
		dst = appendMillis(append(dst, `,"min":{"createdAt":`...), doc.Lookup("from").Time())
		dst = appendMillis(append(dst, `},"max":{"createdAt":`...), doc.Lookup("to").Time())
		f.out = append(dst, `}}`...)
	})
	f.out = append(f.out, `]}}`...)
}

// author looks up the user of a row, and leaves the name.
func author(rest ...any) bson.A {
	return append(bson.A{field("$lookup", bson.D{{Key: "from", Value: "users"}, {Key: "localField", Value: "author_id"}, {Key: "foreignField", Value: "_id"}, {Key: "as", Value: "author"}})}, rest...)
}

// nested asks for the posts and then for the comments of all of them, in one state of the data.
func (f *mongoFloor) nested(views int64) {
	session, err := f.db.Client().StartSession(options.Session().SetSnapshot(true))
	must(f.tb, err)
	defer session.EndSession(context.Background())
	ctx := mongo.NewSessionContext(context.Background(), session)
	var answer nestedAnswer
	var keys bson.A
	posts := append(bson.A{field("$match", field("views", field("$gt", views))), field("$sort", newest), field("$limit", 20)},
		author(field("$project", bson.D{{Key: "title", Value: 1}, {Key: "author", Value: field("$first", "$author.name")}}))...)
	f.rows(ctx, "posts", posts, func(n int, doc bson.Raw) {
		id := doc.Lookup("_id").StringValue()
		answer.post(id, doc.Lookup("title").StringValue(), doc.Lookup("author").StringValue())
		keys = append(keys, bson.D{{Key: "n", Value: n}, {Key: "id", Value: id}})
	})
	answer.out = append(f.out, `{"data":{"posts":[`...)
	comments := bson.A{
		field("$documents", keys),
		field("$lookup", bson.D{
			{Key: "from", Value: "comments"},
			{Key: "localField", Value: "id"},
			{Key: "foreignField", Value: "post_id"},
			{Key: "as", Value: "c"},
			{Key: "pipeline", Value: append(bson.A{field("$sort", newest), field("$limit", 5)}, author(field("$project", bson.D{{Key: "body", Value: 1}, {Key: "author", Value: field("$first", "$author.name")}}))...)},
		}),
		field("$unwind", "$c"),
	}
	f.rows(ctx, "", comments, func(_ int, doc bson.Raw) {
		c := doc.Lookup("c").Document()
		answer.comment(int(doc.Lookup("n").AsInt64()), c.Lookup("_id").StringValue(), c.Lookup("body").StringValue(), c.Lookup("author").StringValue())
	})
	f.out = append(answer.end(), `]}}`...)
}

// insert keeps the links right, as a program has to by itself: in one transaction with the row that they are of.
func (f *mongoFloor) insert(d newComment) {
	session, err := f.db.Client().StartSession()
	must(f.tb, err)
	defer session.EndSession(context.Background())
	must(f.tb, session.StartTransaction())
	ctx := mongo.NewSessionContext(context.Background(), session)
	must(f.tb, f.db.Collection("posts").FindOne(ctx, field("_id", d.PostID), options.FindOne().SetProjection(field("_id", 1))).Err())
	must(f.tb, f.db.Collection("users").FindOne(ctx, field("_id", d.AuthorID), options.FindOne().SetProjection(field("_id", 1))).Err())
	_, err = f.db.Collection("comments").InsertOne(ctx, bson.D{
		{Key: "_id", Value: uuid.Must(uuid.NewV7()).String()},
		{Key: "body", Value: d.Body},
		{Key: "created_at", Value: time.Now()},
		{Key: "post_id", Value: d.PostID},
		{Key: "author_id", Value: d.AuthorID},
	})
	must(f.tb, err)
	must(f.tb, session.CommitTransaction(ctx))
	f.out = append(f.out, `{"data":{"insertComments":{"affected":1}}}`...)
}

func (f *mongoFloor) inc(by int64, id string) {
	doc, err := f.db.Collection("posts").FindOneAndUpdate(context.Background(), field("_id", id), field("$inc", field("views", int32(by))),
		options.FindOneAndUpdate().SetReturnDocument(options.After).SetProjection(field("views", 1))).Raw()
	must(f.tb, err)
	f.out = strconv.AppendInt(append(f.out, `{"data":{"updatePost":{"views":`...), doc.Lookup("views").AsInt64(), 10)
	f.out = append(f.out, `}}}`...)
}

// openMongoDB are the floor and the server over the rows of a file of the benchmarks.
func openMongoDB(b *testing.B, path string) []target {
	url := private.URL(b)
	d, err := mongodb.Open(b.Context(), url)
	must(b, err)
	b.Cleanup(func() { _ = d.Close() })
	_, err = migrate.Apply(b.Context(), migrate.Database{Name: "main", Product: d.Product(), Mongo: d.Database()}, benchSchema(b), migrate.Options{})
	must(b, err)
	copyDocuments(b, path, d.Database())
	cpu := func() time.Duration { return childrenOf(os.Getpid()) }
	return []target{{"floor", &mongoFloor{tb: b, db: d.Database()}, cpu}, {"server", serverOver(b, d), cpu}}
}

// copyDocuments fills the collections from a file of SQLite.
func copyDocuments(b *testing.B, path string, to *mongo.Database) {
	eachTable(b, path, func(table string, columns []string, next func() []any) {
		var docs []any
		for row := next(); row != nil; row = next() {
			doc := bson.D{{Key: "_id", Value: row[0]}}
			for i, c := range columns[1:] {
				v := row[i+1]
				if n, ok := v.(int64); ok {
					v = int32(n)
				}
				doc = append(doc, bson.E{Key: c, Value: v})
			}
			docs = append(docs, doc)
		}
		if len(docs) > 0 {
			_, err := to.Collection(table).InsertMany(b.Context(), docs)
			must(b, err)
		}
	})
}

// BenchmarkMongoDB runs the read queries against the floor on MongoDB, as BenchmarkPostgres does, over
// few rows; it has no floor of pages and link filters.
func BenchmarkMongoDB(b *testing.B) {
	path := filepath.Join(b.TempDir(), "few.db")
	must(b, fill(path, mongoUsers, mongoPosts, mongoComments))
	targets := openMongoDB(b, path)
	for _, q := range queries(mongoUsers, mongoPosts) {
		q.Bodies = q.Bodies[:min(len(q.Bodies), mongoBodies)]
		if q.Name != "Page" && q.Name != "Linked" {
			b.Run(q.Name, func(b *testing.B) { against(b, targets, q, true) })
		}
	}
}

// BenchmarkMongoDBWrites inserts one comment, and adds to a post by its key.
func BenchmarkMongoDBWrites(b *testing.B) {
	path := filepath.Join(b.TempDir(), "first.db")
	must(b, FirstRows(path))
	targets := openMongoDB(b, path)
	for _, q := range smallWrites() {
		b.Run(q.Name, func(b *testing.B) { against(b, targets, q, false) })
	}
}

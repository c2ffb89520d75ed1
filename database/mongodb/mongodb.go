// Package mongodb answers the questions of package query from MongoDB, by its official driver.
//
// A row is a document, and a column a field of its physical name; a key of one column is _id.
// Null is a field that is not there. Values are typed as sdl.md's table says: a DateTime is a date,
// which has milliseconds.
package mongodb

import (
	"context"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const (
	// patience is how long a server that does not answer is waited for.
	patience = 5 * time.Second
	// connections are the most that one server gets from us.
	connections = 50
	// oldest is the first version that has all that levels are made of.
	oldest = 6
	like   = "mongodb://user:password@host:27017/name" //nolint:gosec // an example
)

// Driver is one open database of a MongoDB.
type Driver struct {
	client       *mongo.Client
	db           *mongo.Database
	states       *mongo.Database // of which each statement reads one state of the data
	sure         *mongo.Database // of which a write without a transaction is as sure as one with it
	product      string
	transactions bool
}

var (
	_ driver.Driver = (*Driver)(nil)
	_ driver.Maker  = (*Driver)(nil)
	_ driver.Single = (*Driver)(nil)
	_ driver.Alone  = (*Driver)(nil)
)

// Open opens the database of a URL such as mongodb://user:password@host/name. An error is a fault
// that says what is wrong, and nothing of the URL.
func Open(ctx context.Context, url string) (*Driver, error) {
	address, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, driver.UnreadableURL(like)
	}
	if address.Database == "" {
		return nil, driver.UnnamedURL(like)
	}
	for name := range address.UnknownOptions {
		return nil, driver.UnknownOption(name)
	}
	o := options.Client().ApplyURI(url).SetAppName("spacecloud")
	if !address.ServerSelectionTimeoutSet {
		o.SetServerSelectionTimeout(patience)
	}
	if !address.MaxPoolSizeSet {
		o.SetMaxPoolSize(connections)
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, fault.New(fault.Invalid, "its URL has options that do not go together")
	}
	d := &Driver{
		client: client, db: client.Database(address.Database),
		states: client.Database(address.Database, options.Database().SetReadConcern(readconcern.Snapshot())),
		sure:   client.Database(address.Database, options.Database().SetWriteConcern(writeconcern.Majority())),
	}
	if err := d.meet(ctx); err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// meet asks the server what it is.
func (d *Driver) meet(ctx context.Context) error {
	if err := d.Ping(ctx); err != nil {
		return err
	}
	var build struct{ Version string }
	if err := d.db.RunCommand(ctx, is("buildInfo", 1)).Decode(&build); err != nil {
		return explain(err, nil)
	}
	major, _, _ := strings.Cut(build.Version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < oldest {
		return driver.TooOld("MongoDB "+build.Version, strconv.Itoa(oldest)+".0")
	}
	var hello struct{ SetName, Msg string }
	if err := d.db.RunCommand(ctx, is("hello", 1)).Decode(&hello); err != nil {
		return explain(err, nil)
	}
	d.product = "MongoDB " + build.Version
	d.transactions = hello.SetName != "" || hello.Msg == "isdbgrid"
	return nil
}

// Product is the version of the server.
func (d *Driver) Product() string { return d.product }

// Features are without what MongoDB does not have, and without transactions on a server that is
// no replica set.
func (d *Driver) Features() driver.Features {
	return driver.Features{Transactions: d.transactions, Search: true, FailsFast: true, Returning: true}
}

// Database is the database itself, for migrations.
func (d *Driver) Database() *mongo.Database { return d.db }

// Make makes the collection of a type of the server's own, in which no two documents have one key.
func (d *Driver) Make(ctx context.Context, t *schema.Type) error {
	if len(t.Primary) < 2 {
		return nil // it comes with its first document
	}
	key := bson.D{}
	for _, f := range t.Primary {
		key = append(key, bson.E{Key: generator.DocumentPath(f), Value: 1})
	}
	_, err := d.db.Collection(t.Table).Indexes().CreateOne(ctx, mongo.IndexModel{Keys: key, Options: options.Index().SetName(t.Table + "_pkey").SetUnique(true)})
	return explain(err, nil)
}

// Ping is whether the server answers and takes the user.
func (d *Driver) Ping(ctx context.Context) error { return explain(d.client.Ping(ctx, nil), nil) }

// Close closes all connections.
func (d *Driver) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := d.client.Disconnect(ctx); err != nil && !strings.Contains(err.Error(), mongo.ErrClientDisconnected.Error()) {
		return explain(err, nil)
	}
	return nil
}

// Prepare renders a level.
func (d *Driver) Prepare(n rules.Narrowed) (driver.Statement, error) {
	s, err := render(n.Level())
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Once lends a reader of one statement, which sees one state of the data, where the server keeps states, without a
// session that is begun for it.
func (d *Driver) Once(_ context.Context, do func(driver.Reader) error) error {
	if !d.transactions {
		return do(&reader{db: d.db})
	}
	return do(&reader{db: d.states})
}

// View lends a reader of one state of the data, where the server keeps states.
func (d *Driver) View(ctx context.Context, do func(driver.Reader) error) error {
	if !d.transactions {
		return do(&reader{db: d.db})
	}
	session, err := d.client.StartSession(options.Session().SetSnapshot(true))
	if err != nil {
		return explain(err, nil)
	}
	defer session.EndSession(context.WithoutCancel(ctx))
	return do(&reader{db: d.db, session: session})
}

// reader runs statements, in a session if there is one.
type reader struct {
	db      *mongo.Database
	session *mongo.Session
}

func (r *reader) in(ctx context.Context) context.Context {
	if r.session == nil {
		return ctx
	}
	return mongo.NewSessionContext(ctx, r.session)
}

// Find runs a statement that this driver prepared.
func (r *reader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	prepared, ok := s.(*statement)
	if !ok {
		return nil, fault.New(fault.Internal, "a statement of another driver")
	}
	if err := ctx.Err(); err != nil {
		return nil, explain(err, nil)
	}
	found := &rows{ctx: r.in(ctx), statement: prepared, cells: make([]bson.RawValue, len(prepared.cells))}
	found.alone = prepared.alone && (prepared.keys == nil || len(b.Keys) == len(prepared.keys))
	if prepared.keys != nil && len(b.Keys) == 0 {
		return found, nil
	}
	stages, err := filledList(prepared.frozen, &b)
	if err != nil {
		return nil, err
	}
	text, err := appendList(nil, stages)
	if err != nil {
		return nil, err
	}
	pipeline := bsoncore.Array(text)
	if prepared.collection == "" {
		found.cursor, err = r.db.Aggregate(found.ctx, pipeline, limited(ctx))
	} else {
		found.cursor, err = r.db.Collection(prepared.collection).Aggregate(found.ctx, pipeline, limited(ctx))
	}
	if err != nil {
		return nil, explain(err, nil)
	}
	return found, nil
}

// limited tells the server when nobody waits any more; the client says so of other commands only.
func limited(ctx context.Context) *options.AggregateOptionsBuilder {
	o := options.Aggregate()
	if deadline, ok := ctx.Deadline(); ok {
		o.SetCustom(bson.M{"maxTimeMS": max(1, time.Until(deadline).Milliseconds())}) //nolint:staticcheck // there is no other way since it has no SetMaxTime
	}
	return o
}

var _ driver.Reader = (*reader)(nil)

package resolvers

import (
	"context"
	"strconv"
	"time"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Once says that a request may come again and is to be done once.
type Once struct {
	Key    string // of the caller's choice
	Digest string // of all that is asked
}

// kept is how long an answer is.
const kept = 24 * time.Hour

// requests is our table of answers, as a type of rows.
var requests = requestsType()

const requestsTable = "_spacecloud_requests"

// createRequests makes the table, by dialect.
var createRequests = map[string][]string{
	"sqlite": {
		`CREATE TABLE IF NOT EXISTS "` + requestsTable + `" ("caller" TEXT NOT NULL, "key" TEXT NOT NULL, "digest" TEXT NOT NULL, ` +
			`"at" TEXT NOT NULL, "answer" BLOB NOT NULL, PRIMARY KEY ("caller", "key"))`,
		`CREATE INDEX IF NOT EXISTS "` + requestsTable + `_at" ON "` + requestsTable + `" ("at")`,
	},
	"postgres": {
		`CREATE TABLE IF NOT EXISTS "` + requestsTable + `" ("caller" text COLLATE "C" NOT NULL, "key" text COLLATE "C" NOT NULL, ` +
			`"digest" text NOT NULL, "at" timestamptz(6) NOT NULL, "answer" bytea NOT NULL, PRIMARY KEY ("caller", "key"))`,
		`CREATE INDEX IF NOT EXISTS "` + requestsTable + `_at" ON "` + requestsTable + `" ("at")`,
	},
	"mysql": {
		"CREATE TABLE IF NOT EXISTS `" + requestsTable + "` (`caller` varchar(512) NOT NULL, `key` varchar(255) NOT NULL, " +
			"`digest` varchar(255) NOT NULL, `at` datetime(6) NOT NULL, `answer` longblob NOT NULL, PRIMARY KEY (`caller`, `key`), " +
			"INDEX `" + requestsTable + "_at` (`at`)) " + generator.MySQLStorage,
	},
}

func requestsType() *schema.Type {
	t := &schema.Type{Name: "request", Kind: schema.Table, Table: requestsTable, Owned: true}
	for i, c := range []struct {
		name   string
		scalar schema.Scalar
	}{{"caller", schema.String}, {"key", schema.String}, {"digest", schema.String}, {"at", schema.DateTime}, {"answer", schema.Bytes}} {
		f := &schema.Field{Name: c.name, Column: c.name, Scalar: c.scalar, NonNull: true, Owner: t, Index: i, IsPrimary: i < 2}
		t.Columns, t.Fields = append(t.Columns, f), append(t.Fields, f)
	}
	t.Primary = t.Columns[:2]
	return t
}

// WriteOnce does what Write does the first time that a caller asks with a key, and answers with the same
// bytes for 24 hours. The answer is kept by the transaction of the changes: both are there, or none.
func (r *Resolvers) WriteOnce(ctx context.Context, c *auth.Caller, once Once, changes []Change, dst []byte) ([]byte, error) {
	who, known := c.Identity()
	if !known {
		return dst, fault.New(fault.Unauthenticated, "an Idempotency-Key needs a token with a subject: the key is the caller's")
	}
	dbs := databases(r, changes)
	switch len(dbs) {
	case 0:
		return r.Write(ctx, c, changes, dst)
	case 1:
	default:
		return dst, fault.New(fault.Invalid, "the request changes %d databases; with an Idempotency-Key it is one", len(dbs))
	}
	db := dbs[0]
	release, first := db.Claim(requestsTable + strconv.Itoa(len(who)) + ":" + who + once.Key)
	if !first {
		return dst, fault.New(fault.Conflict, "the first request with this Idempotency-Key is still running; ask again when it has ended")
	}
	defer release()
	if err := db.Ensure(ctx, requests, createRequests); err != nil {
		return dst, err
	}
	w := r.writing(c)
	if w.alone(changes[0].Type) {
		return dst, w.needsTransactions(changes[0].Type, "an answer cannot be kept with the change, so it takes no Idempotency-Key")
	}
	o := onceMore{w: w, db: db, once: once, who: who}
	start := len(dst)
	var missing *Missing
	err := w.within(ctx, dbs, changes, func() error {
		w.holes.reset()
		var known bool
		var err error
		if dst, missing, known, err = o.answered(ctx, dst[:start]); known || err != nil {
			return err
		}
		if dst, err = w.all(ctx, changes, dst); err != nil {
			return err
		}
		missing = w.holes.fill(r, c, dst[start:])
		text, err := missing.kept(dst[start:])
		if err != nil {
			return err
		}
		return o.keep(ctx, text)
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, missing.err()
}

// onceMore is a request that may have been answered.
type onceMore struct {
	w    *writing
	db   *database.DB
	once Once
	who  string
}

func (o onceMore) key() []schema.Value {
	return []schema.Value{schema.Text(o.who), schema.Text(o.once.Key)}
}

// oldest is when the oldest answer was made that counts.
func (o onceMore) oldest() schema.Value { return stamp(o.w.caller.Now.Add(-kept)) }

// answered appends the answer of the first time, if there was one.
func (o onceMore) answered(ctx context.Context, dst []byte) (answer []byte, missing *Missing, known bool, err error) {
	l := by(requests, requests.Primary, requests.Columns[2:], true)
	statement, err := o.db.Prepare(rules.System(l))
	if err != nil {
		return dst, nil, false, err
	}
	rows, err := o.w.txs[o.db].Find(ctx, statement, query.Binding{Keys: o.key()})
	if err != nil {
		return dst, nil, false, err
	}
	defer rows.Close()
	for rows.Next() {
		if rows.Value(1).Compare(o.oldest()) <= 0 {
			continue
		}
		if rows.Value(0).Text() != o.once.Digest {
			return dst, nil, false, fault.New(fault.Conflict, "this Idempotency-Key was used for another request; take a new key for each")
		}
		var text string
		if text, missing, err = restored(rows.Value(2).Text()); err != nil {
			return dst, nil, false, err
		}
		dst, known = append(dst, text...), true
	}
	return dst, missing, known, rows.Err()
}

// keep stores the answer, and forgets those that are too old.
func (o onceMore) keep(ctx context.Context, answer []byte) error {
	at := requests.Columns[3]
	tx := o.w.txs[o.db]
	_, err := tx.Write(ctx, rules.SystemWrite(query.Write{Verb: query.Delete, Type: requests, Where: query.Compare{
		Left: query.Col(at), Op: query.Lte, Right: query.Operand{Kind: query.Constant, Value: o.oldest(), Scalar: at.Scalar},
	}}), query.Binding{})
	if err != nil {
		return err
	}
	row := append(o.key(), schema.Text(o.once.Digest), stamp(o.w.caller.Now), schema.Raw(string(answer)))
	_, err = tx.Write(ctx, rules.SystemWrite(query.Write{
		Verb: query.Create, Type: requests, Columns: requests.Columns, Rows: [][]schema.Value{row},
	}), query.Binding{})
	if fault.KindOf(err) == fault.Conflict { // another server has answered meanwhile
		err = driver.Retry(err)
	}
	return err
}

package resolvers

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/live"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Change asks for rows of one type to be written and says how the answer looks.
type Change struct {
	Name string // the response key, for the paths of errors
	Verb query.Verb
	Type *schema.Type
	One  bool // the answer is the row or null, else Answer.Members

	Docs []Doc // of a create
	// OnConflict makes a create an update of the rows that are there already; nil for none.
	OnConflict *Conflict
	Set        []Assign        // of an update
	Links      []FieldValue    // of an update of one: what is written along its links
	Where      query.Where     // of an update or delete of many; nil for all
	Key        []schema.Value  // of an update or delete of one, by KeyOf
	KeyOf      []*schema.Field // a unique key of the type
	// IfVersion is the version that the row of Key has to have; null for any.
	IfVersion schema.Value

	Answer Answer
	Args   []schema.Value // values of the query.Arg operands in the finds of Answer
}

// Doc is one row to insert.
type Doc []FieldValue

// FieldValue is the value of a column, as schema.Field.Coerce makes it, or what is written along a
// link.
type FieldValue struct {
	Field *schema.Field
	Value schema.Value
	Link  *Linked // what is written along a link, when Field is one
}

// Answer says how a change is answered.
type Answer struct {
	Before  string   // text before the value: the response key
	Row     *Found   // of One
	Members []Member // of many
	Tail    string   // text after the last member
}

// Member is one member of the answer to a change of many rows.
type Member struct {
	Before    string // text before the value
	Affected  bool
	Returning *Found
}

// writing is one request's changes under way.
type writing struct {
	r      *Resolvers
	caller *auth.Caller
	txs    map[*database.DB]driver.Tx
	views  map[*database.DB]driver.Reader // held from the beginning
	wants  *database.DB                   // what should have been among them; nil for nothing
	now    *Change                        // that is being made
	claims []schema.Value
	holes  holes // of the answer

	watched bool          // whether anybody waited for rows when it began
	made    bool          // all changes, which are about to be committed
	done    []live.Change // for those who wait
}

func (r *Resolvers) writing(c *auth.Caller) *writing {
	return &writing{r: r, caller: c, watched: r.Live.Hub().Watched()}
}

// Write makes all changes in order, in one transaction for each database, and appends the
// text before each and its answer. The first error rolls everything back; its faults have the path of
// the change that failed. A Missing is none of these: all is done, and the answer has nulls.
func (r *Resolvers) Write(ctx context.Context, c *auth.Caller, changes []Change, dst []byte) ([]byte, error) {
	w := r.writing(c)
	if err := w.separable(changes); err != nil {
		return dst, err
	}
	start := len(dst)
	if len(changes) == 1 {
		dst, done, err := w.outright(ctx, &changes[0], append(dst, changes[0].Answer.Before...))
		switch {
		case err != nil:
			return dst[:start], under(changes[0].Name, err)
		case done:
			return dst, w.holes.fill(r, c, dst[start:]).err()
		}
	}
	err := w.within(ctx, databases(r, changes), changes, func() error {
		var err error
		w.holes.reset()
		dst, err = w.all(ctx, changes, dst[:start])
		return err
	})
	if err != nil {
		return dst[:start], err
	}
	return dst, w.holes.fill(r, c, dst[start:]).err()
}

// all makes the changes in order.
func (w *writing) all(ctx context.Context, changes []Change, dst []byte) ([]byte, error) {
	for i := range changes {
		var err error
		w.now = &changes[i]
		dst = append(dst, changes[i].Answer.Before...)
		if dst, err = w.change(ctx, &changes[i], dst); err != nil {
			return dst, under(changes[i].Name, err)
		}
	}
	return dst, nil
}

// Written are the names of the databases that changes write, in the order of first use.
func (r *Resolvers) Written(changes []Change) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range changes {
		add(c.Type.DB)
		if c.Verb == query.Delete {
			for _, name := range r.goesWith[c.Type] {
				add(name)
			}
		}
	}
	return names
}

func databases(r *Resolvers, changes []Change) []*database.DB {
	var dbs []*database.DB
	for _, name := range r.Written(changes) {
		dbs = append(dbs, r.Databases[name])
	}
	return dbs
}

// under puts the name of a change before the paths of what went wrong in it.
func under(name string, err error) error {
	var all []error
	for _, f := range fault.All(err) {
		all = append(all, f.At(append([]any{name}, f.Path...)...))
	}
	return marked(err, errors.Join(all...))
}

// marked is an error told in other words, with the mark of the first that says that all of it may be
// tried again.
func marked(err, told error) error {
	if driver.MayRetry(err) {
		return driver.Retry(told)
	}
	return told
}

func (w *writing) change(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	if err := late(ctx); err != nil {
		return dst, err
	}
	switch c.Verb {
	case query.Create:
		return w.create(ctx, c, dst)
	case query.Update:
		return w.update(ctx, c, dst)
	}
	return w.remove(ctx, c, dst)
}

func (w *writing) db(t *schema.Type) *database.DB { return w.r.Databases[t.DB] }

// write narrows a write and does it; ours are the columns that the server fills. With an error it has written
// nothing, or what others still point to.
func (w *writing) write(ctx context.Context, q query.Write, keys []schema.Value, ours []*schema.Field) (driver.Written, error) {
	narrowed, b, err := w.narrow(ctx, q, keys, ours)
	if err != nil {
		return driver.Written{}, err
	}
	before, err := w.endsBefore(ctx, narrowed.Write(), keys)
	if err != nil {
		return driver.Written{}, err
	}
	written, err := w.do(ctx, narrowed, b)
	if err != nil {
		return driver.Written{}, err
	}
	return written, w.stillThere(ctx, before)
}

// narrow is a write under its rule, and the values to do it with.
func (w *writing) narrow(ctx context.Context, q query.Write, keys []schema.Value, ours []*schema.Field) (rules.NarrowedWrite, query.Binding, error) {
	b := query.Binding{Keys: keys}
	narrowed, err := w.r.Rules.Write(w.caller, q, ours...)
	if err != nil {
		return narrowed, b, err
	}
	query.WalkWrite(narrowed.Write(), w.bind(&b))
	return w.readyWrite(ctx, narrowed, b)
}

// bind evaluates the claim operands that it is called with, once each.
func (w *writing) bind(b *query.Binding) func(query.Operand) {
	return func(o query.Operand) {
		if o.Kind != query.Claim {
			return
		}
		if w.claims == nil {
			w.claims = make([]schema.Value, w.r.Rules.Operands())
		}
		b.Claims = w.claims
		w.r.Rules.Claims(w.caller, []int{o.Index}, w.claims)
	}
}

// read calls do with each row that a level finds in the transaction.
func (w *writing) read(ctx context.Context, l rules.Narrowed, keys []schema.Value, do func(driver.Rows) error) error {
	p, err := w.r.prepare(l)
	if err != nil {
		return err
	}
	b := query.Binding{Keys: keys}
	query.Walk(l.Level(), w.bind(&b))
	statement, b, err := p.ready(ctx, w.lend, answers{}, b)
	if err != nil {
		return err
	}
	return w.lend(ctx, p.db, func(r driver.Reader) error { return each(ctx, r, statement, b, do) })
}

// each calls do with each row of a statement.
func each(ctx context.Context, r driver.Reader, s driver.Statement, b query.Binding, do func(driver.Rows) error) error {
	rows, err := r.Find(ctx, s, b)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := do(rows); err != nil {
			_ = rows.Close()
			return err
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// answer appends what is selected of the rows of keys.
func (w *writing) answer(ctx context.Context, c *Change, affected int, keys []schema.Value, dst []byte) ([]byte, error) {
	if c.One {
		return c.Answer.Row.byKeys(ctx, w, c.Args, keys, dst)
	}
	var err error
	for _, m := range c.Answer.Members {
		dst = append(dst, m.Before...)
		if m.Affected {
			dst = strconv.AppendInt(dst, int64(affected), 10)
			continue
		}
		if dst, err = m.Returning.byKeys(ctx, w, c.Args, keys, dst); err != nil {
			return dst, err
		}
	}
	return append(dst, c.Answer.Tail...), nil
}

// wantsRows is whether the answer shows any row.
func (c *Change) wantsRows() bool {
	return c.One || slices.ContainsFunc(c.Answer.Members, func(m Member) bool { return m.Returning != nil })
}

// bounded refuses a bulk write of too many rows whose keys had to be kept.
func (w *writing) bounded(n int) error {
	if n > w.r.WriteRows {
		return fault.New(fault.Limit, "this would write %d rows; %d at once are the most where rules, validators or the answer need each row", n, w.r.WriteRows)
	}
	return nil
}

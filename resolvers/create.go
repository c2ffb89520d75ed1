package resolvers

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"slices"

	"github.com/google/uuid"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// create inserts the rows of a change and answers with them as they are stored.
func (w *writing) create(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	if len(c.Docs) > w.r.WriteRows {
		return dst, fault.New(fault.Limit, "%d rows are more than the %d that one write may insert", len(c.Docs), w.r.WriteRows)
	}
	if c.OnConflict != nil {
		return w.upsert(ctx, c, dst)
	}
	if takesLinks(c.Docs) {
		keys, err := w.insertNested(ctx, c)
		if err != nil {
			return dst, err
		}
		return w.answer(ctx, c, len(c.Docs), keys, dst)
	}
	keys, err := w.insert(ctx, c.Type, c.Docs, c.path, c.wantsRows())
	if err != nil {
		return dst, err
	}
	return w.answer(ctx, c, len(c.Docs), keys, dst)
}

// path is the way to a row of an insert in the input.
func (c *Change) path(i int) []any {
	if c.One {
		return []any{"doc"}
	}
	return []any{"docs", i}
}

// insert inserts rows of one type under its rules. The keys are there when they are wanted or
// were needed to look at the rows again.
func (w *writing) insert(ctx context.Context, t *schema.Type, docs []Doc, path func(int) []any, want bool) ([]schema.Value, error) {
	columns, ours := w.columns(t, docs)
	rows, err := w.fill(t, docs, columns, path)
	if err != nil {
		return nil, err
	}
	check, err := w.checks(t, query.Create, columns, ours)
	if err != nil {
		return nil, err
	}
	if w.alone(t) {
		if err := check.beforehand(ctx, w, query.Create, columns, columns, rows, path); err != nil {
			return nil, err
		}
		check = nothing(t)
	}
	written, err := w.write(ctx, query.Write{
		Verb: query.Create, Type: t, Columns: columns, Rows: rows, WantKeys: want || check.needed(), Readable: check.asksAfter(),
	}, nil, ours)
	if err != nil {
		return nil, cmp.Or(check.instead(ctx, w, err, columns, rows, path), err)
	}
	return written.Keys, check.run(ctx, w, written.Keys, path)
}

// columns are those that the rows of an insert fill, in the type's order: what any row gives
// and what the server fills; ours are those that no row gives.
func (w *writing) columns(t *schema.Type, docs []Doc) (columns, ours []*schema.Field) {
	given := make([]bool, len(t.Columns))
	for _, doc := range docs {
		for _, v := range doc {
			given[v.Field.Index] = true
		}
	}
	for i, f := range t.Columns {
		if given[i] || filled(f) {
			columns = append(columns, f)
			if !given[i] {
				ours = append(ours, f)
			}
		}
	}
	return columns, ours
}

// filled is whether the server has a value for a column that a row leaves out.
func filled(f *schema.Field) bool {
	return f.CreatedAt || f.UpdatedAt || f.IsVersion || f.Default != nil || f.DefaultExpr.Text != "" ||
		made(f)
}

// made is whether the server makes the key: an ID that the database does not make, and that is
// not the key of another row.
func made(f *schema.Field) bool {
	if !f.IsPrimary || f.Scalar != schema.ID || f.Assigned() {
		return false
	}
	return !slices.ContainsFunc(f.Owner.Fields, func(l *schema.Field) bool {
		return l.IsLink() && l.Link.Owns && slices.Contains(l.Link.From, f)
	})
}

// fill makes the rows of an insert, with all that is wrong in any of them as the error.
func (w *writing) fill(t *schema.Type, docs []Doc, columns []*schema.Field, path func(int) []any) ([][]schema.Value, error) {
	f := w.filler(t, columns)
	rows := make([][]schema.Value, len(docs))
	cells := make([]schema.Value, len(docs)*len(columns))
	given := make([]bool, len(columns))
	for i, doc := range docs {
		rows[i] = cells[i*len(columns) : (i+1)*len(columns)]
		clear(given)
		f.row(rows[i], given, doc)
		f.check(rows[i], func() []any { return path(i) })
	}
	return rows, f.wrong.err()
}

func (w *writing) filler(t *schema.Type, columns []*schema.Field) *filler {
	place := make([]int, len(t.Columns))
	for i := range place {
		place[i] = -1
	}
	for i, f := range columns {
		place[f.Index] = i
	}
	return &filler{w: w, typ: t, columns: columns, place: place, now: stamp(w.caller.Now)}
}

// filler fills rows of one type.
type filler struct {
	w       *writing
	typ     *schema.Type
	columns []*schema.Field
	place   []int // by Field.Index: the place in columns, or -1
	now     schema.Value
	wrong   violations
	pending map[*schema.Field]bool // columns that get their value later
	// absent are columns that the last row leaves to the database, while another row gives them:
	// one statement cannot say both.
	absent []*schema.Field
}

// row fills one row: what is given, what the server sets, and what has a default.
func (f *filler) row(row []schema.Value, given []bool, doc Doc) {
	for _, v := range doc {
		row[f.place[v.Field.Index]], given[f.place[v.Field.Index]] = v.Value, true
	}
	computed := false
	f.absent = f.absent[:0]
	for i, c := range f.columns {
		switch {
		case given[i]:
		case c.CreatedAt || c.UpdatedAt:
			row[i] = f.now
		case c.IsVersion:
			row[i] = schema.Integer(1)
		case c.Default != nil:
			row[i] = *c.Default
		case c.DefaultExpr.Text != "":
			computed = true
		case c.DefaultSQL != "":
			f.absent = append(f.absent, c)
		case c.IsPrimary && made(c):
			row[i] = schema.Text(f.id(c))
		}
	}
	if computed {
		f.compute(row, given)
	}
}

// id is a key that nobody else has, ascending with time: a UUIDv7 or, where MongoDB holds an ObjectId, one
// of those in hexadecimal digits.
func (f *filler) id(key *schema.Field) string {
	if key.Native != generator.ObjectID {
		return uuid.Must(uuid.NewV7()).String()
	}
	var id [12]byte
	binary.BigEndian.PutUint32(id[:], uint32(f.w.caller.Now.Unix()))
	_, _ = rand.Read(id[4:]) // it never fails
	return hex.EncodeToString(id[:])
}

// compute fills the defaults that are expressions, which see the rest of the row.
func (f *filler) compute(row []schema.Value, given []bool) {
	values, err := f.w.r.Rules.Defaults(f.w.caller, f.typ, func(c *schema.Field) (schema.Value, bool) {
		i := f.place[c.Index]
		if i < 0 {
			return schema.Null, false
		}
		return row[i], given[i]
	})
	f.wrong.add(err)
	for _, v := range values {
		row[f.place[v.Field.Index]] = v.Value
	}
}

// check validates a row as it will be stored; path is asked for the way to it when something is
// wrong.
func (f *filler) check(row []schema.Value, path func() []any) {
	for i, c := range f.columns {
		if f.pending[c] || slices.Contains(f.absent, c) {
			continue
		}
		f.wrong.field(c, row[i], path)
	}
	for _, c := range f.absent {
		if f.pending[c] {
			continue
		}
		f.wrong.ofAt(c, "default", "has to be given in all rows or in none, for its default is the database's", slices.Concat(path(), []any{c.Name}), nil)
	}
	for _, c := range f.typ.Columns {
		if f.place[c.Index] < 0 && c.NonNull && !c.Assigned() {
			f.wrong.field(c, schema.Null, path)
		}
	}
}

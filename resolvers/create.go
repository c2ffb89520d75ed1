package resolvers

import (
	"context"

	"github.com/google/uuid"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// create inserts the rows of a change and answers with them as they are stored.
func (w *writing) create(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	if len(c.Docs) > w.r.WriteRows {
		return dst, fault.New(fault.Limit, "%d rows are more than the %d that one write may insert", len(c.Docs), w.r.WriteRows)
	}
	columns, ours := w.columns(c)
	rows, err := w.fill(c, columns)
	if err != nil {
		return dst, err
	}
	check, err := w.checks(c.Type, query.Create, columns, ours)
	if err != nil {
		return dst, err
	}
	written, err := w.write(ctx, query.Write{
		Verb: query.Create, Type: c.Type, Columns: columns, Rows: rows,
		WantKeys: c.wantsRows() || check.needed(),
	}, nil, ours)
	if err != nil {
		return dst, err
	}
	if err := check.run(ctx, w, written.Keys); err != nil {
		return dst, err
	}
	return w.answer(ctx, c, len(c.Docs), written.Keys, dst)
}

// columns are those that the rows of an insert fill, in the type's order: what any row gives
// and what the server fills; ours are those that no row gives.
func (w *writing) columns(c *Change) (columns, ours []*schema.Field) {
	given := make([]bool, len(c.Type.Columns))
	for _, doc := range c.Docs {
		for _, v := range doc {
			given[v.Field.Index] = true
		}
	}
	for i, f := range c.Type.Columns {
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
		f.IsPrimary && f.Scalar == schema.ID && !f.AutoIncrement
}

// fill makes the rows of an insert, with all that is wrong in any of them as the error.
func (w *writing) fill(c *Change, columns []*schema.Field) ([][]schema.Value, error) {
	place := make([]int, len(c.Type.Columns))
	for i := range place {
		place[i] = -1
	}
	for i, f := range columns {
		place[f.Index] = i
	}
	f := &filler{w: w, typ: c.Type, columns: columns, place: place, now: stamp(w.caller.Now)}
	rows := make([][]schema.Value, len(c.Docs))
	cells := make([]schema.Value, len(c.Docs)*len(columns))
	given := make([]bool, len(columns))
	for i, doc := range c.Docs {
		rows[i] = cells[i*len(columns) : (i+1)*len(columns)]
		clear(given)
		f.row(rows[i], given, doc)
		path := []any{"doc"}
		if !c.One {
			path = []any{"docs", i}
		}
		f.check(rows[i], path)
	}
	return rows, f.wrong.err()
}

// filler fills rows of one type.
type filler struct {
	w       *writing
	typ     *schema.Type
	columns []*schema.Field
	place   []int // by Field.Index: the place in columns, or -1
	now     schema.Value
	wrong   violations
}

// row fills one row: what is given, what the server sets, and what has a default.
func (f *filler) row(row []schema.Value, given []bool, doc Doc) {
	for _, v := range doc {
		row[f.place[v.Field.Index]], given[f.place[v.Field.Index]] = v.Value, true
	}
	computed := false
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
		case c.IsPrimary && c.Scalar == schema.ID:
			row[i] = schema.Text(uuid.Must(uuid.NewV7()).String())
		}
	}
	if computed {
		f.compute(row, given)
	}
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

// check validates a row as it will be stored.
func (f *filler) check(row []schema.Value, path []any) {
	for i, c := range f.columns {
		f.wrong.field(c, row[i], path)
	}
	for _, c := range f.typ.Columns {
		if f.place[c.Index] < 0 && c.NonNull && !c.AutoIncrement {
			f.wrong.field(c, schema.Null, path)
		}
	}
}

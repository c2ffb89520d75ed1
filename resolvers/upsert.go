package resolvers

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Conflict says what an insert does with a row that is there already.
type Conflict struct {
	Target []*schema.Field // the unique key that tells whether it is
	Update []*schema.Field // the columns to update, as far as the row gives them
	All    bool            // every column that the row gives, instead of Update
}

// upsert inserts the rows that are not there, and updates those that are. Where a transaction does
// not hold the lock for all writers, a row may have come between, and it begins again.
func (w *writing) upsert(ctx context.Context, c *Change, dst []byte) ([]byte, error) {
	for i, doc := range c.Docs {
		for _, v := range doc {
			if v.Link != nil {
				return dst, fault.New(fault.Invalid, "a row that may be there already takes no other rows along; write them after it").
					At(append(c.path(i), v.Field.Name)...)
			}
		}
	}
	if err := w.mayAsk(c.OnConflict.Target); err != nil {
		return dst, below([]any{"onConflict", "target"}, err)
	}
	there, err := w.existing(ctx, c)
	if err != nil {
		return dst, err
	}
	var fresh []Doc
	var freshAt []int
	done := make([]bool, len(c.Docs)) // rows that are inserted, and later those that are updated
	for i, doc := range c.Docs {
		if there[i] == nil {
			fresh, freshAt, done[i] = append(fresh, doc), append(freshAt, i), true
		}
	}
	affected := len(fresh)
	if len(fresh) > 0 {
		keys, err := w.insert(ctx, c.Type, fresh, func(i int) []any { return c.path(freshAt[i]) }, c.wantsRows())
		if err != nil {
			return dst, c.OnConflict.raced(err)
		}
		n := len(c.Type.Primary)
		for i, at := range freshAt {
			if len(keys) > 0 {
				there[at] = keys[i*n : (i+1)*n]
			}
		}
	}
	updated, err := w.updateExisting(ctx, c, there, done)
	if err != nil {
		return dst, err
	}
	affected += updated
	var keys []schema.Value
	for i := range c.Docs {
		if c.One || done[i] {
			keys = append(keys, there[i]...)
		}
	}
	return w.answer(ctx, c, affected, keys, dst)
}

// raced is the error of an insert, which is to be done again when a row of the same key has come
// since it was looked for.
func (c *Conflict) raced(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Kind == fault.Conflict {
		fields, _ := f.Details["fields"].([]string)
		if slices.EqualFunc(c.Target, fields, func(f *schema.Field, name string) bool { return f.Name == name }) {
			return driver.Retry(err)
		}
	}
	return err
}

// existing is for each row the primary key of the one that is there, or nil.
func (w *writing) existing(ctx context.Context, c *Change) ([][]schema.Value, error) {
	there := make([][]schema.Value, len(c.Docs))
	target := c.OnConflict.Target
	var keys []schema.Value
	var places []int
	seen := map[string]int{}
	for i, doc := range c.Docs {
		key, err := w.target(c, doc)
		if err != nil {
			return nil, err
		}
		if anyNull(key) {
			continue // no key, no conflict
		}
		p := packed(key)
		if first, twice := seen[p]; twice {
			return nil, fault.New(fault.Invalid, "docs %d and %d are the same %s: both have this %s", first, i, c.Type.Name, names(target)).At("docs", i, target[0].Name)
		}
		seen[p] = i
		keys, places = append(keys, key...), append(places, i)
	}
	l := by(c.Type, target, c.Type.Primary, true)
	l.Lock = true
	err := w.lookup(ctx, l, keys, func(ordinal int, row []schema.Value) error {
		there[places[ordinal]] = row
		return nil
	})
	return there, err
}

// target is the key by which a row would be there: what it gives, or has by default. What the server makes
// anew is none.
func (w *writing) target(c *Change, doc Doc) ([]schema.Value, error) {
	get := func(f *schema.Field) (schema.Value, bool) {
		for _, v := range doc {
			if v.Field == f {
				return v.Value, true
			}
		}
		if f.Default != nil {
			return *f.Default, true
		}
		return schema.Null, false
	}
	key := make([]schema.Value, len(c.OnConflict.Target))
	for i, f := range c.OnConflict.Target {
		var given bool
		if key[i], given = get(f); given || f.DefaultExpr.Text == "" {
			continue
		}
		filled, err := w.r.Rules.Defaults(w.caller, c.Type, get)
		if err != nil {
			return nil, err
		}
		for _, d := range filled {
			if d.Field == f {
				key[i] = d.Value
			}
		}
	}
	return key, nil
}

// updateExisting updates the rows that were there, those that give the same columns at once,
// and marks as done those that had something to update.
func (w *writing) updateExisting(ctx context.Context, c *Change, there [][]schema.Value, done []bool) (int, error) {
	var wrong violations
	groups := map[string]*rowGroup{}
	var order []*rowGroup
	written := 0
	for i, doc := range c.Docs {
		if done[i] {
			continue
		}
		var columns []*schema.Field
		row := slices.Clone(there[i])
		for _, f := range c.Type.Columns {
			for _, v := range doc {
				if v.Field == f && c.OnConflict.updates(f) {
					wrong.field(f, v.Value, func() []any { return c.path(i) })
					columns, row = append(columns, f), append(row, v.Value)
				}
			}
		}
		if len(columns) == 0 {
			continue
		}
		written++
		done[i] = true
		g := groups[names(columns)]
		if g == nil {
			g = &rowGroup{typ: c.Type, columns: columns}
			groups[names(columns)], order = g, append(order, g)
		}
		g.rows, g.places = append(g.rows, row), append(g.places, i)
	}
	if err := wrong.err(); err != nil {
		return 0, err
	}
	for _, g := range order {
		l, err := w.updateRows(ctx, g, nil, c.path)
		if err != nil {
			return 0, err
		}
		if err := l.check.run(ctx, w, l.keys, l.path); err != nil {
			return 0, err
		}
	}
	return written, nil
}

func (c *Conflict) updates(f *schema.Field) bool {
	if f.IsPrimary || slices.Contains(c.Target, f) {
		return false
	}
	return c.All || slices.Contains(c.Update, f)
}

// rowGroup are rows to update, all in the same columns.
type rowGroup struct {
	typ     *schema.Type
	columns []*schema.Field
	rows    [][]schema.Value // the primary key, then the columns
	places  []int            // of each row, for its path
}

// keys are the primary keys of the rows.
func (g *rowGroup) keys() (keys []schema.Value) {
	for _, row := range g.rows {
		keys = append(keys, row[:len(g.typ.Primary)]...)
	}
	return keys
}

// updateRows updates rows by their keys, under the rule before and after: each of them, or none.
// Links are those that the caller went along, whose rules count as well. What the rows must be
// like afterwards is for the caller to check.
func (w *writing) updateRows(ctx context.Context, g *rowGroup, links []*schema.Field, path func(int) []any) (later, error) {
	check, err := w.checks(g.typ, query.Update, slices.Concat(g.columns, links), nil)
	if err != nil {
		return later{}, err
	}
	set := w.own(g.typ)
	if w.alone(g.typ) {
		rows := [][]schema.Value{g.rows[0][len(g.typ.Primary):]} // there is no other
		if err := check.beforehand(ctx, w, query.Update, slices.Concat(g.columns, fieldsOf(set)), g.columns, rows, func(i int) []any { return path(g.places[i]) }); err != nil {
			return later{}, err
		}
		check = nothing(g.typ)
	}
	written, err := w.write(ctx, query.Write{
		Verb: query.Update, Type: g.typ, Columns: slices.Concat(g.typ.Primary, g.columns), Rows: g.rows, Set: set, WantKeys: true,
		Readable: check.asksAfter() && constrained(g.typ, g.columns),
	}, nil, fieldsOf(set))
	n := len(g.typ.Primary)
	place := func(i int) []any { return path(g.places[i]) }
	if err != nil {
		o := overwrite{g.columns, func(i int) []schema.Value { return g.rows[i][n:] }, fieldsOf(set)}
		return later{}, cmp.Or(o.insteadOf(ctx, w, err, check, g.keys(), place), err)
	}
	if written.Affected < len(g.rows) {
		reached := map[string]bool{}
		for key := range slices.Chunk(written.Keys, n) {
			reached[packed(key)] = true
		}
		for i, row := range g.rows {
			if !reached[packed(row[:n])] {
				return later{}, fault.New(fault.Denied, "update of this %s is not allowed", g.typ.Name).At(place(i)...)
			}
		}
	}
	return later{check, g.keys(), place}, nil
}

func names(fields []*schema.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return strings.Join(out, " and ")
}

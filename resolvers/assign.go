package resolvers

import (
	"context"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Assign is one change of a column by an update, the value a constant or, of a rename, the
// column that it comes from.
type Assign struct {
	query.Assign
	At []any // the way to it in the input: "inc", "views"
}

// assignments are what the caller changes, validated, and what the server does.
func (w *writing) assignments(c *Change) ([]query.Assign, error) {
	if len(c.Set) == 0 {
		return nil, fault.New(fault.Invalid, "nothing to change: the operators name no field")
	}
	var wrong violations
	own := w.own(c.Type)
	set := make([]query.Assign, 0, len(c.Set)+len(own))
	for _, a := range c.Set {
		if slices.ContainsFunc(set, func(b query.Assign) bool { return a.Field == b.Field }) {
			return nil, fault.New(fault.Invalid, "%s.%s is changed twice; one operator a field", c.Type.Name, a.Field.Name).At(a.At...)
		}
		set = append(set, a.Assign)
		wrong.assign(a)
	}
	return append(set, own...), wrong.err()
}

// own is what the server changes in every row that is updated.
func (w *writing) own(t *schema.Type) []query.Assign {
	var set []query.Assign
	for _, f := range t.Columns {
		switch {
		case f.UpdatedAt:
			set = append(set, query.Assign{Field: f, Value: query.Const(stamp(w.caller.Now))})
		case f.IsVersion:
			set = append(set, query.Assign{Field: f, Op: query.Inc, Value: query.Const(schema.Integer(1))})
		}
	}
	return set
}

// assign validates what is known before the database computes.
func (v *violations) assign(a Assign) {
	value := a.Value.Value
	switch {
	case a.Value.Kind == query.Column:
	case a.Op == query.Set:
		v.fieldAt(a.Field, value, a.At)
	case value.IsNull():
		v.ofAt(a.Field, "required", "cannot be changed by null", a.At, nil)
	case a.Op == query.Push:
		elements := *a.Field
		elements.Size = nil // of the whole list, which is looked at afterwards
		v.fieldAt(&elements, value, a.At)
	}
}

// computed adds the validators of every column whose new value the database computes.
func (c *check) computed(set []Assign) {
	for _, a := range set {
		f := a.Field
		switch {
		case a.Op == query.Set && a.Value.Kind == query.Column:
			if f.Range != nil || f.Size != nil || f.Match != "" || f.Format != "" || f.MaxLength() > 0 {
				c.rereads(a)
			}
		case a.Op == query.Set:
		case f.List && f.Size != nil:
			c.rereads(a)
		case f.Range != nil && !f.List:
			c.levels = append(c.levels, failing{
				level: outside(f),
				fault: fault.New(fault.Validation, "%s.%s would leave its range", f.Owner.Name, f.Name).With("rule", rangeRule(f)).At(a.At...),
			})
		}
	}
}

// reread validates columns as they are stored.
type reread struct {
	columns []Assign
}

func (c *check) rereads(a Assign) {
	if c.reread == nil {
		c.reread = &reread{}
	}
	c.reread.columns = append(c.reread.columns, a)
}

// run is all that is wrong in the columns of the rows of keys, once for each column.
func (r *reread) run(ctx context.Context, w *writing, keys []schema.Value) error {
	if r == nil || len(keys) == 0 {
		return nil
	}
	l := query.Level{Type: r.columns[0].Field.Owner, Via: &query.Via{Single: true}}
	for _, a := range r.columns {
		l.Columns = append(l.Columns, query.Cell{Field: a.Field})
	}
	var wrong violations
	said := make([]bool, len(r.columns))
	err := w.read(ctx, rules.System(l), keys, func(rows driver.Rows) error {
		for i, a := range r.columns {
			before := len(wrong.list)
			if !said[i] {
				wrong.fieldAt(a.Field, rows.Value(i), a.At)
			}
			said[i] = said[i] || len(wrong.list) > before
		}
		return nil
	})
	if err != nil {
		return err
	}
	return wrong.err()
}

func fieldsOf(set []query.Assign) []*schema.Field {
	fields := make([]*schema.Field, len(set))
	for i, a := range set {
		fields[i] = a.Field
	}
	return fields
}

func equals(f *schema.Field, v schema.Value) query.Where {
	return query.Compare{Left: query.Col(f), Op: query.Eq, Right: query.Operand{Kind: query.Constant, Value: v, Scalar: f.Scalar}}
}

func versionOf(t *schema.Type) *schema.Field {
	for _, f := range t.Columns {
		if f.IsVersion {
			return f
		}
	}
	return nil
}

// stale is the conflict of a change by key whose row is there, and may be changed, but has
// another version; nil where that is not the reason.
func (w *writing) stale(ctx context.Context, c *Change) error {
	whatever := *c
	whatever.IfVersion = schema.Null
	keys, err := w.find(ctx, &whatever, c.Verb)
	if err != nil || len(keys) == 0 {
		return err
	}
	version := versionOf(c.Type)
	l := query.Level{Type: c.Type, Columns: []query.Cell{{Field: version}}, Via: &query.Via{Single: true}}
	narrowed, err := w.r.Rules.Level(w.caller, query.Read, l)
	now := schema.Null
	if err == nil {
		err = w.read(ctx, narrowed, keys, func(rows driver.Rows) error { now = rows.Value(0); return nil })
	}
	switch {
	case err != nil && !refused(err):
		return err
	case now.IsNull():
		return fault.New(fault.Conflict, "this %s has changed: it is not at version %s any more", c.Type.Name, c.IfVersion).At("ifVersion")
	}
	return fault.New(fault.Conflict, "this %s has changed: it is at version %s, not %s", c.Type.Name, now, c.IfVersion).
		With("version", now.Int()).At("ifVersion")
}

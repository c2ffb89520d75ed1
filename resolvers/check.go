package resolvers

import (
	"context"
	"encoding/json"
	"slices"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// check is what rows must be like after a write: each level finds those that are not.
type check struct {
	typ    *schema.Type
	levels []failing
	reread *reread // of columns whose new values only the database knows; nil for none
}

// failing is a level that finds rows which fail, among given keys, and what to say then.
type failing struct {
	level rules.Narrowed
	fault *fault.Error
	link  *schema.Field // that leads to no row, where that is what is wrong
}

// checks are the row rule of a write and the @check rules of its type, as far as the claims
// leave anything to look at, and between them the links that no foreign key checks: as one does, they
// say a conflict to those whom the rule allows the row.
func (w *writing) checks(t *schema.Type, verb query.Verb, written, ours []*schema.Field) (*check, error) {
	c := &check{typ: t}
	filled := written
	written = slices.DeleteFunc(slices.Clone(written), func(f *schema.Field) bool { return slices.Contains(ours, f) })
	after, needed, err := w.r.Rules.After(w.caller, t, verb, written...)
	if err != nil {
		return nil, err
	}
	if needed {
		c.levels = append(c.levels, failing{level: after, fault: w.r.Rules.Refusal(w.caller, t, verb, written...)})
	}
	for _, f := range t.Fields {
		if f.IsKept() && !f.Link.Enforced && slices.ContainsFunc(f.Link.From, func(k *schema.Field) bool { return slices.Contains(filled, k) }) {
			c.levels = append(c.levels, failing{
				level: orphaned(f), link: f,
				fault: fault.New(fault.Conflict, "the %s of this %s is not there", f.Name, t.Name).With("fields", []string{f.Name}),
			})
		}
	}
	for _, k := range w.r.Rules.Checks(t) {
		c.levels = append(c.levels, failing{level: k.Broken, fault: fault.New(fault.Validation, "%s", k.Message)})
	}
	return c, nil
}

// instead is what to say instead of an insert's error; nil for that error. Path is the way to a row in
// the input.
func (c *check) instead(ctx context.Context, w *writing, err error, columns []*schema.Field, rows [][]schema.Value, path func(int) []any) error {
	if fault.KindOf(err) != fault.Conflict {
		return nil
	}
	return c.refuses(ctx, w, columns, rows, path)
}

// asksAfter is whether instead has something to ask.
func (c *check) asksAfter() bool {
	return slices.ContainsFunc(c.levels, failing.isRule)
}

func (l failing) isRule() bool { return l.fault.Kind == fault.Denied }

// ofRules is what the rules ask, and nothing else.
func (c *check) ofRules() *check {
	return &check{typ: c.typ, levels: slices.DeleteFunc(slices.Clone(c.levels), func(l failing) bool { return !l.isRule() })}
}

// refuses is the refusal of a row that could not be written, where its rule would not have allowed
// it: a conflict would tell who may not make the row what else is there. Nil where the rule
// allows them all. It is the refusal that run gives, to the letter.
func (c *check) refuses(ctx context.Context, w *writing, columns []*schema.Field, rows [][]schema.Value, path func(int) []any) error {
	for _, l := range c.ofRules().levels {
		if err := l.given(ctx, w, columns, rows, path); err != nil {
			return err
		}
	}
	return nil
}

// orphaned finds rows that point by a link to a row that is not there.
func orphaned(link *schema.Field) rules.Narrowed {
	var where query.And
	for _, key := range link.Link.From {
		where = append(where, query.Not{Where: query.IsNull{Operand: query.Col(key)}})
	}
	where = append(where, query.Not{Where: query.Some{Link: link, Where: query.True}})
	return amongKeys(link.Owner, where)
}

// amongKeys asks which of given primary keys have rows that meet a condition.
func amongKeys(t *schema.Type, w query.Where) rules.Narrowed {
	l := query.Level{Type: t, Where: w, Via: &query.Via{Single: true}}
	for _, key := range t.Primary {
		l.Columns = append(l.Columns, query.Cell{Field: key})
	}
	return rules.System(l)
}

// outside finds rows of which a column is outside its range.
func outside(f *schema.Field) rules.Narrowed {
	var out query.Or
	bound := func(op query.Op, text string) {
		if text == "" {
			return
		}
		v, err := schema.CoerceScalar(f.Scalar, nil, json.Number(text))
		if err == nil {
			out = append(out, query.Compare{Left: query.Col(f), Op: op, Right: query.Const(v)})
		}
	}
	bound(query.Lt, f.Range.Min)
	bound(query.Gt, f.Range.Max)
	return amongKeys(f.Owner, out)
}

func rangeRule(f *schema.Field) string {
	switch {
	case f.Range.Max == "":
		return "range(min: " + f.Range.Min + ")"
	case f.Range.Min == "":
		return "range(max: " + f.Range.Max + ")"
	}
	return "range(min: " + f.Range.Min + ", max: " + f.Range.Max + ")"
}

func (c *check) needed() bool { return len(c.levels) > 0 || c.reread != nil }

// run fails if a row of keys does; path, when there is one, is the way to the row of an ordinal in
// the input. A no of the rules is said alone, violations all at once.
func (c *check) run(ctx context.Context, w *writing, keys []schema.Value, path func(int) []any) error {
	if len(keys) == 0 {
		return nil
	}
	var wrong violations
	for _, l := range c.levels {
		err := w.read(ctx, l.level, keys, func(rows driver.Rows) error {
			if path == nil || l.fault.Kind == fault.Conflict { // no database says of which row a constraint speaks
				return l.fault
			}
			f := l.fault.At(slices.Concat(path(rows.Parent()), l.fault.Path)...)
			if f.Kind == fault.Denied {
				return f
			}
			wrong.add(f)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := wrong.err(); err != nil {
		return err
	}
	return c.reread.run(ctx, w, keys)
}

package resolvers

import (
	"context"
	"encoding/binary"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// by is a level that finds the rows of a type by the values of some of its columns, which are
// Binding.Keys.
func by(t *schema.Type, key, columns []*schema.Field, single bool) query.Level {
	l := query.Level{Type: t, Via: &query.Via{Single: single, Link: &schema.Field{
		Name: "by", Owner: t, Index: -1, Link: &schema.Link{Target: t, Many: !single, From: key, To: key},
	}}}
	for _, f := range columns {
		l.Columns = append(l.Columns, query.Cell{Field: f})
	}
	return l
}

// lookup calls do with each row that has one of the given keys; the server asks, no rule does.
func (w *writing) lookup(ctx context.Context, l query.Level, keys []schema.Value, do func(ordinal int, row []schema.Value) error) error {
	if len(keys) == 0 {
		return nil
	}
	return w.read(ctx, rules.System(l), keys, func(rows driver.Rows) error {
		row := make([]schema.Value, len(l.Columns))
		for i, c := range l.Columns {
			var err error
			if row[i], err = typed(rows, i, c.Field); err != nil {
				return err
			}
		}
		return do(rows.Parent(), row)
	})
}

// typed is a cell that a change depends on: where it does not fit there is no change.
func typed(rows driver.Rows, cell int, f *schema.Field) (schema.Value, error) {
	v := rows.Value(cell)
	if v.IsNull() {
		if m := rows.Misfit(cell); m.Found != "" {
			return v, fault.New(fault.Internal, "%s.%s is %s in the %[1]s %[4]s, where the schema says %[5]s", f.Owner.Name, f.Name, m.Found, m.Key, f.TypeText())
		}
	}
	return v, nil
}

// packed is a key in a form that can be compared.
func packed(values []schema.Value) string {
	var out []byte
	for _, v := range values {
		out = append(out, byte(v.Kind()))
		out = binary.BigEndian.AppendUint64(out, uint64(v.Int()))
		out = binary.BigEndian.AppendUint64(out, uint64(len(v.Text())))
		out = append(out, v.Text()...)
	}
	return string(out)
}

func anyNull(values []schema.Value) bool {
	for _, v := range values {
		if v.IsNull() {
			return true
		}
	}
	return false
}

// mayAsk refuses to look rows up by columns that the caller may not read in every row: whether
// one is found would tell what they hold.
func (w *writing) mayAsk(key []*schema.Field) error {
	for _, f := range key {
		if w.r.Rules.Visible(w.caller, f) == nil {
			continue
		}
		no := fault.New(fault.Denied, "read of %s.%s is not allowed, so no row can be named by it", f.Owner.Name, f.Name)
		if !w.caller.SignedIn {
			no = fault.New(fault.Unauthenticated, "read of %s.%s needs a token, so no row can be named by it", f.Owner.Name, f.Name)
		}
		no.Rules = w.r.Rules.Named(rules.Use{Type: f.Owner, Field: f, Verb: query.Read})
		return no
	}
	return nil
}

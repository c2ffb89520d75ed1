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

// alone is whether rows of a type are in a database without transactions, where nothing that is
// written can be taken back: a request writes one row there, and what that row must be like has
// to be known before.
func (w *writing) alone(t *schema.Type) bool { return !w.db(t).Driver().Features().Transactions }

// needsTransactions is the refusal of what a database without transactions cannot do safely.
func (w *writing) needsTransactions(t *schema.Type, format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, "database %s has no transactions: "+format, append([]any{w.db(t).Name()}, args...)...)
}

// separable refuses changes that would write more than one row where there are no transactions,
// before the first is made.
func (w *writing) separable(changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if !w.alone(c.Type) {
			continue
		}
		switch {
		case len(changes) > 1:
			return under(c.Name, w.needsTransactions(c.Type, "a request makes one change there; send one request for each"))
		case len(c.Docs) > 1, c.Verb != query.Create && !c.One:
			return under(c.Name, w.needsTransactions(c.Type, "a request writes one row there, by its key; send one request for each"))
		case len(c.Links) > 0, takesLinks(c.Docs):
			return under(c.Name, w.needsTransactions(c.Type, "a request writes one row there, and none along its links; send one request for each"))
		}
	}
	return nil
}

// beforehand asks before a write what else is asked after it. Columns and rows are the values that
// are known, written all columns that get one. What cannot be known before is refused.
func (c *check) beforehand(ctx context.Context, w *writing, verb query.Verb, written, columns []*schema.Field, rows [][]schema.Value, path func(int) []any) error {
	if c.reread != nil {
		return w.needsTransactions(c.typ, "what this would make of %s.%s is known only when it is done; set it to a value", c.typ.Name, c.reread.columns[0].Field.Name)
	}
	for _, l := range c.levels {
		isKnown := verb == query.Create && !query.LooksElsewhere(l.level.Level().Where)
		if l.link != nil {
			isKnown = verb == query.Create || isSubset(l.link.Link.From, columns)
		}
		switch {
		case isKnown:
			if err := l.given(ctx, w, columns, rows, path); err != nil {
				return err
			}
		case verb == query.Update && l.link == nil && !l.reads(written): // it holds as it did before, under the rule
		default:
			return w.needsTransactions(c.typ, "whether this %s of a %s is allowed can be known only when it is done", verb, c.typ.Name)
		}
	}
	return nil
}

// nothing is the check of a row of which all was asked beforehand.
func nothing(t *schema.Type) *check { return &check{typ: t} }

// given asks a level of rows that are not stored yet.
func (l failing) given(ctx context.Context, w *writing, columns []*schema.Field, rows [][]schema.Value, path func(int) []any) error {
	level := *l.level.Level()
	level.Via, level.Given = nil, columns
	for i, row := range rows {
		err := w.read(ctx, rules.System(level), row, func(driver.Rows) error {
			if path == nil || l.fault.Kind == fault.Conflict {
				return l.fault
			}
			return l.fault.At(slices.Concat(path(i), l.fault.Path)...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// reads is whether a level looks at one of some columns, or at other rows.
func (l failing) reads(columns []*schema.Field) bool {
	return query.LooksElsewhere(l.level.Level().Where) || l.names(columns)
}

// names is whether a level looks at one of some columns.
func (l failing) names(columns []*schema.Field) bool {
	found := false
	query.Walk(l.level.Level(), func(o query.Operand) {
		f := o.Field
		if len(o.Inside) > 0 {
			f = o.Inside[0]
		}
		found = found || o.Kind == query.Column && slices.Contains(columns, f)
	})
	return found
}

// constants are the columns that an update sets to values, and the values.
func constants(set []query.Assign) (columns []*schema.Field, row []schema.Value) {
	for _, a := range set {
		if a.Op == query.Set && a.Value.Kind == query.Constant {
			columns, row = append(columns, a.Field), append(row, a.Value.Value)
		}
	}
	return columns, row
}

func isSubset(some, of []*schema.Field) bool {
	return !slices.ContainsFunc(some, func(f *schema.Field) bool { return !slices.Contains(of, f) })
}

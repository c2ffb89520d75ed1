package resolvers

import (
	"context"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Judge is what rules of a type say to a caller of the stored row of a primary key. What the claims leave
// open is asked of the database, all in one statement, whatever the caller may read. Without such a row the
// error is fault.NotFound.
func (r *Resolvers) Judge(ctx context.Context, c *auth.Caller, t *schema.Type, key []schema.Value, uses []rules.Use) ([]rules.Explained, error) {
	x := explainer{r: r, caller: c}
	l := query.Level{Type: t, Columns: []query.Cell{{Field: t.Primary[0]}}}
	all := make([]rules.Explained, len(uses))
	var open []*rules.Clause
	for i, u := range uses {
		all[i] = r.Rules.Explain(c, u)
		for _, leaf := range all[i].Clause.Leaves() {
			if known, ok := leaf.Left.(query.Truth); ok {
				leaf.Is = known
				continue
			}
			open = append(open, leaf)
			for _, when := range []query.Where{leaf.Left, query.Not{Where: leaf.Left}} {
				l.Columns = append(l.Columns, query.Cell{Field: t.Primary[0], When: when})
			}
		}
	}
	var is query.And
	for i, f := range t.Primary {
		is = append(is, equals(f, key[i]))
	}
	l.Where = is
	row, err := x.row(ctx, l)
	if err != nil {
		return nil, err
	}
	for i, leaf := range open {
		leaf.Is = truthOf(row[2*i+1], row[2*i+2])
	}
	for i := range all {
		all[i].Clause.Join()
	}
	return all, nil
}

// truthOf is the truth of a condition by two cells, one shown where it is true and one where it is false.
func truthOf(where, unless schema.Value) query.Truth {
	switch {
	case !where.IsNull():
		return query.True
	case !unless.IsNull():
		return query.False
	}
	return query.Unknown
}

// row is the one row of a level, past the rules.
func (x *explainer) row(ctx context.Context, l query.Level) ([]schema.Value, error) {
	p, err := x.r.prepare(rules.System(l))
	if err != nil {
		return nil, err
	}
	lend := func(ctx context.Context, db *database.DB, do func(driver.Reader) error) error {
		return db.View(ctx, do)
	}
	statement, b, err := p.ready(ctx, lend, answers{}, x.binding(&l, nil))
	if err != nil {
		return nil, err
	}
	var row []schema.Value
	err = p.db.View(ctx, func(r driver.Reader) error {
		return each(ctx, r, statement, b, func(rows driver.Rows) error {
			for i := range l.Columns {
				row = append(row, rows.Value(i))
			}
			return nil
		})
	})
	if err == nil && row == nil {
		err = fault.New(fault.NotFound, "there is no such %s", l.Type.Name)
	}
	return row, err
}

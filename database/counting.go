package database

import (
	"context"
	"sync/atomic"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
)

// Counting counts what a driver is asked, for tests: round trips must be as many as levels,
// whatever the number of rows.
type Counting struct {
	driver.Driver
	finds, writes, views, begins atomic.Int64
}

// Count decorates a driver.
func Count(d driver.Driver) *Counting { return &Counting{Driver: d} }

// Counts are how many statements ran and how many connections were lent since the last Reset.
type Counts struct{ Finds, Writes, Views, Begins int }

// Counts are the counts until now.
func (c *Counting) Counts() Counts {
	return Counts{int(c.finds.Load()), int(c.writes.Load()), int(c.views.Load()), int(c.begins.Load())}
}

// Reset starts again from 0.
func (c *Counting) Reset() {
	for _, n := range []*atomic.Int64{&c.finds, &c.writes, &c.views, &c.begins} {
		n.Store(0)
	}
}

// Unwrap is the driver that is counted, for its optional powers.
func (c *Counting) Unwrap() driver.Driver { return c.Driver }

// View counts itself and what its reader runs.
func (c *Counting) View(ctx context.Context, do func(driver.Reader) error) error {
	c.views.Add(1)
	return c.Driver.View(ctx, func(r driver.Reader) error { return do(countingReader{r, c}) })
}

// Begin counts itself and what its transaction runs.
func (c *Counting) Begin(ctx context.Context) (driver.Tx, error) {
	c.begins.Add(1)
	tx, err := c.Driver.Begin(ctx)
	if err != nil {
		return nil, err
	}
	return countingTx{tx, c}, nil
}

type countingReader struct {
	driver.Reader
	counts *Counting
}

func (r countingReader) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	r.counts.finds.Add(1)
	return r.Reader.Find(ctx, s, b)
}

type countingTx struct {
	driver.Tx
	counts *Counting
}

func (t countingTx) Find(ctx context.Context, s driver.Statement, b query.Binding) (driver.Rows, error) {
	t.counts.finds.Add(1)
	return t.Tx.Find(ctx, s, b)
}

func (t countingTx) Write(ctx context.Context, w rules.NarrowedWrite, b query.Binding) (driver.Written, error) {
	t.counts.writes.Add(1)
	return t.Tx.Write(ctx, w, b)
}

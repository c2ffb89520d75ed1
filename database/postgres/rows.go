package postgres

import (
	"strconv"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/schema"
)

// rows read an answer where it stands: cells are encoded from the connection's own memory.
type rows struct {
	answer answer
	open   bool
	first  bool // the first row is read already
	kinds  []kind
	values [][]byte
	of     *statement
	skip   int // 1 when the first column is the ordinal of the key
	err    error
}

var _ driver.Rows = (*rows)(nil)

// start reads the first row, so that what fails does so before there are rows.
func (r *rows) start(a answer, p *prepared, of *statement, skip int) error {
	*r = rows{answer: a, kinds: p.kinds, of: of, skip: skip, open: true}
	if a.NextRow() {
		r.first = true
		return nil
	}
	return r.finish()
}

// finish reads what is left.
func (r *rows) finish() error {
	if !r.open {
		return nil
	}
	r.open, r.values = false, nil
	_, err := r.answer.close()
	return err
}

// stop reads what is left, of which nobody wants to know.
func (r *rows) stop() { _ = r.finish() }

func (r *rows) Next() bool {
	if !r.open {
		return false
	}
	if !r.first && !r.answer.NextRow() {
		r.err = r.of.explain(r.finish())
		return false
	}
	r.first = false
	r.values = r.answer.Values()
	if len(r.of.totals) > 0 {
		return r.total()
	}
	return true
}

// total is whether the sums of the row are of their type.
func (r *rows) total() bool {
	for _, t := range r.of.totals {
		at := t.column + r.skip
		if raw := r.values[at]; raw == nil || r.kinds[at] != asNumeric {
			continue
		}
		if _, err := strconv.ParseInt(string(appendNumeric(nil, r.values[at])), 10, 64); err != nil {
			r.stop()
			r.err = fault.Wrap(fault.Invalid, err, "%s", t.Beyond())
			return false
		}
	}
	return true
}

func (r *rows) Parent() int {
	if r.skip == 0 {
		return 0
	}
	return int(integer(asInt8, r.values[0])) - 1
}

func (r *rows) AppendJSON(dst []byte, column int) []byte {
	at := column + r.skip
	if r.values[at] == nil {
		return append(dst, "null"...)
	}
	return appendCell(dst, r.kinds[at], r.values[at], r.of.columns[column])
}

func (r *rows) Value(column int) schema.Value {
	at := column + r.skip
	if r.values[at] == nil {
		return schema.Null
	}
	return valueOf(r.kinds[at], r.values[at], r.of.columns[column])
}

// Misfit is nothing: PostgreSQL keeps the types of columns.
func (*rows) Misfit(int) driver.Misfit { return driver.Misfit{} }

func (r *rows) Err() error { return r.err }

func (r *rows) Close() error {
	r.stop() // what nobody reads is nobody's error
	return nil
}

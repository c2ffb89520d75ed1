package mongodb

import (
	"context"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// cell is how one column of an answer is read.
type cell struct {
	field  *schema.Field
	total  *query.Measure // of groups: a total of parts
	counts bool           // of groups: 0 where there are no rows
}

// rows read a cursor. The cells of a row are read when it comes.
type rows struct {
	ctx       context.Context //nolint:containedctx // of the Find that began them, for Next
	statement *statement
	cursor    *mongo.Cursor // nil for an answer without one
	values    []schema.Value
	misfits   []string // what the cells hold that do not fit, by column; nil when all of the row's do
	key       bson.RawValue
	parent    int
	alone     bool // one row of nothing is still to come
	err       error
}

var _ driver.Rows = (*rows)(nil)

func (r *rows) Next() bool {
	if r.err != nil {
		return false
	}
	if r.cursor != nil && r.cursor.Next(r.ctx) {
		r.alone = false
		r.err = r.read(r.cursor.Current)
		return r.err == nil
	}
	if r.cursor != nil {
		if err := r.cursor.Err(); err != nil {
			r.err = explain(err, nil)
			return false
		}
	}
	if r.alone {
		r.alone = false
		r.nothing()
		return true
	}
	return false
}

// nothing is the row that is there without rows.
func (r *rows) nothing() {
	r.values, r.parent = make([]schema.Value, len(r.statement.cells)), 0
	r.misfits, r.key = nil, bson.RawValue{}
	for i, c := range r.statement.cells {
		if c.counts {
			r.values[i] = schema.Integer(0)
		}
	}
}

func (r *rows) read(doc bson.Raw) error {
	elements, err := doc.Elements()
	if err != nil {
		return fault.Wrap(fault.Internal, err, "the database's answer cannot be read")
	}
	clear(r.values)
	r.misfits, r.key = nil, bson.RawValue{}
	for _, e := range elements {
		switch name := e.Key(); name {
		case ordinal:
			i, _ := integerIn(e.Value())
			r.parent = int(i)
		case id:
			r.key = e.Value()
		default:
			i, err := strconv.Atoi(name[1:])
			if name[0] != 'c' || err != nil {
				continue
			}
			if err := r.cell(i, e.Value()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rows) cell(i int, v bson.RawValue) error {
	c := r.statement.cells[i]
	if c.total != nil {
		value, found, err := total(v, *c.total)
		if r.values[i] = value; found != "" {
			r.misfit(i, found)
		}
		return err
	}
	value, ok := decode(v, c.field)
	if r.values[i] = value; !ok {
		r.values[i] = schema.Null
		r.misfit(i, found(v, c.field))
	}
	return nil
}

func (r *rows) misfit(i int, found string) {
	if r.misfits == nil {
		r.misfits = make([]string, len(r.values))
	}
	r.misfits[i] = found
}

// Misfit is what a cell holds that its field cannot be, in the document of a key.
func (r *rows) Misfit(column int) driver.Misfit {
	m := driver.Misfit{Key: r.keyText()}
	if r.misfits != nil {
		m.Found = r.misfits[column]
	}
	return m
}

// keyText is the key of the row's document as the API shows it, or as it is where that is no key of ours.
func (r *rows) keyText() string {
	if r.key.Type == 0 {
		return ""
	}
	if p := r.statement.typ.Primary; len(p) == 1 {
		if v, ok := decode(r.key, p[0]); ok {
			return string(schema.AppendValue(nil, p[0], v))
		}
	}
	return string(appendJSON(nil, r.key))
}

func (r *rows) Parent() int { return r.parent }

func (r *rows) AppendJSON(dst []byte, column int) []byte {
	if r.misfits != nil && r.misfits[column] != "" {
		return dst
	}
	return schema.AppendValue(dst, r.statement.cells[column].field, r.values[column])
}

func (r *rows) Value(column int) schema.Value { return r.values[column] }

func (r *rows) Err() error { return r.err }

func (r *rows) Close() error {
	if r.cursor == nil {
		return nil
	}
	return explain(r.cursor.Close(context.WithoutCancel(r.ctx)), nil)
}

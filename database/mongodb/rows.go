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

// rows read a cursor. The cells of a row are read when it comes, so that one which does not hold
// what the schema says is an error there.
type rows struct {
	ctx       context.Context //nolint:containedctx // of the Find that began them, for Next
	statement *statement
	cursor    *mongo.Cursor // nil for an answer without one
	values    []schema.Value
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
	var key bson.RawValue
	for _, e := range elements {
		switch name := e.Key(); name {
		case ordinal:
			i, _ := integerIn(e.Value())
			r.parent = int(i)
		case id:
			key = e.Value()
		default:
			i, err := strconv.Atoi(name[1:])
			if name[0] != 'c' || err != nil {
				continue
			}
			if r.values[i], err = r.cell(i, e.Value(), key); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *rows) cell(i int, v, key bson.RawValue) (schema.Value, error) {
	c := r.statement.cells[i]
	if c.total != nil {
		return total(v, *c.total)
	}
	value, ok := decode(v, c.field)
	if !ok {
		at := c.field.Name
		if c.field.Owner != nil {
			at = c.field.Owner.Name + "." + at
		}
		return schema.Null, fault.New(fault.Internal, "%s in a document of %s, whose _id is %s, is of type %s and not what the schema says",
			at, r.statement.typ.Table, appendJSON(nil, key), v.Type)
	}
	return value, nil
}

func (r *rows) Parent() int { return r.parent }

func (r *rows) AppendJSON(dst []byte, column int) []byte {
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

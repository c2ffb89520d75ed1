package mongodb

import (
	"context"
	"unsafe"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

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

// rows read a cursor. The cells are read from the document where it stands.
type rows struct {
	ctx       context.Context //nolint:containedctx // of the Find that began them, for Next
	statement *statement
	cursor    *mongo.Cursor   // nil for an answer without one
	cells     []bson.RawValue // as the server sent them, until the next row
	totals    []measured      // by column, of groups that have totals
	key       bson.RawValue
	parent    int
	alone     bool // one row of nothing is still to come
	err       error
}

// measured is a total that is put together.
type measured struct {
	value schema.Value
	found string // what it is of that cannot be added
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
	clear(r.cells)
	r.totals = make([]measured, len(r.cells))
	r.parent, r.key = 0, bson.RawValue{}
	for i, c := range r.statement.cells {
		if c.counts {
			r.cells[i] = bson.RawValue{Type: bson.TypeInt32, Value: make([]byte, 4)}
		}
	}
}

func (r *rows) read(doc bson.Raw) error {
	clear(r.cells)
	r.key = bson.RawValue{}
	for rest := doc[4 : len(doc)-1]; len(rest) > 0; { // what the driver hands over is whole
		var e bsoncore.Element
		var ok bool
		if e, rest, ok = bsoncore.ReadElement(rest); !ok {
			return fault.New(fault.Internal, "the database's answer cannot be read")
		}
		raw := e.Value()
		v := bson.RawValue{Type: bson.Type(raw.Type), Value: raw.Data}
		switch name := e.KeyBytes(); string(name) {
		case ordinal:
			i, _ := integerIn(v)
			r.parent = int(i)
		case id:
			r.key = v
		default:
			if i, ok := column(name); ok {
				r.cells[i] = v
			}
		}
	}
	return r.add()
}

// column is the number in the name of a cell.
func column(name []byte) (n int, ok bool) {
	if name[0] != 'c' {
		return 0, false
	}
	for _, digit := range name[1:] {
		n = 10*n + int(digit-'0')
	}
	return n, true
}

// add puts the totals of the row together.
func (r *rows) add() error {
	for i, c := range r.statement.cells {
		if c.total == nil {
			continue
		}
		if r.totals == nil {
			r.totals = make([]measured, len(r.cells))
		}
		value, found, err := total(r.cells[i], *c.total)
		if err != nil {
			return err
		}
		r.totals[i] = measured{value, found}
	}
	return nil
}

// Misfit is what a cell holds that its field cannot be, in the document of a key.
func (r *rows) Misfit(column int) driver.Misfit {
	m := driver.Misfit{Key: r.keyText()}
	c := r.statement.cells[column]
	if c.total != nil {
		m.Found = r.totals[column].found
	} else if _, ok := decode(r.cells[column], c.field); !ok {
		m.Found = found(r.cells[column], c.field)
	}
	return m
}

// keyText is the key of the row's document, or nothing where it is not known.
func (r *rows) keyText() string {
	if r.key.Type == 0 {
		return ""
	}
	return keyText(r.key, r.statement.typ)
}

// keyText is the key of a document as the API shows it, or as it is where that is no key of ours.
func keyText(key bson.RawValue, t *schema.Type) string {
	if p := t.Primary; len(p) == 1 {
		if v, ok := decode(key, p[0]); ok {
			return string(schema.AppendValue(nil, p[0], v))
		}
	}
	return string(appendJSON(nil, key))
}

func (r *rows) Parent() int { return r.parent }

func (r *rows) AppendJSON(dst []byte, column int) []byte {
	c, v := r.statement.cells[column], r.cells[column]
	switch {
	case c.total != nil:
		if r.totals[column].found != "" {
			return dst
		}
		return schema.AppendValue(dst, c.field, r.totals[column].value)
	case v.Type == bson.TypeString && c.field.Scalar == schema.String && !c.field.List: // without a copy
		return schema.AppendString(dst, viewString(v.Value[4:len(v.Value)-1]))
	}
	value, ok := decode(v, c.field)
	if !ok {
		return dst
	}
	return schema.AppendValue(dst, c.field, value)
}

func viewString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

func (r *rows) Value(column int) schema.Value {
	c := r.statement.cells[column]
	if c.total != nil {
		return r.totals[column].value
	}
	value, ok := decode(r.cells[column], c.field)
	if !ok {
		return schema.Null
	}
	return value
}

func (r *rows) Err() error { return r.err }

func (r *rows) Close() error {
	if r.cursor == nil {
		return nil
	}
	return explain(r.cursor.Close(context.WithoutCancel(r.ctx)), nil)
}

package mongodb

import (
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// slot is a place in a rendered statement for what a binding says. Values that it gives stand
// below $literal or a query operator, so that no value is ever taken for an operator.
type slot struct {
	show string
	fill func(b *query.Binding) (any, error)
}

// filled is a template with what a binding says in its slots.
func filled(template any, b *query.Binding) (any, error) {
	switch t := template.(type) {
	case slot:
		return t.fill(b)
	case bson.D:
		return filledDoc(t, b)
	case bson.A:
		return filledList(t, b)
	}
	return template, nil
}

func filledDoc(t bson.D, b *query.Binding) (bson.D, error) {
	doc := make(bson.D, len(t))
	for i, e := range t {
		v, err := filled(e.Value, b)
		if err != nil {
			return nil, err
		}
		doc[i] = bson.E{Key: e.Key, Value: v}
	}
	return doc, nil
}

// frozen is a template in which all that has no slot stands as the bytes that are sent; false where
// there is a slot.
func frozen(template any) (any, bool) {
	switch t := template.(type) {
	case slot:
		return t, false
	case bson.D:
		doc, still := make(bson.D, len(t)), true
		for i, e := range t {
			v, isFrozen := frozen(e.Value)
			doc[i], still = bson.E{Key: e.Key, Value: v}, still && isFrozen
		}
		if text, err := bson.Marshal(doc); still && err == nil {
			return bson.Raw(text), true
		}
		return doc, still
	case bson.A:
		list, still := frozenList(t)
		if typ, text, err := bson.MarshalValue(list); still && err == nil {
			return bson.RawValue{Type: typ, Value: text}, true
		}
		return list, still
	}
	return template, true
}

func frozenList(t bson.A) (bson.A, bool) {
	list, still := make(bson.A, len(t)), true
	for i, e := range t {
		v, isFrozen := frozen(e)
		list[i], still = v, still && isFrozen
	}
	return list, still
}

// filledList leaves out the elements whose slots say that they are not needed.
func filledList(t bson.A, b *query.Binding) (bson.A, error) {
	list := make(bson.A, 0, len(t))
	for _, e := range t {
		v, err := filled(e, b)
		if err != nil {
			return nil, err
		}
		if v != (nothing{}) {
			list = append(list, v)
		}
	}
	return list, nil
}

// appendElement appends an encoded value under a name.
func appendElement(dst []byte, name string, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return bsoncore.AppendNullElement(dst, name), nil
	case string:
		return bsoncore.AppendStringElement(dst, name, v), nil
	case bson.Raw:
		return bsoncore.AppendDocumentElement(dst, name, bsoncore.Document(v)), nil
	case bson.RawValue:
		return append(bsoncore.AppendHeader(dst, bsoncore.Type(v.Type), name), v.Value...), nil
	case bson.D:
		return appendDocument(bsoncore.AppendHeader(dst, bsoncore.TypeEmbeddedDocument, name), v)
	case bson.A:
		return appendList(bsoncore.AppendHeader(dst, bsoncore.TypeArray, name), v)
	}
	typ, data, err := bson.MarshalValue(v)
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "a value cannot be encoded")
	}
	return append(bsoncore.AppendHeader(dst, bsoncore.Type(typ), name), data...), nil
}

func appendDocument(dst []byte, doc bson.D) ([]byte, error) {
	start, dst := bsoncore.AppendDocumentStart(dst)
	for _, e := range doc {
		var err error
		if dst, err = appendElement(dst, e.Key, e.Value); err != nil {
			return nil, err
		}
	}
	dst, _ = bsoncore.AppendDocumentEnd(dst, start) // it was begun
	return dst, nil
}

func appendList(dst []byte, list bson.A) ([]byte, error) {
	start, dst := bsoncore.AppendArrayStart(dst)
	for i, v := range list {
		var err error
		if dst, err = appendElement(dst, strconv.Itoa(i), v); err != nil {
			return nil, err
		}
	}
	dst, _ = bsoncore.AppendArrayEnd(dst, start) // it was begun
	return dst, nil
}

// nothing is what a slot gives for a stage that is not needed.
type nothing struct{}

// shown is a template as a text.
func shown(template bson.A) string {
	text, err := bson.MarshalExtJSON(bson.D{{Key: "pipeline", Value: show(template)}}, false, false)
	if err != nil {
		return err.Error()
	}
	return string(text[len(`{"pipeline":`) : len(text)-1])
}

func show(template any) any {
	switch t := template.(type) {
	case slot:
		return t.show
	case bson.D:
		doc := make(bson.D, len(t))
		for i, e := range t {
			doc[i] = bson.E{Key: e.Key, Value: show(e.Value)}
		}
		return doc
	case bson.A:
		list := make(bson.A, len(t))
		for i, e := range t {
			list[i] = show(e)
		}
		return list
	}
	return template
}

// is is an operator or stage of one operand.
func is(name string, operand any) bson.D { return bson.D{{Key: name, Value: operand}} }

// op is an operator of several operands.
func op(name string, operands ...any) bson.D { return is(name, bson.A(operands)) }

// literal is a value that is nothing else.
func literal(v any) bson.D { return is("$literal", v) }

func not(e any) bson.D        { return op("$not", e) }
func both(es ...any) bson.D   { return op("$and", es...) }
func isNil(e any) bson.D      { return op("$lte", e, nil) } // missing is less than null
func hasValue(e any) bson.D   { return op("$gt", e, nil) }
func when(c, t, f any) bson.D { return op("$cond", c, t, f) }

// isOf is whether an expression is of a type of BSON; what would fail of another one stands in then.
func isOf(e any, typ string, then any) bson.D {
	return when(op("$eq", is("$type", e), typ), then, false)
}

// asOperand is a field such as holds what an operand does, of a list an element.
func asOperand(o query.Operand) *schema.Field {
	if o.Field != nil && o.Kind == query.Column {
		single := *o.Field
		single.List = false
		return &single
	}
	if o.Kind == query.Measured {
		m := query.Measure{Fn: o.Fn, Field: o.Field}
		return m.Column()
	}
	return &schema.Field{Scalar: o.Scalar}
}

// comparedAs is the field that both sides are compared as: a column's before that of a value.
func comparedAs(left, right query.Operand) *schema.Field {
	switch {
	case left.Kind == query.Column || left.Kind == query.Measured:
		return asOperand(left)
	case right.Kind == query.Column || right.Kind == query.Measured:
		return asOperand(right)
	case left.Scalar != schema.NoScalar:
		return asOperand(left)
	}
	return asOperand(right)
}

// bound is an operand's value as a field holds it.
func bound(o query.Operand, f *schema.Field, b *query.Binding) (any, error) {
	v, err := operand(o, b)
	if err != nil {
		return nil, err
	}
	return encode(v, f)
}

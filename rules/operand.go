package rules

import (
	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// operand is a value of the caller that a database compares with a column.
type operand struct {
	value
	column *schema.Field // what it is coerced to
	list   bool
}

// operandKey tells equal operands: the same expression in the same form.
type operandKey struct {
	text   string
	scalar schema.Scalar
	enum   *schema.Enum
	list   bool
}

// claimOperand is the operand of a value that is compared with a column.
func (c *compiler) claimOperand(v value, column *schema.Field, list bool) query.Operand {
	key := operandKey{v.String(), held(column), column.Enum, list}
	i, ok := c.indexes[key]
	if !ok {
		i = len(c.set.operands)
		c.indexes[key] = i
		c.set.operands = append(c.set.operands, operand{v, column, list})
	}
	o := query.ClaimAt(i)
	o.Scalar = held(column)
	return o
}

// bind is the operand's value for a caller, null where it does not fit the column.
func (o operand) bind(c *auth.Caller) schema.Value {
	v := o.of(c)
	switch {
	case v == nil:
		return schema.Null
	case o.list:
		return o.bindList(v)
	}
	return o.fit(v)
}

func (o operand) bindList(v any) schema.Value {
	elements, ok := nativeList(v)
	if !ok {
		return schema.Null
	}
	out := make([]schema.Value, len(elements))
	for i, e := range elements {
		out[i] = o.fit(e)
	}
	return schema.List(out)
}

func (o operand) fit(v any) schema.Value {
	if v == nil {
		return schema.Null
	}
	out, err := coerce(o.column, v)
	if err != nil {
		return schema.Null
	}
	return out
}

// cheap are the values whose absence is worth a look before the database is asked.
func cheap(v value) []value {
	switch v.(type) {
	case claim, header, requestText:
		return []value{v}
	}
	return nil
}

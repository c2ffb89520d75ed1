package graph

import (
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Bounds of what a filter may ask.
const (
	maxWhereDepth = 12     // conditions in conditions
	maxTerms      = 500    // conditions in one where; SQLite takes no more than 1,000 in a row
	maxList       = 10_000 // values of _in and the like
	maxWords      = 100    // of _search
	maxPath       = 100    // steps into a JSON value
	maxOrders     = 100    // fields in one orderBy
)

// hop compiles the conditions on the row that a to-one link leads to. Where there is no such
// row they are unknown, but for _isNull.
func (k *compiler) hop(link *schema.Field, in input) (query.Where, error) {
	inner, err := k.nested(link.Link.Target, in)
	if err != nil {
		return nil, err
	}
	there := query.Some{Link: link, Where: query.True}
	one := query.One{Link: link, Where: inner}
	switch absent(in) {
	case query.True:
		if inner == query.False {
			return query.Not{Where: there}, nil
		}
		return query.Or{query.Not{Where: there}, one}, nil
	case query.False:
		if inner == query.True {
			return there, nil
		}
		return query.And{there, one}, nil
	}
	return one, nil
}

// absent is what conditions are where there is no row.
func absent(in input) query.Truth {
	all := query.True
	for _, m := range in.members() {
		all = both(all, absentMember(m))
	}
	return all
}

func absentMember(m input) query.Truth {
	switch m.name {
	case "_isNull":
		if yes, _ := m.plain().(bool); yes {
			return query.True
		}
		return query.False
	case "_not":
		return opposite(absent(m))
	case "_and", "_or":
		all := query.True
		for _, item := range m.items() {
			each := absent(item)
			if m.name == "_or" {
				each = opposite(each)
			}
			all = both(all, each)
		}
		if m.name == "_or" {
			all = opposite(all)
		}
		return all
	}
	return query.Unknown
}

// both is the And of two truths.
func both(a, b query.Truth) query.Truth {
	switch {
	case a == query.False || b == query.False:
		return query.False
	case a == query.Unknown || b == query.Unknown:
		return query.Unknown
	}
	return query.True
}

func opposite(t query.Truth) query.Truth {
	switch t {
	case query.True:
		return query.False
	case query.False:
		return query.True
	}
	return query.Unknown
}

// many compiles the conditions on the rows that a to-many link leads to.
func (k *compiler) many(link *schema.Field, in input) (query.Where, error) {
	var all query.And
	members := in.members()
	if len(members) == 0 {
		return nil, empty(in.name)
	}
	for _, m := range members {
		name := m.name
		m.name = in.name + "." + name
		if m.isNull() {
			return nil, fault.New(fault.Invalid, "%s may not be null", m.name)
		}
		if name == "_count" {
			w, err := k.count(link, m)
			if err != nil {
				return nil, err
			}
			all = append(all, w...)
			continue
		}
		inner := query.Where(query.True)
		if given := m.members(); len(given) > 0 {
			var err error
			if inner, err = k.conditions(link.Link.Target, given); err != nil {
				return nil, err
			}
		}
		switch name {
		case "_some":
			all = append(all, query.Some{Link: link, Where: inner})
		case "_none":
			all = append(all, query.Not{Where: query.Some{Link: link, Where: inner}})
		case "_every":
			all = append(all, query.Not{Where: query.Some{Link: link, Where: query.Untrue{Where: inner}}})
		}
	}
	return only(all), nil
}

// count compiles the conditions on how many rows there are.
func (k *compiler) count(link *schema.Field, in input) (query.And, error) {
	var all query.And
	number := &schema.Field{Scalar: schema.Int}
	members := in.members()
	if len(members) == 0 {
		return nil, empty(in.name)
	}
	for _, m := range members {
		op := operators[m.name]
		m.name = in.name + "." + m.name
		if m.isNull() {
			return nil, fault.New(fault.Invalid, "%s may not be null", m.name)
		}
		coerce := coerceOne(number)
		if op == query.In || op == query.Nin {
			coerce = coerceList(number)
		}
		right, err := k.operand(m, coerce)
		if err != nil {
			return nil, err
		}
		right.Scalar = schema.Int
		all = append(all, query.Count{Link: link, Op: op, Right: right})
	}
	return all, nil
}

// only is an And, or the one part that it has.
func only(all query.And) query.Where {
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// inside compiles the conditions on an embedded value.
func (k *compiler) inside(column query.Operand, name string, members []input) (query.Where, error) {
	var all query.And
	value := column.Field.Value
	for _, m := range members {
		member := m.name
		m.name = name + "." + member
		var w query.Where
		var err error
		switch {
		case m.isNull():
			err = fault.New(fault.Invalid, "%s may not be null here; ask for null with {_isNull: true}", m.name)
		case member == "_isNull":
			w = flagged(query.IsNull{Operand: column}, m)
		default:
			below := column
			below.Inside = append(append([]*schema.Field(nil), column.Inside...), column.Field)
			below.Field = value.Field(member)
			w, err = k.field(below, m)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	return only(all), nil
}

// document compiles the conditions on a JSON value, or on what path leads to in it.
func (k *compiler) document(column query.Operand, name string, members []input) (query.Where, error) {
	var all query.And
	var path query.Operand
	for _, m := range members {
		if m.name != "path" {
			continue
		}
		if m.isNull() {
			return nil, fault.New(fault.Invalid, "%s.path may not be null; leave it out to mean the whole value", name)
		}
		m.name = name + ".path"
		var err error
		if path, err = k.operand(m, coercePath); err != nil {
			return nil, err
		}
		path.Scalar = schema.String
	}
	for _, m := range members {
		if m.name == "path" {
			continue
		}
		operator := m.name
		m.name = name + "." + operator
		w, err := k.documentOperator(query.JSON{Doc: column, Path: path}, operator, m)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	if len(all) == 0 {
		return nil, fault.New(fault.Invalid, "%s has a path and no condition on what is there", name)
	}
	return only(all), nil
}

func (k *compiler) documentOperator(w query.JSON, operator string, in input) (query.Where, error) {
	switch {
	case operator == "_isNull" && !in.isNull():
		return flagged(w, in), nil
	case operator == "_eq" && in.isNull():
		return w, nil
	case in.isNull():
		return nil, fault.New(fault.Invalid, "%s may not be null; ask for null with {_isNull: true}", in.name)
	}
	coerce := coerceScalar(schema.JSON)
	switch operator {
	case "_eq":
		w.Op = query.JSONEqual
	case "_contains":
		w.Op = query.JSONContains
	case "_hasKey":
		w.Op, coerce = query.JSONHasKey, coerceScalar(schema.String)
	}
	var err error
	w.Right, err = k.operand(in, coerce)
	w.Right.Scalar = schema.JSON
	if operator == "_hasKey" {
		w.Right.Scalar = schema.String
	}
	return w, err
}

// orderOver compiles a sort key of the row that a to-one link leads to.
func (k *compiler) orderOver(link *schema.Field, in input) (query.Order, error) {
	if k.depth++; k.depth > maxWhereDepth {
		return query.Order{}, fault.New(fault.Limit, "orderBy follows more than %d links", maxWhereDepth)
	}
	defer func() { k.depth-- }()
	orders, err := k.orderBy(link.Link.Target, in)
	if err != nil {
		return query.Order{}, err
	}
	o := orders[0] // an object is a list of itself
	o.Via = append([]*schema.Field{link}, o.Via...)
	return o, nil
}

// distinct are the fields of distinctOn, each once.
func distinct(t *schema.Type, in input) []*schema.Field {
	if in.isNull() {
		return nil
	}
	var fields []*schema.Field
	seen := map[string]bool{}
	for _, item := range in.items() {
		if name := item.word(); !seen[name] {
			seen[name] = true
			fields = append(fields, t.Field(name))
		}
	}
	return fields
}

// coerceList is coerceMany, for no more values than are good for anybody.
func coerceList(f *schema.Field) coercion {
	many := coerceMany(f)
	return func(v any) (schema.Value, error) {
		if list, ok := v.([]any); ok && len(list) > maxList {
			return schema.Null, tooMany(len(list), "values", maxList)
		}
		return many(v)
	}
}

func tooMany(n int, what string, most int) error {
	return fault.New(fault.Limit, "%d %s are more than the %d that one condition may have", n, what, most)
}

func coercePath(v any) (schema.Value, error) {
	if list, ok := v.([]any); ok && len(list) > maxPath {
		return schema.Null, tooMany(len(list), "steps", maxPath)
	}
	return coerceMany(&schema.Field{Scalar: schema.String})(v)
}

func coerceWords(v any) (schema.Value, error) {
	words, err := schema.CoerceScalar(schema.String, nil, v)
	if err != nil {
		return words, err
	}
	if n := len(query.Words(words.Text())); n > maxWords {
		return words, tooMany(n, "words", maxWords)
	}
	return words, nil
}

package graph

import (
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// where compiles a filter; nil for all rows. Only the whole filter may be an empty object: one
// that an omitted variable left empty must not mean everything.
func (k *compiler) where(t *schema.Type, in input) (query.Where, error) {
	if in.isNull() {
		return nil, nil
	}
	members := in.members()
	switch {
	case len(members) > 0:
		k.terms = 0
		return k.conditions(t, members)
	case in.lit != nil && len(in.lit.Children) > 0: // of which every variable was left out
		return nil, empty(in.name)
	}
	return nil, nil
}

// allOf is true when all conditions are, of which each member makes one.
func allOf(members []input, each func(input) (query.Where, error)) (query.Where, error) {
	all := make(query.And, 0, len(members))
	for _, m := range members {
		w, err := each(m)
		if err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

func (k *compiler) conditions(t *schema.Type, members []input) (query.Where, error) {
	if k.depth++; k.depth > maxWhereDepth {
		return nil, fault.New(fault.Limit, "the conditions of where nest more than %d deep", maxWhereDepth)
	}
	defer func() { k.depth-- }()
	if k.terms += len(members); k.terms > maxTerms {
		return nil, fault.New(fault.Limit, "where has more than %d conditions; to ask for one of many values, use _in", maxTerms)
	}
	return allOf(members, func(m input) (query.Where, error) {
		return k.condition(t, m)
	})
}

// nested compiles a filter inside another.
func (k *compiler) nested(t *schema.Type, in input) (query.Where, error) {
	members := in.members()
	if len(members) == 0 {
		return nil, empty(in.name)
	}
	return k.conditions(t, members)
}

func empty(name string) error {
	return fault.New(fault.Invalid,
		"%s is empty here; only the whole where, _some, _every and _none may be {}, so that a variable left out does not match every row", name)
}

func (k *compiler) condition(t *schema.Type, in input) (query.Where, error) {
	switch {
	case in.isNull() && strings.HasPrefix(in.name, "_"):
		return nil, fault.New(fault.Invalid, "%s may not be null", in.name)
	case in.isNull():
		return nil, fault.New(fault.Invalid, "%s may not be null here; ask for null with {_isNull: true}", in.name)
	}
	switch in.name {
	case "_isNull": // this row is there: see hop for one that may not be
		if yes, _ := in.plain().(bool); yes {
			return query.False, nil
		}
		return query.True, nil
	case "_search":
		words, err := k.operand(in, coerceWords)
		words.Scalar = schema.String
		return query.Search{Type: t, Words: words}, err
	case "_and", "_or":
		return k.several(t, in)
	case "_not":
		w, err := k.nested(t, in)
		return query.Not{Where: w}, err
	}
	f := t.Field(in.name)
	switch {
	case f.IsLink() && f.Link.Many:
		return k.many(f, in)
	case f.IsLink():
		return k.hop(f, in)
	}
	return k.field(query.Col(f), in)
}

// several compiles _and and _or.
func (k *compiler) several(t *schema.Type, in input) (query.Where, error) {
	var parts []query.Where
	for _, item := range in.items() {
		w, err := k.nested(t, item)
		if err != nil {
			return nil, err
		}
		parts = append(parts, w)
	}
	if in.name == "_and" {
		if len(parts) == 0 {
			return nil, empty(in.name)
		}
		return query.And(parts), nil
	}
	return query.Or(parts), nil
}

// field compiles the operators on a column, or on a field of an embedded value.
func (k *compiler) field(column query.Operand, in input) (query.Where, error) {
	members := in.members()
	f := column.Field
	switch {
	case len(members) == 0:
		return nil, empty(in.name)
	case f.Scalar == schema.Embedded && !f.List:
		return k.inside(column, in.name, members)
	case f.Scalar == schema.JSON && !f.List:
		return k.document(column, in.name, members)
	}
	return allOf(members, func(m input) (query.Where, error) {
		m.name = in.name + "." + m.name
		return k.operator(column, strings.TrimPrefix(m.name, in.name+"."), m)
	})
}

// operators are the comparisons by their names in the API.
var operators = map[string]query.Op{
	"_eq": query.Eq, "_ne": query.Ne, "_gt": query.Gt, "_gte": query.Gte, "_lt": query.Lt, "_lte": query.Lte,
	"_in": query.In, "_nin": query.Nin,
	"_like": query.Like, "_ilike": query.ILike, "_startsWith": query.StartsWith, "_endsWith": query.EndsWith,
	"_contains": query.Contains, "_icontains": query.IContains, "_regex": query.Regex,
	"_has": query.HasAll, "_hasAny": query.HasAny, "_hasAll": query.HasAll,
}

// flagged is a condition, or with false its opposite.
func flagged(w query.Where, in input) query.Where {
	if yes, _ := in.plain().(bool); yes {
		return w
	}
	return query.Not{Where: w}
}

func (k *compiler) operator(column query.Operand, name string, in input) (query.Where, error) {
	f := column.Field
	null := query.IsNull{Operand: column}
	switch {
	case name == "_isNull" && !in.isNull():
		return flagged(null, in), nil
	case name == "_isEmpty" && !in.isNull():
		return flagged(query.Empty{Operand: column}, in), nil
	case name == "_eq" && in.isNull():
		return null, nil
	case name == "_ne" && in.isNull():
		return query.Not{Where: null}, nil
	case in.isNull():
		return nil, fault.New(fault.Invalid, "%s may not be null; ask for null with {_isNull: true}", in.name)
	}
	op, ok := operators[name]
	if !ok {
		return nil, fault.New(fault.Invalid, "%s is no operator", in.name)
	}
	coerce := coerceOne(f)
	switch op {
	case query.In, query.Nin, query.HasAny, query.HasAll:
		coerce = coerceList(f)
	case query.Like, query.ILike, query.IContains:
		coerce = coercePattern
	case query.StartsWith, query.EndsWith, query.Contains:
		coerce = coerceScalar(schema.String)
	case query.Regex:
		coerce = coerceRegex
	}
	right, err := k.operand(in, coerce)
	right.Scalar = f.Scalar
	return query.Compare{Left: column, Op: op, Right: right}, err
}

// orderBy compiles a sort key; each object of the list names one column.
func (k *compiler) orderBy(t *schema.Type, in input) ([]query.Order, error) {
	if in.isNull() {
		return nil, nil
	}
	var orders []query.Order
	add := func(o query.Order) error {
		same := func(e query.Order) bool { return e.Field == o.Field && slices.Equal(e.Via, o.Via) }
		if !slices.ContainsFunc(orders, same) { // what is sorted by already cannot be again
			orders = append(orders, o)
		}
		if len(orders) > maxOrders {
			return fault.New(fault.Limit, "orderBy names more than %d fields", maxOrders)
		}
		return nil
	}
	for _, item := range in.items() {
		members := item.members()
		if len(members) != 1 {
			return nil, fault.New(fault.Invalid, "each object of orderBy names one field, so that their order is clear; this one has %d", len(members))
		}
		m := members[0]
		if m.isNull() {
			return nil, fault.New(fault.Invalid, "orderBy.%s has to be a direction, such as ASC", m.name)
		}
		f := t.Field(m.name)
		if f.IsLink() {
			o, err := k.orderOver(f, m)
			if err == nil {
				err = add(o)
			}
			if err != nil {
				return nil, err
			}
			continue
		}
		o, ok := directions[m.word()]
		if !ok {
			return nil, fault.New(fault.Invalid, "orderBy.%s: %q is no direction, such as ASC", m.name, m.word())
		}
		o.Field = f
		if err := add(o); err != nil {
			return nil, err
		}
	}
	return orders, nil
}

// directions are the values of OrderDirection.
var directions = map[string]query.Order{
	"ASC":              {},
	"DESC":             {Desc: true},
	"ASC_NULLS_FIRST":  {Nulls: query.NullsFirst},
	"ASC_NULLS_LAST":   {Nulls: query.NullsLast},
	"DESC_NULLS_FIRST": {Desc: true, Nulls: query.NullsFirst},
	"DESC_NULLS_LAST":  {Desc: true, Nulls: query.NullsLast},
}

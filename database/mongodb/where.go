package mongodb

import (
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database/sqlgen"
	"spacecloud/query"
	"spacecloud/schema"
)

// filter leaves the rows for which a condition is true.
func (s *scope) filter(w query.Where) {
	var plain, rest []query.Where
	for _, part := range parts(w) {
		if sqlgen.Always(part) {
			continue
		}
		if _, ok := s.match(part, true); ok {
			plain = append(plain, part)
		} else {
			rest = append(rest, part)
		}
	}
	if len(plain) > 0 {
		all, _ := s.match(query.And(plain), true)
		s.stage("$match", all)
	}
	if len(rest) > 0 {
		e := s.truth(query.And(rest), true)
		s.stage("$match", is("$expr", e))
	}
}

// parts are the conditions that all have to be true.
func parts(w query.Where) []query.Where {
	and, ok := w.(query.And)
	if !ok {
		return []query.Where{w}
	}
	var all []query.Where
	for _, each := range and {
		all = append(all, parts(each)...)
	}
	return all
}

// truth is an expression that is true when a condition is true, or, unless want, when it is false.
// It is false when the condition is unknown: so there are two truths, and no third.
func (s *scope) truth(w query.Where, want bool) any {
	switch w := w.(type) {
	case nil:
		return want
	case query.And:
		return s.all(w, want, want)
	case query.Or:
		return s.all(w, want, !want)
	case query.Not:
		return s.truth(w.Where, !want)
	case query.Untrue:
		if want {
			return not(s.truth(w.Where, true))
		}
		return s.truth(w.Where, true)
	case query.Truth:
		return w == query.True && want || w == query.False && !want
	case query.Compare:
		return s.compare(w, want)
	case query.Among:
		return s.amongKeys(w, want)
	case query.IsNull:
		return sure(isNil(s.value(w.Operand, asOperand(w.Operand))), want)
	case query.Empty:
		return s.empty(w, want)
	case query.JSON:
		return s.json(w, want)
	case query.Search:
		return s.search(w, want)
	case query.Some:
		found := s.lookup(w.Link.Link, "", w.Through, func(inner *scope) { inner.any(w.Where) })
		return sure(op("$ne", "$"+found, bson.A{}), want)
	case query.Exists:
		found := s.into(w.Type, "", nil, func(inner *scope) { inner.any(w.Where) })
		return sure(op("$ne", "$"+found, bson.A{}), want)
	case query.One:
		return s.one(w, want)
	case query.Count:
		return s.count(w, want)
	}
	s.fail("a condition of an unknown kind")
	return false
}

// sure is a condition that is never unknown.
func sure(e any, want bool) any {
	if want {
		return e
	}
	return not(e)
}

func (s *scope) all(ws []query.Where, want, and bool) any {
	es := make([]any, len(ws))
	for i, w := range ws {
		es[i] = s.truth(w, want)
	}
	if and {
		return op("$and", es...)
	}
	return op("$or", es...)
}

// any leaves one row that meets a condition, and of it the key.
func (s *scope) any(w query.Where) {
	s.filter(w)
	s.stage("$limit", 1)
	s.stage("$project", is("_id", 1))
}

func (s *scope) one(w query.One, want bool) any {
	found := s.lookup(w.Link.Link, "", nil, func(inner *scope) {
		inner.filter(w.If)
		inner.stage("$limit", 1)
		// A projection takes a mere true for the wish to have the field.
		is := both(inner.truth(w.Where, want))
		inner.stage("$project", bson.D{{Key: "_id", Value: 0}, {Key: "is", Value: is}})
	})
	return op("$eq", is("$first", "$"+found+".is"), true)
}

func (s *scope) count(w query.Count, want bool) any {
	found := s.lookup(w.Link.Link, "", w.Through, func(inner *scope) {
		inner.filter(w.Where)
		inner.stage("$count", "n")
	})
	n := op("$ifNull", is("$first", "$"+found+".n"), 0)
	as := &schema.Field{Scalar: schema.BigInt}
	if w.Op == query.In || w.Op == query.Nin {
		return s.in(n, w.Right, as, want == (w.Op == query.In))
	}
	return ordered(n, w.Op, s.value(w.Right, as), want)
}

func (s *scope) compare(c query.Compare, want bool) any {
	as := comparedAs(c.Left, c.Right)
	switch c.Op {
	case query.In, query.Nin:
		return s.in(s.value(c.Left, as), c.Right, as, want == (c.Op == query.In))
	case query.HasAny, query.HasAll:
		return s.has(c, as, want)
	case query.Like, query.ILike, query.StartsWith, query.EndsWith, query.Contains, query.IContains, query.Regex:
		return s.text(c, want)
	}
	return ordered(s.value(c.Left, as), c.Op, s.value(c.Right, as), want)
}

// inverse are the operators that are true where others are false.
var inverse = map[query.Op]query.Op{
	query.Eq: query.Ne, query.Ne: query.Eq, query.Gt: query.Lte, query.Lte: query.Gt, query.Lt: query.Gte, query.Gte: query.Lt,
}

var operators = map[query.Op]string{
	query.Eq: "$eq", query.Ne: "$ne", query.Gt: "$gt", query.Gte: "$gte", query.Lt: "$lt", query.Lte: "$lte",
}

// ordered compares two expressions. Null is less than all values, so that one side tells of both.
func ordered(l any, o query.Op, r any, want bool) any {
	if !want {
		o = inverse[o]
	}
	compared := op(operators[o], l, r)
	switch o {
	case query.Ne:
		return both(hasValue(l), hasValue(r), compared)
	case query.Gt, query.Gte:
		return both(hasValue(r), compared)
	}
	return both(hasValue(l), compared)
}

// in is whether an expression is in a list: nothing is in an empty one, not even null, and an
// element that is null leaves open what else it might be.
func (s *scope) in(l any, list query.Operand, as *schema.Field, want bool) any {
	if list.Kind == query.Column {
		r := s.value(list, as)
		is := both(hasValue(l), op("$in", l, r))
		if !want {
			is = op("$or", op("$eq", r, bson.A{}), both(hasValue(l), not(op("$in", l, r)), not(op("$in", nil, r))))
		}
		return isOf(r, "array", is)
	}
	return slot{show: shown(bson.A{op("$in", l, list.String())}) + unless(want), fill: func(b *query.Binding) (any, error) {
		elements, nulls, known, err := elementsOf(list, as, b)
		switch {
		case err != nil:
			return nil, err
		case !known, !want && nulls:
			return false, nil
		case !want && len(elements) == 0:
			return true, nil
		}
		inside, err := filled(l, b)
		is := op("$in", inside, literal(elements))
		if want {
			return is, err
		}
		return both(hasValue(inside), not(is)), err
	}}
}

// amongKeys compares documents of the columns and of the keys; one in which a field is missing equals none.
func (s *scope) amongKeys(w query.Among, want bool) any {
	columns, fields := bson.D{}, make([]*schema.Field, len(w.Columns))
	for i, o := range w.Columns {
		fields[i] = asOperand(o)
		columns = append(columns, bson.E{Key: "k" + strconv.Itoa(i), Value: s.value(o, fields[i])})
	}
	keys := slot{show: w.Keys.String(), fill: func(b *query.Binding) (any, error) {
		docs := bson.A{}
		err := eachKey(w.Keys, fields, b, func(_ []schema.Value, stored bson.A) {
			doc := bson.D{}
			for i, v := range stored {
				doc = append(doc, bson.E{Key: "k" + strconv.Itoa(i), Value: v})
			}
			docs = append(docs, doc)
		})
		return literal(docs), err
	}}
	return sure(op("$in", columns, keys), want)
}

// eachKey calls do with the keys of a list that have no nulls, and what is stored of them.
func eachKey(list query.Operand, fields []*schema.Field, b *query.Binding, do func(key []schema.Value, stored bson.A)) error {
	v, err := operand(list, b)
	if err != nil {
		return err
	}
	for key := range slices.Chunk(query.Whole(v.List(), len(fields)), len(fields)) {
		stored := make(bson.A, len(key))
		for i, part := range key {
			if stored[i], err = encode(part, fields[i]); err != nil {
				return err
			}
		}
		do(key, stored)
	}
	return nil
}

func unless(want bool) string {
	if want {
		return ""
	}
	return " is false"
}

// elementsOf are the values of a list that are not null, whether it has nulls, and whether there
// is a list.
func elementsOf(list query.Operand, as *schema.Field, b *query.Binding) (elements bson.A, nulls, known bool, err error) {
	v, err := operand(list, b)
	if err != nil || v.IsNull() {
		return nil, false, false, err
	}
	elements = bson.A{}
	for _, e := range v.List() {
		if e.IsNull() {
			nulls = true
			continue
		}
		value, err := encode(e, as)
		if err != nil {
			return nil, false, false, err
		}
		elements = append(elements, value)
	}
	return elements, nulls, true, nil
}

func (s *scope) has(c query.Compare, as *schema.Field, want bool) any {
	l, r := s.value(c.Left, as), s.value(c.Right, as)
	is := op("$ne", op("$setIntersection", l, r), bson.A{})
	if c.Op == query.HasAll {
		is = op("$setIsSubset", r, l)
	}
	return isOf(l, "array", isOf(r, "array", sure(is, want)))
}

func (s *scope) empty(w query.Empty, want bool) any {
	list := s.value(w.Operand, asOperand(w.Operand))
	return isOf(list, "array", sure(op("$eq", list, bson.A{}), want))
}

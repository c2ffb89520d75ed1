package mongodb

import (
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/query"
	"spacecloud/schema"
)

// match is a condition as a filter of plain query operators, which indexes serve; false for what
// they do not say. As truth has it, it is true when the condition is, or, unless want, when it is
// false.
func (s *scope) match(w query.Where, want bool) (any, bool) {
	switch w := w.(type) {
	case query.And:
		return s.matchAll(w, want, want)
	case query.Or:
		return s.matchAll(w, want, !want)
	case query.Not:
		return s.match(w.Where, !want)
	case query.Untrue:
		is, ok := s.match(w.Where, true)
		if want {
			return op("$nor", is), ok
		}
		return is, ok
	case query.Truth:
		return constant(w == query.True && want || w == query.False && !want), true
	case query.IsNull:
		if !s.plain(w.Operand) {
			return nil, false
		}
		if want {
			return is(s.path(w.Operand), nil), true
		}
		return is(s.path(w.Operand), is("$ne", nil)), true
	case query.Compare:
		return s.matchCompare(w, want)
	case query.Among:
		return s.matchAmong(w, want)
	}
	return nil, false
}

// constant is a filter that every document meets, or none.
func constant(all bool) bson.D {
	if all {
		return bson.D{}
	}
	return is("_id", is("$in", bson.A{}))
}

func (s *scope) matchAll(ws []query.Where, want, and bool) (any, bool) {
	if len(ws) == 0 {
		return constant(and), true
	}
	all := bson.A{}
	for _, w := range ws {
		is, ok := s.match(w, want)
		if !ok {
			return nil, false
		}
		all = append(all, is)
	}
	switch {
	case len(all) == 1:
		return all[0], true
	case and:
		return is("$and", all), true
	}
	return is("$or", all), true
}

// plain is whether an operand is a column of the row itself that is no list.
func (s *scope) plain(o query.Operand) bool {
	return o.Kind == query.Column && o.Up == 0 && len(o.Via) == 0 && !o.Field.List && s.measure == nil
}

// turned are the operators with their sides exchanged.
var turned = map[query.Op]query.Op{
	query.Eq: query.Eq, query.Ne: query.Ne, query.Gt: query.Lt, query.Lt: query.Gt, query.Gte: query.Lte, query.Lte: query.Gte,
}

func (s *scope) matchCompare(c query.Compare, want bool) (any, bool) {
	if o, ok := turned[c.Op]; ok && s.plain(c.Right) && c.Left.Kind != query.Column {
		c.Left, c.Op, c.Right = c.Right, o, c.Left
	}
	if !s.plain(c.Left) || c.Right.Kind == query.Column || c.Right.Kind == query.Measured {
		return nil, false
	}
	path, as := s.path(c.Left), comparedAs(c.Left, c.Right)
	var fill func(b *query.Binding) (any, error)
	switch c.Op {
	case query.In, query.Nin:
		fill = func(b *query.Binding) (any, error) { return matchIn(path, c.Right, as, want == (c.Op == query.In), b) }
	case query.HasAny, query.HasAll:
		return nil, false
	case query.Like, query.ILike, query.StartsWith, query.EndsWith, query.Contains, query.IContains, query.Regex:
		fill = func(b *query.Binding) (any, error) { return matchText(path, c, want, b) }
	default:
		if !want {
			c.Op = inverse[c.Op]
		}
		fill = func(b *query.Binding) (any, error) { return matchOrdered(path, c, as, b) }
	}
	return slot{show: c.String() + unless(want), fill: fill}, true
}

// matchOrdered compares within the type of the value; where the column's is another one, an
// expression has the order of all types.
func matchOrdered(path string, c query.Compare, as *schema.Field, b *query.Binding) (any, error) {
	v, err := bound(c.Right, as, b)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return constant(false), nil
	case c.Op == query.Eq:
		return is(path, is("$eq", v)), nil
	case c.Op == query.Ne:
		return is(path, is("$nin", bson.A{v, nil})), nil
	}
	if _, text := v.(string); text && !holdsText(as) {
		return is("$expr", ordered("$"+path, c.Op, literal(v), true)), nil
	}
	return is(path, is(operators[c.Op], v)), nil
}

func holdsText(f *schema.Field) bool {
	return isText(f.Scalar) || f.Scalar == schema.ID && !f.HoldsInteger() && f.Native == ""
}

// matchAmong says keys that agree in all columns but the last as one, so that an index of the columns is
// begun at for each of these.
func (s *scope) matchAmong(w query.Among, want bool) (any, bool) {
	paths, fields := make([]string, len(w.Columns)), make([]*schema.Field, len(w.Columns))
	for i, o := range w.Columns {
		if !s.plain(o) {
			return nil, false
		}
		paths[i], fields[i] = s.path(o), asOperand(o)
	}
	return slot{show: w.String() + unless(want), fill: func(b *query.Binding) (any, error) {
		some, err := keysAsFilters(paths, fields, w.Keys, b)
		switch {
		case err != nil:
			return nil, err
		case len(some) == 0:
			return constant(!want), nil
		case want:
			return is("$or", some), nil
		}
		return is("$nor", some), nil
	}}, true
}

func keysAsFilters(paths []string, fields []*schema.Field, keys query.Operand, b *query.Binding) (bson.A, error) {
	last := len(paths) - 1
	var firsts, lasts []bson.A // what keys begin with, and the last columns of all that begin so
	places := map[string]int{}
	err := eachKey(keys, fields, b, func(key []schema.Value, stored bson.A) {
		name := schema.List(key[:last]).String()
		i, known := places[name]
		if !known {
			i = len(firsts)
			places[name] = i
			firsts, lasts = append(firsts, stored[:last]), append(lasts, nil)
		}
		lasts[i] = append(lasts[i], stored[last])
	})
	filters := make(bson.A, len(firsts))
	for i, first := range firsts {
		parts := bson.A{}
		for j, v := range first {
			parts = append(parts, is(paths[j], is("$eq", v)))
		}
		filters[i] = is("$and", append(parts, is(paths[last], is("$in", lasts[i]))))
	}
	return filters, err
}

func matchIn(path string, list query.Operand, as *schema.Field, want bool, b *query.Binding) (any, error) {
	elements, nulls, known, err := elementsOf(list, as, b)
	switch {
	case err != nil:
		return nil, err
	case !known, !want && nulls:
		return constant(false), nil
	case want:
		return is(path, is("$in", elements)), nil
	case len(elements) == 0:
		return constant(true), nil
	}
	return is(path, is("$nin", append(elements, nil))), nil
}

func matchText(path string, c query.Compare, want bool, b *query.Binding) (any, error) {
	v, err := operand(c.Right, b)
	if err != nil || v.IsNull() {
		return constant(false), err
	}
	pattern, ok := patternOf(c.Op, v.Text())
	switch {
	case !ok && want:
		return constant(false), nil
	case !ok:
		return is(path, is("$ne", nil)), nil
	case !want:
		return is(path, bson.D{{Key: "$not", Value: bson.Regex{Pattern: pattern}}, {Key: "$type", Value: "string"}}), nil
	case c.Op == query.StartsWith && v.Text() != "":
		return is(path, beginsWith(v.Text())), nil
	}
	return is(path, is("$regex", bson.Regex{Pattern: pattern})), nil
}

// beginsWith is the range of the texts that begin with one that is not empty.
func beginsWith(text string) bson.D {
	within := is("$gte", text)
	for text != "" {
		r, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
		if r++; r == 0xd800 {
			r = 0xe000 // there are no characters between
		}
		if r <= utf8.MaxRune {
			return append(within, bson.E{Key: "$lt", Value: text + string(r)})
		}
	}
	return append(within, bson.E{Key: "$type", Value: "string"})
}

package mongodb

import (
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// scope is the row that conditions speak of, in a pipeline of its rows. Other rows are looked up
// by stages of the pipeline, before the stage that needs them, into fields of our own.
type scope struct {
	*rendering

	outer   *scope // the row that this one's pipeline is looked up for
	depth   int
	stages  bson.A
	seen    bool              // by a pipeline inside, as the variable
	joined  map[string]string // what holds the row behind links, by their names
	measure func(query.Measure) any
}

// rendering is what the scopes of one statement share.
type rendering struct {
	fields int
	err    error
}

func newScope(outer *scope) *scope {
	s := &scope{outer: outer, rendering: &rendering{}, joined: map[string]string{}}
	if outer != nil {
		s.rendering, s.depth = outer.rendering, outer.depth+1
	}
	return s
}

func (s *scope) fail(format string, args ...any) {
	if s.err == nil {
		s.err = fault.New(fault.Invalid, format, args...)
	}
}

func (s *scope) stage(name string, v any) { s.stages = append(s.stages, is(name, v)) }

// prefix is what the names of our own fields begin with.
const prefix = "_sc"

// field is the name of a field of our own.
func (s *scope) field() string {
	s.fields++
	return prefix + strconv.Itoa(s.fields)
}

func (s *scope) variable() string { return "row" + strconv.Itoa(s.depth) }

// up is the row so many scopes outward, and what its fields' paths begin with here.
func (s *scope) up(n int) (row *scope, path string) {
	if n == 0 {
		return s, "$"
	}
	row = s
	for range n {
		row = row.outer
		if row == nil {
			s.fail("a condition speaks of a row that is not there")
			return s, "$"
		}
	}
	row.seen = true
	return row, "$$" + row.variable() + "."
}

// name is the checked name of a column.
func (s *scope) name(f *schema.Field) string {
	n := generator.DocumentPath(f)
	if n == "" || strings.ContainsAny(n, ".\x00") || n[0] == '$' || strings.HasPrefix(n, prefix) {
		s.fail("%s: MongoDB has no field of the name %q; say another @column(name:)", f.Name, n)
	}
	return n
}

// path is where the field of an operand is in its row.
func (s *scope) path(o query.Operand) string {
	if len(o.Inside) == 0 {
		return s.name(o.Field)
	}
	return s.name(o.Inside[0]) + "." + query.MemberPath(o)
}

// value is an operand as an expression.
func (s *scope) value(o query.Operand, as *schema.Field) any {
	switch o.Kind {
	case query.Column:
		row, path := s.up(o.Up)
		return path + row.through(o.Via) + s.path(o)
	case query.Measured:
		if s.measure != nil {
			return s.measure(query.Measure{Fn: o.Fn, Field: o.Field})
		}
	case query.Constant, query.Arg, query.Claim:
		return slot{show: o.String(), fill: func(b *query.Binding) (any, error) {
			v, err := bound(o, as, b)
			return literal(v), err
		}}
	}
	s.fail("a condition has an operand that is nothing")
	return nil
}

// through looks up the row behind to-one links, once, and says what its fields' paths go on with.
func (s *scope) through(via []*schema.Field) string {
	at, from := "", ""
	var way strings.Builder
	for _, link := range via {
		way.WriteString(link.Name + ".")
		key := way.String()
		name, known := s.joined[key]
		if !known {
			name = s.lookup(link.Link, from, nil, func(inner *scope) { inner.stage("$limit", 1) })
			s.stage("$set", is(name, is("$first", "$"+name)))
			s.joined[key] = name
		}
		at, from = name+".", name+"."
	}
	return at
}

// lookup looks up the rows that a link leads to, or that its row leads to that is held by from,
// into a field, of which it returns the name. Rest is what their pipeline goes on with.
func (s *scope) lookup(l *schema.Link, from string, through query.Where, rest func(inner *scope)) string {
	if l.Through == nil {
		return s.equal(l.Target, l.To, names(s, from, l.From), rest)
	}
	joins := s.equal(l.Through, l.ThroughFrom, names(s, from, l.From), func(inner *scope) {
		inner.filter(through)
		inner.stage("$project", bson.D{{Key: "_id", Value: 0}, {Key: "k", Value: inner.tuple("$", l.ThroughTo)}})
	})
	s.stage("$set", is(joins, "$"+joins+".k"))
	return s.among(l.Target, l.To, joins, rest)
}

func names(s *scope, from string, fs []*schema.Field) []string {
	all := make([]string, len(fs))
	for i, f := range fs {
		all[i] = from + s.name(f)
	}
	return all
}

// tuple is the value of one field, or a document of several.
func (s *scope) tuple(path string, fs []*schema.Field) any {
	if len(fs) == 1 {
		return path + s.name(fs[0])
	}
	doc := bson.D{}
	for i, f := range fs {
		doc = append(doc, bson.E{Key: "k" + strconv.Itoa(i), Value: path + s.name(f)})
	}
	return doc
}

// equal looks up the rows of t whose fields equal those of this row; null equals nothing. The
// first is said by names, which an index can serve.
func (s *scope) equal(t *schema.Type, to []*schema.Field, from []string, rest func(inner *scope)) string {
	return s.into(t, from[0], to[0], func(inner *scope) {
		inner.present(to)
		for i := range to[1:] {
			s.seen = true
			inner.stage("$match", is("$expr", op("$eq", "$"+inner.name(to[i+1]), "$$"+s.variable()+"."+from[i+1])))
		}
		rest(inner)
	})
}

// among looks up the rows of t whose key is one of those that a field of ours holds.
func (s *scope) among(t *schema.Type, to []*schema.Field, keys string, rest func(inner *scope)) string {
	if len(to) == 1 {
		return s.into(t, keys, to[0], func(inner *scope) { inner.present(to); rest(inner) })
	}
	return s.into(t, "", nil, func(inner *scope) {
		inner.present(to)
		s.seen = true
		inner.stage("$match", is("$expr", op("$in", inner.tuple("$", to), "$$"+s.variable()+"."+keys)))
		rest(inner)
	})
}

func (s *scope) present(fs []*schema.Field) {
	all := bson.D{}
	for _, f := range fs {
		all = append(all, bson.E{Key: s.name(f), Value: is("$ne", nil)})
	}
	s.stage("$match", all)
}

// into looks up rows of t, those whose field equals that of this row where one is said.
func (s *scope) into(t *schema.Type, local string, foreign *schema.Field, fill func(inner *scope)) string {
	before := s.seen
	s.seen = false
	inner := newScope(s)
	fill(inner)
	as := s.field()
	lookup := bson.D{{Key: "from", Value: t.Table}}
	if foreign != nil {
		lookup = append(lookup, bson.E{Key: "localField", Value: local}, bson.E{Key: "foreignField", Value: s.name(foreign)})
	}
	if s.seen {
		lookup = append(lookup, bson.E{Key: "let", Value: is(s.variable(), "$$ROOT")})
	}
	s.seen = s.seen || before
	pipeline := inner.stages
	if pipeline == nil {
		pipeline = bson.A{}
	}
	s.stage("$lookup", append(lookup, bson.E{Key: "pipeline", Value: pipeline}, bson.E{Key: "as", Value: as}))
	return as
}

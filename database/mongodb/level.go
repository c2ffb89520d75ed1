package mongodb

import (
	"slices"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// statement is a rendered level: one pipeline, with slots for what a binding says.
type statement struct {
	collection string // "" for a pipeline that begins with documents of its own
	pipeline   bson.A
	frozen     bson.A // the same, with all that no binding changes as bytes
	cells      []cell
	keys       []*schema.Field // of what the keys of the binding are, when it has any
	alone      bool            // whether there is a row without any row to make it of
	typ        *schema.Type
}

func (s *statement) String() string {
	if s.collection == "" {
		return shown(s.pipeline)
	}
	return s.collection + " " + shown(s.pipeline)
}

const (
	ordinal = prefix + "key" // of the key that a row answers
	id      = prefix + "id"  // the key of the row, for errors
	result  = prefix + "row" // a row, while it is beside its key
)

// render makes the statement of a level.
func render(l *query.Level) (*statement, error) {
	s := newScope(nil)
	made := &statement{collection: l.Type.Table, typ: l.Type}
	switch {
	case l.Via != nil:
		made.collection, made.keys = "", keysOf(l)
		s.keyed(l, made)
	case l.Given != nil:
		made.collection = ""
		s.stages = append(s.stages, given(l))
		made.cells = s.level(l)
	default:
		made.cells = s.level(l)
	}
	made.pipeline = s.stages
	made.frozen, _ = frozenList(s.stages)
	made.alone = l.Count || l.Groups != nil && len(l.Groups.By) == 0 && l.Via == nil
	return made, s.err
}

// keysOf are the columns that the keys of a level are values of.
func keysOf(l *query.Level) []*schema.Field {
	if l.Via.Link == nil {
		return l.Type.Primary
	}
	return l.Via.Link.Link.From
}

// given is the row that is not stored.
func given(l *query.Level) any {
	return slot{show: "the row", fill: func(b *query.Binding) (any, error) {
		if len(b.Keys) != len(l.Given) {
			return nil, fault.New(fault.Internal, "a row has %d values, and %d are given", len(l.Given), len(b.Keys))
		}
		row := bson.D{}
		for i, f := range l.Given {
			v, err := encode(b.Keys[i], f)
			if err != nil {
				return nil, err
			}
			if v != nil {
				row = append(row, bson.E{Key: generator.DocumentPath(f), Value: v})
			}
		}
		return is("$documents", literal(bson.A{row})), nil
	}}
}

// keyed looks up the rows of each key. The pipeline of a row is a level's own, so that a limit is
// one for each key, and what comes is in the order of the keys.
func (s *scope) keyed(l *query.Level, made *statement) {
	fields := made.keys
	s.stages = append(s.stages, slot{show: "the keys", fill: func(b *query.Binding) (any, error) { return keyDocuments(fields, b) }})
	from := make([]string, len(fields))
	for i := range from {
		from[i] = "k" + strconv.Itoa(i)
	}
	rest := func(inner *scope) { made.cells = inner.root(func() []cell { return inner.level(l) }) }
	var rows string
	switch {
	case l.Via.Link == nil:
		rows = s.equal(l.Type, l.Type.Primary, from, rest)
	case l.Via.Link.Link.Through == nil:
		rows = s.equal(l.Type, l.Via.Link.Link.To, from, rest)
	default:
		link := l.Via.Link.Link
		joins := s.equal(link.Through, link.ThroughFrom, from, func(inner *scope) {
			inner.root(func() []cell { inner.filter(l.Via.Through); return nil })
			inner.stage("$project", bson.D{{Key: "_id", Value: 0}, {Key: "k", Value: inner.tuple("$", link.ThroughTo)}})
		})
		s.stage("$set", is(joins, "$"+joins+".k"))
		rows = s.among(l.Type, link.To, joins, rest)
	}
	s.stage("$unwind", "$"+rows)
	s.stage("$replaceWith", op("$mergeObjects", "$"+rows, is(ordinal, "$"+ordinal)))
}

// root runs do where no row is outward: those of keys are none.
func (s *scope) root(do func() []cell) []cell {
	outer := s.outer
	s.outer = nil
	cells := do()
	s.outer = outer
	return cells
}

func keyDocuments(fields []*schema.Field, b *query.Binding) (any, error) {
	n := len(fields)
	if n == 0 || len(b.Keys)%n != 0 {
		return nil, fault.New(fault.Internal, "%d values are no whole number of keys of %d columns", len(b.Keys), n)
	}
	names := make([]string, n)
	for j := range names {
		names[j] = "k" + strconv.Itoa(j)
	}
	list, docs := bsoncore.AppendArrayStart(nil)
	for i := range len(b.Keys) / n {
		var doc int32
		doc, docs = bsoncore.AppendDocumentElementStart(docs, strconv.Itoa(i))
		docs = bsoncore.AppendInt32Element(docs, ordinal, int32(i))
		for j, f := range fields {
			v, err := encode(b.Keys[i*n+j], f)
			if err != nil {
				return nil, err
			}
			if docs, err = appendElement(docs, names[j], v); err != nil {
				return nil, err
			}
		}
		docs, _ = bsoncore.AppendDocumentEnd(docs, doc) // it was begun
	}
	docs, _ = bsoncore.AppendArrayEnd(docs, list) // it was begun
	return is("$documents", literal(bson.RawValue{Type: bson.TypeArray, Value: docs})), nil
}

// level appends the stages of a level to those that give its rows.
func (s *scope) level(l *query.Level) []cell {
	s.filter(l.Where)
	if len(l.Distinct) > 0 {
		s.firsts(l)
	}
	switch {
	case l.Count:
		s.stage("$count", "c0")
		return []cell{{field: &schema.Field{Name: "count", Scalar: schema.Int, NonNull: true}, counts: true}}
	case l.Groups != nil:
		return s.groups(l)
	}
	s.sort(l.OrderBy)
	s.page(l)
	return s.project(l.Type, l.Columns)
}

// sort appends the sort key. MongoDB has nulls first in ascending order; where they are not, a
// field of ours comes before.
func (s *scope) sort(orders []query.Order) {
	if len(orders) == 0 {
		return
	}
	set, key := bson.D{}, bson.D{}
	for _, o := range orders {
		path := s.through(o.Via) + s.name(o.Field)
		value := any("$" + path)
		if o.When != nil {
			value = when(s.truth(o.When, true), value, nil)
			path = s.field()
			set = append(set, bson.E{Key: path, Value: value})
		}
		if o.Nullable() {
			s.nulls(&set, &key, value, o.Desc, o.Nulls)
		}
		key = appendKey(key, path, o.Desc)
	}
	if len(set) > 0 {
		s.stage("$set", set)
	}
	s.stage("$sort", key)
}

// appendKey appends a field to a sort key that does not have it.
func appendKey(key bson.D, path string, desc bool) bson.D {
	for _, e := range key {
		if e.Key == path {
			return key
		}
	}
	direction := 1
	if desc {
		direction = -1
	}
	return append(key, bson.E{Key: path, Value: direction})
}

// nulls appends what puts nulls where they are wanted.
func (s *scope) nulls(set, key *bson.D, e any, desc bool, n query.Nulls) {
	first := n == query.NullsFirst || n == query.NullsDefault && desc
	if first != desc {
		return
	}
	name := s.field()
	*set = append(*set, bson.E{Key: name, Value: isNil(e)})
	*key = append(*key, bson.E{Key: name, Value: map[bool]int{true: -1, false: 1}[first]})
}

func (s *scope) page(l *query.Level) {
	if !l.Offset.IsZero() {
		s.stages = append(s.stages, bounded("$skip", l.Offset))
	}
	if !l.Limit.IsZero() {
		s.stages = append(s.stages, bounded("$limit", l.Limit))
	}
}

func bounded(stage string, o query.Operand) any {
	return slot{show: stage + " " + o.String(), fill: func(b *query.Binding) (any, error) {
		v, err := operand(o, b)
		switch {
		case err != nil:
			return nil, err
		case v.IsNull():
			return nothing{}, nil
		case v.Int() <= 0 && stage == "$limit": // MongoDB refuses a limit of nothing
			return is("$match", constant(false)), nil
		}
		return is(stage, v.Int()), nil
	}}
}

// firsts leaves the first row of each combination of the columns of Distinct.
func (s *scope) firsts(l *query.Level) {
	s.sort(l.OrderBy)
	key := bson.D{}
	for i, f := range l.Distinct {
		key = append(key, bson.E{Key: "k" + strconv.Itoa(i), Value: op("$ifNull", "$"+s.name(f), nil)})
	}
	s.stage("$group", bson.D{{Key: "_id", Value: key}, {Key: result, Value: is("$first", "$$ROOT")}})
	s.stage("$replaceWith", "$"+result)
}

// key is the primary key of a row, by the names of its fields where it is of several.
func (s *scope) key(t *schema.Type) any {
	if len(t.Primary) < 2 {
		return "$_id"
	}
	doc := bson.D{}
	for _, f := range t.Primary {
		doc = append(doc, bson.E{Key: f.Name, Value: "$" + s.name(f)})
	}
	return doc
}

// readsKey is whether all of the primary key is among some columns.
func readsKey(t *schema.Type, columns []query.Cell) bool {
	return len(t.Primary) > 0 && !slices.ContainsFunc(t.Primary, func(f *schema.Field) bool {
		return !slices.ContainsFunc(columns, func(c query.Cell) bool { return c.Field == f && c.When == nil && len(c.Via) == 0 })
	})
}

// project appends what is read of each row.
func (s *scope) project(t *schema.Type, columns []query.Cell) []cell {
	cells := make([]cell, len(columns))
	out := bson.D{{Key: "_id", Value: 0}}
	if !readsKey(t, columns) {
		out = append(out, bson.E{Key: id, Value: s.key(t)})
	}
	for i, c := range columns {
		cells[i].field = c.Field
		o := query.Operand{Kind: query.Column, Field: c.Field, Via: c.Via}
		if c.When == query.False || c.When == query.Unknown {
			continue
		}
		e := s.value(o, nil)
		if c.When != nil && c.When != query.True {
			e = when(s.truth(c.When, true), e, nil)
		}
		out = append(out, bson.E{Key: "c" + strconv.Itoa(i), Value: e})
	}
	s.stage("$project", out)
	return cells
}

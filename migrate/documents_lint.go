package migrate

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/generator"
)

// documentSource is where the values of a wanted field come from.
type documentSource struct {
	generator.DocumentField

	had      bool   // the ledger knows it
	was      string // where it is in the documents now
	from, to string // kinds; from is "" where it is not known
	always   bool   // there was always a value
	parts    []documentPart
	fills    bool // documents without a value get one
}

// documentPart is how the values of some types become those of the wanted field.
type documentPart struct {
	types []string
	from  string
	conv  documentConversion
}

// value is what the field holds now, in an expression. An interrupted migration may have renamed
// it in some documents already.
func (s documentSource) value() any {
	if s.was == s.Path {
		return "$" + s.was
	}
	return op("$cond", isOf("$"+s.was, []string{"missing"}), "$"+s.Path, "$"+s.was)
}

// absent is a filter for the documents that hold nothing.
func (s documentSource) absent() bson.D {
	if s.was == s.Path {
		return bson.D{{Key: s.was, Value: nil}}
	}
	return bson.D{{Key: "$expr", Value: op("$eq", op("$ifNull", s.value(), nil), nil)}}
}

// unlike is a filter for the documents that do not hold what the field wants.
func (s documentSource) unlike() bson.D {
	if s.was == s.Path {
		return violates(s.was, s.Values, s.NonNull)
	}
	return bson.D{{Key: "$or", Value: bson.A{
		append(violates(s.was, s.Values, false), bson.E{Key: s.was, Value: present}),
		append(violates(s.Path, s.Values, s.NonNull), bson.E{Key: s.was, Value: bson.D{{Key: "$exists", Value: false}}}),
	}}}
}

// changes is whether some value does not stay as it is.
func (s documentSource) changes() bool {
	return s.fills || slices.ContainsFunc(s.parts, func(p documentPart) bool { return !p.conv.stays })
}

// assign is the value of the field in an update, nil for the one it has; and which documents need it.
func (s documentSource) assign(fill any) (expr any, when bson.A) {
	if !s.changes() {
		return nil, nil
	}
	value := s.image("$"+s.Path, fill)
	for _, p := range s.parts {
		if !p.conv.stays {
			when = append(when, bson.D{{Key: "$expr", Value: isOf("$"+s.Path, p.types)}})
		}
	}
	if s.fills {
		when = append(when, bson.D{{Key: s.Path, Value: nil}})
	}
	return value, when
}

// image is the value that the field will have, by an expression of the one it has.
func (s documentSource) image(value, fill any) any {
	var branches bson.A
	for _, p := range s.parts {
		if !p.conv.stays {
			branches = append(branches, bson.D{{Key: "case", Value: isOf(value, p.types)}, {Key: "then", Value: p.conv.expr(value)}})
		}
	}
	image := value
	if len(branches) > 0 {
		image = bson.D{{Key: "$switch", Value: bson.D{{Key: "branches", Value: branches}, {Key: "default", Value: value}}}}
	}
	if s.fills {
		image = bson.D{{Key: "$ifNull", Value: bson.A{image, bson.D{{Key: "$literal", Value: fill}}}}}
	}
	return image
}

func isOf(value any, types []string) bson.D {
	return bson.D{{Key: "$in", Value: bson.A{bson.D{{Key: "$type", Value: value}}, types}}}
}

// literal is what documents that have no value get, nil for nothing: see draft.fill.
func (e *documentEdit) literal(s documentSource) any {
	switch f := s.Field; {
	case s.Fill != nil:
		return s.Fill
	case !f.NonNull:
		return nil
	case f.CreatedAt || f.UpdatedAt:
		return bson.NewDateTimeFromTime(e.now)
	case f.IsVersion:
		return int32(1)
	}
	return nil
}

// trusted is whether nothing can be wrong with the values of a field: the validator was what
// it shall be, or the ledger says that they were looked at.
func (e *documentEdit) trusted(s *documentSource, made madeColumn) bool {
	if !s.had || made.Kind != documentKind(s.Field) || made.Key != (s.Path == "_id") {
		return false
	}
	required, _ := e.have.rules()
	property, there := e.have.property(s.was)
	return !e.ours || there && e.have.strict() && sameDocument(property, s.Values) && slices.Contains(required, s.was) == s.NonNull
}

// judge says what becomes of a field, and asks the documents whether it can.
func (e *documentEdit) judge(s *documentSource, made madeColumn) {
	if e.trusted(s, made) {
		return
	}
	change, worthy := e.announce(s)
	change.part = "column " + s.was
	switch {
	case e.have.documents == 0:
	case s.Path == "_id" || made.Key:
		change, worthy = e.key(change, s, made, worthy)
	default:
		found := e.unlike(s)
		nulls := found["null"] + found["missing"] + found["undefined"]
		maps.DeleteFunc(found, func(name string, _ int) bool { return name == "null" || name == "missing" || name == "undefined" })
		change = e.converted(change, s, found)
		if s.NonNull && change.Verdict != Impossible && (nulls > 0 || s.had && !s.always) {
			change = e.required(change, s, nulls)
		}
		worthy = worthy || change.Verdict != Harmless || s.changes()
	}
	if worthy {
		e.say(change)
	}
}

// announce is a change in words; false where there is none unless the documents say so.
func (e *documentEdit) announce(s *documentSource) (Change, bool) {
	name := e.want.Name + "." + s.Column
	change := Change{Comment: "add field " + name, lacks: true}
	if !s.had {
		if !e.known {
			change.Comment = "correct field " + name
		}
		return change, e.known
	}
	var what []string
	if s.from != s.to {
		what = append(what, "from "+s.from+" to "+s.to)
	}
	if s.always != s.NonNull {
		what = append(what, map[bool]string{true: "required", false: "nullable"}[s.NonNull])
	}
	change.Comment = "change field " + name + ": " + strings.Join(what, ", ")
	if len(what) > 0 {
		return change, true
	}
	property, there := e.have.property(s.was)
	change.Comment = "correct field " + name
	if s.Enum == nil || !there || sameDocument(property, s.Values) {
		return change, false
	}
	change.Comment = "change the values of " + name + " to those of " + s.Enum.Name
	change.Check = "every document of " + e.want.Name + " meets it"
	change.lacks = !within(s.Values, property)
	return change, true
}

// within is whether the values of an enum are all among those of another.
func within(values, others bson.D) bool {
	wanted, _ := valueOf(values, "enum")
	had, _ := valueOf(others, "enum")
	list, known := had.(bson.A)
	few, said := wanted.(bson.A)
	return known && said && !slices.ContainsFunc(few, func(v any) bool { return !slices.Contains(list, v) })
}

// key judges what concerns _id, which no update can change.
func (e *documentEdit) key(change Change, s *documentSource, made madeColumn, worthy bool) (Change, bool) {
	if e.known && made.Key != (s.Path == "_id") {
		return change.impossible("it is the key of a document in %s, which cannot be changed, and there %s %s; make a type of another name, and copy them",
			map[bool]string{true: "the schema", false: "the database"}[s.Path == "_id"], verb(int(e.have.documents), "is", "are"), count(int(e.have.documents), "document")), true
	}
	if n := e.find(violates("_id", s.Values, true)); n.rows > 0 {
		return change.impossible("%s %s no %s for a key, which cannot be changed; make a type of another name, and copy them", n.documents(e.want.Name), verb(n.rows, "has", "have"), s.to), true
	}
	return change, worthy
}

// violates is a filter for what a property does not allow.
func violates(path string, property bson.D, required bool) bson.D {
	var names []string
	if required {
		names = []string{path}
	}
	return bson.D{{Key: "$nor", Value: bson.A{generator.Validator(names, bson.D{{Key: path, Value: property}})}}}
}

// unlike counts the documents that do not hold what a field wants, by the type of what they hold.
func (e *documentEdit) unlike(s *documentSource) map[string]int {
	counts := map[string]int{}
	found, err := e.Mongo.Collection(e.have.name).Aggregate(e.ctx, mongo.Pipeline{
		{{Key: "$match", Value: s.unlike()}},
		{{Key: "$group", Value: bson.D{{Key: "_id", Value: bson.D{{Key: "$type", Value: s.value()}}}, {Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}}}}},
	})
	var groups []struct {
		Type string `bson:"_id"`
		N    int
	}
	if err == nil {
		err = found.All(e.ctx, &groups)
	}
	if err != nil {
		e.fail(fmt.Errorf("look at the documents of %s: %w", e.have.name, err))
	}
	for _, g := range groups {
		counts[g.Type] = g.N
	}
	return counts
}

// converted judges how values become those of the field, by the values that are there: those
// of the kind that it was, and any others that it does not take.
func (e *documentEdit) converted(change Change, s *documentSource, unlike map[string]int) Change {
	var kinds []string
	if s.had && s.from != s.to {
		kinds = append(kinds, s.from)
	}
	for _, t := range slices.Sorted(maps.Keys(unlike)) {
		if t == "array" && s.List || t == "object" && s.Value != nil && !s.List {
			n := e.find(bson.D{{Key: "$and", Value: bson.A{s.unlike(), bson.D{{Key: "$expr", Value: isOf(s.value(), []string{t})}}}}})
			return change.impossible("%s %s something inside that the schema does not say; correct %s first",
				n.documents(e.want.Name+"."+s.Column), verb(n.rows, "holds", "hold"), verb(n.rows, "it", "them"))
		}
		covered := slices.ContainsFunc(kinds, func(kind string) bool { return slices.Contains(typesOf(kind), t) })
		if !covered {
			kinds = append(kinds, kindOfType(t))
		}
	}
	for _, kind := range kinds {
		if change = e.convertedFrom(change, s, kind); change.Verdict == Impossible {
			return change
		}
	}
	return change
}

func (e *documentEdit) convertedFrom(change Change, s *documentSource, kind string) Change {
	name := e.want.Name + "." + s.Column
	part := documentPart{types: typesOf(kind), from: kind}
	of := bson.E{Key: "$expr", Value: isOf(s.value(), part.types)}
	conv, ok := documentConvert(s.Field, s.to, kind)
	if !ok {
		if n := e.find(bson.D{of}); n.rows > 0 {
			return change.impossible("no value of %s becomes one of %s by itself, and %s %s one; %s",
				kind, s.to, n.documents(name), verb(n.rows, "holds", "hold"), e.undo.or("empty it first", "add a field of another name, fill it, and drop this one"))
		}
		return change
	}
	part.conv = conv
	s.parts = append(s.parts, part)
	where := func(condition any) bson.D {
		return bson.D{{Key: "$expr", Value: op("$cond", of.Value, condition, false)}} // which asks others nothing
	}
	if conv.fails != nil {
		if n := e.find(where(conv.fails(s.value()))); n.rows > 0 {
			if s.Enum != nil {
				return change.impossible("%s %s a value that is not among them; give %s another one first, or keep the value", n.documents(name), verb(n.rows, "holds", "hold"), verb(n.rows, "it", "them"))
			}
			return change.impossible("%s %s no %s; correct %s first", n.documents(name), verb(n.rows, "is", "are"), s.to, verb(n.rows, "it", "them"))
		}
		change.Check = fmt.Sprintf("every value of %s converts", name)
	}
	if conv.loses != nil {
		if n := e.find(where(conv.loses(s.value()))); n.rows > 0 {
			return change.destroys("%s would lose a part of %s value", n.documents(name), verb(n.rows, "its", "their")).loses("a part of the value of %s", n.documents(name))
		}
		change.Check = fmt.Sprintf("no value of %s loses a part", name)
	}
	return change
}

// required judges that a field needs a value in each document.
func (e *documentEdit) required(change Change, s *documentSource, nulls int) Change {
	name := e.want.Name + "." + s.Column
	fill := e.literal(*s)
	switch {
	case nulls == 0:
		change.Check = "no document of " + name + " is null"
	case fill == nil && !s.had && e.known:
		return change.impossible("it is required, and %s has %s; %s", e.want.Name, count(int(e.have.documents), "document"),
			e.undo.or("what it held is gone, so apply a schema in which it may be null, and go on from there", "give it @default(value: …), or take off the !"))
	case fill == nil:
		n := e.find(s.absent())
		fill := "fill " + verb(nulls, "it", "them") + " first"
		return change.impossible("%s %s null; %s", n.documents(name), verb(nulls, "is", "are"), e.undo.or(fill, "give it @default(value: …), "+fill+", or take off the !"))
	case !s.had:
		change.Check = fmt.Sprintf("%s of %s %s %s", count(nulls, "document"), e.want.Name, verb(nulls, "gets", "get"), valueText(fill))
	default:
		n := e.find(s.absent())
		change = change.destroys("%s %s null and would become %s", n.documents(name), verb(nulls, "is", "are"), valueText(fill)).
			loses("that %s %s null, which became %s", n.documents(name), verb(nulls, "was", "were"), valueText(fill))
	}
	s.fills = nulls > 0
	return change
}

func valueText(v any) string {
	text := commandText(bson.D{{Key: "v", Value: v}})
	return strings.TrimSuffix(strings.TrimPrefix(text, `{"v":`), "}")
}

// unique judges that documents must differ in the fields of an index, as they will be.
func (e *documentEdit) unique(change Change, i generator.DocumentIndex) Change {
	var names []string
	var key, conditions bson.D
	partial := e.partial(i)
	for n, k := range i.Keys {
		names = append(names, k.Key)
		at := fmt.Sprintf("k%d", n)
		key = append(key, bson.E{Key: at, Value: e.imageOf(k.Key)})
		conditions = append(conditions, bson.E{Key: "_id." + at, Value: bson.D{{Key: "$ne", Value: nil}}})
	}
	groups, err := e.Mongo.Collection(e.have.name).Aggregate(e.ctx, mongo.Pipeline{
		{{Key: "$match", Value: partial}},
		{{Key: "$group", Value: bson.D{
			{Key: "_id", Value: key},
			{Key: "n", Value: bson.D{{Key: "$sum", Value: 1}}},
			{Key: "first", Value: bson.D{{Key: "$min", Value: "$_id"}}},
			{Key: "last", Value: bson.D{{Key: "$max", Value: "$_id"}}},
		}}},
		{{Key: "$match", Value: append(conditions, bson.E{Key: "n", Value: bson.D{{Key: "$gt", Value: 1}}})}},
		{{Key: "$sort", Value: bson.D{{Key: "first", Value: 1}}}},
	}, options.Aggregate().SetAllowDiskUse(true))
	if err != nil {
		e.fail(fmt.Errorf("look at the documents of %s: %w", e.have.name, err))
		return change
	}
	var doubles finding
	for groups.Next(e.ctx) {
		var g struct {
			N           int
			First, Last bson.RawValue
		}
		e.fail(groups.Decode(&g))
		doubles.rows += g.N
		for _, k := range []bson.RawValue{g.First, g.Last} {
			if len(doubles.keys) < shownKeys {
				doubles.keys = append(doubles.keys, keyText(k))
			}
		}
	}
	e.fail(errors.Join(groups.Err(), groups.Close(e.ctx)))
	name := e.want.Name + " (" + strings.Join(names, ", ") + ")"
	if doubles.rows == 0 {
		change.Check = "no two documents of " + name + " are equal"
		return change
	}
	return change.impossible("%s share their values with another document; make them differ first", doubles.documents(name))
}

// partial is the filter of an index as far as it is more than that there are values, by the
// names that fields have now.
func (e *documentEdit) partial(i generator.DocumentIndex) bson.D {
	filter := bson.D{}
	for _, c := range i.Partial {
		if _, within := valueOf(i.Keys, c.Key); !within {
			filter = append(filter, bson.E{Key: e.place(c.Key), Value: c.Value})
		}
	}
	return filter
}

// place is where a field is now that will be at a path.
func (e *documentEdit) place(path string) string {
	for _, s := range e.sources {
		if s.Path == path {
			return s.was
		}
	}
	return path
}

// imageOf is the value that a field will have, by the documents as they are.
func (e *documentEdit) imageOf(path string) any {
	for _, s := range e.sources {
		if s.Path == path {
			return s.image(s.value(), e.literal(s))
		}
	}
	return "$" + path
}

// documents is the finding in words: 17 documents of users.email (with key 3, 5, 9, …).
func (f finding) documents(name string) string { return f.called("document", name) }

// find looks for documents of the collection as it is.
func (e *documentEdit) find(filter bson.D) finding {
	f := finding{rows: e.count(e.have, filter)}
	if f.rows == 0 || e.err != nil {
		return f
	}
	var key bson.D
	for _, p := range e.want.Type.Primary {
		key = append(key, bson.E{Key: e.field(e.want.Name, generator.DocumentPath(p)), Value: 1})
	}
	found, err := e.Mongo.Collection(e.have.name).Find(e.ctx, filter, options.Find().SetProjection(key).SetSort(key).SetLimit(shownKeys))
	var keys []bson.Raw
	if err == nil {
		err = found.All(e.ctx, &keys)
	}
	if err != nil {
		e.fail(err)
	}
	for _, k := range keys {
		parts := make([]string, len(key))
		for i, p := range key {
			parts[i] = keyText(k.Lookup(p.Key))
		}
		f.keys = append(f.keys, strings.Join(parts, "/"))
	}
	return f
}

// keyText is a part of a key for people.
func keyText(v bson.RawValue) string {
	switch v.Type {
	case bson.TypeString:
		return v.StringValue()
	case bson.TypeObjectID:
		return v.ObjectID().Hex()
	}
	if n, ok := v.AsInt64OK(); ok {
		return strconv.FormatInt(n, 10)
	}
	return v.String()
}

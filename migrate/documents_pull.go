package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"spacecloud/generator"
)

// sampled is how many documents of a collection are looked at.
const sampled = 1000

// pull reads what a database of documents holds: from a sample of each collection, and from its
// validator and indexes.
func (m documents) pull(ctx context.Context) (*generator.Existing, error) {
	e := &generator.Existing{Database: m.Name, Product: m.Product, Dialect: "mongodb"}
	found, err := m.Mongo.ListCollections(ctx, bson.D{})
	if err != nil {
		return nil, fmt.Errorf("list the collections: %w", err)
	}
	var infos []struct {
		Name    string
		Type    string
		Options struct{ Validator bson.D }
	}
	if err := found.All(ctx, &infos); err != nil {
		return nil, fmt.Errorf("list the collections: %w", err)
	}
	for _, i := range infos {
		if strings.HasPrefix(i.Name, "system.") || strings.HasPrefix(i.Name, "_spacecloud") {
			continue
		}
		t := generator.ExistingTable{Name: i.Name, What: "table"}
		switch {
		case ownTable(i.Name):
			t.Alone = "names that begin with _ are the server's own"
		case i.Type == "view", i.Type == "timeseries":
			t.What = "view"
		}
		c := &collection{name: i.Name, view: t.What == "view", validator: i.Options.Validator}
		if t.Alone == "" {
			if err := m.pullInside(ctx, c, &t); err != nil {
				return nil, fmt.Errorf("look at the collection %s: %w", i.Name, err)
			}
		}
		e.Tables = append(e.Tables, t)
	}
	return e, nil
}

func (m documents) pullInside(ctx context.Context, c *collection, t *generator.ExistingTable) error {
	at := m.Mongo.Collection(c.name)
	cursor, err := at.Aggregate(ctx, mongo.Pipeline{bson.D{{Key: "$sample", Value: bson.D{{Key: "size", Value: sampled}}}}})
	if err != nil {
		return err
	}
	var docs []bson.Raw
	if err := cursor.All(ctx, &docs); err != nil {
		return err
	}
	seen := sample{documents: len(docs), whole: len(docs) < sampled, fields: map[string]*sight{}}
	for _, doc := range docs {
		seen.add(doc)
	}
	seen.validate(c.validator)
	t.Columns = seen.columns()
	if !seen.whole {
		t.Notes = append(t.Notes, fmt.Sprintf("read from %d of its documents: what others hold beside that is not here, and may be null", len(docs)))
	}
	if t.What == "table" && len(t.Columns) > 0 {
		documentKey(t)
	}
	if c.view {
		return nil
	}
	return m.pullIndexes(ctx, at, t)
}

// documentKey calls a key by what its field is called: id, if there is no other of that name.
func documentKey(t *generator.ExistingTable) {
	at := slices.IndexFunc(t.Columns, func(c generator.ExistingColumn) bool { return c.Name == "_id" })
	if at < 0 {
		t.Notes = append(t.Notes, `no document shows what its key is, so that it is only read, like a view; say type instead, and give it one: id: ID! @primary`)
		return
	}
	t.Columns[at].NonNull, t.Primary = true, []string{"_id"}
	if !slices.Contains([]string{"objectId", "string", "int", "long", "int, long"}, t.Columns[at].Type) {
		return // a type without a key is read by what it holds, also in _id
	}
	name := "id"
	for slices.ContainsFunc(t.Columns, func(c generator.ExistingColumn) bool { return c.Name == name }) {
		name += "_key"
	}
	t.Columns[at].Name, t.Primary = name, []string{name}
}

// sample is what the fields of documents were seen to hold.
type sample struct {
	documents int
	whole     bool // all there are were seen
	fields    map[string]*sight
	required  []string // by the validator
}

// sight is what was seen in one place.
type sight struct {
	place    int // the last that it had in any document
	values   int // that are not null
	nulls    int
	kinds    map[string]bool
	members  *sample // of documents
	elements *sight  // of arrays
	enum     []string
}

func (s *sample) field(name string) *sight {
	f, ok := s.fields[name]
	if !ok {
		f = &sight{kinds: map[string]bool{}}
		s.fields[name] = f
	}
	return f
}

func (s *sample) add(doc bson.Raw) {
	elements, err := doc.Elements()
	if err != nil {
		return
	}
	for i, e := range elements {
		f := s.field(e.Key())
		f.place = max(f.place, i)
		f.add(e.Value())
	}
}

// binaries and the like that no scalar holds are told by a name of their own.
func kindOfValue(v bson.RawValue) string {
	names := map[bson.Type]string{
		bson.TypeString: "string", bson.TypeInt32: "int", bson.TypeInt64: "long", bson.TypeDouble: "double", bson.TypeDecimal128: "decimal",
		bson.TypeBoolean: "bool", bson.TypeDateTime: "date", bson.TypeObjectID: "objectId", bson.TypeEmbeddedDocument: "object", bson.TypeArray: "array",
	}
	if name, ok := names[v.Type]; ok {
		return name
	}
	if subtype, _, ok := v.BinaryOK(); ok {
		if subtype == 0 {
			return "binData"
		}
		return fmt.Sprintf("binData of the subtype %d", subtype)
	}
	return v.Type.String()
}

func (f *sight) add(v bson.RawValue) {
	if v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
		f.nulls++
		return
	}
	f.values++
	f.kinds[kindOfValue(v)] = true
	if doc, ok := v.DocumentOK(); ok {
		if f.members == nil {
			f.members = &sample{whole: true, fields: map[string]*sight{}}
		}
		f.members.documents++
		f.members.add(doc)
	}
	array, ok := v.ArrayOK()
	if !ok {
		return
	}
	if f.elements == nil {
		f.elements = &sight{kinds: map[string]bool{}}
	}
	values, err := array.Values()
	if err != nil {
		return
	}
	for _, e := range values {
		f.elements.add(e)
	}
}

// validate adds what a validator says of fields that no document of the sample has a value in,
// and which texts are the only ones.
func (s *sample) validate(validator bson.D) {
	required, properties := (&collection{validator: validator}).rules()
	s.required = required
	for _, p := range properties {
		rules, ok := p.Value.(bson.D)
		if !ok {
			continue
		}
		f := s.field(p.Key)
		for _, r := range rules {
			values, several := r.Value.(bson.A)
			switch {
			case r.Key == "bsonType" && f.values == 0 && several:
				f.allow(values...)
			case r.Key == "bsonType" && f.values == 0:
				f.allow(r.Value)
			case r.Key == "enum" && several:
				f.only(values)
			}
		}
	}
}

func (f *sight) allow(kinds ...any) {
	for _, k := range kinds {
		if name := fmt.Sprint(k); name != "null" {
			f.kinds[name] = true
		}
	}
}

func (f *sight) only(values bson.A) {
	var texts []string
	for _, v := range values {
		text, ok := v.(string)
		if !ok && v != nil {
			return
		}
		if ok {
			texts = append(texts, text)
		}
	}
	f.enum = texts
	if f.values == 0 {
		f.kinds["string"] = true
	}
}

// columns are the fields in the order in which documents have them.
func (s *sample) columns() []generator.ExistingColumn {
	names := slices.Sorted(maps.Keys(s.fields))
	slices.SortStableFunc(names, func(a, b string) int { return s.fields[a].place - s.fields[b].place })
	columns := make([]generator.ExistingColumn, 0, len(names))
	for _, name := range names {
		f := s.fields[name]
		c := f.column(name)
		always := f.values == s.documents && f.nulls == 0
		c.NonNull = always && (slices.Contains(s.required, name) || s.whole && s.documents > 0)
		columns = append(columns, c)
	}
	return columns
}

func (f *sight) column(name string) generator.ExistingColumn {
	c := generator.ExistingColumn{Name: name, Type: strings.Join(slices.Sorted(maps.Keys(f.kinds)), ", "), Values: f.enum}
	if f.members != nil {
		c.Members = f.members.columns()
	}
	if f.elements != nil {
		element := f.elements.column(name)
		element.NonNull = f.elements.nulls == 0
		c.Element = &element
	}
	return c
}

func (m documents) pullIndexes(ctx context.Context, at *mongo.Collection, t *generator.ExistingTable) error {
	found, err := at.Indexes().List(ctx)
	if err != nil {
		return err
	}
	var all []bson.D
	if err := found.All(ctx, &all); err != nil {
		return err
	}
	for _, i := range all {
		ix, unique := documentIndexOf(t, i)
		switch {
		case ix.Name == "_id_":
		case unique:
			t.Uniques = append(t.Uniques, ix)
		default:
			t.Indexes = append(t.Indexes, ix)
		}
	}
	return nil
}

// documentIndexOf is an index as listIndexes tells it.
func documentIndexOf(t *generator.ExistingTable, options bson.D) (ix generator.ExistingIndex, unique bool) {
	var partial bson.D
	for _, o := range options {
		switch o.Key {
		case "v", "ns", "background":
		case "name":
			ix.Name = fmt.Sprint(o.Value)
		case "key":
			keys, _ := o.Value.(bson.D)
			ix.Columns, ix.Odd = documentKeys(keys)
		case "unique":
			unique, _ = o.Value.(bool)
		case "partialFilterExpression":
			partial, _ = o.Value.(bson.D)
		default:
			ix.Odd = "it says " + o.Key
		}
	}
	switch {
	case !unique && partial != nil:
		ix.Where = commandText(partial)
	case unique && ix.Odd == "":
		ix.Odd = oddUnique(t, ix.Columns, partial)
	}
	return ix, unique
}

func documentKeys(keys bson.D) (columns []string, odd string) {
	for _, k := range keys {
		switch direction := fmt.Sprint(k.Value); direction {
		case "1":
			columns = append(columns, k.Key)
		case "-1":
			columns = append(columns, "-"+k.Key)
		default:
			odd = "it is of the kind " + direction
		}
	}
	return columns, odd
}

// oddUnique is why a unique index is not one of a schema, in which any number of documents may
// have no value.
func oddUnique(t *generator.ExistingTable, columns []string, partial bson.D) string {
	for _, name := range columns {
		c := slices.IndexFunc(t.Columns, func(c generator.ExistingColumn) bool { return c.Name == name })
		if c < 0 || t.Columns[c].NonNull {
			continue
		}
		condition, ok := lookup(partial, name)
		if !ok || len(condition) != 1 || condition[0].Key != "$gte" {
			return "documents without a value are equal to it"
		}
		partial = slices.DeleteFunc(slices.Clone(partial), func(e bson.E) bool { return e.Key == name })
	}
	if len(partial) > 0 {
		return "it is unique only where " + commandText(partial)
	}
	return ""
}

package generator

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/schema"
)

// Collection is the desired state of one collection of MongoDB.
type Collection struct {
	Name    string
	Type    *schema.Type
	Fields  []DocumentField // in the order of the type's columns
	Indexes []DocumentIndex
}

// DocumentField is what the documents of a collection hold in one place.
type DocumentField struct {
	*schema.Field

	Path   string // in the document: _id for a key of one field
	Values bson.D // a $jsonSchema of the values, null among them where there may be none
	Fill   any    // the literal default as a value of BSON, nil for none
}

// DocumentIndex is an index besides the one of _id.
type DocumentIndex struct {
	Name    string
	Keys    bson.D
	Unique  bool
	Partial bson.D // the filter of the documents in it, empty for all
}

// Collections is the desired state of one database of MongoDB: the collections of types,
// which all live in it, in their order.
func Collections(types []*schema.Type) ([]Collection, error) {
	var made []Collection
	for _, t := range types {
		switch {
		case t.Kind == schema.View && t.SQL != "":
			return nil, schema.Problems{{Pos: t.Pos, Message: fmt.Sprintf(
				"%s: @view(sql:) is for SQL databases, and %s is MongoDB; make a view there and say @view without sql, or choose another database", t.Name, t.DB)}}
		case t.Kind != schema.Table:
			continue
		}
		c, err := collectionOf(t)
		if err != nil {
			return nil, err
		}
		made = append(made, c)
	}
	return made, nil
}

func collectionOf(t *schema.Type) (Collection, error) {
	c := Collection{Name: t.Table, Type: t}
	for _, f := range t.Columns {
		field, err := documentField(f)
		if err != nil {
			return c, err
		}
		c.Fields = append(c.Fields, field)
	}
	if len(t.Primary) > 1 {
		c.Indexes = append(c.Indexes, compoundKey(t))
	}
	for _, u := range t.Uniques {
		i, err := documentIndex(u)
		if err != nil {
			return c, err
		}
		i.Unique = true
		i.Partial = append(i.Partial, present(u)...)
		c.Indexes = append(c.Indexes, i)
	}
	for _, index := range t.Indexes {
		i, err := documentIndex(index)
		if err != nil {
			return c, err
		}
		c.Indexes = append(c.Indexes, i)
	}
	return c, nil
}

func documentField(f *schema.Field) (DocumentField, error) {
	values, err := documentValues(f)
	if err != nil {
		return DocumentField{}, err
	}
	field := DocumentField{Field: f, Path: DocumentPath(f), Values: values}
	if f.Default != nil && !f.Default.IsNull() {
		if field.Fill, err = documentValue(f, *f.Default); err != nil {
			return field, problemAt(f, "@default: %v", err)
		}
	}
	return field, nil
}

// DocumentPath is where the documents of a collection hold a field. A key of one field is
// _id, which MongoDB asks for in any case.
func DocumentPath(f *schema.Field) string {
	if f.IsPrimary && f.Owner != nil && len(f.Owner.Primary) == 1 {
		return "_id"
	}
	return f.Column
}

// documentTypes are the types of values in MongoDB by scalar. A number that is smaller than
// its type may stand in its place, as other programs write it.
var documentTypes = [...][]string{
	schema.ID:       {"string"},
	schema.String:   {"string"},
	schema.Int:      {"int"},
	schema.BigInt:   {"long", "int"},
	schema.Float:    {"double", "int"},
	schema.Decimal:  {"decimal"},
	schema.Boolean:  {"bool"},
	schema.DateTime: {"date"},
	schema.Date:     {"string"},
	schema.Time:     {"string"},
	schema.UUID:     {"string"},
	schema.JSON:     {"object", "array", "string", "double", "int", "long", "decimal", "bool"},
	schema.Bytes:    {"binData"},
	schema.Embedded: {"object"},
}

// ObjectID is what @column(type:) may say: an ID that MongoDB holds as an ObjectId, and the API as its 24
// hexadecimal digits.
const ObjectID = "objectId"

// documentValues is the $jsonSchema of a field: a test of type, and for enums of value. What
// validators of the schema say besides is asked by the server's own write path.
func documentValues(f *schema.Field) (bson.D, error) {
	if f.Native != "" && (f.Native != ObjectID || f.Scalar != schema.ID) {
		return nil, problemAt(f, "@column(type: %q): of MongoDB there is only %q to say, of an ID; all else follows from the field's type", f.Native, ObjectID)
	}
	if f.Native != "" && f.HoldsInteger() {
		return nil, problemAt(f, "@column(type: %q): an ObjectId does not hold the numbers of @autoIncrement; leave one of them out", f.Native)
	}
	return fieldValues(f, nil), nil
}

// fieldValues is the $jsonSchema of a field within embedded values.
func fieldValues(f *schema.Field, within []*schema.Type) bson.D {
	if f.List {
		return append(bsonType([]string{"array"}, !f.NonNull), bson.E{Key: "items", Value: scalarValues(f, f.ElemNull, within)})
	}
	return scalarValues(f, !f.NonNull, within)
}

// scalarValues is the $jsonSchema of a field, or of the elements of a list.
func scalarValues(f *schema.Field, null bool, within []*schema.Type) bson.D {
	switch {
	case f.Native == ObjectID:
		return bsonType([]string{ObjectID}, null)
	case f.Scalar == schema.Embedded && !slices.Contains(within, f.Value): // one that holds itself ends there
		return append(bsonType([]string{"object"}, null), members(f.Value, append(within, f.Value))...)
	case f.Scalar == schema.EnumValue:
		names := bson.A{}
		for _, v := range f.Enum.Values {
			names = append(names, v.Name)
		}
		if null {
			names = append(names, nil)
		}
		return bson.D{{Key: "enum", Value: names}}
	case f.AutoIncrement, f.HoldsInteger():
		return bsonType(documentTypes[schema.BigInt], null)
	}
	return bsonType(documentTypes[f.Scalar], null)
}

// members are the rules of what is in an embedded value.
func members(t *schema.Type, within []*schema.Type) bson.D {
	var required []string
	var properties bson.D
	for _, f := range t.Columns {
		properties = append(properties, bson.E{Key: f.Name, Value: fieldValues(f, within)})
		if f.NonNull {
			required = append(required, f.Name)
		}
	}
	return objectRules(required, properties)
}

func bsonType(names []string, null bool) bson.D {
	types := bson.A{}
	for _, name := range names {
		types = append(types, name)
	}
	if null {
		types = append(types, "null")
	}
	if len(types) == 1 {
		return bson.D{{Key: "bsonType", Value: types[0]}}
	}
	return bson.D{{Key: "bsonType", Value: types}}
}

// Validator is the validator of a collection whose documents hold fields, of which some must
// have a value.
func Validator(required []string, properties bson.D) bson.D {
	return bson.D{{Key: "$jsonSchema", Value: append(bsonType([]string{"object"}, false), objectRules(required, properties)...)}}
}

func objectRules(required []string, properties bson.D) bson.D {
	rules := bson.D{}
	if len(required) > 0 { // an empty list is refused
		names := bson.A{}
		for _, name := range required {
			names = append(names, name)
		}
		rules = append(rules, bson.E{Key: "required", Value: names})
	}
	return append(rules, bson.E{Key: "properties", Value: properties})
}

// Rules are the paths in which every document has a value, and what the values may be.
func (c Collection) Rules() (required []string, properties bson.D) {
	for _, f := range c.Fields {
		properties = append(properties, bson.E{Key: f.Path, Value: f.Values})
		if f.NonNull {
			required = append(required, f.Path)
		}
	}
	return required, properties
}

// compoundKey is the index of a key of several fields. MongoDB makes an _id besides, which
// nobody asks for: one of several parts would be equal to another only in the same order.
func compoundKey(t *schema.Type) DocumentIndex {
	index := DocumentIndex{Name: constraintName(t.Table, columnNames(t.Primary), "pkey"), Unique: true}
	for _, f := range t.Primary {
		index.Keys = append(index.Keys, bson.E{Key: DocumentPath(f), Value: int32(1)})
	}
	return index
}

func documentIndex(i schema.Index) (DocumentIndex, error) {
	index := DocumentIndex{Name: i.Name}
	for _, f := range i.Fields {
		index.Keys = append(index.Keys, bson.E{Key: DocumentPath(f.Field), Value: map[bool]int32{false: 1, true: -1}[f.Desc]})
	}
	if i.Where == "" {
		return index, nil
	}
	if err := bson.UnmarshalExtJSON([]byte(i.Where), false, &index.Partial); err != nil || len(index.Partial) == 0 {
		return index, schema.Problems{{Pos: i.Pos, Message: fmt.Sprintf(`@index(where:) of MongoDB is a filter in JSON, like "{\"archived\": false}": %v`, err)}}
	}
	return index, nil
}

// present lets documents without a value out of a unique index, in which they would be equal.
// It compares instead of asking for a type: then a query for one value can use the index.
func present(u schema.Index) bson.D {
	var filter bson.D
	for _, f := range u.Fields {
		if !f.Field.NonNull {
			filter = append(filter, bson.E{Key: DocumentPath(f.Field), Value: bson.D{{Key: "$gte", Value: least(f.Field)}}})
		}
	}
	return filter
}

// least is the smallest value of a field's type.
func least(f *schema.Field) any {
	switch {
	case f.Native == ObjectID:
		return bson.ObjectID{}
	case f.AutoIncrement, f.HoldsInteger():
		return math.Inf(-1)
	}
	switch f.Scalar {
	case schema.Int, schema.BigInt, schema.Float, schema.Decimal:
		return math.Inf(-1)
	case schema.Boolean:
		return false
	case schema.DateTime:
		return bson.NewDateTimeFromTime(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)) // the first that is written with four digits
	case schema.Bytes:
		return bson.Binary{}
	}
	return ""
}

// documentValue is a literal as a value of BSON.
func documentValue(f *schema.Field, v schema.Value) (any, error) {
	switch v.Kind() {
	case schema.BoolValue:
		return v.Bool(), nil
	case schema.IntValue:
		if f.Scalar == schema.Int {
			return int32(v.Int()), nil
		}
		return v.Int(), nil
	case schema.FloatValue:
		return v.Float(), nil
	case schema.BytesValue:
		return bson.Binary{Data: []byte(v.Text())}, nil
	case schema.ListValue:
		list := bson.A{}
		for _, element := range v.List() {
			value, err := documentValue(f, element)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	case schema.TextValue:
		return documentText(f, v.Text())
	}
	return nil, nil //nolint:nilnil // null
}

func documentText(f *schema.Field, text string) (any, error) {
	switch f.Scalar {
	case schema.Decimal:
		return bson.ParseDecimal128(text)
	case schema.DateTime:
		at, err := time.Parse(time.RFC3339Nano, text)
		return bson.NewDateTimeFromTime(at), err
	case schema.JSON:
		var holder bson.D
		if err := bson.UnmarshalExtJSON([]byte(`{"v": `+text+`}`), false, &holder); err != nil {
			return nil, err
		}
		return holder[0].Value, nil
	}
	return text, nil
}

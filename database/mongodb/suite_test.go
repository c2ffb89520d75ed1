package mongodb

import (
	"os"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/schema"
	private "spacecloud/tests/mongo"
)

func TestMain(m *testing.M) { os.Exit(private.Run(m)) }

func harness() drivertest.Harness {
	return drivertest.Harness{
		Open: func(t testing.TB) driver.Driver { return open(t) },
		Create: func(t testing.TB, d driver.Driver, types []*schema.Type) {
			for _, typ := range types {
				createCollection(t, d.(*Driver), typ)
			}
		},
	}
}

func open(t testing.TB) *Driver {
	t.Helper()
	d, err := Open(t.Context(), private.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// createCollection makes what a migration would: required fields, enums and unique indexes.
func createCollection(t testing.TB, d *Driver, typ *schema.Type) {
	t.Helper()
	if typ.Kind == schema.View {
		// SELECT id, title, author_id FROM books WHERE pages IS NOT NULL
		if err := d.db.CreateView(t.Context(), typ.Table, "books", bson.A{
			is("$match", is("pages", is("$ne", nil))),
			is("$project", bson.D{{Key: "_id", Value: 0}, {Key: "id", Value: "$_id"}, {Key: "title", Value: 1}, {Key: "author_id", Value: 1}}),
		}); err != nil {
			t.Fatal(err)
		}
		return
	}
	required, properties := bson.A{}, bson.D{}
	for _, f := range typ.Columns {
		if f.NonNull && nameOf(f) != "_id" {
			required = append(required, nameOf(f))
		}
		if f.Enum != nil {
			names := bson.A{}
			for _, v := range f.Enum.Values {
				names = append(names, v.Name)
			}
			properties = append(properties, bson.E{Key: nameOf(f), Value: is("enum", names)})
		}
	}
	rules := is("bsonType", "object")
	if len(required) > 0 {
		rules = append(rules, bson.E{Key: "required", Value: required})
	}
	validator := is("$jsonSchema", append(rules, bson.E{Key: "properties", Value: properties}))
	if err := d.db.CreateCollection(t.Context(), typ.Table, options.CreateCollection().SetValidator(validator)); err != nil {
		t.Fatal(err)
	}
	uniques := typ.Uniques
	if len(typ.Primary) > 1 {
		key := schema.Index{Name: "key"}
		for _, f := range typ.Primary {
			key.Fields = append(key.Fields, schema.IndexField{Field: f})
		}
		uniques = append(uniques[:len(uniques):len(uniques)], key)
	}
	for _, u := range uniques {
		keys, present := bson.D{}, bson.D{}
		for _, f := range u.Fields {
			keys = append(keys, bson.E{Key: nameOf(f.Field), Value: 1})
			present = append(present, bson.E{Key: nameOf(f.Field), Value: is("$exists", true)})
		}
		if err := d.db.RunCommand(t.Context(), bson.D{{Key: "createIndexes", Value: typ.Table}, {Key: "indexes", Value: bson.A{bson.D{
			{Key: "name", Value: u.Name}, {Key: "key", Value: keys}, {Key: "unique", Value: true}, {Key: "partialFilterExpression", Value: present},
		}}}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSuite(t *testing.T) { drivertest.Run(t, harness()) }

func FuzzGroups(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { drivertest.RandomGroups(t, harness(), seed, 100) })
}

func FuzzConditions(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { drivertest.RandomConditions(t, harness(), seed, 100) })
}

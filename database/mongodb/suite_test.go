package mongodb

import (
	"os"
	"slices"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/generator"
	"spacecloud/schema"
	private "spacecloud/tests/mongo"
)

func TestMain(m *testing.M) { os.Exit(private.Run(m)) }

func harness() drivertest.Harness {
	return drivertest.Harness{
		Open: func(t testing.TB) driver.Driver { return open(t) },
		Create: func(t testing.TB, d driver.Driver, types []*schema.Type) {
			create(t, d.(*Driver), types)
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

// create makes the collections as migrations want them, and the view of the suite, whose SQL is
// not MongoDB's.
func create(t testing.TB, d *Driver, types []*schema.Type) {
	t.Helper()
	tables := slices.DeleteFunc(slices.Clone(types), func(typ *schema.Type) bool { return typ.Kind == schema.View })
	collections, err := generator.Collections(tables)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range collections {
		required, properties := []string{}, bson.D{}
		for _, f := range c.Fields {
			properties = append(properties, bson.E{Key: f.Path, Value: f.Values})
			if f.NonNull {
				required = append(required, f.Path)
			}
		}
		o := options.CreateCollection().SetValidator(generator.Validator(required, properties))
		if err := d.db.CreateCollection(t.Context(), c.Name, o); err != nil {
			t.Fatal(err)
		}
		for _, i := range c.Indexes {
			o := options.Index().SetName(i.Name).SetUnique(i.Unique)
			if len(i.Partial) > 0 {
				o.SetPartialFilterExpression(i.Partial)
			}
			if _, err := d.db.Collection(c.Name).Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: i.Keys, Options: o}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !slices.ContainsFunc(types, func(typ *schema.Type) bool { return typ.Name == "BookCard" }) {
		return
	}
	if err := d.db.CreateView(t.Context(), "book_cards", "books", bson.A{
		is("$match", is("pages", is("$ne", nil))),
		is("$project", bson.D{{Key: "_id", Value: 0}, {Key: "id", Value: "$_id"}, {Key: "title", Value: 1}, {Key: "author_id", Value: 1}}),
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSuite(t *testing.T) { drivertest.Run(t, harness()) }

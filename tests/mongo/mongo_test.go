package mongo_test

import (
	"os"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/tests/mongo"
)

func TestMain(m *testing.M) { os.Exit(mongo.Run(m)) }

// Each test has a database of its own.
func TestApart(t *testing.T) {
	one, two := mongo.Open(t), mongo.Open(t)
	if _, err := one.Collection("c").InsertOne(t.Context(), bson.D{{Key: "_id", Value: "a"}}); err != nil {
		t.Fatal(err)
	}
	for db, want := range map[string]int64{one.Name(): 1, two.Name(): 0} {
		got, err := one.Client().Database(db).Collection("c").CountDocuments(t.Context(), bson.D{})
		if err != nil || got != want {
			t.Errorf("%s has %d documents (%v), not %d", db, got, err, want)
		}
	}
}

package postgres

import (
	"os"
	"testing"

	atlaspostgres "ariga.io/atlas/sql/postgres"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/generator"
	"spacecloud/schema"
	private "spacecloud/tests/postgres"
)

func TestMain(m *testing.M) { os.Exit(private.Run(m)) }

// in gives each test a database of its own.
func in(url func(testing.TB) string) drivertest.Harness {
	return drivertest.Harness{
		Open:   func(t testing.TB) driver.Driver { return openAt(t, url(t)) },
		Create: func(t testing.TB, d driver.Driver, types []*schema.Type) { createTables(t, d.(*Driver), types) },
	}
}

var harness = in(private.URL)

func openDriver(t testing.TB) *Driver {
	t.Helper()
	return openAt(t, private.URL(t))
}

func openAt(t testing.TB, url string) *Driver {
	t.Helper()
	d, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestSuite(t *testing.T) { drivertest.Run(t, harness) }

// TestSuiteInAnotherCollation is the suite where the database would compare texts as people do.
func TestSuiteInAnotherCollation(t *testing.T) { drivertest.Run(t, in(private.Collated)) }

// createTables makes the tables as a migration does.
func createTables(t testing.TB, d *Driver, types []*schema.Type) {
	t.Helper()
	want, err := generator.Tables(types, d.Dialect())
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	migrator, err := atlaspostgres.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	changes := make([]atlas.Change, len(want.Tables))
	for i, table := range want.Tables {
		changes[i] = &atlas.AddTable{T: table}
	}
	if err := migrator.ApplyChanges(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	for _, v := range generator.Views(types) {
		if _, err := c.ExecContext(t.Context(), "CREATE VIEW "+quoted(v.Name)+" AS "+v.SQL); err != nil {
			t.Fatal(err)
		}
	}
}

func quoted(name string) string { return string(dialect{}.Quote(nil, name)) }

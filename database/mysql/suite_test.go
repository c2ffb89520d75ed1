package mysql

import (
	"os"
	"testing"

	atlasmysql "ariga.io/atlas/sql/mysql"
	atlas "ariga.io/atlas/sql/schema"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/generator"
	"spacecloud/schema"
	"spacecloud/tests/mariadb"
)

func TestMain(m *testing.M) { os.Exit(mariadb.Run(m)) }

// harness gives each test a database of its own.
var harness = drivertest.Harness{
	Open:   func(t testing.TB) driver.Driver { return openDriver(t) },
	Create: func(t testing.TB, d driver.Driver, types []*schema.Type) { createTables(t, d.(*Driver), types) },
}

func openDriver(t testing.TB) *Driver {
	t.Helper()
	d, err := Open(t.Context(), mariadb.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestSuite(t *testing.T) { drivertest.Run(t, harness) }

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
	migrator, err := atlasmysql.Open(c)
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
		if _, err := c.ExecContext(t.Context(), "CREATE VIEW "+string(dialect{}.Quote(nil, v.Name))+" AS "+v.SQL); err != nil {
			t.Fatal(err)
		}
	}
}

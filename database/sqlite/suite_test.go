package sqlite

import (
	"path/filepath"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/database/drivertest"
	"spacecloud/schema"
)

func harness(url func(testing.TB) string) drivertest.Harness {
	return drivertest.Harness{
		Open: func(t testing.TB) driver.Driver {
			d, err := Open(t.Context(), url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			return d
		},
		Create: func(t testing.TB, d driver.Driver, types []*schema.Type) { createTables(t, d.(*Driver), types) },
	}
}

func inFile(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "suite.db") }

func TestSuite(t *testing.T) { drivertest.Run(t, harness(inFile)) }

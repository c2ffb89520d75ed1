package mariadb

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

// Every test finds its own database empty.
func TestDatabasesAreSeparate(t *testing.T) {
	for range 2 {
		db := Open(t)
		if _, err := db.ExecContext(t.Context(), "CREATE TABLE t (n int)"); err != nil {
			t.Fatal(err)
		}
	}
}

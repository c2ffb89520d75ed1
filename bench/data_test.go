package bench

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	atlas "ariga.io/atlas/sql/schema"
	"ariga.io/atlas/sql/sqlite"

	"spacecloud/generator"
	"spacecloud/schema"
)

// The tables that are made here by hand, so that their indexes come after the rows, are those
// that the server's migration wants.
func TestTablesAreTheServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tables.db")
	if err := FirstRows(path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	drv, err := sqlite.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	have, err := drv.InspectSchema(context.Background(), "main", nil)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := drv.SchemaDiff(have, wanted(t), atlas.DiffNormalized())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		t.Errorf("%T %+v", c, c)
		if m, ok := c.(*atlas.ModifyTable); ok {
			for _, c := range m.Changes {
				t.Errorf("%s: %T %+v", m.T.Name, c, c)
			}
		}
	}
}

func wanted(t *testing.T) *atlas.Schema {
	s, err := schema.Parse(schema.Source{Name: "schema.graphql", Text: SDL})
	if err != nil {
		t.Fatal(err)
	}
	tables, err := generator.Tables(s.Types, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	return tables
}

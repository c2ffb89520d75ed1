package sqlite

import (
	"strings"
	"testing"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// A file that has no room left takes nothing of a transaction, says so, and can be read and written on.
func TestFullDisks(t *testing.T) {
	s, err := schema.Parse(schema.Source{Name: "a.graphql", Text: `type Post { id: ID! @primary  title: String }`})
	if err != nil {
		t.Fatal(err)
	}
	d, post := openFile(t, s.Types), s.Type("Post")
	c, err := d.writer.take(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := c.exec("PRAGMA max_page_count = 20"); err != nil {
		t.Fatal(err)
	}
	d.writer.give(c)
	db := database.New("main", d)
	insert := func(id string, size int) error {
		w := query.Write{Verb: query.Create, Type: post, Columns: post.Columns, Rows: [][]schema.Value{{schema.Text(id), schema.Text(strings.Repeat("x", size))}}}
		return db.Tx(t.Context(), func(tx driver.Tx) error {
			small := w
			small.Rows = [][]schema.Value{{schema.Text(id + "0"), schema.Null}}
			if _, err := tx.Write(t.Context(), rules.SystemWrite(small), query.Binding{}); err != nil {
				return err
			}
			_, err := tx.Write(t.Context(), rules.SystemWrite(w), query.Binding{})
			return err
		})
	}
	all := fault.All(insert("a", 1<<20))
	if len(all) != 1 || all[0].Kind != fault.Unavailable || all[0].Message != "the database has no room left" {
		t.Errorf("%v", all)
	}
	if err := insert("b", 10); err != nil {
		t.Error(err)
	}
	if got := idsOf(t, d, post); got != "b,b0" {
		t.Errorf("it has %s", got)
	}
}

func idsOf(t *testing.T, d *Driver, of *schema.Type) string {
	t.Helper()
	s, err := d.Prepare(rules.System(query.Level{Type: of, Columns: []query.Cell{{Field: of.Field("id")}}, OrderBy: query.Complete(of, nil)}))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	err = d.View(t.Context(), func(r driver.Reader) error {
		rows, err := r.Find(t.Context(), s, query.Binding{})
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			ids = append(ids, rows.Value(0).Text())
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(ids, ",")
}

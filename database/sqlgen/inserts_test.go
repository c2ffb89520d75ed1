package sqlgen_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"spacecloud/database/sqlgen"
	"spacecloud/schema"
)

// Whatever inserts are asked for, in whatever order, each gets the text that was rendered for its shape, also
// when there are more shapes than are kept.
func TestEveryShapeOfAnInsertHasItsText(t *testing.T) {
	types := []*schema.Type{{Name: "A"}, {Name: "B"}}
	for _, typ := range types {
		for i := range 6 {
			typ.Columns = append(typ.Columns, &schema.Field{Name: fmt.Sprint("c", i), Index: i})
		}
	}
	var kept sqlgen.Inserts
	r := rand.New(rand.NewPCG(1, 2))
	some := func(typ *schema.Type) (fs []*schema.Field) {
		for _, f := range typ.Columns {
			if r.IntN(2) == 0 {
				fs = append(fs, f)
			}
		}
		return fs
	}
	for range 20_000 {
		typ := types[r.IntN(len(types))]
		columns, rows, returning := some(typ), r.IntN(3), some(typ)
		want := typ.Name + fmt.Sprint(rows)
		for _, f := range columns {
			want += " " + f.Name
		}
		want += ":"
		for _, f := range returning {
			want += " " + f.Name
		}
		got, err := kept.Text(typ, columns, rows, returning, func() (sqlgen.Statement, error) {
			return sqlgen.Statement{Text: want}, nil
		})
		if err != nil || got != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
}

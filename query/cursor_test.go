package query_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

func cursorType(t testing.TB) *schema.Type {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "s.graphql", Text: `
enum Colour { RED GREEN }
type Row {
  id: ID! @primary
  text: String
  int: Int
  big: BigInt
  float: Float
  decimal: Decimal
  bool: Boolean
  at: DateTime
  day: Date
  clock: Time
  uuid: UUID
  bytes: Bytes
  colour: Colour
  next: Row @link
}`})
	if err != nil {
		t.Fatal(err)
	}
	return s.Type("Row")
}

// allOrders is a sort key of every column.
func allOrders(t *schema.Type) []query.Order {
	var orders []query.Order
	for _, f := range t.Columns {
		if !f.IsPrimary {
			orders = append(orders, query.Order{Field: f})
		}
	}
	return query.Complete(t, orders)
}

// What a cursor was made of is what it reads.
func TestCursorsComeBack(t *testing.T) {
	row := cursorType(t)
	orders := allOrders(row)
	c := query.NewCursor("", row, orders)
	given := map[string][]any{
		"text": {"", "é\n😀"}, "int": {int64(-1 << 31), int64(1<<31 - 1)}, "big": {"-9223372036854775808", "9223372036854775807"},
		"float": {0.1, -1e300, 5e-324}, "decimal": {"0.000000001", "-1234567890123456789012345"}, "bool": {true, false},
		"at": {"1969-12-31T23:59:59.999999Z"}, "day": {"2026-01-31"}, "clock": {"13:37:00.5"},
		"uuid": {"0190f6a8-7b1c-7def-8a1b-0123456789ab"}, "bytes": {"", "AP8="}, "colour": {"GREEN"}, "nextId": {"", "x"},
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		values := make([]schema.Value, len(orders))
		for i, o := range orders {
			pool := given[o.Field.Name]
			switch {
			case o.Field.IsPrimary:
				values[i] = schema.Text("key")
			case r.IntN(3) > 0:
				v, err := o.Field.Coerce(pool[r.IntN(len(pool))])
				if err != nil {
					t.Fatal(err)
				}
				values[i] = v
			}
		}
		text := c.Append(nil, func(i int) schema.Value { return values[i] })
		got, err := c.Read(string(text))
		if err != nil || slices.CompareFunc(got, values, schema.Value.Compare) != 0 {
			t.Fatalf("%v came back as %v, %v", values, got, err)
		}
	}
}

// A cursor that is right in itself but holds what the columns cannot is refused.
func TestForgedCursors(t *testing.T) {
	row := cursorType(t)
	for _, test := range []struct {
		field string
		value schema.Value
	}{
		{"int", schema.Text("1")},
		{"int", schema.Integer(1 << 40)},
		{"int", schema.Double(1.5)},
		{"big", schema.Text("1")},
		{"bool", schema.Integer(1)},
		{"float", schema.Text("1")},
		{"text", schema.Integer(1)},
		{"text", schema.Raw("x")},
		{"at", schema.Text("yesterday")},
		{"day", schema.Text("2026-02-31")},
		{"uuid", schema.Text("x")},
		{"colour", schema.Text("PINK")},
		{"decimal", schema.Text("1e999999")},
		{"bytes", schema.Text("AP8=")},
		{"id", schema.Null},
	} {
		orders := query.Complete(row, []query.Order{{Field: row.Field(test.field)}})
		c := query.NewCursor("", row, orders)
		text := c.Append(nil, func(i int) schema.Value {
			if i == 0 {
				return test.value
			}
			return schema.Text("key")
		})
		if got, err := c.Read(string(text)); err == nil {
			t.Errorf("%s takes %v", test.field, got)
		}
	}
}

// The condition of a page, said of every row, is whether the row comes after the cursor's.
func TestBeyondPrints(t *testing.T) {
	row := cursorType(t)
	key := func(fields string) []query.Order {
		var orders []query.Order
		for name := range strings.FieldsSeq(fields) {
			o := query.Order{Desc: name[0] == '-'}
			o.Field = row.Field(strings.TrimPrefix(name, "-"))
			orders = append(orders, o)
		}
		return query.Complete(row, orders)
	}
	for fields, want := range map[string]string{
		"":     "id > $0",
		"-id":  "id < $0",
		"int":  "(int > $0 or (int is null and not ($0 is null)) or ((int = $0 or (int is null and $0 is null)) and id > $1))",
		"-int": "(int < $0 or (not (int is null) and $0 is null) or ((int = $0 or (int is null and $0 is null)) and id > $1))",
	} {
		orders := key(fields)
		values := make([]query.Operand, len(orders))
		for i := range values {
			values[i] = query.ArgAt(i)
		}
		if got := query.Beyond(orders, values).String(); got != want {
			t.Errorf("%q: %s, want %s", fields, got, want)
		}
		if back := query.Reverse(query.Reverse(orders)); query.Beyond(back, values).String() != want {
			t.Errorf("%q turned around twice is %s", fields, query.Beyond(back, values))
		}
	}
}

// Whatever a client sends, reading it ends with values or an error that says what to do, and
// what is read is written the same again.
func FuzzCursor(f *testing.F) {
	row := cursorType(f)
	c := query.NewCursor("", row, allOrders(row))
	f.Add(string(c.Append(nil, func(int) schema.Value { return schema.Null })))
	f.Add(string(c.Append(nil, func(i int) schema.Value { return schema.Text("x") })))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := c.Read(text)
		if err != nil {
			return
		}
		again := string(c.Append(nil, func(i int) schema.Value { return values[i] }))
		if back, err := c.Read(again); err != nil || slices.CompareFunc(back, values, schema.Value.Compare) != 0 {
			t.Errorf("%q reads as %v and then as %v, %v", text, values, back, err)
		}
	})
}

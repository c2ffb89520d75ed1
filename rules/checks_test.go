package rules_test

import (
	"fmt"
	"strings"
	"testing"

	"spacecloud/fault"
	"spacecloud/rules"
	"spacecloud/schema"
)

func TestChecks(t *testing.T) {
	s := compile(t, `
type Stay @check(rule: "doc.start <= doc.end", message: "ends before it starts") @check(rule: "doc.start > now") @check(rule: "true") {
  id: ID! @primary
  start: DateTime
  end: DateTime
}`)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range set.Checks(s.Type("Stay")) {
		got = append(got, fmt.Sprintf("%s: %s by %v", c.Message, c.Broken.Level().Where, claimsOf(c.Broken)))
	}
	want := []string{
		"ends before it starts: not (start <= end) by []",
		"Stay has to meet doc.start > now: not (start > @0) by [0]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestDefaults(t *testing.T) {
	s := compile(t, `
type Post {
  id: ID! @primary
  ownerId: ID @default(expr: "auth.id")
  tenant: String @default(expr: "request.headers['x-tenant']")
  at: DateTime @default(expr: "now + duration('1h')")
  title: String
  slug: String @default(expr: "doc.title == null ? 'none' : doc.title + '-' + doc.tenant")
  longer: String @default(expr: "doc.slug + '!'")
  level: Int @default(expr: "auth.level")
  groups: [String!] @default(expr: "auth.groups")
  big: BigInt @default(expr: "7 * 6")
}`)
	set, err := rules.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	row := func(values map[string]schema.Value) func(*schema.Field) (schema.Value, bool) {
		return func(f *schema.Field) (schema.Value, bool) {
			v, ok := values[f.Name]
			return v, ok
		}
	}
	for _, test := range []struct {
		name string
		row  map[string]schema.Value
		want string
	}{
		{
			"all of them",
			map[string]schema.Value{"title": schema.Text("a")},
			`ownerId="ann" tenant="acme" at="2026-05-01T13:00:00.000000Z" slug="a-acme" longer="a-acme!" level=3 groups=["a", "b"] big=42`,
		},
		{
			"but for those given",
			map[string]schema.Value{"ownerId": schema.Text("bob"), "at": schema.Null, "tenant": schema.Null, "level": schema.Integer(1), "groups": schema.Null, "big": schema.Null},
			`slug="none" longer="none!"`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			filled, err := set.Defaults(ann, s.Type("Post"), row(test.row))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range filled {
				got = append(got, f.Field.Name+"="+f.Value.String())
			}
			if strings.Join(got, " ") != test.want {
				t.Errorf("got  %s\nwant %s", strings.Join(got, " "), test.want)
			}
		})
	}
	filled, err := set.Defaults(nobody, s.Type("Post"), row(nil))
	if err != nil || !filled[0].Value.IsNull() {
		t.Errorf("without a token: %v, %v", filled, err)
	}
	_, err = set.Defaults(caller(map[string]any{"level": "high"}), s.Type("Post"), row(nil))
	if fault.KindOf(err) != fault.Validation {
		t.Errorf("a claim of the wrong kind: %v", err)
	}
}

func TestWhatIsNoDefault(t *testing.T) {
	for _, test := range []struct{ expr, want string }{
		{"doc.author.id", "a default sees the columns of its own row; doc.author leads to another"},
		{"exists(User, u, true) ? 'a' : 'b'", "a default sees the columns of its own row and nothing else of the database"},
		{"1 + 1", "name is a String, and this is a int"},
		{"doc.author", "name is a String, and this is a User"},
	} {
		s := compile(t, fmt.Sprintf(`
type User { id: ID! @primary }
type Post { id: ID! @primary author: User @link name: String @default(expr: "%s") }`, test.expr))
		_, err := rules.Compile(s)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %s", test.expr, err, test.want)
		}
	}
}

func TestWhatIsNoCheck(t *testing.T) {
	s := compile(t, `type A @check(rule: "now > timestamp('2026-01-01T00:00:00Z')") { id: ID! @primary }`)
	if _, err := rules.Compile(s); err == nil || !strings.Contains(err.Error(), "a check compares columns") {
		t.Errorf("got %v", err)
	}
}

func TestDefaultsSeeEveryKindOfColumn(t *testing.T) {
	values := map[string]schema.Value{
		"flag": schema.Bool(true), "count": schema.Integer(2), "rate": schema.Double(1.5), "raw": schema.Raw("ab"),
		"list": schema.List([]schema.Value{schema.Text("x"), schema.Text("y")}), "at": schema.Text("2026-05-01T12:00:00.000000Z"),
		"meta": schema.Text(`{"a": "b"}`), "title": schema.Text("t"),
	}
	for _, test := range []struct{ expr, want string }{
		{"doc.flag ? 'yes' : 'no'", `"yes"`},
		{"string(doc.count + 1)", `"3"`},
		{"string(doc.rate * 2.0)", `"3"`},
		{"string(size(doc.raw))", `"2"`},
		{"doc.list[1]", `"y"`},
		{"string(doc.at + duration('1h'))", `"2026-05-01T13:00:00Z"`},
		{"doc.meta.a", `"b"`},
		{"doc.title", `"t"`},
		{"doc.gone", "null"},
		{"doc.gone == 'x' ? 'a' : 'b'", "null"},
		{"doc.gone != null ? 'a' : 'b'", `"b"`},
	} {
		s := compile(t, fmt.Sprintf(`type A { id: ID! @primary flag: Boolean count: Int rate: Float raw: Bytes list: [String!]
  at: DateTime meta: JSON title: String gone: String made: String @default(expr: "%s") }`, test.expr))
		set, err := rules.Compile(s)
		if err != nil {
			t.Fatalf("%s: %v", test.expr, err)
		}
		filled, err := set.Defaults(ann, s.Type("A"), func(f *schema.Field) (schema.Value, bool) {
			v, ok := values[f.Name]
			return v, ok
		})
		if err != nil || len(filled) != 1 || filled[0].Value.String() != test.want {
			t.Errorf("%s: got %v, %v, want %s", test.expr, filled, err, test.want)
		}
	}
}

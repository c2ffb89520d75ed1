package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"spacecloud/fault"
)

func parse(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Parse(Source{"schema.graphql", text})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const valuesSDL = `
enum Role { READER WRITER }
type Geo { lat: Float! @range(min: -90, max: 90)  note: String @size(max: 3)  inner: Geo  parts: [Part!]  big: BigInt }
type Part { at: DateTime! }
type T {
  id: ID! @primary @autoIncrement
  key: ID
  text: String @size(min: 2, max: 4) @match(pattern: "^a")
  email: String @match(format: EMAIL)
  url: String @match(format: URL)
  uuidText: String @match(format: UUID)
  slug: String @match(format: SLUG)
  ip: String @match(format: IP)
  indexed: String @index
  int: Int @range(min: -5, max: 5)
  big: BigInt @range(max: "9007199254740993")
  float: Float @range(min: 0.5)
  dec: Decimal @decimal(precision: 5, scale: 2) @range(min: "-1.5", max: 100)
  long: Decimal
  bool: Boolean
  at: DateTime
  day: Date
  time: Time
  uuid: UUID
  json: JSON
  bytes: Bytes @size(max: 2)
  role: Role
  tags: [String!]! @size(min: 1, max: 2) @match(pattern: "^a")
  ints: [Int]
  geo: Geo
  geos: [Geo!] @size(max: 1)
}`

// decode is how the doors read JSON.
func decode(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestCoerce(t *testing.T) {
	typ := parse(t, valuesSDL).Type("T")
	for _, c := range []struct{ field, in, value, out string }{
		{"id", `"12"`, `12`, `"12"`},
		{"id", `12`, `12`, `"12"`},
		{"id", `"abc"`, `! expects an integer of 64 bits, got "abc"`, ``},
		{"id", `null`, `! must not be null`, ``},
		{"key", `"é"`, `"é"`, `"é"`},
		{"key", `7`, `"7"`, `"7"`},
		{"key", `7.5`, `! expects an ID: a string or an integer, got 7.5`, ``},
		{"key", `true`, `! expects an ID: a string or an integer, got true`, ``},
		{"key", `null`, `null`, `null`},
		{"text", `5`, `! expects a string, got 5`, ``},
		{"text", `"a\u0000"`, `! expects a string without the character NUL`, ``},
		{"text", `"😀\"<"`, `"😀\"<"`, `"😀\"<"`},
		{"int", `2147483647`, `2147483647`, `2147483647`},
		{"int", `2147483648`, `! expects an integer of 32 bits, got 2147483648`, ``},
		{"int", `1e3`, `1000`, `1000`},
		{"int", `-0`, `0`, `0`},
		{"int", `1.5`, `! expects an integer of 32 bits, got 1.5`, ``},
		{"int", `"1"`, `! expects an integer of 32 bits, got "1"`, ``},
		{"big", `"1152921504606846976"`, `1152921504606846976`, `"1152921504606846976"`},
		{"big", `-9223372036854775808`, `-9223372036854775808`, `"-9223372036854775808"`},
		{"big", `9223372036854775808`, `! expects an integer of 64 bits, got 9223372036854775808`, ``},
		{"big", `"+1"`, `! expects an integer of 64 bits, got "+1"`, ``},
		{"float", `-0.0`, `0`, `0`},
		{"float", `1e300`, `1e+300`, `1e+300`},
		{"float", `1e999`, `! expects a finite number, got 1e999`, ``},
		{"float", `"1"`, `! expects a number, got "1"`, ``},
		{"dec", `1.50`, `"1.5"`, `"1.5"`},
		{"dec", `"-0.00"`, `"0"`, `"0"`},
		{"dec", `"100.000"`, `"100"`, `"100"`},
		{"dec", `1.5e1`, `"15"`, `"15"`},
		{"dec", `5e-2`, `"0.05"`, `"0.05"`},
		{"dec", `"1.005"`, `! expects at most 2 digits after the point, got 1.005`, ``},
		{"dec", `"1000"`, `! expects at most 3 digits before the point, got 1000`, ``},
		{"dec", `"+1"`, `! expects a decimal number, got "+1"`, ``},
		{"dec", `"NaN"`, `! expects a decimal number, got "NaN"`, ``},
		{"dec", `1e999999999`, `! expects a decimal number, got "1e999999999"`, ``},
		{"dec", `true`, `! expects a decimal number, got true`, ``},
		{"long", `"1234567890123456789012345.123456789"`, `"1234567890123456789012345.123456789"`, `"1234567890123456789012345.123456789"`},
		{"bool", `true`, `true`, `true`},
		{"bool", `"true"`, `! expects true or false, got "true"`, ``},
		{"at", `"2026-01-31T13:37:00Z"`, `"2026-01-31T13:37:00.000000Z"`, `"2026-01-31T13:37:00Z"`},
		{"at", `"2026-01-31T13:37:00.500+01:30"`, `"2026-01-31T12:07:00.500000Z"`, `"2026-01-31T12:07:00.5Z"`},
		{"at", `"1931-01-31T13:37:00.1234560Z"`, `"1931-01-31T13:37:00.123456Z"`, `"1931-01-31T13:37:00.123456Z"`},
		{"at", `"2026-01-31T13:37:00.1234567Z"`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got "2026-01-31T13:37:00.1234567Z"`, ``},
		{"at", `"0001-01-01T00:00:00+01:00"`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got "0001-01-01T00:00:00+01:00"`, ``},
		{"at", `"2026-01-31"`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got "2026-01-31"`, ``},
		{"at", `"2026-02-30T00:00:00Z"`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got "2026-02-30T00:00:00Z"`, ``},
		{"at", `"2026-01-31T13:37:00.Z"`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got "2026-01-31T13:37:00.Z"`, ``},
		{"at", `5`, `! expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got 5`, ``},
		{"day", `"2026-01-31"`, `"2026-01-31"`, `"2026-01-31"`},
		{"day", `"0000-01-31"`, `! expects a date like 2026-01-31, got "0000-01-31"`, ``},
		{"time", `"13:37:00"`, `"13:37:00.000000"`, `"13:37:00"`},
		{"time", `"13:37:00.25"`, `"13:37:00.250000"`, `"13:37:00.25"`},
		{"time", `"24:00:00"`, `! expects a time of day like 13:37:00, to the microsecond, got "24:00:00"`, ``},
		{"uuid", `"0190F6A8-7B1C-7DEF-8A1B-0123456789AB"`, `"0190f6a8-7b1c-7def-8a1b-0123456789ab"`, `"0190f6a8-7b1c-7def-8a1b-0123456789ab"`},
		{"uuid", `"0190f6a87b1c7def8a1b0123456789ab"`, `! expects a UUID like 0190f6a8-7b1c-7def-8a1b-0123456789ab, got "0190f6a87b1c7def8a1b0123456789ab"`, ``},
		{"json", `{"b": 1.50, "a": [null, true, "x", -0.0, 12345678901234567890]}`, `"{\"a\":[null,true,\"x\",0.0,12345678901234567890],\"b\":1.50}"`, `{"a":[null,true,"x",0.0,12345678901234567890],"b":1.50}`},
		{"json", `"x"`, `"\"x\""`, `"x"`},
		{"json", `{"a": {"b": "\u0000"}}`, `! a.b: expects a string without the character NUL`, ``},
		{"json", `[1e999]`, `! 0: expects a finite number, got 1e999`, ``},
		{"bytes", `"AQI="`, `"\x01\x02"`, `"AQI="`},
		{"bytes", `"AQI"`, `! expects bytes in base64, got "AQI"`, ``},
		{"role", `"READER"`, `"READER"`, `"READER"`},
		{"role", `"reader"`, `! expects one of READER, WRITER, got "reader"`, ``},
		{"role", `3`, `! expects one of READER, WRITER, got 3`, ``},
		{"tags", `["a", "b"]`, `["a", "b"]`, `["a","b"]`},
		{"tags", `"a"`, `["a"]`, `["a"]`},
		{"tags", `[]`, `[]`, `[]`},
		{"tags", `["a", null, 3]`, `! 1: must not be null; 2: expects a string, got 3`, ``},
		{"ints", `[1, null]`, `[1, null]`, `[1,null]`},
		{"geo", `{"note": null, "lat": 1}`, `"{\"lat\":1,\"note\":null}"`, `{"lat":1,"note":null}`},
		{
			"geo", `{"lat": 1, "big": 5, "inner": {"lat": 2}, "parts": [{"at": "2026-01-31T13:37:00.0Z"}]}`,
			`"{\"lat\":1,\"inner\":{\"lat\":2},\"parts\":[{\"at\":\"2026-01-31T13:37:00Z\"}],\"big\":\"5\"}"`,
			`{"lat":1,"inner":{"lat":2},"parts":[{"at":"2026-01-31T13:37:00Z"}],"big":"5"}`,
		},
		{
			"geo", `{"lta": 1, "inner": {"lat": "x"}, "parts": [{"at": 1}, null]}`,
			`! lat: is missing; inner.lat: expects a number, got "x"; parts.0.at: expects a date and time like 2026-01-31T13:37:00Z, to the microsecond, got 1; parts.1: must not be null; lta: Geo has no field lta; did you mean lat?`, ``,
		},
		{"geo", `5`, `! expects an object of type Geo, got 5`, ``},
		{"geos", `[{"lat": 1}, {"lat": 2}]`, `"[{\"lat\":1},{\"lat\":2}]"`, `[{"lat":1},{"lat":2}]`},
		{"text", `"` + strings.Repeat("x", 100) + `"`, `"` + strings.Repeat("x", 100) + `"`, `"` + strings.Repeat("x", 100) + `"`},
		{"int", `"` + strings.Repeat("é", 100) + `"`, `! expects an integer of 32 bits, got "` + strings.Repeat("é", 20) + `…"`, ``},
	} {
		f := typ.Field(c.field)
		v, err := f.Coerce(decode(t, c.in))
		got := v.String()
		if err != nil {
			got = "! " + failures(err)
		}
		if got != c.value {
			t.Errorf("%s of %s:\n got %s\nwant %s", c.field, c.in, got, c.value)
			continue
		}
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s of %s: kind %s", c.field, c.in, fault.KindOf(err))
			}
			continue
		}
		if out := string(AppendValue(nil, f, v)); out != c.out {
			t.Errorf("%s of %s reads back as %s, want %s", c.field, c.in, out, c.out)
		}
	}
}

// failures are the faults of an error, each with its path.
func failures(err error) string {
	var out []string
	for _, e := range fault.All(err) {
		text := e.Message
		if len(e.Path) > 0 {
			text = steps(e.Path) + ": " + text
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func steps(path []any) string {
	out := make([]string, len(path))
	for i, s := range path {
		out[i] = fmt.Sprint(s)
	}
	return strings.Join(out, ".")
}

func TestCoerceOfGoValues(t *testing.T) {
	for _, c := range []struct {
		scalar Scalar
		in     any
		want   string
	}{
		{Int, 5, "5"},
		{Int, int64(5), "5"},
		{Int, 5.0, "5"},
		{BigInt, float64(1 << 53), "9007199254740992"},
		{Float, 5, "5"},
		{Float, int64(5), "5"},
		{Decimal, 0.1, `"0.1"`},
		{Decimal, int64(7), `"7"`},
		{Decimal, 7, `"7"`},
		{ID, 5.0, `"5"`},
		{JSON, []any{1, int64(2), 0.5, math.Copysign(0, -1)}, `"[1,2,0.5,0]"`},
		{String, nil, "null"},
	} {
		v, err := CoerceScalar(c.scalar, nil, c.in)
		if err != nil || v.String() != c.want {
			t.Errorf("%v of %v: %v, %v; want %s", c.scalar, c.in, v, err, c.want)
		}
	}
	for _, c := range []struct {
		scalar Scalar
		in     any
	}{
		{Float, math.NaN()},
		{JSON, math.Inf(1)},
		{JSON, struct{}{}},
		{Int, 5.5},
		{BigInt, float64(1 << 60)},
		{EnumValue, "A"},
		{NoScalar, "x"},
		{Embedded, "x"},
		{String, "\xff"},
		{JSON, map[string]any{"\x00": 1}},
	} {
		if v, err := CoerceScalar(c.scalar, nil, c.in); err == nil {
			t.Errorf("%v of %v: %v, want an error", c.scalar, c.in, v)
		}
	}
}

func TestJSONDepthIsBounded(t *testing.T) {
	nest := func(n int) any { return decode(t, strings.Repeat("[", n)+strings.Repeat("]", n)) }
	if _, err := CoerceScalar(JSON, nil, nest(maxJSONDepth)); err != nil {
		t.Error(err)
	}
	if _, err := CoerceScalar(JSON, nil, nest(maxJSONDepth+1)); err == nil {
		t.Error("a value that no database holds was accepted")
	}
}

func TestValidate(t *testing.T) {
	typ := parse(t, valuesSDL).Type("T")
	for _, c := range []struct{ field, in, want string }{
		{"text", `"abc"`, ""},
		{"text", `null`, ""},
		{"text", `"b"`, `size(min: 2) must have at least 2 characters; match(pattern: "^a") must match ^a`},
		{"text", `"aéééé"`, `size(max: 4) must have at most 4 characters`},
		{"email", `"ann@example.org"`, ""},
		{"email", `"ann"`, `match(format: EMAIL) must be an e-mail address`},
		{"email", `"a b@x.y"`, `match(format: EMAIL) must be an e-mail address`},
		{"url", `"https://example.org/a?b"`, ""},
		{"url", `"javascript:alert(1)"`, `match(format: URL) must be a URL like https://example.org/page`},
		{"uuidText", `"x"`, `match(format: UUID) must be a UUID`},
		{"slug", `"a-b-1"`, ""},
		{"slug", `"A--b"`, `match(format: SLUG) must be a slug: small letters, digits and single dashes`},
		{"ip", `"::1"`, ""},
		{"ip", `"1.2.3"`, `match(format: IP) must be an IP address`},
		{"key", `"` + strings.Repeat("é", 64) + `"`, ""},
		{"key", `"` + strings.Repeat("é", 65) + `"`, "size(max: 64) must have at most 64 characters"},
		{"indexed", `"` + strings.Repeat("x", 256) + `"`, "size(max: 255) must have at most 255 characters"},
		{"int", `6`, "range(max: 5) must be at most 5"},
		{"int", `-6`, "range(min: -5) must be at least -5"},
		{"big", `"9007199254740993"`, ""},
		{"big", `"9007199254740994"`, "range(max: 9007199254740993) must be at most 9007199254740993"},
		{"float", `0.4`, "range(min: 0.5) must be at least 0.5"},
		{"float", `0.5`, ""},
		{"dec", `"-1.51"`, "range(min: -1.5) must be at least -1.5"},
		{"dec", `"100.01"`, "range(max: 100) must be at most 100"},
		{"dec", `"99.99"`, ""},
		{"bytes", `"AQIDBA=="`, "size(max: 2) must have at most 2 bytes"},
		{"tags", `[]`, "size(min: 1) must have at least 1 element"},
		{"tags", `["a", "b", "c"]`, `size(max: 2) must have at most 2 elements; 1 match(pattern: "^a") must match ^a; 2 match(pattern: "^a") must match ^a`},
		{"geo", `{"lat": 91, "note": "long", "inner": {"lat": -91}}`, `lat range(max: 90) must be at most 90; note size(max: 3) must have at most 3 characters; inner.lat range(min: -90) must be at least -90`},
		{"geos", `[{"lat": 1}, {"lat": 91}]`, `size(max: 1) must have at most 1 element; 1.lat range(max: 90) must be at most 90`},
	} {
		f := typ.Field(c.field)
		v, err := f.Coerce(decode(t, c.in))
		if err != nil {
			t.Errorf("%s of %s: %v", c.field, c.in, err)
			continue
		}
		var got []string
		for _, x := range f.Validate(v) {
			got = append(got, strings.TrimSpace(steps(x.Path)+" "+x.Rule+" "+x.Message))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s of %s:\n got %s\nwant %s", c.field, c.in, strings.Join(got, "; "), c.want)
		}
	}
	if got := typ.Field("role").Validate(Text("NOBODY")); len(got) != 1 || got[0].Rule != "enum(Role)" {
		t.Errorf("a value outside of the enum: %v", got)
	}
	byHand := &Field{Scalar: String, Match: "^a"}
	if got := byHand.Validate(Text("b")); len(got) != 1 {
		t.Errorf("a pattern that Parse did not compile: %v", got)
	}
}

func TestAppendFloat(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 1: "1", -1.5: "-1.5", 1e20: "100000000000000000000", 1e21: "1e+21", 1e-6: "0.000001", 1e-7: "1e-7",
		1.5e-10: "1.5e-10", math.MaxFloat64: "1.7976931348623157e+308", math.NaN(): "null", math.Inf(1): "null",
	} {
		if got := string(AppendFloat(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestAppendPieces(t *testing.T) {
	long := strings.Repeat("ab\x00", 1000)
	for _, c := range []struct{ got, want string }{
		{string(AppendInt(nil, -5)), `-5`},
		{string(AppendBigInt(nil, -5)), `"-5"`},
		{string(AppendDateTime(nil, "2026-01-31T13:37:00.000000Z")), `"2026-01-31T13:37:00Z"`},
		{string(AppendDateTime(nil, "2026-01-31T13:37:10.120000Z")), `"2026-01-31T13:37:10.12Z"`},
		{string(AppendDateTime(nil, "odd\n")), `"odd\n"`},
		{string(AppendTime(nil, "13:30:00.000000")), `"13:30:00"`},
		{string(AppendTime(nil, "odd")), `"odd"`},
		{string(AppendBytes(nil, []byte{1, 2})), `"AQI="`},
		{string(appendRaw(nil, long)), string(AppendBytes(nil, []byte(long)))},
		{string(AppendString(nil, "a\"\\\b\f\n\r\t\x1f\x7f\u2028é😀<\xff>")), `"a\"\\\u0008\u000c\n\r\t\u001f` + "\x7f\u2028é😀<\ufffd>" + `"`},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestCompareDecimals(t *testing.T) {
	inOrder := []string{"-100", "-10.5", "-10", "-9", "-0.5", "-0.05", "0", "0.05", "0.5", "0.51", "1", "9.99", "10", "100"}
	for i, a := range inOrder {
		for j, b := range inOrder {
			got := compareDecimals(a, b)
			if (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("%s to %s: %d", a, b, got)
			}
		}
	}
}

// What AppendString writes is JSON and reads back as the text, but for what is not UTF-8.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "é😀\u2028", "\"\\\n\x00", "\xff\xfe", "a\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out := AppendString([]byte("x"), s)[1:]
		var back string
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		var want string
		std, _ := json.Marshal(s)
		_ = json.Unmarshal(std, &want)
		if back != want {
			t.Fatalf("%q reads back as %q, want %q", s, back, want)
		}
	})
}

// A value that is accepted is shown as JSON that is accepted as the same value.
func FuzzCoerce(f *testing.F) {
	for _, in := range []string{
		`1`, `"2026-01-31T13:37:00.5+01:00"`, `{"lat": 1, "note": "x"}`, `[1, null]`, `"AQI="`, `1e3`, `"1.50"`,
		`"0190f6a8-7b1c-7def-8a1b-0123456789ab"`, `{"b": [1.0, {"a": null}]}`, `"READER"`, `"13:37:00.1"`, `true`, `-0.0`,
	} {
		f.Add(in)
	}
	typ := parse(f, valuesSDL).Type("T")
	f.Fuzz(func(t *testing.T, in string) {
		d := json.NewDecoder(strings.NewReader(in))
		d.UseNumber()
		var v any
		if d.Decode(&v) != nil {
			return
		}
		for _, field := range typ.Columns {
			value, err := field.Coerce(v)
			if err != nil {
				var e *fault.Error
				if !errors.As(err, &e) || e.Kind != fault.Invalid {
					t.Fatalf("%s of %s: %T %v", field.Name, in, err, err)
				}
				continue
			}
			field.Validate(value)
			shown := AppendValue(nil, field, value)
			if !json.Valid(shown) {
				t.Fatalf("%s of %s is shown as %s", field.Name, in, shown)
			}
			again, err := field.Coerce(decode(t, string(shown)))
			if err != nil || again.String() != value.String() {
				t.Fatalf("%s of %s is %v, shown as %s, which is %v, %v", field.Name, in, value, shown, again, err)
			}
		}
	})
}

func BenchmarkAppendString(b *testing.B) {
	for name, s := range map[string]string{
		"ascii": strings.Repeat("The quick brown fox. ", 4), "unicode": strings.Repeat("Füchse 😀 ", 8), "escapes": strings.Repeat("a\"b\n", 20),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			var buf []byte
			for b.Loop() {
				buf = AppendString(buf[:0], s)
			}
		})
	}
}

func BenchmarkAppendValue(b *testing.B) {
	typ := parse(b, valuesSDL).Type("T")
	values := map[string]Value{
		"at": Text("2026-01-31T13:37:00.500000Z"), "int": Integer(42), "big": Integer(1 << 60), "float": Double(1.5),
		"dec": Text("1.5"), "bytes": Raw("0123456789"), "tags": List([]Value{Text("a"), Text("b")}),
	}
	for name, v := range values {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			f := typ.Field(name)
			var buf []byte
			for b.Loop() {
				buf = AppendValue(buf[:0], f, v)
			}
		})
	}
}

func TestAppendValueMakesNoGarbage(t *testing.T) {
	typ := parse(t, valuesSDL).Type("T")
	buf := make([]byte, 0, 4096)
	values := map[string]Value{
		"at": Text("2026-01-31T13:37:00.500000Z"), "time": Text("13:37:00.500000"), "int": Integer(42), "float": Double(1.5e-9),
		"bytes": Raw(strings.Repeat("x", 1000)), "text": Text("a\n\xffé"), "tags": List([]Value{Text("a"), Text("b")}), "json": Text("{}"),
	}
	for name, v := range values {
		f := typ.Field(name)
		if n := testing.AllocsPerRun(10, func() { buf = AppendValue(buf[:0], f, v) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
		if !bytes.HasPrefix(buf, nil) || len(buf) == 0 {
			t.Errorf("%s: nothing written", name)
		}
	}
}

// A column takes what its scalar is coerced from, and of each text that one letter makes of that no other.
func TestTakes(t *testing.T) {
	forms := map[Scalar][]string{
		DateTime:  {"2026-01-31T13:37:10.120000Z", "2028-02-29T23:59:59.999999Z", "2026-04-30T00:00:00.000000Z", "2026-01-31T13:37:00+02:00"},
		Date:      {"2026-01-31", "2028-02-29", "0001-01-01", "9999-12-31"},
		Time:      {"13:37:10.120000", "00:00:00.000000", "23:59:59.999999", "13:37:00"},
		UUID:      {"0190f6a8-7b1c-7def-8a1b-0123456789ab"},
		EnumValue: {"A", "BB"},
	}
	enum := &Enum{Values: []EnumItem{{Name: "A"}, {Name: "BB"}}}
	for s, texts := range forms {
		f := &Field{Scalar: s, Enum: enum}
		for _, text := range texts {
			if !f.Takes(text) {
				t.Errorf("%s does not take %q", s, text)
			}
			for i := range text {
				for _, b := range []byte("0123456789ABTZ.:- ") {
					other := text[:i] + string(b) + text[i+1:]
					if _, err := CoerceScalar(s, enum, other); f.Takes(other) != (err == nil) {
						t.Errorf("%s: %q is taken %t, and coerced with %v", s, other, f.Takes(other), err)
					}
				}
				for _, other := range []string{text[:i], text[:i] + text[i+1:], text[:i] + "0" + text[i:]} {
					if _, err := CoerceScalar(s, enum, other); f.Takes(other) != (err == nil) {
						t.Errorf("%s: %q is taken %t, and coerced with %v", s, other, f.Takes(other), err)
					}
				}
			}
		}
	}
}

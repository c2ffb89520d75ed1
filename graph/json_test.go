package graph

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// read decodes one value, as variables are.
func read(in []byte) (any, error) {
	d := decoder{in: in}
	v, err := d.value()
	if err == nil {
		err = d.end()
	}
	return v, err
}

// standard decodes as encoding/json does.
func standard(in []byte) (any, error) {
	if !json.Valid(in) {
		return nil, errors.New("not valid")
	}
	d := json.NewDecoder(bytes.NewReader(in))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

var values = []string{
	`null`, `true`, `false`, ` { } `, `[ ]`, `{"a":[1,-0,2.50,1e400,-1E-7,{"b":null}]}`, `"a\"\\\/\b\f\n\r\té😀\u0000"`,
	`"é😀"`, `12345678901234567890.123456789`, `tru`, `nul`, `truee`, `-`, `01`, `1.`, `.5`, `1e`, `+1`, `[1,]`, `{,}`, `{"a"}`, `{"a":}`,
	`{"a":1 "b":2}`, `"`, `"\`, `"\u12`, `"\u12x4"`, `[`, `]`, `{`, "\"\x01\"", "\"\x7f\"", ``, ` `, `NaN`, `'a'`, "\ufeff{}", `1 2`,
}

// What encoding/json refuses is refused; what is accepted is the same value.
func FuzzJSON(f *testing.F) {
	for _, v := range values {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := read(in)
		want, standardErr := standard(in)
		if err != nil {
			if standardErr == nil && !stricter(in, err) {
				t.Fatalf("%q: %v", in, err)
			}
			return
		}
		if standardErr != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: %#v, want %#v %v", in, got, want, standardErr)
		}
	})
}

// stricter is whether in is what only this decoder refuses.
func stricter(in []byte, err error) bool {
	text := err.Error()
	return strings.HasSuffix(text, "is given twice") || strings.HasSuffix(text, "surrogate pair is no character") ||
		strings.Contains(text, "nests deeper than") || !utf8.Valid(in)
}

func BenchmarkVariables(b *testing.B) {
	in := []byte(`{"where":{"_and":[{"views":{"_gt":100}},{"title":{"_ilike":"%go%"}}]},"orderBy":[{"createdAt":"DESC"}],"limit":20}`)
	b.Run("own", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = read(in)
		}
	})
	b.Run("standard", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = standard(in)
		}
	})
}

package schema

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Violation is one rule of the schema that a value breaks.
type Violation struct {
	Rule    string // as the schema has it: size(min: 3)
	Message string // for the caller: must have at least 3 characters
	Path    []any  // into the value: places in lists and names of embedded fields
}

// How long strings are that have no size of their own, because the smallest database gives
// their columns no more.
const (
	idLength  = 64
	keyLength = 255 // of strings in an index or a unique constraint
)

// MaxLength is the most characters that the column holds, 0 for no limit: the @size, or what
// an ID or a String in an index gets where the database needs a limit. A native type has none.
func (f *Field) MaxLength() int {
	if f.List || f.Scalar != ID && f.Scalar != String {
		return 0
	}
	if f.Size != nil && f.Size.Max != "" {
		n, _ := strconv.Atoi(f.Size.Max)
		return n
	}
	switch {
	case f.Native != "" || f.HoldsInteger() || f.Owner == nil || f.Owner.Kind != Table:
		return 0
	case f.Scalar == ID:
		return idLength
	case f.inIndex():
		return keyLength
	}
	return 0
}

func (f *Field) inIndex() bool {
	if f.IsPrimary || f.IsUnique || f.IsIndexed {
		return true
	}
	for _, u := range f.Owner.Uniques {
		for _, part := range u.Fields {
			if part.Field == f {
				return true
			}
		}
	}
	return false
}

// Validate is every rule of the field that a canonical value breaks; null breaks none.
func (f *Field) Validate(v Value) []Violation {
	switch {
	case v.IsNull():
		return nil
	case f.Value != nil:
		return f.validateEmbedded(v.Text())
	case f.List:
		found := f.checkSize(len(v.List()), "element")
		for i, e := range v.List() {
			found = append(found, under(f.validateOne(e), i)...)
		}
		return found
	}
	return f.validateOne(v)
}

func under(vs []Violation, step any) []Violation {
	for i := range vs {
		vs[i].Path = append([]any{step}, vs[i].Path...)
	}
	return vs
}

// validateOne validates one value that holds neither a list nor members.
func (f *Field) validateOne(v Value) (found []Violation) {
	switch v.Kind() {
	case NullValue:
		return nil
	case BytesValue:
		if !f.List {
			return f.checkSize(len(v.Text()), "byte")
		}
	case IntValue, FloatValue:
		return f.checkRange(v)
	case TextValue:
		return f.validateText(v)
	}
	return nil
}

func (f *Field) validateText(v Value) (found []Violation) {
	text := v.Text()
	switch f.Scalar {
	case Decimal:
		return f.checkRange(v)
	case EnumValue:
		if f.Enum != nil && !f.Enum.Has(text) {
			found = append(found, Violation{Rule: "enum(" + f.Enum.Name + ")", Message: "must be one of " + strings.Join(f.Enum.names(), ", ")})
		}
		return found
	case ID, String:
	default:
		return nil
	}
	if !f.List {
		found = f.checkSize(utf8.RuneCountInString(text), "character")
	}
	if f.Match != "" && !f.compiled().MatchString(text) {
		found = append(found, Violation{Rule: "match(pattern: " + strconv.Quote(f.Match) + ")", Message: "must match " + f.Match})
	}
	if f.Format != "" && !formats[f.Format](text) {
		found = append(found, Violation{Rule: "match(format: " + f.Format + ")", Message: "must be " + formatNames[f.Format]})
	}
	return found
}

func (f *Field) compiled() *regexp.Regexp {
	if f.pattern != nil {
		return f.pattern
	}
	return regexp.MustCompile(f.Match) // a field made by hand, in a test
}

func (f *Field) checkSize(n int, unit string) (found []Violation) {
	if f.Size != nil && f.Size.Min != "" {
		if least, _ := strconv.Atoi(f.Size.Min); n < least {
			found = append(found, Violation{Rule: "size(min: " + f.Size.Min + ")", Message: "must have at least " + count(least, unit)})
		}
	}
	most := f.MaxLength()
	if most == 0 && f.Size != nil {
		most, _ = strconv.Atoi(f.Size.Max)
	}
	if most > 0 && n > most {
		found = append(found, Violation{Rule: "size(max: " + strconv.Itoa(most) + ")", Message: "must have at most " + count(most, unit)})
	}
	return found
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}

func (f *Field) checkRange(v Value) (found []Violation) {
	if f.Range == nil {
		return nil
	}
	if f.Range.Min != "" && compareNumber(v, f.Range.Min) < 0 {
		found = append(found, Violation{Rule: "range(min: " + f.Range.Min + ")", Message: "must be at least " + f.Range.Min})
	}
	if f.Range.Max != "" && compareNumber(v, f.Range.Max) > 0 {
		found = append(found, Violation{Rule: "range(max: " + f.Range.Max + ")", Message: "must be at most " + f.Range.Max})
	}
	return found
}

// compareNumber compares a value with a bound, each in its own precision.
func compareNumber(v Value, bound string) int {
	switch v.Kind() {
	case IntValue:
		return compareDecimals(strconv.FormatInt(v.Int(), 10), bound)
	case FloatValue:
		b, _ := strconv.ParseFloat(bound, 64)
		switch {
		case v.Float() < b:
			return -1
		case v.Float() > b:
			return 1
		}
		return 0
	}
	return compareDecimals(v.Text(), bound)
}

// validateEmbedded reads the JSON text again: members are validated as the values they hold.
func (f *Field) validateEmbedded(text string) []Violation {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil // canonical text is valid
	}
	items, ok := v.([]any)
	if !f.List || !ok {
		return f.Value.validateObject(v)
	}
	found := f.checkSize(len(items), "element")
	for i, item := range items {
		found = append(found, under(f.Value.validateObject(item), i)...)
	}
	return found
}

func (t *Type) validateObject(v any) (found []Violation) {
	object, _ := v.(map[string]any)
	for _, f := range t.Fields {
		if object[f.Name] == nil {
			continue
		}
		value, err := f.Coerce(object[f.Name])
		if err == nil {
			found = append(found, under(f.Validate(value), f.Name)...)
		}
	}
	return found
}

var (
	email = regexp.MustCompile(`^[^\s@"(),:;<>\[\\\]]{1,64}@[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?(\.[\p{L}\p{N}]([\p{L}\p{N}-]*[\p{L}\p{N}])?)+$`)
	uuids = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	slugs = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
)

// formats are the well-known forms of @match.
var formats = map[string]func(string) bool{
	"EMAIL": func(s string) bool { return len(s) <= 254 && email.MatchString(s) && !strings.Contains(s, "..") },
	"URL":   isURL,
	"UUID":  uuids.MatchString,
	"SLUG":  slugs.MatchString,
	"IP": func(s string) bool {
		a, err := netip.ParseAddr(s)
		return err == nil && a.Zone() == ""
	},
}

var formatNames = map[string]string{
	"EMAIL": "an e-mail address", "URL": "a URL like https://example.org/page", "UUID": "a UUID",
	"SLUG": "a slug: small letters, digits and single dashes", "IP": "an IP address",
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") && !strings.ContainsAny(s, " \t\n")
}

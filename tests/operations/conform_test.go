package operations

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"time"

	"spacecloud/fault"
	"spacecloud/tests/served"
)

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

func must2(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text[:min(len(text), 2000)])
}

// decode reads JSON with the members of objects in their order.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	v, err := next(d)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return v, nil
}

func next(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			v, err := next(d)
			if err != nil {
				return nil, err
			}
			o = append(o, member{name.(string), v})
		}
		_, err := d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := next(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

// said is an answer that was found to be one.
type said struct {
	data   any
	errors []problem
	value  object // all of it
}

// problem is an error of an answer.
type problem struct {
	Message    string
	Path       []any
	Extensions struct {
		Code  fault.Kind
		Input []any
	}
}

// codes are those that a request may be answered with. A database that is there and has been migrated is never
// Unavailable: that is what a statement is that was rendered wrong.
var codes = []fault.Kind{
	fault.Invalid, fault.Validation, fault.Unauthenticated, fault.Denied, fault.NotFound, fault.Conflict,
	fault.Limit, fault.RateLimited, fault.Timeout,
}

// hear reads an answer and finds what is wrong with it as such.
func hear(a served.Answer) (said, error) {
	var s said
	v, err := decode(a.Body)
	if err != nil {
		return s, fmt.Errorf("no JSON: %w", err)
	}
	if a.Status >= 500 {
		return s, fmt.Errorf("HTTP status %d", a.Status)
	}
	if s.value, _ = v.(object); s.value == nil {
		return s, errors.New("the answer is no object")
	}
	for _, m := range s.value {
		switch m.name {
		case "data", "errors", "extensions":
		default:
			return s, fmt.Errorf("the answer has %s", m.name)
		}
	}
	s.data, _ = s.value.get("data")
	var plain struct{ Errors []problem }
	if err := json.Unmarshal(a.Body, &plain); err != nil {
		return s, err
	}
	if given, has := s.value.get("errors"); has && len(given.([]any)) == 0 {
		return s, errors.New("an empty list of errors")
	}
	s.errors = plain.Errors
	for _, e := range s.errors {
		if e.Message == "" || !slices.Contains(codes, e.Extensions.Code) {
			return s, fmt.Errorf("error %q of code %q", e.Message, e.Extensions.Code)
		}
	}
	if _, has := s.value.get("data"); !has && s.errors == nil {
		return s, errors.New("neither data nor errors")
	}
	if s.data == nil && s.errors == nil {
		return s, errors.New("data is null without an error")
	}
	return s, nil
}

func (s said) codes() []fault.Kind {
	var out []fault.Kind
	for _, e := range s.errors {
		out = append(out, e.Extensions.Code)
	}
	return out
}

// conforms is whether an answer is one to an operation.
func (a *api) conforms(op *operation, s said) error {
	if s.data == nil {
		return nil
	}
	if err := a.object(op.set, s.data); err != nil {
		return err
	}
	for i, n := range op.set { // what is null at the root has an error, if rows are a list
		v := s.data.(object)[i].value
		if v == nil && n.field.Type.nonNull() {
			return fmt.Errorf("%s is null", n.alias)
		}
	}
	return nil
}

func (a *api) object(set []*node, v any) error {
	o, ok := v.(object)
	if !ok {
		return fmt.Errorf("%s is no object", shown(v))
	}
	if len(o) != len(set) {
		return fmt.Errorf("%d members where %d were selected", len(o), len(set))
	}
	for i, n := range set {
		if o[i].name != n.alias {
			return fmt.Errorf("%s where %s was selected", o[i].name, n.alias)
		}
		if n.name == "__typename" {
			if o[i].value != n.of.Name {
				return fmt.Errorf("__typename %v of %s", o[i].value, n.of.Name)
			}
			continue
		}
		if err := a.value(n, n.field.Type, o[i].value); err != nil {
			return fmt.Errorf("%s.%w", n.alias, err)
		}
	}
	return nil
}

func (a *api) value(n *node, r *ref, v any) error {
	if v == nil {
		if r.nonNull() {
			return fmt.Errorf(" is null, and of type %s", r)
		}
		return nil
	}
	r = r.bare()
	if r.Kind == "LIST" {
		list, ok := v.([]any)
		if !ok {
			return fmt.Errorf(" is %s and no list", shown(v))
		}
		for i, e := range list {
			if err := a.value(n, r.OfType, e); err != nil {
				return fmt.Errorf("%d.%w", i, err)
			}
		}
		return nil
	}
	t := a.types[r.Name]
	switch t.Kind {
	case "OBJECT":
		return a.object(n.set, v)
	case "ENUM":
		text, _ := v.(string)
		if !slices.ContainsFunc(t.EnumValues, func(e struct{ Name string }) bool { return e.Name == text }) {
			return fmt.Errorf(" is %s and no %s", shown(v), t.Name)
		}
		return nil
	}
	if is, known := scalars[t.Name]; known && !is(v) {
		return fmt.Errorf(" is %s and no %s", shown(v), t.Name)
	}
	return nil
}

func shown(v any) string { return must2(plain(v)) }

func isText(v any) bool { _, ok := v.(string); return ok }

func matches(pattern string) func(any) bool {
	re := regexp.MustCompile("^" + pattern + "$")
	return func(v any) bool { text, ok := v.(string); return ok && re.MatchString(text) }
}

func inTime(form string) func(any) bool {
	return func(v any) bool {
		text, ok := v.(string)
		_, err := time.Parse(form, text)
		return ok && err == nil
	}
}

// scalars are the forms of their values in answers.
var scalars = map[string]func(any) bool{
	"ID": isText, "String": isText,
	"Boolean": func(v any) bool { _, ok := v.(bool); return ok },
	"Int": func(v any) bool {
		n, ok := v.(json.Number)
		_, err := strconv.ParseInt(string(n), 10, 32)
		return ok && err == nil
	},
	"Float": func(v any) bool {
		n, ok := v.(json.Number)
		_, err := strconv.ParseFloat(string(n), 64)
		return ok && err == nil
	},
	"BigInt": func(v any) bool {
		text, ok := v.(string)
		_, err := strconv.ParseInt(text, 10, 64)
		return ok && err == nil
	},
	"Decimal":  matches(`-?(0|[1-9][0-9]*)(\.[0-9]+)?`),
	"DateTime": inTime("2006-01-02T15:04:05Z"),
	"Date":     inTime("2006-01-02"),
	"Time":     inTime("15:04:05"),
	"UUID":     matches(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`),
	"Bytes": func(v any) bool {
		text, ok := v.(string)
		_, err := base64.StdEncoding.Strict().DecodeString(text)
		return ok && err == nil
	},
	"JSON": func(any) bool { return true },
}

package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The tree of keys is Config's type: a struct is a group of keys, a map is entries by name, a
// slice of structs is entries by number, and everything else is a setting with a value.

// path leads to a key: the names and numbers on the way, as in auth, keys, 0, alg.
type path []string

func (p path) String() string { return strings.Join(p, ".") }

// then is the path one step on, sharing nothing with p.
func (p path) then(step string) path { return append(slices.Clip(p), step) }

// setting is a value that somebody gave, and where.
type setting struct {
	path  path
	texts []string // one, or the items of a list
	place string
}

// name is what entries by name may be called: the schema and rules have to spell them.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// isList is whether a setting of type t has several values.
func isList(t reflect.Type) bool { return t == reflect.TypeFor[[]string]() }

// isEntries is whether t is entries by number.
func isEntries(t reflect.Type) bool { return t.Kind() == reflect.Slice && !isList(t) }

// isSetting is whether t is a setting, not a group or entries of settings.
func isSetting(t reflect.Type) bool {
	return t.Kind() != reflect.Struct && t.Kind() != reflect.Map && !isEntries(t)
}

// keys are the keys of the group t, in the order of Config.
func keys(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		if key := f.Tag.Get("key"); key != "" {
			names = append(names, key)
		}
	}
	return names
}

// field is the key of the group t.
func field(t reflect.Type, key string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if f.Tag.Get("key") == key && key != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// later is the shortest part of p whose key is not served yet, or nil.
func later(p path) path {
	t := reflect.TypeFor[Config]()
	for i, step := range p {
		if t.Kind() != reflect.Struct {
			t = t.Elem()
			continue
		}
		f, ok := field(t, step)
		if !ok {
			return nil
		}
		if f.Tag.Get("later") != "" {
			return p[:i+1]
		}
		t = f.Type
	}
	return nil
}

// assign puts texts at p below v, making entries on the way.
func assign(v reflect.Value, p path, texts []string) error {
	switch {
	case len(p) == 0:
		return parse(v.Addr().Interface(), texts)
	case v.Kind() == reflect.Struct:
		f, _ := field(v.Type(), p[0])
		return assign(v.FieldByIndex(f.Index), p[1:], texts)
	case v.Kind() == reflect.Map:
		return assignNamed(v, p, texts)
	default:
		return assignNumbered(v, p, texts)
	}
}

func assignNamed(v reflect.Value, p path, texts []string) error {
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	entry := reflect.New(v.Type().Elem()).Elem()
	key := reflect.ValueOf(p[0])
	if old := v.MapIndex(key); old.IsValid() {
		entry.Set(old)
	}
	err := assign(entry, p[1:], texts)
	v.SetMapIndex(key, entry)
	return err
}

func assignNumbered(v reflect.Value, p path, texts []string) error {
	i, err := strconv.Atoi(p[0])
	if err != nil || i < 0 || i > v.Len() {
		return fmt.Errorf("is numbered %s, but the next number is %d", p[0], v.Len())
	}
	if i == v.Len() {
		v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
	}
	return assign(v.Index(i), p[1:], texts)
}

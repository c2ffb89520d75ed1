package graph

import (
	"errors"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/fault"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// maxNesting is how many links deep one row may write others along.
const maxNesting = 8

// linked is what a row's input says of the rows that a link leads to; path is the way there.
func linked(f *schema.Field, in input, path []any, depth int) (*resolvers.Linked, error) {
	if depth > maxNesting {
		return nil, fault.New(fault.Limit, "rows are nested more than %d links deep; write them one after the other", maxNesting).At(path...)
	}
	l := &resolvers.Linked{List: f.Link.Many}
	target := f.Link.Target
	for _, m := range in.members() {
		if m.isNull() {
			continue
		}
		path := append(slices.Clip(path), m.name)
		var err error
		switch m.name {
		case "create":
			err = eachOf(f, m, path, func(item input, path []any) error {
				doc, err := rowAt(target, item, path, depth+1)
				l.Create = append(l.Create, doc)
				return err
			})
		case "connect":
			l.Connect, err = keysOf(f, m, path)
		case "disconnect":
			if !f.Link.Many {
				l.Clear, _ = m.plain().(bool)
				break
			}
			l.Disconnect, err = keysOf(f, m, path)
		case "set":
			l.Replace = true
			l.Set, err = keysOf(f, m, path)
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// eachOf is called with the items of a to-many link, or with the only one.
func eachOf(f *schema.Field, in input, path []any, do func(input, []any) error) error {
	if !f.Link.Many {
		return do(in, path)
	}
	for i, item := range in.items() {
		if err := do(item, append(slices.Clip(path), i)); err != nil {
			return err
		}
	}
	return nil
}

func keysOf(f *schema.Field, in input, path []any) ([]resolvers.Key, error) {
	keys := []resolvers.Key{}
	err := eachOf(f, in, path, func(item input, path []any) error {
		key, err := keyOf(f.Link.Target, item, path)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// keyOf is the one unique key that an input gives.
func keyOf(t *schema.Type, in input, path []any) (resolvers.Key, error) {
	var key resolvers.Key
	for _, m := range in.members() {
		if m.isNull() {
			continue
		}
		f := t.Field(m.name)
		v, err := f.Coerce(m.plain())
		if err != nil {
			return key, placed(err, append(slices.Clip(path), m.name))
		}
		key.Of, key.Values = append(key.Of, f), append(key.Values, v)
	}
	if !isUnique(t, key.Of) {
		return key, fault.New(fault.Invalid, "a %s is named by one of its unique keys: %s; this is [%s]",
			t.Name, uniqueKeys(t), fieldNames(key.Of)).At(path...)
	}
	return key, nil
}

// placed is all that is wrong with a column's value, with the way into the input.
func placed(err error, path []any) error {
	var all []error
	for _, f := range fault.All(err) {
		all = append(all, f.At(append(slices.Clip(path), f.Path...)...))
	}
	return errors.Join(all...)
}

// links are what the set of an update of one row says of its links.
func (k *compiler) links(t *schema.Type, field *ast.Field) ([]resolvers.FieldValue, error) {
	in, ok := k.given(field, "set")
	if !ok || in.isNull() {
		return nil, nil
	}
	var out []resolvers.FieldValue
	for _, m := range in.members() {
		f := t.Field(m.name)
		if !f.IsLink() || m.isNull() {
			continue
		}
		l, err := linked(f, m, []any{"set", f.Name}, 1)
		if err != nil {
			return nil, err
		}
		out = append(out, resolvers.FieldValue{Field: f, Link: l})
	}
	return out, nil
}

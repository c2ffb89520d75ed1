package graph

import (
	"errors"
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/resolvers"
	"spacecloud/schema"
)

// answerOf compiles how a mutation field is answered.
func (k *compiler) answerOf(root generator.Root, s *selected, before string) (resolvers.Answer, error) {
	a := resolvers.Answer{Before: before}
	if one(root.Kind) {
		items, err := k.items(root.Type, s.sets)
		if err != nil {
			return a, err
		}
		a.Row = k.res.Find(&query.Find{Type: root.Type, Items: items, One: true})
		return a, nil
	}
	text := "{"
	for _, m := range k.collect(s.sets...) {
		text += strconv.Quote(m.alias) + ":"
		member := resolvers.Member{Before: text}
		switch m.field.Name {
		case "__typename":
			text += strconv.Quote(m.field.ObjectDefinition.Name) + ","
			continue
		case "affected":
			member.Affected = true
		case "returning":
			items, err := k.items(root.Type, m.sets)
			if err != nil {
				return a, err
			}
			member.Returning = k.res.Find(&query.Find{Type: root.Type, Items: items})
		}
		a.Members = append(a.Members, member)
		text = ","
	}
	a.Tail = trimComma(text) + "}"
	return a, nil
}

func one(kind generator.RootKind) bool {
	return kind == generator.InsertOne || kind == generator.UpsertOne || kind == generator.UpdateOne || kind == generator.DeleteOne
}

// change makes the change that a mutation field asks for, with the request's values in it.
func (k *compiler) change(p *part) (resolvers.Change, error) {
	root := p.root
	if err := k.mustGive(p.field); err != nil {
		return resolvers.Change{}, err
	}
	c := resolvers.Change{Name: p.alias, Type: root.Type, One: one(root.Kind), Answer: p.answer}
	var err error
	switch root.Kind {
	case generator.InsertOne, generator.InsertMany, generator.UpsertOne, generator.UpsertMany:
		c.Verb = query.Create
		if c.OnConflict, err = k.onConflict(root, p.field); err != nil {
			return c, err
		}
		c.Docs, err = k.docs(root, p.field)
		return c, err
	case generator.UpdateOne, generator.UpdateMany:
		c.Verb = query.Update
		if c.Set, err = k.assigns(root.Type, p.field); err != nil {
			return c, err
		}
		if c.One {
			if c.Links, err = k.links(root.Type, p.field); err != nil {
				return c, err
			}
		}
		if len(c.Set)+len(c.Links) == 0 {
			return c, errNothing
		}
	default:
		c.Verb = query.Delete
	}
	if c.One {
		if c.IfVersion, err = k.ifVersion(p.field); err != nil {
			return c, err
		}
		c.KeyOf = root.Key
		c.Key, err = k.key(p.field, root.Key)
		return c, err
	}
	in, _ := k.given(p.field, "where")
	c.Where, err = k.where(root.Type, in)
	return c, err
}

func (k *compiler) key(field *ast.Field, of []*schema.Field) ([]schema.Value, error) {
	values := make([]schema.Value, len(of))
	for i, f := range of {
		in, _ := k.given(field, f.Name)
		var err error
		if values[i], err = f.Coerce(in.plain()); err != nil {
			return nil, invalid(f.Name, err)
		}
	}
	return values, nil
}

// docs are the rows of an insert.
func (k *compiler) docs(root generator.Root, field *ast.Field) ([]resolvers.Doc, error) {
	if one(root.Kind) {
		in, _ := k.given(field, "doc")
		doc, err := rowAt(root.Type, in, []any{"doc"}, 0)
		return []resolvers.Doc{doc}, err
	}
	in, _ := k.given(field, "docs")
	items := in.items()
	docs := make([]resolvers.Doc, len(items))
	var wrong []error
	for i, item := range items {
		var err error
		item.name = "docs." + strconv.Itoa(i)
		if docs[i], err = rowAt(root.Type, item, []any{"docs", i}, 0); err != nil {
			wrong = append(wrong, err)
		}
	}
	return docs, errors.Join(wrong...)
}

// row is one object of columns and their values, and of links and what is written along them.
func row(t *schema.Type, in input) (resolvers.Doc, error) { return rowAt(t, in, []any{in.name}, 0) }

// rowAt is a row that lies some links deep in another one.
func rowAt(t *schema.Type, in input, path []any, depth int) (resolvers.Doc, error) {
	members := in.members()
	doc := make(resolvers.Doc, 0, len(members))
	var wrong []error
	for _, m := range members {
		f := t.Field(m.name)
		if f.IsLink() {
			if m.isNull() {
				continue
			}
			l, err := linked(f, m, append(slices.Clip(path), f.Name), depth+1)
			if err != nil {
				return nil, err
			}
			doc = append(doc, resolvers.FieldValue{Field: f, Link: l})
			continue
		}
		v, err := value(f, m)
		switch {
		case err != nil && depth > 0:
			wrong = append(wrong, placed(err, append(slices.Clip(path), m.name)))
		case err != nil:
			wrong = append(wrong, invalid(in.name+"."+m.name, err))
		}
		doc = append(doc, resolvers.FieldValue{Field: f, Value: v})
	}
	return doc, errors.Join(wrong...)
}

// value is a column's value, or null for the validation to judge.
func value(f *schema.Field, in input) (schema.Value, error) {
	if in.isNull() {
		return schema.Null, nil
	}
	return f.Coerce(in.plain())
}

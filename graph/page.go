package graph

import (
	"strings"

	"spacecloud/fault"
	"spacecloud/generator"
	"spacecloud/query"
	"spacecloud/schema"
)

// usualPage is how many rows a connection shows when neither first nor last is given.
const usualPage = generator.DefaultLimit

// connectionBeside compiles the connection beside a link to many.
func (k *compiler) connectionBeside(t *schema.Type, s *selected) (query.Item, error) {
	link := t.Field(strings.TrimSuffix(s.field.Name, "Connection"))
	find, err := k.connection(t.Name+"."+link.Name, link.Link.Target, s)
	return query.Item{Name: s.alias, Link: link, Find: find}, err
}

// connection compiles the page of rows that a field asks for. Where tells lists of one type
// apart, so that a cursor is good for its own only.
func (k *compiler) connection(where string, t *schema.Type, s *selected) (*query.Find, error) {
	f := &query.Find{Type: t}
	if err := k.listArguments(f, s.field); err != nil {
		return nil, err
	}
	p := &query.Page{Cursor: query.NewCursor(where, t, query.Complete(t, f.OrderBy))}
	f.Page = p
	if err := k.size(p, s); err != nil {
		return nil, err
	}
	var err error
	if p.After, err = k.cursor(p.Cursor, s, "after"); err != nil {
		return nil, err
	}
	if p.Before, err = k.cursor(p.Cursor, s, "before"); err != nil {
		return nil, err
	}
	p.Members, err = k.pageMembers(t, s)
	return f, err
}

// size compiles first and last. The limit is one more than they say.
func (k *compiler) size(p *query.Page, s *selected) error {
	first, hasFirst := k.given(s.field, "first")
	last, hasLast := k.given(s.field, "last")
	hasFirst, hasLast = hasFirst && !first.isNull(), hasLast && !last.isNull()
	p.Limit = query.Const(schema.Integer(usualPage + 1))
	in := first
	switch {
	case hasFirst && hasLast:
		return fault.New(fault.Invalid, "first and last are both given; ask for the first rows or for the last ones")
	case hasLast:
		in, p.Backward = last, true
	case !hasFirst:
		return nil
	}
	var err error
	p.Limit, err = k.operand(in, oneMore)
	return err
}

func oneMore(v any) (schema.Value, error) {
	n, err := schema.CoerceScalar(schema.Int, nil, v)
	return schema.Integer(n.Int() + 1), err
}

// cursor compiles a cursor to an operand for each part of the sort key; nil where none is given.
func (k *compiler) cursor(c *query.Cursor, s *selected, name string) ([]query.Operand, error) {
	in, ok := k.given(s.field, name)
	if !ok || in.isNull() {
		return nil, nil
	}
	values := make([]query.Operand, len(c.Orders()))
	for i, o := range c.Orders() {
		var err error
		if values[i], err = k.operand(in, partOf(c, i)); err != nil {
			return nil, err
		}
		values[i].Scalar = o.Field.Scalar
	}
	return values, nil
}

// partOf reads one value of a cursor. All of it is read for each: there are few.
func partOf(c *query.Cursor, i int) coercion {
	return func(v any) (schema.Value, error) {
		text, _ := v.(string)
		values, err := c.Read(text)
		if err != nil {
			return schema.Null, err
		}
		return values[i], nil
	}
}

// pageMembers compiles what is selected of a connection.
func (k *compiler) pageMembers(t *schema.Type, s *selected) ([]query.PageMember, error) {
	var members []query.PageMember
	for _, m := range k.collect(s.sets...) {
		member := query.PageMember{Name: m.alias}
		var err error
		switch m.field.Name {
		case "__typename":
			member.Typename = m.field.ObjectDefinition.Name
		case "edges":
			member.Kind = query.PageEdges
			member.Items, err = k.edge(t, m)
		case "nodes":
			member.Kind = query.PageNodes
			member.Items, err = k.items(t, m.sets)
		case "totalCount":
			member.Kind = query.PageTotal
		case "pageInfo":
			member.Kind, member.Info = query.PageInfo, k.pageInfo(m)
		}
		if err != nil {
			return nil, err
		}
		members = append(members, member)
	}
	return members, nil
}

// edge compiles what is selected of an edge.
func (k *compiler) edge(t *schema.Type, s *selected) ([]query.Item, error) {
	var items []query.Item
	for _, m := range k.collect(s.sets...) {
		item := query.Item{Name: m.alias}
		var err error
		switch m.field.Name {
		case "__typename":
			item.Typename = m.field.ObjectDefinition.Name
		case "cursor":
			item.Cursor = true
		case "node":
			item.Node, err = k.items(t, m.sets)
		}
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}

var pageInfoKinds = map[string]query.PageKind{
	"hasNextPage": query.PageHasNext, "hasPreviousPage": query.PageHasPrevious,
	"startCursor": query.PageStart, "endCursor": query.PageEnd,
}

func (k *compiler) pageInfo(s *selected) []query.PageMember {
	var members []query.PageMember
	for _, m := range k.collect(s.sets...) {
		member := query.PageMember{Name: m.alias, Kind: pageInfoKinds[m.field.Name]}
		if member.Kind == query.PageConstant {
			member.Typename = m.field.ObjectDefinition.Name
		}
		members = append(members, member)
	}
	return members
}

package rules

import (
	"slices"
	"strings"

	celast "cel.dev/cel-go/common/ast"

	"spacecloud/query"
	"spacecloud/schema"
)

// path is where an expression like doc.author.teamId leads.
type path struct {
	up   int             // scopes outward to the row it begins at
	via  []*schema.Field // to-one links
	last *schema.Field   // a column, or a link that ends the path; nil for the row itself
}

func (p path) isColumn() bool { return p.last != nil && !p.last.IsLink() }
func (p path) isMany() bool   { return p.last != nil && p.last.IsLink() && p.last.Link.Many }

// hops are all links of a path that ends in one.
func (p path) hops() []*schema.Field { return append(slices.Clip(p.via), p.last) }

// operand is the column at the end. The far key of an enforced foreign key is read from the
// near side: doc.author.id is doc.authorId.
func (p path) operand() query.Operand {
	o := query.Operand{Kind: query.Column, Field: p.last, Via: p.via, Up: p.up}
	for len(o.Via) > 0 {
		near := nearKey(o.Via[len(o.Via)-1], o.Field)
		if near == nil {
			break
		}
		o.Field, o.Via = near, o.Via[:len(o.Via)-1]
	}
	if len(o.Via) == 0 {
		o.Via = nil
	}
	return o
}

func nearKey(link, far *schema.Field) *schema.Field {
	if !link.Link.Owns || !link.Link.Enforced || len(link.Link.From) != 1 || link.Link.To[0] != far {
		return nil
	}
	return link.Link.From[0]
}

// path resolves a chain of fields that begins at a row variable. CEL has checked the names;
// false is for any other expression.
func (t *translator) path(e celast.Expr) (path, bool) {
	if e.Kind() == celast.IdentKind {
		s, ok := t.rows[e.AsIdent()]
		return path{up: t.depth - s.depth}, ok
	}
	if e.Kind() != celast.SelectKind {
		return path{}, false
	}
	sel := e.AsSelect()
	p, ok := t.path(sel.Operand())
	if !ok {
		return path{}, false
	}
	of := t.typeAt(sel.Operand(), p)
	if of == nil || of.Field(sel.FieldName()) == nil {
		return path{}, false
	}
	if p.last != nil {
		p.via = p.hops()
	}
	p.last = of.Field(sel.FieldName())
	return p, true
}

// typeAt is the type of the row that a path leads to, or nil where it leads to no one row.
func (t *translator) typeAt(e celast.Expr, p path) *schema.Type {
	switch {
	case p.last == nil:
		return t.rows[e.AsIdent()].of
	case p.last.IsLink() && !p.last.Link.Many:
		return p.last.Link.Target
	}
	return nil
}

// rowsType is the name of the type in the variable of all its rows, or "".
func rowsType(ident string) string {
	name, ok := strings.CutPrefix(ident, rowsOf)
	if !ok {
		return ""
	}
	return name
}

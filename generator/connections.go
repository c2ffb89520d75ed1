package generator

import (
	"fmt"
	"slices"

	"spacecloud/schema"
)

// Lists by pages.

func connectionName(t *schema.Type) string { return t.Name + "Connection" }

func edgeName(t *schema.Type) string { return t.Name + "Edge" }

// paged is whether rows of a type can be asked for by pages: a cursor holds the whole primary
// key, so there has to be one, and whoever may read the rows has to be allowed to see it.
func paged(t *schema.Type) bool {
	return readable(t) && askable(t.Primary) &&
		!slices.ContainsFunc(t.Primary, func(f *schema.Field) bool { return f.List || !scalars[f.Scalar].sortable })
}

func writeConnection(d *draft, t *schema.Type) {
	if !paged(t) {
		return
	}
	d.query.add(member{
		name:        t.Plural + "Connection",
		description: fmt.Sprintf("Every %s that matches and that the caller may read, by pages.", t.Name),
		args:        d.pageArgs(t),
		typ:         d.rootType(connectionName(t)),
	}, Root{Kind: Connection, Type: t})
	d.define(definition{
		keyword:     "type",
		name:        connectionName(t),
		description: fmt.Sprintf("One page of %s.", t.Plural),
		members: []member{
			{name: "edges", description: "The rows of the page, each with its cursor.", typ: nonNullType(listOf(edgeName(t)))},
			{name: "nodes", description: "The rows of the page.", typ: nonNullType(listOf(t.Name))},
			{name: "pageInfo", typ: nonNullType(d.pageInfo())},
			{name: "totalCount", description: "The number of rows on all pages. It takes a statement of its own, and nothing when it is not asked for.", typ: "Int!"},
		},
	})
	d.define(definition{
		keyword:     "type",
		name:        edgeName(t),
		description: fmt.Sprintf("One %s on a page.", t.Name),
		members: []member{
			{name: "cursor", description: "Where the row is in this order: for after and before.", typ: "String!"},
			{name: "node", typ: nonNullType(t.Name)},
		},
	})
}

// connectionBeside is the connection that stands beside a link to many.
func (d *draft) connectionBeside(f *schema.Field) []member {
	if !f.IsLink() || !f.Link.Many || !paged(f.Link.Target) {
		return nil
	}
	return []member{{
		name:        f.Name + "Connection",
		description: fmt.Sprintf("The same as %s, by pages.", f.Name),
		args:        d.pageArgs(f.Link.Target),
		typ:         marked(connectionName(f.Link.Target), nonNull(f)),
	}}
}

// pageArgs are the arguments of a connection. A default of first could not be combined with last, so
// the text says it.
func (d *draft) pageArgs(t *schema.Type) []member {
	args := slices.DeleteFunc(d.listArgs(t), func(m member) bool { return m.name != "where" && m.name != "orderBy" })
	return append(args,
		member{name: "first", description: "The most rows from the beginning, or from after on; " + defaultLimit + " when neither first nor last is given.", typ: "Int"},
		member{name: "after", description: "Begin after the row of this cursor.", typ: "String"},
		member{name: "last", description: "The most rows from the end, or from before back; not together with first.", typ: "Int"},
		member{name: "before", description: "End before the row of this cursor.", typ: "String"},
	)
}

func (d *draft) pageInfo() string {
	return d.share("PageInfo", func() definition {
		return definition{
			keyword:     "type",
			description: "Where a page is.",
			members: []member{
				{name: "hasNextPage", description: "Whether rows follow. With before, they do.", typ: "Boolean!"},
				{name: "hasPreviousPage", description: "Whether rows precede. With after, they do.", typ: "Boolean!"},
				{name: "startCursor", description: "The cursor of the first row, null on an empty page.", typ: "String"},
				{name: "endCursor", description: "The cursor of the last row, null on an empty page.", typ: "String"},
			},
		}
	})
}

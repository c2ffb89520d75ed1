package generator

import (
	"fmt"
	"strconv"
	"strings"

	"spacecloud/schema"
)

// What can be asked: one row by a key, and lists.

// DefaultLimit is how many rows a list or a page has unless the request says. It stands in the
// SDL, so that everybody sees it.
const DefaultLimit = 100

var defaultLimit = strconv.Itoa(DefaultLimit)

func writeReads(d *draft, t *schema.Type) {
	if !readable(t) {
		return
	}
	for _, k := range keys(t) {
		d.query.add(member{
			name:        k.query,
			description: fmt.Sprintf("The %s with this %s, or null.", t.Name, fieldNames(k.fields)),
			args:        d.keyArgs(k.fields),
			typ:         t.Name,
		}, Root{Kind: One, Type: t, Key: k.fields})
	}
	d.query.add(member{
		name:        t.Plural,
		description: fmt.Sprintf("Every %s that matches and that the caller may read.", t.Name),
		args:        d.listArgs(t),
		typ:         d.rootType(listOf(t.Name)),
	}, Root{Kind: List, Type: t})
}

// rootType is the type of a root field that always has an answer while its database is there.
// Where others are served beside it, it is null while it is not: a null that must not be would take
// the answers of the others along.
func (d *draft) rootType(typ string) string { return marked(typ, d.alone()) }

// alone is whether the schema is of one database.
func (d *draft) alone() bool { return len(d.schema.Databases()) < 2 }

func fieldNames(fields []*schema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return strings.Join(names, " and ")
}

// capital is a name as it stands inside of another.
func capital(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func (d *draft) keyArgs(key []*schema.Field) []member {
	args := make([]member, len(key))
	for i, f := range key {
		args[i] = member{name: f.Name, description: f.Description, typ: nonNullType(d.element(f))}
	}
	return args
}

// listArgs are the arguments of a list of rows, at the root or under a link.
func (d *draft) listArgs(t *schema.Type) []member {
	args := []member{{name: "where", description: "Which rows; all when absent.", typ: whereName(t)}}
	if len(sortable(t)) > 0 {
		args = append(args, member{
			name:        "orderBy",
			description: "What to sort by, the most important first. Ties are broken by ascending primary key.",
			typ:         listOf(orderName(t)),
		})
	}
	args = append(args,
		member{name: "limit", description: "The most rows to return; under a link, for each parent.", typ: "Int!", preset: defaultLimit},
		member{name: "offset", description: "How many rows to skip.", typ: "Int!", preset: "0"},
	)
	if len(sortable(t)) > 0 {
		args = append(args, distinctArg(t))
	}
	return args
}

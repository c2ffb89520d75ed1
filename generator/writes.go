package generator

import (
	"fmt"
	"slices"
	"strings"

	"spacecloud/schema"
)

// What can be written: the root fields of each verb, and their inputs.

func insertName(t *schema.Type) string { return t.Name + "Insert" }

func resultName(t *schema.Type) string { return t.Name + "Mutation" }

func writeInserts(d *draft, t *schema.Type) {
	if !creates(t) {
		return
	}
	d.one(t, InsertOne, "insert", fmt.Sprintf("Inserts one %s. Null when the caller may not read it.", t.Name),
		append([]member{{name: "doc", description: "The new row.", typ: nonNullType(insertName(t))}}, d.onConflict(t)...)...)
	d.many(t, InsertMany, "insert", fmt.Sprintf("Inserts several %s, all or none.", t.Plural),
		append([]member{{name: "docs", description: "The new rows.", typ: nonNullType(listOf(insertName(t)))}}, d.onConflict(t)...)...)
	d.define(definition{
		keyword:     "input",
		name:        insertName(t),
		description: fmt.Sprintf("A new %s.", t.Name),
		members:     append(d.newInputs(t), d.linkInputs(t, "Link", insertLinks)...),
	})
}

func writeUpdates(d *draft, t *schema.Type) {
	if !updates(t) {
		return
	}
	changes := d.changes(t)
	d.one(t, UpdateOne, "update", fmt.Sprintf("Changes one %s. Null when the caller may not read it.", t.Name),
		slices.Concat(d.keyArgs(t.Primary), changes, ifVersion(t))...)
	d.many(t, UpdateMany, "update", fmt.Sprintf("Changes every %s that matches.", t.Name),
		slices.Concat([]member{writeWhereArg(t)}, d.ofMany(t, changes))...)
}

func writeDeletes(d *draft, t *schema.Type) {
	if !deletes(t) {
		return
	}
	d.one(t, DeleteOne, "delete", fmt.Sprintf("Deletes one %s, and returns it as it was.", t.Name),
		slices.Concat(d.keyArgs(t.Primary), ifVersion(t))...)
	d.many(t, DeleteMany, "delete", fmt.Sprintf("Deletes every %s that matches.", t.Name), writeWhereArg(t))
}

func writeMutationResult(d *draft, t *schema.Type) {
	if !writable(t) {
		return
	}
	d.define(definition{
		keyword:     "type",
		name:        resultName(t),
		description: fmt.Sprintf("What a write did to %s.", t.Plural),
		members: []member{
			{name: "affected", description: "How many rows were written.", typ: "Int!"},
			{
				name:        "returning",
				description: "Those rows, as far as the caller may read them; deleted ones as they were.",
				typ:         nonNullType(listOf(t.Name)),
			},
		},
	})
}

// writeWhereArg has no default: that a write is to reach every row has to be written.
func writeWhereArg(t *schema.Type) member {
	return member{name: "where", description: "Which rows; {} is all of them.", typ: nonNullType(whereName(t))}
}

// ifVersion is an argument of changes by key where rows have a version.
func ifVersion(t *schema.Type) []member {
	if version(t) == nil {
		return nil
	}
	return []member{{name: "ifVersion", description: "The version that the row has to have; any when absent.", typ: "Int"}}
}

func version(t *schema.Type) *schema.Field {
	for _, f := range columns(t) {
		if f.IsVersion {
			return f
		}
	}
	return nil
}

func (d *draft) one(t *schema.Type, kind RootKind, verb, description string, args ...member) {
	root := Root{Kind: kind, Type: t}
	if kind != InsertOne && kind != UpsertOne {
		root.Key = t.Primary
	}
	d.mutation.add(member{name: verb + capital(t.Single), description: description, args: args, typ: t.Name}, root)
}

func (d *draft) many(t *schema.Type, kind RootKind, verb, description string, args ...member) {
	d.mutation.add(member{
		name:        verb + capital(t.Plural),
		description: description,
		args:        args,
		typ:         nonNullType(resultName(t)),
	}, Root{Kind: kind, Type: t})
}

func never(*schema.Field) bool { return false }

// inputs are the members of an input for columns, non-null where must says so.
func (d *draft) inputs(fields []*schema.Field, must func(*schema.Field) bool) []member {
	members := make([]member, len(fields))
	for i, f := range fields {
		members[i] = member{name: f.Name, description: f.Description, typ: marked(listedIf(f, d.inputElement(f)), must(f))}
	}
	return members
}

// newInputs are the columns of a new row or value. The server fills what is absent, so a
// default is told in words: as a default of the SDL it would hide that nothing was given.
func (d *draft) newInputs(t *schema.Type) []member {
	members := d.inputs(settable(t), func(f *schema.Field) bool { return required(f) && !d.linkFills(f) })
	for i, f := range settable(t) {
		members[i].description = sentences(f.Description, whenAbsent(f))
	}
	return members
}

func whenAbsent(f *schema.Field) string {
	switch {
	case f.DefaultExpr.Text != "":
		return fmt.Sprintf("When absent: %s, worked out by the server.", f.DefaultExpr.Text)
	case f.DefaultSQL != "":
		return "When absent: what the database works out. Give it in all rows of an insert, or in none."
	case f.Default != nil:
		return fmt.Sprintf("When absent: %s.", shownDefault(f))
	case f.NonNull && !required(f):
		return "When absent: a new UUIDv7."
	}
	return ""
}

func shownDefault(f *schema.Field) string {
	if f.Scalar == schema.EnumValue && !f.List {
		return f.Default.Text()
	}
	return string(schema.AppendValue(nil, f, *f.Default))
}

func sentences(texts ...string) string {
	return strings.TrimSpace(strings.Join(texts, "\n"))
}

func (d *draft) inputElement(f *schema.Field) string {
	if f.Scalar != schema.Embedded {
		return d.element(f)
	}
	v := f.Value
	return d.share(v.Name+"Input", func() definition {
		return definition{
			keyword:     "input",
			description: fmt.Sprintf("A %s to write; it replaces the old one as a whole.", v.Name),
			members:     d.newInputs(v),
		}
	})
}

package generator

import (
	"fmt"
	"strings"

	"spacecloud/schema"
)

// What can be written: the root fields of each verb, and their inputs.

func insertName(t *schema.Type) string { return t.Name + "Insert" }

func setName(t *schema.Type) string { return t.Name + "Set" }

func incName(t *schema.Type) string { return t.Name + "Inc" }

func resultName(t *schema.Type) string { return t.Name + "Mutation" }

func writeInserts(d *draft, t *schema.Type) {
	if !creates(t) {
		return
	}
	d.one(t, InsertOne, "insert", fmt.Sprintf("Inserts one %s. Null when the caller may not read it.", t.Name),
		member{name: "doc", description: "The new row.", typ: nonNullType(insertName(t))})
	d.many(t, InsertMany, "insert", fmt.Sprintf("Inserts several %s, all or none.", t.Plural),
		member{name: "docs", description: "The new rows.", typ: nonNullType(listOf(insertName(t)))})
	d.define(definition{
		keyword:     "input",
		name:        insertName(t),
		description: fmt.Sprintf("A new %s.", t.Name),
		members:     d.newInputs(t),
	})
}

func writeUpdates(d *draft, t *schema.Type) {
	if !updates(t) {
		return
	}
	changes := []member{{name: "set", description: "Values to set.", typ: setName(t)}}
	if len(countable(t)) > 0 {
		changes = append(changes, member{name: "inc", description: "Numbers to add; null counts as 0.", typ: incName(t)})
		d.define(definition{
			keyword:     "input",
			name:        incName(t),
			description: fmt.Sprintf("What to add to numbers of a %s.", t.Name),
			members:     d.inputs(countable(t), never),
		})
	}
	d.one(t, UpdateOne, "update", fmt.Sprintf("Changes one %s. Null when the caller may not read it.", t.Name),
		append(d.keyArgs(t.Primary), changes...)...)
	d.many(t, UpdateMany, "update", fmt.Sprintf("Changes every %s that matches.", t.Name),
		append([]member{writeWhereArg(t)}, changes...)...)
	d.define(definition{
		keyword:     "input",
		name:        setName(t),
		description: fmt.Sprintf("What to set in a %s: absent is left as it is, null is set to null.", t.Name),
		members:     d.inputs(changeable(t), never),
	})
}

func writeDeletes(d *draft, t *schema.Type) {
	if !deletes(t) {
		return
	}
	d.one(t, DeleteOne, "delete", fmt.Sprintf("Deletes one %s, and returns it as it was.", t.Name), d.keyArgs(t.Primary)...)
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

func (d *draft) one(t *schema.Type, kind RootKind, verb, description string, args ...member) {
	root := Root{Kind: kind, Type: t}
	if kind != InsertOne {
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
	members := d.inputs(settable(t), required)
	for i, f := range settable(t) {
		members[i].description = sentences(f.Description, whenAbsent(f))
	}
	return members
}

func whenAbsent(f *schema.Field) string {
	switch {
	case f.DefaultExpr.Text != "":
		return fmt.Sprintf("When absent: %s, worked out by the server.", f.DefaultExpr.Text)
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

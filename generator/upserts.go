package generator

import (
	"fmt"
	"slices"

	"spacecloud/schema"
)

// Inserts of rows that may be there already.

func writeUpserts(d *draft, t *schema.Type) {
	if !creates(t) || len(targets(t)) == 0 {
		return
	}
	key := fieldsOfTargets(t)
	target := enumOf(key)
	target.name, target.description = t.Name+"UniqueField", fmt.Sprintf("The columns of unique keys of a %s.", t.Name)
	d.define(target)
	def := definition{
		keyword:     "input",
		name:        conflictName(t),
		description: fmt.Sprintf("What to do when a %s is there already.", t.Name),
		members: []member{{
			name: "target", description: "The unique key that tells whether it is: all of its columns. The primary key when absent.",
			typ: listOf(target.name),
		}},
	}
	if updates(t) {
		update := enumOf(changeable(t))
		update.name, update.description = t.Name+"SetField", fmt.Sprintf("The columns of a %s that can change.", t.Name)
		d.define(update)
		def.members = append(def.members, member{
			name: "update", description: "The columns to update, as far as the row gives them: all that it gives when absent, none for [].",
			typ: listOf(update.name),
		})
	}
	d.define(def)
	if !updates(t) {
		return
	}
	d.one(t, UpsertOne, "upsert", fmt.Sprintf("Inserts one %s, or updates the one that is there. Null when the caller may not read it.", t.Name),
		append([]member{{name: "doc", description: "The row.", typ: nonNullType(insertName(t))}}, d.onConflict(t)...)...)
	d.many(t, UpsertMany, "upsert", fmt.Sprintf("Inserts several %s or updates those that are there, all or none.", t.Plural),
		append([]member{{name: "docs", description: "The rows.", typ: nonNullType(listOf(insertName(t)))}}, d.onConflict(t)...)...)
}

func conflictName(t *schema.Type) string { return t.Name + "OnConflict" }

// onConflict is an argument of inserts where a row can be known again by what it gives.
func (d *draft) onConflict(t *schema.Type) []member {
	if len(targets(t)) == 0 {
		return nil
	}
	return []member{{name: "onConflict", description: "What to do with a row that is there already.", typ: conflictName(t)}}
}

// targets are the unique keys that an insert may give.
func targets(t *schema.Type) []key {
	return slices.DeleteFunc(keys(t), func(k key) bool {
		return slices.ContainsFunc(k.fields, func(f *schema.Field) bool { return !slices.Contains(settable(t), f) })
	})
}

func fieldsOfTargets(t *schema.Type) []*schema.Field {
	return keep(t.Columns, func(f *schema.Field) bool {
		return slices.ContainsFunc(targets(t), func(k key) bool { return slices.Contains(k.fields, f) })
	})
}

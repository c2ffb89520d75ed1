package generator

import (
	"fmt"

	"spacecloud/schema"
)

func fieldEnumName(t *schema.Type) string { return t.Name + "Field" }

func writeFieldEnum(d *draft, t *schema.Type) {
	if !readable(t) || len(sortable(t)) == 0 {
		return
	}
	def := definition{
		keyword:     "enum",
		name:        fieldEnumName(t),
		description: fmt.Sprintf("The fields of a %s that rows can be told apart by.", t.Name),
	}
	for _, f := range sortable(t) {
		def.members = append(def.members, member{name: f.Name})
	}
	d.define(def)
}

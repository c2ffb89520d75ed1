package generator

import (
	"fmt"

	"spacecloud/schema"
)

// How rows are sorted.

func orderName(t *schema.Type) string { return t.Name + "Order" }

func writeOrder(d *draft, t *schema.Type) {
	if !readable(t) || len(sortable(t)) == 0 {
		return
	}
	def := definition{
		keyword:     "input",
		name:        orderName(t),
		description: fmt.Sprintf("One part of an order of %s: exactly one field.", t.Plural),
	}
	direction := d.orderDirection()
	for _, f := range sortable(t) {
		def.members = append(def.members, member{name: f.Name, typ: direction})
	}
	def.members = append(def.members, hopOrders(t)...)
	d.define(def)
}

func (d *draft) orderDirection() string {
	return d.share("OrderDirection", func() definition {
		return definition{
			keyword:     "enum",
			description: "The direction of an order, and where nulls stand in it.",
			members: []member{
				{name: "ASC", description: "Ascending, nulls last."},
				{name: "DESC", description: "Descending, nulls first."},
				{name: "ASC_NULLS_FIRST"},
				{name: "ASC_NULLS_LAST"},
				{name: "DESC_NULLS_FIRST"},
				{name: "DESC_NULLS_LAST"},
			},
		}
	})
}

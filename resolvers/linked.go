package resolvers

import "spacecloud/schema"

// Linked is what a row's input says of the rows that one of its links leads to.
type Linked struct {
	Create     []Doc
	Connect    []Key
	Disconnect []Key
	Set        []Key // instead of all that are linked now, when Replace
	Replace    bool
	Clear      bool // of a to-one link: disconnect: true
	List       bool // the paths of creates and connects have an index
}

// Key is the value of a unique key of a row.
type Key struct {
	Of     []*schema.Field
	Values []schema.Value
}

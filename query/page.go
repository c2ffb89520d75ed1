package query

// Page is how a connection shows a list: one page of it, and what is known of the rest.
type Page struct {
	Members []PageMember // the answer's members in order
	// Limit is one more than the most rows of the page: if there are that many, more follow.
	Limit Operand
	// Backward takes the last rows, not the first. Their order in the answer is the same.
	Backward bool
	// After and Before are the values of cursors, by Cursor.Orders, or nil.
	After, Before []Operand
	Cursor        *Cursor
}

// PageMember is one member of a connection.
type PageMember struct {
	Name     string
	Kind     PageKind
	Items    []Item       // of Edges and Nodes: what to show of each row
	Info     []PageMember // of PageInfo
	Typename string       // of a constant
}

// PageKind is what a member of a connection shows.
type PageKind uint8

// The members of connections, and of their pageInfo.
const (
	PageConstant PageKind = iota // Typename
	PageEdges
	PageNodes
	PageTotal
	PageInfo
	PageHasNext
	PageHasPrevious
	PageStart
	PageEnd
)

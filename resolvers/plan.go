package resolvers

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// plan is a find for callers of one shape: levels from the root down, each one statement.
// It is immutable, and it prints.
type plan struct {
	levels    []*level
	databases []*database.DB
	order     []int // the places in databases by name: requests that take several in one order never wait for each other
	claims    []int // the claim operands that the statements bind
	pool      sync.Pool
}

// level is how the rows of one statement are read and written into the answer.
type level struct {
	n         int // place in plan.levels
	reader    int // place in plan.databases
	name      string
	typ       *schema.Type
	statement driver.Statement // nil where the rules allow no row
	questions *prepared        // with what to ask other databases first; nil for nothing
	joined    *rules.Joined    // of a link whose join rows are in another database, else nil
	joins     int              // place in plan.levels of the one that asks for them
	groups    *query.Groups    // of an aggregate or groups, else nil
	single    bool             // one row or null for each parent
	limit     query.Operand
	offset    query.Operand
	pieces    []piece
	tail      string // closes the object
	none      string // what stands where a single one has no row
	children  []*level
	keyCells  []int        // of a child: the parent's cells that hold its key
	cells     []query.Cell // what the statement reads
	required  []bool       // by cell: whether a null would be wrong
	page      *page        // of a connection, which is then what shows the rows
	isApart   bool         // of a link into another database
	plain     bool         // it shows columns alone, of every row whatever it holds
	lanes     [][]int      // the children that go their ways at the same time; nil where they go one after the other
}

// piece is one member of the answer's object: text before it, and then a cell, an embedded
// value, a child's rows or nothing.
type piece struct {
	before  string
	cell    int // -1 for none
	members []query.Item
	child   int // place in level.children, -1 for none
	cursor  bool
}

// compiler makes a plan.
type compiler struct {
	r      *Resolvers
	caller *auth.Caller
	plan   *plan
}

func (r *Resolvers) compile(c *auth.Caller, f *query.Find, no refusal) (*plan, error) {
	k := &compiler{r: r, caller: c, plan: &plan{}}
	var via *query.Via
	if no == lenient {
		via = &query.Via{Single: true}
	}
	root, err := k.level(f, via, "")
	if err != nil && (root == nil || no == strict || !refused(err)) {
		return nil, err
	}
	for i := range k.plan.databases {
		k.plan.order = append(k.plan.order, i)
	}
	slices.SortFunc(k.plan.order, func(a, b int) int {
		return strings.Compare(k.plan.databases[a].Name(), k.plan.databases[b].Name())
	})
	if len(k.plan.databases) > 1 {
		root.split()
	}
	k.plan.claims = slices.Compact(slices.Sorted(slices.Values(k.plan.claims)))
	return k.plan, nil
}

// refused tells a no of the rules to rows from other errors.
func refused(err error) bool {
	kind := fault.KindOf(err)
	return (kind == fault.Denied || kind == fault.Unauthenticated) && !rules.Misasked(err)
}

// level compiles f and what hangs on it. On a flat no it returns the error beside a level
// that has no rows; an error without a level is one of what is asked.
func (k *compiler) level(f *query.Find, via *query.Via, name string) (*level, error) {
	l := &level{
		n: len(k.plan.levels), name: name, typ: f.Type, reader: k.reader(f.Type.DB),
		single: f.One, limit: f.Limit, offset: f.Offset, none: "null", groups: f.Groups,
	}
	l.joins = l.n
	k.plan.levels = append(k.plan.levels, l)
	if f.Page != nil {
		return k.paged(l, f, via)
	}
	var err error
	if err = k.layout(l, f); err != nil {
		return nil, err
	}
	asked := query.Level{
		Type: f.Type, Columns: l.cells, Where: f.Where, OrderBy: complete(f), Distinct: f.Distinct, Via: via,
		Groups: groups(f),
	}
	if via == nil || !via.Single {
		asked.Limit, asked.Offset = f.Limit, f.Offset
	}
	return l, k.prepare(l, asked)
}

// prepare is the statement of a level. On a flat no the level has none.
func (k *compiler) prepare(l *level, asked query.Level) error {
	narrowed, err := k.r.Rules.Level(k.caller, query.Read, asked)
	if err != nil {
		return err
	}
	if w, ok := narrowed.Level().Where.(query.Truth); ok && w != query.True {
		return nil // the rules leave no row: nothing to ask
	}
	p, err := k.r.prepare(narrowed)
	if err != nil {
		return err
	}
	l.statement = p.statement
	if len(p.questions) > 0 {
		l.questions, l.joined = p, p.apart.Joined
		k.readers(p)
	}
	l.require(narrowed.Level())
	l.plain = isPlain(narrowed.Level()) && l.page == nil
	k.claim(narrowed.Level())
	return nil
}

// require notes which cells are never null: columns of the row itself that are not hidden from anybody, and
// of groups their keys. A null in JSON may be a value.
func (l *level) require(asked *query.Level) {
	for _, c := range asked.Columns {
		shown := c.When == nil || c.When == query.True
		l.required = append(l.required, shown && len(c.Via) == 0 && c.Field.NonNull && c.Field.Scalar != schema.JSON)
	}
	if asked.Groups != nil {
		for _, m := range asked.Groups.Measures {
			l.required = append(l.required, m.Fn == query.KeyOf && m.Field.NonNull && m.Field.Scalar != schema.JSON)
		}
	}
}

// isPlain is whether a level shows columns alone, of every row whatever it holds.
func isPlain(l *query.Level) bool {
	return l.Where == nil && l.Groups == nil && len(l.Distinct) == 0 && !slices.ContainsFunc(l.Columns, func(c query.Cell) bool {
		return c.When != nil || len(c.Via) > 0
	})
}

// columns are those that a plain level reads.
func (l *level) columns() []*schema.Field {
	columns := make([]*schema.Field, len(l.cells))
	for i, c := range l.cells {
		columns[i] = c.Field
	}
	return columns
}

// reader is the place of a database in the plan.
func (k *compiler) reader(name string) int {
	db := k.r.Databases[name]
	if i := slices.Index(k.plan.databases, db); i >= 0 {
		return i
	}
	k.plan.databases = append(k.plan.databases, db)
	return len(k.plan.databases) - 1
}

// complete is the sort key with the ties broken by the primary key.
func complete(f *query.Find) []query.Order {
	if f.One || f.Groups != nil {
		return nil
	}
	if f.Page != nil {
		return f.Page.Cursor.Orders()
	}
	return query.Complete(f.Type, f.OrderBy)
}

// members lays out the answer's object and compiles the links in it. What it returns closes
// the object, or with nothing in it is all of it.
func (k *compiler) members(l *level, items []query.Item, before string) (string, error) {
	before += "{"
	for _, item := range items {
		before += quoted(item.Name) + ":"
		p := piece{before: before, cell: -1, child: -1}
		switch {
		case item.Field != nil:
			p.cell, p.members = l.cell(item.Field, nil), item.Members
		case item.Link != nil:
			child, err := k.child(l, item)
			if err != nil {
				return "", err
			}
			p.child = len(l.children)
			l.children = append(l.children, child)
		case item.Cursor:
			p.cursor = true
		case item.Node != nil:
			inner, err := k.members(l, item.Node, before)
			if err != nil {
				return "", err
			}
			before = inner + ","
			continue
		default: // a constant goes into the text before the next member
			before += quoted(item.Typename) + ","
			continue
		}
		l.pieces = append(l.pieces, p)
		before = ","
	}
	return strings.TrimSuffix(before, ",") + "}", nil
}

// child compiles a link below l. A link that the caller may not see, or that leads to what the
// caller may not read, has no rows.
func (k *compiler) child(l *level, item query.Item) (*level, error) {
	child, err := k.level(item.Find, &query.Via{Link: item.Link, Single: item.Find.One}, item.Name)
	if err != nil && (child == nil || !refused(err)) {
		return nil, err
	}
	child.isApart = item.Link.IsApart()
	visible := k.r.Rules.Visible(k.caller, item.Link)
	if visible == query.False {
		child.close()
		visible = nil
	}
	for _, f := range item.Link.Link.From {
		child.keyCells = append(child.keyCells, l.cell(f, visible))
	}
	return child, nil
}

// cell is the place of a column among those that the level reads.
func (l *level) cell(f *schema.Field, when query.Where) int {
	if when == nil {
		for i, c := range l.cells {
			if c.Field == f && c.When == nil && len(c.Via) == 0 {
				return i
			}
		}
	}
	l.cells = append(l.cells, query.Cell{Field: f, When: when})
	return len(l.cells) - 1
}

// claim notes the claim operands that a level binds.
func (k *compiler) claim(l *query.Level) {
	query.Walk(l, func(o query.Operand) {
		if o.Kind == query.Claim {
			k.plan.claims = append(k.plan.claims, o.Index)
		}
	})
}

// String shows the levels as they nest, with their statements.
func (p *plan) String() string {
	var b strings.Builder
	p.print(&b, p.levels[0], "")
	return b.String()
}

func (p *plan) print(b *strings.Builder, l *level, indent string) {
	text := "no rows"
	if l.statement != nil {
		text = l.statement.String()
	}
	fmt.Fprintf(b, "%s%s%s from %s: %s\n", indent, prefix(l.name), l.typ.Name, p.databases[l.reader].Name(), text)
	l.questions.print(b, indent+"  ")
	if l.page != nil && l.page.total != nil {
		p.print(b, l.page.total, indent+"  ")
	}
	for _, child := range l.children {
		p.print(b, child, indent+"  ")
	}
}

func prefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

func quoted(s string) string { return string(schema.AppendString(nil, s)) }

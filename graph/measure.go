package graph

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// usualList is how many rows a list without a limit counts for.
const usualList = 10

// measure is how much an operation asks for.
type measure struct {
	aliases       int
	depth         int   // without introspection
	unfolded      int64 // selections, with the fragments' where they are spread
	introspects   bool
	cost          formula // without introspection
	introspection formula
}

// unfolding is how many selections there may be for each object of Limits.Complexity when all
// fragments are unfolded. Whoever plans or runs an operation may unfold them.
const unfolding = 10

// measureOf measures o. What is beyond a limit already is not measured further.
func measureOf(o *operation, l Limits) measure {
	s := survey{fragments: map[*ast.FragmentDefinition]extent{}}
	e := s.set(o.def.SelectionSet)
	m := measure{aliases: s.aliases, depth: e.depth, unfolded: e.unfolded, introspects: s.introspects}
	if m.aliases > l.Aliases || m.depth > l.Depth || m.unfolded > unfolding*int64(l.Complexity) {
		return m
	}
	m.cost = formulaOf(o.def.SelectionSet, false)
	if m.introspects {
		m.introspection = formulaOf(o.def.SelectionSet, true)
	}
	return m
}

// introspective is whether a field is about the schema and not about rows.
func introspective(name string) bool { return name == "__schema" || name == "__type" }

// survey counts what can be counted by looking at every selection once.
type survey struct {
	fragments   map[*ast.FragmentDefinition]extent
	aliases     int
	introspects bool
}

// extent is how far a selection reaches.
type extent struct {
	depth    int
	unfolded int64
}

func (s *survey) set(set ast.SelectionSet) extent {
	var all extent
	for _, selection := range set {
		e := s.selection(selection)
		all.depth = max(all.depth, e.depth)
		all.unfolded = min(most, all.unfolded+e.unfolded)
	}
	return all
}

func (s *survey) selection(selection ast.Selection) extent {
	var e extent
	switch sel := selection.(type) {
	case *ast.InlineFragment:
		e = s.set(sel.SelectionSet)
	case *ast.FragmentSpread:
		e = s.fragment(sel.Definition)
	case *ast.Field:
		e = s.field(sel)
	}
	e.unfolded++
	return e
}

func (s *survey) field(f *ast.Field) extent {
	if f.Alias != f.Name {
		s.aliases++
	}
	e := s.set(f.SelectionSet)
	if introspective(f.Name) {
		s.introspects, e.depth = true, 0
	}
	e.depth++
	return e
}

// fragment looks at a fragment once, however often it is spread. Validation refuses cycles.
func (s *survey) fragment(f *ast.FragmentDefinition) extent {
	e, seen := s.fragments[f]
	if !seen {
		e = s.set(f.SelectionSet)
		s.fragments[f] = e
	}
	return e
}

// formula says how many objects an answer could hold: each object counts one, and a list that
// many times what one of its elements does. Equal subtrees are one node, so that fragments in
// fragments do not multiply.
type formula struct {
	nodes []node // children before parents, the operation last; nil where no variable counts
	fixed int64  // then, the number
}

// node is an object, or a list of size of them.
type node struct {
	size     size
	itself   int64 // 1, or 0 for the operation, which is no object of the answer
	children []int32
}

// size is the length of a list: n, or what the variable says.
type size struct {
	n        int64
	variable string
}

// most is where counting ends; it leaves room to multiply.
const most = math.MaxInt32

// eval is the number of objects for the variables of a request.
func (f *formula) eval(variables map[string]any) int64 {
	if f.nodes == nil {
		return f.fixed
	}
	var few [32]int64
	values := few[:0]
	for _, n := range f.nodes {
		below := int64(0)
		for _, child := range n.children {
			below = min(most, below+values[child])
		}
		values = append(values, min(most, n.size.eval(variables)*(n.itself+below)))
	}
	return values[len(values)-1]
}

// eval is at least 1, so that no list hides what it holds, and at most most.
func (s size) eval(variables map[string]any) int64 {
	if s.variable == "" {
		return s.n
	}
	switch v := variables[s.variable].(type) {
	case int64:
		return bounded(v)
	case int:
		return bounded(int64(v))
	case float64:
		return bounded(int64(min(max(v, 1), most)))
	case json.Number:
		return parsed(v.String())
	case string:
		return parsed(v)
	}
	return s.n // absent or null: as if it were not there
}

func bounded(n int64) int64 { return min(max(n, 1), most) }

func parsed(digits string) int64 {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil && !strings.HasPrefix(digits, "-") {
		return most // beyond an Int; whoever reads it will refuse it
	}
	return bounded(n)
}

// surveyor makes a formula. Fields with one response key are one field with the selections of
// all, as they are executed.
type surveyor struct {
	introspection bool
	ids           map[*ast.Field]uint32
	known         map[string]int32 // nodes by key
	nodes         []node
}

func formulaOf(set ast.SelectionSet, introspection bool) formula {
	s := surveyor{introspection: introspection, ids: map[*ast.Field]uint32{}, known: map[string]int32{}}
	root := s.children([]ast.SelectionSet{set}, size{}, true)
	f := formula{nodes: append(s.nodes, node{size{n: 1}, 0, root})}
	if !slices.ContainsFunc(f.nodes, func(n node) bool { return n.size.variable != "" }) {
		f = formula{fixed: f.eval(nil)}
	}
	return f
}

// group is the fields of one response key.
type group []*ast.Field

// children are the nodes of the objects below a field; page is the size of the connection
// that the field is, if it is one.
func (s *surveyor) children(sets []ast.SelectionSet, page size, root bool) []int32 {
	var children []int32
	for _, g := range groups(sets) {
		if len(g[0].SelectionSet) == 0 || root && introspective(g[0].Name) != s.introspection {
			continue
		}
		children = append(children, s.node(g, page))
	}
	return children
}

// node is the index of the node of g.
func (s *surveyor) node(g group, page size) int32 {
	own, said := sizeOf(g[0])
	key := s.key(g, page)
	if at, ok := s.known[key]; ok {
		return at
	}
	below, length := size{}, size{n: 1}
	switch {
	case g[0].Definition.Type.Elem == nil:
		below = own // a connection: its lists are as long
	case said:
		length = own
	case page != (size{}):
		length = page
	default:
		length = size{n: usualList}
	}
	sets := make([]ast.SelectionSet, len(g))
	for i, f := range g {
		sets[i] = f.SelectionSet
	}
	children := s.children(sets, below, false)
	at := int32(len(s.nodes))
	s.nodes = append(s.nodes, node{length, 1, children})
	s.known[key] = at
	return at
}

// key tells nodes apart.
func (s *surveyor) key(g group, page size) string {
	var b []byte
	for _, f := range g {
		id, ok := s.ids[f]
		if !ok {
			id = uint32(len(s.ids))
			s.ids[f] = id
		}
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	return string(append(strconv.AppendInt(b, page.n, 10), page.variable...))
}

// groups are the fields of sets by response key, in order. Each fragment counts once, as it
// does when it is executed.
func groups(sets []ast.SelectionSet) []group {
	c := collection{at: map[string]int{}, spread: map[*ast.FragmentDefinition]bool{}}
	for _, set := range sets {
		c.add(set)
	}
	return c.groups
}

// collection is the groups of one object while they are found.
type collection struct {
	groups []group
	at     map[string]int // where the group of a response key is
	spread map[*ast.FragmentDefinition]bool
}

func (c *collection) add(set ast.SelectionSet) {
	for _, selection := range set {
		switch sel := selection.(type) {
		case *ast.InlineFragment:
			c.add(sel.SelectionSet)
		case *ast.FragmentSpread:
			if !c.spread[sel.Definition] {
				c.spread[sel.Definition] = true
				c.add(sel.Definition.SelectionSet)
			}
		case *ast.Field:
			c.field(sel)
		}
	}
}

func (c *collection) field(f *ast.Field) {
	i, ok := c.at[f.Alias]
	if !ok {
		i = len(c.groups)
		c.at[f.Alias] = i
		c.groups = append(c.groups, nil)
	}
	c.groups[i] = append(c.groups[i], f)
}

// pageArguments say how long a list is.
var pageArguments = []string{"limit", "first", "last"}

// sizeOf is how long a field says its list is, and whether it does.
func sizeOf(f *ast.Field) (size, bool) {
	for _, name := range pageArguments {
		a := f.Arguments.ForName(name)
		if a == nil || a.Value == nil {
			continue
		}
		switch a.Value.Kind {
		case ast.IntValue:
			return size{n: parsed(a.Value.Raw)}, true
		case ast.Variable:
			return size{n: usualList, variable: a.Value.Raw}, true
		}
	}
	return size{}, false
}

// repeated is the response key that most fields of a document have, and how many do.
func repeated(doc *ast.QueryDocument) (name string, times int) {
	counts := map[string]int{}
	for _, o := range doc.Operations {
		countNames(counts, o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		countNames(counts, f.SelectionSet)
	}
	for n, c := range counts {
		if c > times || c == times && n < name {
			name, times = n, c
		}
	}
	return name, times
}

func countNames(counts map[string]int, set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			counts[s.Alias]++
			countNames(counts, s.SelectionSet)
		case *ast.InlineFragment:
			countNames(counts, s.SelectionSet)
		}
	}
}

// count is a number for a message.
func count(n int64) string {
	if n >= most {
		return "more than 2 billion"
	}
	return strconv.FormatInt(n, 10)
}

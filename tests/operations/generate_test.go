package operations

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// operation is a query or a mutation.
type operation struct {
	kind string
	set  []*node
}

// node is one field of a selection; a field without a definition is __typename.
type node struct {
	name, alias string
	of          *typ // that has the field
	field       *field
	args        []arg
	set         []*node
}

type arg struct {
	in    *input
	value any
}

// typename is a __typename of a type.
func typename(of *typ) *node {
	name := ref{Kind: "SCALAR", Name: "String"}
	return &node{name: "__typename", alias: "__typename", of: of, field: &field{Name: "__typename", Type: &ref{Kind: "NON_NULL", OfType: &name}}}
}

// covered counts the fields and arguments that operations have had.
type covered map[string]int

// builder makes operations.
type builder struct {
	chance
	covered covered
	aliases int
	modest  bool // asks for little
}

// maxDepth is how deep selections go below a root field.
const maxDepth = 4

// root is an operation with one root field.
func (b *builder) root(kind string, f *field) *operation {
	of := b.api.query
	if kind == "mutation" {
		of = b.api.mutation
	}
	b.aliases = 0
	op := &operation{kind: kind, set: []*node{b.node(of, f, 1, nil)}}
	if b.one(0.1) {
		op.set = append(op.set, typename(of))
	}
	return op
}

// node is a field with arguments and a selection.
func (b *builder) node(of *typ, f *field, depth int, groups []string) *node {
	n := &node{name: f.Name, alias: f.Name, of: of, field: f}
	b.covered[of.Name+"."+f.Name]++
	if b.aliases < 30 && b.one(0.1) {
		b.aliases++
		n.alias = fmt.Sprintf("a%d_%s", b.aliases, f.Name)
	}
	b.arguments(n, depth)
	if in := f.arg("groupBy"); in != nil {
		groups = words(n.given("groupBy"))
	}
	if !b.api.composite(f.Type) {
		return n
	}
	n.set = b.selection(b.api.of(f.Type), depth+1, groups, strings.HasPrefix(of.Name, "Query") || depth == 1)
	return n
}

func words(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, each := range list {
		if w, ok := each.(word); ok {
			out = append(out, string(w))
		}
	}
	return out
}

func (n *node) given(name string) any {
	for _, a := range n.args {
		if a.in.Name == name {
			return a.value
		}
	}
	return nil
}

// arguments are all that must be given and some of the others.
func (b *builder) arguments(n *node, depth int) {
	at := place{table: b.api.table(n.field.Type.named()), row: b.IntN(1 << 20)}
	var optional []*input // of which a mutation takes at least one
	for _, in := range n.field.Args {
		if in.Name == "groupBy" { // first, for what else may be asked follows from it
			at.groups = b.groupBy(n, in)
		}
	}
	for _, in := range n.field.Args {
		if n.of == b.api.mutation && !in.required() {
			optional = append(optional, in)
		}
	}
	if len(optional) > 0 {
		optional = []*input{pick(b.Rand, optional), pick(b.Rand, optional)}
		for _, in := range optional {
			if b.covered[n.of.Name+"."+n.name+"("+in.Name+")"] == 0 || b.one(0.5) {
				optional = []*input{in}
				break
			}
		}
	}
	if set := n.field.arg("set"); slices.ContainsFunc(optional, func(in *input) bool { return in.Name == "ifVersion" }) && set != nil {
		optional = append(slices.Clone(optional), set) // a version alone changes nothing
	}
	// an upsert takes no other rows along, but may be asked to
	at.alone = (strings.HasPrefix(n.name, "upsert") || slices.ContainsFunc(optional, func(in *input) bool { return in.Name == "onConflict" })) && !b.one(0.05)
	used := map[string]bool{} // columns that an operator has already
	pages := n.of.Name + "." + n.name
	backward := n.field.arg("last") != nil && (b.one(0.3) || b.covered[pages+"(last)"] == 0 && b.covered[pages+"(first)"] > 0)
	for _, in := range n.field.Args {
		size := in.Name == "limit" || in.Name == "first" && !backward || in.Name == "last" && backward
		key := n.of.Name + "." + n.name + "(" + in.Name + ")"
		wanted := in.required() || size && depth > 1 || b.one(0.3) || b.covered[key] == 0 && b.one(0.7)
		if len(optional) > 0 && !in.required() {
			wanted = slices.Contains(optional, in)
		}
		if b.modest && !in.required() && !slices.Contains(optional, in) {
			wanted = false
		}
		switch {
		case !wanted:
			continue
		case in.Name == "first" && backward, in.Name == "last" && !backward, in.Name == "after", in.Name == "before":
			continue // see the pages
		}
		p := at
		p.field = in.Name
		p.new = slices.Contains(optional, in) && in.Name != "onConflict" && in.Name != "ifVersion"
		p.sure = b.api.keys[p.table+"."+p.field] && b.one(0.8)
		value := b.value(nonNull(in.Type), p)
		if in.Name == "groupBy" {
			var list []any
			for _, name := range at.groups {
				list = append(list, word(name))
			}
			value = list
		}
		if p.new && !b.one(0.05) {
			value = unshared(value, in.Name == "rename", used)
		}
		if o, isObject := value.(object); isObject && len(o) == 0 && in.Name != "where" {
			continue
		}
		if l, isList := value.([]any); isList && len(l) == 0 {
			continue
		}
		b.covered[key]++
		n.args = append(n.args, arg{in, value})
	}
	b.Shuffle(len(n.args), func(i, j int) { n.args[i], n.args[j] = n.args[j], n.args[i] })
}

// unshared is what an operator says of the columns that no other one has.
func unshared(v any, moves bool, used map[string]bool) any {
	take := func(name string) bool {
		was := used[name]
		used[name] = true
		return !was
	}
	switch v := v.(type) {
	case object:
		var o object
		for _, m := range v {
			to, _ := m.value.(word)
			if take(m.name) && (!moves || take(string(to))) {
				o = append(o, m)
			}
		}
		return o
	case []any:
		return slices.DeleteFunc(v, func(e any) bool { w, ok := e.(word); return ok && !take(string(w)) })
	case word:
		if !take(string(v)) {
			return []any{}
		}
	}
	return v
}

// groupBy is a choice of fields, those first that no group had.
func (b *builder) groupBy(n *node, in *input) []string {
	var names []string
	key := b.api.of(n.field.Type).field("group").Type.named()
	all := b.api.of(in.Type).EnumValues
	want := 1 + b.IntN(3)
	for _, news := range []bool{true, false} {
		for _, i := range b.Perm(len(all)) {
			name := all[i].Name
			if len(names) < want && (b.covered[key+"."+name] == 0) == news && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// selection is some fields of a type, those above all that were not asked for yet.
func (b *builder) selection(t *typ, depth int, groups []string, wide bool) []*node {
	leaf, deep := 0.35, 0.25
	if wide {
		leaf, deep = 0.6, 0.35
	}
	if len(t.Fields) < 7 {
		leaf, deep = 0.7, 0.5
	}
	var set []*node
	var links int
	for _, i := range b.Perm(len(t.Fields)) {
		f := t.Fields[i]
		if groups != nil && strings.HasSuffix(t.Name, "Key") && !slices.Contains(groups, f.Name) {
			continue
		}
		composite := b.api.composite(f.Type)
		chance := leaf
		if composite {
			chance = deep
		}
		switch {
		case b.modest:
			chance /= 3
		case b.covered[t.Name+"."+f.Name] == 0:
			chance = 0.9
		}
		isKey := strings.HasSuffix(t.Name, "Group") && f.Name == "group"
		if isKey {
			chance = 0.9
		}
		if composite && !isKey && (depth > maxDepth || links >= 4) || !b.one(chance) {
			continue
		}
		if composite && !isKey {
			links++
		}
		set = append(set, b.node(t, f, depth, groups))
	}
	if len(set) == 0 || b.one(0.1) {
		set = append(set, typename(t))
	}
	return set
}

// form is how an operation is written down.
type form struct {
	name       string
	variables  float64 // how many arguments, or parts of them, are variables
	whole      bool    // only whole arguments are
	directives bool
	fragments  bool
}

var (
	literals = form{name: "literals"}
	forms    = []form{
		{name: "variables", variables: 1, whole: true},
		{name: "parts", variables: 0.3},
		{name: "directives", directives: true},
		{name: "fragments", fragments: true, variables: 0.2},
	}
)

// request is an operation as it is sent.
type request struct {
	text      string
	variables map[string]any
}

func (r request) String() string {
	return fmt.Sprintf("%s\nvariables %s", r.text, must2(r.variables))
}

// writer writes an operation down.
type writer struct {
	form
	*rand.Rand
	api       *api
	vars      map[string]any
	declared  []string
	fragments []string
}

func (op *operation) write(a *api, f form, seed uint64) request {
	w := &writer{form: f, Rand: rand.New(rand.NewPCG(seed, 2)), api: a, vars: map[string]any{}}
	var b strings.Builder
	w.set(&b, op.set, "\n  ")
	var head strings.Builder
	head.WriteString(op.kind + " Q")
	if strings.Contains(b.String()+strings.Join(w.fragments, ""), "$yes") {
		w.vars["yes"] = true
		w.declared = append(w.declared, "$yes: Boolean!")
	}
	if len(w.declared) > 0 {
		head.WriteString("(" + strings.Join(w.declared, ", ") + ")")
	}
	vars := w.vars
	if len(vars) == 0 {
		vars = nil
	}
	return request{head.String() + " " + b.String() + strings.Join(w.fragments, ""), vars}
}

func (w *writer) set(b *strings.Builder, set []*node, margin string) {
	b.WriteString("{")
	for len(set) > 0 {
		n := 1
		if w.form.fragments && w.IntN(3) == 0 {
			n = 1 + w.IntN(len(set))
			w.fragment(b, set[:n], margin)
		} else {
			w.node(b, set[0], margin)
		}
		set = set[n:]
	}
	b.WriteString(margin[:len(margin)-2] + "}")
}

// fragment writes a part of a selection as a fragment.
func (w *writer) fragment(b *strings.Builder, set []*node, margin string) {
	var inner strings.Builder
	w.set(&inner, set, margin+"  ")
	switch w.IntN(3) {
	case 0:
		b.WriteString(margin + "... " + inner.String())
	case 1:
		b.WriteString(margin + "... on " + set[0].of.Name + " " + inner.String())
	default:
		name := fmt.Sprintf("F%d", len(w.fragments))
		w.fragments = append(w.fragments, "\nfragment "+name+" on "+set[0].of.Name+" "+inner.String())
		b.WriteString(margin + "..." + name)
		if w.IntN(4) == 0 {
			b.WriteString(margin + "..." + name)
		}
	}
}

func (w *writer) node(b *strings.Builder, n *node, margin string) {
	b.WriteString(margin)
	if n.alias != n.name {
		b.WriteString(n.alias + ": ")
	}
	b.WriteString(n.name)
	for i, a := range n.args {
		b.WriteString([]string{"(", ", "}[min(i, 1)] + a.in.Name + ": ")
		literal(b, w.vary(a.value, a.in.Type, a.in.DefaultValue != nil))
	}
	if len(n.args) > 0 {
		b.WriteString(")")
	}
	if w.directives {
		b.WriteString([]string{" @include(if: true)", " @skip(if: false)", " @include(if: $yes)"}[w.IntN(3)])
	}
	if n.set != nil {
		b.WriteString(" ")
		w.set(b, n.set, margin+"  ")
	}
}

// vary puts variables into a value.
func (w *writer) vary(v any, r *ref, preset bool) any {
	if w.variables > 0 && w.Float64() < w.variables {
		name := fmt.Sprintf("v%d", len(w.vars))
		w.vars[name] = plain(v)
		declared := "$" + name + ": " + r.String()
		if preset && w.IntN(4) == 0 {
			declared = "$" + name + ": " + r.bare().String()
		}
		w.declared = append(w.declared, declared)
		return variable(name)
	}
	if w.whole || w.variables == 0 {
		return v
	}
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = w.vary(v[i], r.bare().OfType, false)
		}
		return out
	case object:
		for r.bare().Kind == "LIST" {
			r = r.bare().OfType
		}
		t := w.api.of(r)
		out := make(object, len(v))
		for i, m := range v {
			out[i] = member{m.name, w.vary(m.value, t.input(m.name).Type, false)}
		}
		return out
	}
	return v
}

func (t *typ) input(name string) *input {
	for _, in := range t.InputFields {
		if in.Name == name {
			return in
		}
	}
	return nil
}

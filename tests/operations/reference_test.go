package operations

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
)

// What rules mean, said once more: slowly, in memory, and with nothing of what the server decides by.

// record is a row by the names of its columns: nil, string, int64 or bool.
type record map[string]any

// ledger is all rows there are, by the names of their types.
type ledger map[string][]record

func (l ledger) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(l)) {
		for _, r := range l[name] {
			fmt.Fprintf(&b, "  %s %v\n", name, map[string]any(r))
		}
	}
	return b.String()
}

// linked are the rows that a link leads to from a row.
func (l ledger) linked(r record, f *schema.Field) []record {
	if f.Link.Through == nil {
		return l.matching(f.Link.Target, f.Link.To, r, f.Link.From)
	}
	var out []record
	for _, join := range l.matching(f.Link.Through, f.Link.ThroughFrom, r, f.Link.From) {
		out = append(out, l.matching(f.Link.Target, f.Link.To, join, f.Link.ThroughTo)...)
	}
	return out
}

// matching are the rows of a type of which columns have the values that others have in a row.
func (l ledger) matching(t *schema.Type, columns []*schema.Field, r record, others []*schema.Field) (out []record) {
	for _, each := range l[t.Name] {
		if same(each, columns, r, others) {
			out = append(out, each)
		}
	}
	return out
}

func same(a record, columns []*schema.Field, b record, others []*schema.Field) bool {
	for i, f := range columns {
		if a[f.Name] == nil || a[f.Name] != b[others[i].Name] {
			return false
		}
	}
	return true
}

// verdict is a set of truths that a condition may come to: of one, if the row is known.
type verdict uint8

const (
	isFalse   verdict = 1 << query.False
	isUnknown verdict = 1 << query.Unknown
	isTrue    verdict = 1 << query.True
	anything          = isFalse | isUnknown | isTrue
)

func certain(b bool) verdict {
	if b {
		return isTrue
	}
	return isFalse
}

// truths are the members of a verdict with their ranks in a three-valued And, which is the least.
var truths = []verdict{isFalse, isUnknown, isTrue}

func both(a, b verdict) (out verdict) {
	for i, x := range truths {
		for j, y := range truths {
			if a&x != 0 && b&y != 0 {
				out |= truths[min(i, j)]
			}
		}
	}
	return out
}

func inverse(a verdict) (out verdict) {
	for i, x := range truths {
		if a&x != 0 {
			out |= truths[len(truths)-1-i]
		}
	}
	return out
}

// matter is what a rule is asked about. A variable without a record stands for any row.
type matter struct {
	claims map[string]any
	rows   ledger
	scopes map[string]record
}

func (m matter) with(name string, r record) matter {
	scopes := map[string]record{name: r}
	for each, row := range m.scopes {
		if each != name {
			scopes[each] = row
		}
	}
	m.scopes = scopes
	return m
}

// formula is a rule: its text and its meaning.
type formula struct {
	text string
	mean func(matter) verdict
}

// truth is what a formula says of a row, and for nil all that it might say of rows.
func (f formula) of(c *auth.Caller, rows ledger, r record) verdict {
	return f.mean(matter{c.Claims, rows, map[string]record{"doc": r}})
}

// lawyer writes formulas over a schema.
type lawyer struct {
	*rand.Rand
	schema *schema.Schema
	scopes []scope // outermost first
	names  int
}

type scope struct {
	name string
	of   *schema.Type
}

func (l *lawyer) here() scope { return l.scopes[len(l.scopes)-1] }

// rule is a rule of rows of a type.
func (l *lawyer) rule(t *schema.Type) formula {
	l.scopes, l.names = []scope{{"doc", t}}, 0
	switch l.IntN(6) {
	case 0:
		return formula{"true", func(matter) verdict { return isTrue }}
	case 1:
		return l.signedIn()
	}
	return l.formula(2)
}

func (l *lawyer) formula(depth int) formula {
	if depth == 0 || l.IntN(4) == 0 {
		return l.atom()
	}
	a, b := l.formula(depth-1), l.formula(depth-1)
	switch l.IntN(5) {
	case 0:
		return formula{"!(" + a.text + ")", func(m matter) verdict { return inverse(a.mean(m)) }}
	case 1, 2:
		return formula{"(" + a.text + " && " + b.text + ")", func(m matter) verdict { return both(a.mean(m), b.mean(m)) }}
	}
	return formula{"(" + a.text + " || " + b.text + ")", func(m matter) verdict { return inverse(both(inverse(a.mean(m)), inverse(b.mean(m)))) }}
}

func (l *lawyer) atom() formula {
	atoms := []func() (formula, bool){
		l.owner, l.text, l.number, l.flag, l.null, l.among, l.role, l.path, l.some, l.some, l.any, l.any, l.outer,
	}
	for {
		if f, ok := pick(l.Rand, atoms)(); ok {
			return f
		}
	}
}

func (l *lawyer) signedIn() formula {
	return formula{"auth.id != ''", func(m matter) verdict {
		if m.claims["id"] == nil {
			return isUnknown
		}
		return certain(m.claims["id"] != "")
	}}
}

func (l *lawyer) role() (formula, bool) {
	if l.IntN(2) == 0 {
		return l.signedIn(), true
	}
	return formula{"auth.role == 'admin'", func(m matter) verdict {
		if m.claims["role"] == nil {
			return isUnknown
		}
		return certain(m.claims["role"] == "admin")
	}}, true
}

// column is a column of the row that is spoken of, of a scalar.
func (l *lawyer) column(s schema.Scalar) *schema.Field {
	var fields []*schema.Field
	for _, f := range l.here().of.Columns {
		if f.Scalar == s && !f.List {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return pick(l.Rand, fields)
}

// compared is a comparison of a column with what a caller or a rule says.
func (l *lawyer) compared(f *schema.Field, op, text string, right func(map[string]any) any) (formula, bool) {
	if f == nil {
		return formula{}, false
	}
	v := l.here().name
	return formula{fmt.Sprintf("%s.%s %s %s", v, f.Name, op, text), func(m matter) verdict {
		r, row := right(m.claims), m.scopes[v]
		switch {
		case r == nil:
			return isUnknown
		case row == nil:
			return anything
		}
		return holds(row[f.Name], op, r)
	}}, true
}

func holds(left any, op string, right any) verdict {
	if left == nil || right == nil {
		return isUnknown
	}
	switch op {
	case "==":
		return certain(left == right)
	case "!=":
		return certain(left != right)
	case "<":
		return certain(left.(int64) < right.(int64))
	}
	return certain(left.(int64) >= right.(int64))
}

func claim(name string) func(map[string]any) any {
	return func(claims map[string]any) any {
		if n, ok := claims[name].(float64); ok {
			return int64(n)
		}
		return claims[name]
	}
}

func always(v any) func(map[string]any) any { return func(map[string]any) any { return v } }

func (l *lawyer) owner() (formula, bool) {
	return l.compared(l.column(schema.ID), pick(l.Rand, []string{"==", "==", "!="}), "auth.id", claim("id"))
}

func (l *lawyer) text() (formula, bool) {
	op := pick(l.Rand, []string{"==", "!="})
	if l.IntN(2) == 0 {
		return l.compared(l.column(schema.String), op, "auth.name", claim("name"))
	}
	return l.compared(l.column(schema.String), op, "'a'", always("a"))
}

func (l *lawyer) number() (formula, bool) {
	op := pick(l.Rand, []string{"<", ">=", "=="})
	if l.IntN(2) == 0 {
		return l.compared(l.column(schema.Int), op, "auth.level", claim("level"))
	}
	return l.compared(l.column(schema.Int), op, "1", always(int64(1)))
}

func (l *lawyer) flag() (formula, bool) {
	f, v := l.column(schema.Boolean), l.here().name
	if f == nil {
		return formula{}, false
	}
	return formula{v + "." + f.Name, func(m matter) verdict {
		row := m.scopes[v]
		if row == nil {
			return anything
		}
		return holds(row[f.Name], "==", true)
	}}, true
}

func (l *lawyer) null() (formula, bool) {
	f, v := pick(l.Rand, l.here().of.Columns), l.here().name
	return formula{v + "." + f.Name + " == null", func(m matter) verdict {
		row := m.scopes[v]
		if row == nil {
			return isTrue | isFalse
		}
		return certain(row[f.Name] == nil)
	}}, !f.NonNull
}

// among is that a claim lists a column.
func (l *lawyer) among() (formula, bool) {
	f, v := l.column(schema.String), l.here().name
	if f == nil {
		return formula{}, false
	}
	return formula{v + "." + f.Name + " in auth.teams", func(m matter) verdict {
		list, ok := m.claims["teams"].([]any)
		switch row := m.scopes[v]; {
		case !ok:
			return isUnknown
		case row == nil:
			return anything
		case row[f.Name] == nil && len(list) > 0:
			return isUnknown
		default:
			return certain(slices.Contains(list, row[f.Name]))
		}
	}}, true
}

// link is a link of the row that is spoken of.
func (l *lawyer) link(many bool) *schema.Field {
	var fields []*schema.Field
	for _, f := range l.here().of.Fields {
		if f.IsLink() && f.Link.Many == many {
			fields = append(fields, f)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return pick(l.Rand, fields)
}

// path is a comparison of a column of the row that a link leads to.
func (l *lawyer) path() (formula, bool) {
	f, v := l.link(false), l.here().name
	if f == nil {
		return formula{}, false
	}
	l.scopes = append(l.scopes, scope{v + "." + f.Name, f.Link.Target})
	defer func() { l.scopes = l.scopes[:len(l.scopes)-1] }()
	inner, ok := pick(l.Rand, []func() (formula, bool){l.owner, l.text, l.number, l.flag})()
	return formula{inner.text, func(m matter) verdict {
		var there record
		if row := m.scopes[v]; row != nil {
			there = record{} // whose columns are all null
			if rows := m.rows.linked(row, f); len(rows) > 0 {
				there = rows[0]
			}
		}
		return inner.mean(m.with(v+"."+f.Name, there))
	}}, ok
}

// inside is a formula of a row of its own, and the name that it has there.
func (l *lawyer) inside(t *schema.Type) (formula, string) {
	l.names++
	name := fmt.Sprintf("x%d", l.names)
	l.scopes = append(l.scopes, scope{name, t})
	defer func() { l.scopes = l.scopes[:len(l.scopes)-1] }()
	if len(l.scopes) > 3 || l.IntN(2) == 0 {
		for {
			if f, ok := pick(l.Rand, []func() (formula, bool){l.owner, l.text, l.number, l.flag, l.role, l.outer, l.outer})(); ok {
				return f, name
			}
		}
	}
	return l.formula(1), name
}

// quantified is exists or all over rows; never unknown.
func quantified(text, name string, all bool, inner formula, rows func(matter) ([]record, bool)) formula {
	return formula{text, func(m matter) verdict {
		there, known := rows(m)
		if !known {
			switch might := inner.mean(m.with(name, nil)); {
			case !all && might&isTrue == 0:
				return isFalse
			case all && might == isTrue:
				return isTrue
			}
			return isTrue | isFalse
		}
		for _, r := range there {
			if (inner.mean(m.with(name, r)) == isTrue) != all {
				return certain(!all)
			}
		}
		return certain(all)
	}}
}

// some is a condition on the rows that a link leads to.
func (l *lawyer) some() (formula, bool) {
	f, v := l.link(true), l.here().name
	if f == nil || strings.Contains(v, ".") {
		return formula{}, false
	}
	inner, name := l.inside(f.Link.Target)
	macro := pick(l.Rand, []string{"exists", "exists", "all"})
	text := fmt.Sprintf("%s.%s.%s(%s, %s)", v, f.Name, macro, name, inner.text)
	return quantified(text, name, macro == "all", inner, func(m matter) ([]record, bool) {
		row := m.scopes[v]
		return m.rows.linked(row, f), row != nil
	}), true
}

// any is that there is some row of a type.
func (l *lawyer) any() (formula, bool) {
	t := pick(l.Rand, l.schema.Types)
	if t.Owned || t.Kind != schema.Table || len(l.scopes) > 2 {
		return formula{}, false
	}
	inner, name := l.inside(t)
	text := fmt.Sprintf("exists(%s, %s, %s)", t.Name, name, inner.text)
	return quantified(text, name, false, inner, func(m matter) ([]record, bool) {
		return m.rows[t.Name], m.scopes["doc"] != nil
	}), true
}

// outer compares a column of a row with one of a row further out.
func (l *lawyer) outer() (formula, bool) {
	if len(l.scopes) < 2 || strings.Contains(l.here().name, ".") {
		return formula{}, false
	}
	from := l.scopes[l.IntN(len(l.scopes)-1)]
	f := l.column(pick(l.Rand, []schema.Scalar{schema.ID, schema.String, schema.Int}))
	if f == nil || strings.Contains(from.name, ".") {
		return formula{}, false
	}
	for _, other := range from.of.Columns {
		if other.Scalar == f.Scalar && l.IntN(2) == 0 {
			v := l.here().name
			op := pick(l.Rand, []string{"==", "==", "!="})
			return formula{fmt.Sprintf("%s.%s %s %s.%s", v, f.Name, op, from.name, other.Name), func(m matter) verdict {
				a, b := m.scopes[v], m.scopes[from.name]
				if a == nil || b == nil {
					return anything
				}
				return holds(a[f.Name], op, b[other.Name])
			}}, true
		}
	}
	return formula{}, false
}

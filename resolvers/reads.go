package resolvers

import (
	"slices"
	"strconv"
	"strings"

	"spacecloud/generator"
	"spacecloud/live"
	"spacecloud/query"
	"spacecloud/schema"
)

// What rows an answer depends on, and what rows a write touches, as far as both say it with values.

// fixed is a column that holds the value of an operand, or one of its list, in all rows that count.
type fixed struct {
	column *schema.Field
	value  query.Operand
}

// fixedBy are the columns that a condition fixes.
func fixedBy(w query.Where) []fixed {
	switch w := w.(type) {
	case query.And:
		var all []fixed
		for _, part := range w {
			all = append(all, fixedBy(part)...)
		}
		return all
	case query.Compare:
		switch {
		case w.Op != query.Eq && w.Op != query.In:
		case isOwn(w.Left) && isGiven(w.Right):
			return []fixed{{w.Left.Field, w.Right}}
		case w.Op == query.Eq && isOwn(w.Right) && isGiven(w.Left):
			return []fixed{{w.Right.Field, w.Left}}
		}
	}
	return nil
}

// isOwn is whether an operand is a column of the row itself that has a label.
func isOwn(o query.Operand) bool {
	return o.Kind == query.Column && o.Up == 0 && len(o.Via)+len(o.Inside) == 0 && hasLabel(o.Field)
}

func isGiven(o query.Operand) bool {
	return o.Kind == query.Constant || o.Kind == query.Arg || o.Kind == query.Claim
}

// hasLabel is whether equal values of a column have equal labels on every database.
func hasLabel(f *schema.Field) bool {
	if f.List {
		return false
	}
	switch f.Scalar {
	case schema.Int, schema.BigInt, schema.UUID, schema.Boolean:
		return true
	case schema.ID, schema.String, schema.EnumValue:
		return f.Native == "" || f.Native == generator.ObjectID
	}
	return false
}

// maxLabels is how many values of one column are told apart.
const maxLabels = 1_000

// label is a text that equal values share; some that differ do, too: databases take letters of a UUID in any
// case, and keys that are numbers with zeros before them.
func label(v schema.Value) string {
	switch v.Kind() {
	case schema.TextValue:
		text := strings.ToLower(v.Text())
		if digits := strings.TrimLeft(text, "0"); digits != "" {
			return digits
		}
		return "0"
	case schema.BoolValue:
		return strconv.FormatBool(v.Bool())
	}
	return strconv.FormatInt(v.Int(), 10)
}

// given are the values of an operand: one, or those of a list.
func given(o query.Operand, b query.Binding) []schema.Value {
	v := o.Value
	switch o.Kind {
	case query.Arg:
		v = b.Args[o.Index]
	case query.Claim:
		v = b.Claims[o.Index]
	}
	if v.Kind() == schema.ListValue {
		return v.List()
	}
	return []schema.Value{v}
}

// labelsOf are the labels of values; false for too many. Null equals nothing.
func labelsOf(values []schema.Value) ([]string, bool) {
	out := make([]string, 0, min(len(values), maxLabels))
	for _, v := range values {
		if v.IsNull() {
			continue
		}
		if f := label(v); !slices.Contains(out[max(0, len(out)-1):], f) {
			if len(out) == maxLabels {
				return nil, false
			}
			out = append(out, f)
		}
	}
	return out, true
}

// tableOf is where the rows of a type are. What a view reads nobody knows.
func tableOf(t *schema.Type) live.Table {
	if t.Kind == schema.View {
		return live.Table{Database: t.DB}
	}
	return live.Table{Database: t.DB, Name: t.Table}
}

// reads are the rows that the answer of a plan depends on, for the values of a request.
func (p *plan) reads(b query.Binding) []live.Read {
	r := reads{binding: b}
	above := make([]*level, len(p.levels))
	known := make([][]fixed, len(p.levels)) // by level
	for _, l := range p.levels {
		for _, child := range l.children {
			above[child.n] = l
			if child.page != nil && child.page.total != nil {
				above[child.page.total.n] = l
			}
		}
		if l.narrowed == nil {
			continue
		}
		var parents []fixed
		if above[l.n] != nil {
			parents = known[above[l.n].n]
		}
		known[l.n] = r.level(l.narrowed, parents)
	}
	return r.all
}

// reads gathers what is read, each once.
type reads struct {
	binding query.Binding
	all     []live.Read
}

// level adds what a level reads below rows in which some columns are fixed, and is what is fixed in its own.
func (r *reads) level(l *query.Level, parents []fixed) []fixed {
	own := fixedBy(l.Where)
	if l.Via != nil && l.Via.Link != nil {
		link := l.Via.Link.Link
		if link.Through == nil {
			own = append(own, passed(parents, link.From, link.To)...)
		} else {
			r.add(link.Through, passed(parents, link.From, link.ThroughFrom))
		}
	}
	r.add(l.Type, own)
	query.Others(l, func(t *schema.Type) { r.add(t, nil) })
	return own
}

// passed is what is fixed of some columns, as it is of the columns that are equal to them.
func passed(known []fixed, from, to []*schema.Field) []fixed {
	var out []fixed
	for _, f := range known {
		if i := slices.Index(from, f.column); i >= 0 && hasLabel(to[i]) {
			out = append(out, fixed{to[i], f.value})
		}
	}
	return out
}

func (r *reads) add(t *schema.Type, where []fixed) {
	read := live.Read{Table: tableOf(t)}
	for _, f := range where {
		values, ok := labelsOf(given(f.value, r.binding))
		isNew := !slices.ContainsFunc(read.Where, func(e live.Equal) bool { return e.Column == f.column.Column })
		if ok && isNew && read.Table.Name != "" {
			read.Where = append(read.Where, live.Equal{Column: f.column.Column, Values: values})
		}
	}
	slices.SortFunc(read.Where, func(a, b live.Equal) int { return strings.Compare(a.Column, b.Column) })
	if !slices.ContainsFunc(r.all, func(o live.Read) bool { return sameRead(o, read) }) {
		r.all = append(r.all, read)
	}
}

func sameRead(a, b live.Read) bool {
	return a.Table == b.Table && slices.EqualFunc(a.Where, b.Where, func(x, y live.Equal) bool {
		return x.Column == y.Column && slices.Equal(x.Values, y.Values)
	})
}

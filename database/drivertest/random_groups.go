package drivertest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

func randomGroups(_ *testing.T, b *bench) { newRandom(b, 1).askGroups(200) }

func (r *random) askGroups(n int) {
	for range n {
		r.binding = query.Binding{}
		if r.IntN(4) == 0 {
			r.askParents()
		} else {
			r.askAll()
		}
		if r.bench.Failed() {
			return
		}
	}
}

// askAll asks for groups of the rows of a type that meet a condition.
func (r *random) askAll() {
	t := pick(r, r.types)
	g := &query.Groups{}
	for range r.IntN(3) {
		if f := r.plainColumn(t); !slices.Contains(g.By, f) {
			g.By = append(g.By, f)
			g.Add(query.Measure{Fn: query.KeyOf, Field: f})
		}
	}
	r.measures(g, t)
	if len(g.By) > 0 {
		if r.IntN(2) == 0 {
			g.Having = r.having(t, 2)
		}
		for range r.IntN(3) {
			g.OrderBy = append(g.OrderBy, query.GroupOrder{Measure: r.certain(t), Desc: r.IntN(2) == 0, Nulls: query.Nulls(r.IntN(3))})
		}
	}
	l := query.Level{Type: t, Where: r.where([]*schema.Type{t}, 2), Groups: g.Complete()}
	want, err := l.Groups.Of(r.meeting(r.bench.world.all(t), l.Where), r.binding)
	r.compareGroups(l, want, err)
	if err == nil && len(g.By) > 0 {
		r.comparePages(l, want)
	}
}

// comparePages asks for the same groups by pages, which have all of them once.
func (r *random) comparePages(l query.Level, want [][]schema.Value) {
	size := 1 + r.IntN(3)
	l.Limit = query.Const(schema.Integer(int64(size)))
	for from := 0; from <= len(want); from += size {
		l.Offset = query.Const(schema.Integer(int64(from)))
		r.compareGroups(l, want[from:min(from+size, len(want))], nil)
	}
}

// askParents asks for the measures of the rows that a link leads to, for all its rows at once.
func (r *random) askParents() {
	links := linksOf(pick(r, r.types))
	if len(links) == 0 {
		return
	}
	link := pick(r, links)
	t := link.Link.Target
	g := &query.Groups{}
	g.Add(query.Measure{Fn: query.CountRows})
	r.measures(g, t)
	l := query.Level{Type: t, Where: r.where([]*schema.Type{t}, 2), Groups: g, Via: &query.Via{Link: link, Single: true}}
	var want [][]schema.Value
	for i, parent := range r.parents(link) {
		rows := r.meeting(parent.Linked(link), l.Where)
		if len(rows) == 0 {
			continue
		}
		values, err := g.Of(rows, r.binding)
		if err != nil {
			r.compareGroups(l, nil, err)
			return
		}
		want = append(want, append([]schema.Value{schema.Integer(int64(i))}, values[0]...))
	}
	r.compareGroups(l, want, nil)
}

// parents are the rows that have a key of a link; the binding gets their keys.
func (r *random) parents(link *schema.Field) (parents []*record) {
	r.binding.Keys = nil
	for _, parent := range r.bench.world.rows[link.Owner] {
		if key := linkKey(parent, link); key != nil {
			parents, r.binding.Keys = append(parents, parent), append(r.binding.Keys, key...)
		}
	}
	return parents
}

// plainColumn is a column whose values can be told apart.
func (r *random) plainColumn(t *schema.Type) *schema.Field {
	for {
		if f := pick(r, t.Columns); r.hasPool(f) {
			return f
		}
	}
}

func (r *random) measures(g *query.Groups, t *schema.Type) {
	for range 1 + r.IntN(4) {
		g.Add(r.anyMeasure(t))
	}
}

func (r *random) anyMeasure(t *schema.Type) query.Measure {
	m := query.Measure{Fn: query.CountRows + query.Function(r.IntN(6)), Field: r.plainColumn(t)}
	number := m.Field.Scalar == schema.Int || m.Field.Scalar == schema.BigInt || m.Field.Scalar == schema.Float || m.Field.Scalar == schema.Decimal
	switch {
	case m.Fn == query.CountRows:
		m.Field = nil
	case (m.Fn == query.Sum || m.Fn == query.Avg) && !number:
		m.Fn = query.CountDistinct
	}
	return m
}

// certain is a measure that is the same to the last bit whatever the order of adding, and never
// an error.
func (r *random) certain(t *schema.Type) query.Measure {
	for {
		m := r.anyMeasure(t)
		if total := m.Fn == query.Sum || m.Fn == query.Avg; !total || m.Field.Scalar == schema.Int || m.Field.Scalar == schema.Decimal {
			return m
		}
	}
}

func (r *random) having(t *schema.Type, depth int) query.Where {
	kind := r.IntN(6)
	if depth == 0 {
		kind = 5
	}
	switch kind {
	case 0:
		return query.Not{Where: r.having(t, depth-1)}
	case 1:
		return query.And{r.having(t, depth-1), r.having(t, depth-1)}
	case 2:
		return query.Or{r.having(t, depth-1), r.having(t, depth-1)}
	case 3:
		return query.IsNull{Operand: r.certain(t).Operand()}
	}
	m := r.certain(t)
	column := m.Column()
	var v schema.Value
	switch m.Fn {
	case query.CountRows, query.CountDistinct:
		v = schema.Integer(int64(r.IntN(4)))
	default:
		v = r.value(column)
	}
	if r.IntN(4) == 0 {
		return query.Compare{Left: m.Operand(), Op: query.In, Right: r.given(schema.List([]schema.Value{v, r.value(column)}), m.Scalar())}
	}
	op := pick(r, []query.Op{query.Eq, query.Ne, query.Gt, query.Gte, query.Lt, query.Lte})
	return query.Compare{Left: m.Operand(), Op: op, Right: r.given(v, m.Scalar())}
}

// compareGroups says what a database and the meaning of groups say, which must agree.
func (r *random) compareGroups(l query.Level, want [][]schema.Value, wantErr error) {
	b := r.bench
	b.Helper()
	got, err := b.groupValues(l, r.binding)
	if l.Via != nil { // where the first measure is how many rows a key has
		got = slices.DeleteFunc(got, func(values []schema.Value) bool { return values[1].Int() == 0 })
	}
	if (err != nil) != (wantErr != nil) {
		b.Errorf("%s where %s: got error %v, want %v", l.Type.Name, l.Where, err, wantErr)
		return
	}
	if err == nil && !slices.EqualFunc(got, want, func(x, y []schema.Value) bool { return slices.EqualFunc(x, y, near) }) {
		b.Errorf("%s where %s\n by %v having %v order %v with args %v claims %v\n measures %v\n got  %v\n want %v\n by %s", l.Type.Name, l.Where, names(l.Groups.By), l.Groups.Having,
			l.Groups.OrderBy, r.binding.Args, r.binding.Claims, l.Groups.Measures, got, want, b.prepare(l))
	}
}

func names(fs []*schema.Field) (out []string) {
	for _, f := range fs {
		out = append(out, f.Name)
	}
	return out
}

// near is equal, of floats but for the last digits.
func near(a, b schema.Value) bool {
	if a.Kind() == schema.FloatValue && b.Kind() == schema.FloatValue {
		return math.Abs(a.Float()-b.Float()) <= 1e-12*math.Max(math.Abs(a.Float()), math.Abs(b.Float()))
	}
	return fmt.Sprint(a) == fmt.Sprint(b)
}

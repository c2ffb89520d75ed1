package drivertest

import (
	"math/rand/v2"
	"testing"

	"spacecloud/query"
	"spacecloud/schema"
)

// pools are the values that random rows and conditions hold: few, so that they meet.
var pools = map[schema.Scalar][]any{
	schema.ID:       {"a1", "a2", "b1", "g1", "1", "", "A1", "é", "Z", "z", "0"},
	schema.String:   {"", "a", "A", "Ann", "ann", "é", "É", "100%", "a_b", "😀"},
	schema.Int:      {int64(-1), int64(0), int64(1), int64(2)},
	schema.BigInt:   {int64(-1), int64(0), int64(1) << 60, int64(1)<<60 + 1},
	schema.Float:    {-1.5, 0.0, 0.1, 1e300},
	schema.Decimal:  {"-1.5", "0", "0.1", "9", "10", "1234567890123456789"},
	schema.Boolean:  {true, false},
	schema.DateTime: {"1969-12-31T23:59:59.999999Z", "2026-01-31T13:37:00Z", "2026-01-31T13:37:00.5Z"},
	schema.Date:     {"1969-07-20", "2026-01-31", "2026-02-01"},
	schema.Time:     {"00:00:00", "13:37:00.5"},
	schema.UUID:     {"00000000-0000-0000-0000-000000000000", "0190f6a8-7b1c-7def-8a1b-0123456789ab", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
	schema.Bytes:    {"", "AA==", "/+8="},
}

// docs are JSON documents that random rows hold.
var docs = []any{
	map[string]any{"a": int64(1)},
	map[string]any{"a": 1.5, "b": []any{"x", map[string]any{"c": nil}}},
	[]any{int64(1), "x", nil},
	"x", int64(1), true,
	map[string]any{},
}

// random makes questions that mean something.
type random struct {
	*rand.Rand
	bench   *bench
	types   []*schema.Type // what is asked of
	binding query.Binding
	isRule  bool // what is made is a rule's, which does not search
}

func randomConditions(_ *testing.T, b *bench) { newRandom(b, 1).ask(200) }

// newRandom has random things beside the rows of the library.
func newRandom(b *bench, seed uint64) *random {
	r := &random{Rand: rand.New(rand.NewPCG(seed, 0)), bench: b}
	for _, name := range []string{"Thing", "Author", "Book", "Tag", "Group", "Membership"} {
		r.types = append(r.types, b.typ(name))
	}
	library(b)
	for range 40 {
		r.row(r.types[0])
	}
	return r
}

func (r *random) ask(n int) {
	for range n {
		t := pick(r, r.types)
		r.binding = query.Binding{}
		r.bench.wantSame(t.Name, r.where([]*schema.Type{t}, 4), r.binding)
		if r.bench.Failed() {
			return
		}
	}
}

func pick[T any](r *random, of []T) T { return of[r.IntN(len(of))] }

// where is a condition of the rows of scope, the innermost last.
func (r *random) where(scope []*schema.Type, depth int) query.Where {
	kind := r.IntN(15)
	if depth == 0 {
		kind = r.IntN(4)
	}
	switch kind {
	case 4:
		return query.Not{Where: r.where(scope, depth-1)}
	case 5:
		return query.Untrue{Where: r.where(scope, depth-1)}
	case 6:
		return query.And(r.several(scope, depth))
	case 7:
		return query.Or(r.several(scope, depth))
	case 8:
		if links := linksOf(scope[len(scope)-1]); len(links) > 0 {
			link := pick(r, links)
			return query.Some{Link: link, Through: r.through(scope, link, depth), Where: r.where(append(scope, link.Link.Target), depth-1)}
		}
	case 10, 11, 12, 13:
		return r.hop(scope, kind, depth)
	case 9:
		t := pick(r, r.types)
		return query.Exists{Type: t, Where: r.where(append(scope, t), depth-1)}
	case 14:
		return r.into(scope)
	case 3:
		if r.IntN(4) == 0 {
			return query.Truth(r.IntN(3))
		}
		return query.IsNull{Operand: r.column(scope)}
	}
	return r.compare(scope)
}

func (r *random) several(scope []*schema.Type, depth int) []query.Where {
	var ws []query.Where
	for range r.IntN(4) {
		ws = append(ws, r.where(scope, depth-1))
	}
	return ws
}

func linksOf(t *schema.Type) []*schema.Field {
	var links []*schema.Field
	for _, f := range t.Fields {
		if f.IsLink() {
			links = append(links, f)
		}
	}
	return links
}

// column is a column of some row of the scope, often behind to-one links.
func (r *random) column(scope []*schema.Type) query.Operand {
	o := query.Operand{Kind: query.Column, Up: r.IntN(len(scope))}
	t := scope[len(scope)-1-o.Up]
	for r.IntN(3) == 0 {
		var ones []*schema.Field
		for _, l := range linksOf(t) {
			if !l.Link.Many {
				ones = append(ones, l)
			}
		}
		if len(ones) == 0 {
			break
		}
		link := pick(r, ones)
		o.Via, t = append(o.Via, link), link.Link.Target
	}
	for {
		o.Field, o.Inside = pick(r, t.Columns), nil
		for o.Field.Scalar == schema.Embedded && !o.Field.List {
			o.Inside = append(o.Inside, o.Field)
			o.Field = pick(r, o.Field.Value.Columns)
		}
		if r.hasPool(o.Field) {
			return o
		}
	}
}

func (r *random) compare(scope []*schema.Type) query.Where {
	if r.IntN(8) == 0 {
		return r.among(scope)
	}
	left := r.column(scope)
	ops := []query.Op{query.Eq, query.Ne, query.Gt, query.Gte, query.Lt, query.Lte, query.In, query.Nin}
	if left.Field.Scalar == schema.String {
		ops = append(ops, query.Like, query.ILike, query.StartsWith, query.EndsWith, query.Contains, query.IContains, query.Regex)
	}
	if !r.bench.sorts(left.Field) {
		ops = []query.Op{query.Eq, query.Ne, query.In, query.Nin}
	}
	op := pick(r, ops)
	if op == query.Regex {
		return query.Compare{Left: left, Op: op, Right: r.given(schema.Text(pick(r, patterns[op])), schema.String)}
	}
	if op == query.In || op == query.Nin {
		var list []schema.Value
		for range r.IntN(4) {
			list = append(list, r.value(left.Field))
		}
		return query.Compare{Left: left, Op: op, Right: r.given(schema.List(list), left.Field.Scalar)}
	}
	if r.IntN(3) == 0 {
		for range 10 {
			right := r.column(scope)
			if right.Field.Scalar == left.Field.Scalar && right.Field.HoldsInteger() == left.Field.HoldsInteger() {
				return query.Compare{Left: left, Op: op, Right: right}
			}
		}
	}
	return query.Compare{Left: left, Op: op, Right: r.given(r.value(left.Field), left.Field.Scalar)}
}

// among is whether columns are one of a few keys.
func (r *random) among(scope []*schema.Type) query.Where {
	var w query.Among
	for range 2 + r.IntN(2) {
		w.Columns = append(w.Columns, r.column(scope))
	}
	var keys []schema.Value
	for range r.IntN(4) {
		for _, c := range w.Columns {
			keys = append(keys, r.value(c.Field))
		}
	}
	w.Keys = r.given(schema.List(keys), schema.NoScalar)
	return w
}

// given is a value as one of the operands that hold one.
func (r *random) given(v schema.Value, s schema.Scalar) query.Operand {
	switch r.IntN(3) {
	case 0:
		return query.Const(v)
	case 1:
		r.binding.Args = append(r.binding.Args, v)
		return query.Operand{Kind: query.Arg, Index: len(r.binding.Args) - 1, Scalar: s}
	}
	r.binding.Claims = append(r.binding.Claims, v)
	return query.Operand{Kind: query.Claim, Index: len(r.binding.Claims) - 1, Scalar: s}
}

func (r *random) value(f *schema.Field) schema.Value {
	if r.IntN(6) == 0 {
		return schema.Null
	}
	single := *f
	single.NonNull, single.List = false, false
	return r.coerced(&single, r.scalar(f))
}

func (r *random) coerced(f *schema.Field, v any) schema.Value {
	value, err := f.Coerce(v)
	if err != nil {
		r.bench.Fatalf("%s: %v", f.Name, err)
	}
	return value
}

package rules_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// formula is a random rule: its text, and what it means, said as slowly and plainly as can
// be.
type formula struct {
	text string
	mean func(claims, row map[string]any) query.Truth
}

// Whatever the rule, the caller and the row: the row meets what the rule leaves exactly when
// the rule is true of it.
func TestTheResidueDecidesAsTheRule(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		f := randomFormula(random, 4)
		s, set, err := withRule(t, f.text)
		if err != nil {
			t.Fatalf("%s: %v", f.text, err)
		}
		for range 40 {
			claims, row := randomClaims(random), randomRow(random)
			c := caller(claims)
			want := f.mean(claims, row) == query.True
			if got := admitted(s, set, c, row); got != want {
				t.Fatalf("%s\nas %v of %v: %v, want %v\nleft: %s", f.text, claims, row, got, want, readPosts(s, set, c))
			}
		}
	}
}

// Callers of equal shapes are left with equal conditions, and equal refusals.
func TestEqualShapesLeaveTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		f := randomFormula(random, 4)
		s, set, err := withRule(t, f.text)
		if err != nil {
			t.Fatalf("%s: %v", f.text, err)
		}
		uses := set.Uses(nil, query.Level{Type: s.Type("Post")}, query.Read)
		left := map[string]string{}
		for range 30 {
			c := caller(randomClaims(random))
			shape := string(set.Shape(nil, c, uses))
			got := readPosts(s, set, c)
			if before, ok := left[shape]; ok && before != got {
				t.Fatalf("%s\none shape leaves %s and %s", f.text, before, got)
			}
			left[shape] = got
		}
	}
}

func admitted(s *schema.Schema, set *rules.Set, c *auth.Caller, row map[string]any) bool {
	n, err := set.Level(c, query.Read, query.Level{Type: s.Type("Post")})
	if err != nil {
		return false
	}
	claims := make([]schema.Value, set.Operands())
	set.Claims(c, claimsOf(n), claims)
	return query.Holds(n.Level().Where, scalars(row), query.Binding{Claims: claims}) == query.True
}

// scalars is a row of columns only.
type scalars map[string]any

func (r scalars) Value(f *schema.Field) schema.Value {
	v, err := schema.CoerceScalar(f.Scalar, f.Enum, r[f.Name])
	if err != nil {
		panic(err)
	}
	return v
}

func (scalars) Linked(*schema.Field) []query.Row { panic("no links") }
func (scalars) All(*schema.Type) []query.Row     { panic("no other rows") }

// kleene is an And, where False is the truth that ends it, or an Or, where True is.
func kleene(n int, end query.Truth, at func(int) query.Truth) query.Truth {
	out := flip(end)
	for i := range n {
		switch at(i) {
		case end:
			return end
		case query.Unknown:
			out = query.Unknown
		}
	}
	return out
}

func flip(t query.Truth) query.Truth {
	return map[query.Truth]query.Truth{query.True: query.False, query.False: query.True, query.Unknown: query.Unknown}[t]
}

func is(b bool) query.Truth {
	if b {
		return query.True
	}
	return query.False
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func randomClaims(r *rand.Rand) map[string]any {
	claims := map[string]any{}
	for _, name := range []string{"a", "b"} {
		if v := pick[any](r, "absent", nil, "x", "y", 1.0, 2.0, true); v != "absent" {
			claims[name] = v
		}
	}
	if v := pick[any](r, "absent", nil, "x", []any{}, []any{"x"}, []any{"y", nil}); v != "absent" {
		claims["list"] = v
	}
	return claims
}

func randomRow(r *rand.Rand) map[string]any {
	return map[string]any{
		"title": pick[any](r, nil, "x", "y"), "views": pick[any](r, nil, 1, 2), "public": pick[any](r, nil, true, false),
	}
}

func randomFormula(r *rand.Rand, depth int) formula {
	if depth == 0 || r.IntN(5) == 0 {
		return pick(r, textAtom, numberAtom, nullAtom, boolAtom, listAtom, claimAtom)(r)
	}
	a, b := randomFormula(r, depth-1), randomFormula(r, depth-1)
	switch r.IntN(4) {
	case 0:
		return formula{"(" + a.text + " && " + b.text + ")", func(c, row map[string]any) query.Truth {
			return kleene(2, query.False, func(i int) query.Truth { return []formula{a, b}[i].mean(c, row) })
		}}
	case 1:
		return formula{"(" + a.text + " || " + b.text + ")", func(c, row map[string]any) query.Truth {
			return kleene(2, query.True, func(i int) query.Truth { return []formula{a, b}[i].mean(c, row) })
		}}
	}
	return formula{"!(" + a.text + ")", func(c, row map[string]any) query.Truth { return flip(a.mean(c, row)) }}
}

// like is a comparison of two values that either are of one kind or make it unknown.
func like(l any, op string, r any) query.Truth {
	if l == nil || r == nil || fmt.Sprintf("%T", l) != fmt.Sprintf("%T", r) {
		return query.Unknown
	}
	sign := strings.Compare(fmt.Sprint(l), fmt.Sprint(r))
	return is(map[string]bool{"==": sign == 0, "!=": sign != 0, "<": sign < 0, ">": sign > 0}[op])
}

func textAtom(r *rand.Rand) formula {
	op, claim := pick(r, "==", "!=", "<", ">"), pick(r, "a", "b")
	if r.IntN(2) == 0 {
		return formula{fmt.Sprintf("doc.title %s 'x'", op), func(_, row map[string]any) query.Truth { return like(row["title"], op, "x") }}
	}
	return formula{fmt.Sprintf("doc.title %s auth.%s", op, claim), func(c, row map[string]any) query.Truth { return like(row["title"], op, c[claim]) }}
}

func numberAtom(r *rand.Rand) formula {
	op, claim := pick(r, "==", "!=", "<", ">"), pick(r, "a", "b")
	return formula{fmt.Sprintf("auth.%s %s doc.views", claim, op), func(c, row map[string]any) query.Truth {
		if f, ok := c[claim].(float64); ok {
			return like(int(f), op, row["views"])
		}
		return query.Unknown
	}}
}

func nullAtom(r *rand.Rand) formula {
	name := pick(r, "title", "views", "public")
	if r.IntN(2) == 0 {
		claim := pick(r, "a", "b", "list")
		return formula{"has(auth." + claim + ")", func(c, _ map[string]any) query.Truth { return is(c[claim] != nil) }}
	}
	return formula{"doc." + name + " == null", func(_, row map[string]any) query.Truth { return is(row[name] == nil) }}
}

func boolAtom(r *rand.Rand) formula {
	if r.IntN(2) == 0 {
		return formula{"doc.public", func(_, row map[string]any) query.Truth { return like(row["public"], "==", true) }}
	}
	return formula{"auth.a", func(c, _ map[string]any) query.Truth { return like(c["a"], "==", true) }}
}

func listAtom(r *rand.Rand) formula {
	anyOf := func(l any, list []any) query.Truth {
		return kleene(len(list), query.True, func(i int) query.Truth { return like(l, "==", list[i]) })
	}
	switch r.IntN(3) {
	case 0:
		return formula{"doc.title in ['x', 'z']", func(_, row map[string]any) query.Truth { return anyOf(row["title"], []any{"x", "z"}) }}
	case 1:
		return formula{"doc.title in [auth.a, 'z']", func(c, row map[string]any) query.Truth { return anyOf(row["title"], []any{c["a"], "z"}) }}
	}
	return formula{"doc.title in auth.list", func(c, row map[string]any) query.Truth {
		if list, ok := c["list"].([]any); ok {
			return anyOf(row["title"], list)
		}
		return query.Unknown
	}}
}

// claimAtom compares claims, where values of two kinds are just not equal.
func claimAtom(r *rand.Rand) formula {
	equal := func(l, r any) query.Truth {
		if l == nil || r == nil {
			return query.Unknown
		}
		return is(l == r)
	}
	if r.IntN(2) == 0 {
		return formula{"auth.a == auth.b", func(c, _ map[string]any) query.Truth { return equal(c["a"], c["b"]) }}
	}
	return formula{"auth.a != 1.0", func(c, _ map[string]any) query.Truth { return flip(equal(c["a"], 1.0)) }}
}

func TestShapeIsShort(t *testing.T) {
	s, set, err := withRule(t, "(auth.a == 'x' || auth.b == 'y' && auth.c) && doc.title == auth.d")
	if err != nil {
		t.Fatal(err)
	}
	uses := set.Uses(nil, query.Level{Type: s.Type("Post")}, query.Read)
	shape := set.Shape(nil, ann, uses)
	if want := []byte{'c', byte(query.Unknown), byte(query.Unknown)}; !bytes.Equal(shape, want) {
		t.Errorf("got %v, want %v", shape, want)
	}
}

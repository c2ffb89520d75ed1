package query

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/quick"

	"github.com/cockroachdb/apd/v3"

	"spacecloud/schema"
)

// nobody is a row without columns.
type nobody struct{}

func (nobody) Value(*schema.Field) schema.Value { return schema.Null }
func (nobody) Linked(*schema.Field) []Row       { return nil }
func (nobody) All(*schema.Type) []Row           { return []Row{nobody{}} }

func TestHolds(t *testing.T) {
	one, two := Const(schema.Integer(1)), Const(schema.Integer(2))
	null := Const(schema.Null)
	list := func(vs ...schema.Value) Operand { return Const(schema.List(vs)) }
	is := func(l Operand, op Op, r Operand) Where { return Compare{Left: l, Op: op, Right: r} }
	for _, c := range []struct {
		where Where
		want  Truth
	}{
		{nil, True},
		{And{}, True},
		{Or{}, False},
		{And{True, Unknown}, Unknown},
		{And{Unknown, False}, False},
		{Or{False, Unknown}, Unknown},
		{Or{Unknown, True}, True},
		{Not{Unknown}, Unknown},
		{Not{True}, False},
		{Untrue{Unknown}, True},
		{Untrue{False}, True},
		{Untrue{True}, False},
		{IsNull{null}, True},
		{is(one, Lt, two), True},
		{is(one, Ne, null), Unknown},
		{is(null, Eq, null), Unknown},
		{is(one, In, list()), False},
		{is(null, In, list()), False}, // as SQL has it
		{is(null, Nin, list()), True},
		{is(null, In, list(schema.Integer(1))), Unknown},
		{is(one, In, list(schema.Null, schema.Integer(1))), True},
		{is(one, In, list(schema.Null, schema.Integer(2))), Unknown},
		{is(one, Nin, list(schema.Null, schema.Integer(2))), Unknown},
		{is(one, Nin, list(schema.Integer(2))), True},
		{is(one, In, null), Unknown},
		{is(Const(schema.Text("a")), Regex, Const(schema.Text("("))), False},
		{Exists{Where: True}, True},
		{Exists{Where: Unknown}, False},
		{is(ArgAt(0), Eq, ClaimAt(0)), True},
	} {
		b := Binding{Args: []schema.Value{schema.Text("x")}, Claims: []schema.Value{schema.Text("x")}}
		if got := Holds(c.where, nobody{}, b); got != c.want {
			t.Errorf("%v is %v, want %v", c.where, got, c.want)
		}
	}
}

// like is a pattern as a regular expression: another way to say the same.
func like(text, pattern string, fold bool) bool {
	var re strings.Builder
	re.WriteString("(?s)")
	if fold {
		re.WriteString("(?i)")
	}
	re.WriteString("^")
	runes := []rune(pattern)
	for i := 0; i < len(runes); i++ {
		switch r := runes[i]; {
		case r == '%':
			re.WriteString(".*")
		case r == '_':
			re.WriteString(".")
		case r == '\\' && i+1 < len(runes):
			i++
			re.WriteString(regexp.QuoteMeta(string(runes[i])))
		default:
			re.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return regexp.MustCompile(re.String() + "$").MatchString(text)
}

// narrow is a text of few characters, so that patterns meet.
func narrow(seed []byte, alphabet string) string {
	runes := []rune(alphabet)
	var b strings.Builder
	for _, s := range seed[:min(len(seed), 12)] {
		b.WriteRune(runes[int(s)%len(runes)])
	}
	return b.String()
}

func TestMatchLikeIsARegularExpression(t *testing.T) {
	law := func(a, b []byte, fold bool) bool {
		text, pattern := narrow(a, "aAéÉkK\u212aß😀\\%_"), narrow(b, "aAéÉkK\u212aß😀\\%%__")
		return MatchLike(text, pattern, fold) == like(text, pattern, fold)
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
}

func TestLikePrefix(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "", "abc": "abc", "a%b": "a", "_a": "", `a\%b%`: "a%b", `a\\%`: `a\`, `a\`: `a\`, "😀_": "😀",
	} {
		if got := string(AppendLikePrefix(nil, pattern)); got != want {
			t.Errorf("%q begins with %q, want %q", pattern, got, want)
		}
	}
	law := func(a, b []byte) bool {
		text, pattern := narrow(a, "ab%_\\"), narrow(b, "ab%_\\")
		return !MatchLike(text, pattern, false) || strings.HasPrefix(text, string(AppendLikePrefix(nil, pattern)))
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
}

func TestContainsFold(t *testing.T) {
	law := func(a, b []byte) bool {
		text, part := narrow(a, "aAéÉkK\u212aß"), narrow(b[:min(len(b), 3)], "aAéÉkK\u212aß")
		return ContainsFold(text, part) == regexp.MustCompile("(?i)"+regexp.QuoteMeta(part)).MatchString(text)
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
}

func TestCompareDecimalIsExact(t *testing.T) {
	law := func(a, b int64, m, n int8) bool {
		x, y := apd.New(a, int32(m)/4), apd.New(b, int32(n)/4)
		want := x.Cmp(y)
		return CompareDecimal(x.Text('f'), y.Text('f')) == want && CompareDecimal(x.Text('e'), y.Text('f')) == want
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"0", "-0", 0},
		{"1", "1.00", 0},
		{"+1", "1", 0},
		{"9", "10", -1},
		{"-9", "-10", 1},
		{"0.1", "0.09", 1},
		{"1e2", "100", 0},
		{"x", "9", 1},
		{"9", "x", -1},
		{"x", "y", -1},
		{"", "0", 1},
		{"NaN", "1", 1},
	} {
		if got := CompareDecimal(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNumbersCompareExactly(t *testing.T) {
	i, f := schema.Integer(math.MaxInt64), schema.Double(math.MaxInt64) // the float is one more
	if got := fmt.Sprint(compareNumbers(i, f), compareNumbers(f, i)); got != "-1 1" {
		t.Errorf("compared %s", got)
	}
	if compareValues(schema.Integer(12), schema.Text("12"), false) != 0 || compareValues(schema.Text("x"), schema.Integer(12), false) != 1 {
		t.Error("an ID held as a number is its text")
	}
}

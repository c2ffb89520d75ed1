package rules

import (
	"slices"
	"strings"

	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// Question is asked of one database for a statement of another: which keys have rows that meet
// a condition.
type Question struct {
	// Level is what to ask: each row is a key. It may be Apart itself.
	Level Narrowed
	// Name is the link or type that the condition is about, for people.
	Name    string
	of      *schema.Type
	text    string // the same for two questions that are always answered alike
	kind    questionKind
	width   int  // columns of a key
	counted bool // whether the last column is a number of rows
	op      query.Op
	right   query.Operand // of asksCounts: what numbers are compared with
	slot    int           // place among the answers of the Apart
}

// questionKind is what is made of a question's rows.
type questionKind uint8

const (
	asksKeys   questionKind = iota // which keys there are
	asksAny                        // whether there is a row
	asksCounts                     // which keys have a number of rows that compares so, which do not
)

// Text tells questions apart: those of one text, asked with the same values, are one.
func (q *Question) Text() string { return q.text }

// Of is the type whose rows answer.
func (q *Question) Of() *schema.Type { return q.of }

// Asked is what a row of the level is, for plans.
func (q *Question) Asked() string {
	return [...]string{"keys of ", "whether any ", "numbers of "}[q.kind] + q.Name
}

// slots is how many values hold the answer.
func (q *Question) slots() int {
	if q.kind == asksCounts {
		return 5
	}
	return 1
}

// Answer gathers the rows that answer a question.
type Answer struct {
	question  *Question
	keys      [][]schema.Value
	counts    []int64
	byKey     map[string]int    // place in keys
	sets      [3][]schema.Value // of keys that are in, flat, and for counts: all, and those that are unknown
	elsewhere query.Truth       // for counts: what is so of keys without rows
	any       bool
}

// Answer is an answer without rows.
func (q *Question) Answer() *Answer {
	return &Answer{question: q, byKey: map[string]int{}}
}

// Width is how many cells of a row Add takes.
func (q *Question) Width() int {
	l := q.Level.level
	if l.Groups != nil {
		return len(l.Groups.Measures)
	}
	return len(l.Columns)
}

// Add takes a row.
func (a *Answer) Add(row []schema.Value) {
	a.any = true
	q := a.question
	if q.kind == asksAny {
		return
	}
	n := int64(1)
	if q.counted {
		n = row[len(row)-1].Int()
	}
	key := row[:q.width]
	text := keyText(key)
	i, known := a.byKey[text]
	if !known {
		i = len(a.keys)
		a.byKey[text] = i
		a.keys, a.counts = append(a.keys, key), append(a.counts, 0)
	}
	a.counts[i] += n
}

// Close ends the answer, which the values of b are compared with.
func (a *Answer) Close(b query.Binding) {
	q := a.question
	switch q.kind {
	case asksKeys:
		a.sets[0] = slices.Concat(a.keys...)
	case asksCounts:
		a.sets[1] = slices.Concat(a.keys...)
		for i, key := range a.keys {
			switch q.compares(a.counts[i], b) {
			case query.True:
				a.sets[0] = append(a.sets[0], key...)
			case query.Unknown:
				a.sets[2] = append(a.sets[2], key...)
			}
		}
		a.elsewhere = q.compares(0, b)
	}
}

func (q *Question) compares(n int64, b query.Binding) query.Truth {
	return query.Holds(query.Compare{Left: query.Const(schema.Integer(n)), Op: q.op, Right: q.right}, nil, b)
}

// Args are the values of a request with those of the answers, which are in the order of
// the questions, behind them.
func (a *Apart) Args(args []schema.Value, answers []*Answer) []schema.Value {
	out := slices.Grow(slices.Clone(args[:min(a.first, len(args))]), a.first+a.slots)[:a.first+a.slots]
	for i, q := range a.Questions {
		answers[i].fill(out[a.first+q.slot:])
	}
	return out
}

// Known are the values of a request, of which the answers come behind.
func (a *Apart) Known(args []schema.Value) []schema.Value { return args[:min(a.first, len(args))] }

func (a *Answer) fill(dst []schema.Value) {
	flag := func(i int, on bool) {
		if dst[i] = schema.Null; on {
			dst[i] = schema.Bool(true)
		}
	}
	switch a.question.kind {
	case asksAny:
		flag(0, a.any)
	case asksKeys:
		dst[0] = schema.List(a.sets[0])
	case asksCounts:
		for i, set := range a.sets {
			dst[i] = schema.List(set)
		}
		flag(3, a.elsewhere == query.True)
		flag(4, a.elsewhere == query.Unknown)
	}
}

// TooMany is the error of an answer of more keys than are allowed.
func (q *Question) TooMany(most int) error {
	return fault.New(fault.Limit, "more than %d %s meet the condition on %s, which is asked of another database first; narrow the condition", most, q.of.Plural, q.Name).
		With("limit", most).With("setting", "limits.keys")
}

// keyText tells keys apart: texts in it are quoted.
func keyText(values []schema.Value) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteByte('0' + byte(v.Kind()))
		b.WriteString(v.String() + ",")
	}
	return b.String()
}

package rules

import (
	"cmp"
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

// size is how many lists hold a set of keys.
func size(width, boxes int) int {
	if width == 1 {
		return 1
	}
	return width * boxes
}

func (q *Question) size(boxes int) int { return size(q.width, boxes) }

// slots is how many values hold the answer.
func (q *Question) slots(boxes int) int {
	switch q.kind {
	case asksAny:
		return 1
	case asksCounts:
		return 3*q.size(boxes) + 2
	}
	return q.size(boxes)
}

// Answer gathers the rows that answer a question.
type Answer struct {
	question  *Question
	keys      [][]schema.Value
	counts    []int64
	byKey     map[string]int // place in keys
	sets      [3][]box       // of keys that are in, and for counts: all, and those that are unknown
	elsewhere query.Truth    // for counts: what is so of keys without rows
	any       bool
	boxes     int
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
		a.sets[0] = boxesOf(a.keys, q.width)
	case asksCounts:
		var sets [3][][]schema.Value
		sets[1] = a.keys
		for i, key := range a.keys {
			switch q.compares(a.counts[i], b) {
			case query.True:
				sets[0] = append(sets[0], key)
			case query.Unknown:
				sets[2] = append(sets[2], key)
			}
		}
		for i, set := range sets {
			a.sets[i] = boxesOf(set, q.width)
		}
		a.elsewhere = q.compares(0, b)
	}
	for _, set := range a.sets {
		a.boxes = max(a.boxes, len(set))
	}
}

func (q *Question) compares(n int64, b query.Binding) query.Truth {
	return query.Holds(query.Compare{Left: query.Const(schema.Integer(n)), Op: q.op, Right: q.right}, nil, b)
}

// Boxes is how many products of lists the keys are: a key of several columns is said to a
// database as x in (…) and y in (…), once for each such product.
func (a *Answer) Boxes() int {
	if a.question.width < 2 {
		return 1
	}
	return a.boxes
}

// Args are the values of a request with those of the answers, which are in the order of
// the questions, behind them.
func (a *Apart) Args(args []schema.Value, answers []*Answer) []schema.Value {
	out := slices.Grow(slices.Clone(args[:min(a.first, len(args))]), a.first+a.slots)[:a.first+a.slots]
	for i, q := range a.Questions {
		answers[i].fill(out[a.first+q.slot:], a.boxes)
	}
	return out
}

func (a *Answer) fill(dst []schema.Value, boxes int) {
	q := a.question
	flag := func(i int, on bool) {
		if dst[i] = schema.Null; on {
			dst[i] = schema.Bool(true)
		}
	}
	if q.kind == asksAny {
		flag(0, a.any)
		return
	}
	n := q.size(boxes)
	sets := 1
	if q.kind == asksCounts {
		sets = 3
		flag(3*n, a.elsewhere == query.True)
		flag(3*n+1, a.elsewhere == query.Unknown)
	}
	for i, set := range a.sets[:sets] {
		for j := range n {
			dst[i*n+j] = schema.List(nil)
		}
		for j, b := range set {
			for k, list := range b {
				dst[i*n+j*q.width+k] = schema.List(list)
			}
		}
	}
}

// TooMany is the error of an answer of more keys than are allowed.
func (q *Question) TooMany(most int) error {
	return fault.New(fault.Limit, "more than %d %s meet the condition on %s, which is asked of another database first; narrow the condition", most, q.of.Plural, q.Name).
		With("limit", most).With("setting", "limits.keys")
}

// box is a list for each column of a key: the keys that it means are all that have, in each
// column, a value of the column's list.
type box [][]schema.Value

// boxesOf are few boxes that mean keys, each of which is there once.
func boxesOf(keys [][]schema.Value, width int) []box {
	if len(keys) == 0 {
		return nil
	}
	if width == 1 {
		return []box{{flat(keys)}}
	}
	boxes := make([]box, len(keys))
	for i, key := range keys {
		boxes[i] = make(box, width)
		for c, v := range key {
			boxes[i][c] = []schema.Value{v}
		}
	}
	for _, column := range byVariety(keys, width) {
		boxes = merged(boxes, column)
	}
	return boxes
}

func flat(keys [][]schema.Value) []schema.Value {
	out := make([]schema.Value, len(keys))
	for i, key := range keys {
		out[i] = key[0]
	}
	return out
}

// byVariety are the columns of keys, that of the most values first.
func byVariety(keys [][]schema.Value, width int) []int {
	columns, variety := make([]int, width), make([]int, width)
	for c := range width {
		seen := map[string]bool{}
		for _, key := range keys {
			seen[key[c].String()] = true
		}
		columns[c], variety[c] = c, len(seen)
	}
	slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(variety[b], variety[a]) })
	return columns
}

// merged makes one box of those that differ in nothing but one column.
func merged(boxes []box, column int) []box {
	places := map[string]int{}
	var out []box
	for _, b := range boxes {
		var others strings.Builder
		for c, list := range b {
			if c != column {
				others.WriteString(keyText(list) + ";")
			}
		}
		i, known := places[others.String()]
		if !known {
			places[others.String()] = len(out)
			out = append(out, b)
			continue
		}
		out[i][column] = append(out[i][column], b[column]...)
	}
	return out
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

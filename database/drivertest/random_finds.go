package drivertest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

// Schemas is the environment variable that says how many random schemas a driver is asked with.
const Schemas = "TEST_SPACECLOUD_SCHEMAS"

// randomSchemas asks random questions of random rows of random schemas. The name of a test is its seed.
func randomSchemas(t *testing.T, b *bench) {
	n := 6
	if text := os.Getenv(Schemas); text != "" {
		n, _ = strconv.Atoi(text)
	}
	for seed := range uint64(n) {
		source := schema.Source{Name: "random.graphql", Text: RandomSDL(rand.New(rand.NewPCG(seed, 3)))}
		s, err := schema.Parse(source)
		if err != nil {
			continue
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := &random{Rand: rand.New(rand.NewPCG(seed, 4)), bench: benchOf(t, b.harness, s), types: s.Types}
			r.fill()
			for range 50 {
				r.askFind()
			}
			r.askGroups(20)
			if t.Failed() {
				t.Logf("the schema:\n%s", source.Text)
			}
		})
	}
}

// fill makes rows of all types: twice, so that a row is there for every link.
func (r *random) fill() {
	for range 2 {
		for _, t := range r.types {
			for range 6 {
				r.row(t)
			}
		}
	}
}

// askFind asks for rows as an answer shows them, and compares with what is said slowly.
func (r *random) askFind() {
	if r.bench.Failed() {
		return
	}
	r.binding = query.Binding{}
	l := r.level()
	if r.differs(l) {
		r.report(r.smallest(l))
	}
}

// level is a random one: all rows, or those of each parent.
func (r *random) level() query.Level {
	l := query.Level{Type: pick(r, r.types)}
	if links := linksOf(l.Type); len(links) > 0 && r.IntN(3) == 0 {
		link := pick(r, links)
		l.Type, l.Via = link.Link.Target, &query.Via{Link: link, Single: !link.Link.Many}
		if through := link.Link.Through; through != nil && r.IntN(2) == 0 {
			l.Via.Through = r.where([]*schema.Type{through}, 2)
		}
		r.parents(link)
	}
	scope := []*schema.Type{l.Type}
	l.Where = r.where(scope, 3)
	if r.IntN(8) == 0 {
		l.Count = true
		return l
	}
	r.isRule = true
	for _, f := range l.Type.Columns {
		c := query.Cell{Field: f}
		if r.IntN(8) == 0 {
			c.When = r.where(scope, 1)
		}
		l.Columns = append(l.Columns, c)
	}
	r.isRule = false
	l.OrderBy = query.Complete(l.Type, r.orders(l.Type))
	if l.Via != nil && l.Via.Single {
		return l
	}
	if r.IntN(4) == 0 {
		l.Distinct = []*schema.Field{r.plainColumn(l.Type)}
	}
	if rows := r.bench.world.rows[l.Type]; len(rows) > 0 && r.IntN(3) == 0 {
		l.Where = query.And{l.Where, r.beyond(l.OrderBy, pick(r, rows))}
	}
	if r.IntN(2) == 0 {
		l.Limit = r.given(schema.Integer(int64(r.IntN(4))), schema.Int)
	}
	if r.IntN(3) == 0 {
		l.Offset = r.given(schema.Integer(int64(r.IntN(3))), schema.Int)
	}
	return l
}

func (r *random) orders(t *schema.Type) (orders []query.Order) {
	for range r.IntN(3) {
		o := r.column([]*schema.Type{t})
		if len(o.Inside) == 0 && r.bench.sorts(o.Field) {
			orders = append(orders, query.Order{Field: o.Field, Via: o.Via, Desc: r.IntN(2) == 0, Nulls: query.Nulls(r.IntN(3))})
		}
	}
	return orders
}

// beyond is what a cursor of a row asks for.
func (r *random) beyond(orders []query.Order, row *record) query.Where {
	var values []query.Operand
	for _, o := range orders {
		r.binding.Args = append(r.binding.Args, row.behind(o))
		values = append(values, query.Operand{Kind: query.Arg, Index: len(r.binding.Args) - 1, Scalar: o.Field.Scalar})
	}
	return query.Beyond(orders, values)
}

// said is the answer to a level as query.Holds and the order of values have it, as lines.
func (r *random) said(l query.Level) []string {
	if l.Via == nil {
		return r.shown(l, "", r.bench.world.rows[l.Type])
	}
	var lines []string
	kept := r.binding.Keys
	for i, parent := range r.parents(l.Via.Link) {
		lines = append(lines, r.shown(l, fmt.Sprintf("%d: ", i), r.reached(parent, l.Via))...)
	}
	r.binding.Keys = kept
	return lines
}

// reached are the rows that a link leads to by way of the rows of its join type that count.
func (r *random) reached(parent *record, via *query.Via) []*record {
	link := via.Link.Link
	return slices.DeleteFunc(slices.Clone(r.bench.world.rows[link.Target]), func(target *record) bool {
		if link.Through == nil {
			return !parent.leads(link, target)
		}
		return !slices.ContainsFunc(r.bench.world.rows[link.Through], func(join *record) bool {
			return equal(parent, link.From, join, link.ThroughFrom) && equal(join, link.ThroughTo, target, link.To) && query.Holds(via.Through, join, r.binding) == query.True
		})
	})
}

// shown are the lines of those of some rows that a level asks for.
func (r *random) shown(l query.Level, before string, rows []*record) []string {
	rows = slices.DeleteFunc(slices.Clone(rows), func(row *record) bool { return query.Holds(l.Where, row, r.binding) != query.True })
	if l.Count {
		if len(rows) == 0 {
			return nil
		}
		return []string{before + strconv.Itoa(len(rows))}
	}
	slices.SortFunc(rows, inOrder(l.OrderBy))
	rows = firsts(rows, l.Distinct)
	rows = rows[min(r.number(l.Offset, 0), len(rows)):]
	rows = rows[:min(r.number(l.Limit, len(rows)), len(rows))]
	var lines []string
	for _, row := range rows {
		lines = append(lines, before+r.line(l, row))
	}
	return lines
}

func (r *random) line(l query.Level, row *record) string {
	var line []byte
	for i, c := range l.Columns {
		if i > 0 {
			line = append(line, ' ')
		}
		v := row.Value(c.Field)
		if c.When != nil && query.Holds(c.When, row, r.binding) != query.True {
			v = schema.Null
		}
		line = schema.AppendValue(line, c.Field, v)
	}
	return string(line)
}

// firsts are of the rows that agree in some columns the first.
func firsts(rows []*record, in []*schema.Field) []*record {
	if len(in) == 0 {
		return rows
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(rows, func(row *record) bool {
		var key strings.Builder
		for _, f := range in {
			key.WriteString(row.Value(f).String() + "|")
		}
		was := seen[key.String()]
		seen[key.String()] = true
		return was
	})
}

func (r *random) number(o query.Operand, otherwise int) int {
	switch o.Kind {
	case query.Constant:
		return int(o.Value.Int())
	case query.Arg:
		return int(r.binding.Args[o.Index].Int())
	case query.Claim:
		return int(r.binding.Claims[o.Index].Int())
	}
	return otherwise
}

// got is the answer of the database, or its error.
func (r *random) got(l query.Level) []string {
	b := r.bench
	s, err := b.db.Prepare(rules.System(l))
	if err != nil {
		return []string{"refused: " + err.Error()}
	}
	var lines []string
	err = b.db.View(b.Context(), func(reader driver.Reader) (err error) {
		if l.Count {
			lines, err = b.counted(reader, s, l, r.binding)
		} else {
			lines, err = b.read(reader, s, l, r.binding)
		}
		return err
	})
	if err != nil {
		return []string{"failed: " + err.Error()}
	}
	return lines
}

// counted are the counts that are not 0: whether those are told is up to the database.
func (b *bench) counted(r driver.Reader, s driver.Statement, l query.Level, binding query.Binding) ([]string, error) {
	rows, err := r.Find(b.Context(), s, binding)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var lines []string
	for rows.Next() {
		line := strconv.FormatInt(rows.Value(0).Int(), 10)
		if line == "0" {
			continue
		}
		if l.Via != nil {
			line = fmt.Sprintf("%d: %s", rows.Parent(), line)
		}
		lines = append(lines, line)
	}
	return lines, rows.Err()
}

func (r *random) differs(l query.Level) bool { return !slices.Equal(r.got(l), r.said(l)) }

// report says how the database and the meaning of a level differ.
func (r *random) report(l query.Level) {
	b := r.bench
	b.Helper()
	got, want := r.got(l), r.said(l)
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	line := func(of []string) string {
		if at < len(of) {
			return of[at]
		}
		return "nothing more"
	}
	text := "which it refuses"
	if s, err := b.db.Prepare(rules.System(l)); err == nil {
		text = s.String()
	}
	b.Errorf("%s\n with args %v, claims %v, keys %v\n differs in line %d\n got  %s\n want %s\n all %s\n by %s", describe(l), r.binding.Args, r.binding.Claims, r.binding.Keys,
		at, line(got), line(want), strings.Join(r.said(query.Level{Type: l.Type, Columns: b.cells(l.Type.Name), OrderBy: query.Complete(l.Type, nil)}), "\n     "), text)
}

func describe(l query.Level) string {
	var b strings.Builder
	b.WriteString(l.Type.Name)
	if l.Via != nil {
		fmt.Fprintf(&b, " of each %s.%s through %v", l.Via.Link.Owner.Name, l.Via.Link.Name, l.Via.Through)
	}
	for _, c := range l.Columns {
		fmt.Fprintf(&b, " %s", c.Field.Name)
		if c.When != nil {
			fmt.Fprintf(&b, " (when %s)", c.When)
		}
	}
	fmt.Fprintf(&b, "\n where %v\n", l.Where)
	for _, o := range l.OrderBy {
		fmt.Fprintf(&b, " order by %s desc %t nulls %d", query.Operand{Kind: query.Column, Field: o.Field, Via: o.Via}, o.Desc, o.Nulls)
	}
	fmt.Fprintf(&b, " distinct %v limit %v offset %v count %t", names(l.Distinct), l.Limit, l.Offset, l.Count)
	return b.String()
}

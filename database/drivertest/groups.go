package drivertest

import (
	"math"
	"slices"
	"strings"
	"testing"

	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/schema"
)

// measure is "sum pages", or "count".
func (b *bench) measure(typ, text string) query.Measure {
	b.Helper()
	name, field, _ := strings.Cut(text, " ")
	for fn := query.KeyOf; fn <= query.Greatest; fn++ {
		if fn.String() != name {
			continue
		}
		if field == "" {
			return query.Measure{Fn: fn}
		}
		return query.Measure{Fn: fn, Field: b.field(typ + "." + field)}
	}
	b.Fatalf("there is no function %s", name)
	return query.Measure{}
}

// grouped is a level of groups of a type: by the fields of by, with measures by commas.
func (b *bench) grouped(typ, by, measures string) query.Level {
	b.Helper()
	g := &query.Groups{}
	if by != "" {
		g.By = b.fields(typ, strings.Split(by, " ")...)
	}
	for m := range strings.SplitSeq(measures, ", ") {
		g.Measures = append(g.Measures, b.measure(typ, m))
	}
	return query.Level{Type: b.typ(typ), Groups: g.Complete()}
}

// sums is the answer of a level of groups, as answer has it.
func (b *bench) sums(l query.Level, binding query.Binding) []string {
	b.Helper()
	lines, err := b.trySums(l, binding)
	if err != nil {
		b.Fatalf("%v\n%s", err, b.prepare(l))
	}
	return lines
}

func (b *bench) trySums(l query.Level, binding query.Binding) ([]string, error) {
	b.Helper()
	var lines []string
	s := b.prepare(l)
	err := b.db.View(b.Context(), func(r driver.Reader) error {
		rows, err := r.Find(b.Context(), s, binding)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			line := ""
			if l.Via != nil {
				line = string(schema.AppendInt(nil, int64(rows.Parent()))) + ":"
			}
			for i := range l.Groups.Measures {
				line += " " + string(rows.AppendJSON(nil, i))
			}
			lines = append(lines, strings.TrimSpace(line))
		}
		return rows.Err()
	})
	return lines, err
}

// groupValues is the answer as values, after the parent's ordinal where the level has keys.
func (b *bench) groupValues(l query.Level, binding query.Binding) ([][]schema.Value, error) {
	b.Helper()
	var out [][]schema.Value
	s := b.prepare(l)
	err := b.db.View(b.Context(), func(r driver.Reader) error {
		rows, err := r.Find(b.Context(), s, binding)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var values []schema.Value
			if l.Via != nil {
				values = append(values, schema.Integer(int64(rows.Parent())))
			}
			for i := range l.Groups.Measures {
				values = append(values, rows.Value(i))
			}
			out = append(out, values)
		}
		return rows.Err()
	})
	return out, err
}

func measures(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "a", "text": "é", "int": int64(3), "big": int64(1) << 60, "float": 0.5, "decimal": "9.5", "bool": true, "at": "2026-01-31T13:37:00Z", "day": "2026-01-31", "clock": "13:37:00", "colour": "RED", "bytes": "AA=="},
		row{"id": "b", "text": "Z", "int": int64(-1), "big": int64(2), "float": 1.25, "decimal": "10", "bool": false, "at": "1969-12-31T23:59:59.5Z", "day": "1969-07-20", "clock": "00:00:00", "colour": "BLUE", "bytes": "/w=="},
		row{"id": "c", "int": int64(3), "decimal": "9.5", "bytes": "AA=="},
	)
	for measure, want := range map[string]string{
		"count": "3", "countDistinct id": "3", "countDistinct int": "2", "countDistinct decimal": "2", "countDistinct text": "2",
		"countDistinct bytes": "2", "countDistinct bool": "2", "countDistinct uuid": "0",
		"sum int": `"5"`, "sum big": `"1152921504606846978"`, "sum float": "1.75", "sum decimal": `"29"`,
		"avg int": "1.6666666666666667", "avg big": "576460752303423500", "avg float": "0.875", "avg decimal": `"9.6666666666667"`,
		"min text": `"Z"`, "max text": `"é"`, "min int": "-1", "max big": `"1152921504606846976"`, "min decimal": `"9.5"`, "max decimal": `"10"`,
		"min bool": "false", "max bool": "true", "min at": `"1969-12-31T23:59:59.5Z"`, "max day": `"2026-01-31"`, "min clock": `"00:00:00"`,
		"max colour": `"RED"`, "min uuid": "null", "max id": `"c"`,
	} {
		if got := b.sums(b.grouped("Thing", "", measure), query.Binding{}); !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %s, want %s", measure, got, want)
		}
	}
	none := b.grouped("Thing", "", "count, countDistinct int, sum int, sum decimal, avg float, avg decimal, min text, max at")
	none.Where = query.False
	b.want(b.sums(none, query.Binding{}), "0 0 null null null null null null")
	none.Groups.Measures = nil
	b.want(b.sums(none, query.Binding{}), "")
	none.Groups.By, none.Groups.Measures = b.fields("Thing", "int"), []query.Measure{{Fn: query.CountRows}}
	b.want(b.sums(none, query.Binding{}))
}

func groupsOfRows(t *testing.T, b *bench) {
	library(b)
	l := b.grouped("Book", "authorId", "group authorId, count, sum pages, max title")
	b.want(b.sums(l, query.Binding{}), `"a1" 3 "300" "Gamma"`, `"a2" 2 "120" "Epsilon"`, `null 1 "10" "Orphan"`)
	pages := b.measure("Book", "sum pages")
	for _, test := range []struct {
		order query.GroupOrder
		want  []string
	}{
		{query.GroupOrder{Measure: pages}, []string{`null`, `"a2"`, `"a1"`}},
		{query.GroupOrder{Measure: pages, Desc: true}, []string{`"a1"`, `"a2"`, `null`}},
		{query.GroupOrder{Measure: b.measure("Book", "sum price")}, []string{`"a1"`, `"a2"`, `null`}},
		{query.GroupOrder{Measure: b.measure("Book", "sum price"), Desc: true}, []string{`null`, `"a2"`, `"a1"`}},
		{query.GroupOrder{Measure: b.measure("Book", "max price"), Nulls: query.NullsFirst}, []string{`null`, `"a1"`, `"a2"`}},
		{query.GroupOrder{Measure: b.measure("Book", "group authorId"), Desc: true, Nulls: query.NullsLast}, []string{`"a2"`, `"a1"`, `null`}},
		{query.GroupOrder{Measure: b.measure("Book", "countDistinct isbn"), Desc: true}, []string{`"a1"`, `"a2"`, `null`}},
	} {
		l := b.grouped("Book", "authorId", "group authorId")
		l.Groups.OrderBy = []query.GroupOrder{test.order}
		l.Groups = l.Groups.Complete()
		b.want(b.sums(l, query.Binding{}), test.want...)
		l.Limit, l.Offset = query.Const(schema.Integer(1)), query.Const(schema.Integer(1))
		b.want(b.sums(l, query.Binding{}), test.want[1])
	}
	having := b.grouped("Book", "authorId", "group authorId")
	having.Groups.Having = query.Or{
		query.Compare{Left: pages.Operand(), Op: query.Lt, Right: query.Operand{Kind: query.Arg, Scalar: schema.BigInt}},
		query.Compare{Left: b.measure("Book", "sum price").Operand(), Op: query.Eq, Right: query.Const(schema.Text("19.5"))},
	}
	b.want(b.sums(having, query.Binding{Args: []schema.Value{schema.Integer(100)}}), `"a1"`, `null`)
}

func groupsOfEachParent(t *testing.T, b *bench) {
	library(b)
	l := b.grouped("Book", "", "count, sum pages, max price")
	l.Via = &query.Via{Link: b.field("Author.books"), Single: true}
	b.want(b.sums(l, keys("a2", "a3", "a1", "a2")), `0: 2 "120" "100"`, `2: 3 "300" "10"`, `3: 2 "120" "100"`)
	b.want(b.sums(l, keys("a1")), `0: 3 "300" "10"`)
	b.want(b.sums(l, keys()))
	l.Where = query.Compare{Left: query.Col(b.field("Book.pages")), Op: query.Gt, Right: query.Const(schema.Integer(60))}
	b.want(b.sums(l, keys("a2", "a1")), `0: 1 "70" null`, `1: 2 "300" "10"`)
	l = b.grouped("Group", "", "count")
	l.Via = &query.Via{Link: b.field("Author.groups"), Single: true} // one of which twice
	b.want(b.sums(l, keys("a1", "a2")), `0: 2`, `1: 1`)
}

// exactTotals has numbers of which a float holds no sum.
func exactTotals(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "a", "big": int64(math.MaxInt64), "decimal": "1234567890123456789012345.000000001"},
		row{"id": "b", "big": int64(math.MaxInt64), "decimal": "0.000000001"},
		row{"id": "c", "big": int64(math.MinInt64), "decimal": "-1234567890123456789012345"},
		row{"id": "d", "big": int64(math.MinInt64), "decimal": "-0.000000004"},
		row{"id": "e", "big": int64(1)},
	)
	l := b.grouped("Thing", "", "sum big, sum decimal, avg decimal")
	b.want(b.sums(l, query.Binding{}), `"-1" "-0.000000002" "-0.0000000005"`)
	l.Where = query.Compare{Left: query.Col(b.field("Thing.id")), Op: query.In, Right: query.Const(schema.List([]schema.Value{schema.Text("b"), schema.Text("d")}))}
	b.want(b.sums(l, query.Binding{}), `"-1" "-0.000000003" "-0.0000000015"`)
	// A third is rounded, half away from zero.
	b.insert("Thing", row{"id": "f", "decimal": "0.000000001"}, row{"id": "g", "decimal": "-0.000000001"}, row{"id": "h", "decimal": "0.000000001"})
	l = b.grouped("Thing", "", "avg decimal")
	l.Where = query.Compare{Left: query.Col(b.field("Thing.id")), Op: query.Gte, Right: query.Const(schema.Text("f"))}
	b.want(b.sums(l, query.Binding{}), `"0.0000000003333"`)
}

func totalsBeyond(t *testing.T, b *bench) {
	b.insert("Thing",
		row{"id": "a", "big": int64(math.MaxInt64), "float": 1e308},
		row{"id": "b", "big": int64(1), "float": 1e308},
	)
	for measure, want := range map[string]string{
		"sum big":   "the sum of Thing.big does not fit into 64 bits",
		"sum float": "the sum of Thing.float is not a finite number",
	} {
		_, err := b.trySums(b.grouped("Thing", "", measure), query.Binding{})
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", measure, err, want)
		}
	}
	b.want(b.sums(b.grouped("Thing", "", "avg big, count"), query.Binding{}), "4611686018427388000 2")
}

package operations

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A value is nil, a bool, a json.Number, a string, a word, a document, []any or an object.
type (
	word     string // of an enum
	document struct{ json any }
	object   []member
	variable string // stands for a value in a request
)

type member struct {
	name  string
	value any
}

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// literal is a value in the language of requests.
func literal(b *strings.Builder, v any) {
	switch v := v.(type) {
	case word:
		b.WriteString(string(v))
	case variable:
		b.WriteString("$" + string(v))
	case document:
		literal(b, documentValue(v.json))
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			literal(b, e)
		}
		b.WriteByte(']')
	case object:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(m.name + ": ")
			literal(b, m.value)
		}
		b.WriteByte('}')
	default:
		text, _ := json.Marshal(v)
		b.Write(text)
	}
}

func spelled(v any) string {
	var b strings.Builder
	literal(&b, v)
	return b.String()
}

// documentValue is a JSON value as a literal has it.
func documentValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		var o object
		for _, name := range sortedKeys(v) {
			o = append(o, member{name, documentValue(v[name])})
		}
		return o
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = documentValue(v[i])
		}
		return out
	}
	return v
}

// plain is a value as the JSON of variables has it.
func plain(v any) any {
	switch v := v.(type) {
	case word:
		return string(v)
	case document:
		return v.json
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case object:
		out := make(map[string]any, len(v))
		for _, m := range v {
			out[m.name] = plain(m.value)
		}
		return out
	}
	return v
}

// pools are the values of scalars; few, so that they meet.
var pools = map[string][]any{
	"ID":       {"1", "2", "3", "4", "x"},
	"String":   {"a", "ann", "Ann B", "x%", "ä😀", "", "b@c.example", "a-1", `q"\`},
	"Int":      {num("0"), num("1"), num("2"), num("3"), num("-1"), num("2147483647"), num("-2147483648")},
	"BigInt":   {"0", "7", "-1", "9223372036854775807", "-9223372036854775808", num("12")},
	"Float":    {num("0"), num("1.5"), num("-2.25"), num("1e300"), num("5e-324"), num("3")},
	"Decimal":  {"0", "1.50", "-1.5", "10", "123456.78", num("2")},
	"Boolean":  {true, false},
	"DateTime": {"2026-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-01-01T01:00:00+01:00"},
	"Date":     {"2026-01-01", "1969-12-31", "0001-01-01"},
	"Time":     {"00:00:00", "23:59:59.999999", "12:00:00.5"},
	"UUID":     {"00000000-0000-4000-8000-000000000000", "0190f6a8-7b1c-4def-8a1b-0123456789ab", "FFFFFFFF-0000-4000-8000-000000000000"},
	"Bytes":    {"", "AA==", "AP8="},
	"JSON": {
		document{map[string]any{"a": json.Number("1"), "b": []any{true, nil, "x"}}},
		document{[]any{json.Number("1.0"), "y"}},
		document{"text"},
		document{json.Number("12345678901234567890")},
		document{true},
		document{map[string]any{}},
	},
}

func num(s string) json.Number { return json.Number(s) }

// texts are strings that the fields of their name take.
var texts = map[string][]any{
	"slug": {"a-1", "b", "c-2"}, "handle": {"a-1", "b"}, "email": {"a@b.example", "c@d.example", "e@f.example"},
	"website": {"https://a.example"}, "postcode": {"123"}, "title": {"A title", "Another"}, "name": {"Ann", "Bob", "Some name"},
	"about": {"It is"}, "regex": {"^a", "n+$", "(?i)ANN", "."}, "body": {"Some words", "words"},
}

// chance makes values of an API.
type chance struct {
	*rand.Rand
	api   *api
	seen  map[string][]any // values of the rows, by Type.field:Scalar
	fresh *int             // makes new keys
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (c *chance) one(in float64) bool { return c.Float64() < in }

// place is what a value is for: a field of a table, in a new row or in a question.
type place struct {
	table, field string
	new          bool
	sure         bool   // of a row that is there, if there is one
	must         bool   // not null, whatever there is
	row          int    // which row, that the parts of a key are of one
	alone        bool   // takes no other rows along
	under        string // the table of the row that a new row comes with
	depth        int
	groups       []string // of groupBy, if the groups are made already
}

// value is a random valid value of a type.
func (c *chance) value(r *ref, at place) any {
	if !r.nonNull() && at.new && c.one(0.1) {
		return nil
	}
	r = r.bare()
	if r.Kind == "LIST" {
		if at.depth < 4 && c.one(0.05) {
			return c.value(nonNull(r.OfType), at) // one stands for a list of one
		}
		list := make([]any, 0, 3)
		for range 1 + c.IntN(2) {
			v := c.value(nonNull(r.OfType), at)
			if r.OfType.bare().Kind != "ENUM" || !has(list, v) {
				list = append(list, v)
			}
		}
		return list
	}
	t := c.api.types[r.Name]
	switch t.Kind {
	case "ENUM":
		if strings.HasSuffix(t.Name, "Field") && at.groups != nil && at.field != "groupBy" {
			return word(pick(c.Rand, at.groups))
		}
		return word(pick(c.Rand, t.EnumValues).Name)
	case "INPUT_OBJECT":
		return c.object(t, at)
	}
	return c.scalar(t.Name, at)
}

func has(list []any, v any) bool {
	for _, e := range list {
		if spelled(e) == spelled(v) {
			return true
		}
	}
	return false
}

func nonNull(r *ref) *ref { return &ref{Kind: "NON_NULL", OfType: r.bare()} }

// leadsTo are the values that the key of a link may have, and whether a field is such a key.
func (c *chance) leadsTo(at place, scalar string) ([]any, bool) {
	f := c.api.heldBy(at.table, at.field)
	if f == nil {
		return nil, false
	}
	rest := strings.TrimPrefix(at.field, f.Name)
	return c.seen[f.Type.named()+"."+strings.ToLower(rest[:1])+rest[1:]+":"+scalar], true
}

// unique is a value that no row has.
func (c *chance) unique(scalar string, at place) any {
	*c.fresh++
	n := strconv.Itoa(*c.fresh)
	switch scalar {
	case "Int", "BigInt":
		return num("1" + n)
	case "UUID":
		return "00000000-0000-4000-9000-" + strings.Repeat("0", 12-len(n)) + n
	case "Date":
		return time.Date(2000, 1, *c.fresh, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	if at.field == "email" {
		return "n" + n + "@x.example"
	}
	return "n" + n
}

func (c *chance) scalar(name string, at place) any {
	if at.field == "ifVersion" { // of the row that is named beside it
		at.field, at.sure = "version", c.one(0.8)
	}
	seen := c.seen[at.table+"."+at.field+":"+name]
	if at.new {
		there, isKey := c.leadsTo(at, name)
		switch {
		case isKey && len(there) == 0 && !at.must:
			return nil
		case isKey && len(there) > 0:
			return there[at.row%len(there)]
		case at.field == "id" || c.api.keys[at.table+"."+at.field] && c.one(0.9):
			return c.unique(name, at)
		}
	}
	if len(seen) > 0 && at.sure {
		return seen[at.row%len(seen)]
	}
	if len(seen) > 0 && c.one(0.7) {
		return pick(c.Rand, seen)
	}
	if known := texts[at.field]; name == "String" && known != nil {
		return pick(c.Rand, known)
	}
	switch at.field {
	case "limit", "first", "last":
		return num(strconv.Itoa(1 + c.IntN(3)))
	case "offset":
		return num(strconv.Itoa(c.IntN(2)))
	}
	if pool := pools[name]; pool != nil {
		return pick(c.Rand, pool)
	}
	return "?" // a scalar of which nothing is known
}

// object is a random input object: all that it must have, and some of the rest.
func (c *chance) object(t *typ, at place) any {
	inner := at
	inner.depth++
	switch {
	case strings.HasSuffix(t.Name, "Connect"), strings.HasSuffix(t.Name, "OnConflict"):
		return c.naming(t, at)
	case t.input("connect") != nil || t.input("create") != nil && (strings.HasSuffix(t.Name, "Link") || strings.HasSuffix(t.Name, "LinkSet")):
		return c.link(t, at)
	}
	isFilter := strings.HasSuffix(t.Name, "Filter")
	if !isFilter {
		if table := c.api.table(t.Name); table != "" {
			inner.table = table
		}
	}
	inner.new = at.new || strings.HasSuffix(t.Name, "Insert")
	single := strings.HasSuffix(t.Name, "Order")
	inner.under = ""
	isRow := strings.HasSuffix(t.Name, "Insert")
	links := map[string]bool{} // that are written along
	for _, f := range t.InputFields {
		if c.api.link(f) && at.depth < 2 && !at.alone && c.one(0.12) {
			links[f.Name] = true
		}
	}
	var must, may []*input
	for _, f := range t.InputFields {
		if c.api.link(f) {
			if links[f.Name] {
				must = append(must, f)
			}
			continue
		}
		if held := c.api.heldBy(inner.table, f.Name); held != nil && inner.new && !isFilter {
			switch {
			case links[held.Name], at.under != "" && held.Type.named() == at.under:
				continue // the link says it
			case isRow && held.Type.nonNull():
				must = append(must, f)
				continue
			}
		}
		nests := c.api.of(f.Type).Kind == "INPUT_OBJECT"
		switch {
		case f.required(), inner.new && f.Name == "id" && at.depth < 4:
			must = append(must, f)
		case at.depth >= 3 && nests && !strings.HasSuffix(f.Type.named(), "Filter"):
		case single && inner.depth > 1 && f.Name == "group" && at.groups == nil:
		default:
			may = append(may, f)
		}
	}
	if t.input("path") != nil && isFilter && len(may) > 1 { // a path needs something to say of what is there
		may = slices.DeleteFunc(may, func(f *input) bool { return f.Name == "path" })
		if c.one(0.3) {
			must = append(must, t.input("path"))
		}
	}
	want := 1
	if at.new || inner.new {
		want = max(1, len(may)*2/3)
	} else if !single && c.one(0.3) {
		want = 2
	}
	c.Shuffle(len(may), func(i, j int) { may[i], may[j] = may[j], may[i] })
	given := append(must, may[:min(want, len(may))]...)
	if len(must) > 0 && single {
		given = must
	}
	var o object
	inner.row = c.IntN(1 << 20)
	for _, f := range given {
		p := inner
		p.must = f.required() || isRow && slices.Contains(must, f)
		if !isFilter || f.Name[0] != '_' {
			p.field = f.Name
		}
		if f.Name == "_regex" {
			p.table, p.field = "", "regex"
		}
		if at.groups != nil && strings.HasSuffix(t.Name, "KeyOrder") && !slices.Contains(at.groups, f.Name) {
			continue
		}
		if isFilter && (f.Name == "_eq" || f.Name == "_ne") && c.one(0.1) {
			o = append(o, member{f.Name, nil})
			continue
		}
		if strings.HasSuffix(t.Name, "Rename") {
			if to := c.alike(inner.table, f); len(to) > 0 && c.one(0.9) {
				o = append(o, member{f.Name, pick(c.Rand, to)})
				continue
			}
		}
		o = append(o, member{f.Name, c.value(nonNull(f.Type), p)})
		if inner.new && !p.must && !c.api.link(f) && c.one(0.05) {
			o[len(o)-1].value = nil
		}
	}
	return o
}

// alike are the columns that the value of another may move to.
func (c *chance) alike(table string, from *input) (to []word) {
	t := c.api.types[table]
	if t == nil || t.field(from.Name) == nil {
		return nil
	}
	for _, v := range c.api.of(from.Type).EnumValues {
		if f := t.field(v.Name); f != nil && v.Name != from.Name && f.Type.bare().String() == t.field(from.Name).Type.bare().String() {
			to = append(to, word(v.Name))
		}
	}
	return to
}

// naming is an object that names rows by a unique key: one that is there, or the one of onConflict.
func (c *chance) naming(t *typ, at place) any {
	at.table, at.depth = c.api.table(t.Name), at.depth+1
	at.new, at.sure, at.row = false, true, c.IntN(1<<20)
	var key []string
	if all := c.api.unique[at.table]; len(all) > 0 {
		key = pick(c.Rand, all)
	}
	var o object
	if target := t.input("target"); target != nil {
		fields := c.api.of(target.Type).EnumValues
		if key == nil || c.one(0.05) {
			key = []string{pick(c.Rand, fields).Name}
		}
		var list []any
		for _, name := range key {
			list = append(list, word(name))
		}
		o = append(o, member{"target", list})
		if update := t.input("update"); update != nil && c.one(0.5) {
			o = append(o, member{"update", c.value(nonNull(update.Type), at)})
		}
		return o
	}
	if key == nil || c.one(0.05) {
		key = []string{pick(c.Rand, t.InputFields).Name}
	}
	for _, name := range key {
		if in := t.input(name); in != nil {
			at.field = name
			o = append(o, member{name, c.value(nonNull(in.Type), at)})
		}
	}
	return o
}

// link is an object that writes other rows along in one way.
func (c *chance) link(t *typ, at place) any {
	way := pick(c.Rand, t.InputFields)
	at.under, at.depth, at.field, at.new = at.table, at.depth+1, way.Name, true
	return object{{way.Name, c.value(nonNull(way.Type), at)}}
}

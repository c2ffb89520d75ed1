package stories

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spacecloud/auth"
	"spacecloud/query"
	"spacecloud/schema"
	"spacecloud/tests/served"
)

const lawSDL = `
enum Kind { A B C }
type Row @auth(read: "true", create: "true") {
  id: ID! @primary
  s: String
  i: Int
  b: BigInt
  f: Float
  d: Decimal
  yes: Boolean
  at: DateTime
  day: Date
  time: Time
  u: UUID
  raw: Bytes
  kind: Kind
  name: String!
  n: Int!
  parent: Row @link
  children: [Row!]! @link
}
type Doc @auth(
  create: "true"
  read: "doc.public || doc.ownerId == auth.id || doc.level < auth.level || exists(Member, m, m.team == doc.team && m.user == auth.id)"
) {
  id: ID! @primary
  public: Boolean
  ownerId: ID
  owner: Person @link(from: "ownerId", to: "id")
  team: String
  level: Int
  text: String
}
type Person @auth(create: "true", read: "doc.id == auth.id || auth.role == 'admin'") {
  id: ID! @primary
  docs: [Doc!]! @link
}
type Member @auth(create: "true", read: "doc.user == auth.id") {
  team: String! @primary
  user: ID! @primary
}
`

// pools are the values that rows and filters take, by scalar; few, so that they meet.
var pools = map[schema.Scalar][]any{
	schema.ID:        {"1", "2", "10", "7", "x"},
	schema.String:    {"", "a", "A", "ann", "Ann", "a%b", "a_b", "axb", "ä", "Ä", "ß", "ẞ", "K", "k", "K", `a\b`, "😀"},
	schema.Int:       {0, 1, -1, 7, 2147483647, -2147483648},
	schema.BigInt:    {"0", "1", "-1", "9007199254740993", "9223372036854775807", "-9223372036854775808"},
	schema.Float:     {0, 1.5, -1.5, 1e300, 5e-324, 0.1},
	schema.Decimal:   {"0", "1.5", "-1.5", "10", "9", "0.000000001", "9999999999999999999999999", "-10"},
	schema.Boolean:   {true, false},
	schema.DateTime:  {"2026-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2026-01-01T01:00:00+01:00", "0001-01-01T00:00:00Z"},
	schema.Date:      {"2026-01-01", "1969-12-31", "0001-01-01"},
	schema.Time:      {"00:00:00", "23:59:59.999999", "12:00:00.5"},
	schema.UUID:      {"00000000-0000-0000-0000-000000000000", "0190f6a8-7b1c-7def-8a1b-0123456789ab", "FFFFFFFF-0000-0000-0000-000000000000"},
	schema.Bytes:     {"", "AA==", "AP8="},
	schema.EnumValue: {"A", "B", "C"},
}

var (
	patterns = []string{"", "%", "_", "a%", "%b", "A_", `a\%b`, `a\_b`, `a\\b`, "K", "ß", "%n%", "Ä"}
	regexes  = []string{"^a", "n+$", "(?i)ANN", ".", "[äß]", `\\`, "^$", "(?i)k", "^.{1,2}$"}
)

var symbols = map[query.Op]string{
	query.Eq: "_eq", query.Ne: "_ne", query.Gt: "_gt", query.Gte: "_gte", query.Lt: "_lt", query.Lte: "_lte", query.In: "_in", query.Nin: "_nin",
	query.Like: "_like", query.ILike: "_ilike", query.StartsWith: "_startsWith", query.EndsWith: "_endsWith", query.Contains: "_contains", query.IContains: "_icontains", query.Regex: "_regex",
}

// operators are those of a scalar.
func operators(s schema.Scalar) []query.Op {
	ops := []query.Op{query.Eq, query.Ne, query.In, query.Nin}
	if s != schema.Boolean && s != schema.EnumValue && s != schema.Bytes {
		ops = append(ops, query.Gt, query.Gte, query.Lt, query.Lte)
	}
	if s == schema.String {
		ops = append(ops, query.Like, query.ILike, query.StartsWith, query.EndsWith, query.Contains, query.IContains, query.Regex)
	}
	return ops
}

// table is all rows of a type, as the slow evaluator sees them.
type table struct {
	typ  *schema.Type
	rows []*row
}

type row struct {
	values []schema.Value
	tables map[*schema.Type]*table
}

func (r *row) id() string                         { return r.values[0].Text() }
func (r *row) Value(f *schema.Field) schema.Value { return r.values[f.Index] }
func (r *row) All(t *schema.Type) (out []query.Row) {
	return r.where(t, func(*row) bool { return true })
}

func (r *row) Linked(f *schema.Field) []query.Row {
	return r.where(f.Link.Target, func(o *row) bool {
		a, b := r.Value(f.Link.From[0]), o.Value(f.Link.To[0])
		return !a.IsNull() && a.Compare(b) == 0
	})
}

func (r *row) where(t *schema.Type, ok func(*row) bool) (out []query.Row) {
	for _, o := range r.tables[t].rows {
		if ok(o) {
			out = append(out, o)
		}
	}
	return out
}

// law is one run of the law: a server, the same rows beside it, and a source of chance.
type law struct {
	*rand.Rand
	t      *testing.T
	server *served.Server
	schema *schema.Schema
	tables map[*schema.Type]*table
	seen   int // rows in all answers
}

func newLaw(t *testing.T, on served.Kind, seed uint64) *law {
	t.Helper()
	s := served.Must(schema.Parse(schema.Source{Name: "schema.graphql", Text: lawSDL}))(t)
	return &law{rand.New(rand.NewPCG(seed, 1)), t, serve(t, on, lawSDL), s, map[*schema.Type]*table{}, 0}
}

func pick[T any](l *law, from []T) T { return from[l.IntN(len(from))] }

// insert writes rows to both.
func (l *law) insert(typ string, docs []map[string]any) {
	l.t.Helper()
	t := l.schema.Type(typ)
	of := &table{typ: t}
	l.tables[t] = of
	for _, doc := range docs {
		r := &row{make([]schema.Value, len(t.Columns)), l.tables}
		for _, f := range t.Columns {
			if doc[f.Name] != nil {
				r.values[f.Index] = served.Must(f.Coerce(decoded(doc[f.Name])))(l.t)
			}
		}
		of.rows = append(of.rows, r)
	}
	plural := strings.ToUpper(t.Plural[:1]) + t.Plural[1:]
	text := fmt.Sprintf("mutation ($d: [%sInsert!]!) { insert%s(docs: $d) { affected } }", typ, plural)
	var answer struct{ Errors []any }
	if err := json.Unmarshal(post(l.t, l.server, &auth.Caller{}, map[string]any{"query": text, "variables": map[string]any{"d": docs}}), &answer); err != nil || answer.Errors != nil {
		l.t.Fatal(err, answer.Errors)
	}
}

// decoded is a value as the server's JSON decoder gives it.
func decoded(v any) any {
	switch v := v.(type) {
	case int:
		return json.Number(strconv.Itoa(v))
	case float64:
		return json.Number(strconv.FormatFloat(v, 'g', -1, 64))
	}
	return v
}

func (l *law) randomRows(n int) []map[string]any {
	t := l.schema.Type("Row")
	var docs []map[string]any
	for i := range n {
		doc := map[string]any{"id": strconv.Itoa(i), "name": pick(l, pools[schema.String]), "n": l.IntN(4)}
		for _, f := range t.Columns {
			if _, ok := doc[f.Name]; !ok && f.Name != "parentId" && l.IntN(4) > 0 {
				doc[f.Name] = pick(l, pools[f.Scalar])
			}
		}
		if l.IntN(3) > 0 && i > 0 {
			doc["parentId"] = strconv.Itoa(l.IntN(i))
		}
		docs = append(docs, doc)
	}
	return docs
}

// asked is a part of a request: as it is sent and as it is meant.
type asked struct {
	json  map[string]any
	where query.Where
}

// filter is a random condition on rows of a type.
func (l *law) filter(t *schema.Type, depth int) asked {
	switch n := l.IntN(8); {
	case depth > 0 && n == 0:
		a := l.filter(t, depth-1)
		return asked{map[string]any{"_not": a.json}, query.Not{Where: a.where}}
	case depth > 0 && n < 4:
		parts, wheres := []any{}, []query.Where{}
		least := 0
		if n == 1 { // an empty _and is refused
			least = 1
		}
		for range least + l.IntN(4-least) {
			a := l.filter(t, depth-1)
			parts, wheres = append(parts, a.json), append(wheres, a.where)
		}
		if n == 1 {
			return asked{map[string]any{"_and": parts}, query.And(wheres)}
		}
		return asked{map[string]any{"_or": parts}, query.Or(wheres)}
	}
	f := pick(l, t.Columns)
	operand, where := l.condition(f)
	return asked{map[string]any{f.Name: operand}, where}
}

// condition is a random operator on a column.
func (l *law) condition(f *schema.Field) (map[string]any, query.Where) {
	null := query.IsNull{Operand: query.Col(f)}
	switch l.IntN(12) {
	case 0:
		return map[string]any{"_isNull": true}, null
	case 1:
		return map[string]any{"_isNull": false}, query.Not{Where: null}
	case 2:
		return map[string]any{"_eq": nil}, null
	case 3:
		return map[string]any{"_ne": nil}, query.Not{Where: null}
	}
	op := pick(l, operators(f.Scalar))
	var sent any
	var right schema.Value
	switch {
	case op == query.In || op == query.Nin:
		list, values := []any{}, []schema.Value{}
		for range l.IntN(3) {
			v := pick(l, pools[f.Scalar])
			list, values = append(list, v), append(values, served.Must(f.Coerce(decoded(v)))(l.t))
		}
		sent, right = list, schema.List(values)
	case op == query.Regex:
		sent = pick(l, regexes)
		right = schema.Text(sent.(string))
	case op >= query.Like:
		sent = pick(l, patterns)
		right = schema.Text(sent.(string))
	default:
		sent = pick(l, pools[f.Scalar])
		right = served.Must(f.Coerce(decoded(sent)))(l.t)
	}
	return map[string]any{symbols[op]: sent}, query.Compare{Left: query.Col(f), Op: op, Right: query.Const(right)}
}

var directions = []struct {
	name             string
	desc, nullsFirst bool
}{
	{"ASC", false, false},
	{"DESC", true, true},
	{"ASC_NULLS_FIRST", false, true},
	{"ASC_NULLS_LAST", false, false},
	{"DESC_NULLS_FIRST", true, true},
	{"DESC_NULLS_LAST", true, false},
}

// list is a random list's arguments, and the slow way to them.
type list struct {
	json          map[string]any
	where         query.Where
	compare       func(a, b *row) int
	limit, offset int
}

func (l *law) list(t *schema.Type) list {
	a := l.filter(t, 3)
	out := list{where: a.where, limit: 1 + l.IntN(12), offset: l.IntN(2) * l.IntN(4)}
	orders := []any{}
	var by []func(a, b *row) int
	for range l.IntN(3) {
		f, d := pick(l, t.Columns), pick(l, directions)
		if f.Scalar == schema.Bytes {
			continue
		}
		orders = append(orders, map[string]any{f.Name: d.name})
		by = append(by, func(a, b *row) int { return order(f, a.Value(f), b.Value(f), d.desc, d.nullsFirst) })
	}
	by = append(by, func(a, b *row) int { return strings.Compare(a.id(), b.id()) })
	out.compare = func(a, b *row) int {
		for _, c := range by {
			if n := c(a, b); n != 0 {
				return n
			}
		}
		return 0
	}
	out.json = map[string]any{"where": a.json, "orderBy": orders, "limit": out.limit, "offset": out.offset}
	return out
}

func order(f *schema.Field, a, b schema.Value, desc, nullsFirst bool) int {
	switch {
	case a.IsNull() && b.IsNull():
		return 0
	case a.IsNull() || b.IsNull():
		if a.IsNull() == nullsFirst {
			return -1
		}
		return 1
	}
	n := a.Compare(b)
	if f.Scalar == schema.Decimal {
		n = query.CompareDecimal(a.Text(), b.Text())
	}
	if desc {
		return -n
	}
	return n
}

// answer is the rows of a list, slowly; allowed is the rule.
func (a list) answer(rows []*row, allowed func(*row) bool) []*row {
	var out []*row
	for _, r := range rows {
		if allowed(r) && query.Holds(a.where, r, query.Binding{}) == query.True {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, a.compare)
	out = out[min(a.offset, len(out)):]
	return out[:min(a.limit, len(out))]
}

// literal is a value in the language of requests; enums are what is sent as a word.
func literal(v any, key string) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for k, e := range v {
			if k[0] != '_' {
				key = k
			}
			parts = append(parts, k+": "+literal(e, key))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, literal(e, key))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		if key == "kind" || strings.HasPrefix(v, "ASC") || strings.HasPrefix(v, "DESC") {
			return v // no pool has such a text
		}
	}
	text, _ := json.Marshal(v)
	return string(text)
}

const arguments = "where: $%[1]sw, orderBy: $%[1]so, limit: $%[1]sl, offset: $%[1]sk"

func declared(prefix, typ string) string {
	return fmt.Sprintf("$%[1]sw: %[2]sWhere, $%[1]so: [%[2]sOrder!], $%[1]sl: Int!, $%[1]sk: Int!", prefix, typ)
}

func (a list) variables(prefix string, into map[string]any) {
	into[prefix+"w"], into[prefix+"o"], into[prefix+"l"], into[prefix+"k"] = a.json["where"], a.json["orderBy"], a.limit, a.offset
}

// Whatever is asked of whatever rows, in literals or variables, at the root or under a link,
// the server answers with what query.Holds says, in the order and within the limits asked for.
func TestFiltersAnswerWhatHoldsSays(t *testing.T) { served.Each(t, filtersAnswerWhatHoldsSays) }

func filtersAnswerWhatHoldsSays(t *testing.T, on served.Kind) {
	for seed := range uint64(3) {
		l := newLaw(t, on, seed)
		l.insert("Row", l.randomRows(60))
		for n := range 150 {
			l.compareRows(seed, n)
		}
		l.saw(400)
	}
}

func (l *law) compareRows(seed uint64, n int) {
	l.t.Helper()
	t := l.schema.Type("Row")
	root, below := l.list(t), l.list(t)
	body := map[string]any{}
	if l.IntN(2) == 0 {
		vars := map[string]any{}
		root.variables("r", vars)
		below.variables("c", vars)
		body["variables"] = vars
		body["query"] = fmt.Sprintf("query (%s, %s) { rows(%s) { id children(%s) { id } parent { id } } }",
			declared("r", "Row"), declared("c", "Row"), fmt.Sprintf(arguments, "r"), fmt.Sprintf(arguments, "c"))
	} else {
		body["query"] = fmt.Sprintf("{ rows(%s) { id children(%s) { id } parent { id } } }", trimBraces(root.json), trimBraces(below.json))
	}
	var want strings.Builder
	everything := func(*row) bool { return true }
	for _, r := range root.answer(l.tables[t].rows, everything) {
		var children []*row
		for _, c := range r.Linked(t.Field("children")) {
			children = append(children, c.(*row))
		}
		parent := "-"
		if !r.Value(t.Field("parentId")).IsNull() {
			parent = r.Value(t.Field("parentId")).Text()
		}
		fmt.Fprintf(&want, "%s<%s:%s ", r.id(), parent, ids(below.answer(children, everything)))
	}
	var got strings.Builder
	var answer struct {
		Errors []any
		Data   struct {
			Rows []struct {
				ID       string
				Parent   *struct{ ID string }
				Children []struct{ ID string }
			}
		}
	}
	raw := post(l.t, l.server, &auth.Caller{}, body)
	if err := json.Unmarshal(raw, &answer); err != nil {
		l.t.Fatal(err)
	}
	for _, r := range answer.Data.Rows {
		parent, children := "-", []string{}
		if r.Parent != nil {
			parent = r.Parent.ID
		}
		for _, c := range r.Children {
			children = append(children, c.ID)
		}
		fmt.Fprintf(&got, "%s<%s:%s ", r.ID, parent, strings.Join(children, ","))
	}
	l.seen += len(answer.Data.Rows)
	if answer.Errors != nil || got.String() != want.String() {
		l.fail(seed, n, body, raw, got.String(), want.String())
	}
}

// saw is whether enough rows were compared to say anything.
func (l *law) saw(least int) {
	l.t.Helper()
	l.t.Logf("%d rows were compared", l.seen)
	if l.seen < least {
		l.t.Errorf("only %d rows were compared", l.seen)
	}
}

func trimBraces(v map[string]any) string {
	text := literal(v, "")
	return text[1 : len(text)-1]
}

func (l *law) fail(seed uint64, n int, body map[string]any, raw []byte, got, want string) {
	l.t.Helper()
	vars, _ := json.Marshal(body["variables"])
	l.t.Fatalf("seed %d, request %d\n%s\nvariables %s\ngot  %s\nwant %s\nanswer %.500s", seed, n, body["query"], vars, got, want, raw)
}

func ids(rows []*row) string {
	var out []string
	for _, r := range rows {
		out = append(out, r.id())
	}
	return strings.Join(out, ",")
}

// Whoever asks, whatever they ask: no row is seen that its rule refuses, and no row is missing
// that it allows, at the root, behind a link and by key.
func TestNoRowIsSeenThatItsRuleRefuses(t *testing.T) { served.Each(t, noRowIsSeenThatItsRuleRefuses) }

func noRowIsSeenThatItsRuleRefuses(t *testing.T, on served.Kind) {
	people := []string{"", "1", "2", "7", "stranger"}
	for seed := range uint64(3) {
		l := newLaw(t, on, seed)
		l.insert("Person", []map[string]any{{"id": "1"}, {"id": "2"}, {"id": "7"}})
		l.insert("Member", []map[string]any{{"team": "a", "user": "1"}, {"team": "A", "user": "1"}, {"team": "a", "user": "2"}, {"team": "ann", "user": "7"}})
		var docs []map[string]any
		for i := range 50 {
			doc := map[string]any{"id": strconv.Itoa(i), "text": pick(l, pools[schema.String])}
			for name, pool := range map[string][]any{"public": {true, false, nil}, "ownerId": {"1", "2", "7", nil}, "team": {"a", "A", "ann", "b", nil}, "level": {1, 5, 9, nil}} {
				doc[name] = pool[(i*7+len(name)*3+int(seed))%len(pool)]
			}
			docs = append(docs, doc)
		}
		l.insert("Doc", docs)
		for n := range 120 {
			l.askAs(seed, n, pick(l, people))
		}
		l.saw(200)
	}
}

func (l *law) askAs(seed uint64, n int, who string) {
	l.t.Helper()
	c := &auth.Caller{Now: now, Claims: map[string]any{}}
	if who != "" {
		c.SignedIn, c.Claims["id"] = true, who
	}
	if l.IntN(2) == 0 {
		c.Claims["level"] = float64(pick(l, []int{0, 2, 6, 100}))
	}
	if l.IntN(3) == 0 {
		c.Claims["role"] = pick(l, []string{"admin", "user"})
	}
	doc, person := l.schema.Type("Doc"), l.schema.Type("Person")
	allowed := func(r *row) bool { return l.mayRead(c, r) }
	person1 := func(r *row) bool { return c.SignedIn && r.id() == c.Claims["id"] || c.Claims["role"] == "admin" }
	a := l.list(doc)
	key := strconv.Itoa(l.IntN(50))
	vars := map[string]any{"key": key}
	a.variables("r", vars)
	list := fmt.Sprintf(arguments, "r")
	body := map[string]any{"variables": vars, "query": fmt.Sprintf("query (%s, $key: ID!) { docs(%s) { id owner { id docs(%s) { id } } } doc(id: $key) { id } }", declared("r", "Doc"), list, list)}

	var want strings.Builder
	for _, r := range a.answer(l.tables[doc].rows, allowed) {
		want.WriteString(r.id())
		for _, o := range r.Linked(doc.Field("owner")) {
			if owner := o.(*row); person1(owner) {
				var theirs []*row
				for _, d := range owner.Linked(person.Field("docs")) {
					theirs = append(theirs, d.(*row))
				}
				want.WriteString("<" + owner.id() + ":" + ids(a.answer(theirs, allowed)))
			}
		}
		want.WriteString(" ")
	}
	for _, r := range l.tables[doc].rows {
		if r.id() == key && allowed(r) {
			want.WriteString("key")
		}
	}
	raw := post(l.t, l.server, c, body)
	if got := l.read(raw); got != want.String() {
		body["query"] = fmt.Sprintf("as %v: %s", c.Claims, body["query"])
		l.fail(seed, n, body, raw, got, want.String())
	}
}

// read prints an answer of askAs.
func (l *law) read(raw []byte) string {
	l.t.Helper()
	var answer struct {
		Errors []any
		Data   struct {
			Docs []struct {
				ID    string
				Owner *struct {
					ID   string
					Docs []struct{ ID string }
				}
			}
			Doc *struct{ ID string }
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Errors != nil {
		return string(raw)
	}
	l.seen += len(answer.Data.Docs)
	var got strings.Builder
	for _, d := range answer.Data.Docs {
		got.WriteString(d.ID)
		if d.Owner != nil {
			var theirs []string
			for _, each := range d.Owner.Docs {
				theirs = append(theirs, each.ID)
			}
			got.WriteString("<" + d.Owner.ID + ":" + strings.Join(theirs, ","))
		}
		got.WriteString(" ")
	}
	if answer.Data.Doc != nil {
		got.WriteString("key")
	}
	return got.String()
}

// mayRead is the rule of Doc, said once more: only what is true admits.
func (l *law) mayRead(c *auth.Caller, r *row) bool {
	value := func(name string) schema.Value { return r.Value(l.schema.Type("Doc").Field(name)) }
	if v := value("public"); !v.IsNull() && v.Bool() {
		return true
	}
	if level, ok := c.Claims["level"].(float64); ok && !value("level").IsNull() && float64(value("level").Int()) < level {
		return true
	}
	id, signedIn := c.Claims["id"].(string)
	if !signedIn {
		return false
	}
	if v := value("ownerId"); !v.IsNull() && v.Text() == id {
		return true
	}
	member := l.schema.Type("Member")
	return slices.ContainsFunc(l.tables[member].rows, func(m *row) bool {
		team := value("team")
		return !team.IsNull() && m.Value(member.Field("team")).Text() == team.Text() && m.Value(member.Field("user")).Text() == id
	})
}

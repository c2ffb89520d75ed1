package migrate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The law: whatever schema follows whatever other, either the migration is refused and the
// database is as it was, or it is done, nothing is left to do, and every value of every
// column that is in both schemas is still there.
func TestNoMigrationLosesWhatItDoesNotSay(t *testing.T) {
	pairs := 80
	if testing.Short() {
		pairs = 20
	}
	t.Run("SQLite", func(t *testing.T) { testLaw(t, pairs, newWorld) })
	t.Run("PostgreSQL", func(t *testing.T) { testLaw(t, pairs/3, newPostgres) })
	t.Run("MySQL", func(t *testing.T) { testLaw(t, pairs/3, newMySQL) })
}

func testLaw(t *testing.T, pairs int, open func(*testing.T) world) {
	open(t) // skips all of it where there is no such database
	outcomes, undone := map[bool]int{}, map[bool]int{}
	for seed := range uint64(pairs) {
		r := rand.New(rand.NewPCG(seed, 7))
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := open(t)
			from := randomModel(r)
			to := from.edited(r)
			w.apply(from.sdl(), Options{})
			w.fill(r, from)
			for _, o := range []Options{{Policy: Keep}, {Policy: Tidy}, {AllowDestroy: true}} {
				outcomes[w.follow(from, to, o)]++
				if seed%2 == 0 { // one by one
					undone[allTheWayBack(w, w.db, from, true)]++
				}
			}
			undone[allTheWayBack(w, w.db, from, false)]++
		})
	}
	t.Logf("%d were undone, %d not", undone[true], undone[false])
	if !t.Failed() && undone[true] == 0 {
		t.Error("nothing was undone")
	}
	t.Logf("%d migrations were done, %d refused", outcomes[true], outcomes[false])
	if !t.Failed() && (outcomes[true] == 0 || outcomes[false] == 0) {
		t.Error("the pairs are too tame, or too wild, to show anything")
	}
}

// follow applies and checks the law; it says whether the migration was done.
func (w world) follow(from, to model, o Options) bool {
	w.Helper()
	before, values := w.dump(), w.values(from)
	plan, err := Apply(w.Context(), w.db, w.schema(to.sdl()), o)
	if err != nil {
		if after := w.dump(); after != before {
			w.Fatalf("refused with %v, and changed\n%s\nto\n%s", err, before, after)
		}
		if strings.Contains(err.Error(), "this statement failed") {
			w.Errorf("the data checks did not see what the database saw:\n%v\n%s", err, plan)
		}
		return false
	}
	if again := w.plan(to.sdl(), o.Policy); !again.Empty() {
		w.Fatalf("after\n%s\nthere is still\n%s", plan, again)
	}
	lost := map[string]bool{} // what the plan said it destroys
	for _, c := range plan.with(Destroys) {
		for word := range strings.FieldsSeq(c.Comment) {
			lost[strings.TrimRight(word, ":")] = true
		}
	}
	after := w.values(from)
	for cell, was := range values {
		table, column, _ := strings.Cut(strings.SplitN(cell, "/", 2)[0], ".")
		now, there := after[cell]
		switch {
		case lost[table] || lost[table+"."+column]:
		case !there && was == "NULL" && !to.has(table, column) && o.Policy == Tidy: // dropped, being empty
		case to.has(table, column) && to.kind(table, column) != from.kind(table, column): // converted
		case now != was:
			w.Fatalf("%s was %s and is %q after\n%s", cell, was, now, plan)
		}
	}
	return true
}

// lawful is a database of some kind, as the law looks at it.
type lawful interface {
	testing.TB
	dump() string
	values(from model) map[string]string
	plan(sdl string, p Policy) Plan
}

// allTheWayBack undoes all migrations but the first, each of which is refused and changes nothing or
// leads to what was there before it, but for what an earlier one had left though its schema had
// it no more; and no value is another one of which no plan said that it is lost. It says whether
// all were undone.
func allTheWayBack(w lawful, db Database, from model, nothingLeft bool) bool {
	w.Helper()
	values, lost := w.values(from), lostBy(entriesOf(w, db))
	for len(standing(entriesOf(w, db))) > 1 {
		stand := standing(entriesOf(w, db))
		before := w.dump()
		was, _, err := db.engine().recall(w.Context(), stand[len(stand)-2].ID)
		if err != nil {
			w.Fatal(err)
		}
		plan, err := ApplyDown(w.Context(), db, Options{AllowDestroy: true, StructureOnly: true})
		if err != nil {
			if after := w.dump(); after != before {
				w.Fatalf("refused with %v, and changed\n%s\nto\n%s", err, before, after)
			}
			if !strings.Contains(err.Error(), "was not undone") {
				w.Errorf("the data checks did not see what the database saw:\n%v\n%s", err, plan)
			}
			return false
		}
		entries := entriesOf(w, db)
		is, _, err := db.engine().recall(w.Context(), entries[len(entries)-1].ID)
		if err != nil {
			w.Fatal(err)
		}
		if drift := append(was.Shape.changed(is.Shape), is.Shape.changed(was.Shape)...); len(drift) > 0 && nothingLeft {
			w.Fatalf("after\n%s\nit is not what it was: %+v", plan, drift)
		}
		maps.Copy(lost, lostIn(plan.String()))
	}
	if left := w.plan(from.sdl(), Exact); !left.Empty() || len(left.Drift) > 0 {
		w.Fatalf("undone, there is still\n%s", left)
	}
	after := w.values(from)
	for cell, was := range values {
		table, column, _ := strings.Cut(strings.SplitN(cell, "/", 2)[0], ".")
		if now := after[cell]; now != was && !lost[table] && !lost[table+"."+column] {
			w.Fatalf("%s was %s and is %q", cell, was, now)
		}
	}
	return true
}

func entriesOf(tb testing.TB, db Database) []Entry {
	tb.Helper()
	entries, err := Status(tb.Context(), db)
	if err != nil {
		tb.Fatal(err)
	}
	return entries
}

// lostBy are the tables and columns of which some plan in the ledger said that it destroys or
// converts them.
func lostBy(entries []Entry) map[string]bool {
	lost := map[string]bool{}
	for _, e := range entries {
		maps.Copy(lost, lostIn(e.Plan))
	}
	return lost
}

func lostIn(plan string) map[string]bool {
	lost := map[string]bool{}
	var before string
	for line := range strings.Lines(plan) {
		for _, said := range []string{before, line} {
			if strings.Contains(line, "DESTROYS") || strings.Contains(said, ": from ") {
				for word := range strings.FieldsSeq(said) {
					lost[strings.TrimRight(word, ":")] = true
				}
			}
		}
		before = line
	}
	return lost
}

// model is a schema that the test knows how to edit and to fill.
type model []modelType

type modelType struct {
	name   string
	fields []modelField
}

type modelField struct {
	name, kind string // kind: a scalar, Color, or a type's name
	required   bool
	extra      string // directives
}

var pool = []modelField{
	{"a", "String", false, ""},
	{"b", "Int", false, ""},
	{"c", "Float", false, ""},
	{"d", "Boolean", false, ""},
	{"e", "Color", false, ""},
	{"f", "Decimal", false, ""},
	{"g", "DateTime", false, ""},
	{"h", "JSON", false, ""},
	{"i", "BigInt", false, " @index"},
	{"j", "String", false, " @unique"},
	{"k", "[String!]", false, ""},
	{"m", "Date", false, ""},
	{"n", "Int", true, " @default(value: 7)"},
	{"o", "String", true, ` @default(value: "it's\\ (so)")`},
	{"p", "Color", true, " @default(value: RED)"},
	{"q", "String", true, ""},
	{"r", "DateTime", true, " @createdAt"},
}

func randomModel(r *rand.Rand) model {
	var m model
	for _, name := range []string{"Apple", "Pear", "Plum"} {
		t := modelType{name: name}
		for _, f := range pool {
			if r.IntN(2) == 0 {
				t.fields = append(t.fields, f)
			}
		}
		m = append(m, t)
	}
	for i := range m {
		if r.IntN(2) == 0 {
			m[i].fields = append(m[i].fields, modelField{"link", m[r.IntN(len(m))].name, false, " @link"})
		}
	}
	return m
}

func (m model) edited(r *rand.Rand) model {
	next := make(model, len(m))
	for i, t := range m {
		next[i] = modelType{t.name, slices.Clone(t.fields)}
	}
	for range 1 + r.IntN(4) {
		t := &next[r.IntN(len(next))]
		if len(t.fields) == 0 {
			continue
		}
		at := r.IntN(len(t.fields))
		f := &t.fields[at]
		switch r.IntN(7) {
		case 0:
			t.fields = slices.Delete(t.fields, at, at+1)
		case 1:
			f.required = f.name != "link" && !f.required // nothing could be the first row
		case 2:
			if extra := pool[r.IntN(len(pool))]; !slices.ContainsFunc(t.fields, func(o modelField) bool { return o.name == extra.name }) {
				t.fields = append(t.fields, extra)
			}
		case 3:
			if f.extra == "" {
				f.kind = pool[r.IntN(13)].kind
			}
		case 4:
			if f.extra == "" && f.kind != "JSON" && f.kind[0] != '[' {
				f.extra = " @unique"
			}
		case 5:
			if f.extra == "" && f.kind == "String" {
				f.required, f.extra = true, ` @default(value: "x")`
			}
		case 6:
			if len(next) > 2 && !next.linked(t.name) {
				next = slices.DeleteFunc(next, func(o modelType) bool { return o.name == t.name })
			}
		}
	}
	return next
}

func (m model) linked(name string) bool {
	return slices.ContainsFunc(m, func(t modelType) bool {
		return slices.ContainsFunc(t.fields, func(f modelField) bool { return f.kind == name })
	})
}

func (m model) sdl() string {
	var b strings.Builder
	b.WriteString("enum Color { RED GREEN BLUE }\n")
	for _, t := range m {
		fmt.Fprintf(&b, "type %s @auth(read: \"true\", create: \"true\") {\n  id: ID! @primary\n", t.name)
		for _, f := range t.fields {
			bang := map[bool]string{true: "!"}[f.required]
			fmt.Fprintf(&b, "  %s: %s%s%s\n", f.name, f.kind, bang, f.extra)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

func (m model) table(name string) *modelType {
	for i, t := range m {
		if tableOf(t.name) == name {
			return &m[i]
		}
	}
	return nil
}

func (m model) kind(table, column string) string {
	if t := m.table(table); t != nil {
		for _, f := range t.fields {
			if columnOf(m, f) == column {
				return f.kind
			}
		}
	}
	return ""
}

func (m model) has(table, column string) bool { return m.kind(table, column) != "" }

func tableOf(name string) string { return strings.ToLower(name) + "s" }

func columnOf(m model, f modelField) string {
	if slices.ContainsFunc(m, func(t modelType) bool { return t.name == f.kind }) {
		return f.name + "_id"
	}
	return f.name
}

// fill inserts rows of valid values, some of them null where they may be.
func (w world) fill(r *rand.Rand, m model) {
	w.Helper()
	for _, t := range m {
		for row := range r.IntN(6) {
			names, values := []string{"id"}, []string{text(fmt.Sprintf("%s%d", t.name, row))}
			for _, f := range t.fields {
				names, values = append(names, w.quote(columnOf(m, f))), append(values, w.randomValue(r, f, row))
			}
			w.exec(w.kind.noKeys, "INSERT INTO "+w.quote(tableOf(t.name))+" ("+strings.Join(names, ", ")+") VALUES ("+strings.Join(values, ", ")+")", w.kind.keys)
		}
	}
}

func (w world) randomValue(r *rand.Rand, f modelField, row int) string {
	if !f.required && r.IntN(3) == 0 {
		return "NULL"
	}
	if f.extra == " @link" {
		return "NULL" // a target may not exist; TestRenamesKeepTheData has some that do
	}
	one := func(values ...string) string { return values[r.IntN(len(values))] }
	switch f.kind {
	case "Int":
		return one("0", "1", "-5", "2147483647")
	case "BigInt":
		return one("1", "9223372036854775807", "3000000000")
	case "Float":
		return one("1.5", "2.0", "0.1")
	case "Boolean":
		return one(w.kind.yes, w.kind.no)
	case "Color":
		return one("'RED'", "'GREEN'")
	case "Decimal":
		return one("'1.5'", "'12'", "'-0.000000001'")
	case "DateTime":
		moment := one("'2026-01-31T00:00:00.000000Z'", "'1969-12-31T23:59:59.999999Z'")
		if w.kind.moment != nil {
			return w.kind.moment(moment)
		}
		return moment
	case "Date":
		return one("'2026-01-31'", "'1969-12-31'")
	case "JSON":
		return one(`'{"a": [1, "x"]}'`, "'3'", "'\"t\"'")
	case "[String!]":
		return one(text(w.kind.list("x", "y")), text(w.kind.list()))
	}
	return text(one("one", "12", "true", "2026-01-31", "RED", "it''s") + fmt.Sprint(map[bool]any{true: row, false: ""}[strings.Contains(f.extra, "unique")]))
}

// values are all cells, by table.column/key.
func (w world) values(m model) map[string]string {
	w.Helper()
	cells := map[string]string{}
	for _, t := range m {
		table := tableOf(t.name)
		for _, f := range t.fields {
			column := columnOf(m, f)
			if w.ask(fmt.Sprintf(w.kind.hasColumn, table, column)) == "0" {
				continue
			}
			for line := range strings.SplitSeq(w.ask(fmt.Sprintf(w.kind.cell, w.quote(column), w.quote(table))), ";") {
				if key, value, ok := strings.Cut(line, ","); ok {
					cells[table+"."+column+"/"+key] = value
				}
			}
		}
	}
	return cells
}

package stories

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spacecloud/query"
	"spacecloud/tests/served"
)

const society = `
type User @auth(read: "doc.name != 'x'", create: "true") {
  id: ID! @primary  name: String!  n: Int
  boss: User @link(from: "bossId", to: "id")  bossId: ID
  team: [User!]! @link(from: "id", to: "bossId")
  posts: [Post!]! @link
}
type Post @auth(read: "doc.n != 0", create: "true") {
  id: ID! @primary  name: String!  n: Int!
  user: User @link
  tags: [Tag!]! @link(through: "Tagging")
}
type Tag @auth(read: "doc.name != 'z'", create: "true") { id: ID! @primary  name: String!  n: Int  posts: [Post!]! @link(through: "Tagging") }
type Tagging @auth(read: "doc.n != 2", create: "true") { id: ID! @primary  n: Int  post: Post! @link  tag: Tag! @link }
`

// person, post or tag: a row with its links by name, as far as they can be read.
type thing struct {
	id, name string
	n        any // int or nil
	links    map[string][]*thing
}

// links of the types, and whether they are to-many.
var societyLinks = map[string]map[string]struct {
	to   string
	many bool
}{
	"User": {"boss": {"User", false}, "team": {"User", true}, "posts": {"Post", true}},
	"Post": {"user": {"User", false}, "tags": {"Tag", true}},
	"Tag":  {"posts": {"Post", true}},
}

// Whatever is asked, the server answers as if it looked at each row that the caller may read,
// and from there at each linked one.
func TestFiltersMeanWhatTheySay(t *testing.T) { served.Each(t, filtersMeanWhatTheySay) }

func filtersMeanWhatTheySay(t *testing.T, on served.Kind) {
	r := rand.New(rand.NewPCG(7, 8))
	if matched := meanWhatTheySay(t, on, r, society, 3000); matched < 1000 {
		t.Errorf("all filters together match %d rows, which says little", matched)
	}
}

// The same wherever the types live.
func TestFiltersMeanTheSameAcrossDatabases(t *testing.T) {
	served.EachAndMixed(t, filtersMeanTheSameAcrossDatabases)
}

// seeds is how many random schemas over several databases a law is tried on: it takes a while to make databases
// on servers, and to do it under the race detector.
func seeds(on served.Kind) uint64 {
	if on.Name == served.SQLite.Name && !testing.Short() {
		return 12
	}
	return 2
}

func filtersMeanTheSameAcrossDatabases(t *testing.T, on served.Kind) {
	for seed := range seeds(on) {
		r := rand.New(rand.NewPCG(seed, 9))
		if matched := meanWhatTheySay(t, on, r, spread(r, society), 300); matched < 100 {
			t.Errorf("all filters together match %d rows, which says little", matched)
		}
	}
}

// spread puts the types of a schema into up to three databases.
func spread(r *rand.Rand, sdl string) string {
	lines := strings.Split(sdl, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "type ") {
			db := []string{"main", "shop", "docs"}[r.IntN(3)]
			lines[i] = strings.Replace(line, " @auth(", fmt.Sprintf(" @table(db: %q) @auth(", db), 1)
		}
	}
	return strings.Join(lines, "\n")
}

// meanWhatTheySay asks n random filters of random rows, and is how many rows matched.
func meanWhatTheySay(t *testing.T, on served.Kind, r *rand.Rand, sdl string, n int) int {
	t.Helper()
	server := serve(t, on, sdl)
	all := fillSociety(t, r, server)
	plural := map[string]string{"User": "users", "Post": "posts", "Tag": "tags"}
	matched := 0
	for range n {
		typ := []string{"User", "Post", "Tag"}[r.IntN(3)]
		where := randomFilter(r, typ, 4)
		var want []string
		for _, row := range all[typ] {
			if meansOf(where, typ, row) == query.True {
				want = append(want, row.id)
			}
		}
		slices.Sort(want)
		encoded, _ := json.Marshal(map[string]any{"w": where})
		got := ask(t, server, fmt.Sprintf("# variables %s\nquery Q($w: %sWhere) { r: %s(where: $w, orderBy: [{id: ASC}]) { id } n: %[3]sAggregate(where: $w) { count } }", encoded, typ, plural[typ]))
		if list := idsOf(t, got); !slices.Equal(list, want) || !strings.Contains(got, fmt.Sprintf("\"count\": %d\n", len(want))) {
			t.Fatalf("%s where %s\ngot  %v\nwant %v\n%s\n%s", typ, encoded, list, want, got, sdl)
		}
		matched += len(want)
	}
	return matched
}

func idsOf(t *testing.T, answer string) []string {
	t.Helper()
	var a struct {
		Data struct{ R []struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(answer), &a); err != nil || strings.Contains(answer, `"errors"`) {
		t.Fatal(answer)
	}
	var ids []string
	for _, row := range a.Data.R {
		ids = append(ids, row.ID)
	}
	return ids
}

// fillSociety inserts random rows and returns those that can be read.
func fillSociety(t *testing.T, r *rand.Rand, server *served.Server) map[string][]*thing {
	t.Helper()
	rows := map[string][]map[string]any{}
	maybe := func(from string, n int) any {
		if r.IntN(4) == 0 {
			return nil
		}
		return fmt.Sprint(from, r.IntN(n))
	}
	number := func() any {
		if r.IntN(4) == 0 {
			return nil
		}
		return r.IntN(3)
	}
	name := func() string { return []string{"x", "y", "z"}[r.IntN(3)] }
	for i := range 8 {
		rows["User"] = append(rows["User"], map[string]any{"id": fmt.Sprint("u", i), "name": name(), "n": number(), "bossId": maybe("u", i+1)})
		rows["Tag"] = append(rows["Tag"], map[string]any{"id": fmt.Sprint("t", i), "name": name(), "n": number()})
	}
	for i := range 14 {
		rows["Post"] = append(rows["Post"], map[string]any{"id": fmt.Sprint("p", i), "name": name(), "n": r.IntN(3), "userId": maybe("u", 8)})
	}
	for i := range 25 {
		rows["Tagging"] = append(rows["Tagging"], map[string]any{"id": fmt.Sprint("j", i), "n": r.IntN(3), "postId": fmt.Sprint("p", r.IntN(14)), "tagId": fmt.Sprint("t", r.IntN(8))})
	}
	send := func(request string, vars map[string]any) {
		encoded, _ := json.Marshal(vars)
		if got := ask(t, server, "# variables "+string(encoded)+"\n"+request); strings.Contains(got, `"errors"`) {
			t.Fatal(got)
		}
	}
	for _, typ := range []string{"User", "Tag", "Post", "Tagging"} {
		send(fmt.Sprintf("mutation M($d: [%sInsert!]!) { insert%ss(docs: $d) { affected } }", typ, typ), map[string]any{"d": rows[typ]})
	}
	return read(rows)
}

// read links the rows that can be read.
func read(rows map[string][]map[string]any) map[string][]*thing {
	all, byID := map[string][]*thing{}, map[any]*thing{}
	for typ, of := range rows {
		for _, row := range of {
			if typ == "User" && row["name"] == "x" || typ == "Post" && row["n"] == 0 || typ == "Tag" && row["name"] == "z" {
				continue
			}
			name, _ := row["name"].(string)
			one := &thing{id: row["id"].(string), name: name, n: row["n"], links: map[string][]*thing{}}
			all[typ], byID[row["id"]] = append(all[typ], one), one
		}
	}
	join := func(from any, link string, to any, back string) {
		a, b := byID[from], byID[to]
		if a != nil && b != nil && !slices.Contains(a.links[link], b) { // a row that two lead to is one
			a.links[link], b.links[back] = append(a.links[link], b), append(b.links[back], a)
		}
	}
	for _, row := range rows["User"] {
		join(row["id"], "boss", row["bossId"], "team")
	}
	for _, row := range rows["Post"] {
		join(row["id"], "user", row["userId"], "posts")
	}
	for _, row := range rows["Tagging"] {
		if row["n"] != 2 {
			join(row["postId"], "tags", row["tagId"], "posts")
		}
	}
	return all
}

// randomFilter is a where as JSON.
func randomFilter(r *rand.Rand, typ string, depth int) map[string]any {
	pickOp := func() map[string]any {
		switch r.IntN(6) {
		case 0:
			return map[string]any{"name": map[string]any{"_in": []any{"y", "z"}[:r.IntN(3)]}}
		case 1:
			return map[string]any{"n": map[string]any{"_isNull": r.IntN(2) == 0}}
		case 2:
			return map[string]any{"n": map[string]any{"_gt": r.IntN(2)}}
		case 3:
			return map[string]any{"n": map[string]any{"_ne": 1}}
		}
		return map[string]any{"name": map[string]any{"_eq": []string{"x", "y", "z"}[r.IntN(3)]}}
	}
	if depth == 0 {
		return pickOp()
	}
	inner := func() map[string]any { return randomFilter(r, typ, depth-1) }
	switch r.IntN(9) {
	case 0:
		return map[string]any{"_and": []any{inner(), inner()}[:1+r.IntN(2)]}
	case 1:
		return map[string]any{"_or": []any{inner(), inner()}[:r.IntN(3)]}
	case 2, 3:
		return map[string]any{"_not": inner()}
	case 4:
		return pickOp()
	}
	names := make([]string, 0, 3)
	for name := range societyLinks[typ] {
		names = append(names, name)
	}
	slices.Sort(names)
	name := names[r.IntN(len(names))]
	link := societyLinks[typ][name]
	below := randomFilter(r, link.to, depth-1)
	if !link.many {
		if r.IntN(4) == 0 && link.to == "User" {
			below["_isNull"] = r.IntN(2) == 0
		}
		return map[string]any{name: below}
	}
	if r.IntN(5) == 0 {
		below = map[string]any{}
	}
	op := []string{"_some", "_every", "_none"}[r.IntN(3)]
	many := map[string]any{op: below}
	if r.IntN(3) == 0 {
		many["_count"] = map[string]any{[]string{"_eq", "_gt", "_lt"}[r.IntN(3)]: r.IntN(3)}
	}
	return map[string]any{name: many}
}

// meansOf is what a where says of a row.
func meansOf(where map[string]any, typ string, row *thing) query.Truth {
	out := query.True
	for name, v := range where {
		out = both(out, memberMeans(name, v, typ, row))
	}
	return out
}

func memberMeans(name string, v any, typ string, row *thing) query.Truth {
	switch name {
	case "_and", "_or":
		out := query.True
		for _, each := range v.([]any) {
			truth := meansOf(each.(map[string]any), typ, row)
			if name == "_or" {
				truth = turned(truth)
			}
			out = both(out, truth)
		}
		if name == "_or" {
			return turned(out)
		}
		return out
	case "_not":
		return turned(meansOf(v.(map[string]any), typ, row))
	case "_isNull":
		return said((row == nil) == v.(bool))
	}
	switch {
	case row == nil:
		return query.Unknown
	case name == "name":
		return valueMeans(v.(map[string]any), row.name)
	case name == "n":
		return valueMeans(v.(map[string]any), row.n)
	}
	link := societyLinks[typ][name]
	if !link.many {
		var target *thing
		if len(row.links[name]) > 0 {
			target = row.links[name][0]
		}
		return meansOf(v.(map[string]any), link.to, target)
	}
	out := query.True
	for op, inner := range v.(map[string]any) {
		if op == "_count" {
			out = both(out, valueMeans(inner.(map[string]any), len(row.links[name])))
			continue
		}
		meet := 0
		for _, target := range row.links[name] {
			if meansOf(inner.(map[string]any), link.to, target) == query.True {
				meet++
			}
		}
		out = both(out, said(map[string]bool{"_some": meet > 0, "_none": meet == 0, "_every": meet == len(row.links[name])}[op]))
	}
	return out
}

func valueMeans(ops map[string]any, v any) query.Truth {
	out := query.True
	for op, with := range ops {
		if op == "_isNull" {
			out = both(out, said((v == nil) == with.(bool)))
			continue
		}
		if v == nil {
			out = both(out, query.Unknown)
			continue
		}
		n, _ := v.(int)
		m, _ := with.(int)
		switch op {
		case "_eq":
			out = both(out, said(v == with))
		case "_ne":
			out = both(out, said(v != with))
		case "_gt":
			out = both(out, said(n > m))
		case "_lt":
			out = both(out, said(n < m))
		case "_in":
			out = both(out, said(slices.Contains(with.([]any), v)))
		}
	}
	return out
}

func said(b bool) query.Truth {
	if b {
		return query.True
	}
	return query.False
}

func both(a, b query.Truth) query.Truth {
	switch {
	case a == query.False || b == query.False:
		return query.False
	case a == query.Unknown || b == query.Unknown:
		return query.Unknown
	}
	return query.True
}

func turned(t query.Truth) query.Truth {
	switch t {
	case query.True:
		return query.False
	case query.False:
		return query.True
	}
	return query.Unknown
}

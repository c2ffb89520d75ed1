package rules_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"spacecloud/rules"
	"spacecloud/schema"
)

func TestWhatIsNoRule(t *testing.T) {
	for _, test := range []struct{ name, rule, want string }{
		{"syntax", "auth.id ==", "1:11: this is not CEL: it ends where something should follow"},
		{"a single equals sign", "auth.id = 'x'", "1:9: this is not CEL: write == to compare"},
		{"a word too many", "auth.id 'x'", "1:9: this is not CEL: "},
		{"unknown variable", "user.id == 'x'", "1:1: user is unknown; a rule knows doc, auth, now, request and exists(Type, x, …)"},
		{"unknown field", "auth.id == doc.owner", "1:15: there is no field owner"},
		{"unknown field behind a link", "doc.author.mail == 'x'", "1:11: there is no field mail"},
		{"unknown field of the request", "request.body == 'x'", "1:8: there is no field body"},
		{"type error", "doc.views == 'x'", "1:11: == does not take (int, string)"},
		{"no condition", "doc.title", "1:1: a rule is a condition, and this is a string"},
		{"a dynamic column is no condition", "auth.id == 'x' && doc.meta", "1:22: doc.meta is not a condition; compare it with something"},
		{"unknown value of an enum", "doc.state == 'opened'", "1:14: state is a State, and 'opened' is none"},
		{"unknown value in a list", "doc.state in ['open', 'opened']", "1:23: state is a State, and 'opened' is none"},
		{"not that number", "doc.price == 'x'", "1:14: price is a Decimal, and 'x' is none"},
		{"no integer", "doc.views > 1.5", "1:13: views is an Int, and 1.5 is none"},
		{"no date", "doc.day == '31.1.2026'", "1:12: day is a Date, and '31.1.2026' is none"},
		{"order of an enum", "doc.state > 'open'", "1:4: doc.state is a State, which has no order; use == or in"},
		{"list column", "'a' in doc.labels", "1:11: doc.labels is a list in a column, which a rule cannot search; make it a link"},
		{"JSON", "doc.meta == 'a'", "1:4: doc.meta is a JSON; a rule can only ask whether it is null"},
		{"inside JSON", "doc.meta.a == 'a'", "1:9: doc.meta.a looks into the column meta, which a rule cannot; give it a column of its own"},
		{"inside an embedded value", "doc.address.city == 'a'", "1:12: doc.address.city looks into the column address, which a rule cannot; give it a column of its own"},
		{"arithmetic on columns", "doc.views + 1 > 3", "1:11: not every database can filter by doc.views + 1: a column may only be compared"},
		{"size of a column", "size(doc.title) > 3", "1:5: not every database can filter by size(doc.title): a column"},
		{"how many", "size(doc.tags) > 3", "1:5: a rule can only ask whether there are any (size > 0) or none (size == 0)"},
		{"text operator turned", "auth.path.startsWith(doc.title)", "1:21: not every database can filter by auth.path.startsWith(doc.title): it has to be asked of a column, with a value or a claim"},
		{"text operator of an enum", "doc.state.startsWith('o')", "1:4: doc.state is a State; starts with is for String and ID"},
		{"pattern of a claim", "doc.title.matches(auth.re)", "1:23: the pattern of matches on a column has to be a literal"},
		{"bad pattern", "doc.title.matches('(')", "1:19: error parsing regexp"},
		{"bad constant", "doc.at > timestamp('x')", "1:19: timestamp(\"x\"): "},
		{"a link is no value", "doc.author == doc.author", "1:4: doc.author is a link; compare a column of the row it leads to, or its key"},
		{"a row is no value", "exists(User, u, u == doc.author)", "1:17: u is a row; compare its key: u.id"},
		{"in a to-many link", "auth.id in doc.tags", "1:15: doc.tags is a list of rows; ask doc.tags.exists(x, x.id == …)"},
		{"a to-many link is never null", "has(doc.tags)", "1:4: doc.tags is a list of rows and never null"},
		{"through a to-many link", "doc.tags.name == 'x'", "1:9: type 'list(Tag)' does not support field selection"},
		{"map", "auth.id in doc.tags.map(x, x.name)", "1:24: not every database can filter by doc.tags.map(x, x.name)"},
		{"exactly one", "doc.tags.exists_one(x, x.name == 'a')", "1:20: of lists of rows a rule can ask exists and all"},
		{"claims searched by a column", "auth.groups.exists(g, g == doc.ownerId)", "1:19: a list of claims cannot be searched by a column like that; write doc.column in auth.groups"},
		{"two tables compared", "doc.at == doc.until && doc.key == doc.id", "1:32: doc.key == doc.id compares a UUID with an ID"},
		{"an ID that holds integers", "doc.serial.id == doc.id", "1:15: doc.serial.id == doc.id compares an integer ID with an ID"},
		{"null in a list", "doc.title in [auth.id, null]", "1:24: nothing equals null; ask with == null beside it"},
		{"null has no order", "doc.meta < null", "1:10: null can only be asked for with == and !="},
		{"a name twice", "doc.tags.exists(doc, doc.name == 'x')", "1:31: doc already means something else here"},
		{"exists of a value", "exists(Address, a, true)", "1:8: no table or view is called Address"},
		{"exists of a join table of ours", "exists(PostTag, a, true)", "1:8: no table or view is called PostTag"},
		{"exists without a type", "exists('User', a, true)", "1:8: the first argument of exists is the name of a type"},
		{"exists short", "exists(User, true)", "1:7: exists takes a type, a name and a condition"},
		{"a list compared", "doc.labels == doc.labels", "1:4: doc.labels is a list column; a rule can only ask whether it is null"},
		{"compared with a list", "doc.title == doc.labels", "1:11: doc.title == doc.labels compares a String with a list"},
		{"call", "call('s', 'f', {'id': auth.id, 'at': now})", `1:5: call("s", "f", {"id": auth.id, "at": now}) asks a function, and functions are not served yet`},
		{"call of something said by its answer", "auth.id == 'x' || call('s', 'f', {}).level > 3", `1:23: call("s", "f", {}) asks a function`},
		{"call with a column", "call('s', 'f', {'id': [doc.id]})", "1:24: a call is asked once a request, before any row is known, so that its arguments are made of auth, now and request; doc is none of them"},
		{"call with a linked row", "exists(User, u, call('s', 'f', {'id': u.id}))", "1:39: a call is asked once a request, before any row is known, so that its arguments are made of auth, now and request; u is none"},
		{"call of a claim's function", "call('s', auth.f, {})", "1:15: the service and the function of call are literals"},
		{"call with a list of claims", "call('s', 'f', {'all': auth.groups.map(g, g + 'x')})", "1:5: call("},
		{"call with a list of rows", "call('s', 'f', {'all': doc.tags.map(x, x.id)})", "1:24: a call is asked once a request"},
		{"call without arguments", "call('s', 'f')", "1:5: call takes a service, a function and its arguments: call("},
		{"call with a list", "call('s', 'f', [1])", "1:5: call takes a service, a function and its arguments: call("},
		{"call that is compared with a column", "doc.ownerId == call('s', 'f', {})", "1:20: call("},
		{"args", "args.id == 'x'", "1:1: args is not served in rules yet"},
		{"unknown function", "lower(auth.id) == 'x'", "1:6: there is no function lower"},
		{"unknown method", "doc.title.lower() == 'x'", "1:16: there is no function lower"},
		{"bad pattern of a claim", "auth.id.matches('(')", "1:16: auth.id.matches(\"(\"): error parsing regexp"},
		{"text and number", "doc.title == 5", "1:11: == does not take (string, int)"},
		{"truth and number", "doc.public == 1", "1:12: == does not take (bool, int)"},
		{"instant and text", "doc.at > '2026-01-01T00:00:00Z'", "1:8: > does not take (timestamp, string)"},
		{"day and instant", "doc.day > now - duration('24h')", "1:9: > does not take (string, timestamp)"},
		{"an instant less a number", "doc.at > now - 5", "1:14: - does not take (timestamp, int)"},
		{"no duration", "doc.at > now - duration('1 day')", `1:14: now - duration("1 day"): type conversion error`},
		{"arithmetic on an instant", "doc.at + duration('24h') > now", `1:8: not every database can filter by doc.at + duration("24h"): a column may only be compared`},
		{"how long ago", "now - doc.at < duration('24h')", "1:5: not every database can filter by now - doc.at: a column"},
		{"part of an instant", "doc.at.getFullYear() == 2026", "1:19: not every database can filter by doc.at.getFullYear(): a column"},
		{"beyond every integer", "doc.views > 99999999999999999999", "1:13: invalid int literal"},
		{"beyond an Int", "doc.views > 9999999999", "1:13: views is an Int, and 9999999999 is none"},
		{"by nothing", "doc.views > 1 / 0", "1:15: 1 / 0: division by zero"},
		{"too long", "doc.title == '" + strings.Repeat("ü", 20_000) + "'", "1:1: a rule has at most 20000 characters, and this one 20015"},
		{"too many brackets", repeated(200, "(", "doc.public", ")"), "1:1: a rule is nested at most 100 deep"},
		{"too many conditions", repeated(500, "doc.public || ", "doc.public", ""), "1:3512: a rule has at most 500 conditions"},
		{"too long a choice of claims", "doc.title in [" + repeated(500, "auth.id, ", "auth.id", "") + "]", "1:11: a rule has at most 500 conditions"},
		{"choices in choices", repeated(30, "(", "doc.public", " ? doc.views == 1 : doc.views == 2)"), "1:287: a rule has at most 500 conditions, where what stands before ? counts twice"},
		{"claims' choices in choices", repeated(30, "(", "auth.ok", " ? auth.n == 1 : auth.n == 2)"), "1:242: a rule has at most 500 conditions"},
		{"too many questions", repeated(20, "doc.tags.exists(x, x.id == auth.id) || ", "doc.tags.exists(x, x.id == auth.id)", ""), "1:427: a rule asks for other rows at most 20 times, and this one 21 times"},
		{"too deep", "doc.author" + strings.Repeat(".boss", 13) + ".name == auth.id", "1:82: a rule goes at most 12 hops deep, from row to row by exists and links, and this one 14"},
		{"too deep in exists", existsDeep(13), "1:7: a rule goes at most 12 hops deep, from row to row by exists and links, and this one 13"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := withRule(t, test.rule)
			var problems schema.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			p := problems[0]
			p.Column -= strings.Index(world, "READ") - strings.LastIndex(world[:strings.Index(world, "READ")], "\n") - 1
			p.Line -= strings.Count(world[:strings.Index(world, "READ")], "\n")
			if got := strings.TrimPrefix(p.Error(), "world.graphql:"); !strings.HasPrefix(got, test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// repeated is something within n of the same.
func repeated(n int, before, inner, after string) string {
	return strings.Repeat(before, n) + inner + strings.Repeat(after, n)
}

// existsDeep is n hops, one in the other.
func existsDeep(n int) string {
	rule := "true"
	for i := range n {
		rule = fmt.Sprintf("exists(User, u%d, u%[1]d.id == auth.id && %s)", i, rule)
	}
	return rule
}

func TestWhatIsJustARule(t *testing.T) {
	for name, rule := range map[string]string{
		"characters": "doc.title == '" + strings.Repeat("x", 19_900) + "'",
		"values":     "doc.title in [" + repeated(4000, "'a',", "'a'", "") + "]",
		"conditions": repeated(499, "doc.public || ", "doc.public", ""),
		"questions":  repeated(19, "doc.tags.exists(x, x.id == auth.id) || ", "doc.tags.exists(x, x.id == auth.id)", ""),
		"hops":       existsDeep(12),
		"choices":    repeated(6, "(", "doc.public", " ? doc.views == 1 : doc.views == 2)"),
		"instants":   "doc.at > now - duration('24h') && doc.at < timestamp('2026-01-01T00:00:00Z') + duration('1h') && now.getHours() < 12",
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := withRule(t, rule); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	s := compile(t, `
type A @auth(read: "doc.x == 1", update: "doc.y == 1 || doc.z == 1", delete: """
    auth.id == 'x' &&
    doc.id == 1
""") @check(rule: "auth.id == doc.id") {
  id: ID! @primary
  name: String @default(expr: "doc.nope") @auth(read: "true &&")
}`)
	_, err := rules.Compile(s)
	want := strings.Join([]string{
		"world.graphql:2:24: there is no field x",
		"world.graphql:2:46: there is no field y",
		"world.graphql:2:60: there is no field z",
		"world.graphql:4:8: == does not take (string, int)",
		"world.graphql:5:20: a check looks at the row, not at auth; what a caller may do is for @auth",
		"world.graphql:7:35: there is no field nope; did you mean name?",
		"world.graphql:7:63: this is not CEL: it ends where something should follow",
	}, "\n")
	got := make([]string, 0, 8)
	for line := range strings.Lines(err.Error()) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " expecting")
		got = append(got, line)
	}
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

package graph_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"spacecloud/auth"
	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/graph"
	"spacecloud/live"
	"spacecloud/resolvers"
	"spacecloud/tests/served"
)

func TestMain(m *testing.M) { os.Exit(served.Run(m)) }

const liveSDL = `
type User @auth(read: "true", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  name: String!
  team: String
  posts: [Post!]! @link(to: "authorId")
}
type Post @auth(read: "doc.isOpen || doc.authorId == auth.id || exists(Guest, g, g.postId == doc.id && g.name == auth.id)", create: "true", update: "true", delete: "true") {
  id: ID! @primary
  title: String!
  views: Int! @default(value: 0)
  isOpen: Boolean! @default(value: true)
  secret: String @auth(read: "doc.authorId == auth.id")
  author: User @link(onDelete: CASCADE)
  tags: [Tag!]! @link
}
type Guest @auth(read: "true", create: "true", delete: "true") {
  id: ID! @primary
  post: Post! @link(onDelete: CASCADE)
  name: String!
}
type Tag @auth(read: "true", create: "true", update: "true", delete: "true") { id: ID! @primary  label: String!  posts: [Post!]! @link }
type Closing @auth(read: "true", create: "now < timestamp('2030-01-01T00:00:00Z')") { id: ID! @primary  at: DateTime! }
`

// liveSDLApart is the same with the tags and guests in another database.
var liveSDLApart = strings.NewReplacer("type Tag @auth", `type Tag @table(db: "other") @auth`, "type Guest @auth", `type Guest @table(db: "other") @auth`,
	"post: Post! @link(onDelete: CASCADE)", "post: Post @link").Replace(liveSDL)

// world is a server whose subscriptions can be asked for, on a clock that is moved.
type world struct {
	*testing.T
	*served.Server
	runner  *graph.Runner
	clock   *served.Clock
	scope   *live.Scope
	drivers []*database.Counting
}

func newWorld(t *testing.T, on served.Kind, sdl string) *world {
	t.Helper()
	clock := served.NewClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	w := newWorldAt(t, on, sdl, clock)
	w.clock = clock
	return w
}

// newWorldAt is a world on any clock, nil for the real one.
func newWorldAt(t *testing.T, on served.Kind, sdl string, clock live.Clock) *world {
	t.Helper()
	w := &world{T: t, clock: served.NewClock(time.Now())}
	w.scope = live.New(live.Config{Clock: clock, PerCaller: 5_000}).Scope()
	w.Server = served.Text(t, on, sdl, served.Options{
		Limits: resolvers.Config{Live: w.scope},
		Decorate: func(_ string, d driver.Driver) driver.Driver {
			c := database.Count(d)
			w.drivers = append(w.drivers, c)
			return c
		},
	})
	w.runner = graph.NewRunner(graph.Options{API: w.API, Resolvers: w.Resolvers})
	return w
}

func (w *world) caller(name string) *auth.Caller {
	c := &auth.Caller{Now: w.clock.Now()}
	if name != "" {
		c.SignedIn, c.Claims = true, map[string]any{"sub": name, "id": name}
	}
	return c
}

// finds is how many statements have read since the last time.
func (w *world) finds() int {
	n := 0
	for _, d := range w.drivers {
		n += d.Counts().Finds
		d.Reset()
	}
	return n
}

// do makes changes, which have to succeed.
func (w *world) do(text string) {
	w.Helper()
	if answer := string(w.Ask(w.caller("ann"), text, nil, nil).Body); strings.Contains(answer, `"errors"`) {
		w.Fatalf("%s\n%s", text, answer)
	}
}

// stream is a subscription.
type stream struct {
	w      *world
	text   string
	caller string
	vars   map[string]any
	ctx    context.Context // of the subscription
	end    context.CancelFunc
	next   graphql.ResponseHandler
	last   string // what it was told last
}

func (w *world) subscribe(caller, text string, vars map[string]any) *stream {
	w.Helper()
	s := &stream{w: w, text: text, caller: caller, vars: vars}
	s.ctx, s.end = context.WithCancel(auth.With(w.Context(), w.caller(caller)))
	w.Cleanup(s.end)
	responses, errs := w.runner.Run(s.ctx, "subscription"+text, vars)
	if len(errs) > 0 {
		w.Fatalf("%s: %v", text, errs)
	}
	s.next = responses
	return s
}

// told is the next answer, "" for the end.
func (s *stream) told() string {
	s.w.Helper()
	r := s.next(s.ctx)
	if r == nil {
		return ""
	}
	s.last = shown(s.w, r)
	return s.last
}

// shown is an answer as text.
func shown(w *world, r *graphql.Response) string {
	w.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		w.Fatal(err)
	}
	return string(text)
}

// query is what a query is answered now.
func (s *stream) query() string {
	s.w.Helper()
	responses, errs := s.w.runner.Run(auth.With(s.w.Context(), s.w.caller(s.caller)), "query"+s.text, s.vars)
	if len(errs) > 0 {
		s.w.Fatal(errs)
	}
	return shown(s.w, responses(s.w.Context()))
}

// settle is what the stream is told last of all that was written until now: the same as who comes later. It
// waits for ever for a stream that misses it.
func (s *stream) settle() string {
	s.w.Helper()
	late := s.w.subscribe(s.caller, s.text, s.vars)
	defer late.end()
	for fresh := late.told(); s.last != fresh; {
		s.told()
	}
	return s.last
}

// liveQueries are what is subscribed to; %d becomes a number of a row.
var liveQueries = []string{
	`{ posts { id title secret author { name } } }`,
	`{ post(id: "%d") { id title views author { name team } tags { label } } }`,
	`{ posts(where: {authorId: {_eq: "%d"}}, orderBy: [{title: ASC}], limit: 3) { id title } }`,
	`{ posts(where: {authorId: {_in: ["%d", "2"]}, isOpen: {_eq: true}}) { id views } }`,
	`{ posts(where: {author: {team: {_eq: "red"}}}) { id } }`,
	`{ posts(where: {tags: {_some: {label: {_eq: "l%d"}}}}) { id tags { id label } } }`,
	`{ postsAggregate(where: {authorId: {_eq: "%d"}}) { count sum { views } max { title } } }`,
	`{ postsGroups(groupBy: [isOpen]) { group { isOpen } count } }`,
	`{ postsConnection(first: 2, orderBy: [{views: DESC}]) { nodes { id views } totalCount } }`,
	`{ user(id: "%d") { name posts(limit: 2, orderBy: [{views: DESC}]) { id tags { label } } postsAggregate { count } } }`,
	`{ users(where: {posts: {_count: {_gt: 1}}}) { id name } }`,
	`{ tag(id: "%d") { label posts { title author { name } } } }`,
	`{ tags(orderBy: [{label: DESC}]) { label postsAggregate { count } } }`,
	`{ guests(where: {name: {_eq: "ann"}}) { id post { title } } }`,
}

// liveWrites are what is written; the numbers are of rows.
var liveWrites = []string{
	`mutation { upsertUser(doc: {id: "%d", name: "n%d", team: "red"}) { id } }`,
	`mutation { upsertUser(doc: {id: "%d", name: "n%d", team: "blue"}) { id } }`,
	`mutation { upsertPost(doc: {id: "%d", title: "t%d", isOpen: false, secret: "s"}) { id } }`,
	`mutation { upsertPost(doc: {id: "%d", title: "t%d", isOpen: true}) { id } }`,
	`mutation { updatePosts(where: {id: {_eq: "%d"}}, set: {title: "u%d"}) { affected } }`,
	`mutation { updatePosts(where: {authorId: {_eq: "%d"}}, inc: {views: %d}) { affected } }`,
	`mutation { updatePosts(where: {views: {_gt: %d}}, set: {views: 0}) { affected returning { id } } }`,
	`mutation { a: updatePosts(where: {title: {_eq: "t%d"}}, set: {secret: "x"}) { affected } b: deletePosts(where: {id: {_eq: "%d"}}) { affected } }`,
	`mutation { deleteUsers(where: {id: {_eq: "%d"}}) { affected } }`,
	`mutation { upsertTag(doc: {id: "%d", label: "l%d"}) { id } }`,
	`mutation { deleteTags(where: {label: {_eq: "l%d"}}) { affected } }`,
	`mutation { deleteGuests(where: {id: {_eq: "%d"}}) { affected } }`,
	`mutation { updateTags(where: {}, set: {label: "l%d"}) { affected } }`,
}

// liveTries are writes that may fail, because a row that they name is not there.
var liveTries = []string{
	`mutation { updatePost(id: "%d", set: {authorId: "%d"}) { id } }`,
	`mutation { updatePost(id: "%d", set: {isOpen: false, authorId: null}) { id title } }`,
	`mutation { updatePost(id: "%d", set: {tags: {connect: [{id: "%d"}]}}) { id } }`,
	`mutation { updatePost(id: "%d", set: {tags: {set: []}}) { id } }`,
	`mutation { insertGuest(doc: {id: "%d", postId: "%d", name: "ann"}) { id } }`,
	`mutation { insertPost(doc: {id: "%d", title: "new", author: {create: {id: "%d", name: "m"}}, tags: {connect: [{id: "1"}]}}) { id } }`,
	`mutation { deletePost(id: "%d") { id } }`,
	`mutation { a: insertUser(doc: {id: "%d", name: "once"}) { id } b: insertUser(doc: {id: "%d", name: "twice"}) { id } }`,
}

// filled is a text with numbers of rows.
func filled(r *rand.Rand, text string) string {
	for strings.Contains(text, "%d") {
		text = strings.Replace(text, "%d", strconv.Itoa(1+r.IntN(4)), 1)
	}
	return text
}

// Whatever is written, whoever waits for whatever is told what he would be answered if he asked now. And
// what nobody is told of is what did not change.
func TestLiveAnswersAreThoseOfAskingAfresh(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) { liveLaw(t, on, liveSDL) })
	t.Run("apart", func(t *testing.T) { liveLaw(t, served.SQLite, liveSDLApart) })
}

func liveLaw(t *testing.T, on served.Kind, sdl string) {
	w := newWorld(t, on, sdl)
	r := rand.New(rand.NewPCG(7, 11))
	for i := range 4 {
		w.do(fmt.Sprintf(`mutation { upsertUser(doc: {id: "%d", name: "n"}) { id } upsertPost(doc: {id: "%[1]d", title: "t"}) { id } upsertTag(doc: {id: "%[1]d", label: "l%[1]d"}) { id } }`, i+1))
	}
	var streams []*stream
	for _, text := range liveQueries {
		for _, caller := range []string{"", "1", "ann"} {
			s := w.subscribe(caller, filled(r, text), nil)
			if first, want := s.told(), s.query(); first != want {
				t.Fatalf("the first answer of %s is\n%s\nand of the query\n%s", text, first, want)
			}
			streams = append(streams, s)
		}
	}
	for range rounds() {
		var written []string
		for range 1 + r.IntN(3) {
			if n := r.IntN(len(liveWrites) + len(liveTries)); n < len(liveWrites) {
				written = append(written, filled(r, liveWrites[n]))
				w.do(written[len(written)-1])
			} else {
				written = append(written, filled(r, liveTries[n-len(liveWrites)]))
				if answer := string(w.Ask(w.caller("ann"), written[len(written)-1], nil, nil).Body); strings.Contains(answer, "BAD_USER_INPUT") {
					t.Fatal(answer)
				}
			}
		}
		w.clock.Move(live.Pause)
		for _, s := range streams {
			if got, want := s.settle(), s.query(); got != want {
				t.Fatalf("after %s\n%s as %q was told\n%s\nand asking afresh\n%s", strings.Join(written, "\n"), s.text, s.caller, got, want)
			}
		}
	}
}

// roundsEnv says how many times something is written.
const roundsEnv = "TEST_SPACECLOUD_LIVE_ROUNDS"

func rounds() int {
	if n, err := strconv.Atoi(os.Getenv(roundsEnv)); err == nil {
		return n
	}
	return 25
}

// One change is one execution, however many wait for it.
func TestOneExecutionForAThousandSubscribers(t *testing.T) {
	w := newWorld(t, served.SQLite, liveSDL)
	w.do(`mutation { insertUser(doc: {id: "1", name: "Ann"}) { id } insertPost(doc: {id: "1", title: "a", authorId: "1"}) { id } }`)
	var all []*stream
	for i := range 1_000 { // the rule of users is the same for all
		all = append(all, w.subscribe("caller"+strconv.Itoa(i), `{ users { name } }`, nil))
	}
	for _, s := range all {
		s.told()
	}
	w.clock.Move(live.Pause)
	w.finds()
	w.do(`mutation { updateUsers(where: {id: {_eq: "1"}}, set: {name: "Bob"}) { affected } }`)
	for _, s := range all {
		if got := s.told(); got != `{"data":{"users":[{"name":"Bob"}]}}` {
			t.Fatal(got)
		}
	}
	if n := w.finds(); n != 1 {
		t.Errorf("%d statements for one change", n)
	}
}

// A change of a row wakes those whose values it can touch, and nobody else.
func TestOneExecutionAmongAThousandGroups(t *testing.T) {
	w := newWorld(t, served.SQLite, liveSDL)
	var docs []map[string]any
	for i := range 1_000 {
		docs = append(docs, map[string]any{"id": strconv.Itoa(i), "name": "n"})
	}
	w.Ask(w.caller("ann"), `mutation($docs: [UserInsert!]!) { insertUsers(docs: $docs) { affected } }`, map[string]any{"docs": docs}, nil)
	for _, c := range []struct {
		name, text, change, want string
		statements               int
	}{
		{"by key", `($id: ID!) { user(id: $id) { name } }`, `updateUsers(where: {id: {_eq: "7"}}, set: {name: "changed"}) { affected }`, `{"data":{"user":{"name":"changed"}}}`, 1},
		{"through a link", `($id: ID!) { user(id: $id) { posts { title } } }`, `insertPosts(docs: [{id: "q", title: "b", authorId: "7"}]) { affected }`, `{"data":{"user":{"posts":[{"title":"b"}]}}}`, 2},
		{"by a filter", `($id: ID!) { posts(where: {authorId: {_eq: $id}}) { title } }`, `insertPosts(docs: [{id: "r", title: "c", authorId: "7"}]) { affected }`, `{"data":{"posts":[{"title":"b"},{"title":"c"}]}}`, 1},
		{"of a connection", `($id: ID!) { postsConnection(where: {authorId: {_eq: $id}}) { totalCount } }`, `insertPosts(docs: [{id: "s", title: "d", authorId: "7"}]) { affected }`, `{"data":{"postsConnection":{"totalCount":3}}}`, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var touched *stream
			var all []*stream
			for i := range 1_000 {
				all = append(all, w.subscribe("ann", c.text, map[string]any{"id": strconv.Itoa(i)}))
			}
			for i, s := range all {
				if s.told(); i == 7 {
					touched = s
				}
				defer s.end()
			}
			w.clock.Move(live.Pause)
			w.finds()
			w.do("mutation { " + c.change + " }")
			if got := touched.told(); got != c.want {
				t.Errorf("told %s, want %s", got, c.want)
			}
			if n := w.finds(); n != c.statements {
				t.Errorf("%d statements, want %d", n, c.statements)
			}
		})
	}
}

// A subscription is refused as a query is, and has exactly one field of rows.
func TestSubscriptionsThatAreRefused(t *testing.T) {
	w := newWorld(t, served.SQLite, `type Post @auth(read: "auth.id != null") { id: ID! @primary  title: String  secret: String @auth(read: "auth.role == 'admin'") }
type Open @auth(read: "true") { id: ID! @primary }`)
	vars := map[string]any{"n": 0, "skip": true}
	for _, c := range []struct{ caller, text, want string }{
		{"", `{ posts { id } }`, `{"errors":[{"message":"read of Post needs a token","path":["posts"],"locations":[{"line":1,"column":15}],"extensions":{"code":"UNAUTHENTICATED"}}],"data":null}`},
		{"", `{ post(id: "1") { id } }`, `{"errors":[{"message":"read of Post needs a token","path":["post"],"locations":[{"line":1,"column":15}],"extensions":{"code":"UNAUTHENTICATED"}}],"data":{"post":null}}`},
		{"ann", `($n: Int!) { posts(limit: $n) { id } }`, `{"errors":[{"message":"limit has to be at least 1, not 0","path":["posts"],"locations":[{"line":1,"column":26}],"extensions":{"code":"BAD_USER_INPUT"}}],"data":null}`},
		{"ann", `{ posts(where: {secret: {_eq: "x"}}) { id } }`, `{"errors":[{"message":"read of Post.secret is not allowed","path":["posts"],"locations":[{"line":1,"column":15}],"extensions":{"code":"FORBIDDEN"}}],"data":null}`},
		{"ann", `{ a: posts { id } b: posts { id } }`, `{"errors":[{"message":"a subscription asks for exactly one field; send one for each","locations":[{"line":1,"column":1}],"extensions":{"code":"BAD_USER_INPUT"}}],"data":null}`},
		{"ann", `($skip: Boolean!) { posts @skip(if: $skip) { id } }`, `{"errors":[{"message":"a subscription asks for exactly one field; send one for each","locations":[{"line":1,"column":1}],"extensions":{"code":"BAD_USER_INPUT"}}],"data":null}`},
	} {
		s := w.subscribe(c.caller, c.text, vars)
		if got := s.told(); got != c.want {
			t.Errorf("%s\n is told %s\n want     %s", c.text, got, c.want)
		}
		if got := s.told(); got != "" {
			t.Errorf("%s goes on: %s", c.text, got)
		}
	}
	for _, text := range []string{`{ posts { id } opens { id } }`, `{ __typename }`, `{ __schema { types { name } } }`, `{ insertPost { id } }`} {
		if _, errs := w.runner.Run(auth.With(t.Context(), w.caller("ann")), "subscription"+text, nil); len(errs) == 0 {
			t.Errorf("%s is valid", text)
		}
	}
}

// The ends can be told from errors, and from one another.
func TestSubscriptionsThatEnd(t *testing.T) {
	w := newWorld(t, served.SQLite, liveSDL)
	expiring := w.caller("ann")
	expiring.Expires = w.clock.Now().Add(time.Minute)
	begin := func(c *auth.Caller) (graphql.ResponseHandler, context.Context) {
		ctx := auth.With(t.Context(), c)
		next, errs := w.runner.Run(ctx, `subscription { posts { id } }`, nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := shown(w, next(ctx)); got != `{"data":{"posts":[]}}` {
			t.Fatal(got)
		}
		return next, ctx
	}
	first, ctx := begin(expiring)
	second, _ := begin(w.caller("ann"))
	w.clock.Move(3 * time.Minute)
	for _, c := range []struct {
		next graphql.ResponseHandler
		why  *live.End
		code string
	}{{first, live.Expired, "UNAUTHENTICATED"}, {second, live.Swapped, "UNAVAILABLE"}} {
		w.scope.End(live.Swapped)
		r := c.next(ctx)
		if len(r.Errors) != 1 || !errors.Is(r.Errors[0], c.why) || fmt.Sprint(r.Errors[0].Extensions["code"]) != c.code {
			t.Errorf("ended with %v", r.Errors)
		}
		if c.next(ctx) != nil {
			t.Error("goes on after its end")
		}
	}
}

// A rule that speaks of the time is asked again when nobody writes.
func TestRulesOfTheTime(t *testing.T) {
	w := newWorld(t, served.SQLite, `type Sale @auth(read: "doc.ends > now && now < timestamp('2026-03-01T13:00:00Z')", create: "true") { id: ID! @primary  ends: DateTime! }`)
	w.do(`mutation { insertSales(docs: [{id: "1", ends: "2026-03-01T12:00:05Z"}, {id: "2", ends: "2026-03-02T00:00:00Z"}]) { affected } }`)
	s := w.subscribe("ann", `{ sales { id } }`, nil)
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, `{"data":{"sales":[{"id":"1"},{"id":"2"}]}}`},
		{live.Timely, `{"data":{"sales":[{"id":"2"}]}}`},
		{time.Hour, `{"errors":[{"message":"read of Sale is not allowed","path":["sales"],"locations":[{"line":1,"column":15}],"extensions":{"code":"FORBIDDEN"}}],"data":null}`},
	} {
		w.clock.Move(c.after)
		if got := s.told(); got != c.want {
			t.Errorf("after %s told %s, want %s", c.after, got, c.want)
		}
	}
}

// Whoever comes while others write is told of the last that they wrote.
func TestNobodyMissesTheLastWrite(t *testing.T) {
	served.Each(t, func(t *testing.T, on served.Kind) {
		w := newWorldAt(t, on, liveSDL, nil)
		w.do(`mutation { insertUsers(docs: [{id: "1", name: "n"}, {id: "2", name: "n"}]) { affected } }`)
		const writes = 20
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				s := w.subscribe("ann", `($id: ID!) { user(id: $id) { postsAggregate { count } } }`, map[string]any{"id": strconv.Itoa(1 + i%2)})
				for s.told() != fmt.Sprintf(`{"data":{"user":{"postsAggregate":{"count":%d}}}}`, writes) {
				}
			})
		}
		for i := range 2 {
			all.Go(func() {
				for n := range writes {
					w.do(fmt.Sprintf(`mutation { insertPost(doc: {id: "%d-%d", title: "t", authorId: "%[1]d"}) { id } }`, i+1, n))
				}
			})
		}
		all.Wait()
	})
}

// Nobody knows what a view reads, so all that is written to its database wakes who waits for it.
func TestViewsAreWoken(t *testing.T) {
	w := newWorld(t, served.SQLite, `type Post @auth(read: "true", create: "true") { id: ID! @primary  team: String }
type Size @view(sql: "SELECT team, count(*) AS n FROM posts GROUP BY team") @auth(read: "true") { team: String @primary  n: Int! }`)
	s := w.subscribe("", `{ size(team: "red") { n } }`, nil)
	for n, want := range []string{`{"data":{"size":null}}`, `{"data":{"size":{"n":1}}}`, `{"data":{"size":{"n":2}}}`} {
		if got := s.told(); got != want {
			t.Errorf("told %s, want %s", got, want)
		}
		w.clock.Move(live.Pause)
		w.do(fmt.Sprintf(`mutation { insertPosts(docs: [{id: "%d", team: "red"}]) { affected } }`, n))
	}
}

// A group of one caller's is nobody else's: what a rule or an error says of the caller is in the key.
func TestAnswersAreSharedByEqualCallersOnly(t *testing.T) {
	w := newWorld(t, served.SQLite, liveSDL)
	w.do(`mutation { insertUsers(docs: [{id: "ann", name: "Ann"}, {id: "bob", name: "Bob"}]) { affected } insertPosts(docs: [{id: "1", title: "a", isOpen: false, secret: "s", authorId: "ann"}, {id: "2", title: "b", secret: "t", authorId: "bob"}]) { affected } }`)
	for caller, want := range map[string]string{
		"ann": `{"data":{"posts":[{"id":"1","secret":"s"},{"id":"2","secret":null}]}}`,
		"bob": `{"data":{"posts":[{"id":"2","secret":"t"}]}}`,
		"eve": `{"data":{"posts":[{"id":"2","secret":null}]}}`,
		"":    `{"data":{"posts":[{"id":"2","secret":null}]}}`,
	} {
		for range 2 {
			if got := w.subscribe(caller, `{ posts { id secret } }`, nil).told(); got != want {
				t.Errorf("%q is told %s, want %s", caller, got, want)
			}
		}
	}
	if n := w.finds(); n != 4 {
		t.Errorf("%d statements for four callers who asked twice", n)
	}
}

package mongodb

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"spacecloud/database"
	"spacecloud/database/driver"
	"spacecloud/fault"
	"spacecloud/query"
	"spacecloud/rules"
	"spacecloud/schema"
)

const sdl = `
type User {
  id: ID! @primary
  name: String
  age: Int
  data: JSON
  teamId: ID
  team: Team @link(from: "teamId", to: "id")
}
type Team { id: ID! @primary  name: String! }
type Ticket { id: ID! @primary @autoIncrement  text: String }
type Paper { id: ID! @primary @column(type: "objectId")  text: String }`

// stage is a database with the types above.
type stage struct {
	testing.TB
	driver *Driver
	db     *database.DB
	schema *schema.Schema
}

func newStage(t testing.TB) *stage {
	t.Helper()
	s, err := schema.Parse(schema.Source{Name: "test.graphql", Text: sdl})
	if err != nil {
		t.Fatal(err)
	}
	d := open(t)
	create(t, d, s.Types)
	return &stage{t, d, database.New("main", d), s}
}

func (s *stage) field(path string) *schema.Field {
	typ, name, _ := strings.Cut(path, ".")
	return s.schema.Type(typ).Field(name)
}

// insert writes one row of values by the names of their fields.
func (s *stage) insert(typ string, values ...any) (driver.Written, error) {
	t := s.schema.Type(typ)
	w := query.Write{Verb: query.Create, Type: t, Rows: [][]schema.Value{{}}, WantKeys: true}
	for i := 0; i < len(values); i += 2 {
		f := t.Field(values[i].(string))
		v, err := f.Coerce(values[i+1])
		if err != nil {
			s.Fatal(err)
		}
		w.Columns, w.Rows[0] = append(w.Columns, f), append(w.Rows[0], v)
	}
	return s.write(w)
}

func (s *stage) write(w query.Write) (done driver.Written, err error) {
	err = s.db.Tx(s.Context(), func(tx driver.Tx) error {
		done, err = tx.Write(s.Context(), rules.SystemWrite(w), query.Binding{})
		return err
	})
	return done, err
}

// find are the cells of a level's rows.
func (s *stage) find(l query.Level, b query.Binding) (lines []string, err error) {
	statement, err := s.db.Prepare(rules.System(l))
	if err != nil {
		return nil, err
	}
	err = s.db.View(s.Context(), func(r driver.Reader) error {
		rows, err := r.Find(s.Context(), statement, b)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var line []byte
			for i := range l.Columns {
				line = append(rows.AppendJSON(line, i), ' ')
			}
			lines = append(lines, strings.TrimSpace(string(line)))
		}
		return rows.Err()
	})
	return lines, err
}

func (s *stage) level(typ string, fields ...string) query.Level {
	l := query.Level{Type: s.schema.Type(typ), OrderBy: []query.Order{{Field: s.field(typ + ".id")}}}
	for _, name := range fields {
		l.Columns = append(l.Columns, query.Cell{Field: s.field(typ + "." + name)})
	}
	return l
}

func (s *stage) want(got []string, err error, want ...string) {
	s.Helper()
	if err != nil || !slices.Equal(got, want) {
		s.Errorf("got %q (%v), want %q", got, err, want)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for url, want := range map[string]struct {
		kind fault.Kind
		text string
	}{
		"mongodb://ann:secret@host:99999999/x":                           {fault.Invalid, "its URL cannot be read"},
		"mongodb://ann:secret@127.0.0.1:1":                               {fault.Invalid, "names no database"},
		"mongodb://ann:secret@127.0.0.1:1/x?serverSelectionTimeoutMS=50": {fault.Unavailable, "does not answer"},
	} {
		_, err := Open(t.Context(), url)
		if fault.KindOf(err) != want.kind || !strings.Contains(err.Error(), want.text) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want.text, err)
		}
	}
}

// What looks like an operator, a path or a variable is a value as any other.
func TestValuesAreNotOperators(t *testing.T) {
	s := newStage(t)
	for i, text := range []string{"$name", "$$ROOT", "$$REMOVE", `{"$gt": ""}`, "$where"} {
		id := fmt.Sprint("u", i)
		if _, err := s.insert("User", "id", id, "name", text, "data", map[string]any{"$gt": "", "$literal": text}); err != nil {
			t.Fatal(err)
		}
		value := query.Const(schema.Text(text))
		equal := query.Compare{Left: query.Col(s.field("User.name")), Op: query.Eq, Right: value}
		// Or with another row's column makes an expression of it.
		computed := query.Or{equal, query.Compare{Left: query.Operand{Kind: query.Column, Field: s.field("Team.name"), Via: []*schema.Field{s.field("User.team")}}, Op: query.Eq, Right: value}}
		for _, w := range []query.Where{equal, computed} {
			l := s.level("User", "id", "name", "data")
			l.Where = w
			got, err := s.find(l, query.Binding{})
			shown := string(schema.AppendString(nil, text))
			s.want(got, err, fmt.Sprintf(`"%s" %s {"$gt":"","$literal":%s}`, id, shown, shown))
		}
		set := query.Write{Verb: query.Update, Type: s.schema.Type("User"), Where: equal, Set: []query.Assign{{Field: s.field("User.teamId"), Value: value}}}
		if done, err := s.write(set); err != nil || done.Affected != 1 {
			t.Errorf("%s: %v, %v", text, done, err)
		}
		l := s.level("User", "teamId")
		l.Where = equal
		got, err := s.find(l, query.Binding{})
		s.want(got, err, string(schema.AppendString(nil, text)))
	}
}

// A document that another program wrote is read as far as it is what the schema says.
func TestForeignDocuments(t *testing.T) {
	s := newStage(t)
	users := s.driver.db.Collection("users")
	if err := s.driver.db.RunCommand(t.Context(), bson.D{{Key: "collMod", Value: "users"}, {Key: "validator", Value: bson.D{}}}).Err(); err != nil {
		t.Fatal(err)
	}
	for _, doc := range []bson.D{
		{{Key: "_id", Value: "a"}, {Key: "age", Value: int64(7)}, {Key: "name", Value: nil}, {Key: "more", Value: 1}},
		{{Key: "_id", Value: "b"}, {Key: "age", Value: 8.0}, {Key: "data", Value: bson.D{{Key: "at", Value: bson.ObjectID{}}}}},
		{{Key: "_id", Value: bson.ObjectID{1}}, {Key: "age", Value: bson.A{"x"}}},
	} {
		if _, err := users.InsertOne(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
	}
	good := s.level("User", "id", "age", "name", "data")
	good.Where = query.Compare{Left: query.Col(s.field("User.age")), Op: query.Lt, Right: query.Const(schema.Integer(9))}
	got, err := s.find(good, query.Binding{})
	s.want(got, err, `"a" 7 null null`, `"b" 8 null {"at":"000000000000000000000000"}`)
	statement, err := s.driver.Prepare(rules.System(s.level("User", "age")))
	if err != nil {
		t.Fatal(err)
	}
	err = s.driver.View(t.Context(), func(r driver.Reader) error {
		rows, err := r.Find(t.Context(), statement, query.Binding{})
		for err == nil && rows.Next() {
			want := driver.Misfit{Found: "a list", Key: `"010000000000000000000000"`}
			if m := rows.Misfit(0); m.Found != "" && (m != want || !rows.Value(0).IsNull() || len(rows.AppendJSON(nil, 0)) > 0) {
				t.Errorf("a field that holds something else: %v", m)
			}
		}
		return errors.Join(err, rows.Err())
	})
	if err != nil {
		t.Error(err)
	}
	got, err = s.find(s.level("User", "id"), query.Binding{}) // where nobody asks for it, it is no matter
	s.want(got, err, `"a"`, `"b"`, `"010000000000000000000000"`)
}

func TestRegularExpressionsAreThoseOfRE2(t *testing.T) {
	s := newStage(t)
	texts := []string{"", "a", "A", "ſ", "a\n", "a\nb", "b\na", "é", "É", "foo bar", "foo_bar", "x-y", "😀", "\v", "a.b", "aXb", "Kelvin", "K", `\E`, "[", "日本"}
	for i, text := range texts {
		if _, err := s.insert("User", "id", fmt.Sprintf("%02d", i), "name", text); err != nil {
			t.Fatal(err)
		}
	}
	for _, pattern := range []string{
		"a$", "^a$", "(?m)a$", "(?m)^a", "(?m)^$", `a\z`, `\s`, `(?i)k`, `(?i)É`, `(?i)s`, `\bbar`, `\Bbar`, `[[:punct:]]`, `\pL`, `\P{L}`, `(?s).`, `.`, `a.b`, `a\.b`,
		`(?P<n>a)|b`, `a{2,}|é`, `(?U)a+`, `[^a]`, `\Q\E`, `\QE`, `[\x{1F600}-\x{1F64F}]`, `\[`, `(?i:A)\n`, `x*`, `[^\x00-\x{10FFFF}]`,
	} {
		re := regexp.MustCompile(pattern)
		var want []string
		for i, text := range texts {
			if re.MatchString(text) {
				want = append(want, fmt.Sprintf(`"%02d"`, i))
			}
		}
		w := query.Compare{Left: query.Col(s.field("User.name")), Op: query.Regex, Right: query.ArgAt(0)}
		for _, each := range []query.Where{w, query.Not{Where: query.Not{Where: w}}} {
			l := s.level("User", "id")
			l.Where = each
			got, err := s.find(l, query.Binding{Args: []schema.Value{schema.Text(pattern)}})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: got %v (%v), want %v", pattern, got, err, want)
			}
		}
	}
}

func TestGeneratedKeysGoOnAfterGivenOnes(t *testing.T) {
	s := newStage(t)
	var keys []int64
	for _, values := range [][]any{{"text", "a"}, {"text", "b", "id", int64(7)}, {"text", "c"}} {
		done, err := s.insert("Ticket", values...)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, done.Keys[0].Int())
	}
	if want := []int64{1, 7, 8}; !slices.Equal(keys, want) {
		t.Errorf("keys %v, want %v", keys, want)
	}
	// A collection that was there before the first of our keys.
	if _, err := s.driver.db.Collection(counters).DeleteMany(t.Context(), bson.D{}); err != nil {
		t.Fatal(err)
	}
	done, err := s.insert("Ticket", "text", "d")
	if err != nil || done.Keys[0].Int() != 9 {
		t.Errorf("%v, %v", done, err)
	}
}

func TestObjectIDs(t *testing.T) {
	s := newStage(t)
	const id = "65f000000000000000000001"
	if _, err := s.insert("Paper", "id", id, "text", "x"); err != nil {
		t.Fatal(err)
	}
	oid, _ := bson.ObjectIDFromHex(id)
	if n, err := s.driver.db.Collection("papers").CountDocuments(t.Context(), is("_id", oid)); err != nil || n != 1 {
		t.Errorf("%d documents have the ObjectId (%v)", n, err)
	}
	l := s.level("Paper", "id")
	l.Via = &query.Via{Single: true}
	got, err := s.find(l, query.Binding{Keys: []schema.Value{schema.Text(id), schema.Text("no ObjectId")}})
	s.want(got, err, `"`+id+`"`)
}

// A row that is not stored is asked about as one that is.
func TestGivenRows(t *testing.T) {
	s := newStage(t)
	if _, err := s.insert("Team", "id", "t", "name", "Red"); err != nil {
		t.Fatal(err)
	}
	l := s.level("User", "id", "age")
	l.Given = []*schema.Field{s.field("User.id"), s.field("User.teamId")}
	red := query.Operand{Kind: query.Column, Field: s.field("Team.name"), Via: []*schema.Field{s.field("User.team")}}
	l.Where = query.Compare{Left: red, Op: query.Eq, Right: query.Const(schema.Text("Red"))}
	got, err := s.find(l, query.Binding{Keys: []schema.Value{schema.Text("new"), schema.Text("t")}})
	s.want(got, err, `"new" null`)
	got, err = s.find(l, query.Binding{Keys: []schema.Value{schema.Text("new"), schema.Text("none")}})
	s.want(got, err)
}

func TestOneWriteWithoutTransactions(t *testing.T) {
	s := newStage(t)
	s.driver.transactions = false
	user := func(id string) rules.NarrowedWrite {
		return rules.SystemWrite(query.Write{Verb: query.Create, Type: s.schema.Type("User"), Columns: []*schema.Field{s.field("User.id")}, Rows: [][]schema.Value{{schema.Text(id)}}})
	}
	err := s.db.Tx(t.Context(), func(tx driver.Tx) error {
		if _, err := tx.Write(t.Context(), user("a"), query.Binding{}); err != nil {
			return err
		}
		_, err := tx.Write(t.Context(), user("b"), query.Binding{})
		return err
	})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "no replica set") {
		t.Errorf("two writes: %v", err)
	}
	got, err := s.find(s.level("User", "id"), query.Binding{})
	s.want(got, err, `"a"`)
}

// A transaction that read before others wrote cannot write the same: all of it is done again.
func TestLostRacesMayBeRetried(t *testing.T) {
	s := newStage(t)
	if _, err := s.insert("User", "id", "a", "age", 1); err != nil {
		t.Fatal(err)
	}
	increment := query.Write{Verb: query.Update, Type: s.schema.Type("User"), Set: []query.Assign{{Field: s.field("User.age"), Op: query.Inc, Value: query.Const(schema.Integer(1))}}}
	statement, err := s.db.Prepare(rules.System(s.level("User", "age")))
	if err != nil {
		t.Fatal(err)
	}
	tries := 0
	err = s.db.Tx(t.Context(), func(tx driver.Tx) error {
		tries++
		rows, err := tx.Find(t.Context(), statement, query.Binding{})
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		if tries == 1 {
			if _, err := s.write(increment); err != nil {
				t.Error(err)
			}
		}
		_, err = tx.Write(t.Context(), rules.SystemWrite(increment), query.Binding{})
		return err
	})
	got, findErr := s.find(s.level("User", "age"), query.Binding{})
	s.want(got, findErr, "3")
	if err != nil || tries != 2 {
		t.Errorf("after %d tries: %v", tries, err)
	}
}
